// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Challenges} from "./Challenges.sol";
import {Delivery} from "./Delivery.sol";
import {Guards} from "./Guards.sol";
import {Sampling} from "./Sampling.sol";
import {Typed} from "./Typed.sol";
import {Assurance, Attestation, Bill, Committee, Job, Side, State, Store, Task, Votes} from "./Types.sol";

/// @title The committee's word: counted, paid, and held against a member that contradicts itself.
library Attesting {
    bytes32 internal constant NO = 0;
    bytes32 internal constant YES = bytes32(uint256(1));

    /// @notice Counts a member's signed vote. Anyone may bring it; the fee goes to the member.
    function attest(Store storage s, Attestation memory a, uint256 place, bytes calldata signature, bytes32 domain)
        external
    {
        a.subject = subjectOf(s, a);
        address[] storage members = s.terms[a.job].committee.members;
        if (place >= members.length) revert IMarketErrors.NotMember(place);
        Guards.word(members[place], domain, Typed.attestation(a), signature);
        // Who had itself reported while it had no stake would be beyond reach otherwise.
        notReported(s, a, members[place]);
        if (count(s, a, place, members[place]) == s.terms[a.job].committee.threshold) act(s, a);
    }

    /// @notice Takes the stake of a member that signed two answers to one question: a tenth goes to the caller, the rest to
    /// nobody.
    function contradict(
        Store storage s,
        Attestation calldata a,
        bytes32 other,
        address validator,
        bytes calldata signature,
        bytes calldata otherSignature,
        bytes32 domain
    ) external {
        if (a.verdict == other) revert IMarketErrors.NoContradiction();
        if (!Guards.isIn(s.terms[a.job].committee.members, validator)) revert IMarketErrors.NotValidator(validator);
        Attestation memory b = a;
        Guards.word(validator, domain, Typed.attestation(b), signature);
        b.verdict = other;
        Guards.word(validator, domain, Typed.attestation(b), otherSignature);
        punish(s, b, validator);
    }

    /// @notice What a task is about now; refuses a task that is not open, or a verdict that it does not know.
    function subjectOf(Store storage s, Attestation memory a) internal view returns (bytes32) {
        Job storage job = s.jobs[a.job];
        if (a.task == Task.Opening) {
            Guards.inState(s, a.job, State.Running);
            Challenges.canOpen(s, a.job, a.index);
            if (a.verdict != YES) revert IMarketErrors.BadVerdict(a.verdict);
            return s.claims[a.job][a.index].last;
        }
        if (a.task == Task.Divergence) {
            Guards.inState(s, a.job, State.Running);
            Guards.notAfter(job.deadline);
            // After a divergence every segment is claimed.
            if (a.index != job.claimed || job.claimed == job.total) revert IMarketErrors.NotPending(a.index);
            if (uint256(a.verdict) >> 64 != 0) revert IMarketErrors.BadVerdict(a.verdict);
            return job.claimed == job.settled ? job.current : s.claims[a.job][job.claimed - 1].last;
        }
        if (a.index != 0) revert IMarketErrors.NotPending(a.index);
        if (a.task == Task.Fetchable) {
            Guards.inState(s, a.job, State.Delivering);
            Guards.notAfter(job.deadline);
            if (!job.delivered) revert IMarketErrors.NothingDelivered();
            if (a.verdict != YES) revert IMarketErrors.BadVerdict(a.verdict);
            return job.delivery;
        }
        Guards.inState(s, a.job, State.Disputed);
        Guards.notAfter(job.deadline);
        if (a.verdict != YES && a.verdict != NO) revert IMarketErrors.BadVerdict(a.verdict);
        return job.current;
    }

    function punish(Store storage s, Attestation memory a, address validator) private {
        notReported(s, a, validator);
        s.contradicted[question(a)][validator] = true;
        uint256 stake = s.terms[a.job].committee.stake;
        uint256 taken = s.vault.takeStake(validator, stake, msg.sender);
        emit IMarketEvents.Contradicted(a.job, validator, msg.sender, a.task, a.index, a.subject, taken);
    }

    function notReported(Store storage s, Attestation memory a, address validator) private view {
        if (s.contradicted[question(a)][validator]) revert IMarketErrors.AlreadyReported(validator);
    }

    /// Name of what is asked.
    function question(Attestation memory a) private pure returns (bytes32) {
        return keccak256(abi.encode(a.job, a.task, a.index, a.subject));
    }

    function count(Store storage s, Attestation memory a, uint256 place, address validator)
        private
        returns (uint8 sameVerdict)
    {
        uint256 needed = s.terms[a.job].committee.stake;
        uint256 stake = s.vault.free(validator);
        if (stake < needed) revert IMarketErrors.StakeBehindWord(validator, stake, needed);
        if (needed > 0) s.vault.back(validator, needed);
        Votes storage votes = s.votes[question(a)];
        if (block.timestamp > votes.until) {
            votes.until = uint40(block.timestamp + Bounds.COUNT_SECS);
            votes.before |= votes.voted;
            votes.voted = 0;
        }
        // A place is below 16.
        uint16 bit = uint16(1 << place);
        if (votes.voted & bit != 0) revert IMarketErrors.AlreadyVoted(validator);
        // Nobody else binds a member's stake anew with what it said once.
        if (votes.before & bit != 0 && msg.sender != validator) revert IMarketErrors.OldWord(validator);
        votes.voted |= bit;
        Side storage side = votes.sides[votes.until][a.verdict];
        side.members |= bit;
        sameVerdict = ++side.count;
        uint256 fee = hasOneVerdict(a.task) ? payFirst(s, a, bit, validator) : 0;
        emit IMarketEvents.Attested(a.job, validator, a.task, a.index, a.subject, a.verdict, votes.until, fee);
    }

    /// Whether all that can be said is yes: then the word is worth its fee when it is given. Where members can differ, those whose
    /// word stands are paid, because nothing tells who is right before.
    function hasOneVerdict(Task task) private pure returns (bool) {
        return task == Task.Opening || task == Task.Fetchable;
    }

    /// Pays for a task with one verdict: its first `threshold` voters, each once, however often the question changes. That much is
    /// escrowed.
    function payFirst(Store storage s, Attestation memory a, uint16 bit, address validator)
        private
        returns (uint128 fee)
    {
        Bill storage bill = s.bills[keccak256(abi.encode(a.job, a.task, a.index))];
        if (bill.paid == s.terms[a.job].committee.threshold || bill.members & bit != 0) return 0;
        bill.paid += 1;
        bill.members |= bit;
        fee = s.terms[a.job].committee.fee;
        payFee(s, a.job, validator, fee);
    }

    /// Pays the members whose verdict stands: they are exactly `threshold`, and each of these tasks ends with it. That much is
    /// escrowed.
    function payVerdict(Store storage s, Attestation memory a) private {
        Committee storage committee = s.terms[a.job].committee;
        Votes storage votes = s.votes[question(a)];
        uint256 members = votes.sides[votes.until][a.verdict].members;
        uint128 fee = committee.fee;
        emit IMarketEvents.Decided(a.job, a.task, a.index, a.subject, a.verdict, fee);
        for (uint256 i = 0; i < committee.members.length; ++i) {
            if (members >> i & 1 == 1) payFee(s, a.job, committee.members[i], fee);
        }
    }

    function payFee(Store storage s, bytes32 id, address validator, uint128 fee) private {
        Job storage job = s.jobs[id];
        job.fees -= fee;
        job.escrow -= fee;
        Books.credit(s, id, validator, fee);
    }

    function act(Store storage s, Attestation memory a) private {
        if (a.task == Task.Fetchable) return Delivery.fetchable(s, a.job);
        if (a.task == Task.Opening) {
            // The requester may have come first; the word was worth its fee.
            if (s.claims[a.job][a.index].windowUntil == 0) Challenges.startWindow(s, a.job, a.index);
            return;
        }
        payVerdict(s, a);
        if (a.task == Task.Divergence) diverge(s, a);
        else if (a.verdict == YES) Books.end(s, a.job, State.Completed, 0);
        else Books.end(s, a.job, State.Withheld, 0);
    }

    /// The job becomes as long as what is claimed, which is checked and paid as ever.
    function diverge(Store storage s, Attestation memory a) private {
        Job storage job = s.jobs[a.job];
        job.diverged = true;
        job.total = job.claimed;
        uint256 verdict = uint256(a.verdict);
        emit IMarketEvents.DivergenceConfirmed(a.job, job.total, verdict >> 32, verdict & type(uint32).max);
        if (job.settled < job.total && s.terms[a.job].checks.level == Assurance.Sampled) Sampling.close(s, a.job);
        else Books.goOn(s, a.job);
    }
}
