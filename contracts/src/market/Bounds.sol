// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of every list, loop and duration.
library Bounds {
    uint32 internal constant SEGMENTS = 4096;
    /// Of a data set, and with it the segments of an epoch: the most that the verifiers of proofs take.
    uint64 internal constant ROWS = 1 << 32;
    /// Learning rate over batch, in units of 2^-k: the most that the verifiers of proofs take.
    uint32 internal constant RATE = 1 << 16;
    uint8 internal constant DRAWS = 64;
    uint8 internal constant COMMITTEE = 16;
    uint8 internal constant TEAM = 16;
    uint8 internal constant RATES = 16;
    uint8 internal constant PENDING = 32;
    /// Segments claimed in one call.
    uint8 internal constant CLAIMS = 64;
    /// Amounts are below this, so that no product of them overflows.
    uint128 internal constant AMOUNT = 1 << 100;

    uint16 internal constant WHOLE_BPS = 10_000;
    /// Royalty: at most a half.
    uint16 internal constant ROYALTY_BPS = 5000;
    /// A default burns at most this part of the bond.
    uint256 internal constant DEFAULT_PART = 10;
    /// Not starting burns at most this part of the bond.
    uint256 internal constant HAND_BACK_PART = 100;
    /// Blocks from a hand-back to the one in which the job can be accepted: in the one between them the requester can cancel.
    uint64 internal constant REOPEN_BLOCKS = 2;
    /// Blocks from the close of the claims to the block whose hash draws.
    uint64 internal constant DRAW_DELAY_BLOCKS = 8;

    /// The least that every duration is: long enough for the drawing block, for a proof and its transaction, and for a node that
    /// has to be started again, so that nobody loses a bond or a payment to an outage of a minute.
    uint32 internal constant MIN_SECS = 10 minutes;
    uint32 internal constant OPEN_SECS = 30 days;
    uint32 internal constant START_SECS = 7 days;
    uint32 internal constant RUN_SECS = 180 days;
    uint32 internal constant WINDOW_SECS = 7 days;
    /// All answers together: answerSecs * maxPending.
    uint32 internal constant ANSWERS_SECS = 14 days;
    uint32 internal constant REVEAL_SECS = 1 days;
    /// All proofs after a draw together: proveSecs * segments.
    uint32 internal constant PROVING_SECS = 30 days;
    uint32 internal constant DELIVER_SECS = 7 days;
    uint32 internal constant COMPLAIN_SECS = 7 days;
    uint32 internal constant DECIDE_SECS = 7 days;

    /// Words on one question count together if they come within this time.
    uint32 internal constant COUNT_SECS = 7 days;

    /// How long stake takes to leave: the longest sum of windows that may follow an attestation.
    uint64 internal constant UNBONDING_SECS = uint64(COUNT_SECS) + WINDOW_SECS + ANSWERS_SECS + REVEAL_SECS
        + PROVING_SECS + DELIVER_SECS + COMPLAIN_SECS + DECIDE_SECS;
}
