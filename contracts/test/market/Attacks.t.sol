// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {BURNT} from "../../src/market/Token.sol";
import {Consent, Licence, Offer, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice What an independent review found: each attack, played, fails.
contract AttacksTest is Scene {
    function bringing(Terms memory t, Offer memory offer, Licence memory licence) private view returns (bytes memory) {
        Consent[] memory none = new Consent[](0);
        Permit memory permit;
        return abi.encodeCall(market.openAndAccept, (t, offer, licence, none, permit, 0, noPaths()));
    }

    /// Who brings an offer does not choose the licence, and with it the fee that the requester pays.
    function test_an_offer_names_its_licence() public {
        Terms memory t = terms(true, false);
        t.providers = bytes32(uint256(uint160(provider)));
        Licence memory agreed = licensed(t, 1000);
        Offer memory offer = Offer(requester, provider, 0, ++nonce, vm.getBlockTimestamp(), "");
        offer.licence = market.licenceDigest(t.training.dataset, requester, agreed);
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        Licence memory dear = licensed2(t, agreed, 1000 * PRICE);
        bytes memory mismatch = abi.encodeWithSelector(IMarketErrors.LicenceMismatch.selector, t.training.dataset);
        refuses(provider, bringing(t, offer, dear), mismatch);
        // Nor does it name another licence in the signed offer.
        bytes32 named = offer.licence;
        offer.licence = market.licenceDigest(t.training.dataset, requester, dear);
        bytes memory forged = abi.encodeWithSelector(IMarketErrors.BadSignature.selector, requester);
        refuses(provider, bringing(t, offer, dear), forged);
        offer.licence = named;
        vm.prank(provider);
        (bool done,) = address(market).call(bringing(t, offer, agreed));
        yes(done, "the one that was agreed");
        eq(token.balanceOf(requester), 1e24 - 10_000e18 - market.escrowOf(t, 0), "without the fee");
    }

    /// Without a data set there is no licence to name.
    function test_an_offer_without_a_set_names_no_licence() public {
        Terms memory t = terms(true, false);
        Offer memory offer = Offer(requester, provider, DATA, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        Licence memory none;
        bytes memory mismatch = abi.encodeWithSelector(IMarketErrors.LicenceMismatch.selector, bytes32(0));
        refuses(provider, bringing(t, offer, none), mismatch);
    }

    function licensed2(Terms memory t, Licence memory like, uint128 fee) private returns (Licence memory licence) {
        licence.mostSegments = like.mostSegments;
        (licence.fee, licence.nonce, licence.expiry) = (fee, ++nonce, like.expiry);
        signLicence(t, licence);
    }

    /// Batches that are settled leave nothing in the queue, however far it had come.
    function test_early_proofs_bank_no_time() public {
        Terms memory t = terms(true, false);
        t.training.segments = 10 * K;
        bytes32 id = running(t);
        for (uint256 batch = 0; batch < 9; ++batch) {
            fillAndClose(id);
            proveDue(id, batch);
            acknowledge(id, batch);
        }
        fillAndClose(id);
        eq(market.batchOf(id, 9).record.until, vm.getBlockTimestamp() + 36 hours + 40 minutes, "its own time");
    }

    /// Nobody waits longer for a proof than for all that is closed and not settled.
    function test_ahead_bounds_the_queue() public {
        Terms memory t = terms(true, false);
        (t.training.segments, t.batches.ahead) = (10 * K, 2);
        bytes32 id = running(t);
        for (uint256 batch = 0; batch < 10; ++batch) {
            fillAndClose(id);
            uint256 most = vm.getBlockTimestamp() + 36 hours + 2 * K * 10 minutes;
            yes(market.batchOf(id, batch).record.until <= most, "ahead * k * eachSecs");
            proveDue(id, batch);
            if (batch > 0) acknowledge(id, batch - 1);
        }
    }

    function test_answered_challenges_bank_no_time() public {
        Terms memory t = terms(false, false);
        t.training.segments = 10 * K;
        bytes32 id = running(t);
        for (uint256 batch = 0; batch < 6; ++batch) {
            fillAndClose(id);
            reveal(id, batch);
            proveDue(id, batch);
            uint256 most = vm.getBlockTimestamp() + 36 hours + K * 10 minutes;
            for (uint256 i = batch * K; i < (batch + 1) * K; ++i) {
                if (market.batchOf(id, batch).record.drawn >> (i - batch * K) & 1 == 1) continue;
                contest(id, i);
                yes(market.challengeOf(id, i).until <= most, "k * eachSecs");
                prove(id, i);
            }
            acknowledge(id, batch);
        }
    }

    /// A cheater's friend that challenges behind an honest one, and lower, takes no bounty from it.
    function test_a_friends_later_challenge_takes_no_bounty() public {
        Terms memory t = terms(false);
        t.batches.draws = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        proveDue(id, 0);
        uint256 low = undrawnIn(id, 0);
        uint256 high = market.batchOf(id, 0).record.drawn == 8 ? 2 : 3;
        bytes32 last = market.claimsOf(id, high, 1)[0];
        stake(stranger, 1000e18);
        vm.prank(stranger);
        market.challenge(id, high, last);
        skip(5 hours);
        contest(id, low);
        skipTo(market.challengeOf(id, high).until + 36 hours + 1);
        yes(vm.getBlockTimestamp() <= market.challengeOf(id, low).until + 36 hours, "the friend's can still be proven");
        market.fail(id, high);
        eq(vault.owed(stranger), BOND / 4, "who was first");
        eq(vault.owed(challenger), 0, "not the friend");
        solvent();
    }

    /// Nor does one that comes when batches were settled and the queue is shorter than it was for the honest one.
    function test_a_shorter_queue_takes_no_bounty() public {
        Terms memory t = terms(false);
        (t.training.segments, t.batches.draws) = (3 * K, 1);
        bytes32 id = running(t);
        for (uint256 batch = 0; batch < 3; ++batch) {
            fillAndClose(id);
            reveal(id, batch);
            proveDue(id, batch);
        }
        for (uint256 i = 0; i < 2 * K; ++i) {
            if (market.batchOf(id, i / K).record.drawn >> (i % K) & 1 == 0) contest(id, i);
        }
        uint256 first = undrawnIn(id, 2);
        contest(id, first);
        for (uint256 batch = 0; batch < 2; ++batch) {
            proveDue(id, batch);
            acknowledge(id, batch);
        }
        uint256 second = first == 2 * K ? 3 * K - 1 : 2 * K;
        if (market.batchOf(id, 2).record.drawn >> (second - 2 * K) & 1 == 1) second = 2 * K + 2;
        bytes32 last = market.claimsOf(id, second, 1)[0];
        stake(stranger, 1000e18);
        vm.prank(stranger);
        market.challenge(id, second, last);
        uint256 until = market.challengeOf(id, first).until;
        yes(until > vm.getBlockTimestamp() + 36 hours + K * 10 minutes, "the queue is shorter now");
        eq(market.challengeOf(id, second).until, until + 1, "behind the first");
        skipTo(until + 36 hours + 1);
        market.fail(id, first);
        eq(vault.owed(challenger), BOND / 4, "who was first");
        eq(vault.owed(stranger), 0, "not the friend");
        solvent();
    }

    /// Of a batch that fails, lead and requester save the royalty as well: members are promised less for it.
    function test_royalty_lowers_what_members_are_promised() public {
        Terms memory t = terms(false);
        Licence memory licence = licensed(t, 4000);
        bytes32 id = open(t, licence);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.start(id);
        uint256 most = K * PRICE * 3 / 4 - K * PRICE * 4 / 10;
        bytes memory call = abi.encodeCall(market.join, (id, seatFor(id, partner, uint128(most + 1)), noPaths()));
        refuses(partner, call, why(IMarketErrors.PayTooHigh.selector, most + 1, most));
        uint256 seat = join(id, partner, uint128(most));
        fillAndClose(id);
        reveal(id, 0);
        take(id, drawnIn(id, 0), seat);
        eq(market.batchOf(id, 0).record.reserved, most, "that much");
    }

    /// Whoever lets the late block wait does not wait the window away.
    function test_a_late_draw_leaves_the_whole_window() public {
        bytes32 id = running(false);
        fillAndClose(id);
        skipTo(market.batchOf(id, 0).record.closedAt + 4 hours + 1);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
        skip(25 hours);
        vm.setBlockhash(market.batchOf(id, 0).record.drawBlock, keccak256("late"));
        market.drawLate(id, 0);
        uint256 now_ = vm.getBlockTimestamp();
        BatchView memory v = market.batchOf(id, 0);
        eq(v.record.windowUntil, now_ + 24 hours, "the window");
        yes(v.record.until >= now_ + 36 hours + 20 minutes, "and the time for proofs");
        skip(23 hours);
        contest(id, undrawnIn(id, 0));
    }

    /// Nor does a lost hash take time from the proof of the whole batch.
    function test_a_lost_late_hash_leaves_the_whole_time() public {
        bytes32 id = running(false);
        fillAndClose(id);
        skipTo(market.batchOf(id, 0).record.closedAt + 4 hours + 1);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
        skip(30 hours);
        market.drawLate(id, 0);
        eq(market.batchOf(id, 0).due, 15, "the whole batch");
        eq(market.batchOf(id, 0).record.until, vm.getBlockTimestamp() + 36 hours + 40 minutes, "from the draw");
    }

    /// One silent member of a majority decides nothing: no more words are asked for than a majority has.
    function test_a_minority_cannot_be_needed() public {
        Terms memory t = terms(true);
        t.committee.threshold = 3;
        bytes memory call = abi.encodeCall(market.check, (t));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.Threshold));
    }

    /// A complaint that delays the pay and is withdrawn costs a member's share of its bond, also where members have no fee.
    function test_a_withdrawn_complaint_is_not_free() public {
        for (uint128 fee = 0; fee <= FEE; fee += FEE) {
            Terms memory t = terms(true);
            t.committee.fee = fee;
            bytes32 id = running(t);
            fillAndClose(id);
            proveDue(id, 0);
            uint256 had = vault.free(requester);
            uint256 burnt = vault.owed(BURNT);
            complain(id, 0);
            acknowledge(id, 0);
            eq(had - vault.free(requester), FEE, "a share");
            eq(vault.owed(BURNT) - burnt, FEE, "burnt");
            solvent();
        }
    }

    /// A word that was paid less than a share does not make it cheaper.
    function test_a_complaint_withdrawn_behind_a_cheap_word() public {
        Terms memory t = terms(true);
        t.committee.fee = FEE / 4;
        bytes32 id = running(t);
        fillAndClose(id);
        proveDue(id, 0);
        uint256 had = vault.free(requester);
        complain(id, 0);
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        attest(id, 0, true, 1);
        acknowledge(id, 0);
        eq(had - vault.free(requester), FEE, "a share");
        eq(vault.owed(validators[1]), FEE / 4, "of which the member has its fee");
        eq(vault.owed(BURNT), FEE - FEE / 4, "and nobody the rest");
        solvent();
    }

    /// A stop just before the time is over does not cost the lead a quarter of a batch.
    function test_a_batch_that_a_stop_filled_has_its_time() public {
        bytes32 id = running(true);
        claim(id, 3);
        skip(3 days - 1 hours);
        vm.prank(requester);
        market.stop(id, 0);
        uint256 until = vm.getBlockTimestamp() + 3 days;
        skip(2 hours);
        bytes memory call = abi.encodeCall(market.abandon, (id));
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until));
        eq(market.readyOf(id).length, 0, "nothing is ready");
        close(id);
        eq(vault.bonded(id, provider), BOND, "nothing burnt");
    }

    /// A lead whose bond is of many batches has a friend challenge a right claim, and does not prove it: what the friend gets is less
    /// than the pay of the batch that fails.
    function test_a_large_bond_buys_no_large_bounty() public {
        Terms memory t = terms(false);
        t.price.bond = 8 * BOND;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        skip(72 hours + 20 minutes);
        market.fail(id, index);
        eq(vault.owed(challenger), K * PRICE / 4, "a quarter of a batch");
        eq(vault.owed(BURNT), 8 * BOND - K * PRICE / 4, "all else burnt");
        solvent();
    }

    /// NO takes the batch's pay, not the challenger's bond from the member that answers.
    function test_a_challenge_in_a_refused_batch_pays_its_holder() public {
        Terms memory t = terms(false);
        t.times.decideSecs = 24 hours;
        bytes32 id = running(t);
        uint256 seat = join(id);
        fillAndClose(id);
        reveal(id, 0);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        complain(id, 0);
        contest(id, index);
        take(id, index, seat);
        skip(13 hours);
        attest(id, 0, false, 0);
        attest(id, 0, false, 2);
        bytes memory call = abi.encodeCall(market.reclaim, (id, index));
        refuses(provider, call, why(IMarketErrors.NotPending.selector, index));
        prove(id, index);
        eq(vault.owed(partner), CHALLENGE_BOND, "the member's");
        eq(vault.owed(provider), 0, "not the lead's");
        // Nor from one that takes it afterwards.
        index = (index + 1) % K;
        while (market.batchOf(id, 0).record.drawn >> index & 1 == 1) index = (index + 1) % K;
        contest(id, index);
        take(id, index, seat);
        pass(16);
        prove(id, index);
        eq(vault.owed(partner), 2 * CHALLENGE_BOND, "the member's");
        solvent();
    }

    /// A late answer earns nothing: nobody takes it.
    function test_a_late_challenge_is_not_taken() public {
        bytes32 id = drawn();
        uint256 seat = join(id);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        uint256 until = market.challengeOf(id, index).until;
        vm.warp(until + 1);
        bytes memory call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.TooLate.selector, until));
        vm.warp(until - 1 hours);
        take(id, index, seat);
    }

    /// A member that holds takes and lets them lapse does not keep others from the batch.
    function test_a_lapsed_take_keeps_no_pay() public {
        bytes32 id = drawn();
        uint256 seat = join(id, partner, 2 * PRICE);
        uint256 first = drawnIn(id, 0);
        take(id, first, seat);
        bytes memory call = abi.encodeCall(market.reclaim, (id, first));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, first));
        skipTo(market.takeOf(id, first).until + 1);
        vm.prank(stranger);
        market.reclaim(id, first);
        eq(market.batchOf(id, 0).record.reserved, 0, "released");
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, first));
        uint256 second = first + 1;
        while (market.batchOf(id, 0).record.drawn >> second & 1 == 0) ++second;
        take(id, second, seat);
        pass(16);
        prove(id, first);
        eq(market.batchOf(id, 0).record.reserved, 2 * PRICE, "once");
        eq(vault.owed(provider), CHALLENGE_BOND, "its bond is the lead's, as ever");
        prove(id, second);
        settle(id);
        eq(market.owed(partner), 2 * PRICE, "for the second");
        solvent();
    }

    /// One key is not two members.
    function test_a_key_speaks_for_one_member() public {
        Terms memory t = terms(true);
        bytes32 id = market.idOf(requester, ++nonce, t);
        Consent[] memory consents = consentsOf(id, t);
        consents[2].key = consents[0].key;
        consents[2].signature = sign(validatorKeys[2], market.consentDigest(id, consents[2].key, consents[2].expiry));
        Licence memory none;
        Permit memory permit;
        bytes memory call = abi.encodeCall(market.open, (t, nonce, none, consents, permit));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.KeyTwice.selector, consents[0].key));
    }

    /// A member that quit still has pay to defend.
    function test_who_quit_adds_a_root() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        take(id, 0, seat);
        pass(16);
        proveDue(id, 0);
        vm.prank(partner);
        market.quit(id, seat);
        complain(id, 0);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.NotMember.selector, stranger, seat);
        refuses(stranger, abi.encodeCall(market.addRoot, (id, 0, DATA, seat)), no);
        no = abi.encodeWithSelector(IMarketErrors.NotMember.selector, partner, seat + 1);
        refuses(partner, abi.encodeCall(market.addRoot, (id, 0, DATA, seat + 1)), no);
        vm.prank(partner);
        market.addRoot(id, 0, DATA, seat);
        no = abi.encodeWithSelector(IMarketErrors.NotMember.selector, partner, seat);
        refuses(partner, abi.encodeCall(market.close, (id, 1, ROOT, seat)), no);
    }

    /// A job that failed loses its lead's bond anyhow: no member stakes on what is left of it.
    function test_nobody_takes_in_a_job_that_failed() public {
        bytes32 id = running(false);
        uint256 seat = join(id);
        fillAndClose(id);
        fillAndClose(id);
        pass(16);
        market.reveal(id, 1, secretOf(id, 1));
        skip(60 hours);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
        pass(9);
        market.drawLate(id, 0);
        skipTo(market.batchOf(id, 1).record.until + 36 hours + 1);
        uint256 index = drawnIn(id, 0);
        uint256 here = vm.snapshotState();
        take(id, index, seat);
        vm.revertToState(here);
        market.fail(id, drawnIn(id, 1));
        bytes memory call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, index));
    }
}
