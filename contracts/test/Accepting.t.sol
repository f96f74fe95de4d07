// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Member, Seat, State, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice From the offer to the start: the price, the bond, and a job that is handed back.
contract AcceptingTest is Scene {
    function test_price_grows_evenly_and_is_fixed_by_accepting() public {
        Terms memory t = terms(Assurance.Proven);
        (t.price.start, t.price.rampSecs) = (PRICE / 2, 1000);
        bytes32 id = open(t);
        uint256 start = vm.getBlockTimestamp();
        eq(market.priceOf(id), PRICE / 2, "at first");
        vm.warp(start + 500);
        eq(market.priceOf(id), PRICE * 3 / 4, "half way");
        bytes memory dear = abi.encodeCall(market.accept, (id, PRICE * 3 / 4 + 1));
        refuses(
            provider, dear, abi.encodeWithSelector(IMarketErrors.PriceTooLow.selector, PRICE * 3 / 4, PRICE * 3 / 4 + 1)
        );
        vm.prank(provider);
        market.accept(id, PRICE * 3 / 4);
        vm.warp(start + 1000);
        eq(market.priceOf(id), PRICE, "at last");
        eq(market.jobOf(id).price, PRICE * 3 / 4, "fixed");
        vm.prank(provider);
        market.start(id);
        proveAll(id);
        vm.prank(requester);
        market.acknowledge(id);
        eq(market.jobOf(id).earned, SEGMENTS * (PRICE * 3 / 4), "a job pays its fixed price");
        solvent();
    }

    function test_open_job_cannot_be_accepted_late() public {
        bytes32 id = opened(Assurance.Proven);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(provider, abi.encodeCall(market.accept, (id, 0)), why(IMarketErrors.TooLate.selector, until));
    }

    /// A team of one: what is asked of all who accept.
    function asTeam(bytes32 id) private view returns (bytes memory) {
        Seat[] memory seats = new Seat[](1);
        seats[0].member = Member(provider, 10_000, BOND);
        return abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
    }

    function test_a_team_comes_neither_late_nor_early() public {
        bytes32 id = assigned(terms(Assurance.Proven));
        vm.prank(provider);
        market.decline(id);
        bytes memory early = why(IMarketErrors.TooEarly.selector, vm.getBlockNumber() + 1);
        refuses(provider, asTeam(id), early);
        nextBlock();
        refuses(provider, asTeam(id), early);
        nextBlock();
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(provider, asTeam(id), why(IMarketErrors.TooLate.selector, until));
        vm.warp(until);
        bytes memory call = asTeam(id);
        vm.prank(provider);
        (bool done,) = address(market).call(call);
        yes(done, "in the last second");
        inState(id, State.Assigned);
        solvent();
    }

    function test_accepting_needs_a_node_and_a_bond() public {
        bytes32 id = opened(Assurance.Proven);
        refuses(
            stranger,
            abi.encodeCall(market.accept, (id, 0)),
            abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, stranger, uint8(1))
        );
        enrol(stranger, 0xee9, address(0), 3);
        refuses(
            stranger,
            abi.encodeCall(market.accept, (id, 0)),
            abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, stranger, 0, BOND)
        );
        uint256 before = vault.free(provider);
        vm.prank(provider);
        market.accept(id, 0);
        eq(vault.bonded(id, provider), BOND, "bond");
        eq(vault.free(provider), before - BOND, "free");
        solvent();
    }

    function test_data_withheld_by_the_requester() public {
        bytes32 id = assigned(terms(Assurance.Proven));
        uint256 free = vault.free(provider);
        refuses(stranger, abi.encodeCall(market.decline, (id)), why(IMarketErrors.NotProvider.selector, stranger));
        refuses(stranger, abi.encodeCall(market.start, (id)), why(IMarketErrors.NotProvider.selector, stranger));
        vm.prank(provider);
        market.decline(id);
        inState(id, State.Open);
        eq(vault.free(provider), free + BOND - 24e18, "a small fee");
        eq(vault.owed(BURNT), 24e18, "goes to nobody");
        eq(market.teamOf(id).length, 0, "no team");
        // Another one takes it, and is silent.
        reopened();
        vm.prank(partner);
        market.accept(id, 0);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(partner, abi.encodeCall(market.start, (id)), why(IMarketErrors.TooLate.selector, until));
        market.advance(id);
        inState(id, State.Open);
        eq(vault.owed(BURNT), 48e18, "silence costs the same");
        late(id);
        inState(id, State.Expired);
        eq(market.owed(requester), PRICE * SEGMENTS + 6 * FEE, "all back");
        solvent();
    }

    function test_a_hot_key_runs_a_job_but_cannot_accept_one() public {
        bytes32 id = opened(Assurance.Proven);
        refuses(
            hot,
            abi.encodeCall(market.accept, (id, 0)),
            abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, hot, uint8(1))
        );
        vm.prank(provider);
        market.accept(id, 0);
        vm.prank(hot);
        market.start(id);
        inState(id, State.Running);
        vm.prank(provider);
        nodes.remove(vm.addr(0xee1));
        refuses(hot, abi.encodeCall(market.abandon, (id)), why(IMarketErrors.NotProvider.selector, hot));
        // The owner stays the owner without any node.
        vm.prank(provider);
        market.abandon(id);
    }

    function ramp() private view returns (Terms memory t) {
        t = terms(Assurance.Proven);
        (t.price.start, t.price.rampSecs) = (PRICE / 2, 1000);
    }

    /// Whoever holds a job and does not start makes it no dearer, by silence or by declining.
    function test_the_price_stands_still_while_a_provider_holds_the_job() public {
        bytes32 id = open(ramp());
        uint256 start = vm.getBlockTimestamp();
        uint256 expiry = market.jobOf(id).deadline;
        vm.warp(start + 100);
        eq(market.priceOf(id), PRICE * 55 / 100, "a tenth of the way");
        vm.prank(provider);
        market.accept(id, 0);
        vm.warp(start + 700);
        vm.prank(provider);
        market.decline(id);
        eq(market.priceOf(id), PRICE * 55 / 100, "where it was");
        eq(market.jobOf(id).deadline, expiry, "it expires when it would have");
        vm.warp(start + 800);
        reopened();
        eq(market.priceOf(id), PRICE * 60 / 100, "another tenth");
        vm.prank(partner);
        market.accept(id, 0);
        eq(market.jobOf(id).price, PRICE * 60 / 100, "fixed");
        // Silent, and for longer than it may be.
        vm.warp(start + 2 hours);
        market.advance(id);
        eq(market.priceOf(id), PRICE * 60 / 100, "where it was again");
        eq(market.jobOf(id).deadline, expiry, "expiry");
        vm.warp(start + 2 hours + 400);
        eq(market.priceOf(id), PRICE * 80 / 100, "grows on");
        vm.warp(start + 2 hours + 1000);
        eq(market.priceOf(id), PRICE, "to the end");
        solvent();
    }

    /// In one transaction, or from the end of one block to the beginning of the next, there would be no moment in which the
    /// requester can cancel.
    function test_a_job_that_was_handed_back_is_open_for_a_block() public {
        bytes32 id = assigned(terms(Assurance.Proven));
        vm.prank(provider);
        market.decline(id);
        bytes memory early = why(IMarketErrors.TooEarly.selector, vm.getBlockNumber() + 1);
        for (uint256 i = 0; i < 2; ++i) {
            refuses(provider, abi.encodeCall(market.accept, (id, 0)), early);
            refuses(partner, abi.encodeCall(market.accept, (id, 0)), early);
            uint256 here = vm.snapshotState();
            vm.prank(requester);
            market.cancel(id);
            inState(id, State.Cancelled);
            vm.revertToState(here);
            nextBlock();
        }
        vm.prank(partner);
        market.accept(id, 0);
        inState(id, State.Assigned);
        solvent();
    }
}
