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

    // What each role signs, by the text of its type; EIP-712 says how that, domain and fields make a digest.

    enum Role {
        Offer,
        Consent,
        Licence,
        Attestation
    }

    string[4] private types = [
        "Offer(address requester,address provider,bytes32 terms,uint256 nonce,uint256 expiry)",
        "Consent(bytes32 job,address lead,address member,uint16 shareBps,uint128 bond,uint256 minPrice,uint256 nonce,uint256 expiry)",
        "Licence(bytes32 dataset,address requester,uint256 nonce,uint256 expiry)",
        "Attestation(bytes32 job,uint8 task,uint32 index,bytes32 subject,bytes32 verdict)"
    ];

    /// What the roles sign about.
    bytes32 private wanted;
    bytes32 private trained;

    function prepare() private {
        licensed();
        wanted = opened(Assurance.Proven);
        trained = running(Assurance.Proven);
    }

    function licensedTerms() private view returns (Terms memory t) {
        t = terms(Assurance.Proven);
        t.training.dataset = datasets.digest(dataOwner, ROOT, 107);
        t.training.royaltyBps = 1000;
    }

    function theOffer(bytes memory signature) private view returns (Offer memory) {
        return Offer(requester, provider, 8, vm.getBlockTimestamp(), signature);
    }

    function theSeats(bytes memory signature) private view returns (Seat[] memory seats) {
        seats = new Seat[](2);
        seats[0].member = Member(provider, 6000, BOND / 2);
        seats[1] = Seat(Member(partner, 4000, BOND / 2), 8, vm.getBlockTimestamp(), signature);
    }

    function theLicence(bytes memory signature) private view returns (Licence memory) {
        return Licence(8, vm.getBlockTimestamp(), signature);
    }

    /// The fields of a role's message, as EIP-712 encodes them.
    function fields(Role role) private view returns (bytes memory) {
        uint256 expiry = vm.getBlockTimestamp();
        if (role == Role.Offer) {
            return abi.encode(requester, provider, keccak256(abi.encode(terms(Assurance.Proven))), 8, expiry);
        }
        if (role == Role.Consent) return abi.encode(wanted, provider, partner, 4000, BOND / 2, PRICE, 8, expiry);
        if (role == Role.Licence) return abi.encode(licensedTerms().training.dataset, requester, 8, expiry);
        return abi.encode(trained, Task.Divergence, 0, FIRST, YES);
    }

    function domainOf(uint256 chain, address where) private pure returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("gradproof market"), keccak256("1"), chain, where));
    }

    function digestOf(bytes32 domain, Role kind, bytes memory message) private view returns (bytes32) {
        bytes32 kindHash = keccak256(bytes(types[uint256(kind)]));
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(bytes.concat(kindHash, message))));
    }

    function keyOf(Role role) private view returns (uint256) {
        uint256[4] memory keys = [REQUESTER_KEY, PARTNER_KEY, OWNER_KEY, validatorKeys[1]];
        return keys[uint256(role)];
    }

    /// The call that brings a role's signature.
    function bring(Role role, bytes memory signature) private view returns (address who, bytes memory call) {
        if (role == Role.Offer) return (provider, take(terms(Assurance.Proven), theOffer(signature)));
        if (role == Role.Consent) {
            return (provider, abi.encodeCall(market.acceptAsTeam, (wanted, PRICE, theSeats(signature))));
        }
        if (role == Role.Licence) {
            return (requester, abi.encodeCall(market.open, (licensedTerms(), 9, theLicence(signature), noPermit)));
        }
        return (stranger, abi.encodeCall(market.attest, (trained, Task.Divergence, 0, YES, 1, signature)));
    }

    function refusesWord(Role role, bytes32 digest) private {
        (address who, bytes memory call) = bring(role, sign(keyOf(role), digest));
        refuses(who, call, badSignature(vm.addr(keyOf(role))));
    }

    function takesWord(Role role, bytes32 digest) private {
        uint256 here = vm.snapshotState();
        (address who, bytes memory call) = bring(role, sign(keyOf(role), digest));
        vm.prank(who);
        (bool done,) = address(market).call(call);
        yes(done, "a role's own message");
        vm.revertToState(here);
    }

    /// Mistake of others: one signature usable in two roles. A role's fields under another role's type are nobody's message.
    function test_one_signature_serves_one_role() public {
        prepare();
        bytes32 domain = domainOf(31_337, address(market));
        for (uint256 i = 0; i < 4; ++i) {
            for (uint256 kind = 0; kind < 4; ++kind) {
                bytes32 digest = digestOf(domain, Role(kind), fields(Role(i)));
                if (kind == i) takesWord(Role(i), digest);
                else refusesWord(Role(i), digest);
            }
        }
    }

    /// What wallets are told to sign is what counts, with the type's hash in it.
    function test_digests_are_those_of_the_types() public {
        prepare();
        bytes32 domain = domainOf(31_337, address(market));
        bytes32[4] memory got = [
            market.offerDigest(theOffer(""), terms(Assurance.Proven)),
            market.consentDigest(wanted, provider, theSeats("")[1], PRICE),
            market.licenceDigest(licensedTerms().training.dataset, requester, theLicence("")),
            market.attestationDigest(Attestation(trained, Task.Divergence, 0, FIRST, YES))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            eq(got[i], digestOf(domain, Role(i), fields(Role(i))), types[i]);
        }
    }

    /// Mistake of others: one signature usable on two chains, or in two contracts.
    function test_each_roles_signature_is_for_one_chain_and_market() public {
        prepare();
        bytes32 here = domainOf(31_337, address(market));
        bytes32 there = domainOf(5, address(market));
        bytes32 other = domainOf(31_337, address(new TrainingMarket(IERC20(address(token)), nodes, datasets)));
        for (uint256 i = 0; i < 4; ++i) {
            Role role = Role(i);
            bytes memory message = fields(role);
            refusesWord(role, digestOf(other, role, message));
            refusesWord(role, digestOf(there, role, message));
            takesWord(role, digestOf(here, role, message));
            // The same market on the other side of a fork.
            vm.chainId(5);
            refusesWord(role, digestOf(here, role, message));
            takesWord(role, digestOf(there, role, message));
            vm.chainId(31_337);
        }
    }

    /// A nonce is its signer's, whatever it signed with it: one that is used or cancelled serves no other role.
    function test_a_nonce_serves_one_role() public {
        prepare();
        bytes32 domain = domainOf(31_337, address(market));
        for (uint256 i = 0; i < 3; ++i) {
            Role role = Role(i);
            address signer = vm.addr(keyOf(role));
            vm.prank(signer);
            market.cancelNonce(8);
            (address who, bytes memory call) = bring(role, sign(keyOf(role), digestOf(domain, role, fields(role))));
            refuses(who, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, signer, 8));
        }
    }

    // Licences.

    function licensed() private returns (Terms memory t, bytes32 set) {
        vm.prank(dataOwner);
        set = datasets.register(ROOT, 107, 1000, royalties);
        t = licensedTerms();
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
