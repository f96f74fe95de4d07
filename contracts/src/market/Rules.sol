// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../interfaces/IMarketErrors.sol";
import {Bounds} from "./Bounds.sol";
import {Assurance, Checks, Committee, Price, Terms, Times, Training} from "./Types.sol";

/// @title Which terms make a job that can be paid for, and that ends.
library Rules {
    /// @notice Refuses terms out of bounds.
    function check(Terms calldata t) internal pure {
        training(t.training);
        price(t.price, t);
        times(t.times);
        committee(t.committee);
        if (t.checks.level == Assurance.Sampled) sampled(t);
        if (t.checks.level == Assurance.Optimistic) optimistic(t);
    }

    /// @notice Most that the committee's fees can be: each task pays at most `threshold` votes.
    function fees(Terms calldata t) internal pure returns (uint128) {
        // Divergence, fetchability and the decision, and each claim of an optimistic job.
        uint128 tasks = 3 + (t.checks.level == Assurance.Optimistic ? t.training.segments : 0);
        return tasks * t.committee.threshold * t.committee.fee;
    }

    function training(Training calldata t) private pure {
        require(t.rows > 0 && t.rows <= Bounds.ROWS, IMarketErrors.BadTerm(Term.Rows));
        require(t.segments > 0 && t.segments <= Bounds.SEGMENTS, IMarketErrors.BadTerm(Term.Segments));
        uint256 count = t.rates.length;
        require(count > 0 && count <= Bounds.RATES, IMarketErrors.BadTerm(Term.Rates));
        require(t.rates[0] >> 32 == 0, IMarketErrors.BadTerm(Term.Rates));
        for (uint256 i = 0; i < count; ++i) {
            uint32 rate = uint32(t.rates[i]);
            require(rate != 0 && rate <= Bounds.RATE, IMarketErrors.BadTerm(Term.Rates));
            require(i == 0 || t.rates[i] >> 32 > t.rates[i - 1] >> 32, IMarketErrors.BadTerm(Term.Rates));
        }
    }

    function price(Price calldata p, Terms calldata t) private pure {
        require(p.max > 0 && p.max < Bounds.AMOUNT && p.start <= p.max, IMarketErrors.BadTerm(Term.Price));
        require(p.rampSecs <= t.times.openSecs, IMarketErrors.BadTerm(Term.Ramp));
        require(
            uint256(p.lastShareBps) + t.training.royaltyBps <= Bounds.WHOLE_BPS, IMarketErrors.BadTerm(Term.LastShare)
        );
        require(p.bond > 0 && p.bond < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.Bond));
        require(p.handBackFee <= p.bond / Bounds.HAND_BACK_PART, IMarketErrors.BadTerm(Term.HandBackFee));
        require(p.challengeBond < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.ChallengeBond));
    }

    function times(Times calldata t) private pure {
        within(t.openSecs, Bounds.OPEN_SECS, Term.OpenSecs);
        within(t.startSecs, Bounds.START_SECS, Term.StartSecs);
        within(t.runSecs, Bounds.RUN_SECS, Term.RunSecs);
        within(t.windowSecs, Bounds.WINDOW_SECS, Term.WindowSecs);
        within(t.answerSecs, Bounds.ANSWERS_SECS, Term.AnswerSecs);
        within(t.revealSecs, Bounds.REVEAL_SECS, Term.RevealSecs);
        within(t.proveSecs, Bounds.PROVING_SECS, Term.ProveSecs);
        within(t.deliverSecs, Bounds.DELIVER_SECS, Term.DeliverSecs);
        within(t.complainSecs, Bounds.COMPLAIN_SECS, Term.ComplainSecs);
        within(t.decideSecs, Bounds.DECIDE_SECS, Term.DecideSecs);
    }

    function within(uint32 secs, uint32 most, Term term) private pure {
        require(secs >= Bounds.MIN_SECS && secs <= most, IMarketErrors.BadTerm(term));
    }

    function committee(Committee calldata c) private pure {
        uint256 count = c.members.length;
        require(count <= Bounds.COMMITTEE, IMarketErrors.BadTerm(Term.Members));
        // In ascending order, so that nobody is in it twice.
        for (uint256 i = 0; i < count; ++i) {
            require(c.members[i] > (i == 0 ? address(0) : c.members[i - 1]), IMarketErrors.BadTerm(Term.MemberOrder));
        }
        require(c.threshold <= count && (count == 0 || c.threshold > 0), IMarketErrors.BadTerm(Term.Threshold));
        require(c.fee < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.Fee));
        require(c.stake < Bounds.AMOUNT, IMarketErrors.BadTerm(Term.Stake));
    }

    function sampled(Terms calldata t) private pure {
        Checks calldata c = t.checks;
        uint256 segments = t.training.segments;
        require(c.draws > 0 && c.draws <= Bounds.DRAWS && c.draws <= segments, IMarketErrors.BadTerm(Term.Draws));
        require(c.secretHash != 0, IMarketErrors.BadTerm(Term.SecretHash));
        // A cheater gains at most the price of everything, with a chance of 1 - draws/segments a false claim.
        require(uint256(t.price.bond) * c.draws >= t.price.max * segments, IMarketErrors.BadTerm(Term.Bond));
        require(t.times.proveSecs * segments <= Bounds.PROVING_SECS, IMarketErrors.BadTerm(Term.ProveSecs));
    }

    function optimistic(Terms calldata t) private pure {
        Checks calldata c = t.checks;
        require(c.maxPending > 0 && c.maxPending <= Bounds.PENDING, IMarketErrors.BadTerm(Term.MaxPending));
        require(t.price.bond / 2 >= uint256(c.maxPending) * t.price.max, IMarketErrors.BadTerm(Term.Bond));
        require(t.price.challengeBond > 0, IMarketErrors.BadTerm(Term.ChallengeBond));
        require(
            uint256(t.times.answerSecs) * c.maxPending <= Bounds.ANSWERS_SECS, IMarketErrors.BadTerm(Term.AnswerSecs)
        );
    }
}
