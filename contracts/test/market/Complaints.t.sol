// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {BURNT} from "../../src/market/Token.sol";
import {Attestation, BatchState, State, Terms, Verdict} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Complaints about the handing over: they cost pay, not bonds.
contract ComplaintsTest is Scene {
    function proven() private returns (bytes32 id) {
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
    }

    function complained() private returns (bytes32 id) {
        id = proven();
        complain(id, 0);
    }

    function verdict(bytes32 id, Verdict wanted) private view {
        eq(uint256(market.batchOf(id, 0).complaint.verdict), uint256(wanted), "verdict");
    }

    function test_yes_pays_the_batch_and_the_bond_the_members() public {
        bytes32 id = complained();
        eq(uint256(market.batchOf(id, 0).state), uint256(BatchState.Disputed), "disputed");
        uint256 stakes = vault.free(requester);
        decide(id, 0, true);
        verdict(id, Verdict.Yes);
        eq(vault.owed(validators[0]), FEE, "who decided");
        eq(vault.owed(validators[1]), 0, "who did not");
        eq(vault.owed(validators[2]), FEE, "who decided");
        eq(vault.owed(BURNT), FEE, "the rest of the bond");
        eq(vault.free(requester), stakes, "nothing comes back");
        market.settle(id);
        eq(market.owed(provider), K * PRICE, "paid");
        isState(id, State.Running);
        solvent();
    }

    function test_no_returns_the_pay_and_takes_no_bond() public {
        bytes32 id = complained();
        fillAndClose(id);
        proveDue(id, 1);
        uint256 stakes = vault.free(requester);
        decide(id, 0, false);
        verdict(id, Verdict.No);
        eq(vault.free(requester) - stakes, 3 * FEE, "the bond comes back");
        eq(market.owed(validators[0]), FEE, "who decided");
        uint256 had = market.owed(requester);
        market.settle(id);
        eq(market.owed(requester) - had, K * PRICE - 2 * FEE, "the pay comes back, less fees");
        eq(vault.bonded(id, provider), BOND, "no bond");
        market.settle(id);
        isState(id, State.Left);
        eq(market.owed(provider), K * PRICE, "other closed batches go on");
        eq(vault.owed(BURNT), 0, "without the burn of leaving");
        eq(market.jobOf(id).current, lastOf(7), "the end of the last paid batch");
        solvent();
    }

    function test_nobody_decides() public {
        bytes32 id = complained();
        uint256 until = market.batchOf(id, 0).complaint.until;
        skipTo(until - 1 hours);
        attest(id, 0, true, 1);
        bytes memory call = abi.encodeCall(market.lapse, (id, 0));
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        bytes memory word = wordOf(id, 0, true, wordKey(0));
        bytes memory late = abi.encodeCall(market.attest, (id, 0, true, 0, word));
        refuses(stranger, late, why(IMarketErrors.TooLate.selector, until));
        refuses(stranger, abi.encodeCall(market.settle, (id)), why(IMarketErrors.ComplaintOpen.selector));
        market.lapse(id, 0);
        verdict(id, Verdict.Nothing);
        eq(vault.owed(BURNT), 3 * FEE, "the bond");
        market.settle(id);
        isState(id, State.Left);
        eq(market.owed(BURNT), K * PRICE, "and the pay");
        eq(vault.bonded(id, provider), 0, "the lead's bond is free");
        eq(vault.free(provider), 100_000e18, "all of it");
        solvent();
    }

    /// NO changes the pay only: what is due stays due.
    function test_a_refused_batch_is_proven_or_slashed() public {
        bytes32 id = running(true);
        fillAndClose(id);
        complain(id, 0);
        decide(id, 0, false);
        refuses(stranger, abi.encodeCall(market.settle, (id)), why(IMarketErrors.NotProven.selector, 15));
        skip(200 hours);
        market.fail(id, 0);
        isState(id, State.Slashed);
        eq(vault.owed(BURNT), BOND, "the bond");
        solvent();
    }

    function test_acknowledging_ends_a_complaint() public {
        bytes32 id = complained();
        uint256 stakes = vault.free(requester);
        acknowledge(id, 0);
        verdict(id, Verdict.Yes);
        eq(vault.free(requester) - stakes, 2 * FEE, "before any word the bond comes back, less a member's share");
        eq(vault.owed(BURNT), FEE, "which is burnt");
        eq(market.owed(provider), K * PRICE, "paid");
        id = complained();
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        attest(id, 0, false, 1);
        stakes = vault.free(requester);
        acknowledge(id, 0);
        eq(vault.free(requester) - stakes, 2 * FEE, "then less what words cost");
        eq(vault.owed(validators[1]), FEE, "who gave it");
        solvent();
    }

    function test_no_word_before_the_second_half() public {
        bytes32 id = complained();
        uint256 until = market.batchOf(id, 0).complaint.until;
        eq(until, vm.getBlockTimestamp() + 72 hours, "the whole time");
        bytes memory word = wordOf(id, 0, false, wordKey(0));
        bytes memory call = abi.encodeCall(market.attest, (id, 0, false, 0, word));
        vm.warp(until - 36 hours);
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until - 36 hours));
        vm.warp(until - 36 hours + 1);
        market.attest(id, 0, false, 0, word);
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.AlreadyVoted.selector, validators[0]));
    }

    function test_the_team_adds_roots() public {
        bytes32 id = proven();
        uint256 seat = join(id);
        complain(id, 0);
        skip(30 hours);
        bytes32 other = keccak256("another root");
        bytes memory notLead = abi.encodeWithSelector(IMarketErrors.NotProvider.selector, stranger);
        refuses(stranger, abi.encodeCall(market.addRoot, (id, 0, other, 0)), notLead);
        bytes memory notMember = abi.encodeWithSelector(IMarketErrors.NotMember.selector, stranger, seat);
        refuses(stranger, abi.encodeCall(market.addRoot, (id, 0, other, seat)), notMember);
        vm.prank(partner);
        market.addRoot(id, 0, other, seat);
        uint256 until = vm.getBlockTimestamp() + 72 hours;
        eq(market.batchOf(id, 0).complaint.until, until, "the committee has its whole time");
        bytes memory again = abi.encodeCall(market.addRoot, (id, 0, other, seat));
        refuses(partner, again, why(IMarketErrors.AlreadyAdded.selector, seat));
        skip(1 hours);
        vm.prank(hot);
        market.addRoot(id, 0, keccak256("a third"), 0);
        eq(market.batchOf(id, 0).complaint.until, until, "once");
        bytes memory unknown = abi.encodeCall(market.acknowledge, (id, 0, lastOf(3), keccak256("none")));
        refuses(requester, unknown, abi.encodeWithSelector(IMarketErrors.WrongRoot.selector, keccak256("none")));
        vm.prank(requesterHot);
        market.acknowledge(id, 0, lastOf(3), other);
        eq(market.owed(provider), K * PRICE, "paid");
    }

    function test_roots_are_added_in_the_first_half() public {
        bytes32 id = complained();
        uint256 half = vm.getBlockTimestamp() + 36 hours;
        bytes memory call = abi.encodeCall(market.addRoot, (id, 0, ROOT, 0));
        vm.warp(half + 1);
        refuses(provider, call, why(IMarketErrors.TooLate.selector, half));
        vm.warp(half);
        vm.prank(provider);
        market.addRoot(id, 0, ROOT, 0);
    }

    function test_when_a_complaint_is_possible() public {
        bytes32 id = running(terms(true, false));
        fillAndClose(id);
        bytes memory call = abi.encodeCall(market.complain, (id, 0, lastOf(3), ROOT));
        refuses(requester, call, why(IMarketErrors.NoComplaint.selector));
        id = proven();
        call = abi.encodeCall(market.complain, (id, 0, lastOf(3), ROOT));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.NotRequester.selector, stranger));
        uint256 until = market.batchOf(id, 0).record.closedAt + 48 hours;
        vm.warp(until + 1);
        refuses(requester, call, why(IMarketErrors.TooLate.selector, until));
        vm.warp(until);
        vm.prank(requesterHot);
        market.complain(id, 0, lastOf(3), ROOT);
        refuses(requester, call, why(IMarketErrors.NoComplaint.selector));
        decide(id, 0, true);
        refuses(requester, call, why(IMarketErrors.NoComplaint.selector));
        fillAndClose(id);
        acknowledge(id, 1);
        call = abi.encodeCall(market.complain, (id, 1, lastOf(7), ROOT));
        refuses(requester, call, why(IMarketErrors.NotWaiting.selector, 1));
    }

    function test_a_refused_batch_is_not_acknowledged() public {
        bytes32 id = complained();
        decide(id, 0, false);
        bytes memory call = abi.encodeCall(market.acknowledge, (id, 0, lastOf(3), ROOT));
        refuses(requester, call, why(IMarketErrors.NotWaiting.selector, 0));
    }

    /// A void batch takes no bond of a complaint.
    function test_a_complaint_about_a_void_batch() public {
        bytes32 id = running(true);
        fillAndClose(id);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 1);
        bytes memory call = abi.encodeCall(market.reclaimComplaint, (id, 1));
        refuses(stranger, call, why(IMarketErrors.NotWaiting.selector, 1));
        skip(100 hours);
        market.fail(id, 4);
        bytes memory word = abi.encodeCall(market.attest, (id, 1, true, 0, ""));
        refuses(stranger, word, why(IMarketErrors.NotWaiting.selector, 1));
        uint256 stakes = vault.free(requester);
        market.reclaimComplaint(id, 1);
        eq(vault.free(requester) - stakes, 3 * FEE, "the bond");
        market.settle(id);
        isState(id, State.Slashed);
        solvent();
    }

    /// What members are paid and the batch does not bring comes from the bond.
    function test_fees_beyond_the_price_come_from_the_bond() public {
        Terms memory t = terms(true);
        t.committee.fee = 3 * PRICE;
        t.price.complaintBond = 9 * PRICE;
        bytes32 id = running(t);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 0);
        uint256 stakes = vault.free(requester);
        decide(id, 0, false);
        eq(market.owed(validators[0]), 3 * PRICE, "from the batch");
        eq(vault.owed(validators[2]), 3 * PRICE, "from the bond");
        eq(vault.free(requester) - stakes, 6 * PRICE, "the rest of it");
        market.settle(id);
        isState(id, State.Left);
        solvent();
    }

    function test_words_are_of_the_named_key() public {
        bytes32 id = complained();
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        bytes memory word = wordOf(id, 0, true, validatorKeys[0]);
        bytes memory call = abi.encodeCall(market.attest, (id, 0, true, 0, word));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, vm.addr(wordKey(0))));
        refuses(stranger, abi.encodeCall(market.attest, (id, 0, true, 3, word)), why(IMarketErrors.NoPlace.selector, 3));
        refuses(
            stranger, abi.encodeCall(market.attest, (id, 0, true, 16, word)), why(IMarketErrors.NoPlace.selector, 16)
        );
        // A word is about one answer, batch and job.
        word = wordOf(id, 0, false, wordKey(0));
        call = abi.encodeCall(market.attest, (id, 0, true, 0, word));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, vm.addr(wordKey(0))));
    }

    function test_a_contradiction_costs_the_stake_whichever_key_signed() public {
        bytes32 id = complained();
        bytes memory a = wordOf(id, 0, true, wordKey(1));
        bytes memory b = wordOf(id, 0, false, validatorKeys[1]);
        eq(vault.backing(validators[1]), STAKE, "backs");
        vm.prank(stranger);
        market.contradict(id, 0, lastOf(3), 1, a, b);
        eq(vault.free(validators[1]), 10_000e18 - STAKE, "taken");
        eq(vault.backing(validators[1]), 0, "backs no more");
        eq(vault.owed(stranger), STAKE / 10, "a tenth");
        eq(vault.owed(BURNT), STAKE - STAKE / 10, "burnt");
        bytes memory again = abi.encodeCall(market.contradict, (id, 0, lastOf(3), 1, a, b));
        refuses(stranger, again, why(IMarketErrors.NoPlace.selector, 1));
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        bytes memory word = abi.encodeCall(market.attest, (id, 0, true, 1, a));
        refuses(stranger, word, why(IMarketErrors.NoPlace.selector, 1));
        bytes memory same = abi.encodeCall(market.contradict, (id, 0, lastOf(3), 0, a, a));
        refuses(stranger, same, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, vm.addr(wordKey(0))));
        solvent();
    }

    function test_stake_backs_a_job_until_two_weeks_behind_its_end() public {
        bytes32 id = complained();
        bytes32 other = running(true);
        eq(vault.backing(validators[0]), 2 * STAKE, "added up over jobs");
        decide(id, 0, false);
        market.settle(id);
        isState(id, State.Left);
        bytes memory call = abi.encodeCall(market.unback, (id));
        uint256 until = vm.getBlockTimestamp() + 14 days;
        vm.warp(until);
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until));
        bytes memory a = wordOf(id, 0, true, wordKey(2));
        bytes memory b = wordOf(id, 0, false, wordKey(2));
        market.contradict(id, 0, lastOf(3), 2, a, b);
        vm.warp(until + 1);
        market.unback(id);
        eq(vault.backing(validators[0]), STAKE, "of the other job");
        eq(vault.backing(validators[2]), STAKE, "of the other job, too");
        refuses(stranger, call, wrongState(id, State.Left));
        refuses(stranger, abi.encodeCall(market.unback, (other)), wrongState(other, State.Running));
        // A job that never started frees it at once.
        other = open(terms(true));
        vm.prank(requester);
        market.cancel(other);
        market.unback(other);
        eq(vault.backing(validators[0]), STAKE, "at once");
        solvent();
    }
}
