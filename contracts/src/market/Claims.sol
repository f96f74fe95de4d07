// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bounds} from "./Bounds.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Segments} from "./Segments.sol";
import {Batch, Batches, Job, State, Store, Times} from "./Types.sol";

/// @title Claims, and the close of a batch.
library Claims {
    /// @notice Claims the next segments by the digests of their last parameters.
    function claim(Store storage s, bytes32 id, uint256 index, bytes32[] calldata lasts) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asProvider(s, job);
        uint256 claimed = job.claimed;
        if (index != claimed) revert IMarketErrors.WrongIndex(claimed, index);
        if (lasts.length == 0) revert IMarketErrors.NoClaims();
        if (lasts.length > Bounds.CLAIMS) revert IMarketErrors.TooManyClaims(Bounds.CLAIMS);
        uint256 end = claimed + lasts.length;
        if (end > job.total) revert IMarketErrors.TooManyClaims(job.total);
        mapping(uint256 => bytes32) storage claims = s.claims[id];
        for (uint256 i = 0; i < lasts.length; ++i) {
            claims[claimed + i] = lasts[i];
        }
        emit IMarketEvents.Claimed(id, index, lasts);
        extend(s, id, end);
    }

    /// @notice Claims the next segment by its proof. Only where all is proven, and in the batch being filled. The lead alone says where
    /// a segment ends: whoever else knows data and weights could prove an end with blindings of its own, from which the team
    /// cannot go on.
    function claimProven(Store storage s, bytes32 id, uint256 index, bytes calldata proof) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asProvider(s, job);
        Batches storage cut = s.terms[id].batches;
        if (!Cut.isWhole(cut)) revert IMarketErrors.OnlyClaims();
        if (index != job.claimed) revert IMarketErrors.WrongIndex(job.claimed, index);
        if (index >= Cut.fillEnd(job, cut.deliverEvery)) revert IMarketErrors.TooManyClaims(job.total);
        bytes32[] memory lasts = new bytes32[](1);
        lasts[0] = Segments.verify(s, id, index, proof);
        s.claims[id][index] = lasts[0];
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        // Below 64.
        s.batches[id][batch].proven |= uint64(1 << (index - from));
        emit IMarketEvents.Claimed(id, index, lasts);
        emit IMarketEvents.Proved(id, index, lasts[0], 0, 0, msg.sender);
        extend(s, id, index + 1);
    }

    /// @notice Closes the next batch, as the lead (seat 0), or as a member when the lead took its time.
    function close(Store storage s, bytes32 id, uint256 batch, bytes32 root, uint256 seat) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asTeam(s, id, seat);
        Batches storage cut = s.terms[id].batches;
        (uint256 next, uint256 from) = Cut.place(s, id, job.closed);
        if (batch != next || job.closed == job.total) revert IMarketErrors.WrongIndex(next, batch);
        uint256 end = Cut.fillEnd(job, cut.deliverEvery);
        if (job.claimed < end) revert IMarketErrors.NotFull(job.claimed, end);
        if (!Cut.hasRoom(job, cut)) revert IMarketErrors.NoRoom(cut.ahead);
        if (seat != 0) Guards.onlyAfter(closableAfter(s, id));
        Batch storage b = s.batches[id][batch];
        // At most 4096.
        job.closed = uint16(end);
        job.progressAt = uint40(block.timestamp);
        b.closedAt = uint40(block.timestamp);
        b.root = root;
        bool whole = Cut.isWhole(cut);
        if (!whole || !job.chained) b.claims = hash(s, id, batch, from, end);
        if (!whole) b.drawBlock = uint48(block.number) + Bounds.DRAW_DELAY_BLOCKS;
        emit IMarketEvents.Closed(id, batch, end, root, b.claims, b.drawBlock);
        if (whole) count(s, id, batch, Cut.mask(end - from), 0, block.timestamp);
    }

    /// @notice Until when only the lead closes.
    function closableAfter(Store storage s, bytes32 id) internal view returns (uint256) {
        Job storage job = s.jobs[id];
        return Cut.most(job.fullAt, job.progressAt) + s.terms[id].times.closeSecs;
    }

    /// @notice Says what is due in a batch, and until when: deadlines stand in one queue of the job, so that proofs of one batch have
    /// their time beside those of others.
    function count(Store storage s, bytes32 id, uint256 batch, uint64 drawn, bytes32 seed, uint256 from) internal {
        Job storage job = s.jobs[id];
        Times storage times = s.terms[id].times;
        Batch storage b = s.batches[id][batch];
        uint256 due = Cut.bits(drawn & ~b.proven);
        uint256 until = 0;
        if (due > 0) {
            until = deadline(job, times, from, job.queueUntil, due);
            job.queueUntil = uint40(until);
        }
        (b.drawn, b.known, b.until) = (drawn, true, uint40(until));
        if (!Cut.isWhole(s.terms[id].batches)) b.windowUntil = uint40(from + times.windowSecs);
        emit IMarketEvents.Drawn(id, batch, seed, drawn, until, b.windowUntil);
    }

    /// @notice The end of a queue behind `due` more proofs. It is never further away than all that is closed and not settled needs: what
    /// is settled has left the queue, however far that had come.
    function deadline(Job storage job, Times storage times, uint256 from, uint256 queue, uint256 due)
        internal
        view
        returns (uint256)
    {
        uint256 free = from + times.proveSecs;
        uint256 most = free + uint256(job.closed - job.settled) * times.eachSecs;
        return Cut.least(Cut.most(free, queue) + due * times.eachSecs, most);
    }

    /// Counts claims up to `end`, and keeps when the batch being filled became full.
    function extend(Store storage s, bytes32 id, uint256 end) private {
        Job storage job = s.jobs[id];
        uint256 full = Cut.fillEnd(job, s.terms[id].batches.deliverEvery);
        if (job.claimed < full && end >= full) job.fullAt = uint40(block.timestamp);
        // At most `total`.
        job.claimed = uint16(end);
    }

    /// Running hash of the claims: of a batch behind that of the batches before it.
    function hash(Store storage s, bytes32 id, uint256 batch, uint256 from, uint256 end)
        private
        view
        returns (bytes32)
    {
        bytes32[] memory words = new bytes32[](end - from + 1);
        if (batch > 0) words[0] = s.batches[id][batch - 1].claims;
        mapping(uint256 => bytes32) storage claims = s.claims[id];
        for (uint256 i = from; i < end; ++i) {
            words[i - from + 1] = claims[i];
        }
        return keccak256(abi.encodePacked(words));
    }
}
