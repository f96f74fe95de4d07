// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {Bounds} from "../src/market/Bounds.sol";
import {Assurance, Member, Seat, State, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Owners that take a job together: who agrees to what, and who loses what.
contract TeamsTest is Scene {
    function seats(bytes32 id) private view returns (Seat[] memory all) {
        all = new Seat[](2);
        all[0].member = Member(provider, 6000, BOND / 2);
        all[1] = Seat(Member(partner, 4000, BOND / 2), 77, vm.getBlockTimestamp() + 1 hours, "");
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
    }

    function join(bytes32 id, Seat[] memory all, uint256 minPrice) private view returns (bytes memory) {
        return abi.encodeCall(market.acceptAsTeam, (id, minPrice, all));
    }

    function take(bytes32 id, Seat[] memory all, uint256 minPrice) private {
        vm.prank(provider);
        market.acceptAsTeam(id, minPrice, all);
        vm.prank(provider);
        market.start(id);
    }

    function teamed() private returns (bytes32 id) {
        return team(terms(Assurance.Proven));
    }

    function test_a_team_shares_what_it_earns() public {
        bytes32 id = teamed();
        eq(vault.bonded(id, partner), BOND / 2, "bond");
        prove(id, 0);
        market.collect(id);
        eq(market.owed(provider), PRICE * 8 / 10 * 6 / 10, "lead");
        eq(market.owed(partner), PRICE * 8 / 10 * 4 / 10, "partner");
        refuses(stranger, abi.encodeCall(market.collect, (id)), why(IMarketErrors.NothingOwed.selector, provider));
        uint256 free = vault.free(partner);
        late(id);
        // A tenth of the bond, for six of seven segments.
        eq(vault.free(partner), free + BOND / 2 - BOND / 2 * 6 / 70, "part of the bond");
        solvent();
    }

    /// Whoever collects often collects no member's part away: before the end only what divides is split.
    function test_collecting_often_takes_nothing_from_a_member() public {
        Terms memory t = terms(Assurance.Proven);
        (t.price.start, t.price.max, t.price.lastShareBps) = (12_001, 12_001, 0);
        bytes32 id = open(t);
        Seat[] memory all = seats(id);
        (all[0].member.shareBps, all[1].member.shareBps) = (9200, 800);
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], 0));
        take(id, all, 0);
        bytes memory collect = abi.encodeCall(market.collect, (id));
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            prove(id, i);
            market.collect(id);
            // 12,001, 14,002, 16,003, … were there: one piece that divides.
            eq(market.jobOf(id).earned, (2001 * (i + 1)) % 10_000, "the rest stays");
            refuses(provider, collect, why(IMarketErrors.NothingOwed.selector, provider));
        }
        vm.prank(requester);
        market.acknowledge(id);
        market.collect(id);
        uint256 whole = SEGMENTS * 12_001;
        eq(market.owed(partner), whole * 8 / 100, "8 %");
        eq(market.owed(provider), whole - whole * 8 / 100, "the rest");
    }

    /// What a member trusts its lead with: work whose payment the lead lets go. Lead and requester in one hand keep it.
    function test_a_lead_and_its_requester_keep_what_members_earned_last() public {
        Terms memory t = terms(Assurance.Sampled);
        bytes32 id = team(t);
        claim(id, 0, SEGMENTS - 1);
        uint256 stakes = vault.free(provider) + vault.free(partner);
        vm.prank(provider);
        market.abandon(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).earned, 0, "no pay for six segments");
        eq(market.owed(requester), SEGMENTS * PRICE + 6 * FEE, "all comes back");
        eq(vault.free(provider) + vault.free(partner), stakes + BOND - BOND / 10, "a tenth of the bonds is the price");

        t = terms(Assurance.Proven);
        t.price.lastShareBps = 10_000;
        id = team(t);
        proveAll(id);
        late(id);
        inState(id, State.Withheld);
        eq(market.jobOf(id).earned, 0, "a last share of the whole price");
    }

    function team(Terms memory t) private returns (bytes32 id) {
        id = open(t);
        Seat[] memory all = seats(id);
        all[1].nonce = ++nonce;
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        take(id, all, PRICE);
    }

    function test_a_seat_needs_its_members_consent() public {
        bytes32 id = opened(Assurance.Proven);
        Seat[] memory all = seats(id);
        bytes memory forged = why(IMarketErrors.BadSignature.selector, partner);
        refuses(provider, join(id, all, PRICE - 1), forged);
        all[1].member.bond -= 1;
        all[0].member.bond += 1;
        refuses(provider, join(id, all, PRICE), forged);
        all = seats(id);
        (all[0].member.shareBps, all[1].member.shareBps) = (7000, 3000);
        refuses(provider, join(id, all, PRICE), forged);
        all = seats(keccak256("other job"));
        refuses(provider, join(id, all, PRICE), forged);
        all = seats(id);
        vm.prank(partner);
        market.cancelNonce(77);
        refuses(provider, join(id, all, PRICE), abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, partner, 77));
        all[1].nonce = 78;
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        vm.warp(all[1].expiry + 1);
        refuses(provider, join(id, all, PRICE), why(IMarketErrors.SignatureExpired.selector, all[1].expiry));
    }

    /// The lead decides for all: a member agrees to one lead, and not to whoever brings its signature.
    function test_consent_is_to_one_lead() public {
        address other = enrolMany(1, 1)[0];
        stake(other, BOND);
        bytes32 id = opened(Assurance.Proven);
        Seat[] memory all = seats(id);
        all[0].member.owner = other;
        refuses(other, join(id, all, PRICE), why(IMarketErrors.BadSignature.selector, partner));
        // By itself the other lead could take the job, with a consent that names it.
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, other, all[1], PRICE));
        vm.prank(other);
        market.acceptAsTeam(id, PRICE, all);
        inState(id, State.Assigned);
    }

    /// Else a consent that was cancelled, or is over, could be brought as another.
    function test_consent_is_for_one_nonce_and_time() public {
        bytes32 id = opened(Assurance.Proven);
        bytes memory forged = why(IMarketErrors.BadSignature.selector, partner);
        Seat[] memory all = seats(id);
        all[1].nonce += 1;
        refuses(provider, join(id, all, PRICE), forged);
        all = seats(id);
        all[1].expiry += 1;
        refuses(provider, join(id, all, PRICE), forged);
        all[1].expiry -= 1;
        vm.warp(all[1].expiry);
        take(id, all, PRICE);
    }

    /// A consent serves once: a lead that handed the job back does not take its members with it again.
    function test_a_used_consent_is_not_brought_again() public {
        bytes32 id = opened(Assurance.Proven);
        Seat[] memory all = seats(id);
        vm.prank(provider);
        market.acceptAsTeam(id, PRICE, all);
        yes(market.nonceUsed(partner, 77), "used");
        vm.prank(provider);
        market.decline(id);
        reopened();
        bytes memory used = abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, partner, 77);
        refuses(provider, join(id, all, PRICE), used);
        eq(vault.bonded(id, partner), 0, "no bond");
    }

    function test_a_team_is_whole() public {
        bytes32 id = opened(Assurance.Proven);
        bytes memory bad = why(IMarketErrors.BadTeam.selector);
        refuses(provider, join(id, new Seat[](0), 0), bad);
        Seat[] memory many = new Seat[](Bounds.TEAM + 1);
        many[0].member = Member(provider, 10_000, BOND);
        refuses(provider, join(id, many, 0), bad);
        Seat[] memory all = seats(id);
        refuses(stranger, join(id, all, PRICE), bad);
        Seat[] memory one = new Seat[](1);
        one[0].member = Member(provider, 9999, BOND);
        refuses(provider, join(id, one, 0), bad);
        one[0].member = Member(provider, 10_000, BOND - 1);
        refuses(provider, join(id, one, 0), bad);
        all[1].member = Member(provider, 4000, BOND / 2);
        all[1].signature = sign(PROVIDER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        refuses(provider, join(id, all, PRICE), abi.encodeWithSelector(IStakeVault.BondExists.selector, id, provider));
    }

    /// A lead with next to no bond of its own, that is also requester and challenger, would be slashed on purpose: half of the
    /// members' bonds would be its.
    function test_a_lead_brings_half_of_the_bond() public {
        bytes32 id = opened(Assurance.Optimistic);
        Seat[] memory all = seats(id);
        (all[0].member.bond, all[1].member.bond) = (BOND / 2 - 1, BOND / 2 + 1);
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        bytes memory small = abi.encodeWithSelector(IMarketErrors.LeadBondTooSmall.selector, BOND / 2 - 1, BOND / 2);
        refuses(provider, join(id, all, PRICE), small);
        all = seats(id);
        uint256 hand = wealth(requester) + wealth(provider) + wealth(challenger) + market.jobOf(id).escrow;
        take(id, all, PRICE);
        claim(id, 0, 1);
        confirm(id, 0);
        contest(id, 0);
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        market.slash(id, 0);
        uint256 left = wealth(requester) + wealth(provider) + wealth(challenger);
        eq(left, hand, "the three gain nothing");
        solvent();
    }

    /// Half of an odd bond is rounded up.
    function test_half_of_an_odd_bond() public {
        Terms memory t = terms(Assurance.Proven);
        (t.price.bond, t.price.handBackFee) = (3, 0);
        bytes32 id = open(t);
        Seat[] memory all = seats(id);
        (all[0].member.bond, all[1].member.bond) = (1, 2);
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        refuses(provider, join(id, all, PRICE), abi.encodeWithSelector(IMarketErrors.LeadBondTooSmall.selector, 1, 2));
    }

    function test_every_member_has_a_bond() public {
        bytes32 id = opened(Assurance.Proven);
        Seat[] memory all = seats(id);
        // Shares and bonds add up, and the partner agrees: only its bond is missing.
        (all[0].member.bond, all[1].member.bond) = (BOND, 0);
        all[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, all[1], PRICE));
        refuses(provider, join(id, all, PRICE), why(IMarketErrors.NoBond.selector, partner));
        Seat[] memory one = new Seat[](1);
        one[0].member = Member(provider, 10_000, 0);
        bytes memory small = abi.encodeWithSelector(IMarketErrors.LeadBondTooSmall.selector, 0, BOND / 2);
        refuses(provider, join(id, one, 0), small);
    }

    function test_a_team_is_slashed_in_full() public {
        bytes32 id = team(terms(Assurance.Sampled));
        claim(id, 0, SEGMENTS);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        uint256 free = vault.free(partner);
        late(id);
        inState(id, State.Slashed);
        eq(vault.free(partner), free, "nothing comes back");
        eq(vault.owed(requester), 2 * (BOND / 8), "a quarter of each");
        solvent();
    }
}
