// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cut} from "../../src/market/Cut.sol";
import {Draws} from "../../src/market/Draws.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {IStakeVault} from "../../src/market/interfaces/IStakeVault.sol";
import {Rules} from "../../src/market/Rules.sol";
import {BURNT} from "../../src/market/Token.sol";
import {Job, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Functions with arithmetic or a deadline, with whatever numbers.
/// forge-config: default.fuzz.runs = 256
/// forge-config: quick.fuzz.runs = 256
contract FuzzTest is Scene {
    function bits(uint256 mask) private pure returns (uint256 count) {
        for (; mask != 0; mask >>= 1) {
            count += mask & 1;
        }
    }

    /// So many distinct segments of so many, whatever the seed.
    function test_draws_are_distinct_and_inside(bytes32 seed, uint8 draws, uint8 count) public pure {
        uint256 n = uint256(count) % 64 + 1;
        uint256 d = uint256(draws) % n + 1;
        uint64 drawn = Draws.choose(seed, d, n);
        eq(bits(drawn), d, "as many");
        eq(drawn & ~Cut.mask(n), 0, "of these");
        eq(Cut.bits(drawn), d, "counted");
    }

    function test_bits_are_counted(uint64 word) public pure {
        eq(Cut.bits(word), bits(word), "bits");
    }

    /// Royalty is at least the share, at most a unit more, and never below the least one.
    function test_royalty_is_rounded_up(uint96 price, uint16 bps, uint96 leastRoyalty) public pure {
        uint256 rate = bps % 5001;
        uint256 royalty = Rules.royalty(price, rate, leastRoyalty);
        yes(royalty >= leastRoyalty, "least");
        yes(royalty * 10_000 >= uint256(price) * rate, "rounded up");
        if (royalty > leastRoyalty) yes((royalty - 1) * 10_000 < uint256(price) * rate, "by less than a unit");
    }

    /// The price grows evenly between its bounds, and stands still while a provider holds the job.
    function test_the_price_grows(uint128 start, uint128 max, uint32 ramp, uint32 passed, uint32 held) public {
        Terms memory t = terms(true, false);
        (t.price.start, t.price.max) = (start % 1e24 + 1, 0);
        t.price.max = t.price.start + max % 1e24;
        (t.price.bond, t.price.handBackFee) = (K * t.price.max, 0);
        t.price.rampSecs = ramp % 1 days;
        require(token.transfer(requester, 1e27));
        bytes32 id = open(t);
        stake_(t.price.bond);
        uint256 secs = passed % 10 hours;
        skipBy(secs);
        uint256 price = market.priceOf(id);
        uint256 wanted = secs >= t.price.rampSecs
            ? t.price.max
            : t.price.start + uint256(t.price.max - t.price.start) * secs / t.price.rampSecs;
        eq(price, wanted, "between");
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        skipBy(held % 10 hours);
        vm.prank(provider);
        market.decline(id);
        eq(market.priceOf(id), wanted, "held");
    }

    function stake_(uint256 amount) private {
        require(token.transfer(provider, 1e28));
        stake(provider, amount + 1);
    }

    function skipBy(uint256 secs) private {
        vm.warp(vm.getBlockTimestamp() + secs);
    }

    /// A proof is in time, late, or refused, to the second; the tenth is of what is left.
    function test_a_proof_at_any_time(uint40 time) public {
        bytes32 id = running(true);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.until;
        uint256 at_ = vm.getBlockTimestamp() + time % 100 hours;
        vm.warp(at_);
        bytes memory p = proof(id, 0, lastOf(0));
        vm.prank(stranger);
        (bool done,) = address(market).call(abi.encodeCall(market.prove, (id, 0, p)));
        yes(done == (at_ <= until + 36 hours), "until the second period is over");
        uint256 burnt = done && at_ > until ? BOND / 10 : 0;
        eq(vault.owed(BURNT), burnt, "a tenth if it is late");
        vm.prank(stranger);
        (done,) = address(market).call(abi.encodeCall(market.fail, (id, 1)));
        yes(done == (at_ > until + 36 hours), "and failed after it");
    }

    /// A batch is paid when the times to complain and to challenge are over, to the second.
    function test_a_settlement_at_any_time(bool whole, uint40 time) public {
        bytes32 id = running(whole);
        fillAndClose(id);
        if (!whole) reveal(id, 0);
        proveDue(id, 0);
        uint256 after_ = market.batchOf(id, 0).paidAfter;
        vm.warp(vm.getBlockTimestamp() + time % 100 hours);
        (bool done,) = address(market).call(abi.encodeCall(market.settle, (id)));
        yes(done == (vm.getBlockTimestamp() > after_), "when it may");
        eq(market.owed(provider), done ? K * PRICE : 0, "paid once");
        solvent();
    }

    /// A stop never takes what is closed, or claimed in the batch being filled.
    function test_a_stop_at_any_point(uint8 claims, uint8 closes, uint256 total) public {
        bytes32 id = running(true);
        uint256 closed = closes % 3;
        for (uint256 i = 0; i < closed; ++i) {
            fillAndClose(id);
        }
        uint256 more = claims % (SEGMENTS - closed * K + 1);
        if (more > 0) claim(id, more);
        Job memory was = market.jobOf(id);
        uint256 full = was.closed + K < SEGMENTS ? was.closed + K : SEGMENTS;
        uint256 floor = was.claimed < full ? was.claimed : full;
        uint256 wanted = total > floor ? total : floor;
        vm.prank(requester);
        (bool done,) = address(market).call(abi.encodeCall(market.stop, (id, total)));
        yes(done == (wanted < SEGMENTS), "if it changes something");
        Job memory job = market.jobOf(id);
        eq(job.total, done ? wanted : SEGMENTS, "the total");
        yes(job.claimed <= job.total && job.closed == was.closed, "counters");
        if (wanted == 0) isState(id, State.Stopped);
        solvent();
    }

    /// A take ends half way to the end of the running period.
    function test_a_take_at_any_time(uint40 time) public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.until;
        vm.warp(vm.getBlockTimestamp() + time % 90 hours);
        uint256 now_ = vm.getBlockTimestamp();
        vm.prank(partner);
        (bool done,) = address(market).call(abi.encodeCall(market.take, (id, 2, lastOf(2), seat)));
        yes(done == (now_ <= until + 36 hours), "while a proof counts");
        if (!done) return;
        uint256 end = now_ <= until ? until : until + 36 hours;
        eq(market.takeOf(id, 2).until, now_ + (end - now_) / 2, "half of what is left");
    }

    /// Words count in the second half of the time, whenever a root was added.
    function test_a_word_at_any_time(uint40 added, uint40 time) public {
        bytes32 id = running(true);
        fillAndClose(id);
        complain(id, 0);
        uint256 since = vm.getBlockTimestamp();
        uint256 until = since + 72 hours;
        vm.warp(since + added % 72 hours);
        vm.prank(provider);
        (bool done,) = address(market).call(abi.encodeCall(market.addRoot, (id, 0, ROOT, 0)));
        yes(done == (vm.getBlockTimestamp() <= since + 36 hours), "in the first half");
        if (done) until = vm.getBlockTimestamp() + 72 hours;
        eq(market.batchOf(id, 0).complaint.until, until, "the end");
        vm.warp(vm.getBlockTimestamp() + time % 80 hours);
        bytes memory word = wordOf(id, 0, false, wordKey(0));
        (done,) = address(market).call(abi.encodeCall(market.attest, (id, 0, false, 0, word)));
        uint256 now_ = vm.getBlockTimestamp();
        yes(done == (now_ > until - 36 hours && now_ <= until), "in the second half");
        (done,) = address(market).call(abi.encodeCall(market.lapse, (id, 0)));
        yes(done == (now_ > until), "then it lapses");
    }

    /// What leaves, backs, and is bonded is never more than there is.
    function test_stake_adds_up(uint96 amount, uint96 backed, uint96 bond, uint96 leaving) public {
        uint256 held = uint256(amount) % 1e23 + 1;
        stake(stranger, held);
        vm.prank(address(market));
        (bool isBacked,) = address(vault).call(abi.encodeCall(vault.back, (stranger, backed)));
        yes(isBacked == (backed <= held), "backs");
        uint256 room = isBacked ? held - backed : held;
        vm.prank(address(market));
        (bool isBond,) = address(vault).call(abi.encodeCall(vault.lock, ("a", stranger, bond)));
        yes(isBond == (bond <= room), "bond");
        if (isBond) room -= bond;
        vm.prank(stranger);
        (bool isGone,) = address(vault).call(abi.encodeCall(vault.unstake, (leaving)));
        yes(isGone == (leaving > 0 && leaving <= room), "leaves");
        yes(vault.free(stranger) >= vault.backing(stranger), "what backs is there");
        uint256 sum = vault.free(stranger) + vault.owed(stranger) + vault.bonded("a", stranger);
        eq(sum, held, "nothing is lost");
    }

    /// A slashed bond is burnt and paid in parts that add up.
    function test_a_slash_adds_up(uint96 more, bool challenged) public {
        Terms memory t = terms(false, false);
        t.price.bond = BOND + more % 1e22;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        uint256 index = drawnIn(id, 0);
        if (challenged) {
            proveDue(id, 0);
            index = undrawnIn(id, 0);
            contest(id, index);
        }
        skip(200 hours);
        market.fail(id, index);
        isState(id, State.Slashed);
        uint256 bounty = challenged ? K * PRICE / 4 : 0;
        eq(vault.owed(challenger), bounty, "the challenger's");
        eq(vault.owed(BURNT), t.price.bond - bounty, "burnt");
        eq(market.owed(requester), SEGMENTS * PRICE + 4 * HAND_BACK, "the escrow, and no more");
        if (challenged) market.reclaim(id, index);
        solvent();
    }
}
