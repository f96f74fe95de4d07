// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {Batch, Batches, BatchState, Job, Store, Verdict} from "./Types.sol";

/// @title Where batches begin and end, and what is due in one. It changes nothing.
/// @dev A batch has k segments; only the last of a job may have fewer. Counters stand at the start of a batch, or at `total`.
library Cut {
    /// @notice The batch of a segment, and its first segment.
    function place(Store storage s, bytes32 id, uint256 index) internal view returns (uint256 batch, uint256 from) {
        uint256 k = s.terms[id].batches.deliverEvery;
        batch = index / k;
        from = batch * k;
    }

    /// @notice The first segment of a batch, and the one behind it.
    function span(Store storage s, bytes32 id, uint256 batch) internal view returns (uint256 from, uint256 end) {
        uint256 k = s.terms[id].batches.deliverEvery;
        from = batch * k;
        end = least(from + k, s.jobs[id].total);
    }

    /// @notice The segment behind the batch being filled, the first that is not closed.
    function fillEnd(Job storage job, uint256 k) internal view returns (uint256) {
        return least(uint256(job.closed) + k, job.total);
    }

    /// @notice Whether all of a batch is proven.
    function isWhole(Batches storage b) internal view returns (bool) {
        return b.draws == b.deliverEvery;
    }

    /// @notice Whether fewer batches are closed and not settled than may be.
    function hasRoom(Job storage job, Batches storage b) internal view returns (bool) {
        uint256 k = b.deliverEvery;
        return up(job.closed, k) - up(job.settled, k) < b.ahead;
    }

    /// @notice The record of a batch that is closed and neither settled nor void.
    function waiting(Store storage s, bytes32 id, uint256 batch) internal view returns (Batch storage b) {
        Job storage job = s.jobs[id];
        uint256 from = batch * s.terms[id].batches.deliverEvery;
        if (from < job.settled || from >= job.closed) revert IMarketErrors.NotWaiting(batch);
        return s.batches[id][batch];
    }

    /// @notice What is due in a batch and not proven.
    function due(Batch storage b) internal view returns (uint64) {
        return (b.drawn | b.challenged) & ~b.proven;
    }

    /// @notice The last second for the proof of a due claim, before it is late.
    function dueUntil(Store storage s, bytes32 id, uint256 index, Batch storage b, uint64 bit)
        internal
        view
        returns (uint256)
    {
        return b.challenged & bit != 0 ? s.challenges[id][index].until : b.until;
    }

    /// @notice Digest at the end of a batch: of the last parameters, or of all claims where no segment goes on from another.
    function lastOf(Store storage s, bytes32 id, uint256 batch) internal view returns (bytes32) {
        if (!s.jobs[id].chained) return s.batches[id][batch].claims;
        (, uint256 end) = span(s, id, batch);
        return s.claims[id][end - 1];
    }

    /// @notice Whether the pay of a batch is gone: nobody is paid for a proof in it.
    function isRefused(Store storage s, bytes32 id, uint256 batch) internal view returns (bool) {
        return s.complaints[id][batch].verdict > Verdict.Yes;
    }

    /// @notice Whether the claims of a closed batch can be challenged, or its draw is not made. Where all is proven a batch is drawn when
    /// it is closed, and has no window.
    function canChange(Batch storage b) internal view returns (bool) {
        return !b.known || (!b.acknowledged && block.timestamp <= b.windowUntil);
    }

    /// @notice Where a batch stands.
    function stateOf(Store storage s, bytes32 id, uint256 batch) internal view returns (BatchState) {
        Job storage job = s.jobs[id];
        uint256 from = batch * s.terms[id].batches.deliverEvery;
        if (from >= job.total) return BatchState.Void;
        if (from < job.settled) return BatchState.Settled;
        if (from >= job.closed) return BatchState.Filling;
        if (s.complaints[id][batch].verdict == Verdict.Pending) return BatchState.Disputed;
        return s.batches[id][batch].known ? BatchState.Proving : BatchState.Drawing;
    }

    /// @notice Mask of the first `count` segments of a batch.
    function mask(uint256 count) internal pure returns (uint64) {
        // At most 64.
        return count == 64 ? type(uint64).max : uint64((1 << count) - 1);
    }

    /// @notice How many bits are set.
    function bits(uint64 word) internal pure returns (uint256 count) {
        for (; word != 0; ++count) {
            word &= word - 1;
        }
    }

    /// @notice The quotient, rounded up.
    function up(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a + b - 1) / b;
    }

    /// @notice The smaller one.
    function least(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @notice The larger one.
    function most(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? b : a;
    }
}
