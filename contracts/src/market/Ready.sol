// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Claims} from "./Claims.sol";
import {Cut} from "./Cut.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Batch, Complaint, Job, State, Store, Times, Verdict} from "./Types.sol";

/// @title What anyone can do about a job now, because its time has come. It changes nothing.
library Ready {
    /// @notice Calls of the market that anyone can make now. Each is good on its own; one may take away what another is about.
    function callsOf(Store storage s, bytes32 id) external view returns (bytes[] memory calls) {
        // Of each batch at most one call, and two of the job.
        calls = new bytes[](uint256(Bounds.BATCH) + 2);
        uint256 count = ofJob(s, id, calls);
        if (s.jobs[id].state == State.Running) count = ofBatches(s, id, calls, count);
        assembly ("memory-safe") {
            mstore(calls, count)
        }
    }

    function ofJob(Store storage s, bytes32 id, bytes[] memory calls) private view returns (uint256 count) {
        Job storage job = s.jobs[id];
        bool isOver = block.timestamp > job.deadline;
        if (job.state == State.Open && isOver) calls[count++] = abi.encodeCall(ITrainingMarket.cancel, (id));
        if (job.state == State.Assigned && isOver) calls[count++] = abi.encodeCall(ITrainingMarket.decline, (id));
        if (job.state != State.Running) return count;
        if (canSettle(s, id)) calls[count++] = abi.encodeCall(ITrainingMarket.settle, (id));
        if (canAbandon(s, id)) calls[count++] = abi.encodeCall(ITrainingMarket.abandon, (id));
    }

    function ofBatches(Store storage s, bytes32 id, bytes[] memory calls, uint256 count)
        private
        view
        returns (uint256)
    {
        Job storage job = s.jobs[id];
        uint256 k = s.terms[id].batches.deliverEvery;
        for (uint256 batch = job.settled / k; batch * k < job.closed; ++batch) {
            bytes memory call = ofBatch(s, id, batch);
            if (call.length > 0) calls[count++] = call;
        }
        return count;
    }

    function ofBatch(Store storage s, bytes32 id, uint256 batch) private view returns (bytes memory) {
        Batch storage b = s.batches[id][batch];
        Complaint storage c = s.complaints[id][batch];
        Times storage times = s.terms[id].times;
        if (c.verdict == Verdict.Pending && block.timestamp > c.until) {
            return abi.encodeCall(ITrainingMarket.lapse, (id, batch));
        }
        if (b.known) return failed(s, id, batch, b);
        if (b.lateAt != 0) {
            return block.number > b.drawBlock ? abi.encodeCall(ITrainingMarket.drawLate, (id, batch)) : bytes("");
        }
        uint256 over = uint256(b.closedAt) + times.revealSecs + Bounds.ANYONE_SECS;
        return block.timestamp > over ? abi.encodeCall(ITrainingMarket.fixLate, (id, batch, 0)) : bytes("");
    }

    /// The first claim that was never proven.
    function failed(Store storage s, bytes32 id, uint256 batch, Batch storage b) private view returns (bytes memory) {
        uint64 due = Cut.due(b);
        uint256 from = batch * s.terms[id].batches.deliverEvery;
        for (uint256 i = 0; due >> i != 0; ++i) {
            // Below 64.
            uint64 bit = uint64(1 << i);
            if (due & bit == 0) continue;
            if (block.timestamp > Cut.dueUntil(s, id, from + i, b, bit) + s.terms[id].times.proveSecs) {
                return abi.encodeCall(ITrainingMarket.fail, (id, from + i));
            }
        }
        return "";
    }

    function canSettle(Store storage s, bytes32 id) private view returns (bool) {
        Job storage job = s.jobs[id];
        if (job.settled == job.closed) return false;
        (uint256 batch,) = Cut.place(s, id, job.settled);
        Batch storage b = s.batches[id][batch];
        if (!b.known || Cut.due(b) != 0 || s.complaints[id][batch].verdict == Verdict.Pending) return false;
        return b.acknowledged || block.timestamp > Books.paidAfter(s, id, b);
    }

    function canAbandon(Store storage s, bytes32 id) private view returns (bool) {
        Job storage job = s.jobs[id];
        if (job.closed == job.total || !Cut.hasRoom(job, s.terms[id].batches)) return false;
        if (job.left) return block.timestamp > Claims.closableAfter(s, id) + Bounds.ANYONE_SECS;
        return job.complaints == 0 && block.timestamp > uint256(job.progressAt) + s.terms[id].times.batchSecs;
    }
}
