// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, State, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice An optimistic job that its provider leaves, or whose time is over: what lapsed is paid, what can be challenged is waited for.
contract LeavingTest is Scene {
    function test_a_challenge_may_be_answered_after_the_running_time() public {
        bytes32 id = claimed(1);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        confirm(id, 0);
        contest(id, 0);
        vm.warp(until + 1);
        bytes memory advance = abi.encodeCall(market.advance, (id));
        refuses(stranger, advance, why(IMarketErrors.ChallengeOpen.selector));
        refuses(provider, abi.encodeCall(market.abandon, (id)), why(IMarketErrors.ChallengeOpen.selector));
        prove(id, 0);
        eq(market.jobOf(id).settled, 1, "settled");
        market.advance(id);
        inState(id, State.Defaulted);
        solvent();
    }

    function test_leaving_pays_what_lapsed_and_waits_for_challenges() public {
        bytes32 id = claimed(2);
        confirm(id, 0);
        contest(id, 0);
        refuses(provider, abi.encodeCall(market.abandon, (id)), why(IMarketErrors.ChallengeOpen.selector));
        prove(id, 0);
        confirm(id, 1);
        lapse(id, 1);
        vm.prank(provider);
        market.abandon(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).settled, 2, "paid first");
        solvent();
    }

    function test_leaving_behind_the_last_segment_is_no_default() public {
        bytes32 id = claimed(4);
        for (uint256 i = 0; i < 4; ++i) {
            prove(id, i);
        }
        claim(id, 4, 3);
        for (uint256 i = 4; i < 7; ++i) {
            confirm(id, i);
        }
        lapse(id, 6);
        vm.prank(provider);
        market.abandon(id);
        inState(id, State.Delivering);
        solvent();
    }

    function test_time_over_waits_for_a_window() public {
        bytes32 id = claimed(2);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        confirm(id, 0);
        uint256 window = market.claimOf(id, 0).windowUntil;
        vm.warp(window);
        bytes memory advance = abi.encodeCall(market.advance, (id));
        refuses(stranger, advance, why(IMarketErrors.TooEarly.selector, window));
        vm.warp(window + 1);
        market.advance(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).settled, 1, "the first was paid, the second never opened");
        solvent();
    }

    function test_time_over_behind_the_last_segment_is_no_default() public {
        Terms memory t = terms(Assurance.Optimistic);
        t.training.segments = 2;
        bytes32 id = running(t);
        claim(id, 0, 2);
        vm.warp(market.jobOf(id).deadline);
        confirm(id, 0);
        confirm(id, 1);
        lapse(id, 1);
        market.advance(id);
        inState(id, State.Delivering);
        solvent();
    }

    /// A false claim behind paid ones: a default would cost a part of a tenth, the challenge costs the whole bond.
    function test_nobody_leaves_ahead_of_a_challenge() public {
        bytes32 id = running(Assurance.Optimistic);
        for (uint256 i = 0; i < 3; ++i) {
            claim(id, i, 1);
            prove(id, i);
        }
        claim(id, 3, 4);
        confirm(id, 3);
        bytes memory abandon = abi.encodeCall(market.abandon, (id));
        uint256 until = market.claimOf(id, 3).windowUntil;
        refuses(provider, abandon, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until);
        refuses(provider, abandon, why(IMarketErrors.TooEarly.selector, until));
        contest(id, 3);
        refuses(provider, abandon, why(IMarketErrors.ChallengeOpen.selector));
        vm.warp(market.claimOf(id, 3).answerUntil + 1);
        market.slash(id, 3);
        inState(id, State.Slashed);
        eq(vault.owed(BURNT) + vault.owed(requester) + vault.owed(challenger), BOND, "all of it");
        solvent();
    }

    /// The window of a later claim is waited for as well; one that passed, or a claim that is proven, is not.
    function test_every_open_window_is_waited_for() public {
        bytes32 id = claimed(4);
        confirm(id, 0);
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        confirm(id, 1);
        confirm(id, 2);
        prove(id, 2);
        lapse(id, 0);
        bytes memory abandon = abi.encodeCall(market.abandon, (id));
        uint256 until = market.claimOf(id, 1).windowUntil;
        refuses(provider, abandon, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        vm.prank(hot);
        market.abandon(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).settled, 3, "three are paid, the fourth was never opened");
        solvent();
    }

    /// A job without claims, or with claims that nobody can check, is left at once.
    function test_what_was_never_opened_is_left_at_once() public {
        bytes32 id = claimed(2);
        vm.prank(provider);
        market.abandon(id);
        inState(id, State.Defaulted);
        id = running(Assurance.Optimistic);
        vm.prank(provider);
        market.abandon(id);
        inState(id, State.Defaulted);
        eq(vault.owed(BURNT), 2 * (BOND / 10), "a tenth each");
        solvent();
    }
}
