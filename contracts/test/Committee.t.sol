// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../src/interfaces/IMarketEvents.sol";
import {Assurance, Attestation, Member, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {ContractWallet} from "./mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice What counts as a member's word, and what it is paid.
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

    /// A word from long ago does not decide: the stake behind it may be gone. It can be brought again, if there is stake again.
    function test_words_count_together_for_a_week() public {
        bytes32 id = long();
        uint256 begin = vm.getBlockTimestamp();
        bytes memory old = voteSignature(id, Task.Opening, 0, YES, 0);
        vote(id, Task.Opening, 0, YES, 0);
        uint256 all = vault.free(validators[0]);
        vm.prank(validators[0]);
        vault.startExit(all);
        vm.warp(begin + vault.unbondingSecs());
        vault.finishExits(validators[0]);
        vote(id, Task.Opening, 0, YES, 1);
        eq(market.claimOf(id, 0).windowUntil, 0, "one word, not two");
        bytes memory again = attest(id, Task.Opening, 0, YES, 0, old);
        bytes memory bare =
            abi.encodeWithSelector(IMarketErrors.StakeBehindWord.selector, validators[0], uint256(0), WORD);
        refuses(stranger, again, bare);
        stake(validators[0], WORD);
        // Nobody else binds its stake anew with what it said long ago.
        refuses(stranger, again, why(IMarketErrors.OldWord.selector, validators[0]));
        vm.expectEmit(address(market));
        uint256 until = vm.getBlockTimestamp() + 7 days;
        emit IMarketEvents.Attested(id, validators[0], Task.Opening, 0, lastOf(0), YES, until, 0);
        vm.prank(validators[0]);
        market.attest(id, Task.Opening, 0, YES, 0, old);
        eq(market.claimOf(id, 0).windowUntil, vm.getBlockTimestamp() + 2 hours, "two words within the week");
        eq(market.owed(validators[0]), FEE, "once for the task");
        solvent();
    }

    function test_a_count_ends_with_its_last_second() public {
        bytes32 id = long();
        uint256 begin = vm.getBlockTimestamp();
        vote(id, Task.Divergence, 1, YES, 0);
        vm.warp(begin + 7 days);
        bytes memory second = attest(id, Task.Divergence, 1, YES, 0, voteSignature(id, Task.Divergence, 1, YES, 0));
        refuses(stranger, second, why(IMarketErrors.AlreadyVoted.selector, validators[0]));
        uint256 snapshot = vm.snapshotState();
        vote(id, Task.Divergence, 1, YES, 1);
        yes(market.jobOf(id).diverged, "in the last second");
        yes(vm.revertToState(snapshot), "back");
        vm.warp(begin + 7 days + 1);
        vote(id, Task.Divergence, 1, YES, 1);
        yes(!market.jobOf(id).diverged, "a second later");
        // The first two members, in another count.
        bytes memory again = voteSignature(id, Task.Divergence, 1, YES, 0);
        vm.prank(validators[0]);
        market.attest(id, Task.Divergence, 1, YES, 0, again);
        yes(market.jobOf(id).diverged, "brought again");
        eq(market.owed(validators[0]), FEE, "paid once");
        eq(market.owed(validators[1]), FEE, "both");
        eq(market.owed(validators[2]), 0, "who said nothing");
        solvent();
    }

    function test_nobody_is_in_the_committee_of_its_own_work() public {
        address both = validators[1];
        enrol(both, 0xee99, address(0), 3);
        bytes32 id = opened(Assurance.Optimistic);
        bytes memory why_ = why(IMarketErrors.InCommittee.selector, both);
        refuses(both, abi.encodeCall(market.accept, (id, 0)), why_);
        Seat[] memory seats = new Seat[](2);
        seats[0].member = Member(provider, 6000, BOND / 2);
        seats[1].member = Member(both, 4000, BOND / 2);
        (seats[1].nonce, seats[1].expiry) = (1, vm.getBlockTimestamp());
        seats[1].signature = sign(validatorKeys[1], market.consentDigest(id, provider, seats[1], 0));
        refuses(provider, abi.encodeCall(market.acceptAsTeam, (id, 0, seats)), why_);
        Terms memory t = terms(Assurance.Optimistic);
        t.committee.members = new address[](0);
        t.committee.threshold = 0;
        id = open(t);
        vm.prank(both);
        market.accept(id, 0);
    }

    /// A job that runs for longer than stake takes to leave, with one claim.
    function long() private returns (bytes32 id) {
        Terms memory t = terms(Assurance.Optimistic);
        t.times.runSecs = 180 days;
        id = running(t);
        claim(id, 0, 1);
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
        bytes32 id = delivering();
        eq(market.jobOf(id).fees, 6 * FEE, "two votes for each of three tasks");
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(provider);
            market.deliver(id, bytes32(i));
            vote(id, Task.Fetchable, 0, YES, 0);
        }
        eq(market.owed(validators[0]), FEE, "once a task");
        vote(id, Task.Fetchable, 0, YES, 1);
        vm.prank(requester);
        market.complain(id);
        vote(id, Task.Decision, 0, YES, 1);
        vote(id, Task.Decision, 0, YES, 2);
        eq(market.owed(validators[1]), 2 * FEE, "the others are paid");
        eq(market.owed(validators[2]), FEE, "as agreed");
        eq(market.owed(requester), 2 * FEE, "what nobody earned goes back");
        eq(market.jobOf(id).earned, SEGMENTS * PRICE, "the provider's part is untouched");
        solvent();
    }

    /// Openings and fetchability, where all that can be said is yes: the first `threshold` votes are paid.
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

    /// A word that nobody confirms is no work: else it would use up what those are paid from who find a divergence.
    function test_words_that_nobody_confirms_are_not_paid() public {
        bytes32 id = running(Assurance.Proven);
        vote(id, Task.Divergence, 0, bytes32(uint256(1)), 0);
        vote(id, Task.Divergence, 0, bytes32(uint256(2)), 1);
        eq(market.owed(validators[0]) + market.owed(validators[1]), 0, "words alone");
        prove(id, 0);
        bytes32 found = bytes32(uint256(9));
        vote(id, Task.Divergence, 1, bytes32(uint256(3)), 0);
        vote(id, Task.Divergence, 1, found, 2);
        eq(market.owed(validators[2]), 0, "not before it stands");
        vote(id, Task.Divergence, 1, found, 1);
        inState(id, State.Diverged);
        eq(market.owed(validators[0]), 0, "not who said something else");
        eq(market.owed(validators[1]), FEE, "those who found it");
        eq(market.owed(validators[2]), FEE, "both");
        eq(market.jobOf(id).fees, 0, "the rest went back");
        solvent();
    }

    /// The vote that decides is paid, whoever lied before it.
    function test_a_decision_pays_those_whose_verdict_stands() public {
        bytes32 id = disputed();
        uint256[3] memory before;
        for (uint256 i = 0; i < 3; ++i) {
            before[i] = market.owed(validators[i]);
        }
        uint256 fees = market.jobOf(id).fees;
        vote(id, Task.Decision, 0, NO, 0);
        vote(id, Task.Decision, 0, YES, 2);
        eq(market.jobOf(id).fees, fees, "nothing before it stands");
        bytes memory signature = voteSignature(id, Task.Decision, 0, YES, 1);
        vm.expectEmit(address(market));
        emit IMarketEvents.Decided(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES, uint256(FEE));
        market.attest(id, Task.Decision, 0, YES, 1, signature);
        inState(id, State.Completed);
        eq(market.owed(validators[0]), before[0], "the other answer");
        eq(market.owed(validators[1]), before[1] + FEE, "the deciding one");
        eq(market.owed(validators[2]), before[2] + FEE, "the one before");
        solvent();
    }

    /// A word is its key's. A wallet's code could answer today that it signed, and tomorrow that it did not; and one key may have
    /// many wallets.
    function test_a_wallet_gives_no_word() public {
        address[2] memory wallets =
            [address(new ContractWallet(vm.addr(0xf1))), address(new ContractWallet(vm.addr(0xf1)))];
        if (wallets[0] > wallets[1]) (wallets[0], wallets[1]) = (wallets[1], wallets[0]);
        Terms memory t = terms(Assurance.Optimistic);
        t.committee.members = new address[](2);
        for (uint256 i = 0; i < 2; ++i) {
            accounts.push(wallets[i]);
            yes(token.transfer(wallets[i], WORD), "fortune");
            ContractWallet(wallets[i]).approve(IERC20(address(token)), address(vault));
            stake(wallets[i], WORD);
            enrol(wallets[i], 0xff10 + i, address(0), 2);
            t.committee.members[i] = wallets[i];
        }
        bytes32 id = running(t);
        claim(id, 0, 1);
        Attestation memory a = Attestation(id, Task.Opening, 0, lastOf(0), YES);
        bytes memory signature = sign(0xf1, market.attestationDigest(a));
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory bad = why(IMarketErrors.BadSignature.selector, wallets[i]);
            refuses(stranger, attest(id, Task.Opening, 0, YES, i, signature), bad);
        }
        solvent();
    }

    /// Only one of the two signatures that a key can make of one is taken, and none of another length.
    function test_a_word_has_one_signature() public {
        bytes32 id = claimed(1);
        bytes32 digest = market.attestationDigest(Attestation(id, Task.Opening, 0, lastOf(0), YES));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(validatorKeys[0], digest);
        uint256 order_ = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory bad = why(IMarketErrors.BadSignature.selector, validators[0]);
        bytes memory other = abi.encodePacked(r, bytes32(order_ - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, other), bad);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, abi.encodePacked(r, s)), bad);
        refuses(stranger, attest(id, Task.Opening, 0, YES, 0, ""), bad);
        market.attest(id, Task.Opening, 0, YES, 0, abi.encodePacked(r, s, v));
    }
}
