// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of every list, loop and duration.
library Bounds {
    uint32 internal constant SEGMENTS = 4096;
    /// Of a data set, and with it the segments of an epoch: the most that the verifiers of proofs take.
    uint64 internal constant ROWS = 1 << 32;
    /// Learning rate over batch, in units of 2^-k: the most that the verifiers of proofs take.
    uint32 internal constant RATE = 1 << 16;
    /// Segments of a batch, draws of it, and batches that are closed and not settled.
    uint8 internal constant BATCH = 64;
    uint8 internal constant COMMITTEE = 16;
    /// Members of a team beside the lead, in all: a holder is four bits.
    uint8 internal constant SEATS = 15;
    uint8 internal constant RATES = 16;
    /// Claims that a member may have taken at once.
    uint8 internal constant TAKES = 4;
    /// Segments claimed in one call.
    uint8 internal constant CLAIMS = 64;
    /// Amounts are below this, so that no product of them overflows.
    uint128 internal constant AMOUNT = 1 << 100;

    uint16 internal constant WHOLE_BPS = 10_000;
    /// Royalty: at most a half.
    uint16 internal constant ROYALTY_BPS = 5000;
    /// Not starting burns at most this part of a batch's price.
    uint256 internal constant HAND_BACK_PART = 100;
    /// Hand-backs for which the escrow has the fee; the last of them ends the job.
    uint8 internal constant HAND_BACKS = 4;
    /// A late proof burns this part of what is left of the lead's bond.
    uint256 internal constant LATE_PART = 10;
    /// Leaving burns this part of a batch's price.
    uint256 internal constant LEAVE_PART = 4;
    /// The challenger of a claim that is never proven gets this part of what is left of the lead's bond, of a batch's price at most.
    uint256 internal constant BOUNTY_PART = 4;

    /// Blocks from the close to the block whose hash draws, and from the fixing of a late one.
    uint48 internal constant DRAW_DELAY_BLOCKS = 8;
    /// Blocks from the drawing block on until a secret counts.
    uint48 internal constant REVEAL_DELAY_BLOCKS = 8;
    /// Blocks until a take counts.
    uint48 internal constant TAKE_DELAY_BLOCKS = 16;

    /// The least that every duration is: long enough for the drawing block, for a proof and its transaction, and for a node that
    /// has to be started again.
    uint32 internal constant MIN_SECS = 10 minutes;
    uint32 internal constant OPEN_SECS = 30 days;
    uint32 internal constant REOPEN_SECS = 1 days;
    uint32 internal constant START_SECS = 7 days;
    /// All batches together: batchSecs * batches.
    uint32 internal constant RUN_SECS = 180 days;
    uint32 internal constant CLOSE_SECS = 7 days;
    uint32 internal constant REVEAL_SECS = 1 days;
    uint32 internal constant PROVE_SECS = 7 days;
    /// All proofs that may be due at once: eachSecs * deliverEvery * ahead.
    uint32 internal constant PROVING_SECS = 30 days;
    uint32 internal constant WINDOW_SECS = 7 days;
    uint32 internal constant COMPLAIN_SECS = 7 days;
    uint32 internal constant DECIDE_SECS_LEAST = 1 days;
    uint32 internal constant DECIDE_SECS = 7 days;
    /// Beside `revealSecs`, until anyone may fix the late block; beside `closeSecs`, until a shortened batch is given up.
    uint32 internal constant ANYONE_SECS = 1 days;

    /// How long stake backs a job behind its end: contradictions can be shown until then.
    uint64 internal constant UNBONDING_SECS = 14 days;
}
