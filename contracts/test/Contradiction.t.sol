// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../src/interfaces/IMarketEvents.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Attestation, Licence, Task, Terms} from "../src/market/Types.sol";
import {Denier, Nodder} from "./mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Two answers to one question, and the stake behind a word.
contract ContradictionTest is Scene {
    function test_two_answers_to_one_question_cost_stake() public {
        bytes32 id = disputed();
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory yesSigned = wordSignature(a, 1);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 1);
        a.verdict = YES;
        bytes memory call = abi.encodeCall(market.contradict, (a, NO, validators[1], yesSigned, noSigned));
        uint256 free = vault.free(validators[1]);
        // Part of it is leaving.
        vm.prank(validators[1]);
        vault.startExit(free - WORD / 2);
        vm.expectEmit(address(vault));
        emit IStakeVault.StakeTaken(validators[1], WORD / 2, WORD - WORD / 2);
        // All that names the question, so that nobody reports the same twice without knowing.
        vm.expectEmit(address(market));
        emit IMarketEvents.Contradicted(
            id, validators[1], stranger, Task.Decision, 0, lastOf(SEGMENTS - 1), uint256(WORD)
        );
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        yes(done, "taken");
        eq(vault.free(validators[1]) + vault.leaving(validators[1]), free - WORD, "stake");
        eq(vault.owed(stranger), WORD / 10, "reporter");
        eq(vault.owed(requester), 0, "not the requester");
        eq(vault.owed(BURNT), WORD - WORD / 10, "burnt");
        refuses(stranger, call, why(IMarketErrors.AlreadyReported.selector, validators[1]));
        solvent();
    }

    /// A member that reports itself while it has nothing to lose has no word on that question from then on.
    function test_who_was_reported_has_no_word() public {
        address member = validators[1];
        uint256 all = vault.free(member);
        vm.prank(member);
        vault.startExit(all);
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
        vault.finishExits(member);
        vault.withdraw(member);
        bytes32 id = disputed();
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory yesSigned = wordSignature(a, 1);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 1);
        vm.recordLogs();
        market.contradict(a, YES, member, noSigned, yesSigned);
        noEmptyPayment();
        eq(vault.owed(address(this)), 0, "there was nothing to take");
        stake(member, all);
        refuses(
            member,
            abi.encodeCall(market.attest, (id, Task.Decision, 0, YES, 1, yesSigned)),
            why(IMarketErrors.AlreadyReported.selector, member)
        );
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
        bytes memory call = contesting(puppet, 0);
        uint256 free = vault.free(member);
        bytes memory small = abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, member, free - WORD, free);
        refuses(member, call, small);
        // What is over it may be locked, and all of it when no window can be open any more.
        t.price.challengeBond = uint128(free - WORD);
        puppet = running(t);
        claim(puppet, 0, 1);
        confirm(puppet, 0);
        bytes32 last = market.claimOf(puppet, 0).last;
        vm.prank(member);
        market.challenge(puppet, 0, last);
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

    /// Both words of a member in a dispute.
    function bothWords(bytes32 id, bytes32 subject)
        private
        view
        returns (bytes memory yesSigned, bytes memory noSigned)
    {
        yesSigned = wordSignature(Attestation(id, Task.Decision, 0, subject, YES), 1);
        noSigned = wordSignature(Attestation(id, Task.Decision, 0, subject, NO), 1);
    }

    /// An account of a key can be given code (EIP-7702), and that code can deny everything: the key's word stands.
    function test_a_word_cannot_be_disowned() public {
        bytes32 id = disputed();
        bytes32 subject = lastOf(SEGMENTS - 1);
        (bytes memory yesSigned, bytes memory noSigned) = bothWords(id, subject);
        vote(id, Task.Decision, 0, YES, 1);
        vm.etch(validators[1], abi.encodePacked(hex"ef0100", address(new Denier())));
        Attestation memory a = Attestation(id, Task.Decision, 0, subject, YES);
        vm.prank(stranger);
        market.contradict(a, NO, validators[1], yesSigned, noSigned);
        eq(vault.free(validators[1]), 10_000e18 - WORD, "stake");
        // Nor does the code keep it from voting.
        id = disputed();
        vote(id, Task.Decision, 0, YES, 1);
        solvent();
    }

    /// Code that says yes to everything makes no contradiction of an account's words.
    function test_a_word_cannot_be_made_up() public {
        bytes32 id = disputed();
        vm.etch(validators[1], address(new Nodder()).code);
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory call = abi.encodeCall(market.contradict, (a, NO, validators[1], "", "no"));
        refuses(stranger, call, why(IMarketErrors.BadSignature.selector, validators[1]));
    }

    /// A member that reports itself, through a job of its own that nobody runs, gets no stake past what other words need.
    function test_who_reports_itself_loses_nine_tenths() public {
        address member = validators[1];
        bytes32 id = disputed();
        vote(id, Task.Decision, 0, YES, 1);
        uint256 all = vault.free(member);
        vm.prank(member);
        vault.startExit(all / 2);
        Terms memory t = terms(Assurance.Proven);
        (t.price.start, t.price.max, t.training.segments) = (1, 1, 1);
        t.committee.members = new address[](1);
        t.committee.members[0] = member;
        (t.committee.threshold, t.committee.fee, t.committee.stake) = (1, 0, uint128(all));
        Licence memory licence;
        Permit memory none;
        vm.prank(member);
        bytes32 own = market.open(t, 1, licence, none);
        ids.push(own);
        vm.prank(member);
        market.cancel(own);
        (bytes memory yesSigned, bytes memory noSigned) = bothWords(own, 0);
        vm.prank(member);
        market.contradict(Attestation(own, Task.Decision, 0, 0, YES), NO, member, yesSigned, noSigned);
        eq(vault.owed(member), all / 10, "a tenth");
        eq(vault.owed(BURNT), all - all / 10, "the rest is gone");
        solvent();
    }
}
