// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BURNT} from "../../src/market/Token.sol";
import {State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Ends before the end: the requester stops, the lead leaves, or is too slow.
contract LeavingTest is Scene {
    uint256 private constant QUARTER = K * PRICE / 4;

    function leaving(bytes32 id) private view returns (bytes memory) {
        return abi.encodeCall(market.abandon, (id));
    }

    function stop(bytes32 id, uint256 total) private {
        vm.prank(requester);
        market.stop(id, total);
    }

    function abandon(bytes32 id) private {
        vm.prank(provider);
        market.abandon(id);
    }

    function test_stop_pays_what_is_claimed() public {
        bytes32 id = running(false);
        claim(id, 6);
        stop(id, 0);
        eq(market.jobOf(id).total, 4, "the batch being filled, as far as it is claimed");
        eq(market.jobOf(id).claimed, 4, "later claims are void");
        eq(market.owed(provider), HAND_BACK, "a fee for the team");
        close(id);
        reveal(id, 0);
        proveDue(id, 0);
        acknowledge(id, 0);
        isState(id, State.Stopped);
        eq(market.owed(provider), 4 * PRICE + HAND_BACK, "paid");
        eq(vault.bonded(id, provider), 0, "free");
        solvent();
    }

    /// Of a batch of one segment that one would be drawn, for the price of a segment.
    function test_stop_ends_with_a_whole_batch_where_some_is_drawn() public {
        bytes32 id = running(false);
        stop(id, K + 1);
        eq(market.jobOf(id).total, 2 * K, "the end of a batch");
        claim(id, 1);
        stop(id, 0);
        eq(market.jobOf(id).total, K, "as long as the batch that was begun");
        fillAndClose(id);
        bytes memory nothing = why(IMarketErrors.NothingChanges.selector, K);
        refuses(requester, abi.encodeCall(market.stop, (id, K)), nothing);
        id = running(false);
        // The last batch is short as it was agreed.
        bytes memory all = why(IMarketErrors.NothingChanges.selector, SEGMENTS);
        refuses(requester, abi.encodeCall(market.stop, (id, 2 * K + 1)), all);
        refuses(requester, abi.encodeCall(market.stop, (id, type(uint256).max)), all);
    }

    function test_stop_makes_a_short_batch() public {
        bytes32 id = running(true);
        claim(id, 3);
        bytes memory nobody = abi.encodeWithSelector(IMarketErrors.NotRequester.selector, stranger);
        refuses(stranger, abi.encodeCall(market.stop, (id, 0)), nobody);
        refuses(
            requester, abi.encodeCall(market.stop, (id, SEGMENTS)), why(IMarketErrors.NothingChanges.selector, SEGMENTS)
        );
        vm.prank(requesterHot);
        market.stop(id, 9);
        eq(market.jobOf(id).total, 9, "as asked");
        stop(id, 2);
        eq(market.jobOf(id).total, 3, "not below the claims");
        eq(market.jobOf(id).fullAt, vm.getBlockTimestamp(), "full now");
        eq(market.owed(provider), HAND_BACK, "one fee");
        refuses(requester, abi.encodeCall(market.stop, (id, 0)), why(IMarketErrors.NothingChanges.selector, 3));
        close(id);
        eq(market.batchOf(id, 0).end, 3, "three segments");
        proveDue(id, 0);
        acknowledge(id, 0);
        eq(market.owed(provider), 3 * PRICE + HAND_BACK, "paid");
    }

    function test_stop_before_any_claim_ends_the_job() public {
        bytes32 id = running(true);
        stop(id, 0);
        isState(id, State.Stopped);
        eq(market.owed(provider), HAND_BACK, "the fee");
        eq(market.owed(requester), SEGMENTS * PRICE + 3 * HAND_BACK, "the rest");
        eq(vault.bonded(id, provider), 0, "no fault");
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        acknowledge(id, 0);
        stop(id, 0);
        isState(id, State.Stopped);
        solvent();
    }

    function test_the_lead_leaves() public {
        bytes32 id = running(true);
        fillAndClose(id);
        claim(id, 3);
        prove(id, 5);
        proveDue(id, 0);
        abandon(id);
        eq(vault.bonded(id, provider), BOND - QUARTER, "a quarter of a batch");
        eq(vault.owed(BURNT), QUARTER, "burnt");
        eq(market.jobOf(id).total, 6, "the last proven claim of the batch being filled");
        refuses(provider, leaving(id), why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp() + 36 hours));
        close(id);
        eq(market.batchOf(id, 1).due, 1, "what is left unproven is due");
        prove(id, 4);
        settle(id);
        settle(id);
        isState(id, State.Left);
        eq(market.owed(provider), 6 * PRICE, "what is closed is paid as ever");
        solvent();
    }

    function test_with_draws_the_job_ends_with_what_is_closed() public {
        bytes32 id = running(false);
        fillAndClose(id);
        claim(id, 3);
        prove(id, 5);
        abandon(id);
        eq(market.jobOf(id).total, 4, "closed");
        refuses(provider, leaving(id), why(IMarketErrors.NothingChanges.selector, 4));
        reveal(id, 0);
        proveDue(id, 0);
        settle(id);
        isState(id, State.Left);
        solvent();
    }

    function test_leaving_at_once_ends_at_once() public {
        bytes32 id = running(true);
        abandon(id);
        isState(id, State.Left);
        eq(vault.owed(BURNT), QUARTER, "burnt");
        solvent();
    }

    function test_the_shortened_batch_is_closed_in_time_or_given_up() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 2);
        take(id, 1, seat);
        pass(16);
        prove(id, 1);
        abandon(id);
        uint256 until = vm.getBlockTimestamp() + 12 hours;
        bytes memory call = abi.encodeCall(market.close, (id, 0, ROOT, seat));
        vm.warp(until);
        refuses(partner, call, why(IMarketErrors.TooEarly.selector, until));
        uint256 here = vm.snapshotState();
        vm.warp(until + 1);
        vm.prank(partner);
        market.close(id, 0, ROOT, seat);
        prove(id, 0);
        settle(id);
        isState(id, State.Left);
        eq(market.owed(partner), SEAT_PAY, "the member is paid");
        vm.revertToState(here);
        vm.warp(until + 24 hours);
        refuses(stranger, leaving(id), why(IMarketErrors.TooEarly.selector, until + 24 hours));
        vm.warp(until + 24 hours + 1);
        vm.prank(stranger);
        market.abandon(id);
        isState(id, State.Left);
        eq(market.jobOf(id).total, 0, "given up");
        solvent();
    }

    function test_anyone_ends_a_job_that_stands_still() public {
        bytes32 id = running(true);
        uint256 until = vm.getBlockTimestamp() + 3 days;
        vm.warp(until);
        refuses(stranger, leaving(id), why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        vm.prank(stranger);
        market.abandon(id);
        isState(id, State.Left);
        eq(vault.owed(BURNT), QUARTER, "a quarter of a batch");
    }

    function test_a_lead_that_may_not_close_is_not_too_slow() public {
        Terms memory t = terms(true);
        t.batches.ahead = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        proveDue(id, 0);
        skip(5 days);
        refuses(stranger, leaving(id), why(IMarketErrors.NoRoom.selector, 1));
        market.settle(id);
        refuses(stranger, leaving(id), why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp() + 3 days));
    }

    function test_nobody_ends_a_job_during_a_complaint() public {
        bytes32 id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        skip(47 hours);
        complain(id, 0);
        skip(60 hours);
        refuses(stranger, leaving(id), why(IMarketErrors.ComplaintOpen.selector));
        decide(id, 0, true);
        refuses(stranger, leaving(id), why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp() + 3 days));
        abandon(id);
        eq(market.jobOf(id).total, 4, "the lead may");
    }

    /// Slashed before Left before Stopped before Completed.
    function test_several_causes_meet() public {
        bytes32 id = running(true);
        fillAndClose(id);
        fillAndClose(id);
        stop(id, 9);
        abandon(id);
        proveDue(id, 0);
        skip(100 hours);
        market.fail(id, 6);
        market.settle(id);
        isState(id, State.Slashed);
        id = running(true);
        fillAndClose(id);
        stop(id, 9);
        abandon(id);
        proveDue(id, 0);
        acknowledge(id, 0);
        isState(id, State.Left);
        solvent();
    }
}
