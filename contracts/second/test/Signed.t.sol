// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/market/interfaces/IMarketErrors.sol";
import {Permit} from "../src/market/interfaces/IStakeVault.sol";
import {TrainingMarket} from "../src/market/TrainingMarket.sol";
import {Attestation, Consent, Licence, Offer, SeatOffer, Terms} from "../src/market/Types.sol";
import {Denier, Nodder} from "first/mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "first/Vm.sol";

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

    function test_digests_are_those_of_the_types() public {
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
        Terms memory t = terms(false);
        kind = keccak256(
            "Offer(address requester,address provider,bytes32 terms,bytes32 licence,uint256 nonce,uint256 expiry)"
        );
        word = keccak256(abi.encode(kind, requester, provider, keccak256(abi.encode(t)), DATA, 1, 2));
        eq(market.offerDigest(Offer(requester, provider, DATA, 1, 2, ""), t), typed(word), "offer");
        kind = keccak256(
            "Licence(bytes32 dataset,address requester,bytes32 providers,uint128 fee,uint128 minRoyalty,uint32 mostSegments,bytes32 terms,uint256 nonce,uint256 expiry)"
        );
        Licence memory l = Licence(ROOT, 1, 2, 3, FIRST, 4, 5, "");
        word = keccak256(abi.encode(kind, DATA, requester, ROOT, 1, 2, 3, FIRST, 4, 5));
        eq(market.licenceDigest(DATA, requester, l), typed(word), "licence");
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
