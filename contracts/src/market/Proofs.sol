// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Claims} from "./Claims.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Seats} from "./Seats.sol";
import {Segments} from "./Segments.sol";
import {Batch, Challenge, Job, State, Store} from "./Types.sol";

/// @title Proofs of claims, challenges, and claims that are never proven.
library Proofs {
    /// @notice Proves a claim. Anyone may bring the proof: it must end where the claim does, and who holds the claim is paid.
    function prove(Store storage s, bytes32 id, uint256 index, bytes calldata proof) external {
        Job storage job = Guards.inState(s, id, State.Running);
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        Batch storage b = s.batches[id][batch];
        // Below 64.
        uint64 bit = uint64(1 << (index - from));
        if (index < job.settled || index >= job.claimed || from > job.closed || b.proven & bit != 0) {
            revert IMarketErrors.NotPending(index);
        }
        bytes32 last = Segments.verify(s, id, index, proof);
        if (last != s.claims[id][index]) revert IMarketErrors.WrongLast(s.claims[id][index], last);
        b.proven |= bit;
        (bool late, uint256 burnt) = inTime(s, id, index, b, bit);
        uint256 holder = b.taken & bit == 0 ? 0 : Seats.resolve(s, id, batch, index);
        if (b.challenged & bit != 0) answer(s, id, index, holder, late);
        else if (holder != 0) b.holders |= holder << (4 * (index - from));
        emit IMarketEvents.Proved(id, index, last, holder, burnt, msg.sender);
        Books.settleIfReady(s, id, batch);
    }

    /// @notice Challenges a claim of a drawn batch that was not drawn: it becomes due. Its digest is named, so that a challenge does not
    /// fall on another claim where a block was replaced. Challenges stand in a queue of their own, and move no deadline of what was
    /// drawn: whoever challenges all at once gives the time for all. Of a batch, the time of a later one is over later.
    function challenge(Store storage s, bytes32 id, uint256 index, bytes32 last) external {
        Job storage job = Guards.inState(s, id, State.Running);
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        Batch storage b = Cut.waiting(s, id, batch);
        if (!b.known) revert IMarketErrors.NotDrawn(batch);
        uint64 bit = uint64(1 << (index - from));
        if (b.acknowledged || (b.drawn | b.challenged | b.proven) & bit != 0 || index >= job.closed) {
            revert IMarketErrors.NotPending(index);
        }
        Guards.notAfter(b.windowUntil);
        if (last != s.claims[id][index]) revert IMarketErrors.WrongLast(s.claims[id][index], last);
        uint256 until = Claims.deadline(job, s.terms[id].times, block.timestamp, job.challengesUntil, 1);
        until = Cut.most(until, lastOpen(s, id, from, b) + 1);
        b.challenged |= bit;
        job.challengesUntil = uint40(until);
        s.challenges[id][index] = Challenge(msg.sender, uint40(until));
        emit IMarketEvents.Challenged(id, index, msg.sender, until);
        s.vault.lock(Books.challengeBond(id, index), msg.sender, s.terms[id].price.challengeBond);
    }

    /// @notice Says that a due claim was not proven, and not late either: its batch has failed, and the job is as long as what comes
    /// before it. What is left of the lead's bond is taken when the job ends, for the earliest batch that failed.
    function fail(Store storage s, bytes32 id, uint256 index) external {
        Job storage job = Guards.inState(s, id, State.Running);
        (uint256 batch, uint256 from) = Cut.place(s, id, index);
        Batch storage b = Cut.waiting(s, id, batch);
        uint64 bit = uint64(1 << (index - from));
        if (Cut.due(b) & bit == 0) revert IMarketErrors.NotPending(index);
        Guards.onlyAfter(Cut.dueUntil(s, id, index, b, bit) + s.terms[id].times.proveSecs);
        job.failed = true;
        job.failedAt = uint40(block.timestamp);
        job.failedTo = bounty(s, id, from, b);
        job.total = uint16(from);
        (job.claimed, job.closed) = (uint16(from), uint16(from));
        emit IMarketEvents.Failed(id, batch, index, job.failedTo);
        Books.finish(s, id);
    }

    /// Refuses a proof of a due claim behind the second period; in it the proof costs a tenth of what is left of the lead's bond,
    /// once a batch.
    function inTime(Store storage s, bytes32 id, uint256 index, Batch storage b, uint64 bit)
        private
        returns (bool late, uint256 burnt)
    {
        if ((b.drawn | b.challenged) & bit == 0) return (false, 0);
        uint256 deadline = Cut.dueUntil(s, id, index, b, bit);
        if (block.timestamp <= deadline) return (false, 0);
        Guards.notAfter(deadline + s.terms[id].times.proveSecs);
        late = true;
        if (b.late) return (late, 0);
        b.late = true;
        burnt = Books.burn(s, id, s.vault.bonded(id, s.jobs[id].owner) / Bounds.LATE_PART);
    }

    /// Pays the challenger's bond to who holds the claim, or gives it back where the proof is late.
    function answer(Store storage s, bytes32 id, uint256 index, uint256 holder, bool late) private {
        address by = s.challenges[id][index].by;
        address to = late ? by : holder == 0 ? s.jobs[id].owner : s.seats[id][holder].owner;
        delete s.challenges[id][index];
        bytes32 bond = Books.challengeBond(id, index);
        uint256 amount = s.terms[id].price.challengeBond;
        emit IMarketEvents.Answered(id, index, to);
        if (late) s.vault.release(bond, by, amount);
        else s.vault.take(bond, by, to, amount);
    }

    /// The latest time of the batch's challenges that are not answered, or zero. The queue may have become shorter since, because batches
    /// were settled.
    function lastOpen(Store storage s, bytes32 id, uint256 from, Batch storage b) private view returns (uint256 until) {
        for (uint64 open = b.challenged & ~b.proven; open != 0; open >>= 1) {
            if (open & 1 == 1) until = Cut.most(until, s.challenges[id][from].until);
            ++from;
        }
    }

    /// Who challenged the claim whose time was over first, of those that are not proven: a friend of the lead that challenges behind an
    /// honest challenger, a lower claim or not, gets nothing. Nobody where one that was drawn is not proven. Else the claim that failed
    /// was challenged, so that the second period of the first one is over as well.
    function bounty(Store storage s, bytes32 id, uint256 from, Batch storage b) private view returns (address by) {
        if (b.drawn & ~b.proven != 0) return address(0);
        uint256 first = type(uint256).max;
        for (uint64 open = b.challenged & ~b.proven; open != 0; open >>= 1) {
            Challenge storage c = s.challenges[id][from++];
            if (open & 1 == 1 && c.until < first) (first, by) = (c.until, c.by);
        }
    }
}
