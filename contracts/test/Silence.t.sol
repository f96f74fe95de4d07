// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, Member, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {Silence} from "./Silence.sol";
import {vm} from "./Vm.sol";

/// @notice Who falls silent before the start, in a proven or sampled job, and while the weights are handed over.
contract SilenceTest is Silence {
    // Before the start.

    function accepted() private returns (bytes32) {
        return assigned(terms(Assurance.Proven));
    }

    function declined() private returns (bytes32 id) {
        id = assigned(terms(Assurance.Proven));
        vm.prank(provider);
        market.decline(id);
    }

    function teamAccepted() private returns (bytes32 id) {
        id = opened(Assurance.Proven);
        Seat[] memory seats = new Seat[](2);
        seats[0].member = Member(provider, 6000, BOND * 3 / 4);
        seats[1] = Seat(Member(partner, 4000, BOND / 4), 1, vm.getBlockTimestamp(), "");
        seats[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, seats[1], 0));
        vm.prank(provider);
        market.acceptAsTeam(id, 0, seats);
    }

    function teamDeclined() private returns (bytes32 id) {
        id = teamAccepted();
        vm.prank(provider);
        market.decline(id);
    }

    function posted() private returns (bytes32) {
        return opened(Assurance.Proven);
    }

    function test_silence_before_the_start() public {
        Escrow memory none;
        Bond memory fee = Bond(24e18, 0, 0);
        Assurance level = Assurance.Proven;
        row(posted, Row(level, State.Open, "every provider", State.Expired, none, Bond(0, 0, 0)));
        row(accepted, Row(level, State.Assigned, "the provider, or the requester", State.Expired, none, fee));
        row(declined, Row(level, State.Open, "the requester, before a refusal", State.Expired, none, fee));
        row(teamAccepted, Row(level, State.Assigned, "the lead", State.Expired, none, fee));
        row(teamDeclined, Row(level, State.Open, "the requester, of a team", State.Expired, none, fee));
    }

    /// Each member of a team that hands back loses its part of the fee.
    function test_a_team_that_hands_back_pays_by_its_bonds() public {
        uint256 lead = vault.free(provider);
        uint256 member = vault.free(partner);
        bytes32 id = teamDeclined();
        inState(id, State.Open);
        eq(vault.free(provider), lead - 24e18 * 3 / 4, "three quarters");
        eq(vault.free(partner), member - 24e18 / 4, "a quarter");
        eq(market.teamOf(id).length, 0, "no team");
    }

    // `Proven`.

    function trained(uint256 count) private returns (bytes32 id) {
        id = running(Assurance.Proven);
        for (uint256 i = 0; i < count; ++i) {
            prove(id, i);
        }
    }

    function provenNone() private returns (bytes32) {
        return trained(0);
    }

    function provenTwo() private returns (bytes32) {
        return trained(2);
    }

    function provenOneWord() private returns (bytes32 id) {
        id = trained(2);
        vote(id, Task.Divergence, 2, YES, 0);
    }

    function provenDivergedAtNone() private returns (bytes32 id) {
        id = running(Assurance.Proven);
        agree(id, Task.Divergence, 0, YES);
    }

    function test_silence_in_a_proven_job() public {
        Assurance level = Assurance.Proven;
        Escrow memory two = Escrow(2 * SHARE, 0, 0);
        Bond memory slow = Bond(BOND * 5 / 70, 0, 0);
        Bond memory whole;
        row(provenNone, Row(level, State.Running, "provider", State.Defaulted, Escrow(0, 0, 0), Bond(BOND / 10, 0, 0)));
        row(provenTwo, Row(level, State.Running, "provider, later", State.Defaulted, two, slow));
        row(provenOneWord, Row(level, State.Running, "committee, of a divergence", State.Defaulted, two, slow));
        row(
            provenDivergedAtNone,
            Row(level, State.Diverged, "all, diverged at once", State.Diverged, Escrow(0, 0, 2 * FEE), whole)
        );
    }

    // `Sampled`.

    function sampledThree() private returns (bytes32 id) {
        id = running(Assurance.Sampled);
        claim(id, 0, 3);
    }

    function sampledOneProven() private returns (bytes32 id) {
        id = sampledThree();
        prove(id, 0);
    }

    function sampledDivergedAtNone() private returns (bytes32 id) {
        id = running(Assurance.Sampled);
        agree(id, Task.Divergence, 0, YES);
    }

    function sampledDiverged() private returns (bytes32 id) {
        id = sampledThree();
        agree(id, Task.Divergence, 3, YES);
    }

    function sampledDivergedDrawn() private returns (bytes32 id) {
        id = sampledDiverged();
        passDrawBlock(id);
        market.reveal(id, SECRET);
    }

    function sampledDivergedAllProven() private returns (bytes32 id) {
        id = sampledThree();
        for (uint256 i = 0; i < 3; ++i) {
            prove(id, i);
        }
        agree(id, Task.Divergence, 3, YES);
    }

    function lostHash() private returns (bytes32 id) {
        id = drawing();
        vm.roll(market.jobOf(id).drawBlock + 257);
        market.reveal(id, SECRET);
    }

    function lostHashAllButOne() private returns (bytes32 id) {
        id = lostHash();
        for (uint256 i = 1; i < SEGMENTS; ++i) {
            prove(id, i);
        }
    }

    function test_silence_in_a_sampled_job() public {
        Assurance level = Assurance.Sampled;
        Escrow memory none;
        Bond memory whole;
        Bond memory slashed = Bond(BOND * 3 / 4, BOND / 4, 0);
        Escrow memory all = Escrow(SEGMENTS * SHARE, 0, 0);
        Escrow memory three = Escrow(3 * PRICE, 0, 2 * FEE);
        row(sampledThree, Row(level, State.Running, "provider", State.Defaulted, none, Bond(BOND / 10, 0, 0)));
        row(
            sampledOneProven,
            Row(level, State.Running, "provider", State.Defaulted, Escrow(SHARE, 0, 0), Bond(BOND * 6 / 70, 0, 0))
        );
        row(
            sampledDivergedAtNone,
            Row(level, State.Diverged, "all, diverged at once", State.Diverged, Escrow(0, 0, 2 * FEE), whole)
        );
        // Then nothing is handed over either.
        row(drawing, Row(level, State.Drawing, "requester, of its secret", State.Withheld, all, whole));
        row(sampledDiverged, Row(level, State.Drawing, "requester, diverged", State.Diverged, three, whole));
        row(sampledDivergedAllProven, Row(level, State.Diverged, "all, diverged", State.Diverged, three, whole));
        row(proving, Row(level, State.Proving, "provider", State.Slashed, none, slashed));
        row(lostHash, Row(level, State.Proving, "all until the hash is lost", State.Slashed, none, slashed));
        row(lostHashAllButOne, Row(level, State.Proving, "provider, of one proof", State.Slashed, none, slashed));
        row(
            sampledDivergedDrawn,
            Row(level, State.Proving, "provider, diverged", State.Slashed, Escrow(0, 0, 2 * FEE), slashed)
        );
    }

    // Handing over, at each level.

    Assurance private assurance;

    /// All segments are paid, on the way of its level.
    function trainedAll(Terms memory t) private returns (bytes32 id) {
        id = running(t);
        if (assurance == Assurance.Proven) {
            proveAll(id);
        } else if (assurance == Assurance.Sampled) {
            claim(id, 0, SEGMENTS);
            passDrawBlock(id);
            market.reveal(id, SECRET);
            proveDue(id);
        } else {
            lapseAll(id);
        }
    }

    /// As many claims at a time as may wait.
    function lapseAll(bytes32 id) private {
        for (uint256 from = 0; from < SEGMENTS; from += 4) {
            uint256 to = from + 4 < SEGMENTS ? from + 4 : SEGMENTS;
            claim(id, from, to - from);
            for (uint256 i = from; i < to; ++i) {
                confirm(id, i);
            }
            lapse(id, to - 1);
            market.settle(id);
        }
    }

    function paid() private returns (bytes32) {
        return trainedAll(terms(assurance));
    }

    function namedOnly() private returns (bytes32 id) {
        id = paid();
        deliver(id);
    }

    function namedOneWord() private returns (bytes32 id) {
        id = namedOnly();
        vote(id, Task.Fetchable, 0, YES, 1);
    }

    function fetched() private returns (bytes32 id) {
        id = namedOnly();
        agree(id, Task.Fetchable, 0, YES);
    }

    function complainedOf() private returns (bytes32 id) {
        id = fetched();
        vm.prank(requester);
        market.complain(id);
    }

    function splitDecision() private returns (bytes32 id) {
        id = complainedOf();
        vote(id, Task.Decision, 0, YES, 0);
        vote(id, Task.Decision, 0, NO, 1);
    }

    function foundWrong() private returns (bytes32 id) {
        id = complainedOf();
        agree(id, Task.Decision, 0, NO);
    }

    function alone() private returns (bytes32 id) {
        Terms memory t = terms(assurance);
        (t.committee.members, t.committee.threshold) = (new address[](0), 0);
        id = trainedAll(t);
        deliver(id);
    }

    function aloneDisputed() private returns (bytes32 id) {
        id = alone();
        vm.prank(requester);
        market.complain(id);
    }

    function test_silence_while_handing_over() public {
        for (uint256 i = 0; i < 3; ++i) {
            assurance = Assurance(i);
            handingOver();
        }
    }

    function handingOver() private {
        State withheld = State.Withheld;
        uint256 shares = SEGMENTS * SHARE;
        uint256 half = SEGMENTS * LAST / 2;
        uint256 price = SEGMENTS * PRICE;
        Bond memory whole;
        row(paid, Row(assurance, State.Delivering, "provider", withheld, Escrow(shares, 0, 0), whole));
        row(namedOnly, Row(assurance, State.Delivering, "committee", withheld, Escrow(shares, half, 0), whole));
        row(
            namedOneWord,
            Row(assurance, State.Delivering, "committee but one", withheld, Escrow(shares, half, FEE), whole)
        );
        row(fetched, Row(assurance, State.Handed, "requester", State.Completed, Escrow(price, 0, 2 * FEE), whole));
        row(complainedOf, Row(assurance, State.Disputed, "committee", withheld, Escrow(shares, half, 2 * FEE), whole));
        row(
            splitDecision,
            Row(assurance, State.Disputed, "the deciding member", withheld, Escrow(shares, half, 2 * FEE), whole)
        );
        row(
            foundWrong,
            Row(assurance, withheld, "provider, of the opening", withheld, Escrow(shares, 0, 4 * FEE), whole)
        );
        row(alone, Row(assurance, State.Handed, "requester, no committee", State.Completed, Escrow(price, 0, 0), whole));
        row(
            aloneDisputed, Row(assurance, State.Disputed, "all, no committee", withheld, Escrow(shares, half, 0), whole)
        );
    }

    /// The data owner has been paid for what was settled, whatever happens then.
    function test_a_royalty_stays_paid() public {
        bytes32 id = runningLicensed(royalties);
        prove(id, 0);
        pass(id);
        inState(id, State.Defaulted);
        eq(market.owed(royalties), PRICE / 10, "royalty");
        eq(market.jobOf(id).earned, SHARE - PRICE / 10, "team");
        eq(market.owed(requester), SEGMENTS * PRICE + 6 * FEE - SHARE, "requester");
        solvent();
    }
}
