// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Attestation, State, Task} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice A job whose claims are paid when a window passes.
contract OptimisticTest is Scene {
    uint256 private constant SHARE = PRICE * 8 / 10;

    function test_a_job_from_end_to_end() public {
        bytes32 id = running(Assurance.Optimistic);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            claim(id, i, 1);
            if (i % 2 == 0) confirm(id, i);
            // forge-lint: disable-next-line(unsafe-typecast)
            else agree(id, Task.Opening, uint32(i), YES);
            eq(market.claimOf(id, i).windowUntil, vm.getBlockTimestamp() + 2 hours, "window");
            lapse(id, i);
            market.settle(id);
            eq(market.jobOf(id).earned, (i + 1) * SHARE, "paid");
            eq(market.jobOf(id).current, lastOf(i), "current");
        }
        inState(id, State.Delivering);
        solvent();
    }

    function test_nothing_is_paid_before_the_window_passes() public {
        bytes32 id = claimed(2);
        bytes memory settle = abi.encodeCall(market.settle, (id));
        bytes memory nothing = why(IMarketErrors.NothingToSettle.selector);
        refuses(provider, settle, nothing);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        refuses(provider, settle, nothing);
        confirm(id, 0);
        confirm(id, 1);
        vm.warp(market.claimOf(id, 0).windowUntil);
        refuses(provider, settle, nothing);
        lapse(id, 0);
        market.settle(id);
        eq(market.jobOf(id).settled, 2, "both");
        solvent();
    }

    /// The bait: a correct claim whose opening is not published cannot be challenged, and is not paid without a proof.
    function test_the_bait() public {
        bytes32 id = claimed(1);
        bytes memory call = contesting(id, 0);
        refuses(challenger, call, why(IMarketErrors.NotOpened.selector, uint256(0)));
        vm.warp(market.jobOf(id).deadline);
        refuses(provider, abi.encodeCall(market.settle, (id)), why(IMarketErrors.NothingToSettle.selector));
        prove(id, 0);
        eq(market.jobOf(id).earned, SHARE, "a proof pays");
        // One that is not proven is worth nothing.
        id = claimed(1);
        late(id);
        inState(id, State.Defaulted);
        eq(market.jobOf(id).earned, 0, "unpaid");
        solvent();
    }

    function test_a_false_claim_is_challenged_and_slashed() public {
        bytes32 id = claimed(4);
        for (uint256 i = 0; i < 4; ++i) {
            confirm(id, i);
        }
        uint256 stakeBefore = vault.free(challenger);
        contest(id, 2);
        eq(vault.free(challenger), stakeBefore - CHALLENGE_BOND, "bond");
        refuses(challenger, contesting(id, 2), why(IMarketErrors.ChallengeOpen.selector));
        bytes memory slash = abi.encodeCall(market.slash, (id, 2));
        uint256 until = market.claimOf(id, 2).answerUntil;
        eq(until, vm.getBlockTimestamp() + 30 minutes, "time to answer");
        vm.warp(until);
        refuses(stranger, slash, why(IMarketErrors.TooEarly.selector, until));
        refuses(stranger, abi.encodeCall(market.slash, (id, 1)), why(IMarketErrors.NoChallenge.selector, uint256(1)));
        vm.warp(until + 1);
        bytes memory p = proof(id, 2, lastOf(2));
        refuses(provider, abi.encodeCall(market.prove, (id, 2, p)), why(IMarketErrors.TooLate.selector, until));
        // The windows of the first two pass while nobody slashes.
        lapse(id, 1);
        vm.prank(stranger);
        vm.recordLogs();
        market.slash(id, 2);
        // One claim was not challenged.
        noEmptyPayment();
        inState(id, State.Slashed);
        eq(market.jobOf(id).settled, 2, "what lapsed before is paid, what came later is void");
        eq(market.jobOf(id).earned, 2 * SHARE, "paid");
        eq(vault.owed(challenger), BOND / 4, "a quarter to the challenger");
        eq(vault.owed(requester), BOND / 4, "a quarter to the requester");
        eq(vault.owed(BURNT), BOND / 2, "half to nobody");
        eq(vault.free(challenger), stakeBefore, "the challenger's bond is back");
        eq(nodes.outcomes(address(market), provider, uint8(State.Slashed)), 1, "counted");
        solvent();
    }

    function test_an_answered_challenge_pays_the_provider() public {
        bytes32 id = claimed(2);
        confirm(id, 0);
        confirm(id, 1);
        contest(id, 1);
        prove(id, 1);
        eq(vault.owed(provider), CHALLENGE_BOND, "the challenger's bond");
        eq(market.jobOf(id).openChallenges, 0, "closed");
        eq(market.jobOf(id).settled, 0, "an earlier one is open");
        // Proven once, for good.
        bytes memory again = contesting(id, 1);
        refuses(challenger, again, why(IMarketErrors.NotPending.selector, uint256(1)));
        bytes memory p = proof(id, 1, lastOf(1));
        refuses(stranger, abi.encodeCall(market.prove, (id, 1, p)), why(IMarketErrors.NotPending.selector, uint256(1)));
        prove(id, 0);
        eq(market.jobOf(id).settled, 2, "both");
        eq(market.jobOf(id).earned, 2 * SHARE, "paid once each");
        solvent();
    }

    function test_time_to_answer_grows_with_the_number_open() public {
        bytes32 id = claimed(3);
        for (uint256 i = 0; i < 3; ++i) {
            confirm(id, i);
            contest(id, i);
            eq(market.claimOf(id, i).answerUntil, vm.getBlockTimestamp() + (i + 1) * 30 minutes, "time");
        }
        // When one is lost, the bonds of the others come back.
        uint256 free = vault.free(challenger);
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        market.slash(id, 0);
        eq(vault.free(challenger), free + 3 * CHALLENGE_BOND, "bonds");
        eq(market.jobOf(id).openChallenges, 0, "closed");
        solvent();
    }

    function test_a_challenge_needs_a_window_and_a_bond() public {
        bytes32 id = claimed(1);
        confirm(id, 0);
        bytes memory call = contesting(id, 0);
        refuses(stranger, call, abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, stranger, 0, CHALLENGE_BOND));
        uint256 until = market.claimOf(id, 0).windowUntil;
        vm.warp(until + 1);
        refuses(challenger, call, why(IMarketErrors.TooLate.selector, until));
        market.settle(id);
        refuses(challenger, call, why(IMarketErrors.TooLate.selector, until));
        // A challenge in the last second counts.
        claim(id, 1, 1);
        confirm(id, 1);
        vm.warp(market.claimOf(id, 1).windowUntil);
        contest(id, 1);
        lapse(id, 1);
        bytes memory settle = abi.encodeCall(market.settle, (id));
        refuses(provider, settle, why(IMarketErrors.NothingToSettle.selector));
    }

    function test_windows_start_once_and_for_waiting_claims() public {
        bytes32 id = claimed(2);
        refuses(stranger, confirming(id, 0), why(IMarketErrors.NotRequester.selector, stranger));
        confirm(id, 0);
        refuses(requester, confirming(id, 0), why(IMarketErrors.NotPending.selector, uint256(0)));
        refuses(requester, confirming(id, 2), why(IMarketErrors.NotPending.selector, uint256(2)));
        prove(id, 1);
        refuses(requester, confirming(id, 1), why(IMarketErrors.NotPending.selector, uint256(1)));
        lapse(id, 0);
        market.settle(id);
        refuses(requester, confirming(id, 0), why(IMarketErrors.NotPending.selector, uint256(0)));
        claim(id, 2, 1);
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(requester, confirming(id, 2), why(IMarketErrors.TooLate.selector, until));
    }

    function test_a_window_needs_the_threshold_and_not_a_second_vote() public {
        bytes32 id = claimed(1);
        vote(id, Task.Opening, 0, YES, 1);
        eq(market.claimOf(id, 0).windowUntil, 0, "one is not enough");
        bytes memory signature = voteSignature(id, Task.Opening, 0, YES, 1);
        bytes memory again = abi.encodeCall(market.attest, (id, Task.Opening, 0, YES, 1, signature));
        refuses(stranger, again, why(IMarketErrors.AlreadyVoted.selector, validators[1]));
        vote(id, Task.Opening, 0, YES, 0);
        yes(market.claimOf(id, 0).windowUntil != 0, "two are");
        eq(market.owed(validators[0]), FEE, "fee");
        eq(market.owed(validators[1]), FEE, "fee");
        solvent();
    }

    function test_not_more_claims_than_the_bond_covers() public {
        bytes32 id = claimed(4);
        bytes memory more = abi.encodeCall(market.claim, (id, 4, new bytes32[](1)));
        refuses(provider, more, why(IMarketErrors.TooManyClaims.selector, uint256(4)));
        prove(id, 0);
        claim(id, 4, 1);
    }

    function test_proofs_of_other_parameters_are_refused() public {
        bytes32 id = claimed(2);
        bytes memory p = proof(id, 1, lastOf(2));
        refuses(
            provider,
            abi.encodeCall(market.prove, (id, 1, p)),
            abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(1), lastOf(2))
        );
        p = proof(id, 1, lastOf(1));
        refuses(provider, abi.encodeCall(market.prove, (id, 2, p)), why(IMarketErrors.NotPending.selector, uint256(2)));
        prove(id, 0);
        refuses(provider, abi.encodeCall(market.prove, (id, 0, p)), why(IMarketErrors.NotPending.selector, uint256(0)));
        uint256 until = market.jobOf(id).deadline;
        vm.warp(until + 1);
        refuses(provider, abi.encodeCall(market.prove, (id, 1, p)), why(IMarketErrors.TooLate.selector, until));
    }

    function test_divergence_pays_what_is_claimed_first() public {
        bytes32 id = claimed(2);
        vm.warp(market.jobOf(id).deadline);
        confirm(id, 0);
        confirm(id, 1);
        // Nobody keeps the committee from its word with a challenge, until the running time is over.
        contest(id, 0);
        agree(id, Task.Divergence, 2, YES);
        inState(id, State.Running);
        bytes memory more = abi.encodeCall(market.claim, (id, 2, new bytes32[](1)));
        refuses(provider, more, why(IMarketErrors.TooManyClaims.selector, uint256(2)));
        uint256 here = vm.snapshotState();
        // A false claim is slashed as ever.
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        market.slash(id, 0);
        inState(id, State.Slashed);
        vm.revertToState(here);
        prove(id, 0);
        inState(id, State.Running);
        eq(market.jobOf(id).total, 2, "ends here");
        lapse(id, 1);
        market.settle(id);
        inState(id, State.Diverged);
        eq(market.jobOf(id).earned, 2 * PRICE, "paid with the last shares");
        eq(vault.bonded(id, provider), 0, "no penalty");
        solvent();
    }

    /// A block that is replaced may bring another claim: what was said of the first one does not hold for it.
    function test_a_challenge_and_a_confirmation_name_the_claim() public {
        bytes32 id = claimed(1);
        bytes32 other = keccak256("claimed in a block that was replaced");
        bytes memory reason = abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(0), other);
        refuses(requester, abi.encodeCall(market.confirmOpening, (id, 0, other)), reason);
        confirm(id, 0);
        refuses(challenger, abi.encodeCall(market.challenge, (id, 0, other)), reason);
        solvent();
    }

    /// The bait: claim 0 is false and its opening is not published, claim 1 is honestly trained from there. Whoever compared
    /// claim 1 with an honest run would lose the challenge to a proof. So nobody is asked to.
    function test_a_window_starts_behind_opened_and_proven_claims_only() public {
        bytes32 id = claimed(4);
        bytes memory first = why(IMarketErrors.NotOpened.selector, uint256(0));
        refuses(requester, confirming(id, 1), first);
        bytes memory signature = wordSignature(Attestation(id, Task.Opening, 1, lastOf(1), YES), 0);
        bytes memory early = abi.encodeCall(market.attest, (id, Task.Opening, 1, YES, 0, signature));
        refuses(stranger, early, first);
        refuses(stranger, abi.encodeCall(market.subjectOf, (id, Task.Opening, 1, YES)), first);
        // A proof of what was trained from false parameters makes them no truer.
        prove(id, 1);
        refuses(requester, confirming(id, 2), first);
        confirm(id, 0);
        bytes memory second = why(IMarketErrors.NotOpened.selector, uint256(2));
        refuses(requester, confirming(id, 3), second);
        confirm(id, 2);
        confirm(id, 3);
        solvent();
    }

    /// A word that came too early is good as soon as the claim before is opened, with the same signature.
    function test_an_early_word_counts_later() public {
        bytes32 id = claimed(2);
        bytes memory signature = wordSignature(Attestation(id, Task.Opening, 1, lastOf(1), YES), 0);
        agree(id, Task.Opening, 0, YES);
        market.attest(id, Task.Opening, 1, YES, 0, signature);
        vote(id, Task.Opening, 1, YES, 1);
        yes(market.claimOf(id, 1).windowUntil != 0, "opened");
        eq(market.owed(validators[0]), 2 * FEE, "and paid");
        solvent();
    }

    /// The requester that starts the window ahead of the votes does not get their work for nothing.
    function test_a_word_is_paid_also_if_the_requester_was_first() public {
        bytes32 id = claimed(2);
        vote(id, Task.Opening, 0, YES, 0);
        confirm(id, 0);
        uint256 until = market.claimOf(id, 0).windowUntil;
        vm.warp(until);
        vote(id, Task.Opening, 0, YES, 1);
        eq(market.owed(validators[1]), FEE, "paid");
        eq(market.claimOf(id, 0).windowUntil, until, "the window stays as it is");
        vote(id, Task.Opening, 0, YES, 2);
        eq(market.owed(validators[2]), 0, "not more than the threshold");
        // When the window is over there is nothing to check any more.
        confirm(id, 1);
        lapse(id, 0);
        bytes memory call = abi.encodeCall(market.attest, (id, Task.Opening, 0, YES, 0, ""));
        refuses(stranger, call, why(IMarketErrors.TooLate.selector, until));
        // Nor when it is proven.
        prove(id, 1);
        call = abi.encodeCall(market.attest, (id, Task.Opening, 1, YES, 0, ""));
        refuses(stranger, call, why(IMarketErrors.NotPending.selector, uint256(1)));
        solvent();
    }
}
