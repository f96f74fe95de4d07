// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {TrainingMarket} from "../../src/market/TrainingMarket.sol";
import {Attestation, Committee, Consent, Licence, Offer, SeatOffer, Terms, Training} from "../../src/market/Types.sol";
import {Denier, Nodder} from "../mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice What each role signs: for one role, one market, one chain, once.
contract SignedTest is Scene {
    function domain(address where, uint256 chain) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("gradproof market"),
                keccak256("2"),
                chain,
                where
            )
        );
    }

    function typed(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domain(address(market), block.chainid), structHash));
    }

    function test_digests_are_those_of_the_types() public view {
        bytes32 id = keccak256("job");
        SeatOffer memory seat = SeatOffer(3, 4, 5, 6, "");
        bytes32 kind =
            keccak256("Seat(bytes32 job,address member,uint128 pay,uint128 bond,uint256 nonce,uint256 expiry)");
        eq(market.seatDigest(id, partner, seat), typed(keccak256(abi.encode(kind, id, partner, 3, 4, 5, 6))), "seat");
        kind = keccak256("Consent(bytes32 job,address key,uint256 expiry)");
        eq(market.consentDigest(id, hot, 9), typed(keccak256(abi.encode(kind, id, hot, 9))), "consent");
        kind = keccak256("Attestation(bytes32 job,uint32 batch,bytes32 last,bool yes)");
        bytes32 word = keccak256(abi.encode(kind, id, 7, FIRST, true));
        eq(market.attestationDigest(Attestation(id, 7, FIRST, true)), typed(word), "attestation");
        kind = keccak256(
            "Licence(bytes32 dataset,address requester,bytes32 providers,uint128 fee,uint128 minRoyalty,uint32 mostSegments,bytes32 terms,uint256 nonce,uint256 expiry)"
        );
        Licence memory l = Licence(ROOT, 1, 2, 3, FIRST, 4, 5, "");
        word = keccak256(abi.encode(kind, DATA, requester, ROOT, 1, 2, 3, FIRST, 4, 5));
        eq(market.licenceDigest(DATA, requester, l), typed(word), "licence");
    }

    /// The types of an offer, as a wallet has them: each name with its members, in the order of EIP-712 behind the first.
    function typesOf(string memory first) private pure returns (bytes32) {
        string[6] memory all = [
            "Batches(uint8 deliverEvery,uint8 draws,uint8 ahead,bytes32 tip)",
            "Committee(address[] members,uint8 threshold,uint128 fee,uint128 stake)",
            "Price(uint128 start,uint128 max,uint32 rampSecs,uint128 bond,uint128 handBackFee,uint128 challengeBond,uint128 complaintBond)",
            "Terms(Training training,Price price,Times times,Batches batches,Committee committee,bytes32 providers,bytes32 parent,bool rebased)",
            "Times(uint32 openSecs,uint32 reopenSecs,uint32 startSecs,uint32 batchSecs,uint32 closeSecs,uint32 revealSecs,uint32 proveSecs,uint32 eachSecs,uint32 windowSecs,uint32 complainSecs,uint32 decideSecs)",
            "Training(address verifier,bytes32 verifierCode,address halo2,bytes32 halo2Code,bytes32 graph,bytes32 subject,bytes32 order,bool chained,bytes32 dataRoot,uint64 rows,uint32 segments,bytes32 first,uint64[] rates,bytes32 dataset,uint16 royaltyBps)"
        ];
        bytes memory text = bytes(first);
        bool nested = text[0] == "O" || (text[0] == "T" && text[1] == "e");
        for (uint256 i = 0; i < 6; ++i) {
            bool isFirst = keccak256(bytes(all[i])) == keccak256(bytes(first));
            if (nested && !isFirst) text = bytes.concat(text, bytes(all[i]));
        }
        return keccak256(text);
    }

    /// The words of an array, one behind the other.
    function hashOf(uint256[] memory words) private pure returns (bytes32) {
        bytes memory data;
        for (uint256 i = 0; i < words.length; ++i) {
            data = bytes.concat(data, bytes32(words[i]));
        }
        return keccak256(data);
    }

    /// From the words of the terms as they are encoded for a call: the words of static structs are those of their types.
    function hashOf(Terms memory t) private pure returns (bytes32) {
        uint256[] memory words = new uint256[](9);
        words[0] = uint256(
            typesOf(
                "Terms(Training training,Price price,Times times,Batches batches,Committee committee,bytes32 providers,bytes32 parent,bool rebased)"
            )
        );
        words[1] = uint256(hashOf(t.training));
        bytes32 kind = typesOf(
            "Price(uint128 start,uint128 max,uint32 rampSecs,uint128 bond,uint128 handBackFee,uint128 challengeBond,uint128 complaintBond)"
        );
        words[2] = uint256(keccak256(bytes.concat(kind, abi.encode(t.price))));
        kind = typesOf(
            "Times(uint32 openSecs,uint32 reopenSecs,uint32 startSecs,uint32 batchSecs,uint32 closeSecs,uint32 revealSecs,uint32 proveSecs,uint32 eachSecs,uint32 windowSecs,uint32 complainSecs,uint32 decideSecs)"
        );
        words[3] = uint256(keccak256(bytes.concat(kind, abi.encode(t.times))));
        kind = typesOf("Batches(uint8 deliverEvery,uint8 draws,uint8 ahead,bytes32 tip)");
        words[4] = uint256(keccak256(bytes.concat(kind, abi.encode(t.batches))));
        words[5] = uint256(hashOf(t.committee));
        (words[6], words[7], words[8]) = (uint256(t.providers), uint256(t.parent), t.rebased ? 1 : 0);
        return hashOf(words);
    }

    function hashOf(Training memory t) private pure returns (bytes32) {
        uint256[] memory words = new uint256[](16);
        words[0] = uint256(
            typesOf(
                "Training(address verifier,bytes32 verifierCode,address halo2,bytes32 halo2Code,bytes32 graph,bytes32 subject,bytes32 order,bool chained,bytes32 dataRoot,uint64 rows,uint32 segments,bytes32 first,uint64[] rates,bytes32 dataset,uint16 royaltyBps)"
            )
        );
        (words[1], words[2]) = (uint160(t.verifier), uint256(t.verifierCode));
        (words[3], words[4]) = (uint160(t.halo2), uint256(t.halo2Code));
        (words[5], words[6], words[7]) = (uint256(t.graph), uint256(t.subject), uint256(t.order));
        (words[8], words[9], words[10]) = (t.chained ? 1 : 0, uint256(t.dataRoot), t.rows);
        (words[11], words[12]) = (t.segments, uint256(t.first));
        uint256[] memory rates = new uint256[](t.rates.length);
        for (uint256 i = 0; i < rates.length; ++i) {
            rates[i] = t.rates[i];
        }
        (words[13], words[14], words[15]) = (uint256(hashOf(rates)), uint256(t.dataset), t.royaltyBps);
        return hashOf(words);
    }

    function hashOf(Committee memory c) private pure returns (bytes32) {
        uint256[] memory members = new uint256[](c.members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            members[i] = uint160(c.members[i]);
        }
        uint256[] memory words = new uint256[](5);
        words[0] = uint256(typesOf("Committee(address[] members,uint8 threshold,uint128 fee,uint128 stake)"));
        (words[1], words[2], words[3], words[4]) = (uint256(hashOf(members)), c.threshold, c.fee, c.stake);
        return hashOf(words);
    }

    function offerOf(Offer memory o, Terms memory t) private view returns (bytes32) {
        uint256[] memory words = new uint256[](7);
        words[0] = uint256(
            typesOf(
                "Offer(address requester,address provider,Terms terms,bytes32 licence,uint256 nonce,uint256 expiry)"
            )
        );
        (words[1], words[2]) = (uint160(o.requester), uint160(o.provider));
        (words[3], words[4], words[5], words[6]) = (uint256(hashOf(t)), uint256(o.licence), o.nonce, o.expiry);
        return typed(hashOf(words));
    }

    /// An offer's digest is that of nested types, word by word, also where every word differs from those beside it.
    function test_an_offer_shows_every_term() public {
        Terms memory t = terms(false);
        Offer memory o = Offer(requester, provider, DATA, 1, 2, "");
        eq(market.offerDigest(o, t), offerOf(o, t), "with a committee");
        t = terms(true, false);
        (t.rebased, t.parent, t.providers) = (true, ROOT, DATA);
        (t.training.dataset, t.training.royaltyBps, t.training.subject) = (FIRST, 5, ROOT);
        (t.training.order, t.training.chained) = (DATA, false);
        (t.price.rampSecs, t.price.start, t.price.complaintBond) = (7, 8, 9);
        eq(market.offerDigest(o, t), offerOf(o, t), "without one");
        bytes32 was = market.offerDigest(o, t);
        t.times.windowSecs += 1;
        yes(market.offerDigest(o, t) != was, "each term");
    }

    function test_an_id_binds_every_term_chain_market_and_requester() public {
        Terms memory t = terms(false);
        bytes32 id = market.idOf(requester, 1, t);
        bytes memory words = abi.encode(t);
        for (uint256 i = 32; i < words.length; i += 32) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(words, add(i, 32)))
                mstore(add(words, add(i, 32)), xor(word, 1))
            }
            // Where it still is terms, it is another job.
            (bool done, bytes memory got) = address(this).call(abi.encodeCall(this.idFor, (words)));
            if (done) yes(abi.decode(got, (bytes32)) != id, "another id");
            assembly ("memory-safe") {
                mstore(add(words, add(i, 32)), word)
            }
        }
        yes(market.idOf(provider, 1, t) != id && market.idOf(requester, 2, t) != id, "requester and nonce");
        vm.chainId(5);
        yes(market.idOf(requester, 1, t) != id, "chain");
        vm.chainId(31_337);
        yes(new TrainingMarket(token, nodes, datasets).idOf(requester, 1, t) != id, "market");
    }

    function idFor(bytes calldata words) external view returns (bytes32) {
        return market.idOf(requester, 1, abi.decode(words, (Terms)));
    }

    /// A seat's signature serves one chain, and one market.
    function test_a_signature_is_for_one_chain_and_market() public {
        bytes32 id = running(true);
        SeatOffer memory offer = seatFor(id, partner, 1);
        vm.chainId(5);
        bytes memory call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, provider));
        vm.chainId(31_337);
        bytes32 elsewhere = keccak256(
            abi.encodePacked(
                "\x19\x01", domain(address(vault), 31_337), keccak256(abi.encode("no seat of this market"))
            )
        );
        offer.signature = sign(PROVIDER_KEY, elsewhere);
        call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, provider));
    }

    function test_a_nonce_can_be_cancelled() public {
        bytes32 id = running(true);
        SeatOffer memory offer = seatFor(id, partner, 1);
        vm.prank(provider);
        market.cancelNonce(offer.nonce);
        yes(market.nonceUsed(provider, offer.nonce), "used");
        bytes memory call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, provider, offer.nonce));
    }

    /// Code at a member's account changes none of its words (EIP-7702).
    function test_code_at_a_members_account_changes_no_word() public {
        bytes32 id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 0);
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        address key = vm.addr(wordKey(0));
        vm.etch(key, address(new Denier()).code);
        attest(id, 0, true, 0);
        vm.etch(vm.addr(wordKey(1)), address(new Nodder()).code);
        bytes memory forged = abi.encodeCall(market.attest, (id, 0, true, 1, new bytes(65)));
        address other = vm.addr(wordKey(1));
        refuses(stranger, forged, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, other));
    }

    /// Offers of accounts with code are as their code says, at the moment of use.
    function test_code_at_a_leads_account_signs_for_it() public {
        bytes32 id = running(true);
        SeatOffer memory offer = seatFor(id, partner, 1);
        vm.etch(provider, address(new Denier()).code);
        bytes memory call = abi.encodeCall(market.join, (id, offer, noPaths()));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.BadSignature.selector, provider));
        vm.etch(provider, address(new Nodder()).code);
        offer.signature = "";
        vm.prank(partner);
        market.join(id, offer, noPaths());
        refuses(
            partner,
            abi.encodeCall(market.join, (id, offer, noPaths())),
            abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, provider, offer.nonce)
        );
    }

    function test_a_used_nonce_opens_nothing() public {
        Terms memory t = terms(true, false);
        open(t);
        Consent[] memory none = new Consent[](0);
        Licence memory licence;
        Permit memory permit;
        bytes memory call = abi.encodeCall(market.open, (t, nonce, licence, none, permit));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, requester, nonce));
    }
}
