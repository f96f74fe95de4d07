// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
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

    function test_fees_stay_within_the_escrowed_sum() public {
        Terms memory t = terms(Assurance.Proven);
        bytes32 id = running(t);
        uint256 fees = market.jobOf(id).fees;
        eq(fees, 6 * FEE, "escrowed");
        // Single votes on divergence at every segment: more questions than were budgeted for.
        for (uint32 i = 0; i < SEGMENTS; ++i) {
            vote(id, Task.Divergence, i, YES, 0);
            prove(id, i);
        }
        eq(market.owed(validators[0]), 6 * FEE, "not more than escrowed");
        eq(market.jobOf(id).fees, 0, "used up");
        vm.prank(requester);
        market.acknowledge(id);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE, "the provider's part is untouched");
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
}
