// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../../src/market/interfaces/IMarketEvents.sol";
import {Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {Consent, Licence, Offer, SeatOffer, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Refusals that no other test comes by, and what lies just beside them.
contract RefusalsTest is Scene {
    function test_only_the_requester_acknowledges_and_once() public {
        bytes32 id = running(true);
        fillAndClose(id);
        bytes memory call = abi.encodeCall(market.acknowledge, (id, 0, lastOf(3), ROOT));
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.NotRequester.selector, provider));
        acknowledge(id, 0);
        refuses(requester, call, why(IMarketErrors.NotWaiting.selector, 0));
    }

    /// A batch that time settled was not acknowledged, and is not any more.
    function test_a_settled_batch_is_not_acknowledged() public {
        bytes32 id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        settle(id);
        bytes memory call = abi.encodeCall(market.acknowledge, (id, 0, lastOf(3), ROOT));
        refuses(requester, call, why(IMarketErrors.NotWaiting.selector, 0));
    }

    function test_a_complaint_that_is_decided_takes_no_word() public {
        bytes32 id = running(true);
        fillAndClose(id);
        complain(id, 0);
        decide(id, 0, true);
        bytes memory no = why(IMarketErrors.NotWaiting.selector, 0);
        refuses(provider, abi.encodeCall(market.addRoot, (id, 0, DATA, 0)), no);
        bytes memory word = wordOf(id, 0, true, wordKey(1));
        refuses(stranger, abi.encodeCall(market.attest, (id, 0, true, 1, word)), no);
        skip(100 hours);
        refuses(stranger, abi.encodeCall(market.lapse, (id, 0)), no);
    }

    /// YES takes no pay from members that prove behind it.
    function test_a_member_is_paid_behind_a_yes() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        complain(id, 0);
        skip(37 hours);
        attest(id, 0, true, 0);
        attest(id, 0, true, 2);
        take(id, 0, seat);
        pass(16);
        proveDue(id, 0);
        settle(id);
        eq(market.owed(partner), SEAT_PAY, "for its proof");
    }

    /// In the late block itself its hash is not known: it is not lost.
    function test_the_late_block_does_not_draw_in_itself() public {
        bytes32 id = running(false);
        fillAndClose(id);
        skipTo(market.batchOf(id, 0).record.closedAt + 4 hours + 1);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
        uint256 drawBlock = market.batchOf(id, 0).record.drawBlock;
        vm.roll(drawBlock);
        refuses(stranger, abi.encodeCall(market.drawLate, (id, 0)), why(IMarketErrors.TooEarly.selector, drawBlock));
    }

    /// A shortened batch that may not be closed yet is not given up.
    function test_a_shortened_batch_waits_for_room() public {
        Terms memory t = terms(true);
        t.batches.ahead = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        claim(id, 1);
        prove(id, K);
        vm.prank(provider);
        market.abandon(id);
        eq(market.jobOf(id).total, K + 1, "as far as it is proven");
        skipTo(market.closableAfter(id) + 1 days + 1);
        bytes memory call = abi.encodeCall(market.abandon, (id));
        refuses(stranger, call, why(IMarketErrors.NoRoom.selector, 1));
        eq(market.readyOf(id).length, 0, "nor is that ready");
        proveDue(id, 0);
        settle(id);
        close(id);
        eq(market.jobOf(id).closed, K + 1, "its lead closes it");
    }

    function test_only_the_requester_cancels_in_time() public {
        bytes32 id = open(terms(true));
        bytes memory call = abi.encodeCall(market.cancel, (id));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until);
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, until));
        vm.warp(until + 1);
        vm.prank(stranger);
        market.cancel(id);
        isState(id, State.Cancelled);
    }

    function test_an_offer_to_anyone() public {
        Terms memory t = terms(true, false);
        Offer memory offer = Offer(requester, address(0), 0, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        Licence memory licence;
        Permit memory none;
        vm.prank(partner);
        bytes32 id = market.openAndAccept(t, offer, licence, new Consent[](0), none, 0, noPaths());
        eq(market.jobOf(id).owner, partner, "whoever brings it");
    }

    /// What can be asked before a job is posted refuses other code as well, also none.
    function test_terms_are_checked_with_their_code() public {
        Terms memory t = terms(true, false);
        market.check(t);
        t.training.verifierCode = DATA;
        bytes memory no = abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, t.training.verifier);
        refuses(requester, abi.encodeCall(market.check, (t)), no);
        t = terms(true, false);
        t.training.halo2Code = DATA;
        no = abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, t.training.halo2);
        refuses(requester, abi.encodeCall(market.check, (t)), no);
        // An account that exists and has none.
        vm.deal(stranger, 1);
        (t.training.halo2, t.training.halo2Code) = (stranger, keccak256(""));
        no = abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, stranger);
        refuses(requester, abi.encodeCall(market.check, (t)), no);
    }

    function test_a_secure_verifier_is_for_every_chain() public {
        vm.chainId(1);
        bytes32 id = open(terms(true));
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        isState(id, State.Assigned);
    }

    function test_nothing_owed_is_not_paid() public {
        bytes memory call = abi.encodeCall(market.withdraw, (stranger));
        refuses(stranger, call, abi.encodeWithSelector(IMarketErrors.NothingOwed.selector, stranger));
    }

    // Takes.

    function refusesTake(bytes32 id, uint256 index, bytes32 last, uint256 seat) private {
        bytes memory call = abi.encodeCall(market.take, (id, index, last, seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, index));
    }

    function refusesReclaim(bytes32 id, uint256 index) private {
        bytes memory call = abi.encodeCall(market.reclaim, (id, index));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, index));
    }

    function test_what_is_not_claimed_is_not_taken() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        claim(id, 2);
        refusesTake(id, 2, 0, seat);
        refusesTake(id, 3, 0, seat);
        // Nor, with draws, what is not drawn yet.
        id = running(false);
        seat = join(id);
        claim(id, K);
        refusesTake(id, 0, lastOf(0), seat);
    }

    function test_a_bond_covers_what_it_covers() public {
        bytes32 id = running(true);
        SeatOffer memory offer = seatFor(id, partner, SEAT_PAY);
        offer.bond = CHALLENGE_BOND;
        offer.signature = sign(PROVIDER_KEY, market.seatDigest(id, partner, offer));
        vm.prank(partner);
        uint256 seat = market.join(id, offer, noPaths());
        claim(id, 2);
        take(id, 0, seat);
        bytes memory call = abi.encodeCall(market.take, (id, 1, lastOf(1), seat));
        refuses(partner, call, why(IMarketErrors.TooManyTakes.selector, 1));
    }

    function test_nothing_is_reclaimed_where_nothing_is_held() public {
        bytes32 id = drawn();
        refusesReclaim(id, undrawnIn(id, 0));
        proveDue(id, 0);
        refusesReclaim(id, drawnIn(id, 0));
        // Where all is proven, a take that lapsed was promised nothing of its batch.
        id = running(true);
        uint256 seat = join(id);
        claim(id, 2);
        take(id, 0, seat);
        skip(19 hours);
        refusesReclaim(id, 0);
    }

    /// A claim whose take was freed behind NO is still proven.
    function test_a_freed_take_holds_up_no_proof() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        complain(id, 0);
        skip(60 hours);
        take(id, 0, seat);
        decide(id, 0, false);
        market.reclaim(id, 0);
        prove(id, 0);
        eq(market.seatOf(id, seat).open, 0, "freed once");
        solvent();
    }

    /// Behind NO a take ends without loss, also when a later batch fails.
    function test_a_take_of_a_refused_batch_is_free_in_a_job_that_failed() public {
        bytes32 id = running(true);
        uint256 seat = join(id);
        fillAndClose(id);
        fillAndClose(id);
        complain(id, 0);
        take(id, 0, seat);
        decide(id, 0, false);
        vm.warp(market.batchOf(id, 1).record.until + 36 hours + 1);
        market.fail(id, K);
        yes(market.takeOf(id, 0).until < market.jobOf(id).failedAt, "it had lapsed");
        market.reclaim(id, 0);
        vm.prank(partner);
        market.quit(id, seat);
        eq(vault.free(partner), 100_000e18, "all of its bond");
    }

    /// In its last second a take is open: its bond is free if the batch fails then. And what stood for a challenge is told.
    function test_the_last_second_of_a_take_whose_batch_fails() public {
        Terms memory t = terms(false);
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
        skipTo(market.takeOf(id, index).until);
        market.fail(id, due);
        skip(1 hours);
        vm.expectEmit(address(market));
        emit IMarketEvents.Answered(id, index, challenger);
        market.reclaim(id, index);
        vm.prank(partner);
        market.quit(id, seat);
        eq(vault.free(partner), 100_000e18, "all of its bond");
        solvent();
    }
}
