// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Claims} from "./Claims.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Batches, Job, State, Store} from "./Types.sol";

/// @title Ends before the end. What is closed is drawn, proven, delivered and paid as ever.
library Leaving {
    /// @notice The requester makes the job shorter: not below what is closed, nor below the claims in the batch being filled. Where some
    /// of a batch is drawn it ends with a whole batch: of a shorter one more would be drawn than its price pays for.
    function stop(Store storage s, bytes32 id, uint256 total) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asRequester(s, job);
        Batches storage cut = s.terms[id].batches;
        uint256 full = Cut.fillEnd(job, cut.deliverEvery);
        total = Cut.most(Cut.least(total, job.total), Cut.least(job.claimed, full));
        if (!Cut.isWhole(cut)) total = Cut.up(total, cut.deliverEvery) * cut.deliverEvery;
        if (total >= job.total) revert IMarketErrors.NothingChanges(job.total);
        // The batch being filled may be full now, before its lead could know: it has the whole time for its close.
        if (job.claimed < full && total == job.claimed) {
            job.fullAt = uint40(block.timestamp);
            job.progressAt = uint40(block.timestamp);
        }
        cutTo(job, total);
        uint128 fee = job.stopped ? 0 : s.terms[id].price.handBackFee;
        job.stopped = true;
        job.escrow -= fee;
        emit IMarketEvents.StopAsked(id, total, fee);
        Books.credit(s, id, job.owner, fee);
        Books.finish(s, id);
    }

    /// @notice The lead leaves; or anyone says that it was too slow. A job that was shortened, and whose last batch nobody closed, becomes
    /// as long as what is closed.
    function abandon(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Running);
        if (job.closed == job.total) revert IMarketErrors.NothingChanges(job.total);
        Batches storage cut = s.terms[id].batches;
        bool hasRoom = Cut.hasRoom(job, cut);
        if (job.left) {
            if (!hasRoom) revert IMarketErrors.NoRoom(cut.ahead);
            Guards.onlyAfter(Claims.closableAfter(s, id) + Bounds.ANYONE_SECS);
            cutTo(job, job.closed);
            emit IMarketEvents.LeaveAsked(id, job.total, 0);
            return Books.finish(s, id);
        }
        if (!s.nodes.actsFor(msg.sender, job.owner)) {
            if (job.complaints > 0) revert IMarketErrors.ComplaintOpen();
            // A lead that may not close is not too slow.
            if (!hasRoom) revert IMarketErrors.NoRoom(cut.ahead);
            Guards.onlyAfter(uint256(job.progressAt) + s.terms[id].times.batchSecs);
        }
        uint256 price = uint256(cut.deliverEvery) * job.price;
        shorten(s, id, Books.burn(s, id, price / Bounds.LEAVE_PART));
    }

    /// @notice Makes the job as long as what is closed; where all is proven, as long as the last proven claim of the batch being filled, if
    /// that is later.
    function shorten(Store storage s, bytes32 id, uint256 burnt) internal {
        Job storage job = s.jobs[id];
        uint256 total = job.closed;
        Batches storage cut = s.terms[id].batches;
        if (total < job.total && Cut.isWhole(cut)) {
            (uint256 batch,) = Cut.place(s, id, total);
            for (uint64 proven = s.batches[id][batch].proven; proven != 0; proven >>= 1) {
                ++total;
            }
        }
        total = Cut.least(total, job.total);
        job.left = true;
        if (job.closed < total) job.fullAt = uint40(block.timestamp);
        cutTo(job, total);
        emit IMarketEvents.LeaveAsked(id, job.total, burnt);
        Books.finish(s, id);
    }

    /// Every change of the total is to the smaller one.
    function cutTo(Job storage job, uint256 total) private {
        // At most 4096.
        uint16 to = uint16(Cut.least(total, job.total));
        job.total = to;
        if (job.claimed > to) job.claimed = to;
    }
}
