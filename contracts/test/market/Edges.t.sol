// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView, ITrainingMarket} from "../../src/market/interfaces/ITrainingMarket.sol";
import {Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {Consent, Licence, State, Terms} from "../../src/market/Types.sol";
import {Mode, MockVerifier} from "../mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice What a job is opened with, what can be proven and challenged, and the last second of each time.
contract EdgesTest is Scene {
    function opening(Terms memory t, Licence memory licence, Consent[] memory consents) private returns (bytes memory) {
        Permit memory none;
        return abi.encodeCall(market.open, (t, ++nonce, licence, consents, none));
    }

    function opening(Terms memory t) private returns (bytes memory) {
        Licence memory licence;
        return opening(t, licence, new Consent[](0));
    }

    // Opening.

    function test_a_set_is_the_one_that_is_registered() public {
        Terms memory t = terms(true, false);
        t.training.royaltyBps = 1;
        refuses(requester, opening(t), abi.encodeWithSelector(IMarketErrors.DatasetMismatch.selector, bytes32(0)));
        t = terms(true, false);
        Licence memory licence = licensed(t, 1000);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.DatasetMismatch.selector, t.training.dataset);
        Consent[] memory none = new Consent[](0);
        t.training.rows = 106;
        refuses(requester, opening(t, licence, none), no);
        (t.training.rows, t.training.royaltyBps) = (107, 999);
        refuses(requester, opening(t, licence, none), no);
        (t.training.royaltyBps, t.training.dataRoot) = (1000, ROOT);
        refuses(requester, opening(t, licence, none), no);
        t.training.dataRoot = DATA;
        open(t, licence);
        // It serves once.
        no = abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, dataOwner, licence.nonce);
        refuses(requester, opening(t, licence, none), no);
    }

    function test_a_licences_fee_is_an_amount() public {
        Terms memory t = terms(true, false);
        Licence memory licence = licensed(t, 1000);
        t.providers = bytes32(uint256(uint160(provider)));
        licence.fee = 1 << 100;
        signLicence(t, licence);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.LicenceFee);
        refuses(requester, opening(t, licence, new Consent[](0)), no);
        // Half of the first price is the most.
        (licence.fee, licence.minRoyalty) = (0, PRICE / 2);
        signLicence(t, licence);
        open(t, licence);
    }

    function test_a_verifier_has_a_shape_and_its_circuit() public {
        bytes memory no = abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.Verifier);
        verifier = new MockVerifier(address(token), Mode.Check, false, 0, 4);
        refuses(requester, opening(terms(true, false)), no);
        verifier = new MockVerifier(address(token), Mode.Check, false, 10, 0);
        refuses(requester, opening(terms(true, false)), no);
        verifier = new MockVerifier(address(nodes), Mode.Check, false, 10, 4);
        no = abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, address(token));
        refuses(requester, opening(terms(true, false)), no);
        verifier = new MockVerifier(address(token), Mode.Check, false, 10, 4);
        Terms memory t = terms(true, false);
        t.training.halo2Code = DATA;
        refuses(requester, opening(t), no);
        t = terms(true, false);
        t.training.verifierCode = DATA;
        refuses(requester, opening(t), abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, address(verifier)));
    }

    function test_a_parent_is_ones_own() public {
        bytes32 parent = running(terms(true, false));
        vm.prank(provider);
        market.abandon(parent);
        Terms memory t = terms(true, false);
        t.parent = parent;
        refuses(partner, opening(t), abi.encodeWithSelector(IMarketErrors.BadParent.selector, parent));
        t.training.first = ROOT;
        refuses(requester, opening(t), abi.encodeWithSelector(IMarketErrors.BadParent.selector, parent));
        t.rebased = true;
        open(t);
        // One that never started has what it would have started from.
        parent = open(terms(true, false));
        vm.prank(requester);
        market.cancel(parent);
        t = terms(true, false);
        t.parent = parent;
        open(t);
        // Where no segment goes on from another, a child has its parent's model.
        t = terms(true, false);
        t.training.chained = false;
        parent = running(t);
        fillAndClose(parent);
        proveDue(parent, 0);
        acknowledge(parent, 0);
        vm.prank(provider);
        market.abandon(parent);
        isState(parent, State.Left);
        t.parent = parent;
        open(t);
    }

    function test_members_have_a_role_and_a_key() public {
        Terms memory t = terms(true);
        Consent[] memory consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        consents[1].key = address(0);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.BadSignature.selector, validators[1]);
        Licence memory licence;
        consents[1].signature = sign(
            validatorKeys[1], market.consentDigest(market.idOf(requester, nonce + 1, t), address(0), consents[1].expiry)
        );
        refuses(requester, opening(t, licence, consents), no);
        address peer = vm.addr(0xee10);
        vm.prank(validators[0]);
        nodes.remove(peer);
        consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        no = abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, validators[0], 2);
        refuses(requester, opening(t, licence, consents), no);
    }

    function test_the_least_price_is_taken() public {
        bytes32 id = open(terms(true));
        bytes memory call = abi.encodeCall(market.accept, (id, PRICE + 1, noPaths()));
        refuses(provider, call, why(IMarketErrors.PriceTooLow.selector, PRICE, PRICE + 1));
        uint256 until = market.jobOf(id).deadline;
        call = abi.encodeCall(market.accept, (id, PRICE, noPaths()));
        vm.warp(until + 1);
        refuses(provider, call, why(IMarketErrors.TooLate.selector, until));
        vm.warp(until);
        vm.prank(provider);
        market.accept(id, PRICE, noPaths());
        until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(provider, abi.encodeCall(market.start, (id)), why(IMarketErrors.TooLate.selector, until));
        vm.warp(until);
        bytes memory notLead = abi.encodeWithSelector(IMarketErrors.NotProvider.selector, partner);
        refuses(partner, abi.encodeCall(market.start, (id)), notLead);
        vm.prank(provider);
        market.start(id);
    }

    function test_the_first_second_after_a_hand_back() public {
        bytes32 id = assigned(terms(true));
        vm.prank(provider);
        market.decline(id);
        uint256 from = market.jobOf(id).acceptFrom;
        bytes memory call = abi.encodeCall(market.accept, (id, 0, noPaths()));
        vm.warp(from - 1);
        refuses(provider, call, why(IMarketErrors.TooEarly.selector, from - 1));
        vm.warp(from);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        isState(id, State.Assigned);
    }

    // Proofs.

    function refusesProof(bytes32 id, uint256 index) private {
        bytes memory call = abi.encodeCall(market.prove, (id, index, ""));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, index));
    }

    function test_what_can_be_proven() public {
        bytes32 id = running(false);
        claim(id, K + 1);
        // Beyond the batch being filled, and not claimed.
        refusesProof(id, K);
        refusesProof(id, K + 1);
        prove(id, 0);
        refusesProof(id, 0);
        close(id);
        prove(id, K);
        reveal(id, 0);
        proveDue(id, 0);
        settle(id);
        // Settled, and not drawn.
        uint256 left = undrawnIn(id, 0);
        while (market.batchOf(id, 0).record.proven >> left & 1 == 1) ++left;
        refusesProof(id, left);
    }

    function test_a_short_batch_ends_where_the_job_does() public {
        bytes32 id = running(false);
        for (uint256 i = 0; i < BATCHES; ++i) {
            fillAndClose(id);
        }
        pass(16);
        market.reveal(id, 2, secretOf(id, 2));
        bytes memory call = abi.encodeCall(market.challenge, (id, SEGMENTS, 0));
        refuses(challenger, call, why(IMarketErrors.NotPending.selector, SEGMENTS));
        refuses(
            stranger, abi.encodeCall(market.segmentOf, (id, SEGMENTS)), why(IMarketErrors.NotPending.selector, SEGMENTS)
        );
        bytes32 other = running(false);
        claim(other, 2);
        market.segmentOf(other, 2);
        refuses(stranger, abi.encodeCall(market.segmentOf, (other, 3)), why(IMarketErrors.NotPending.selector, 3));
        other = keccak256("no job");
        refuses(stranger, abi.encodeCall(market.segmentOf, (other, 0)), wrongState(other, State.None));
    }

    function test_a_batch_that_is_not_closed_says_nothing() public {
        bytes32 id = running(true);
        claim(id, K);
        BatchView memory v = market.batchOf(id, 0);
        yes(v.last == 0 && v.paidAfter == 0, "neither its end, nor when it is paid");
    }

    function test_the_last_second_of_a_late_proof() public {
        bytes32 id = running(true);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.until;
        bytes memory p = proof(id, 0, lastOf(0));
        vm.warp(until + 36 hours + 1);
        bytes memory call = abi.encodeCall(market.prove, (id, 0, p));
        refuses(stranger, call, why(IMarketErrors.TooLate.selector, until + 36 hours));
        vm.warp(until + 36 hours);
        prove(id, 0);
        eq(vault.bonded(id, provider), BOND - BOND / 10, "late");
        id = running(true);
        fillAndClose(id);
        vm.warp(market.batchOf(id, 0).record.until);
        prove(id, 0);
        eq(vault.bonded(id, provider), BOND, "in time");
    }

    // Takes.

    function test_the_last_second_of_a_take() public {
        bytes32 id = drawn();
        uint256 seat = join(id);
        uint256 first = drawnIn(id, 0);
        take(id, first, seat);
        uint256 until = market.takeOf(id, first).until;
        skipTo(until);
        bytes memory call = abi.encodeCall(market.reclaim, (id, first));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, first));
        prove(id, first);
        eq(market.batchOf(id, 0).record.holders >> (4 * first) & 15, seat, "the member is paid");
        uint256 second = first + 1;
        while (market.batchOf(id, 0).record.drawn >> second & 1 == 0) ++second;
        until = market.batchOf(id, 0).record.until;
        skipTo(until);
        take(id, second, seat);
        eq(market.takeOf(id, second).until, until, "in time, for no time");
    }

    function test_a_settled_claim_is_not_taken() public {
        bytes32 id = drawn();
        uint256 seat = join(id);
        proveDue(id, 0);
        settle(id);
        uint256 index = undrawnIn(id, 0);
        bytes memory call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.NotPending.selector, index));
    }

    // What is ready.

    function ready(bytes32 id, uint256 until, bytes memory call) private {
        vm.warp(until);
        eq(market.readyOf(id).length, 0, "not yet");
        vm.warp(until + 1);
        bytes[] memory all = market.readyOf(id);
        eq(all.length, 1, "one call");
        eq(keccak256(all[0]), keccak256(call), "this one");
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        yes(done, "which can be made");
    }

    function test_what_is_ready_before_the_start() public {
        bytes32 id = open(terms(true));
        ready(id, market.jobOf(id).deadline, abi.encodeCall(ITrainingMarket.cancel, (id)));
        id = assigned(terms(true));
        ready(id, market.jobOf(id).deadline, abi.encodeCall(ITrainingMarket.decline, (id)));
    }

    function test_what_is_ready_in_a_running_job() public {
        bytes32 id = running(true);
        ready(id, market.jobOf(id).progressAt + 3 days, abi.encodeCall(ITrainingMarket.abandon, (id)));
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        ready(id, market.batchOf(id, 0).paidAfter, abi.encodeCall(ITrainingMarket.settle, (id)));
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 0);
        ready(id, market.batchOf(id, 0).complaint.until, abi.encodeCall(ITrainingMarket.lapse, (id, 0)));
        Terms memory t = terms(true);
        t.training.segments = K;
        id = running(t);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.until + 36 hours;
        ready(id, until, abi.encodeCall(ITrainingMarket.fail, (id, 0)));
        id = running(true);
        claim(id, 1);
        prove(id, 0);
        vm.prank(provider);
        market.abandon(id);
        ready(id, market.closableAfter(id) + 1 days, abi.encodeCall(ITrainingMarket.abandon, (id)));
    }

    /// A batch that was acknowledged waits for those before it, and then for nothing.
    function test_an_acknowledged_batch_is_ready_in_its_turn() public {
        bytes32 id = running(true);
        fillAndClose(id);
        skip(1 hours);
        fillAndClose(id);
        proveDue(id, 0);
        proveDue(id, 1);
        acknowledge(id, 1);
        eq(market.jobOf(id).settled, 0, "waits");
        settle(id);
        yes(vm.getBlockTimestamp() <= market.batchOf(id, 1).paidAfter, "its own time is not over");
        eq(keccak256(market.readyOf(id)[0]), keccak256(abi.encodeCall(ITrainingMarket.settle, (id))), "ready");
        market.settle(id);
        eq(market.jobOf(id).settled, 2 * K, "paid");
    }

    function test_what_is_ready_for_a_draw() public {
        bytes32 id = running(false);
        fillAndClose(id);
        uint256 until = market.batchOf(id, 0).record.closedAt + 4 hours + 1 days;
        ready(id, until, abi.encodeCall(ITrainingMarket.fixLate, (id, 0, 0)));
        uint256 drawBlock = market.batchOf(id, 0).record.drawBlock;
        vm.roll(drawBlock);
        eq(market.readyOf(id).length, 0, "not in the block");
        vm.roll(drawBlock + 1);
        eq(keccak256(market.readyOf(id)[0]), keccak256(abi.encodeCall(ITrainingMarket.drawLate, (id, 0))), "behind it");
        market.drawLate(id, 0);
        eq(market.readyOf(id).length, 0, "drawn");
    }
}
