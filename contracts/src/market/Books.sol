// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bounds} from "./Bounds.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {BURNT} from "./Token.sol";
import {Batch, Batches, Complaint, Job, Seat, State, Store, Times, Verdict} from "./Types.sol";

/// @title Who gets what: payment of batches, and the ends of a job.
library Books {
    /// @notice Settles the next batch, if it may be paid: its draw is made, what is due is proven, no complaint is open, and the
    /// requester acknowledged it or the times to complain and to challenge are over.
    function settle(Store storage s, bytes32 id) external {
        Guards.inState(s, id, State.Running);
        if (s.jobs[id].settled == s.jobs[id].closed) revert IMarketErrors.NothingToSettle();
        (uint256 batch,) = Cut.place(s, id, s.jobs[id].settled);
        Batch storage b = s.batches[id][batch];
        if (!b.known) revert IMarketErrors.NotDrawn(batch);
        uint64 due = Cut.due(b);
        if (due != 0) revert IMarketErrors.NotProven(due);
        if (s.complaints[id][batch].verdict == Verdict.Pending) revert IMarketErrors.ComplaintOpen();
        if (!b.acknowledged) Guards.onlyAfter(paidAfter(s, id, b));
        pay(s, id, batch);
    }

    /// @notice Settles the next batch if it was acknowledged and nothing is missing.
    function settleIfReady(Store storage s, bytes32 id, uint256 batch) internal {
        (uint256 from,) = Cut.span(s, id, batch);
        Batch storage b = s.batches[id][batch];
        if (from == s.jobs[id].settled && b.acknowledged && b.known && Cut.due(b) == 0) pay(s, id, batch);
    }

    /// @notice Until when a batch can be complained about, or challenged.
    function paidAfter(Store storage s, bytes32 id, Batch storage b) internal view returns (uint256) {
        return Cut.most(uint256(b.closedAt) + s.terms[id].times.complainSecs, b.windowUntil);
    }

    /// @notice Lets an account withdraw more.
    function credit(Store storage s, bytes32 id, address account, uint256 amount) internal {
        if (amount == 0) return;
        s.owed[account] += amount;
        emit IMarketEvents.Owed(id, account, amount);
    }

    /// @notice Ends the job if nothing is left to settle.
    function finish(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        if (job.settled < job.total) return;
        if (job.failed) end(s, id, State.Slashed);
        else if (job.left) end(s, id, State.Left);
        else if (job.stopped) end(s, id, State.Stopped);
        else end(s, id, State.Completed);
    }

    /// @notice Ends a job: the rest of its escrow goes to the requester. A failed batch takes what is left of the lead's bond; else it
    /// is free again.
    function end(Store storage s, bytes32 id, State state) internal {
        Job storage job = s.jobs[id];
        uint256 refund = job.escrow;
        job.state = state;
        job.deadline = 0;
        job.endedAt = uint40(block.timestamp);
        job.escrow = 0;
        emit IMarketEvents.Ended(id, state, refund);
        credit(s, id, job.requester, refund);
        address owner = job.owner;
        if (owner != address(0)) {
            if (state == State.Slashed) slash(s, id, owner);
            s.vault.release(id, owner, s.vault.bonded(id, owner));
            s.nodes.record(owner, uint8(state), job.paid, job.requester);
        }
        s.nodes.record(job.requester, uint8(state) | 0x80, job.paid, owner);
    }

    /// @notice Burns a part of the lead's bond, or what is left of it.
    function burn(Store storage s, bytes32 id, uint256 amount) internal returns (uint256) {
        address owner = s.jobs[id].owner;
        amount = Cut.least(amount, s.vault.bonded(id, owner));
        s.vault.take(id, owner, BURNT, amount);
        return amount;
    }

    /// @notice Name of a seat's bond in the vault.
    function seatBond(bytes32 id, uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("seat", id, number));
    }

    /// @notice Name of a challenger's bond.
    function challengeBond(bytes32 id, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("challenge", id, index));
    }

    /// @notice Name of the bond of a complaint.
    function complaintBond(bytes32 id, uint256 batch) internal pure returns (bytes32) {
        return keccak256(abi.encode("complaint", id, batch));
    }

    function slash(Store storage s, bytes32 id, address owner) private {
        uint256 bond = s.vault.bonded(id, owner);
        address to = s.jobs[id].failedTo;
        // Of a batch's price at most: a lead that fails an honest batch for the bounty of a friend loses more.
        uint256 most = uint256(s.terms[id].batches.deliverEvery) * s.jobs[id].price;
        uint256 bounty = to == address(0) ? 0 : Cut.least(bond, most) / Bounds.BOUNTY_PART;
        s.vault.take(id, owner, to, bounty);
        s.vault.take(id, owner, BURNT, bond - bounty);
    }

    function pay(Store storage s, bytes32 id, uint256 batch) private {
        Job storage job = s.jobs[id];
        (uint256 from, uint256 until) = Cut.span(s, id, batch);
        uint256 n = until - from;
        Complaint storage c = s.complaints[id][batch];
        Verdict verdict = c.verdict;
        uint256 amount = n * job.price;
        uint256 royalty = 0;
        if (verdict > Verdict.Yes) {
            // What members were paid from it is gone already.
            amount -= c.fees;
        } else {
            royalty = n * job.royalty;
            job.paid += uint128(amount);
            job.current = Cut.lastOf(s, id, batch);
        }
        if (!Cut.hasRoom(job, s.terms[id].batches)) job.progressAt = uint40(block.timestamp);
        // Below `total`, and below the escrow, which covers every segment.
        job.settled = uint16(until);
        job.escrow -= uint128(amount);
        emit IMarketEvents.Settled(id, batch, verdict, amount, royalty);
        if (verdict == Verdict.No) credit(s, id, job.requester, amount);
        else if (verdict == Verdict.Nothing) credit(s, id, BURNT, amount);
        else payTeam(s, id, batch, amount - royalty, royalty);
        finish(s, id);
    }

    /// Pays royalty, members for what they proved, and the lead the rest.
    function payTeam(Store storage s, bytes32 id, uint256 batch, uint256 net, uint256 royalty) private {
        Job storage job = s.jobs[id];
        credit(s, id, job.royaltyTo, royalty);
        uint256 holders = s.batches[id][batch].holders;
        uint256[16] memory proofs;
        for (; holders != 0; holders >>= 4) {
            ++proofs[holders & 15];
        }
        for (uint256 number = 1; number <= job.seats; ++number) {
            if (proofs[number] == 0) continue;
            Seat storage seat = s.seats[id][number];
            uint256 part = proofs[number] * seat.pay;
            net -= part;
            credit(s, id, seat.owner, part);
        }
        credit(s, id, job.owner, net);
    }
}
