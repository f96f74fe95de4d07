// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Attestation, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice What counts as a member's word, and what a false one costs.
contract CommitteeTest is Scene {
    function attest(bytes32 id, Task task, uint32 index, bytes32 verdict, uint256 place, bytes memory signature)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(market.attest, (id, task, index, verdict, place, signature));
    }

    function test_a_vote_binds_job_task_index_subject_and_verdict() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 2);
        Attestation memory a = Attestation(id, Task.Opening, 0, lastOf(0), YES);
        bytes memory bad = why(IMarketErrors.BadSignature.selector, validators[0]);
        Attestation memory other = a;
        other = Attestation(keccak256("job"), Task.Opening, 0, lastOf(0), YES);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(other, 0)), bad);
        other = Attestation(id, Task.Decision, 0, lastOf(0), YES);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(other, 0)), bad);
        other = Attestation(id, Task.Opening, 1, lastOf(0), YES);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(other, 0)), bad);
        other = Attestation(id, Task.Opening, 0, lastOf(1), YES);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(other, 0)), bad);
        other = Attestation(id, Task.Opening, 0, lastOf(0), NO);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(other, 0)), bad);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, wordSignature(a, 1)), bad);
        refuses(
            stranger,
            attest(id, Task.Opening, 0, YES, 3, wordSignature(a, 0)),
            why(IMarketErrors.NotMember.selector, uint256(3))
        );
        vote(id, Task.Opening, 0, YES, 0);
    }

    function test_a_word_needs_stake_behind_it() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 1);
        vm.prank(validators[0]);
        vault.startExit(10_000e18 - WORD + 1);
        bytes memory signature = voteSignature(id, Task.Opening, 0, YES, 0);
        refuses(
            stranger,
            attest(id, Task.Opening, 0, YES, 0, signature),
            abi.encodeWithSelector(IMarketErrors.StakeBehindWord.selector, validators[0], WORD - 1, WORD)
        );
        stake(validators[0], 1);
        vote(id, Task.Opening, 0, YES, 0);
    }

    function test_each_task_knows_its_verdicts_and_indices() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 1);
        refuses(stranger, attest(id, Task.Opening, 0, NO, 0, ""), why(IMarketErrors.BadVerdict.selector, uint256(0)));
        bytes memory late_ = why(IMarketErrors.NotPending.selector, uint256(2));
        refuses(stranger, attest(id, Task.Divergence, 2, YES, 0, ""), late_);
        uint256 wide = uint256(1) << 64;
        refuses(
            stranger, attest(id, Task.Divergence, 1, bytes32(wide), 0, ""), why(IMarketErrors.BadVerdict.selector, wide)
        );
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        bytes memory tooLate = why(IMarketErrors.TooLate.selector, until);
        refuses(stranger, attest(id, Task.Divergence, 1, YES, 0, ""), tooLate);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, ""), tooLate);

        id = delivering();
        refuses(stranger, attest(id, Task.Fetchable, 0, YES, 0, ""), why(IMarketErrors.NothingDelivered.selector));
        deliver(id);
        refuses(stranger, attest(id, Task.Fetchable, 0, NO, 0, ""), why(IMarketErrors.BadVerdict.selector, uint256(0)));
        bytes memory first = why(IMarketErrors.NotPending.selector, uint256(1));
        refuses(stranger, attest(id, Task.Fetchable, 1, YES, 0, ""), first);
        until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(stranger, attest(id, Task.Fetchable, 0, YES, 0, ""), why(IMarketErrors.TooLate.selector, until));

        id = disputed();
        refuses(
            stranger,
            attest(id, Task.Decision, 0, bytes32(uint256(2)), 0, ""),
            why(IMarketErrors.BadVerdict.selector, uint256(2))
        );
        refuses(stranger, attest(id, Task.Decision, 1, YES, 0, ""), first);
        until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(stranger, attest(id, Task.Decision, 0, YES, 0, ""), why(IMarketErrors.TooLate.selector, until));
    }

    function test_divergence_is_of_the_next_segment() public {
        Terms memory t = terms(Assurance.Optimistic);
        t.training.segments = 2;
        bytes32 id = running(t);
        claim(id, 0, 2);
        // All are claimed: there is no next one.
        bytes memory none = why(IMarketErrors.NotPending.selector, uint256(2));
        refuses(stranger, attest(id, Task.Divergence, 2, YES, 0, ""), none);
    }

    /// One member cannot use up what is meant for the others, by asking ever new questions.
    function test_a_task_pays_a_member_once() public {
        Terms memory t = terms(Assurance.Proven);
        bytes32 id = running(t);
        eq(market.jobOf(id).fees, 6 * FEE, "two votes for each of three tasks");
        for (uint32 i = 0; i < SEGMENTS; ++i) {
            vote(id, Task.Divergence, i, YES, 0);
            prove(id, i);
        }
        eq(market.owed(validators[0]), FEE, "once");
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(provider);
            market.deliver(id, bytes32(i));
            vote(id, Task.Fetchable, 0, YES, 0);
        }
        eq(market.owed(validators[0]), 2 * FEE, "once a task");
        vote(id, Task.Fetchable, 0, YES, 1);
        vm.prank(requester);
        market.complain(id);
        agree(id, Task.Decision, 0, YES);
        eq(market.owed(validators[1]), FEE, "the others are paid");
        eq(market.owed(validators[2]), FEE, "as agreed");
        eq(market.owed(requester), 1 * FEE, "what nobody earned goes back");
        eq(market.jobOf(id).earned, SEGMENTS * PRICE, "the provider's part is untouched");
        solvent();
    }

    /// Opening, divergence, fetchability: not more than `threshold` votes of a task are paid.
    function test_a_task_pays_threshold_votes() public {
        bytes32 id = delivering();
        deliver(id);
        vote(id, Task.Fetchable, 0, YES, 0);
        vm.prank(provider);
        market.deliver(id, keccak256("again"));
        vote(id, Task.Fetchable, 0, YES, 1);
        vote(id, Task.Fetchable, 0, YES, 2);
        inState(id, State.Handed);
        eq(market.owed(validators[0]), FEE, "first");
        eq(market.owed(validators[1]), FEE, "second");
        eq(market.owed(validators[2]), 0, "not a third");
        solvent();
    }

    // Contradictions.

    function test_two_answers_to_one_question_cost_stake() public {
        bytes32 id = disputed();
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory yesSigned = wordSignature(a, 1);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 1);
        a.verdict = YES;
        bytes memory call = abi.encodeCall(market.contradict, (a, NO, validators[1], yesSigned, noSigned));
        uint256 free = vault.free(validators[1]);
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        yes(done, "taken");
        eq(vault.free(validators[1]), free - WORD, "stake");
        eq(vault.owed(stranger), WORD / 4, "reporter");
        eq(vault.owed(requester), WORD / 4, "requester");
        eq(vault.owed(BURNT), WORD / 2, "burnt");
        refuses(stranger, call, why(IMarketErrors.AlreadyReported.selector, validators[1]));
        solvent();
    }

    function test_stake_that_is_leaving_is_still_taken() public {
        bytes32 id = disputed();
        vote(id, Task.Decision, 0, YES, 1);
        vm.prank(validators[1]);
        vault.startExit(10_000e18 - 100e18);
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory yesSigned = wordSignature(a, 1);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 1);
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs() - 1);
        refusesAt(
            address(vault),
            validators[1],
            abi.encodeCall(vault.finishExits, (validators[1])),
            abi.encodeWithSignature("NothingOwed(address)", validators[1])
        );
        market.contradict(a, YES, validators[1], noSigned, yesSigned);
        eq(vault.free(validators[1]), 0, "free first");
        eq(vault.leaving(validators[1]), 10_000e18 - WORD, "then what is leaving");
        solvent();
    }

    function test_what_is_no_contradiction() public {
        bytes32 id = disputed();
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory signed = wordSignature(a, 1);
        refuses(
            stranger,
            abi.encodeCall(market.contradict, (a, YES, validators[1], signed, signed)),
            why(IMarketErrors.NoContradiction.selector)
        );
        bytes memory bad = why(IMarketErrors.BadSignature.selector, validators[1]);
        refuses(stranger, abi.encodeCall(market.contradict, (a, NO, validators[1], signed, signed)), bad);
        Attestation memory b = Attestation(id, Task.Decision, 0, lastOf(0), NO);
        bytes memory otherSubject = wordSignature(b, 1);
        refuses(stranger, abi.encodeCall(market.contradict, (a, NO, validators[1], signed, otherSubject)), bad);
        a.verdict = NO;
        refuses(stranger, abi.encodeCall(market.contradict, (a, YES, validators[1], signed, signed)), bad);
        refuses(
            stranger,
            abi.encodeCall(market.contradict, (a, YES, stranger, signed, signed)),
            why(IMarketErrors.NotValidator.selector, stranger)
        );
    }

    /// Stake that a word needs cannot leave through a bond: a member that locks it for a puppet, and loses the bond to another
    /// puppet, would have it back at once.
    function test_stake_behind_a_word_is_no_bond() public {
        bytes32 id = disputed();
        vote(id, Task.Decision, 0, YES, 1);
        address member = validators[1];
        eq(vault.backing(member), WORD, "behind the word");
        Terms memory t = terms(Assurance.Optimistic);
        t.price.challengeBond = uint128(vault.free(member));
        bytes32 puppet = running(t);
        claim(puppet, 0, 1);
        confirm(puppet, 0);
        bytes memory call = abi.encodeCall(market.challenge, (puppet, 0));
        uint256 free = vault.free(member);
        bytes memory small = abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, member, free - WORD, free);
        refuses(member, call, small);
        // What is over it may be locked, and all of it when no window can be open any more.
        t.price.challengeBond = uint128(free - WORD);
        puppet = running(t);
        claim(puppet, 0, 1);
        confirm(puppet, 0);
        vm.prank(member);
        market.challenge(puppet, 0);
        prove(puppet, 0);
        eq(vault.free(member), WORD, "stays");
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs() - 1);
        eq(vault.backing(member), WORD, "to the last second");
        vm.warp(vm.getBlockTimestamp() + 1);
        eq(vault.backing(member), 0, "free again");
        solvent();
    }

    /// A later word needs no more than the larger of the two, for its own time.
    function test_words_share_the_stake_behind_them() public {
        Terms memory t = terms(Assurance.Proven);
        t.committee.stake = WORD / 2;
        bytes32 id = running(t);
        vote(id, Task.Divergence, 0, YES, 1);
        eq(vault.backing(validators[1]), WORD / 2, "the first");
        vote(running(Assurance.Proven), Task.Divergence, 0, YES, 1);
        eq(vault.backing(validators[1]), WORD, "the larger");
        prove(id, 0);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        vote(id, Task.Divergence, 1, YES, 1);
        eq(vault.backing(validators[1]), WORD, "not less");
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs() - 1);
        eq(vault.backing(validators[1]), WORD, "for the last word's time");
        t.committee.stake = 0;
        vm.warp(vm.getBlockTimestamp() + 1);
        vote(running(t), Task.Divergence, 0, YES, 1);
        eq(vault.backing(validators[1]), 0, "nothing behind a word that needs none");
    }
}
