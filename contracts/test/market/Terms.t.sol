// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../../src/market/interfaces/IMarketErrors.sol";
import {Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";

/// @notice Each term at its bounds, which are taken, and one beyond, which is refused by the term's name.
contract TermsTest is Scene {
    uint128 private constant AMOUNT = 1 << 100;

    bytes private good;

    function setUp() public override {
        super.setUp();
        good = abi.encode(terms(false));
    }

    function any() private view returns (Terms memory) {
        return abi.decode(good, (Terms));
    }

    function ok(Terms memory t) private view {
        market.check(t);
    }

    function bad(Terms memory t, Term term) private {
        bytes memory reason = abi.encodeWithSelector(IMarketErrors.BadTerm.selector, term);
        refuses(requester, abi.encodeCall(market.check, (t)), reason);
    }

    function test_training_at_its_bounds() public {
        Terms memory t = any();
        t.training.rows = 0;
        bad(t, Term.Rows);
        t.training.rows = 1;
        ok(t);
        t.training.rows = 1 << 32;
        ok(t);
        t.training.rows += 1;
        bad(t, Term.Rows);
        t = any();
        t.training.segments = 0;
        bad(t, Term.Segments);
        t.training.segments = 4096;
        t.times.batchSecs = 10 minutes;
        ok(t);
        t.training.segments = 4097;
        bad(t, Term.Segments);
        t = any();
        t.training.subject = DATA;
        bad(t, Term.Reserved);
        t = any();
        t.training.order = DATA;
        bad(t, Term.Reserved);
        t = any();
        t.training.royaltyBps = 5000;
        ok(t);
        t.training.royaltyBps = 5001;
        bad(t, Term.MinRoyalty);
    }

    function test_rates_at_their_bounds() public {
        Terms memory t = any();
        t.training.rates = new uint64[](0);
        bad(t, Term.Rates);
        t.training.rates = rates(16);
        ok(t);
        t.training.rates = rates(17);
        bad(t, Term.Rates);
        t.training.rates = rates(2);
        t.training.rates[0] += 1 << 32;
        t.training.rates[1] += 1 << 32;
        bad(t, Term.Rates);
        t.training.rates = rates(2);
        t.training.rates[1] = 1;
        bad(t, Term.Rates);
        t.training.rates = rates(3);
        t.training.rates[2] = t.training.rates[1];
        bad(t, Term.Rates);
        t.training.rates = rates(1);
        t.training.rates[0] = 0;
        bad(t, Term.Rates);
        t.training.rates[0] = 1 << 16;
        ok(t);
        t.training.rates[0] += 1;
        bad(t, Term.Rates);
    }

    function rates(uint256 count) private pure returns (uint64[] memory all) {
        all = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Below 2^64.
            // forge-lint: disable-next-line(unsafe-typecast)
            all[i] = uint64(i << 32 | 1);
        }
    }

    function test_batches_at_their_bounds() public {
        Terms memory t = any();
        t.batches.deliverEvery = 0;
        bad(t, Term.DeliverEvery);
        t = any();
        t.training.segments = K;
        ok(t);
        t.training.segments = K - 1;
        bad(t, Term.DeliverEvery);
        t = any();
        (t.training.segments, t.batches.deliverEvery, t.price.bond) = (65, 64, 64 * PRICE);
        ok(t);
        (t.batches.deliverEvery, t.price.bond) = (65, 65 * PRICE);
        bad(t, Term.DeliverEvery);
        t = any();
        t.batches.draws = 0;
        bad(t, Term.Draws);
        t.batches.draws = 1;
        ok(t);
        t.batches.draws = K + 1;
        bad(t, Term.Draws);
        t.batches.draws = K;
        bad(t, Term.Tip);
        t.batches.tip = 0;
        ok(t);
        t.batches.draws = K - 1;
        bad(t, Term.Tip);
        t = any();
        t.batches.ahead = 0;
        bad(t, Term.Ahead);
        t.batches.ahead = 1;
        ok(t);
        t.batches.ahead = 64;
        ok(t);
        t.batches.ahead = 65;
        bad(t, Term.Ahead);
        t = any();
        t.times.batchSecs = 60 days;
        ok(t);
        t.times.batchSecs += 1;
        bad(t, Term.BatchSecs);
        t = any();
        (t.batches.ahead, t.times.eachSecs) = (10, 18 hours);
        ok(t);
        t.times.eachSecs += 1;
        bad(t, Term.EachSecs);
    }

    function test_price_at_its_bounds() public {
        Terms memory t = any();
        t.price.start = 0;
        bad(t, Term.Price);
        t.price.start = 1;
        ok(t);
        t.price.start = PRICE;
        ok(t);
        t.price.start = PRICE + 1;
        bad(t, Term.Price);
        t = any();
        (t.price.max, t.price.bond) = ((AMOUNT - 1) / K, AMOUNT - 1);
        ok(t);
        t.price.max = AMOUNT;
        bad(t, Term.Price);
        t.price.max = AMOUNT - 1;
        bad(t, Term.Bond);
        t = any();
        t.price.rampSecs = t.times.openSecs;
        ok(t);
        t.price.rampSecs += 1;
        bad(t, Term.Ramp);
        t = any();
        t.price.bond = BOND - 1;
        bad(t, Term.Bond);
        t.price.bond = BOND;
        ok(t);
        t.price.bond = AMOUNT - 1;
        ok(t);
        t.price.bond = AMOUNT;
        bad(t, Term.Bond);
        t = any();
        t.price.handBackFee = BOND / 100;
        ok(t);
        t.price.handBackFee += 1;
        bad(t, Term.HandBackFee);
        t = any();
        t.price.challengeBond = 0;
        bad(t, Term.ChallengeBond);
        t.price.challengeBond = 1;
        ok(t);
        t.price.challengeBond = AMOUNT - 1;
        ok(t);
        t.price.challengeBond = AMOUNT;
        bad(t, Term.ChallengeBond);
        t = any();
        t.price.complaintBond = AMOUNT - 1;
        ok(t);
        t.price.complaintBond = AMOUNT;
        bad(t, Term.ComplaintBond);
    }

    function test_times_at_their_bounds() public {
        Terms memory t = any();
        t.price.rampSecs = 0;
        uint32[2] memory range = [uint32(10 minutes), 30 days];
        for (uint256 i = 0; i < 2; ++i) {
            t.times.openSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.OpenSecs);
            t.times.openSecs = range[i];
            ok(t);
        }
        range[1] = 1 days;
        for (uint256 i = 0; i < 2; ++i) {
            t.times.reopenSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.ReopenSecs);
            t.times.reopenSecs = range[i];
            ok(t);
            t.times.revealSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.RevealSecs);
            t.times.revealSecs = range[i];
            ok(t);
        }
        range[1] = 7 days;
        for (uint256 i = 0; i < 2; ++i) {
            t.times.startSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.StartSecs);
            t.times.startSecs = range[i];
            ok(t);
            t.times.closeSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.CloseSecs);
            t.times.closeSecs = range[i];
            ok(t);
            t.times.proveSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.ProveSecs);
            t.times.proveSecs = range[i];
            ok(t);
        }
        decisions(t, range);
    }

    function decisions(Terms memory t, uint32[2] memory range) private {
        for (uint256 i = 0; i < 2; ++i) {
            t.times.windowSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.WindowSecs);
            t.times.windowSecs = range[i];
            ok(t);
            t.times.complainSecs = i == 0 ? range[0] - 1 : range[1] + 1;
            bad(t, Term.ComplainSecs);
            t.times.complainSecs = range[i];
            ok(t);
        }
        t.times.decideSecs = 1 days - 1;
        bad(t, Term.DecideSecs);
        t.times.decideSecs = 1 days;
        ok(t);
        t.times.decideSecs = 7 days;
        ok(t);
        t.times.decideSecs += 1;
        bad(t, Term.DecideSecs);
        // One batch, which may take all of the time; and few proofs, which may take the whole of theirs.
        t = any();
        (t.training.segments, t.times.batchSecs) = (K, 180 days);
        ok(t);
        t.times.batchSecs += 1;
        bad(t, Term.BatchSecs);
        t = any();
        t.times.batchSecs = 10 minutes - 1;
        bad(t, Term.BatchSecs);
        t.times.batchSecs += 1;
        ok(t);
        (t.batches.ahead, t.times.eachSecs) = (1, 7 days);
        ok(t);
        t.times.eachSecs += 1;
        bad(t, Term.EachSecs);
        t.times.eachSecs = 10 minutes - 1;
        bad(t, Term.EachSecs);
        t.times.eachSecs += 1;
        ok(t);
    }

    function members(Terms memory t, uint256 count) private pure {
        t.committee.members = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Small numbers.
            // forge-lint: disable-next-line(unsafe-typecast)
            t.committee.members[i] = address(uint160(i + 1));
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        t.committee.threshold = uint8(count / 2 + 1);
    }

    function test_a_committee_at_its_bounds() public {
        Terms memory t = any();
        (t.committee.fee, t.price.complaintBond) = (1, 17);
        members(t, 16);
        ok(t);
        members(t, 17);
        bad(t, Term.Members);
        members(t, 2);
        t.committee.members[1] = t.committee.members[0];
        bad(t, Term.MemberOrder);
        t.committee.members[0] = address(0);
        bad(t, Term.MemberOrder);
        members(t, 1);
        ok(t);
        t.committee.threshold = 2;
        bad(t, Term.Threshold);
        t.committee.threshold = 0;
        bad(t, Term.Threshold);
        members(t, 1);
        (t.committee.fee, t.price.complaintBond) = (AMOUNT - 1, AMOUNT - 1);
        ok(t);
        t.committee.fee = AMOUNT;
        bad(t, Term.Fee);
        (t.committee.fee, t.committee.stake) = (0, AMOUNT - 1);
        ok(t);
        t.committee.stake = AMOUNT;
        bad(t, Term.Stake);
        (t.committee.stake, t.price.complaintBond) = (0, 0);
        bad(t, Term.ComplaintBond);
        members(t, 3);
        (t.committee.fee, t.price.complaintBond) = (5, 15);
        ok(t);
        t.price.complaintBond = 14;
        bad(t, Term.ComplaintBond);
    }

    function test_no_committee_has_no_amounts() public {
        Terms memory t = terms(true, false);
        ok(t);
        t.committee.fee = 1;
        bad(t, Term.Fee);
        (t.committee.fee, t.committee.stake) = (0, 1);
        bad(t, Term.Stake);
        (t.committee.stake, t.committee.threshold) = (0, 1);
        bad(t, Term.Threshold);
        (t.committee.threshold, t.price.complaintBond) = (0, 1);
        bad(t, Term.ComplaintBond);
    }
}
