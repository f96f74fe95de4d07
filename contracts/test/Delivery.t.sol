// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice The last share: who gets it in each end, and who falls silent.
contract DeliveryTest is Scene {
    uint256 private constant HELD = SEGMENTS * PRICE * 2 / 10;
    uint256 private constant ALL_FEES = 6 * FEE;

    /// The provider's part, the requester's part and what is burnt.
    function ends(bytes32 id, State state, uint256 share, uint256 back, uint256 burnt) private {
        inState(id, state);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10 + share, "provider");
        eq(market.owed(requester), back, "requester");
        eq(market.owed(BURNT), burnt, "burnt");
        eq(vault.bonded(id, provider), 0, "bond");
        eq(market.jobOf(id).escrow, 0, "escrow");
        if (burnt > 0) {
            market.withdraw(BURNT);
            eq(token.balanceOf(BURNT), burnt, "with nobody");
        }
        eq(nodes.outcomes(address(market), provider, uint8(state)), 1, "counted");
        solvent();
    }

    function test_nothing_handed_over() public {
        bytes32 id = delivering();
        late(id);
        ends(id, State.Withheld, 0, HELD + ALL_FEES, 0);
    }

    function test_handed_over_but_not_attested() public {
        bytes32 id = delivering();
        deliver(id);
        vote(id, Task.Fetchable, 0, YES, 0);
        late(id);
        ends(id, State.Withheld, 0, HELD / 2 + ALL_FEES - FEE, HELD / 2);
    }

    function test_acknowledged() public {
        bytes32 id = handed();
        bytes memory call = abi.encodeCall(market.acknowledge, (id));
        refuses(provider, call, why(IMarketErrors.NotRequester.selector, provider));
        vm.prank(requester);
        market.acknowledge(id);
        ends(id, State.Completed, HELD, ALL_FEES - 2 * FEE, 0);
    }

    function test_acknowledged_early_and_in_a_dispute() public {
        bytes32 id = delivering();
        vm.prank(requester);
        market.acknowledge(id);
        inState(id, State.Completed);
        id = disputed();
        vm.prank(requester);
        market.acknowledge(id);
        inState(id, State.Completed);
        solvent();
    }

    function test_a_silent_requester() public {
        bytes32 id = handed();
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        refuses(stranger, abi.encodeCall(market.advance, (id)), why(IMarketErrors.TooEarly.selector, until));
        late(id);
        ends(id, State.Completed, HELD, ALL_FEES - 2 * FEE, 0);
    }

    function test_a_complaint_that_the_committee_finds_wrong() public {
        bytes32 id = disputed();
        agree(id, Task.Decision, 0, YES);
        ends(id, State.Completed, HELD, ALL_FEES - 4 * FEE, 0);
    }

    function test_a_complaint_that_the_committee_finds_right() public {
        bytes32 id = disputed();
        vote(id, Task.Decision, 0, YES, 1);
        agree(id, Task.Decision, 0, NO);
        ends(id, State.Withheld, 0, HELD + ALL_FEES - 4 * FEE, 0);
    }

    function test_a_silent_committee() public {
        bytes32 id = disputed();
        vote(id, Task.Decision, 0, NO, 1);
        late(id);
        ends(id, State.Withheld, 0, HELD / 2 + ALL_FEES - 2 * FEE, HELD / 2);
    }

    function test_complaints_are_the_requesters_and_in_time() public {
        bytes32 id = handed();
        bytes memory call = abi.encodeCall(market.complain, (id));
        refuses(provider, call, why(IMarketErrors.NotRequester.selector, provider));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(requester, call, why(IMarketErrors.TooLate.selector, until));
    }

    function test_handing_over_is_the_providers_and_in_time() public {
        bytes32 id = delivering();
        bytes memory call = abi.encodeCall(market.deliver, (id, 0));
        refuses(stranger, call, why(IMarketErrors.NotProvider.selector, stranger));
        deliver(id);
        vote(id, Task.Fetchable, 0, YES, 0);
        // What is handed over again is asked about again.
        vm.prank(hot);
        market.deliver(id, keccak256("other weights"));
        vote(id, Task.Fetchable, 0, YES, 1);
        inState(id, State.Delivering);
        vote(id, Task.Fetchable, 0, YES, 0);
        inState(id, State.Handed);
        id = delivering();
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        call = abi.encodeCall(market.deliver, (id, 0));
        refuses(provider, call, why(IMarketErrors.TooLate.selector, until));
    }

    function test_without_a_committee() public {
        Terms memory t = terms(Assurance.Proven);
        t.committee.members = new address[](0);
        t.committee.threshold = 0;
        bytes32 id = running(t);
        eq(market.jobOf(id).fees, 0, "no fees");
        proveAll(id);
        deliver(id);
        inState(id, State.Handed);
        vm.prank(requester);
        market.complain(id);
        refuses(
            stranger,
            abi.encodeCall(market.attest, (id, Task.Decision, 0, YES, 0, "")),
            why(IMarketErrors.NotMember.selector, uint256(0))
        );
        late(id);
        ends(id, State.Withheld, 0, HELD / 2, HELD / 2);
    }
}
