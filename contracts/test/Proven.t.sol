// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Segment} from "../src/interfaces/ISegmentVerifier.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Job, State, Task, Terms} from "../src/market/Types.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Bounds} from "../src/market/Bounds.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice A job whose every segment comes with its proof.
contract ProvenTest is Scene {
    function test_a_job_from_end_to_end() public {
        bytes32 id = running(Assurance.Proven);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            prove(id, i);
            Job memory job = market.jobOf(id);
            eq(job.settled, i + 1, "settled");
            eq(job.claimed, i + 1, "claimed");
            eq(job.current, lastOf(i), "current");
            eq(job.earned, (i + 1) * PRICE * 8 / 10, "earned");
            eq(job.held, (i + 1) * PRICE * 2 / 10, "held");
        }
        inState(id, State.Delivering);
        deliver(id);
        agree(id, Task.Fetchable, 0, YES);
        inState(id, State.Handed);
        vm.prank(requester);
        market.acknowledge(id);
        inState(id, State.Completed);
        market.collect(id);
        eq(market.owed(provider), SEGMENTS * PRICE, "the whole price");
        eq(market.owed(requester), FEE * 4, "fees that nobody earned");
        eq(vault.bonded(id, provider), 0, "bond");
        uint256 before = token.balanceOf(provider);
        vm.prank(stranger);
        market.withdraw(provider);
        eq(token.balanceOf(provider) - before, SEGMENTS * PRICE, "paid");
        refuses(
            stranger, abi.encodeCall(market.withdraw, (provider)), why(IMarketErrors.NothingOwed.selector, provider)
        );
        eq(nodes.outcomes(address(market), provider, uint8(State.Completed)), 1, "counted");
        eq(nodes.outcomes(address(market), requester, uint8(State.Completed) | 0x80), 1, "counted for the requester");
        solvent();
    }

    /// The cut of the epoch is that of circuits/src/network/epoch.rs, and the rates are those of the schedule.
    function test_segments_are_cut_from_storage() public {
        bytes32 id = running(Assurance.Proven);
        uint32[3] memory steps = [uint32(4), 4, 3];
        uint32[3] memory rows = [uint32(10), 10, 7];
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            Segment memory got = market.segmentOf(id, i);
            Segment memory expected = Segment({
                job: id,
                owner: provider,
                index: uint64(i),
                dataRoot: ROOT,
                epochSegments: 3,
                position: uint64(i % 3),
                liveSteps: steps[i % 3],
                liveRows: rows[i % 3],
                rate: i < 5 ? 9 : 4,
                first: i == 0 ? FIRST : lastOf(i - 1)
            });
            eq(keccak256(abi.encode(got)), keccak256(abi.encode(expected)), "segment");
            prove(id, i);
        }
    }

    function test_nothing_is_told_of_a_royalty_of_nothing() public {
        bytes32 id = running(Assurance.Proven);
        vm.recordLogs();
        prove(id, 0);
        noEmptyPayment();
    }

    function testFuzz_every_row_is_in_one_live_step(uint32 rows, uint16 batch, uint8 steps) public {
        rows = rows % 5000 + 1;
        batch = batch % 300 + 1;
        steps = steps % 40 + 1;
        MockVerifier cut = new MockVerifier(address(token), Mode.Check, false, batch, steps);
        Terms memory t = terms(Assurance.Sampled);
        (t.training.verifier, t.training.verifierCode) = (address(cut), address(cut).codehash);
        t.training.rows = rows;
        t.training.segments = 4096;
        (t.checks.draws, t.price.bond, t.times.proveSecs) = (64, PRICE * 64, Bounds.MIN_SECS);
        bytes32 id = running(t);
        uint256 total = 0;
        uint256 segments = market.segmentOf(id, 0).epochSegments;
        if (segments > 50) return;
        claim(id, 0, segments);
        for (uint256 i = 1; i <= segments; ++i) {
            Segment memory segment = market.segmentOf(id, i);
            eq(segment.position, i % segments, "position");
            yes(segment.liveSteps > 0 && segment.liveSteps <= steps, "steps");
            yes(segment.liveRows > 0 && segment.liveRows <= batch, "rows");
            total += (segment.liveSteps - 1) * uint256(batch) + segment.liveRows;
        }
        eq(total, rows, "rows");
    }

    /// Of a job that there is, and not further than the next segment: where that one begins is known.
    function test_segments_that_are_not_known_are_refused() public {
        bytes32 none = keccak256("no job");
        refuses(stranger, abi.encodeCall(market.segmentOf, (none, 0)), wrongState(none, State.None));
        bytes32 id = running(Assurance.Proven);
        unknown(id, 1);
        prove(id, 0);
        eq(market.segmentOf(id, 0).first, FIRST, "where the job begins");
        prove(id, 1);
        unknown(id, 1);
        unknown(id, 3);
        eq(market.segmentOf(id, 2).first, lastOf(1), "the next");
        id = running(Assurance.Optimistic);
        claim(id, 0, 3);
        prove(id, 0);
        eq(market.segmentOf(id, 0).first, FIRST, "settled");
        eq(market.segmentOf(id, 1).first, lastOf(0), "first in the queue");
        eq(market.segmentOf(id, 3).first, lastOf(2), "the next");
        unknown(id, 4);
        unknown(id, type(uint256).max);
        id = drawing();
        eq(market.segmentOf(id, SEGMENTS - 1).first, lastOf(SEGMENTS - 2), "the last");
        unknown(id, SEGMENTS);
    }

    function unknown(bytes32 id, uint256 index) private {
        refuses(stranger, abi.encodeCall(market.segmentOf, (id, index)), why(IMarketErrors.NotPending.selector, index));
    }

    function test_segments_out_of_order_are_refused() public {
        bytes32 id = running(Assurance.Proven);
        bytes memory first = proof(id, 0, lastOf(0));
        bytes memory call = abi.encodeCall(market.prove, (id, 1, first));
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.WrongIndex.selector, 0, 1));
        prove(id, 0);
        call = abi.encodeCall(market.prove, (id, 0, first));
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.WrongIndex.selector, 1, 0));
        call = abi.encodeCall(market.prove, (id, 1, first));
        refuses(provider, call, why(MockVerifier.NotAProof.selector));
        eq(market.jobOf(id).earned, PRICE * 8 / 10, "paid once");
    }

    function test_a_proof_for_another_job_is_refused() public {
        bytes32 id = running(Assurance.Proven);
        bytes32 other = running(Assurance.Proven);
        bytes memory p = proof(id, 0, lastOf(0));
        refuses(provider, abi.encodeCall(market.prove, (other, 0, p)), why(MockVerifier.NotAProof.selector));
    }

    function test_the_money_goes_to_the_owner_in_the_statement() public {
        bytes32 id = running(Assurance.Proven);
        prove(id, 0);
        market.collect(id);
        eq(market.owed(stranger), 0, "not to the sender");
        eq(market.owed(provider), PRICE * 8 / 10, "to the owner");
    }

    /// Whoever has data, weights and seed can prove an end with other blindings, from which the provider cannot go on.
    function test_only_the_provider_says_where_a_segment_ends() public {
        bytes32 id = running(Assurance.Proven);
        bytes memory p = proof(id, 0, keccak256("with other blindings"));
        bytes memory call = abi.encodeCall(market.prove, (id, 0, p));
        refuses(stranger, call, why(IMarketErrors.NotProvider.selector, stranger));
        refuses(requester, call, why(IMarketErrors.NotProvider.selector, requester));
        prove(id, 0);
        // A claim says it beforehand: its proof may come from anyone, and must end there.
        id = running(Assurance.Optimistic);
        claim(id, 0, 1);
        p = proof(id, 0, keccak256("with other blindings"));
        bytes memory reason =
            abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(0), keccak256("with other blindings"));
        refuses(stranger, abi.encodeCall(market.prove, (id, 0, p)), reason);
        prove(id, 0);
    }

    function test_a_late_proof_is_refused_and_the_job_defaults() public {
        bytes32 id = running(Assurance.Proven);
        prove(id, 0);
        bytes memory p = proof(id, 1, lastOf(1));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        refuses(stranger, abi.encodeCall(market.advance, (id)), why(IMarketErrors.TooEarly.selector, until));
        uint256 here = vm.snapshotState();
        vm.prank(provider);
        market.prove(id, 1, p);
        vm.revertToState(here);
        vm.warp(until + 1);
        refuses(provider, abi.encodeCall(market.prove, (id, 1, p)), why(IMarketErrors.TooLate.selector, until));
        uint256 free = vault.free(provider);
        market.advance(id);
        inState(id, State.Defaulted);
        uint256 burnt = BOND * 6 / 70;
        eq(vault.free(provider), free + BOND - burnt, "bond");
        eq(vault.owed(BURNT), burnt, "burnt: at most a tenth");
        eq(market.jobOf(id).earned, PRICE * 8 / 10, "settled stays paid");
        eq(market.owed(requester), PRICE * SEGMENTS + 6 * FEE - PRICE * 8 / 10, "refund with the last share");
        solvent();
    }

    function test_a_provider_may_leave_at_a_boundary() public {
        bytes32 id = running(Assurance.Proven);
        for (uint256 i = 0; i < SEGMENTS - 1; ++i) {
            prove(id, i);
        }
        refuses(stranger, abi.encodeCall(market.abandon, (id)), why(IMarketErrors.NotProvider.selector, stranger));
        uint256 free = vault.free(provider);
        vm.prank(hot);
        market.abandon(id);
        inState(id, State.Defaulted);
        eq(vault.free(provider), free + BOND - BOND / 70, "a tenth for what was not done");
        eq(nodes.outcomes(address(market), provider, uint8(State.Defaulted)), 1, "counted");
        solvent();
    }

    function test_levels_have_their_own_steps() public {
        bytes32 id = running(Assurance.Proven);
        bytes memory level = abi.encodeWithSelector(IMarketErrors.WrongLevel.selector, Assurance.Proven);
        refuses(provider, abi.encodeCall(market.claim, (id, 0, new bytes32[](1))), level);
        refuses(requester, confirming(id, 0), level);
        refuses(stranger, abi.encodeCall(market.attest, (id, Task.Opening, 0, YES, 0, "")), level);
        refuses(stranger, abi.encodeCall(market.settle, (id)), why(IMarketErrors.NothingToSettle.selector));
    }

    function withVerifier(Mode mode) private returns (bytes32) {
        MockVerifier other = new MockVerifier(address(token), mode, false, 10, 4);
        Terms memory t = terms(Assurance.Proven);
        (t.training.verifier, t.training.verifierCode) = (address(other), address(other).codehash);
        return running(t);
    }

    /// A verifier that takes everything costs the requester that named it its escrow, and nobody else anything.
    function test_a_verifier_that_accepts_everything() public {
        bytes32 id = withVerifier(Mode.AcceptAll);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            vm.prank(provider);
            market.prove(id, i, abi.encode(bytes32(0), lastOf(i)));
        }
        bytes memory call = abi.encodeCall(market.prove, (id, SEGMENTS, abi.encode(bytes32(0), FIRST)));
        refuses(provider, call, wrongState(id, State.Delivering));
        late(id);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10, "not more than the price");
        solvent();
    }

    /// A verifier that refuses everything costs the provider that took it a tenth of its bond.
    function test_a_verifier_that_rejects_everything() public {
        bytes32 id = withVerifier(Mode.RejectAll);
        bytes memory call = abi.encodeCall(market.prove, (id, 0, abi.encode(bytes32(0), lastOf(0))));
        refuses(provider, call, why(MockVerifier.NotAProof.selector));
        late(id);
        eq(vault.owed(BURNT), BOND / 10, "burnt");
        eq(market.owed(requester), PRICE * SEGMENTS + 6 * FEE, "refund");
        solvent();
    }

    // Divergence.

    function test_divergence_costs_nobody() public {
        bytes32 id = running(Assurance.Proven);
        prove(id, 0);
        uint256 free = vault.free(provider);
        bytes32 verdict = bytes32(uint256(3) << 32 | 1);
        vote(id, Task.Divergence, 1, verdict, 0);
        vote(id, Task.Divergence, 1, bytes32(uint256(4) << 32 | 1), 1);
        inState(id, State.Running);
        vote(id, Task.Divergence, 1, verdict, 2);
        inState(id, State.Diverged);
        eq(vault.free(provider), free + BOND, "no penalty");
        eq(market.jobOf(id).earned, PRICE, "the first segment in full");
        solvent();
    }
}
