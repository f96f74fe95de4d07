// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bounds} from "./Bounds.sol";
import {Cut} from "./Cut.sol";
import {IMarketErrors, Term} from "./interfaces/IMarketErrors.sol";
import {Batches, Committee, Licence, Price, Terms, Times, Training} from "./Types.sol";

/// @title Which terms make a job that can be paid for, and that ends.
library Rules {
    /// @notice Refuses terms out of bounds.
    function check(Terms calldata t) internal pure {
        training(t.training);
        batches(t.batches, t);
        price(t.price, t.batches, t.times);
        times(t.times);
        committee(t.committee, t.price);
    }

    /// @notice Refuses a licence that the terms do not keep. What a data owner could get as the lead and then leave is not more than
    /// leaving costs.
    function licence(Terms calldata t, Licence calldata l) internal pure {
        require(l.fee < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.LicenceFee));
        if (t.providers == 0) {
            uint256 burnt = uint256(t.price.start) * t.batches.deliverEvery / Bounds.LEAVE_PART;
            require(l.fee <= burnt, IMarketErrors.BadTerm(Term.LicenceFee));
        }
        require(
            royalty(t.price.start, t.training.royaltyBps, l.minRoyalty) <= Cut.up(t.price.start, 2),
            IMarketErrors.BadTerm(Term.MinRoyalty)
        );
    }

    /// @notice Royalty of a segment, rounded up.
    function royalty(uint256 price_, uint256 bps, uint256 leastRoyalty) internal pure returns (uint128) {
        // Below the price, or a term that is.
        return uint128(Cut.most(Cut.up(price_ * bps, Bounds.WHOLE_BPS), leastRoyalty));
    }

    /// @notice What a job holds at first: its highest price, the licence's fee, and what hand-backs and a stop may cost.
    function escrow(Terms calldata t, uint128 licenceFee) internal pure returns (uint128) {
        return t.price.max * t.training.segments + licenceFee + Bounds.HAND_BACKS * t.price.handBackFee;
    }

    function training(Training calldata t) private pure {
        require(t.rows > 0 && t.rows <= Bounds.ROWS, IMarketErrors.BadTerm(Term.Rows));
        require(t.segments > 0 && t.segments <= Bounds.SEGMENTS, IMarketErrors.BadTerm(Term.Segments));
        require(t.subject == 0 && t.order == 0, IMarketErrors.BadTerm(Term.Reserved));
        require(t.royaltyBps <= Bounds.ROYALTY_BPS, IMarketErrors.BadTerm(Term.MinRoyalty));
        uint256 count = t.rates.length;
        require(count > 0 && count <= Bounds.RATES, IMarketErrors.BadTerm(Term.Rates));
        require(t.rates[0] >> 32 == 0, IMarketErrors.BadTerm(Term.Rates));
        for (uint256 i = 0; i < count; ++i) {
            uint32 rate = uint32(t.rates[i]);
            require(rate != 0 && rate <= Bounds.RATE, IMarketErrors.BadTerm(Term.Rates));
            require(i == 0 || t.rates[i] >> 32 > t.rates[i - 1] >> 32, IMarketErrors.BadTerm(Term.Rates));
        }
    }

    function batches(Batches calldata b, Terms calldata t) private pure {
        uint256 k = b.deliverEvery;
        require(k > 0 && k <= Bounds.BATCH && k <= t.training.segments, IMarketErrors.BadTerm(Term.DeliverEvery));
        require(b.draws > 0 && b.draws <= k, IMarketErrors.BadTerm(Term.Draws));
        require(b.ahead > 0 && b.ahead <= Bounds.BATCH, IMarketErrors.BadTerm(Term.Ahead));
        require((b.tip == 0) == (b.draws == k), IMarketErrors.BadTerm(Term.Tip));
        uint256 count = Cut.up(t.training.segments, k);
        require(count * t.times.batchSecs <= Bounds.RUN_SECS, IMarketErrors.BadTerm(Term.BatchSecs));
        require(b.ahead * k * t.times.eachSecs <= Bounds.PROVING_SECS, IMarketErrors.BadTerm(Term.EachSecs));
    }

    function price(Price calldata p, Batches calldata b, Times calldata t) private pure {
        uint256 k = b.deliverEvery;
        require(p.start > 0 && p.max < Bounds.AMOUNT && p.start <= p.max, IMarketErrors.BadTerm(Term.Price));
        require(p.rampSecs <= t.openSecs, IMarketErrors.BadTerm(Term.Ramp));
        // A claim that is never proven loses it all, whatever else it saved.
        require(p.bond >= k * p.max && p.bond < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.Bond));
        require(p.handBackFee <= k * p.max / Bounds.HAND_BACK_PART, IMarketErrors.BadTerm(Term.HandBackFee));
        require(p.challengeBond > 0 && p.challengeBond < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.ChallengeBond));
        require(p.complaintBond < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.ComplaintBond));
    }

    function times(Times calldata t) private pure {
        within(t.openSecs, Bounds.OPEN_SECS, Term.OpenSecs);
        within(t.reopenSecs, Bounds.REOPEN_SECS, Term.ReopenSecs);
        within(t.startSecs, Bounds.START_SECS, Term.StartSecs);
        within(t.batchSecs, Bounds.RUN_SECS, Term.BatchSecs);
        within(t.closeSecs, Bounds.CLOSE_SECS, Term.CloseSecs);
        within(t.revealSecs, Bounds.REVEAL_SECS, Term.RevealSecs);
        within(t.proveSecs, Bounds.PROVE_SECS, Term.ProveSecs);
        within(t.eachSecs, Bounds.PROVE_SECS, Term.EachSecs);
        within(t.windowSecs, Bounds.WINDOW_SECS, Term.WindowSecs);
        within(t.complainSecs, Bounds.COMPLAIN_SECS, Term.ComplainSecs);
        within(t.decideSecs, Bounds.DECIDE_SECS, Term.DecideSecs);
        require(t.decideSecs >= Bounds.DECIDE_SECS_LEAST, IMarketErrors.BadTerm(Term.DecideSecs));
    }

    function within(uint32 secs, uint32 most, Term term) private pure {
        require(secs >= Bounds.MIN_SECS && secs <= most, IMarketErrors.BadTerm(term));
    }

    function committee(Committee calldata c, Price calldata p) private pure {
        uint256 count = c.members.length;
        require(count <= Bounds.COMMITTEE, IMarketErrors.BadTerm(Term.Members));
        // In ascending order, so that nobody is in it twice.
        for (uint256 i = 0; i < count; ++i) {
            require(c.members[i] > (i == 0 ? address(0) : c.members[i - 1]), IMarketErrors.BadTerm(Term.MemberOrder));
        }
        // More than half: two groups cannot decide differently. And no more than that: a few that are silent decide nothing.
        require(c.threshold == (count == 0 ? 0 : count / 2 + 1), IMarketErrors.BadTerm(Term.Threshold));
        require(c.fee < Bounds.AMOUNT && (count > 0 || c.fee == 0), IMarketErrors.BadTerm(Term.Fee));
        require(c.stake < Bounds.AMOUNT && (count > 0 || c.stake == 0), IMarketErrors.BadTerm(Term.Stake));
        require((count == 0) == (p.complaintBond == 0), IMarketErrors.BadTerm(Term.ComplaintBond));
        require(p.complaintBond >= count * c.fee, IMarketErrors.BadTerm(Term.ComplaintBond));
    }
}
