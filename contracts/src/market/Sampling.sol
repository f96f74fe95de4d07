// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Guards} from "./Guards.sol";
import {Running} from "./Running.sol";
import {Claim, Job, State, Store} from "./Types.sol";

/// @title The draw of a sampled job, and what follows from it.
/// @dev Neither side knows the draw when the claims close: the secret is the requester's, and the block's hash is not made yet.
/// A secret that does not come loses nothing for the provider; a block's hash that got lost is never replaced by another.
library Sampling {
    /// @notice Keeps the hash of the drawing block, so that a late secret cannot force all proofs.
    function keepHash(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Drawing);
        if (job.drawHash != 0) revert IMarketErrors.HashStored();
        if (block.number <= job.drawBlock) revert IMarketErrors.TooEarly(job.drawBlock);
        bytes32 hash = blockhash(job.drawBlock);
        if (hash == 0) revert IMarketErrors.HashLost();
        job.drawHash = hash;
        emit IMarketEvents.HashKept(id, hash);
    }

    /// @notice Draws, with the requester's secret. Anyone who has it may.
    function reveal(Store storage s, bytes32 id, bytes32 secret) external {
        Job storage job = Guards.inState(s, id, State.Drawing);
        Guards.notAfter(job.deadline);
        if (keccak256(abi.encode(secret)) != s.terms[id].checks.secretHash) revert IMarketErrors.WrongSecret();
        if (block.number <= job.drawBlock) revert IMarketErrors.TooEarly(job.drawBlock);
        bytes32 hash = job.drawHash == 0 ? blockhash(job.drawBlock) : job.drawHash;
        bytes32 seed = keccak256(abi.encode(id, job.claims, secret, hash));
        uint256[] memory indices;
        if (hash == 0) {
            job.allDue = true;
            job.due = job.total - job.settled;
        } else {
            indices = draw(s, id, seed);
        }
        job.state = State.Proving;
        job.deadline = uint40(block.timestamp + uint256(s.terms[id].times.proveSecs) * job.due);
        emit IMarketEvents.Drawn(id, seed, job.allDue, indices, job.due, job.deadline);
        if (job.due == 0) payRest(s, id);
    }

    /// @notice Closes the claims; the hash of a block to come draws.
    function close(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        job.state = State.Drawing;
        job.drawBlock = uint64(block.number + Bounds.DRAW_DELAY_BLOCKS);
        job.deadline = uint40(block.timestamp + s.terms[id].times.revealSecs);
        emit IMarketEvents.ClaimsClosed(id, job.claims, job.drawBlock, job.deadline);
    }

    /// @notice Proves a drawn segment.
    function prove(Store storage s, bytes32 id, uint256 index, bytes calldata proof) internal {
        Job storage job = s.jobs[id];
        if (!isDue(s, id, index)) revert IMarketErrors.NotPending(index);
        Guards.notAfter(job.deadline);
        Running.proveClaim(s, id, index, proof);
        job.due -= 1;
        if (job.due == 0) payRest(s, id);
    }

    /// @notice Pays all claims that are not paid.
    function payRest(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        Books.pay(s, id, job.total - job.settled, s.claims[id][job.total - 1].last);
        Books.goOn(s, id);
    }

    /// @notice Whether a segment must still be proven.
    function isDue(Store storage s, bytes32 id, uint256 index) internal view returns (bool) {
        Job storage job = s.jobs[id];
        if (job.state != State.Proving || index < job.settled || index >= job.total) return false;
        if (s.claims[id][index].proven) return false;
        return job.allDue || s.drawn[id][index >> 8] >> (index & 255) & 1 == 1;
    }

    /// Draws distinct segments, each set of them equally likely (Floyd). Those that are proven already are not due.
    function draw(Store storage s, bytes32 id, bytes32 seed) private returns (uint256[] memory indices) {
        Job storage job = s.jobs[id];
        mapping(uint256 => uint256) storage drawn = s.drawn[id];
        uint256 total = job.total;
        uint256 draws = s.terms[id].checks.draws < total ? s.terms[id].checks.draws : total;
        indices = new uint256[](draws);
        uint16 due = 0;
        for (uint256 i = 0; i < draws; ++i) {
            uint256 top = total - draws + i;
            uint256 index = uint256(keccak256(abi.encode(seed, i))) % (top + 1);
            if (drawn[index >> 8] >> (index & 255) & 1 == 1) index = top;
            drawn[index >> 8] |= 1 << (index & 255);
            indices[i] = index;
            if (index >= job.settled) ++due;
        }
        job.due = due;
    }
}
