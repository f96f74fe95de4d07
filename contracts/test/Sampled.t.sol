// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Job, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice A job of which some segments are drawn and must be proven.
contract SampledTest is Scene {
    function count(bytes32 id) private view returns (uint256 due) {
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            if (market.isDue(id, i)) ++due;
        }
    }

    function test_drawn_segments_are_proven_and_all_are_paid() public {
        bytes32 id = proving();
        eq(count(id), 3, "due");
        eq(market.jobOf(id).due, 3, "due by the job");
        eq(market.jobOf(id).earned, 0, "nothing is paid before");
        eq(market.jobOf(id).deadline, vm.getBlockTimestamp() + 60 minutes, "time for each");
        proveDue(id);
        inState(id, State.Delivering);
        Job memory job = market.jobOf(id);
        eq(job.settled, SEGMENTS, "all settled");
        eq(job.current, lastOf(SEGMENTS - 1), "current");
        eq(job.earned, SEGMENTS * PRICE * 8 / 10, "all paid");
        solvent();
    }

    function test_only_drawn_segments_count_and_once() public {
        bytes32 id = proving();
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            bytes memory call = abi.encodeCall(market.prove, (id, i, proof(id, i, lastOf(i))));
            if (market.isDue(id, i)) {
                prove(id, i);
                if (market.jobOf(id).state != State.Proving) break;
            }
            refuses(stranger, call, why(IMarketErrors.NotPending.selector, i));
        }
        id = proving();
        bytes memory behind = abi.encodeCall(market.prove, (id, SEGMENTS, ""));
        refuses(stranger, behind, why(IMarketErrors.NotPending.selector, SEGMENTS));
    }

    function dueOne(bytes32 id) private view returns (uint256 i) {
        while (!market.isDue(id, i)) ++i;
    }

    function test_a_false_claim_that_is_drawn_is_slashed() public {
        bytes32 id = running(Assurance.Sampled);
        bytes32[] memory lasts = new bytes32[](SEGMENTS);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            lasts[i] = keccak256(abi.encode("false", i));
        }
        vm.prank(hot);
        market.claim(id, 0, lasts);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        uint256 due = dueOne(id);
        bytes memory call = abi.encodeCall(market.prove, (id, due, proof(id, due, lastOf(due))));
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lasts[due], lastOf(due)));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        refuses(stranger, abi.encodeCall(market.advance, (id)), why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        call = abi.encodeCall(market.prove, (id, due, proof(id, due, lasts[due])));
        refuses(provider, call, why(IMarketErrors.TooLate.selector, until));
        vm.prank(challenger);
        market.advance(id);
        inState(id, State.Slashed);
        eq(vault.owed(requester), BOND / 4, "a quarter to the requester");
        eq(vault.owed(BURNT), BOND * 3 / 4, "the rest to nobody");
        eq(vault.owed(challenger), 0, "nothing to who said so");
        eq(market.jobOf(id).earned, 0, "nothing is paid");
        eq(market.owed(requester), PRICE * SEGMENTS + 6 * FEE, "refund");
        solvent();
    }

    function test_all_claims_in_order_and_in_time() public {
        bytes32 id = running(Assurance.Sampled);
        bytes32[] memory one = new bytes32[](1);
        refuses(stranger, abi.encodeCall(market.claim, (id, 0, one)), why(IMarketErrors.NotProvider.selector, stranger));
        refuses(
            provider,
            abi.encodeCall(market.claim, (id, 1, one)),
            abi.encodeWithSelector(IMarketErrors.WrongIndex.selector, 0, 1)
        );
        bytes memory tooMany = abi.encodeCall(market.claim, (id, 0, new bytes32[](SEGMENTS + 1)));
        refuses(provider, tooMany, why(IMarketErrors.TooManyClaims.selector, SEGMENTS));
        bytes memory none = abi.encodeCall(market.claim, (id, 0, new bytes32[](0)));
        refuses(provider, none, why(IMarketErrors.NoClaims.selector));
        bytes memory page = abi.encodeCall(market.claim, (id, 0, new bytes32[](65)));
        refuses(provider, page, why(IMarketErrors.TooManyClaims.selector, 64));
        claim(id, 0, 3);
        bytes32 claims = 0;
        for (uint256 i = 0; i < 3; ++i) {
            claims = keccak256(abi.encode(claims, lastOf(i)));
        }
        eq(market.jobOf(id).claims, claims, "hash of the claims");
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(provider, abi.encodeCall(market.claim, (id, 3, one)), why(IMarketErrors.TooLate.selector, until));
        late(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).earned, 0, "claims are not paid");
        solvent();
    }

    // The draw, and each way in which it is broken off.

    function test_a_wrong_secret_draws_nothing() public {
        bytes32 id = drawing();
        passDrawBlock(id);
        refuses(stranger, abi.encodeCall(market.reveal, (id, bytes32(0))), why(IMarketErrors.WrongSecret.selector));
    }

    function test_no_draw_before_the_block() public {
        bytes32 id = drawing();
        uint256 drawBlock = market.jobOf(id).drawBlock;
        eq(drawBlock, vm.getBlockNumber() + 8, "to come");
        vm.roll(drawBlock);
        bytes memory early = why(IMarketErrors.TooEarly.selector, drawBlock);
        refuses(stranger, abi.encodeCall(market.reveal, (id, SECRET)), early);
        refuses(stranger, abi.encodeCall(market.keepHash, (id)), early);
    }

    function test_no_secret_in_time_pays_the_claims() public {
        bytes32 id = drawing();
        passDrawBlock(id);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        refuses(stranger, abi.encodeCall(market.advance, (id)), why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        refuses(stranger, abi.encodeCall(market.reveal, (id, SECRET)), why(IMarketErrors.TooLate.selector, until));
        market.advance(id);
        inState(id, State.Delivering);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10, "all paid");
        eq(market.jobOf(id).current, lastOf(SEGMENTS - 1), "current");
        solvent();
    }

    function test_a_lost_hash_makes_all_due_and_never_draws_again() public {
        bytes32 id = drawing();
        vm.roll(market.jobOf(id).drawBlock + 257);
        refuses(stranger, abi.encodeCall(market.keepHash, (id)), why(IMarketErrors.HashLost.selector));
        market.reveal(id, SECRET);
        eq(count(id), SEGMENTS, "all due");
        yes(!market.isDue(id, SEGMENTS), "and no more");
        eq(market.jobOf(id).deadline, vm.getBlockTimestamp() + SEGMENTS * 20 minutes, "time for each");
        refuses(stranger, abi.encodeCall(market.reveal, (id, SECRET)), wrongState(id, State.Proving));
        proveDue(id);
        inState(id, State.Delivering);
        solvent();
    }

    function test_a_kept_hash_cannot_be_lost() public {
        bytes32 id = drawing();
        passDrawBlock(id);
        uint256 here = vm.snapshotState();
        market.reveal(id, SECRET);
        uint256[] memory first = dues(id);
        vm.revertToState(here);
        market.keepHash(id);
        refuses(stranger, abi.encodeCall(market.keepHash, (id)), why(IMarketErrors.HashStored.selector));
        vm.roll(vm.getBlockNumber() + 1000);
        market.reveal(id, SECRET);
        eq(keccak256(abi.encode(dues(id))), keccak256(abi.encode(first)), "the same draw");
    }

    function dues(bytes32 id) private view returns (uint256[] memory all) {
        all = new uint256[](SEGMENTS);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            all[i] = market.isDue(id, i) ? 1 : 0;
        }
    }

    /// The draw depends on job, claims and hash; each segment comes up.
    function testFuzz_a_draw_is_of_distinct_segments(bytes32 hash, uint8 draws) public {
        Terms memory t = terms(Assurance.Sampled);
        t.checks.draws = uint8(draws % SEGMENTS + 1);
        (t.price.bond, t.price.handBackFee) = (SEGMENTS * PRICE, 0);
        bytes32 id = running(t);
        claim(id, 0, SEGMENTS);
        vm.assume(hash != 0);
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        vm.setBlockhash(drawBlock, hash);
        market.reveal(id, SECRET);
        eq(count(id), t.checks.draws, "distinct");
    }

    function test_every_segment_can_be_drawn() public {
        uint256 seen = 0;
        bytes32 id = drawing();
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        for (uint256 k = 1; k <= 60; ++k) {
            uint256 here = vm.snapshotState();
            vm.setBlockhash(drawBlock, keccak256(abi.encode(k)));
            market.reveal(id, SECRET);
            for (uint256 i = 0; i < SEGMENTS; ++i) {
                if (market.isDue(id, i)) seen |= 1 << i;
            }
            vm.revertToState(here);
        }
        eq(seen, (1 << SEGMENTS) - 1, "seen");
    }

    // A proof always pays.

    function test_a_claim_that_is_proven_early_is_paid_and_not_due() public {
        bytes32 id = running(Assurance.Sampled);
        claim(id, 0, 3);
        bytes memory p = proof(id, 1, lastOf(1));
        refuses(
            stranger,
            abi.encodeCall(market.prove, (id, 1, p)),
            abi.encodeWithSelector(IMarketErrors.WrongIndex.selector, 0, 1)
        );
        refuses(stranger, abi.encodeCall(market.prove, (id, 3, p)), why(IMarketErrors.NotPending.selector, uint256(3)));
        prove(id, 0);
        prove(id, 1);
        refuses(stranger, abi.encodeCall(market.prove, (id, 0, p)), why(IMarketErrors.NotPending.selector, uint256(0)));
        eq(market.jobOf(id).earned, 2 * PRICE * 8 / 10, "paid");
        claim(id, 3, SEGMENTS - 3);
        vm.roll(market.jobOf(id).drawBlock + 300);
        market.reveal(id, SECRET);
        eq(count(id), SEGMENTS - 2, "the rest is due");
        yes(!market.isDue(id, 1), "paid is not due");
        proveDue(id);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10, "paid once each");
        solvent();
    }

    function test_a_late_early_proof_is_refused() public {
        bytes32 id = running(Assurance.Sampled);
        claim(id, 0, 3);
        bytes memory p = proof(id, 0, lastOf(0));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(stranger, abi.encodeCall(market.prove, (id, 0, p)), why(IMarketErrors.TooLate.selector, until));
    }

    function test_a_draw_of_proven_segments_only_pays_at_once() public {
        Terms memory t = terms(Assurance.Sampled);
        t.checks.draws = 1;
        (t.price.bond, t.price.handBackFee) = (SEGMENTS * PRICE, 0);
        bytes32 id = running(t);
        claim(id, 0, SEGMENTS - 1);
        for (uint256 i = 0; i < SEGMENTS - 1; ++i) {
            prove(id, i);
        }
        claim(id, SEGMENTS - 1, 1);
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        for (uint256 k = 1; market.jobOf(id).state != State.Delivering; ++k) {
            uint256 here = vm.snapshotState();
            vm.setBlockhash(drawBlock, keccak256(abi.encode(k)));
            market.reveal(id, SECRET);
            if (market.jobOf(id).state == State.Proving) vm.revertToState(here);
        }
        eq(market.jobOf(id).settled, SEGMENTS, "all settled");
        solvent();
    }

    function test_divergence_closes_the_claims() public {
        bytes32 id = running(Assurance.Sampled);
        claim(id, 0, 4);
        agree(id, Task.Divergence, 4, bytes32(uint256(1)));
        inState(id, State.Drawing);
        eq(market.jobOf(id).total, 4, "total");
        passDrawBlock(id);
        market.reveal(id, SECRET);
        eq(count(id), 3, "due");
        proveDue(id);
        inState(id, State.Diverged);
        eq(market.jobOf(id).earned, 4 * PRICE, "claimed segments are paid in full");
        solvent();
    }

    function test_divergence_with_fewer_claims_than_draws() public {
        bytes32 id = running(Assurance.Sampled);
        claim(id, 0, 2);
        agree(id, Task.Divergence, 2, bytes32(uint256(1)));
        passDrawBlock(id);
        market.reveal(id, SECRET);
        eq(count(id), 2, "all due");
        late(id);
        inState(id, State.Slashed);
        solvent();
    }
}
