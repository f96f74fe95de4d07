// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {Bounds} from "./Bounds.sol";
import {Claims} from "./Claims.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Batch, Batches, Job, State, Store, Times} from "./Types.sol";

/// @title Which segments of a closed batch must be proven.
/// @dev Neither side knows the draw when the batch closes: the secret is the requester's, and the block is not made yet. Who withholds
/// a secret does not choose between two known draws: the late block is not fixed as long as a secret counts.
library Draws {
    /// @notice Draws with the requester's secret of a batch. Anyone who has it may.
    function reveal(Store storage s, bytes32 id, uint256 batch, bytes32 secret) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Batch storage b = undrawn(s, id, batch);
        Guards.notAfter(b.closedAt + s.terms[id].times.revealSecs);
        uint256 counts = b.drawBlock + Bounds.REVEAL_DELAY_BLOCKS;
        if (block.number < counts) revert IMarketErrors.TooEarly(counts - 1);
        know(job, id, batch, secret);
        bytes32 hash = Blockhash.blockHash(b.drawBlock);
        if (hash == 0) revert IMarketErrors.HashLost();
        uint256 from = uint256(b.closedAt) + s.terms[id].times.revealSecs;
        draw(s, id, batch, keccak256(abi.encode(id, batch, b.claims, hash, secret)), from);
    }

    /// @notice Fixes the late block, when no secret counts any more: the team (the lead is seat 0), or anyone a day later.
    function fixLate(Store storage s, bytes32 id, uint256 batch, uint256 seat) external {
        Guards.inState(s, id, State.Running);
        Batch storage b = undrawn(s, id, batch);
        if (b.lateAt != 0) revert IMarketErrors.NotWaiting(batch);
        uint256 over = uint256(b.closedAt) + s.terms[id].times.revealSecs;
        Guards.onlyAfter(over);
        if (block.timestamp <= over + Bounds.ANYONE_SECS) Guards.asTeam(s, id, seat);
        b.lateAt = uint40(block.timestamp);
        b.drawBlock = uint48(block.number) + Bounds.DRAW_DELAY_BLOCKS;
        emit IMarketEvents.LateFixed(id, batch, b.drawBlock);
    }

    /// @notice Draws with the hash of the late block. Where it is lost, the whole batch is due: a lost hash never pays. Times run from this
    /// call, which anyone can make: challenges need a draw, and nobody waits their window away.
    function drawLate(Store storage s, bytes32 id, uint256 batch) external {
        Guards.inState(s, id, State.Running);
        Batch storage b = undrawn(s, id, batch);
        if (b.lateAt == 0) revert IMarketErrors.NotWaiting(batch);
        if (block.number <= b.drawBlock) revert IMarketErrors.TooEarly(b.drawBlock);
        bytes32 hash = Blockhash.blockHash(b.drawBlock);
        if (hash != 0) return draw(s, id, batch, keccak256(abi.encode(id, batch, b.claims, hash)), block.timestamp);
        (uint256 from, uint256 end) = Cut.span(s, id, batch);
        Claims.count(s, id, batch, Cut.mask(end - from), 0, block.timestamp);
    }

    /// @notice Draws distinct segments, each set of them equally likely (Floyd).
    function choose(bytes32 seed, uint256 draws, uint256 count) internal pure returns (uint64 drawn) {
        for (uint256 i = 0; i < draws; ++i) {
            uint256 top = count - draws + i;
            uint256 place = uint256(keccak256(abi.encode(seed, i))) % (top + 1);
            if (drawn >> place & 1 == 1) place = top;
            // Below 64.
            drawn |= uint64(1 << place);
        }
    }

    /// Times run from `from`, however early the secret came.
    function draw(Store storage s, bytes32 id, uint256 batch, bytes32 seed, uint256 from) private {
        Batches storage cut = s.terms[id].batches;
        (uint256 first, uint256 end) = Cut.span(s, id, batch);
        // A short batch has its part of the draws, rounded up.
        uint256 draws = Cut.up(cut.draws * (end - first), cut.deliverEvery);
        Claims.count(s, id, batch, choose(seed, draws, end - first), seed, from);
    }

    function undrawn(Store storage s, bytes32 id, uint256 batch) private view returns (Batch storage b) {
        b = Cut.waiting(s, id, batch);
        if (b.known) revert IMarketErrors.NotWaiting(batch);
    }

    /// Checks a secret against the last one that is known: a later one hashes to it, an earlier one is hashed from it. There are at most
    /// 4096 batches.
    function know(Job storage job, bytes32 id, uint256 batch, bytes32 secret) private {
        uint256 level = batch + 1;
        uint256 known = job.known;
        bool isNew = level > known;
        bytes32 word = isNew ? secret : job.secret;
        for (uint256 i = isNew ? level - known : known - level; i > 0; --i) {
            word = keccak256(abi.encode(word));
        }
        if (word != (isNew ? job.secret : secret)) revert IMarketErrors.WrongSecret();
        if (!isNew) return;
        // At most 4096.
        job.known = uint16(level);
        job.secret = secret;
        emit IMarketEvents.Revealed(id, batch, secret);
    }
}
