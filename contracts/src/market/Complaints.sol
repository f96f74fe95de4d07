// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Cut} from "./Cut.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Leaving} from "./Leaving.sol";
import {BURNT} from "./Token.sol";
import {Typed} from "./Typed.sol";
import {Attestation, Batch, Complaint, Job, State, Store, Terms, Verdict} from "./Types.sol";

/// @title Whether the weights of a batch were handed over: the requester's word, its complaint, and the committee's decision.
/// @dev A complaint costs pay, not bonds: what is due in its batch stays due.
library Complaints {
    /// @notice The requester has the weights: the batch is paid as soon as what is due is proven, and nothing of it can be challenged
    /// any more. Of an open complaint it takes its bond back, less the fees of members that gave their word, and less a member's share
    /// of it at least: a complaint that only delays the pay is not free.
    function acknowledge(Store storage s, bytes32 id, uint256 batch, bytes32 last, bytes32 root) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asRequester(s, job);
        Batch storage b = named(s, id, batch, last, root);
        if (b.acknowledged || Cut.isRefused(s, id, batch)) revert IMarketErrors.NotWaiting(batch);
        b.acknowledged = true;
        emit IMarketEvents.Acknowledged(id, batch, root);
        Complaint storage c = s.complaints[id][batch];
        if (c.verdict == Verdict.Pending) {
            payFromBond(s, id, batch, c.yes | c.no);
            burnShare(s, id, batch, Cut.bits(c.yes | c.no));
            bondTo(s, id, batch, job.requester);
            close(s, id, batch, Verdict.Yes);
        }
        Books.settleIfReady(s, id, batch);
    }

    /// @notice The requester says that nothing it was named opens to `last`.
    function complain(Store storage s, bytes32 id, uint256 batch, bytes32 last, bytes32 root) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asRequester(s, job);
        Batch storage b = named(s, id, batch, last, root);
        Complaint storage c = s.complaints[id][batch];
        if (s.terms[id].committee.threshold == 0 || c.verdict != Verdict.None) revert IMarketErrors.NoComplaint();
        if (b.acknowledged) revert IMarketErrors.NotWaiting(batch);
        Guards.notAfter(uint256(b.closedAt) + s.terms[id].times.complainSecs);
        job.complaints += 1;
        (c.verdict, c.since) = (Verdict.Pending, uint40(block.timestamp));
        c.until = uint40(block.timestamp + s.terms[id].times.decideSecs);
        emit IMarketEvents.Complained(id, batch, c.until);
        s.vault.lock(Books.complaintBond(id, batch), job.requester, s.terms[id].price.complaintBond);
    }

    /// @notice The lead (seat 0) or a member names a root that serves, once, in the first half of the time. The first of them gives the
    /// committee its whole time anew. A member that quit may still have pay to defend.
    function addRoot(Store storage s, bytes32 id, uint256 batch, bytes32 root, uint256 seat) external {
        Guards.inState(s, id, State.Running);
        if (seat == 0) Guards.asProvider(s, s.jobs[id]);
        else Guards.asSeat(s, id, seat);
        Complaint storage c = pending(s, id, batch);
        uint256 secs = s.terms[id].times.decideSecs;
        Guards.notAfter(c.since + secs / 2);
        // At most 15.
        uint16 bit = uint16(1 << seat);
        if (c.adders & bit != 0) revert IMarketErrors.AlreadyAdded(seat);
        c.adders |= bit;
        s.roots[id][batch][root] = true;
        if (!c.added) {
            c.added = true;
            c.until = uint40(block.timestamp + secs);
        }
        emit IMarketEvents.RootAdded(id, batch, seat, root, c.until);
    }

    /// @notice Counts a member's signed word. Anyone may bring it, in the second half of the time: nobody decides before the team could
    /// answer.
    function attest(
        Store storage s,
        bytes32 id,
        uint256 batch,
        bool yes,
        uint256 place,
        bytes calldata signature,
        bytes32 domain
    ) external {
        Guards.inState(s, id, State.Running);
        Complaint storage c = pending(s, id, batch);
        Guards.notAfter(c.until);
        Guards.onlyAfter(c.until - s.terms[id].times.decideSecs / 2);
        address member = backing(s, id, place);
        // Below 4096.
        Attestation memory a = Attestation(id, uint32(batch), Cut.lastOf(s, id, batch), yes);
        Guards.word(s.keys[id][place], domain, Typed.attestation(a), signature);
        // Below 16.
        uint16 bit = uint16(1 << place);
        if ((c.yes | c.no) & bit != 0) revert IMarketErrors.AlreadyVoted(member);
        if (yes) c.yes |= bit;
        else c.no |= bit;
        emit IMarketEvents.Attested(id, batch, member, a.last, yes, signature);
        if (Cut.bits(yes ? c.yes : c.no) == s.terms[id].committee.threshold) decide(s, id, batch, yes);
    }

    /// @notice Ends a complaint that nobody decided in time: its batch's pay and its bond are burnt.
    function lapse(Store storage s, bytes32 id, uint256 batch) external {
        Guards.inState(s, id, State.Running);
        Guards.onlyAfter(pending(s, id, batch).until);
        bondTo(s, id, batch, BURNT);
        close(s, id, batch, Verdict.Nothing);
        Leaving.shorten(s, id, 0);
    }

    /// @notice Frees the bond of a complaint whose batch became void before it was decided.
    function reclaim(Store storage s, bytes32 id, uint256 batch) external {
        (uint256 from,) = Cut.span(s, id, batch);
        Complaint storage c = s.complaints[id][batch];
        if (c.verdict != Verdict.Pending || from < s.jobs[id].total) revert IMarketErrors.NotWaiting(batch);
        c.verdict = Verdict.None;
        emit IMarketEvents.Decided(id, batch, Verdict.None, 0);
        bondTo(s, id, batch, s.jobs[id].requester);
    }

    /// @notice Takes the stake of a member that signed both answers to one question, with the key of its words or of its account: a
    /// tenth goes to the caller, the rest to nobody.
    function contradict(
        Store storage s,
        bytes32 id,
        uint32 batch,
        bytes32 last,
        uint256 place,
        bytes calldata yes,
        bytes calldata no,
        bytes32 domain
    ) external {
        address member = backing(s, id, place);
        said(s, Attestation(id, batch, last, true), place, member, yes, domain);
        said(s, Attestation(id, batch, last, false), place, member, no, domain);
        // Below 16.
        s.backed[id] &= ~uint16(1 << place);
        uint256 stake = s.terms[id].committee.stake;
        emit IMarketEvents.Contradicted(id, member, msg.sender, batch, last, stake);
        s.vault.unback(member, stake);
        s.vault.takeStake(member, stake, msg.sender);
    }

    /// @notice Frees the stake of the committee: at once where the job never started, else when contradictions had their time.
    function unback(Store storage s, bytes32 id) external {
        Job storage job = s.jobs[id];
        uint16 places = s.backed[id];
        if (job.state < State.Cancelled || places == 0) revert IMarketErrors.WrongState(id, job.state);
        if (job.state != State.Cancelled) Guards.onlyAfter(uint256(job.endedAt) + Bounds.UNBONDING_SECS);
        s.backed[id] = 0;
        emit IMarketEvents.Unbacked(id);
        address[] storage members = s.terms[id].committee.members;
        uint256 stake = s.terms[id].committee.stake;
        for (uint256 i = 0; i < members.length; ++i) {
            if (places >> i & 1 == 1) s.vault.unback(members[i], stake);
        }
    }

    /// The record of a batch that waits, if the caller means this one.
    function named(Store storage s, bytes32 id, uint256 batch, bytes32 last, bytes32 root)
        private
        view
        returns (Batch storage b)
    {
        b = Cut.waiting(s, id, batch);
        bytes32 end = Cut.lastOf(s, id, batch);
        if (end != last) revert IMarketErrors.WrongLast(end, last);
        if (root != b.root && !s.roots[id][batch][root]) revert IMarketErrors.WrongRoot(root);
    }

    function pending(Store storage s, bytes32 id, uint256 batch) private view returns (Complaint storage c) {
        Cut.waiting(s, id, batch);
        c = s.complaints[id][batch];
        if (c.verdict != Verdict.Pending) revert IMarketErrors.NotWaiting(batch);
    }

    /// The member at a place, whose stake backs the job.
    function backing(Store storage s, bytes32 id, uint256 place) private view returns (address) {
        if (s.backed[id] >> place & 1 == 0) revert IMarketErrors.NoPlace(place);
        return s.terms[id].committee.members[place];
    }

    function said(
        Store storage s,
        Attestation memory a,
        uint256 place,
        address member,
        bytes calldata signature,
        bytes32 domain
    ) private view {
        bytes32 what = Typed.attestation(a);
        if (!Guards.isWord(member, domain, what, signature)) {
            Guards.word(s.keys[a.job][place], domain, what, signature);
        }
    }

    function decide(Store storage s, bytes32 id, uint256 batch, bool yes) private {
        Complaint storage c = s.complaints[id][batch];
        if (yes) {
            payFromBond(s, id, batch, c.yes);
            bondTo(s, id, batch, BURNT);
            return close(s, id, batch, Verdict.Yes);
        }
        payFromBatch(s, id, batch, c);
        bondTo(s, id, batch, s.jobs[id].requester);
        close(s, id, batch, Verdict.No);
        Leaving.shorten(s, id, 0);
    }

    function close(Store storage s, bytes32 id, uint256 batch, Verdict verdict) private {
        Job storage job = s.jobs[id];
        Complaint storage c = s.complaints[id][batch];
        c.verdict = verdict;
        job.complaints -= 1;
        job.progressAt = uint40(block.timestamp);
        emit IMarketEvents.Decided(id, batch, verdict, c.fees);
    }

    /// Pays a fee each from the complaint's bond, which is enough for all members.
    function payFromBond(Store storage s, bytes32 id, uint256 batch, uint16 places) private {
        address[] storage members = s.terms[id].committee.members;
        uint256 fee = s.terms[id].committee.fee;
        bytes32 bond = Books.complaintBond(id, batch);
        for (uint256 i = 0; i < members.length; ++i) {
            if (places >> i & 1 == 1) s.vault.take(bond, s.jobs[id].requester, members[i], fee);
        }
    }

    /// Burns of the complaint's bond what the fees of these words are less than a member's share of it, which is a fee at least.
    function burnShare(Store storage s, bytes32 id, uint256 batch, uint256 words) private {
        Terms storage terms = s.terms[id];
        uint256 share = terms.price.complaintBond / terms.committee.members.length;
        uint256 fees = Cut.least(share, words * terms.committee.fee);
        s.vault.take(Books.complaintBond(id, batch), s.jobs[id].requester, BURNT, share - fees);
    }

    /// Pays a fee each from the price of the batch, and from the complaint's bond what is missing there.
    function payFromBatch(Store storage s, bytes32 id, uint256 batch, Complaint storage c) private {
        Job storage job = s.jobs[id];
        address[] storage members = s.terms[id].committee.members;
        uint128 fee = s.terms[id].committee.fee;
        (uint256 from, uint256 end) = Cut.span(s, id, batch);
        uint256 left = (end - from) * job.price;
        for (uint256 i = 0; i < members.length; ++i) {
            if (c.no >> i & 1 == 0) continue;
            if (left < fee) {
                s.vault.take(Books.complaintBond(id, batch), job.requester, members[i], fee);
                continue;
            }
            left -= fee;
            c.fees += fee;
            job.escrow -= fee;
            Books.credit(s, id, members[i], fee);
        }
    }

    /// Ends what is left of the complaint's bond: burnt, or the requester's again.
    function bondTo(Store storage s, bytes32 id, uint256 batch, address to) private {
        address requester = s.jobs[id].requester;
        bytes32 bond = Books.complaintBond(id, batch);
        uint256 left = s.vault.bonded(bond, requester);
        if (to == BURNT) s.vault.take(bond, requester, BURNT, left);
        else s.vault.release(bond, requester, left);
    }
}
