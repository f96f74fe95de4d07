// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assurance, State, Task} from "../src/market/Types.sol";
import {Silence} from "./Silence.sol";
import {vm} from "./Vm.sol";

/// @notice Who falls silent in an optimistic job: behind claims, windows, challenges and a divergence.
contract OptimisticSilenceTest is Silence {
    function optimisticNone() private returns (bytes32) {
        return running(Assurance.Optimistic);
    }

    function unopened() private returns (bytes32) {
        return claimed(4);
    }

    function oneWord() private returns (bytes32 id) {
        id = claimed(4);
        vote(id, Task.Opening, 0, YES, 0);
    }

    function windows() private returns (bytes32 id) {
        id = claimed(4);
        for (uint256 i = 0; i < 4; ++i) {
            confirm(id, i);
        }
    }

    function secondProven() private returns (bytes32 id) {
        id = claimed(2);
        prove(id, 1);
    }

    function contested() private returns (bytes32 id) {
        id = windows();
        contest(id, 2);
    }

    function contestedThrice() private returns (bytes32 id) {
        id = windows();
        contest(id, 0);
        contest(id, 3);
        contest(id, 1);
    }

    function divergedAtNone() private returns (bytes32 id) {
        id = running(Assurance.Optimistic);
        agree(id, Task.Divergence, 0, YES);
    }

    function divergedUnopened() private returns (bytes32 id) {
        id = claimed(2);
        agree(id, Task.Divergence, 2, YES);
    }

    function divergedAndLeft() private returns (bytes32 id) {
        id = divergedUnopened();
        vm.prank(provider);
        market.abandon(id);
    }

    function divergedFirstProven() private returns (bytes32 id) {
        id = divergedUnopened();
        prove(id, 0);
    }

    function divergedOpened() private returns (bytes32 id) {
        id = divergedUnopened();
        confirm(id, 0);
        confirm(id, 1);
    }

    function divergedContested() private returns (bytes32 id) {
        id = divergedOpened();
        contest(id, 1);
    }

    function lastOpened() private returns (bytes32 id) {
        id = claimed(4);
        for (uint256 i = 0; i < 4; ++i) {
            prove(id, i);
        }
        claim(id, 4, 3);
        for (uint256 i = 4; i < 7; ++i) {
            confirm(id, i);
        }
    }

    function test_silence_in_an_optimistic_job() public {
        Assurance level = Assurance.Optimistic;
        State run = State.Running;
        State slow = State.Defaulted;
        Escrow memory none;
        Bond memory whole;
        Bond memory tenth = Bond(BOND / 10, 0, 0);
        Bond memory slashed = Bond(BOND / 2, BOND / 4, BOND / 4);
        row(optimisticNone, Row(level, run, "provider", slow, none, tenth));
        row(unopened, Row(level, run, "requester and committee, of openings", slow, none, tenth));
        row(oneWord, Row(level, run, "committee but one", slow, Escrow(0, 0, FEE), tenth));
        row(windows, Row(level, run, "provider", slow, Escrow(4 * SHARE, 0, 0), Bond(BOND * 3 / 70, 0, 0)));
        row(secondProven, Row(level, run, "provider, of the first proof", slow, none, tenth));
        row(contested, Row(level, run, "provider", State.Slashed, Escrow(2 * SHARE, 0, 0), slashed));
        row(contestedThrice, Row(level, run, "provider", State.Slashed, none, slashed));
        row(
            lastOpened,
            Row(level, run, "provider, of the weights", State.Withheld, Escrow(SEGMENTS * SHARE, 0, 0), whole)
        );
    }

    function test_silence_after_an_optimistic_divergence() public {
        Assurance level = Assurance.Optimistic;
        State run = State.Running;
        State slow = State.Defaulted;
        Escrow memory words = Escrow(0, 0, 2 * FEE);
        Bond memory whole;
        Bond memory tenth = Bond(BOND / 10, 0, 0);
        row(divergedAtNone, Row(level, State.Diverged, "all", State.Diverged, words, whole));
        row(divergedUnopened, Row(level, run, "requester and committee", slow, words, tenth));
        row(divergedAndLeft, Row(level, slow, "all, when the provider has left", slow, words, tenth));
        row(divergedFirstProven, Row(level, run, "provider", slow, Escrow(SHARE, 0, 2 * FEE), Bond(BOND / 20, 0, 0)));
        row(divergedOpened, Row(level, run, "all", State.Diverged, Escrow(2 * PRICE, 0, 2 * FEE), whole));
        row(
            divergedContested,
            Row(level, run, "provider", State.Slashed, Escrow(SHARE, 0, 2 * FEE), Bond(BOND / 2, BOND / 4, BOND / 4))
        );
    }

    /// An answer in time pays at once; the challenger's bond goes to the lead.
    function test_a_challenger_that_is_wrong_and_silent() public {
        bytes32 id = windows();
        contest(id, 0);
        uint256 free = vault.free(challenger);
        prove(id, 0);
        pass(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).earned, 4 * SHARE, "the other windows passed");
        eq(vault.free(challenger), free, "its bond is gone");
        eq(vault.owed(provider), CHALLENGE_BOND, "to the lead");
        solvent();
    }
}
