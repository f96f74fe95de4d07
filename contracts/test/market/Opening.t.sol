// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../../src/market/interfaces/IMarketErrors.sol";
import {IStakeVault, Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {BURNT} from "../../src/market/Token.sol";
import {Consent, Licence, Offer, Paths, State, Terms} from "../../src/market/Types.sol";
import {ContractWallet} from "../mocks/Wallets.sol";
import {Mode, MockVerifier} from "../mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice From the terms to the start: what is refused, who is admitted, what is escrowed.
contract OpeningTest is Scene {
    function opening(Terms memory t, Licence memory licence, Consent[] memory consents) private returns (bytes memory) {
        Permit memory none;
        return abi.encodeCall(market.open, (t, ++nonce, licence, consents, none));
    }

    function bad(Terms memory t, Term term) private {
        Licence memory none;
        bytes memory call = opening(t, none, new Consent[](0));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.BadTerm.selector, term));
        (bool done,) = address(market).staticcall(abi.encodeCall(market.check, (t)));
        yes(!done, "check refuses it, too");
    }

    function test_terms_out_of_bounds() public {
        Terms memory t = terms(false);
        market.check(t);
        bytes memory good = abi.encode(t);
        t.training.segments = 0;
        bad(t, Term.Segments);
        t.training.segments = 4097;
        bad(t, Term.Segments);
        t = abi.decode(good, (Terms));
        t.training.subject = keccak256("subject");
        bad(t, Term.Reserved);
        t = abi.decode(good, (Terms));
        t.training.order = keccak256("order");
        bad(t, Term.Reserved);
        t = abi.decode(good, (Terms));
        t.training.rates[1] = t.training.rates[0];
        bad(t, Term.Rates);
        t = abi.decode(good, (Terms));
        t.price.bond = K * PRICE - 1;
        bad(t, Term.Bond);
        t = abi.decode(good, (Terms));
        t.price.handBackFee = HAND_BACK + 1;
        bad(t, Term.HandBackFee);
        t = abi.decode(good, (Terms));
        t.price.challengeBond = 0;
        bad(t, Term.ChallengeBond);
        t = abi.decode(good, (Terms));
        t.price.complaintBond = 3 * FEE - 1;
        bad(t, Term.ComplaintBond);
        t = abi.decode(good, (Terms));
        t.price.start = 0;
        bad(t, Term.Price);
        t = abi.decode(good, (Terms));
        t.price.rampSecs = t.times.openSecs + 1;
        bad(t, Term.Ramp);
        t = abi.decode(good, (Terms));
        t.batches.deliverEvery = 0;
        bad(t, Term.DeliverEvery);
        t.batches.deliverEvery = 11;
        bad(t, Term.DeliverEvery);
        t = abi.decode(good, (Terms));
        t.batches.draws = 0;
        bad(t, Term.Draws);
        t.batches.draws = K + 1;
        bad(t, Term.Draws);
        t.batches.draws = K;
        bad(t, Term.Tip);
        t = abi.decode(good, (Terms));
        t.batches.tip = 0;
        bad(t, Term.Tip);
        t = abi.decode(good, (Terms));
        t.batches.ahead = 0;
        bad(t, Term.Ahead);
        t.batches.ahead = 65;
        bad(t, Term.Ahead);
        t = abi.decode(good, (Terms));
        t.times.batchSecs = 60 days + 1;
        bad(t, Term.BatchSecs);
        t = abi.decode(good, (Terms));
        t.times.eachSecs = uint32(uint256(30 days) / 32 + 1);
        bad(t, Term.EachSecs);
        t = abi.decode(good, (Terms));
        t.times.decideSecs = 24 hours - 1;
        bad(t, Term.DecideSecs);
        t = abi.decode(good, (Terms));
        t.times.revealSecs = 10 minutes - 1;
        bad(t, Term.RevealSecs);
        t = abi.decode(good, (Terms));
        t.committee.threshold = 1;
        bad(t, Term.Threshold);
        t.committee.threshold = 4;
        bad(t, Term.Threshold);
        t = abi.decode(good, (Terms));
        (t.committee.members[0], t.committee.members[1]) = (validators[1], validators[0]);
        bad(t, Term.MemberOrder);
        t = terms(true, false);
        t.committee.fee = 1;
        bad(t, Term.Fee);
        t = terms(true, false);
        t.price.complaintBond = 1;
        bad(t, Term.ComplaintBond);
    }

    function test_the_escrow_covers_all_that_may_be_paid() public {
        Terms memory t = terms(true);
        t.price.max = 2 * PRICE;
        (t.price.bond, t.price.rampSecs) = (2 * BOND, 12 hours);
        bytes32 id = open(t);
        eq(market.jobOf(id).escrow, market.escrowOf(t, 0), "the view");
        eq(market.jobOf(id).escrow, 2 * SEGMENTS * PRICE + 4 * HAND_BACK, "highest price, and hand-backs");
        skip(6 hours);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        uint256 price = market.jobOf(id).price;
        yes(price > PRICE && price < 2 * PRICE, "between the two");
        vm.prank(provider);
        market.start(id);
        eq(market.owed(requester), (2 * PRICE - price) * SEGMENTS, "the excess comes back at the start");
        solvent();
    }

    function test_a_hand_back_costs_both_sides() public {
        bytes32 id = assigned(terms(true));
        bytes memory call = abi.encodeCall(market.decline, (id));
        refuses(stranger, call, why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp() + 1 days));
        vm.prank(hot);
        market.decline(id);
        isState(id, State.Open);
        eq(vault.owed(BURNT), HAND_BACK, "the provider");
        eq(market.owed(BURNT), HAND_BACK, "the requester");
        call = abi.encodeCall(market.accept, (id, 0, noPaths()));
        uint256 from = vm.getBlockTimestamp() + 30 minutes;
        refuses(provider, call, why(IMarketErrors.TooEarly.selector, from - 1));
        for (uint256 i = 1; i < 4; ++i) {
            skip(30 minutes);
            vm.prank(provider);
            market.accept(id, 0, noPaths());
            if (i == 2) skip(25 hours);
            vm.prank(i == 2 ? stranger : provider);
            market.decline(id);
            if (i == 2) break;
        }
        isState(id, State.Open);
        // Its time is over: anyone takes it back.
        vm.prank(stranger);
        market.cancel(id);
        isState(id, State.Cancelled);
        solvent();
    }

    function test_the_fourth_hand_back_ends_the_job() public {
        bytes32 id = open(terms(true));
        for (uint256 i = 0; i < 4; ++i) {
            isState(id, State.Open);
            vm.prank(provider);
            market.accept(id, 0, noPaths());
            vm.prank(provider);
            market.decline(id);
            skip(31 minutes);
        }
        isState(id, State.Cancelled);
        eq(market.owed(requester), SEGMENTS * PRICE, "the price comes back");
        eq(market.owed(BURNT), 4 * HAND_BACK, "the fees do not");
        solvent();
    }

    function test_providers_are_admitted_also_after_a_hand_back() public {
        Terms memory t = terms(true);
        t.providers = bytes32(uint256(uint160(partner)));
        bytes32 id = open(t);
        bytes memory call = abi.encodeCall(market.accept, (id, 0, noPaths()));
        bytes memory no = abi.encodeWithSelector(IMarketErrors.NotAdmitted.selector, provider);
        refuses(provider, call, no);
        vm.prank(partner);
        market.accept(id, 0, noPaths());
        vm.prank(partner);
        market.decline(id);
        skip(31 minutes);
        refuses(provider, call, no);
        // A tree of two.
        bytes32 a = leaf(provider);
        bytes32 b = leaf(partner);
        t.providers = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        id = open(t);
        Paths memory paths;
        paths.terms = new bytes32[](1);
        paths.terms[0] = a;
        call = abi.encodeCall(market.accept, (id, 0, paths));
        refuses(provider, call, no);
        paths.terms[0] = b;
        vm.prank(provider);
        market.accept(id, 0, paths);
        vm.prank(provider);
        market.start(id);
        // Members, too.
        call = abi.encodeCall(market.join, (id, seatFor(id, partner, SEAT_PAY), noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.NotAdmitted.selector, partner));
    }

    function leaf(address account) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account))));
    }

    function test_a_licence_has_a_price() public {
        Terms memory t = terms(true);
        Licence memory licence = licensed(t, 1000);
        (licence.fee, licence.minRoyalty) = (uint128(K * PRICE / 4), PRICE / 5);
        signLicence(t, licence);
        bytes32 id = open(t, licence);
        eq(market.jobOf(id).escrow, SEGMENTS * PRICE + 4 * HAND_BACK + K * PRICE / 4, "the fee is escrowed");
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        eq(market.owed(royalties), 0, "not yet");
        vm.prank(provider);
        market.start(id);
        eq(market.owed(royalties), K * PRICE / 4, "at the start");
        eq(market.jobOf(id).royalty, PRICE / 5, "the least royalty");
        fillAndClose(id);
        proveDue(id, 0);
        acknowledge(id, 0);
        eq(market.owed(royalties), K * PRICE / 4 + K * PRICE / 5, "and royalty");
        solvent();
    }

    function test_what_a_licence_refuses() public {
        Terms memory t = terms(true, false);
        Licence memory licence = licensed(t, 1000);
        Consent[] memory none = new Consent[](0);
        licence.fee = uint128(K * PRICE / 4 + 1);
        signLicence(t, licence);
        bytes memory bad_ = abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.LicenceFee);
        refuses(requester, opening(t, licence, none), bad_);
        // A named provider is not the data owner.
        t.providers = bytes32(uint256(uint160(provider)));
        signLicence(t, licence);
        uint256 here = vm.snapshotState();
        open(t, licence);
        vm.revertToState(here);
        (licence.fee, licence.minRoyalty) = (0, PRICE / 2 + 1);
        signLicence(t, licence);
        bad_ = abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.MinRoyalty);
        refuses(requester, opening(t, licence, none), bad_);
        (licence.minRoyalty, licence.mostSegments) = (0, SEGMENTS - 1);
        signLicence(t, licence);
        bytes32 set = t.training.dataset;
        bytes memory no = abi.encodeWithSelector(IMarketErrors.LicenceMismatch.selector, set);
        refuses(requester, opening(t, licence, none), no);
        (licence.mostSegments, licence.terms) = (SEGMENTS, keccak256("others"));
        signLicence(t, licence);
        refuses(requester, opening(t, licence, none), no);
        licence.terms = keccak256(abi.encode(t));
        signLicence(t, licence);
        here = vm.snapshotState();
        open(t, licence);
        vm.revertToState(here);
        licence.signature = sign(REQUESTER_KEY, market.licenceDigest(set, requester, licence));
        no = abi.encodeWithSelector(IMarketErrors.BadSignature.selector, dataOwner);
        refuses(requester, opening(t, licence, none), no);
        licence.expiry = vm.getBlockTimestamp() - 1;
        no = why(IMarketErrors.SignatureExpired.selector, licence.expiry);
        refuses(requester, opening(t, licence, none), no);
    }

    /// A licence binds providers and members of the committee.
    function test_a_licence_says_who_sees_the_data() public {
        Terms memory t = terms(true);
        Licence memory licence = licensed(t, 1000);
        licence.providers = bytes32(uint256(uint160(provider)));
        signLicence(t, licence);
        Consent[] memory consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.NotAdmitted.selector, validators[0]);
        refuses(requester, opening(t, licence, consents), no);
        t = terms(true, false);
        t.training.dataset = datasets.digest(dataOwner, DATA, 107);
        t.training.royaltyBps = 1000;
        signLicence(t, licence);
        bytes32 id = open(t, licence);
        no = abi.encodeWithSelector(IMarketErrors.NotAdmitted.selector, partner);
        refuses(partner, abi.encodeCall(market.accept, (id, 0, noPaths())), no);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
    }

    function test_nobody_is_named_unasked() public {
        Terms memory t = terms(true);
        Licence memory none;
        Consent[] memory consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        Consent[] memory two = new Consent[](2);
        (two[0], two[1]) = (consents[0], consents[1]);
        refuses(requester, opening(t, none, two), why(IMarketErrors.WrongConsents.selector, 3, 2));
        // Of another job.
        bytes memory no = abi.encodeWithSelector(IMarketErrors.BadSignature.selector, validators[0]);
        refuses(requester, opening(t, none, consents), no);
        consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        consents[0].key = stranger;
        refuses(requester, opening(t, none, consents), no);
        consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        vm.warp(vm.getBlockTimestamp() + 1);
        no = why(IMarketErrors.SignatureExpired.selector, consents[0].expiry);
        refuses(requester, opening(t, none, consents), no);
        consents = consentsOf(market.idOf(requester, nonce + 1, t), t);
        vm.prank(validators[1]);
        vault.unstake(10_000e18 - STAKE + 1);
        no = abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, validators[1], STAKE - 1, STAKE);
        refuses(requester, opening(t, none, consents), no);
    }

    /// A contract is a member, by ERC-1271: its words are of the key that it names.
    function test_a_contract_is_a_member() public {
        address wallet = address(new ContractWallet(vm.addr(0x77)));
        accounts.push(wallet);
        yes(token.transfer(wallet, 1000e18), "fortune");
        vm.prank(wallet);
        token.approve(address(vault), type(uint256).max);
        stake(wallet, 1000e18);
        enrol(wallet, 0x78, address(0), 2);
        Terms memory t = terms(true);
        t.committee.members = new address[](1);
        (t.committee.members[0], t.committee.threshold) = (wallet, 1);
        bytes32 id = market.idOf(requester, ++nonce, t);
        Consent[] memory consents = new Consent[](1);
        (consents[0].key, consents[0].expiry) = (vm.addr(wordKey(0)), vm.getBlockTimestamp());
        consents[0].signature = sign(0x77, market.consentDigest(id, consents[0].key, consents[0].expiry));
        Licence memory none;
        Permit memory permit;
        vm.prank(requester);
        market.open(t, nonce, none, consents, permit);
        ids.push(id);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.start(id);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 0);
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        attest(id, 0, true, 0);
        market.settle(id);
        eq(vault.owed(wallet), FEE, "paid");
        solvent();
    }

    function test_an_offer_is_accepted_in_one_call() public {
        Terms memory t = terms(false);
        Offer memory offer = Offer(requester, provider, 0, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        bytes32 id = market.idOf(requester, nonce, t);
        Consent[] memory consents = consentsOf(id, t);
        Licence memory none;
        Permit memory permit;
        bytes memory call = abi.encodeCall(market.openAndAccept, (t, offer, none, consents, permit, PRICE, noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.OfferForAnother.selector, provider));
        vm.prank(provider);
        market.openAndAccept(t, offer, none, consents, permit, PRICE, noPaths());
        ids.push(id);
        isState(id, State.Assigned);
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, requester, offer.nonce));
        t.training.graph = keccak256("another");
        call = abi.encodeCall(market.openAndAccept, (t, offer, none, consents, permit, PRICE, noPaths()));
        refuses(provider, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, requester));
        vm.warp(vm.getBlockTimestamp() + 1);
        refuses(provider, call, why(IMarketErrors.SignatureExpired.selector, offer.expiry));
        solvent();
    }

    function test_a_child_starts_where_its_parent_was_paid_last() public {
        bytes32 parent = running(true);
        Terms memory t = terms(true);
        t.parent = parent;
        Licence memory none;
        bytes memory no = abi.encodeWithSelector(IMarketErrors.BadParent.selector, parent);
        refuses(requester, opening(t, none, new Consent[](0)), no);
        fillAndClose(parent);
        fillAndClose(parent);
        proveDue(parent, 0);
        acknowledge(parent, 0);
        skip(100 hours);
        market.fail(parent, 5);
        isState(parent, State.Slashed);
        refuses(requester, opening(t, none, new Consent[](0)), no);
        t.training.first = lastOf(3);
        (uint256 owed, uint256 had) = (market.owed(requester), token.balanceOf(requester));
        bytes32 id = open(t);
        uint256 escrow = market.jobOf(id).escrow;
        eq(market.owed(requester), 0, "what is owed pays first");
        eq(token.balanceOf(requester), had + owed - escrow, "then the rest");
        solvent();
    }

    /// Where another account is paid, the requester's key alone moves nothing that is owed.
    function test_a_payee_guards_what_is_owed() public {
        bytes32 parent = running(true);
        address safe = address(0x5afe);
        vm.prank(requester);
        vault.setPayee(requester, safe);
        bytes memory no = abi.encodeWithSelector(IStakeVault.NotPayee.selector, requester, stranger);
        refusesAt(address(vault), stranger, abi.encodeCall(vault.acceptPayee, (requester)), no);
        vm.prank(safe);
        vault.acceptPayee(requester);
        no = abi.encodeWithSelector(IStakeVault.NotPayee.selector, requester, requester);
        refusesAt(address(vault), requester, abi.encodeCall(vault.setPayee, (requester, stranger)), no);
        vm.prank(requester);
        market.stop(parent, 0);
        uint256 owed = market.owed(requester);
        Terms memory t = terms(true);
        t.parent = parent;
        open(t);
        eq(market.owed(requester), owed, "not reused");
        vm.prank(stranger);
        market.withdraw(requester);
        eq(token.balanceOf(safe), owed, "paid to the payee");
        vm.prank(requester);
        vault.unstake(100e18);
        vault.withdraw(requester);
        eq(token.balanceOf(safe), owed + 100e18, "what leaves, too");
        accounts.push(safe);
        solvent();
    }

    function test_code_is_pinned() public {
        bytes32 id = open(terms(true));
        vm.etch(address(verifier), address(new MockVerifier(address(token), Mode.AcceptAll, false, 10, 4)).code);
        bytes memory no = abi.encodeWithSelector(IMarketErrors.CodeChanged.selector, address(verifier));
        refuses(provider, abi.encodeCall(market.accept, (id, 0, noPaths())), no);
    }

    function test_an_insecure_verifier_is_for_the_local_chain() public {
        verifier = new MockVerifier(address(token), Mode.Check, true, 10, 4);
        vm.chainId(1);
        Terms memory t = terms(true, false);
        Licence memory none;
        bytes memory no = abi.encodeWithSelector(IMarketErrors.InsecureVerifier.selector, address(verifier));
        refuses(requester, opening(t, none, new Consent[](0)), no);
        vm.chainId(31_337);
        open(terms(true, false));
    }

    function test_several_calls_in_one() public {
        bytes32 id = assigned(terms(true));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.start, (id));
        bytes32[] memory lasts = new bytes32[](1);
        lasts[0] = lastOf(0);
        calls[1] = abi.encodeCall(market.claim, (id, 0, lasts));
        vm.prank(provider);
        market.multicall(calls);
        eq(market.jobOf(id).claimed, 1, "both");
    }
}
