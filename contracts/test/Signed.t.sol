// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Licence, Member, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {TrainingMarket} from "../src/TrainingMarket.sol";
import {ContractWallet} from "./mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Offers, permits and licences: what a signature does, and what it does not.
contract SignedTest is Scene {
    Licence internal none;
    Permit internal noPermit;

    function offered(Terms memory t, address from, uint256 key) private returns (Offer memory offer) {
        offer = Offer(from, address(0), ++nonce, vm.getBlockTimestamp() + 1 hours, "");
        offer.signature = sign(key, market.offerDigest(offer, t));
    }

    function take(Terms memory t, Offer memory offer) private view returns (bytes memory) {
        return abi.encodeCall(market.openAndAccept, (t, offer, none, noPermit, 0));
    }

    function badSignature(address signer) private pure returns (bytes memory) {
        return why(IMarketErrors.BadSignature.selector, signer);
    }

    function test_an_offer_opens_and_accepts_at_once() public {
        Terms memory t = terms(Assurance.Proven);
        Offer memory offer = offered(t, requester, REQUESTER_KEY);
        vm.prank(provider);
        bytes32 id = market.openAndAccept(t, offer, none, noPermit, PRICE);
        ids.push(id);
        inState(id, State.Assigned);
        eq(market.jobOf(id).requester, requester, "requester");
        eq(id, market.idOf(requester, offer.nonce, t), "id");
        refuses(
            provider, take(t, offer), abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, requester, offer.nonce)
        );
        solvent();
    }

    function test_an_offer_pulls_the_escrow_by_permit() public {
        Terms memory t = terms(Assurance.Proven);
        vm.prank(requester);
        token.approve(address(market), 0);
        Offer memory offer = offered(t, requester, REQUESTER_KEY);
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(market), 1e24);
        vm.prank(provider);
        bytes32 id = market.openAndAccept(t, offer, none, permit, 0);
        inState(id, State.Assigned);
    }

    function test_a_permit_that_was_sent_ahead_does_no_harm() public {
        Terms memory t = terms(Assurance.Proven);
        uint256 escrow = PRICE * SEGMENTS + 3 * 2 * FEE;
        vm.prank(requester);
        token.approve(address(market), 0);
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(market), escrow);
        token.permit(requester, address(market), escrow, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(requester);
        inState(market.open(t, ++nonce, none, permit), State.Open);
        // The same for stake.
        vm.prank(requester);
        token.approve(address(vault), 0);
        permit = permitOf(REQUESTER_KEY, requester, address(vault), 5);
        token.permit(requester, address(vault), 5, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(requester);
        vault.deposit(5, permit);
        eq(vault.free(requester), 5, "stake");
    }

    /// Mistake of others: expired requests that can be replayed.
    function test_offers_expire_can_be_cancelled_and_name_a_provider() public {
        Terms memory t = terms(Assurance.Proven);
        Offer memory offer = offered(t, requester, REQUESTER_KEY);
        vm.prank(requester);
        market.cancelNonce(offer.nonce);
        bytes memory used = abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, requester, offer.nonce);
        refuses(provider, take(t, offer), used);
        refuses(requester, abi.encodeCall(market.cancelNonce, (offer.nonce)), used);
        offer = offered(t, requester, REQUESTER_KEY);
        offer.provider = partner;
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        refuses(provider, take(t, offer), why(IMarketErrors.OfferForAnother.selector, partner));
        vm.warp(offer.expiry + 1);
        refuses(partner, take(t, offer), why(IMarketErrors.SignatureExpired.selector, offer.expiry));
        vm.warp(offer.expiry);
        vm.prank(partner);
        market.openAndAccept(t, offer, none, noPermit, 0);
    }

    /// Mistakes of others: one signature usable on two chains; an offer not tied to its terms.
    function test_an_offer_binds_every_term_chain_market_and_signer() public {
        Terms memory t = terms(Assurance.Proven);
        Offer memory offer = offered(t, requester, REQUESTER_KEY);
        t.price.max += 1;
        refuses(provider, take(t, offer), badSignature(requester));
        t.price.max -= 1;
        offer.nonce += 1;
        refuses(provider, take(t, offer), badSignature(requester));
        offer.nonce -= 1;
        offer.expiry += 1;
        refuses(provider, take(t, offer), badSignature(requester));
        offer.expiry -= 1;
        offer.provider = provider;
        refuses(provider, take(t, offer), badSignature(requester));
        offer.provider = address(0);
        offer.requester = challenger;
        refuses(provider, take(t, offer), badSignature(challenger));
        offer.requester = requester;
        vm.chainId(5);
        refuses(provider, take(t, offer), badSignature(requester));
        vm.chainId(31_337);
        TrainingMarket other = new TrainingMarket(IERC20(address(token)), nodes, datasets);
        refusesAt(address(other), provider, take(t, offer), badSignature(requester));
        vm.prank(provider);
        market.openAndAccept(t, offer, none, noPermit, 0);
    }

    function test_a_contract_wallet_offers() public {
        ContractWallet wallet = new ContractWallet(requester);
        yes(token.transfer(address(wallet), 1e24), "fortune");
        wallet.approve(IERC20(address(token)), address(market));
        Terms memory t = terms(Assurance.Proven);
        Offer memory offer = offered(t, address(wallet), PROVIDER_KEY);
        refuses(provider, take(t, offer), badSignature(address(wallet)));
        offer = offered(t, address(wallet), REQUESTER_KEY);
        vm.prank(provider);
        bytes32 id = market.openAndAccept(t, offer, none, noPermit, 0);
        eq(market.jobOf(id).requester, address(wallet), "requester");
    }

    /// Mistake of others: one signature usable in two roles.
    function test_one_signature_serves_one_role() public {
        // The same key signs a licence and a word; neither opens a job.
        Terms memory t = terms(Assurance.Proven);
        Offer memory offer = offered(t, requester, REQUESTER_KEY);
        Licence memory licence = Licence(offer.nonce, offer.expiry, "");
        bytes32 id = market.idOf(requester, offer.nonce, t);
        offer.signature = sign(REQUESTER_KEY, market.licenceDigest(keccak256(abi.encode(t)), requester, licence));
        refuses(provider, take(t, offer), badSignature(requester));
        offer.signature =
            sign(REQUESTER_KEY, market.attestationDigest(Attestation(id, Task.Opening, 0, bytes32(offer.nonce), YES)));
        refuses(provider, take(t, offer), badSignature(requester));
        Seat memory seat = Seat(Member(requester, 10_000, BOND), offer.nonce, offer.expiry, "");
        offer.signature = sign(REQUESTER_KEY, market.consentDigest(id, address(0), seat, 0));
        refuses(provider, take(t, offer), badSignature(requester));
        // The same words with the same fields have different digests in each role.
        yes(market.licenceDigest(id, requester, licence) != market.offerDigest(offer, t), "roles differ");
    }

    // Licences.

    function licensed() private returns (Terms memory t, bytes32 set) {
        t = terms(Assurance.Proven);
        vm.prank(dataOwner);
        set = datasets.register(ROOT, 107, 1000, royalties);
        t.training.dataset = set;
        t.training.royaltyBps = 1000;
    }

    function licenceFor(bytes32 set, address who) private returns (Licence memory licence) {
        licence = Licence(++nonce, vm.getBlockTimestamp() + 1 hours, "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(set, who, licence));
    }

    function refusesLicence(Terms memory t, Licence memory licence, bytes memory reason) private {
        refuses(requester, abi.encodeCall(market.open, (t, ++nonce, licence, noPermit)), reason);
    }

    function test_royalty_is_paid_for_each_segment() public {
        (Terms memory t, bytes32 set) = licensed();
        bytes32 id = open(t, licenceFor(set, requester));
        // A later change of the rate or the receiver does not touch the job.
        vm.prank(dataOwner);
        datasets.change(set, 5000, stranger);
        vm.prank(provider);
        market.accept(id, 0);
        vm.prank(provider);
        market.start(id);
        prove(id, 0);
        prove(id, 1);
        eq(market.owed(royalties), 2 * PRICE / 10, "royalty");
        eq(market.jobOf(id).earned, 2 * PRICE * 7 / 10, "earned");
        eq(market.jobOf(id).held, 2 * PRICE * 2 / 10, "held");
        late(id);
        eq(market.owed(royalties), 2 * PRICE / 10, "royalty stays");
        market.withdraw(royalties);
        eq(token.balanceOf(royalties), 2 * PRICE / 10, "paid");
        solvent();
    }

    function test_a_licence_is_needed_and_binds() public {
        (Terms memory t, bytes32 set) = licensed();
        Licence memory licence = licenceFor(set, challenger);
        refusesLicence(t, licence, badSignature(dataOwner));
        licence = licenceFor(keccak256("other set"), requester);
        refusesLicence(t, licence, badSignature(dataOwner));
        licence = licenceFor(set, requester);
        licence.nonce += 1;
        refusesLicence(t, licence, badSignature(dataOwner));
        licence.nonce -= 1;
        licence.expiry += 1;
        refusesLicence(t, licence, badSignature(dataOwner));
        licence.expiry -= 1;
        open(t, licence);
        refusesLicence(t, licence, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, dataOwner, licence.nonce));
        licence = licenceFor(set, requester);
        vm.warp(licence.expiry + 1);
        refusesLicence(t, licence, why(IMarketErrors.SignatureExpired.selector, licence.expiry));
        vm.warp(licence.expiry - 1 hours);
        vm.prank(dataOwner);
        market.cancelNonce(licence.nonce);
        refusesLicence(t, licence, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, dataOwner, licence.nonce));
    }

    function test_terms_agree_with_the_registered_set() public {
        (Terms memory t, bytes32 set) = licensed();
        bytes memory mismatch = why(IMarketErrors.DatasetMismatch.selector, uint256(set));
        Licence memory licence = licenceFor(set, requester);
        t.training.royaltyBps = 999;
        refusesLicence(t, licence, mismatch);
        t.training.royaltyBps = 1000;
        t.training.rows = 106;
        refusesLicence(t, licence, mismatch);
        t.training.rows = 107;
        t.training.dataRoot = keccak256("other");
        refusesLicence(t, licence, mismatch);
        t.training.dataset = 0;
        refusesLicence(t, licence, why(IMarketErrors.DatasetMismatch.selector, uint256(0)));
    }
}
