// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "../../src/market/Books.sol";
import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BURNT} from "../../src/market/Token.sol";
import {SeatOffer, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Seats, and claims that members take to prove.
contract TeamsTest is Scene {
    function bond(bytes32 id, uint256 seat) private view returns (uint256) {
        return vault.bonded(Books.seatBond(id, seat), partner);
    }

    function test_pay_follows_the_holder() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 0, seat);
        take(id, 2, seat);
        pass(16);
        for (uint256 i = 0; i < 4; ++i) {
            prove(id, i);
        }
        close(id);
        eq(market.owed(partner), 0, "not before the batch is paid");
        acknowledge(id, 0);
        eq(market.owed(partner), 2 * SEAT_PAY, "for two proofs, whoever brought them");
        eq(market.owed(provider), K * PRICE - 2 * SEAT_PAY, "the rest");
        eq(bond(id, seat), SEAT_BOND, "its bond stands");
        vm.prank(partner);
        market.quit(id, seat);
        eq(vault.free(partner), 100_000e18, "and comes back");
        solvent();
    }

    function test_a_take_counts_from_sixteen_blocks_later() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 0, seat);
        pass(15);
        prove(id, 0);
        eq(market.seatOf(id, seat).open, 0, "freed");
        eq(bond(id, seat), SEAT_BOND, "without loss");
        for (uint256 i = 1; i < 4; ++i) {
            prove(id, i);
        }
        close(id);
        acknowledge(id, 0);
        eq(market.owed(partner), 0, "the lead is paid");
        solvent();
    }

    function test_a_take_that_lapses_loses_its_bond_to_the_lead() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 0, seat);
        eq(market.takeOf(id, 0).until, vm.getBlockTimestamp() + 18 hours, "half a period");
        skip(18 hours + 1);
        bytes memory again = abi.encodeCall(market.take, (id, 0, lastOf(0), seat));
        refuses(partner, again, why(IMarketErrors.NotPending.selector, 0));
        prove(id, 0);
        eq(bond(id, seat), SEAT_BOND - CHALLENGE_BOND, "lost");
        eq(vault.owed(provider), CHALLENGE_BOND, "to who is paid for the proof");
        solvent();
    }

    function test_a_lapsed_take_of_a_claim_that_is_never_proven_is_burnt() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        take(id, 1, seat);
        skip(100 hours);
        market.fail(id, 1);
        isState(id, State.Slashed);
        market.reclaim(id, 1);
        eq(vault.owed(BURNT), BOND + CHALLENGE_BOND, "burnt");
        vm.prank(partner);
        market.quit(id, seat);
        eq(bond(id, seat), 0, "the rest is free");
        eq(vault.free(partner), 100_000e18 - CHALLENGE_BOND, "less that");
        refuses(stranger, abi.encodeCall(market.reclaim, (id, 1)), why(IMarketErrors.NotPending.selector, 1));
        solvent();
    }

    /// A take that was open when its batch failed by another claim costs nothing, however late its bond is taken back.
    function test_a_take_that_was_open_when_its_batch_failed_is_free() public {
        Terms memory t = terms(false);
        // So that a challenge has time when what was drawn has none any more.
        t.times.windowSecs = 60 hours;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        uint256 seat = join(id);
        uint256 index = undrawnIn(id, 0);
        skipTo(market.batchOf(id, 0).record.windowUntil - 1 hours);
        contest(id, index);
        uint256 due = drawnIn(id, 0);
        skipTo(market.batchOf(id, 0).record.until + 36 hours);
        take(id, index, seat);
        skip(1 hours);
        market.fail(id, due);
        yes(market.takeOf(id, index).until > vm.getBlockTimestamp(), "open");
        skip(100 hours);
        market.reclaim(id, index);
        vm.prank(partner);
        market.quit(id, seat);
        eq(vault.free(partner), 100_000e18, "all of its bond");
        eq(vault.free(challenger), 10_000e18, "and the challenger's");
        solvent();
    }

    function test_an_open_take_of_a_void_claim_is_free() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 3, seat);
        pass(16);
        prove(id, 0);
        bytes memory call = abi.encodeCall(market.reclaim, (id, 3));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, 3));
        vm.prank(provider);
        market.abandon(id);
        eq(market.jobOf(id).total, 1, "the last proven claim");
        skip(30 hours);
        vm.prank(partner);
        market.quit(id, seat);
        eq(bond(id, seat), CHALLENGE_BOND, "what the take holds");
        market.reclaim(id, 3);
        eq(vault.free(partner), 100_000e18, "all back");
        solvent();
    }

    /// Nobody proves in vain behind a claim that will fail.
    function test_a_take_waits_for_the_batches_before_it() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        claim(id, 4);
        bytes memory call = abi.encodeCall(market.take, (id, 4, lastOf(4), seat));
        refuses(partner, call, why(IMarketErrors.NotSafe.selector, 0));
        proveDue(id, 0);
        take(id, 4, seat);
        // With draws, also for the window.
        id = running(false);
        seat = join(id);
        fillAndClose(id);
        fillAndClose(id);
        pass(16);
        market.reveal(id, 1, secretOf(id, 1));
        uint256 index = drawnIn(id, 1);
        call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.NotSafe.selector, 0));
        market.reveal(id, 0, secretOf(id, 0));
        refuses(partner, call, why(IMarketErrors.NotSafe.selector, 0));
        proveDue(id, 0);
        refuses(partner, call, why(IMarketErrors.NotSafe.selector, 0));
        skipTo(market.batchOf(id, 0).record.windowUntil + 1);
        take(id, index, seat);
    }

    function test_what_can_be_taken() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 6);
        bytes memory call = abi.encodeCall(market.take, (id, 0, falseOf(0), seat));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(0), falseOf(0)));
        call = abi.encodeCall(market.take, (id, 4, lastOf(4), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, 4));
        call = abi.encodeCall(market.take, (id, 6, 0, seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, 6));
        prove(id, 0);
        call = abi.encodeCall(market.take, (id, 0, lastOf(0), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, 0));
        call = abi.encodeCall(market.take, (id, 1, lastOf(1), seat));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.NotMember.selector, stranger, seat));
        take(id, 1, seat);
        refuses(partner, call, why(IMarketErrors.NotPending.selector, 1));
        close(id);
        skip(73 hours);
        call = abi.encodeCall(market.take, (id, 2, lastOf(2), seat));
        uint256 until = market.batchOf(id, 0).record.until + 36 hours;
        refuses(partner, call, why(IMarketErrors.TooLate.selector, until));
        skip(24 hours);
        // With draws, an undrawn claim is not.
        id = drawn();
        seat = join(id);
        uint256 index = undrawnIn(id, 0);
        call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, index));
        contest(id, index);
        take(id, index, seat);
    }

    function test_a_squatter_takes_four() public {
        Terms memory t = terms(true);
        (t.batches.deliverEvery, t.batches.draws, t.price.bond) = (8, 8, 8 * PRICE);
        bytes32 id = running(t);
        uint256 seat = join(id);
        claim(id, 8);
        for (uint256 i = 0; i < 4; ++i) {
            take(id, i, seat);
        }
        bytes memory call = abi.encodeCall(market.take, (id, 4, lastOf(4), seat));
        refuses(partner, call, why(IMarketErrors.TooManyTakes.selector, 4));
        // And as many as its bond covers.
        SeatOffer memory offer = seatFor(id, partner, SEAT_PAY);
        offer.bond = 2 * CHALLENGE_BOND - 1;
        offer.signature = sign(PROVIDER_KEY, market.seatDigest(id, partner, offer));
        vm.prank(partner);
        seat = market.join(id, offer, noPaths());
        take(id, 4, seat);
        call = abi.encodeCall(market.take, (id, 5, lastOf(5), seat));
        refuses(partner, call, why(IMarketErrors.TooManyTakes.selector, 1));
        skip(20 hours);
        for (uint256 i = 0; i < 4; ++i) {
            prove(id, i);
        }
        eq(vault.owed(provider), 4 * CHALLENGE_BOND, "four bonds");
        solvent();
    }

    /// The holder of a challenged claim has the challenger's bond, and not the seat's pay.
    function test_a_challenged_claim_pays_the_bond() public {
        bytes32 id = drawn();
        uint256 seat = join(id);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        take(id, index, seat);
        pass(16);
        prove(id, index);
        eq(vault.owed(partner), CHALLENGE_BOND, "the bond");
        acknowledge(id, 0);
        eq(market.owed(partner), 0, "no pay");
        eq(market.owed(provider), K * PRICE, "the lead has it");
        solvent();
    }

    /// With draws, what members are promised is not more than the batch's pay.
    function test_pay_is_reserved() public {
        bytes32 id = drawn();
        uint256 seat = join(id, partner, 2 * PRICE);
        uint256 first = drawnIn(id, 0);
        take(id, first, seat);
        eq(market.batchOf(id, 0).record.reserved, 2 * PRICE, "promised");
        uint256 second = first + 1;
        while (market.batchOf(id, 0).record.drawn >> second & 1 == 0) ++second;
        bytes memory call = abi.encodeCall(market.take, (id, second, lastOf(second), seat));
        refuses(partner, call, why(IMarketErrors.PayTooHigh.selector, 2 * PRICE, PRICE));
        skip(25 hours);
        prove(id, first);
        eq(market.batchOf(id, 0).record.reserved, 0, "a lapse releases it");
        take(id, second, seat);
        pass(16);
        prove(id, second);
        settle(id);
        eq(market.owed(partner), 2 * PRICE, "paid");
        eq(market.owed(provider), 2 * PRICE, "the rest");
        solvent();
    }

    function test_a_refused_batch_frees_its_takes() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        complain(id, 0);
        skip(50 hours);
        take(id, 0, seat);
        take(id, 1, seat);
        decide(id, 0, false);
        bytes memory call = abi.encodeCall(market.take, (id, 2, lastOf(2), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, 2));
        market.reclaim(id, 0);
        eq(market.seatOf(id, seat).open, 1, "freed");
        solvent();
    }

    function test_a_proof_in_a_refused_batch_frees_its_take() public {
        Terms memory t = terms(true);
        t.times.decideSecs = 24 hours;
        bytes32 id = running(t);
        uint256 seat = join(id);
        fillAndClose(id);
        complain(id, 0);
        take(id, 1, seat);
        decide(id, 0, false);
        prove(id, 1);
        eq(market.seatOf(id, seat).open, 0, "by the proof");
        eq(bond(id, seat), SEAT_BOND, "without loss");
        solvent();
    }

    function test_who_may_join() public {
        bytes32 id = running(true);
        SeatOffer memory offer = seatFor(id, partner, SEAT_PAY);
        bytes memory call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, provider));
        vm.prank(partner);
        market.join(id, offer, noPaths());
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, provider, offer.nonce));
        offer = seatFor(id, stranger, SEAT_PAY);
        call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, stranger, 1));
        enrol(validators[0], 0xabc, address(0), 1);
        offer = seatFor(id, validators[0], SEAT_PAY);
        call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(validators[0], call, abi.encodeWithSelector(IMarketErrors.InCommittee.selector, validators[0]));
        offer = seatFor(id, partner, PRICE + 1);
        call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, why(IMarketErrors.PayTooHigh.selector, PRICE + 1, PRICE));
        offer = seatFor(id, partner, PRICE);
        call = abi.encodeCall(market.join, (id, offer, noPaths()));
        vm.warp(offer.expiry + 1);
        refuses(partner, call, why(IMarketErrors.SignatureExpired.selector, offer.expiry));
    }

    function test_fifteen_seats_in_all() public {
        bytes32 id = running(true);
        for (uint256 i = 1; i <= 15; ++i) {
            uint256 seat = join(id);
            eq(seat, i, "numbers");
            vm.prank(partner);
            market.quit(id, seat);
        }
        SeatOffer memory offer = seatFor(id, partner, SEAT_PAY);
        bytes memory call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, why(IMarketErrors.TooManySeats.selector, 15));
        bytes memory gone = abi.encodeWithSelector(IMarketErrors.NotMember.selector, partner, 3);
        refuses(partner, abi.encodeCall(market.quit, (id, 3)), gone);
        refuses(
            partner,
            abi.encodeCall(market.quit, (id, 0)),
            abi.encodeWithSelector(IMarketErrors.NotMember.selector, partner, 0)
        );
    }

    /// Credit stays: a member that quit is paid for what it held.
    function test_who_quits_keeps_its_credit() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 4);
        take(id, 0, seat);
        take(id, 1, seat);
        pass(16);
        prove(id, 0);
        vm.prank(partner);
        market.quit(id, seat);
        eq(bond(id, seat), CHALLENGE_BOND, "the open take");
        for (uint256 i = 1; i < 4; ++i) {
            prove(id, i);
        }
        eq(bond(id, seat), 0, "free");
        close(id);
        acknowledge(id, 0);
        eq(market.owed(partner), 2 * SEAT_PAY, "both");
        solvent();
    }

    function test_a_member_closes_when_the_lead_does_not() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 8);
        uint256 until = vm.getBlockTimestamp() + 12 hours;
        bytes memory call = abi.encodeCall(market.close, (id, 0, ROOT, seat));
        vm.warp(until);
        refuses(partner, call, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        vm.prank(partner);
        market.close(id, 0, ROOT, seat);
        // Not many at once.
        call = abi.encodeCall(market.close, (id, 1, ROOT, seat));
        refuses(partner, call, why(IMarketErrors.TooEarly.selector, until + 1 + 12 hours));
        bytes memory no = abi.encodeWithSelector(IMarketErrors.NotMember.selector, stranger, seat);
        refuses(stranger, abi.encodeCall(market.close, (id, 1, ROOT, seat)), no);
    }
}
