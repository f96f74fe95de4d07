// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Bounds} from "../src/market/Bounds.sol";
import {Assurance, Job, Licence, State, Terms} from "../src/market/Types.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Which terms are taken, and what posting a job does.
contract OpeningTest is Scene {
    function refusesTerms(Terms memory t, bytes memory reason) private {
        Licence memory licence;
        Permit memory permit;
        refuses(requester, abi.encodeCall(market.open, (t, ++nonce, licence, permit)), reason);
    }

    function bad(Terms memory t, Term term) private {
        refusesTerms(t, abi.encodeWithSelector(IMarketErrors.BadTerm.selector, term));
    }

    function takes(Terms memory t) private {
        inState(open(t), State.Open);
    }

    function test_training_terms() public {
        Terms memory t = terms(Assurance.Proven);
        t.training.rows = 0;
        bad(t, Term.Rows);
        t.training.rows = Bounds.ROWS + 1;
        bad(t, Term.Rows);
        t.training.rows = Bounds.ROWS;
        takes(t);
        t = terms(Assurance.Proven);
        t.training.segments = 0;
        bad(t, Term.Segments);
        t.training.segments = Bounds.SEGMENTS + 1;
        bad(t, Term.Segments);
        t.training.segments = Bounds.SEGMENTS;
        takes(t);
        t = terms(Assurance.Proven);
        t.training.rates = new uint64[](0);
        bad(t, Term.Rates);
        t.training.rates = new uint64[](17);
        for (uint64 i = 0; i < 17; ++i) {
            t.training.rates[i] = i << 32 | 1;
        }
        bad(t, Term.Rates);
        t.training.rates = new uint64[](2);
        (t.training.rates[0], t.training.rates[1]) = (uint64(1) << 32 | 1, uint64(2) << 32 | 1);
        bad(t, Term.Rates);
        (t.training.rates[0], t.training.rates[1]) = (1, 2);
        bad(t, Term.Rates);
        (t.training.rates[0], t.training.rates[1]) = (1, uint64(2) << 32);
        bad(t, Term.Rates);
        t.training.rates[1] = uint64(2) << 32 | (Bounds.RATE + 1);
        bad(t, Term.Rates);
        t.training.rates[1] -= 1;
        takes(t);
    }

    function test_price_terms() public {
        Terms memory t = terms(Assurance.Proven);
        (t.price.start, t.price.max) = (0, 0);
        bad(t, Term.Price);
        t.price.start = PRICE + 1;
        t.price.max = PRICE;
        bad(t, Term.Price);
        t.price.start = 0;
        t.price.max = Bounds.AMOUNT;
        bad(t, Term.Price);
        t = terms(Assurance.Proven);
        t.price.rampSecs = t.times.openSecs + 1;
        bad(t, Term.Ramp);
        t.price.rampSecs -= 1;
        takes(t);
        t = terms(Assurance.Proven);
        t.price.lastShareBps = 10_001;
        bad(t, Term.LastShare);
        t = terms(Assurance.Proven);
        t.price.bond = 0;
        bad(t, Term.Bond);
        t.price.bond = Bounds.AMOUNT;
        bad(t, Term.Bond);
        t = terms(Assurance.Proven);
        t.price.handBackFee = BOND / 100 + 1;
        bad(t, Term.HandBackFee);
        t = terms(Assurance.Proven);
        t.price.challengeBond = Bounds.AMOUNT;
        bad(t, Term.ChallengeBond);
    }

    function test_committee_terms() public {
        Terms memory t = terms(Assurance.Proven);
        t.committee.members[1] = t.committee.members[0];
        bad(t, Term.MemberOrder);
        t.committee.members = new address[](1);
        bad(t, Term.MemberOrder);
        t = terms(Assurance.Proven);
        t.committee.threshold = 4;
        bad(t, Term.Threshold);
        t.committee.threshold = 0;
        bad(t, Term.Threshold);
        t.committee.members = new address[](0);
        takes(t);
        t = terms(Assurance.Proven);
        t.committee.fee = Bounds.AMOUNT;
        bad(t, Term.Fee);
        t = terms(Assurance.Proven);
        t.committee.stake = Bounds.AMOUNT;
        bad(t, Term.Stake);
        t = terms(Assurance.Proven);
        t.committee.members = new address[](1);
        t.committee.members[0] = provider;
        t.committee.threshold = 1;
        refusesTerms(t, abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, provider, uint8(2)));
    }

    function test_a_committee_has_at_most_sixteen_members() public {
        Terms memory t = terms(Assurance.Proven);
        // All are registered, and in order: there is nothing wrong but their number.
        t.committee.members = enrolMany(Bounds.COMMITTEE + 1, 2);
        bad(t, Term.Members);
        address[] memory fewer = new address[](Bounds.COMMITTEE);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = t.committee.members[i];
        }
        t.committee.members = fewer;
        takes(t);
    }

    function test_level_terms() public {
        Terms memory t = terms(Assurance.Sampled);
        t.checks.draws = 0;
        bad(t, Term.Draws);
        t.checks.draws = uint8(SEGMENTS + 1);
        bad(t, Term.Draws);
        t.checks.draws = Bounds.DRAWS + 1;
        t.training.segments = 100;
        bad(t, Term.Draws);
        t = terms(Assurance.Sampled);
        t.checks.secretHash = 0;
        bad(t, Term.SecretHash);
        t = terms(Assurance.Sampled);
        // Bond at least price * segments / draws.
        t.price.handBackFee = 0;
        t.price.bond = (PRICE * SEGMENTS + 2) / 3 - 1;
        bad(t, Term.Bond);
        t.price.bond += 1;
        takes(t);
        t.training.segments = 5;
        t.times.proveSecs = Bounds.PROVING_SECS / 5 + 1;
        bad(t, Term.ProveSecs);
        t.times.proveSecs -= 1;
        takes(t);

        t = terms(Assurance.Optimistic);
        t.checks.maxPending = 0;
        bad(t, Term.MaxPending);
        t.checks.maxPending = Bounds.PENDING + 1;
        bad(t, Term.MaxPending);
        t = terms(Assurance.Optimistic);
        // Half the bond at least the price of what may be pending.
        t.price.handBackFee = 0;
        t.price.bond = 2 * 4 * PRICE - 1;
        bad(t, Term.Bond);
        t.price.bond += 1;
        takes(t);
        t.price.challengeBond = 0;
        bad(t, Term.ChallengeBond);
        t = terms(Assurance.Optimistic);
        t.times.answerSecs = Bounds.ANSWERS_SECS / 4 + 1;
        bad(t, Term.AnswerSecs);
        t.times.answerSecs -= 1;
        takes(t);
    }

    function test_every_duration_is_bounded() public {
        uint32[10] memory most = [
            Bounds.OPEN_SECS,
            Bounds.START_SECS,
            Bounds.RUN_SECS,
            Bounds.WINDOW_SECS,
            Bounds.ANSWERS_SECS,
            Bounds.REVEAL_SECS,
            Bounds.PROVING_SECS,
            Bounds.DELIVER_SECS,
            Bounds.COMPLAIN_SECS,
            Bounds.DECIDE_SECS
        ];
        for (uint256 i = 0; i < 10; ++i) {
            for (uint256 j = 0; j < 4; ++j) {
                Terms memory t = terms(Assurance.Proven);
                uint256 value = [most[i] + 1, 10 minutes - 1, most[i], 10 minutes][j];
                // A struct of words in memory.
                uint256 place;
                assembly ("memory-safe") {
                    place := add(mload(add(t, 64)), mul(i, 32))
                    mstore(place, value)
                }
                if (j < 2) bad(t, Term(uint256(Term.OpenSecs) + i));
                else takes(t);
            }
        }
    }

    function test_stake_leaves_slower_than_any_sum_of_windows() public view {
        uint256 sum = uint256(Bounds.COUNT_SECS) + Bounds.WINDOW_SECS + Bounds.ANSWERS_SECS + Bounds.REVEAL_SECS
            + Bounds.PROVING_SECS + Bounds.DELIVER_SECS + Bounds.COMPLAIN_SECS + Bounds.DECIDE_SECS;
        eq(vault.unbondingSecs(), sum, "unbonding");
    }

    function test_escrow_is_the_highest_price_and_all_fees() public {
        uint256 before = token.balanceOf(requester);
        Terms memory t = terms(Assurance.Optimistic);
        (t.price.start, t.price.rampSecs) = (PRICE / 2, 1000);
        bytes32 id = open(t);
        uint256 fees = (3 + SEGMENTS) * 2 * FEE;
        eq(market.jobOf(id).escrow, PRICE * SEGMENTS + fees, "escrow");
        eq(before - token.balanceOf(requester), PRICE * SEGMENTS + fees, "paid");
        eq(id, market.idOf(requester, nonce, t), "id");
        eq(keccak256(abi.encode(market.termsOf(id))), keccak256(abi.encode(t)), "terms");
        solvent();
    }

    /// Mistake of others: a request id not tied to the digest of its terms.
    function test_id_binds_every_term_chain_and_requester() public {
        Terms memory t = terms(Assurance.Proven);
        bytes32 id = market.idOf(requester, 1, t);
        yes(id != market.idOf(provider, 1, t), "requester");
        yes(id != market.idOf(requester, 2, t), "nonce");
        t.times.decideSecs += 1;
        yes(id != market.idOf(requester, 1, t), "term");
        t.times.decideSecs -= 1;
        eq(id, market.idOf(requester, 1, t), "the same again");
        vm.chainId(1);
        yes(id != market.idOf(requester, 1, t), "chain");
    }

    /// Mistake of others: expired requests that can be replayed.
    function test_a_posted_job_cannot_be_posted_again() public {
        Terms memory t = terms(Assurance.Proven);
        bytes32 id = open(t);
        late(id);
        Licence memory licence;
        Permit memory permit;
        bytes memory call = abi.encodeCall(market.open, (t, nonce, licence, permit));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, requester, nonce));
        inState(id, State.Expired);
    }

    function test_cancel_and_expiry_give_all_back() public {
        uint256 before = token.balanceOf(requester);
        bytes32 id = opened(Assurance.Optimistic);
        refuses(provider, abi.encodeCall(market.cancel, (id)), why(IMarketErrors.NotRequester.selector, provider));
        vm.prank(requester);
        market.cancel(id);
        bytes32 other = opened(Assurance.Optimistic);
        uint256 until = market.jobOf(other).deadline;
        vm.warp(until);
        refuses(stranger, abi.encodeCall(market.advance, (other)), why(IMarketErrors.TooEarly.selector, until));
        late(other);
        inState(other, State.Expired);
        bytes memory accept = abi.encodeCall(market.accept, (other, 0));
        refuses(provider, accept, wrongState(other, State.Expired));
        market.withdraw(requester);
        eq(token.balanceOf(requester), before, "all back");
        solvent();
    }

    function test_a_job_that_goes_on_uses_the_refund() public {
        bytes32 parent = running(Assurance.Proven);
        prove(parent, 0);
        prove(parent, 1);
        Terms memory t = terms(Assurance.Proven);
        t.parent = parent;
        t.training.segments = SEGMENTS - 2;
        t.training.first = lastOf(1);
        refusesTerms(t, why(IMarketErrors.BadParent.selector, uint256(parent)));
        late(parent);
        inState(parent, State.Defaulted);
        t.training.first = FIRST;
        refusesTerms(t, why(IMarketErrors.BadParent.selector, uint256(parent)));
        t.training.first = lastOf(1);
        uint256 before = token.balanceOf(requester);
        uint256 refund = market.owed(requester);
        bytes32 id = open(t);
        Job memory job = market.jobOf(id);
        eq(market.owed(requester), refund - job.escrow, "the refund pays");
        eq(token.balanceOf(requester), before, "and nothing else");
        eq(job.current, lastOf(1), "starts where the parent stopped");
        inState(parent, State.Defaulted);
        // From fresh commitments, the job says so; more than the refund is pulled.
        t.rebased = true;
        t.training.first = keccak256("fresh");
        t.training.segments = SEGMENTS;
        refund = market.owed(requester);
        id = open(t);
        eq(market.owed(requester), 0, "refund used up");
        eq(before - token.balanceOf(requester), market.jobOf(id).escrow - refund, "the rest pulled");
        Permit memory permit;
        Licence memory licence;
        refuses(
            challenger,
            abi.encodeCall(market.open, (t, 1, licence, permit)),
            why(IMarketErrors.BadParent.selector, uint256(parent))
        );
        solvent();
    }

    /// Anyone may pay the refund out; a permit for the whole escrow finds it in the requester's hands then.
    function test_a_job_goes_on_also_if_the_refund_was_paid_out() public {
        vm.prank(requester);
        token.approve(address(market), PRICE * SEGMENTS + 6 * FEE);
        bytes32 parent = running(Assurance.Proven);
        late(parent);
        eq(token.allowance(requester, address(market)), 0, "it relies on the refund");
        Terms memory t = terms(Assurance.Proven);
        t.parent = parent;
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(market), PRICE * SEGMENTS + 6 * FEE);
        vm.prank(stranger);
        market.withdraw(requester);
        uint256 had = token.balanceOf(requester);
        Licence memory licence;
        vm.prank(requester);
        bytes32 id = market.open(t, ++nonce, licence, permit);
        ids.push(id);
        inState(id, State.Open);
        eq(token.balanceOf(requester), had - PRICE * SEGMENTS - 6 * FEE, "in one call");
        solvent();
    }
}
