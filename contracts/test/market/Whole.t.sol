// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {BURNT} from "../../src/market/Token.sol";
import {BatchState, Job, Licence, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Jobs of which every segment is proven.
contract WholeTest is Scene {
    function isBatch(bytes32 id, uint256 batch, BatchState state) private view {
        eq(uint256(market.batchOf(id, batch).state), uint256(state), "state of the batch");
    }

    function test_a_job_is_paid_batch_by_batch() public {
        bytes32 id = running(true);
        uint256 had = market.owed(provider);
        for (uint256 batch = 0; batch < BATCHES; ++batch) {
            isBatch(id, batch, BatchState.Filling);
            fillAndClose(id);
            isBatch(id, batch, BatchState.Proving);
            proveDue(id, batch);
            eq(market.owed(provider), had + batch * K * PRICE, "a proof alone pays nothing");
            if (batch + 1 < BATCHES) acknowledge(id, batch);
            else settle(id);
        }
        isBatch(id, 2, BatchState.Settled);
        isState(id, State.Completed);
        eq(market.owed(provider), had + SEGMENTS * PRICE, "the whole price");
        eq(vault.bonded(id, provider), 0, "the bond is free");
        eq(market.jobOf(id).paid, SEGMENTS * PRICE, "counted");
        eq(market.jobOf(id).current, lastOf(SEGMENTS - 1), "where a child starts");
        eq(nodes.amounts(address(market), provider, uint8(State.Completed)), SEGMENTS * PRICE, "and recorded");
        solvent();
    }

    function test_one_provider_claims_and_proves_in_one_call() public {
        bytes32 id = running(true);
        for (uint256 i = 0; i < K; ++i) {
            bytes memory p = proof(id, i, lastOf(i));
            refuses(
                stranger,
                abi.encodeCall(market.claimProven, (id, i, p)),
                abi.encodeWithSelector(IMarketErrors.NotProvider.selector, stranger)
            );
            vm.prank(i % 2 == 0 ? provider : hot);
            market.claimProven(id, i, p);
        }
        bytes memory next = proof(id, K, lastOf(K));
        bytes memory call = abi.encodeCall(market.claimProven, (id, K, next));
        refuses(provider, call, why(IMarketErrors.TooManyClaims.selector, SEGMENTS));
        close(id);
        eq(market.batchOf(id, 0).record.until, 0, "nothing is due");
        acknowledge(id, 0);
        eq(market.owed(provider), K * PRICE, "paid");
        vm.prank(provider);
        market.claimProven(id, K, next);
        refuses(provider, call, why(IMarketErrors.WrongIndex.selector, K + 1, K));
    }

    /// Whoever knows data and weights could prove an end with blindings of its own, from which the team cannot go on.
    function test_only_the_lead_says_where_a_segment_ends() public {
        bytes32 id = running(true);
        bytes memory p = proof(id, 0, falseOf(0));
        refuses(requester, abi.encodeCall(market.prove, (id, 0, p)), why(IMarketErrors.NotPending.selector, 0));
        bytes32[] memory lasts = new bytes32[](1);
        bytes memory notLead = abi.encodeWithSelector(IMarketErrors.NotProvider.selector, requester);
        refuses(requester, abi.encodeCall(market.claim, (id, 0, lasts)), notLead);
        refuses(requester, abi.encodeCall(market.claimProven, (id, 0, p)), notLead);
        claim(id, 1);
        bytes memory other = abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(0), falseOf(0));
        refuses(requester, abi.encodeCall(market.prove, (id, 0, p)), other);
    }

    function test_nothing_is_paid_without_proofs_or_before_the_time() public {
        bytes32 id = running(true);
        bytes memory settle_ = abi.encodeCall(market.settle, (id));
        refuses(stranger, settle_, why(IMarketErrors.NothingToSettle.selector));
        fillAndClose(id);
        refuses(stranger, settle_, why(IMarketErrors.NotProven.selector, 15));
        acknowledge(id, 0);
        refuses(stranger, settle_, why(IMarketErrors.NotProven.selector, 15));
        proveDue(id, 0);
        eq(market.owed(provider), K * PRICE, "the last proof pays an acknowledged batch");
        fillAndClose(id);
        proveDue(id, 1);
        uint256 until = market.batchOf(id, 1).record.closedAt + 48 hours;
        refuses(stranger, settle_, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until);
        refuses(stranger, settle_, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        market.settle(id);
    }

    function test_batches_are_settled_in_order() public {
        bytes32 id = running(true);
        fillAndClose(id);
        fillAndClose(id);
        proveDue(id, 1);
        acknowledge(id, 1);
        eq(market.owed(provider), 0, "the first is not proven");
        proveDue(id, 0);
        acknowledge(id, 0);
        eq(market.owed(provider), K * PRICE, "the first");
        market.settle(id);
        eq(market.owed(provider), 2 * K * PRICE, "and the second");
    }

    function test_claims_are_in_order_and_as_many_as_there_are() public {
        bytes32 id = running(true);
        bytes32[] memory lasts = new bytes32[](SEGMENTS + 1);
        refuses(provider, abi.encodeCall(market.claim, (id, 1, lasts)), why(IMarketErrors.WrongIndex.selector, 0, 1));
        refuses(
            provider, abi.encodeCall(market.claim, (id, 0, lasts)), why(IMarketErrors.TooManyClaims.selector, SEGMENTS)
        );
        refuses(provider, abi.encodeCall(market.claim, (id, 0, new bytes32[](0))), why(IMarketErrors.NoClaims.selector));
        refuses(
            provider,
            abi.encodeCall(market.claim, (id, 0, new bytes32[](65))),
            why(IMarketErrors.TooManyClaims.selector, 64)
        );
        claim(id, 9);
        // Proofs go into the batch being filled, not into those behind it.
        prove(id, 3);
        bytes memory p = proof(id, 4, lastOf(4));
        refuses(stranger, abi.encodeCall(market.prove, (id, 4, p)), why(IMarketErrors.NotPending.selector, 4));
        close(id);
        prove(id, 4);
        p = proof(id, 4, lastOf(4));
        refuses(stranger, abi.encodeCall(market.prove, (id, 4, p)), why(IMarketErrors.NotPending.selector, 4));
    }

    function test_closes_are_in_order_and_full() public {
        bytes32 id = running(true);
        claim(id, 3);
        refuses(provider, abi.encodeCall(market.close, (id, 0, ROOT, 0)), why(IMarketErrors.NotFull.selector, 3, 4));
        claim(id, 5);
        refuses(provider, abi.encodeCall(market.close, (id, 1, ROOT, 0)), why(IMarketErrors.WrongIndex.selector, 0, 1));
        bytes memory notLead = abi.encodeWithSelector(IMarketErrors.NotProvider.selector, stranger);
        refuses(stranger, abi.encodeCall(market.close, (id, 0, ROOT, 0)), notLead);
        close(id);
        close(id);
        refuses(provider, abi.encodeCall(market.close, (id, 2, ROOT, 0)), why(IMarketErrors.NotFull.selector, 8, 10));
        fillAndClose(id);
        refuses(provider, abi.encodeCall(market.close, (id, 2, ROOT, 0)), why(IMarketErrors.WrongIndex.selector, 2, 2));
    }

    function test_no_more_batches_wait_than_agreed() public {
        Terms memory t = terms(true);
        t.batches.ahead = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        claim(id, K);
        refuses(provider, abi.encodeCall(market.close, (id, 1, ROOT, 0)), why(IMarketErrors.NoRoom.selector, 1));
        proveDue(id, 0);
        skip(60 hours);
        settle(id);
        eq(market.jobOf(id).progressAt, vm.getBlockTimestamp(), "room was made");
        close(id);
    }

    function test_a_late_proof_costs_a_tenth_once_a_batch() public {
        bytes32 id = running(true);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.until;
        eq(until, vm.getBlockTimestamp() + 36 hours + 40 minutes, "the queue");
        vm.warp(until);
        prove(id, 0);
        eq(vault.bonded(id, provider), BOND, "in time");
        vm.warp(until + 1);
        prove(id, 1);
        eq(vault.bonded(id, provider), BOND * 9 / 10, "late");
        vm.warp(until + 36 hours);
        prove(id, 2);
        eq(vault.bonded(id, provider), BOND * 9 / 10, "once");
        eq(vault.owed(BURNT), BOND / 10, "burnt");
        vm.warp(until + 36 hours + 1);
        bytes memory p = proof(id, 3, lastOf(3));
        refuses(
            stranger, abi.encodeCall(market.prove, (id, 3, p)), why(IMarketErrors.TooLate.selector, until + 36 hours)
        );
        market.fail(id, 3);
        isState(id, State.Slashed);
        solvent();
    }

    function test_a_failed_batch_takes_nothing_from_those_before_it() public {
        bytes32 id = running(true);
        fillAndClose(id);
        fillAndClose(id, 5);
        fillAndClose(id);
        proveDue(id, 0);
        uint256 until = market.batchOf(id, 1).record.until;
        bytes memory call = abi.encodeCall(market.fail, (id, 5));
        vm.warp(until + 36 hours);
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until + 36 hours));
        vm.warp(until + 36 hours + 1);
        refuses(stranger, abi.encodeCall(market.fail, (id, 0)), why(IMarketErrors.NotPending.selector, 0));
        refuses(stranger, abi.encodeCall(market.fail, (id, 10)), why(IMarketErrors.NotPending.selector, 10));
        market.fail(id, 5);
        Job memory job = market.jobOf(id);
        eq(job.total, K, "as long as what comes before");
        eq(job.closed, K, "closed");
        isState(id, State.Running);
        isBatch(id, 0, BatchState.Proving);
        isBatch(id, 1, BatchState.Void);
        isBatch(id, 2, BatchState.Void);
        refuses(stranger, call, why(IMarketErrors.NotWaiting.selector, 1));
        uint256 had = market.owed(requester);
        uint256 burnt = vault.owed(BURNT);
        settle(id);
        isState(id, State.Slashed);
        eq(market.owed(provider), K * PRICE, "the first batch is paid");
        eq(market.owed(requester) - had, (SEGMENTS - K) * PRICE + 4 * HAND_BACK, "the rest goes back, and no more");
        eq(vault.owed(BURNT) - burnt, BOND, "nobody challenged");
        eq(vault.bonded(id, provider), 0, "all of the bond");
        solvent();
    }

    /// Bonds answer for the earliest batch that failed; the job ends once.
    function test_two_batches_fail() public {
        bytes32 id = running(true);
        fillAndClose(id);
        fillAndClose(id);
        skip(200 hours);
        market.fail(id, 6);
        isState(id, State.Running);
        eq(market.jobOf(id).total, K, "behind the first");
        market.fail(id, 1);
        isState(id, State.Slashed);
        eq(market.jobOf(id).total, 0, "nothing is left");
        eq(vault.owed(BURNT), BOND, "once");
        solvent();
    }

    function test_deadlines_form_a_queue() public {
        bytes32 id = running(true);
        fillAndClose(id);
        prove(id, 2);
        uint256 first = market.batchOf(id, 0).record.until;
        fillAndClose(id);
        uint256 second = market.batchOf(id, 1).record.until;
        eq(second, first + 40 minutes, "behind the first");
        skip(80 hours);
        fillAndClose(id);
        eq(market.batchOf(id, 2).record.until, vm.getBlockTimestamp() + 36 hours + 20 minutes, "or a whole period");
    }

    function test_royalty_is_rounded_up_and_paid_with_the_batch() public {
        Terms memory t = terms(true);
        (t.price.start, t.price.max) = (PRICE + 1, PRICE + 1);
        t.price.bond = K * (PRICE + 1);
        Licence memory licence = licensed(t, 1000);
        bytes32 id = open(t, licence);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.start(id);
        eq(market.jobOf(id).royalty, PRICE / 10 + 1, "rounded up");
        fillAndClose(id);
        proveDue(id, 0);
        eq(market.owed(royalties), 0, "not before");
        acknowledge(id, 0);
        eq(market.owed(royalties), K * (PRICE / 10 + 1), "royalty");
        eq(market.owed(provider), K * (PRICE - PRICE / 10), "the rest");
        solvent();
    }

    /// Every unit starts from the model; the batch's end is the hash of its claims.
    function test_units_that_are_not_chained() public {
        Terms memory t = terms(true);
        t.training.chained = false;
        bytes32 id = running(t);
        claim(id, SEGMENTS);
        eq(market.segmentOf(id, 3).first, FIRST, "from the model");
        close(id);
        proveDue(id, 0);
        bytes32 end = keccak256(abi.encode(bytes32(0), lastOf(0), lastOf(1), lastOf(2), lastOf(3)));
        eq(market.batchOf(id, 0).last, end, "hash of the claims");
        bytes memory call = abi.encodeCall(market.acknowledge, (id, 0, lastOf(3), ROOT));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.WrongLast.selector, end, lastOf(3)));
        acknowledge(id, 0);
        eq(market.owed(provider), K * PRICE, "paid");
        close(id);
        bytes32 next = keccak256(abi.encode(end, lastOf(4), lastOf(5), lastOf(6), lastOf(7)));
        eq(market.batchOf(id, 1).last, next, "running");
    }

    /// A job of one rate holds it beside its counters.
    function test_rates_are_those_of_the_terms() public {
        bytes32 id = running(true);
        claim(id, 6);
        eq(market.segmentOf(id, 4).rate, 9, "before the change");
        eq(market.segmentOf(id, 5).rate, 4, "from the change on");
        eq(market.jobOf(id).rate, 0, "it has two");
        Terms memory t = terms(true);
        t.training.rates = new uint64[](1);
        t.training.rates[0] = 11;
        id = running(t);
        claim(id, 6);
        eq(market.jobOf(id).rate, 11, "it has one");
        eq(market.segmentOf(id, 0).rate, 11, "the first");
        eq(market.segmentOf(id, 5).rate, 11, "and all others");
    }

    /// An honest provider at home survives an outage of a day.
    function test_an_outage_of_a_day_costs_nothing() public {
        bytes32 id = running(true);
        fillAndClose(id);
        skip(24 hours);
        proveDue(id, 0);
        eq(vault.bonded(id, provider), BOND, "nothing lost");
        id = drawn();
        skip(24 hours);
        proveDue(id, 0);
        eq(vault.bonded(id, provider), BOND, "nothing lost");
    }
}
