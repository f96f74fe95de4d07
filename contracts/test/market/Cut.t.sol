// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Segment} from "../../src/core/interfaces/ISegmentVerifier.sol";
import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {Bounds} from "../../src/market/Bounds.sol";
import {State, Terms} from "../../src/market/Types.sol";
import {Mode, MockVerifier} from "../mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice What a segment's proof must say: the cut of an epoch, from storage alone.
contract CutTest is Scene {
    function test_segments_are_cut_from_storage() public {
        bytes32 id = running(true);
        uint32[3] memory steps = [uint32(4), 4, 3];
        uint32[3] memory rows = [uint32(10), 10, 7];
        claim(id, K);
        for (uint256 i = 0; i <= K; ++i) {
            Segment memory expected = Segment({
                job: id,
                owner: provider,
                index: uint64(i),
                dataRoot: DATA,
                epochSegments: 3,
                position: uint64(i % 3),
                liveSteps: steps[i % 3],
                liveRows: rows[i % 3],
                rate: i < 5 ? 9 : 4,
                first: i == 0 ? FIRST : lastOf(i - 1)
            });
            eq(keccak256(abi.encode(market.segmentOf(id, i))), keccak256(abi.encode(expected)), "segment");
        }
        bytes memory unknown = why(IMarketErrors.NotPending.selector, K + 1);
        refuses(stranger, abi.encodeCall(market.segmentOf, (id, K + 1)), unknown);
        bytes32 none = keccak256("no job");
        bytes memory noJob = abi.encodeWithSelector(IMarketErrors.WrongState.selector, none, State.None);
        refuses(stranger, abi.encodeCall(market.segmentOf, (none, 0)), noJob);
    }

    /// A job of 64 segments in one batch: each is claimed, so that each is known.
    function testFuzz_every_row_is_in_one_live_step(uint32 rows, uint16 stepRows, uint8 steps) public {
        rows = rows % 5000 + 1;
        stepRows = stepRows % 300 + 1;
        steps = steps % 40 + 1;
        MockVerifier cut = new MockVerifier(address(token), Mode.Check, false, stepRows, steps);
        Terms memory t = terms(true);
        (t.training.verifier, t.training.verifierCode) = (address(cut), address(cut).codehash);
        (t.training.rows, t.training.segments, t.training.rates) = (rows, 64, new uint64[](1));
        t.training.rates[0] = 1;
        (t.batches.deliverEvery, t.batches.draws, t.batches.ahead) = (64, 64, 1);
        (t.price.bond, t.times.eachSecs) = (64 * PRICE, Bounds.MIN_SECS);
        bytes32 id = running(t);
        uint256 segments = market.segmentOf(id, 0).epochSegments;
        if (segments > 60) return;
        claim(id, segments);
        uint256 total = 0;
        for (uint256 i = 1; i <= segments; ++i) {
            Segment memory segment = market.segmentOf(id, i);
            eq(segment.position, i % segments, "position");
            yes(segment.liveSteps > 0 && segment.liveSteps <= steps, "steps");
            yes(segment.liveRows > 0 && segment.liveRows <= stepRows, "rows");
            total += (segment.liveSteps - 1) * uint256(stepRows) + segment.liveRows;
        }
        eq(total, rows, "rows");
    }

    /// What a proof reads is that of the posting: a verifier that says another shape later changes nothing.
    function test_a_jobs_shape_and_verifier_stay() public {
        bytes32 id = running(true);
        bytes32 before = keccak256(abi.encode(market.segmentOf(id, 0)));
        vm.etch(address(verifier), address(new MockVerifier(address(token), Mode.Check, false, 3, 2)).code);
        eq(keccak256(abi.encode(market.segmentOf(id, 0))), before, "segment");
        eq(market.jobOf(id).stepRows, 10, "rows of a step");
        yes(market.jobOf(id).verifier == address(verifier), "verifier");
    }
}
