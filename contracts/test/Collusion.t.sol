// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Attestation, Licence, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Parties that are one person: what they can take out of a job is never more than they put in.
contract CollusionTest is Scene {
    /// It pays itself, less what the owner of the data gets.
    function test_a_requester_that_is_its_own_provider_pays_the_royalty() public {
        enrol(requester, 0xab1, address(0), 1);
        stake(requester, BOND);
        Terms memory t = terms(Assurance.Proven);
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, 107, 1000, royalties);
        t.training.royaltyBps = 1000;
        Licence memory licence = Licence(++nonce, vm.getBlockTimestamp(), "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
        uint256 before = wealth(requester);
        bytes32 id = open(t, licence);
        vm.prank(requester);
        market.accept(id, 0);
        vm.prank(requester);
        market.start(id);
        proveAll(id);
        vm.prank(requester);
        market.acknowledge(id);
        market.collect(id);
        eq(wealth(requester), before - SEGMENTS * PRICE / 10, "less the royalty");
        eq(market.owed(royalties), SEGMENTS * PRICE / 10, "the royalty");
        solvent();
    }

    /// A provider that challenges its own false claim keeps an honest challenger away, and loses three quarters of the bond.
    function test_a_provider_that_challenges_itself() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 1);
        confirm(id, 0);
        uint256 both = wealth(provider) + wealth(challenger) + BOND;
        contest(id, 0);
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        market.slash(id, 0);
        eq(wealth(provider) + wealth(challenger), both - BOND * 3 / 4, "three quarters");
        eq(market.jobOf(id).earned, 0, "and nothing is paid");
        solvent();
    }

    /// All three in one hand burn half of their own bond.
    function test_requester_provider_and_challenger_in_one_hand() public {
        uint256 all = wealth(requester) + wealth(provider) + wealth(challenger);
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 4);
        for (uint256 i = 0; i < 4; ++i) {
            confirm(id, i);
        }
        contest(id, 3);
        vm.warp(market.claimOf(id, 3).answerUntil + 1);
        market.slash(id, 3);
        eq(wealth(requester) + wealth(provider) + wealth(challenger), all - BOND / 2, "half of the bond");
        eq(vault.owed(BURNT), BOND / 2, "burnt");
        solvent();
    }

    function say(bytes32 id, Task task, bytes32 verdict) private {
        Attestation memory a = Attestation(id, task, 0, market.subjectOf(id, task, 0, verdict), verdict);
        market.attest(id, task, 0, verdict, 0, sign(REQUESTER_KEY, market.attestationDigest(a)));
    }

    /// What accepting a job accepts with its committee: a requester that is all of it takes the last shares back, whatever was
    /// handed over, and pays its fees to itself. What was settled it pays, and the bonds it cannot touch.
    function test_a_requester_that_is_its_own_committee_takes_the_last_shares_back() public {
        enrol(requester, 0xab1, address(0), 2);
        stake(requester, WORD);
        Terms memory t = terms(Assurance.Proven);
        t.committee.members = new address[](1);
        (t.committee.members[0], t.committee.threshold) = (requester, 1);
        uint256 before = wealth(requester);
        uint256 bonds = vault.free(provider);
        bytes32 id = running(t);
        proveAll(id);
        deliver(id);
        say(id, Task.Fetchable, YES);
        vm.prank(requester);
        market.complain(id);
        say(id, Task.Decision, NO);
        inState(id, State.Withheld);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10, "the team has the rest");
        eq(wealth(requester), before - SEGMENTS * PRICE * 8 / 10, "the last shares, and all fees");
        eq(vault.free(provider), bonds, "the bond is free");
        solvent();
    }

    /// Both words of a member on a divergence, of which one counts.
    function diverging(Terms memory t) private returns (bytes32 id, bytes memory counted, bytes memory other) {
        id = running(t);
        counted = wordSignature(Attestation(id, Task.Divergence, 0, FIRST, YES), 1);
        other = wordSignature(Attestation(id, Task.Divergence, 0, FIRST, NO), 1);
        vote(id, Task.Divergence, 0, YES, 1);
    }

    /// Words share the stake behind them: who has no more than one job asks for loses it once, in however many it lies.
    function test_one_stake_is_lost_once_for_lies_in_two_jobs() public {
        address member = validators[1];
        Terms memory t = terms(Assurance.Proven);
        t.committee.stake = uint128(vault.free(member));
        (bytes32 first, bytes memory counted, bytes memory other) = diverging(t);
        (bytes32 second, bytes memory counted2, bytes memory other2) = diverging(t);
        eq(vault.backing(member), t.committee.stake, "once behind both");
        vm.prank(stranger);
        market.contradict(Attestation(first, Task.Divergence, 0, FIRST, YES), NO, member, counted, other);
        eq(vault.free(member), 0, "all of it");
        eq(vault.owed(stranger) + vault.owed(BURNT), t.committee.stake, "for the first lie");
        vm.prank(challenger);
        market.contradict(Attestation(second, Task.Divergence, 0, FIRST, YES), NO, member, counted2, other2);
        eq(vault.owed(stranger) + vault.owed(BURNT), t.committee.stake, "nothing for the second");
        eq(vault.owed(challenger), 0, "nor for who shows it");
        solvent();
    }

    /// A word that counted before its member contradicted itself stays counted, and is paid. The member's stake is what that costs;
    /// whoever relies on a committee looks at both.
    function test_a_word_that_counted_stays_counted_behind_a_contradiction() public {
        address member = validators[1];
        (bytes32 id, bytes memory counted, bytes memory other) = diverging(terms(Assurance.Proven));
        uint256 before = vault.free(member);
        vm.prank(stranger);
        market.contradict(Attestation(id, Task.Divergence, 0, FIRST, YES), NO, member, counted, other);
        eq(vault.free(member), before - WORD, "its stake");
        bytes memory again = abi.encodeCall(market.attest, (id, Task.Divergence, 0, NO, 1, other));
        refuses(stranger, again, why(IMarketErrors.AlreadyReported.selector, member));
        inState(id, State.Running);
        // One more of three is enough.
        vote(id, Task.Divergence, 0, YES, 0);
        inState(id, State.Diverged);
        eq(market.owed(member), FEE, "paid as one of two");
        eq(market.owed(validators[0]), FEE, "the other");
        solvent();
    }

    /// The last second of a window is for the challenger, the next one for the provider; the same for the answer.
    function test_windows_and_answers_do_not_overlap() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 2);
        confirm(id, 0);
        confirm(id, 1);
        vm.warp(market.claimOf(id, 0).windowUntil);
        bytes memory settle = abi.encodeCall(market.settle, (id));
        vm.prank(stranger);
        (bool done, bytes memory got) = address(market).call(settle);
        yes(!done && bytes4(got) == IMarketErrors.NothingToSettle.selector, "nothing to settle");
        contest(id, 0);
        vm.warp(market.claimOf(id, 0).answerUntil);
        bytes memory slash = abi.encodeCall(market.slash, (id, 0));
        refuses(stranger, slash, why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp()));
        prove(id, 0);
        eq(market.jobOf(id).settled, 2, "answered in the last second");
        solvent();
    }

    /// Amounts that do not divide: nothing is lost or made, whatever is rounded.
    function testFuzz_dust(uint8 price, uint16 bond, uint16 share, uint16 fee) public {
        Terms memory t = terms(Assurance.Optimistic);
        t.price.max = uint128(price) + 1;
        t.price.start = t.price.max;
        t.price.bond = 8 * t.price.max + bond;
        t.price.lastShareBps = share % 10_001;
        t.price.handBackFee = fee % (t.price.bond / 100 + 1);
        t.price.challengeBond = 1;
        bytes32 id = assigned(t);
        vm.prank(provider);
        market.decline(id);
        reopened();
        vm.prank(provider);
        market.accept(id, 0);
        vm.prank(provider);
        market.start(id);
        claim(id, 0, 3);
        confirm(id, 0);
        prove(id, 1);
        confirm(id, 2);
        contest(id, 2);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        market.slash(id, 2);
        solvent();
        eq(market.jobOf(id).settled, 2, "one lapsed, one was proven");
        eq(market.jobOf(id).escrow, 0, "nothing stays");
        eq(vault.bonded(id, provider), 0, "no bond stays");
        eq(
            vault.owed(BURNT) + vault.owed(requester) + vault.owed(challenger),
            t.price.bond + t.price.handBackFee,
            "all of it"
        );
        inState(id, State.Slashed);
        id = running(t);
        claim(id, 0, 1);
        prove(id, 0);
        late(id);
        eq(market.jobOf(id).escrow, 0, "nothing stays after a default");
        solvent();
    }
}
