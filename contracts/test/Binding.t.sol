// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Licence, Member, Offer, Seat, Task, Terms} from "../src/market/Types.sol";
import {TrainingMarket} from "../src/TrainingMarket.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Id and offer bind every word of the terms, and one market.
contract BindingTest is Scene {
    Licence private none;
    Permit private noPermit;

    /// Words of the encoded terms that are no values: where lists and structs begin.
    uint256 private constant OFFSETS = 4;
    /// Training, the number of its rates, the rates; price, times, checks; committee, the number of its members, the members;
    /// parent and rebased.
    uint256 private constant VALUES = 10 + 1 + 2 + 7 + 10 + 4 + 3 + 1 + 3 + 2;

    /// The call with the last bit of the word at this place changed.
    function flipped(bytes memory call, uint256 place) private pure returns (bytes memory other) {
        other = bytes.concat(call);
        other[place + 31] ^= 0x01;
    }

    function test_id_and_offer_bind_each_word_of_the_terms() public {
        Terms memory t = terms(Assurance.Sampled);
        Offer memory offer = Offer(requester, provider, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        bytes memory idOf = abi.encodeCall(market.idOf, (requester, offer.nonce, t));
        bytes memory take = abi.encodeCall(market.openAndAccept, (t, offer, none, noPermit, 0));
        bytes32 id = market.idOf(requester, offer.nonce, t);
        // The encoding of the terms alone begins with a word that says where they begin.
        uint256 words = abi.encode(t).length / 32 - 1;
        eq(words, OFFSETS + VALUES, "words");
        uint256 values = 0;
        for (uint256 i = 0; i < words; ++i) {
            // Behind the selector and the head of each call: three words, and nine with the permit's five.
            bool isValue = differs(flipped(idOf, 4 + 3 * 32 + 32 * i), id);
            bytes memory other = flipped(take, 4 + 9 * 32 + 32 * i);
            vm.prank(provider);
            (bool done, bytes memory got) = address(market).call(other);
            yes(!done, "an offer of other terms");
            if (!isValue) continue;
            ++values;
            bytes memory bad = why(IMarketErrors.BadSignature.selector, requester);
            eq(keccak256(got), keccak256(bad), "the signature is of the terms");
        }
        eq(values, VALUES, "values");
        vm.prank(provider);
        (bool taken, bytes memory made) = address(market).call(take);
        yes(taken && abi.decode(made, (bytes32)) == id, "and the offer itself is good");
    }

    /// Whether it is the encoding of terms; they have another id then.
    function differs(bytes memory call, bytes32 id) private view returns (bool) {
        (bool known, bytes memory got) = address(market).staticcall(call);
        if (!known) return false;
        yes(abi.decode(got, (bytes32)) != id, "other terms with the same id");
        return true;
    }

    function test_a_second_market_has_other_ids_and_takes_no_signature_of_the_first() public {
        TrainingMarket other = new TrainingMarket(IERC20(address(token)), nodes, datasets);
        Terms memory t = terms(Assurance.Proven);
        bytes32 id = market.idOf(requester, 1, t);
        yes(other.idOf(requester, 1, t) != id, "id");
        Offer memory offer = Offer(requester, provider, 1, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        bytes memory take = abi.encodeCall(market.openAndAccept, (t, offer, none, noPermit, 0));
        refusesAt(address(other), provider, take, why(IMarketErrors.BadSignature.selector, requester));

        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, 107, 1000, royalties);
        t.training.royaltyBps = 1000;
        Licence memory licence = Licence(1, vm.getBlockTimestamp(), "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
        bytes memory call = abi.encodeCall(market.open, (t, 1, licence, noPermit));
        refusesAt(address(other), requester, call, why(IMarketErrors.BadSignature.selector, dataOwner));

        // A job of the same terms in both: consent and word are of the one that they name.
        t = terms(Assurance.Proven);
        vm.prank(requester);
        token.approve(address(other), type(uint256).max);
        id = open(t);
        vm.prank(requester);
        bytes32 twin = other.open(t, nonce, none, noPermit);
        yes(twin != id, "twin");
        IStakeVault safe = other.vault();
        vm.prank(provider);
        token.approve(address(safe), BOND);
        vm.prank(provider);
        safe.deposit(BOND, noPermit);
        Seat[] memory seats = new Seat[](2);
        seats[0].member = Member(provider, 5000, BOND / 2);
        seats[1] = Seat(Member(partner, 5000, BOND / 2), 1, vm.getBlockTimestamp(), "");
        // Even for the twin's id.
        seats[1].signature = sign(PARTNER_KEY, market.consentDigest(twin, provider, seats[1], 0));
        call = abi.encodeCall(market.acceptAsTeam, (twin, 0, seats));
        refusesAt(address(other), provider, call, why(IMarketErrors.BadSignature.selector, partner));
        Attestation memory a = Attestation(twin, Task.Decision, 0, FIRST, YES);
        bytes memory yesSigned = wordSignature(a, 0);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 0);
        call = abi.encodeCall(market.contradict, (a, YES, validators[0], noSigned, yesSigned));
        refusesAt(address(other), stranger, call, why(IMarketErrors.BadSignature.selector, validators[0]));
    }
}
