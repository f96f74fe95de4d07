// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Draws} from "../../src/market/Draws.sol";
import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {IStakeVault, Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {BURNT} from "../../src/market/Token.sol";
import {BatchState, Consent, Licence, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Jobs of which some segments are drawn: the draw, and challenges.
contract DrawnTest is Scene {
    function bits(uint256 mask) private pure returns (uint256 count) {
        for (; mask != 0; mask >>= 1) {
            count += mask & 1;
        }
    }

    function revealing(bytes32 id, uint256 batch) private view returns (bytes memory) {
        return abi.encodeCall(market.reveal, (id, batch, secretOf(id, batch)));
    }

    function lateBy(bytes32 id) private {
        skipTo(market.batchOf(id, 0).record.closedAt + 4 hours + 1);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
    }

    function test_a_job_with_draws() public {
        bytes32 id = running(false);
        for (uint256 batch = 0; batch < BATCHES; ++batch) {
            fillAndClose(id);
            eq(uint256(market.batchOf(id, batch).state), uint256(BatchState.Drawing), "before the draw");
            reveal(id, batch);
            BatchView memory v = market.batchOf(id, batch);
            eq(bits(v.record.drawn), batch == 2 ? 1 : 2, "drawn");
            eq(uint256(v.state), uint256(BatchState.Proving), "after it");
            proveDue(id, batch);
        }
        settle(id);
        acknowledge(id, 1);
        settle(id);
        isState(id, State.Completed);
        eq(market.owed(provider), SEGMENTS * PRICE, "the whole price");
        solvent();
    }

    /// Anyone can compute the draw: from job, batch, claims as the close stored them, the block's hash and the secret.
    function test_the_seed_is_of_what_nobody_chose() public {
        bytes32 id = running(false);
        claim(id, 6);
        close(id);
        bytes32 claims = keccak256(abi.encode(bytes32(0), lastOf(0), lastOf(1), lastOf(2), lastOf(3)));
        eq(market.batchOf(id, 0).record.claims, claims, "of this batch");
        // Later claims change nothing.
        claim(id, 2);
        uint256 drawBlock = market.batchOf(id, 0).record.drawBlock;
        eq(drawBlock, vm.getBlockNumber() + 8, "eight blocks later");
        reveal(id, 0);
        bytes32 hash = keccak256(abi.encode("block", drawBlock));
        bytes32 seed = keccak256(abi.encode(id, uint256(0), claims, hash, secretOf(id, 0)));
        eq(market.batchOf(id, 0).record.drawn, Draws.choose(seed, 2, 4), "the draw");
    }

    function test_a_secret_counts_from_block_sixteen_on_until_revealSecs() public {
        bytes32 id = running(false);
        fillAndClose(id);
        uint256 closed = vm.getBlockNumber();
        refuses(stranger, revealing(id, 0), why(IMarketErrors.TooEarly.selector, closed + 15));
        pass(15);
        refuses(stranger, revealing(id, 0), why(IMarketErrors.TooEarly.selector, closed + 15));
        uint256 until = market.batchOf(id, 0).record.closedAt + 4 hours;
        vm.roll(closed + 16);
        vm.warp(until + 1);
        refuses(stranger, revealing(id, 0), why(IMarketErrors.TooLate.selector, until));
        vm.warp(until);
        market.reveal(id, 0, secretOf(id, 0));
        refuses(stranger, revealing(id, 0), why(IMarketErrors.NotWaiting.selector, 0));
    }

    function test_secrets_come_in_any_order_and_gaps_do_no_harm() public {
        Terms memory t = terms(false);
        (t.batches.deliverEvery, t.batches.draws, t.price.handBackFee) = (2, 1, 1e18);
        bytes32 id = running(t);
        for (uint256 i = 0; i < 4; ++i) {
            fillAndClose(id);
        }
        reveal(id, 2);
        eq(market.jobOf(id).known, 3, "known");
        // One that is known already must be the right one, too.
        pass(16);
        bytes memory other = abi.encodeCall(market.reveal, (id, 1, secretOf(id, 2)));
        refuses(stranger, other, why(IMarketErrors.WrongSecret.selector));
        other = abi.encodeCall(market.reveal, (id, 3, keccak256("guess")));
        refuses(stranger, other, why(IMarketErrors.WrongSecret.selector));
        reveal(id, 0);
        reveal(id, 1);
        eq(market.jobOf(id).known, 3, "no less");
        reveal(id, 3);
        eq(market.jobOf(id).secret, secretOf(id, 3), "the last");
    }

    function test_a_chain_of_secrets_serves_one_job() public {
        Terms memory t = terms(false, false);
        open(t);
        bytes32 tip = t.batches.tip;
        bytes memory call = abi.encodeCall(market.open, (t, ++nonce, noLicence(), noConsents(), noPermit()));
        refuses(requester, call, abi.encodeWithSelector(IMarketErrors.TipUsed.selector, tip));
    }

    /// Withholding a secret is no choice between two draws: the late block is made when no secret counts any more.
    function test_a_late_block_is_fixed_when_no_secret_counts() public {
        bytes32 id = running(false);
        fillAndClose(id);
        uint256 over = market.batchOf(id, 0).record.closedAt + 4 hours;
        bytes memory fix = abi.encodeCall(market.fixLate, (id, 0, 0));
        vm.warp(over);
        refuses(provider, fix, why(IMarketErrors.TooEarly.selector, over));
        vm.warp(over + 1);
        refuses(stranger, fix, abi.encodeWithSelector(IMarketErrors.NotProvider.selector, stranger));
        refuses(stranger, abi.encodeCall(market.drawLate, (id, 0)), why(IMarketErrors.NotWaiting.selector, 0));
        vm.prank(hot);
        market.fixLate(id, 0, 0);
        refuses(provider, fix, why(IMarketErrors.NotWaiting.selector, 0));
        uint256 number = market.batchOf(id, 0).record.drawBlock;
        eq(number, vm.getBlockNumber() + 8, "a block to come");
        refuses(stranger, abi.encodeCall(market.drawLate, (id, 0)), why(IMarketErrors.TooEarly.selector, number));
        pass(9);
        market.drawLate(id, 0);
        bytes32 claims = market.batchOf(id, 0).record.claims;
        bytes32 seed = keccak256(abi.encode(id, uint256(0), claims, keccak256(abi.encode("block", number))));
        eq(market.batchOf(id, 0).record.drawn, Draws.choose(seed, 2, 4), "its hash alone");
        eq(market.batchOf(id, 0).record.until, vm.getBlockTimestamp() + 36 hours + 20 minutes, "from the draw");
        eq(market.batchOf(id, 0).record.windowUntil, vm.getBlockTimestamp() + 24 hours, "and the window");
    }

    function test_anyone_fixes_the_late_block_a_day_later() public {
        bytes32 id = running(false);
        fillAndClose(id);
        uint256 over = market.batchOf(id, 0).record.closedAt + 4 hours;
        vm.warp(over + 1 days);
        bytes memory fix = abi.encodeCall(market.fixLate, (id, 0, 0));
        refuses(stranger, fix, abi.encodeWithSelector(IMarketErrors.NotProvider.selector, stranger));
        vm.warp(over + 1 days + 1);
        vm.prank(stranger);
        market.fixLate(id, 0, 0);
    }

    function test_a_lost_hash_never_pays() public {
        bytes32 id = running(false);
        fillAndClose(id);
        uint256 drawBlock = market.batchOf(id, 0).record.drawBlock;
        // The history of EIP-2935 has it for 8191 blocks.
        vm.roll(drawBlock + 8192);
        refuses(stranger, revealing(id, 0), why(IMarketErrors.HashLost.selector));
        vm.roll(drawBlock + 8191);
        uint256 here = vm.snapshotState();
        market.reveal(id, 0, secretOf(id, 0));
        vm.revertToState(here);
        lateBy(id);
        drawBlock = market.batchOf(id, 0).record.drawBlock;
        vm.roll(drawBlock + 8192);
        market.drawLate(id, 0);
        eq(market.batchOf(id, 0).due, 15, "the whole batch");
        proveDue(id, 0);
        settle(id);
        eq(market.owed(provider), K * PRICE, "then it is paid");
    }

    /// However early a secret comes, and whoever picks the time of it: deadlines run from `close + revealSecs`.
    function test_times_run_from_the_close() public {
        bytes32 id = drawn();
        BatchView memory v = market.batchOf(id, 0);
        uint256 from = v.record.closedAt + 4 hours;
        eq(v.record.until, from + 36 hours + 20 minutes, "proofs");
        eq(v.record.windowUntil, from + 24 hours, "challenges");
        eq(v.paidAfter, v.record.closedAt + 48 hours, "complaints");
    }

    function test_proofs_ahead_of_the_draw_count() public {
        bytes32 id = running(false);
        claim(id, 2);
        prove(id, 0);
        prove(id, 1);
        claim(id, 2);
        close(id);
        prove(id, 2);
        prove(id, 3);
        reveal(id, 0);
        eq(market.batchOf(id, 0).due, 0, "nothing is due");
        acknowledge(id, 0);
        eq(market.owed(provider), K * PRICE, "paid");
        bytes memory call = abi.encodeCall(market.claimProven, (id, 4, proof(id, 3, lastOf(3))));
        refuses(provider, call, why(IMarketErrors.OnlyClaims.selector));
    }

    // Challenges.

    function test_a_challenged_claim_is_proven() public {
        bytes32 id = drawn();
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        eq(market.batchOf(id, 0).due, 1 << index, "due");
        eq(market.challengeOf(id, index).until, vm.getBlockTimestamp() + 36 hours + 10 minutes, "its own deadline");
        uint256 had = vault.owed(provider);
        prove(id, index);
        eq(vault.owed(provider) - had, CHALLENGE_BOND, "the bond is the lead's");
        settle(id);
        solvent();
    }

    function test_a_late_answer_gives_the_bond_back() public {
        bytes32 id = drawn();
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        skip(40 hours);
        uint256 had = vault.free(challenger);
        prove(id, index);
        eq(vault.free(challenger) - had, CHALLENGE_BOND, "back");
        eq(vault.bonded(id, provider), BOND * 9 / 10, "and a tenth burnt");
        solvent();
    }

    function test_a_false_claim_that_is_challenged_costs_the_bond() public {
        bytes32 id = running(false);
        claim(id, 4);
        uint256 here = vm.snapshotState();
        close(id);
        reveal(id, 0);
        uint256 index = undrawnIn(id, 0);
        vm.revertToState(here);
        id = running(false);
        // Another job draws others: look for one that escapes.
        for (uint256 wrong = 0; wrong < K; ++wrong) {
            here = vm.snapshotState();
            fillAndClose(id, wrong);
            reveal(id, 0);
            if (market.batchOf(id, 0).record.drawn >> wrong & 1 == 0) {
                index = wrong;
                break;
            }
            vm.revertToState(here);
        }
        proveDue(id, 0);
        contest(id, index);
        uint256 escrow = market.jobOf(id).escrow;
        skip(72 hours + 20 minutes);
        (uint256 had, uint256 free) = (vault.owed(challenger), vault.free(challenger));
        uint256 refunds = market.owed(requester);
        market.fail(id, index);
        isState(id, State.Slashed);
        eq(vault.owed(challenger) - had, BOND / 4, "a quarter");
        eq(vault.owed(BURNT), BOND - BOND / 4, "the rest burnt");
        eq(market.owed(requester) - refunds, escrow, "the requester has its escrow, and no more");
        market.reclaim(id, index);
        eq(vault.free(challenger) - free, CHALLENGE_BOND, "and the bond comes back");
        refuses(stranger, abi.encodeCall(market.reclaim, (id, index)), why(IMarketErrors.NotPending.selector, index));
        solvent();
    }

    /// A cheater that was drawn gains nothing by a friend's challenge.
    function test_no_bounty_where_a_drawn_claim_is_not_proven() public {
        bytes32 id = drawn();
        contest(id, undrawnIn(id, 0));
        skip(200 hours);
        market.fail(id, drawnIn(id, 0));
        eq(vault.owed(challenger), 0, "nothing");
        eq(vault.owed(BURNT), BOND, "all burnt");
    }

    /// Whose time is over first, not whose claim is the lowest; `AttacksTest` has the friend that comes later.
    function test_the_bounty_is_for_the_first_challenge() public {
        Terms memory t = terms(false);
        t.batches.draws = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        proveDue(id, 0);
        uint256 low = undrawnIn(id, 0);
        uint256 high = market.batchOf(id, 0).record.drawn == 8 ? 2 : 3;
        bytes32 last = market.claimsOf(id, high, 1)[0];
        stake(stranger, 1000e18);
        vm.prank(stranger);
        market.challenge(id, high, last);
        contest(id, low);
        skip(100 hours);
        uint256 here = vm.snapshotState();
        market.fail(id, low);
        eq(vault.owed(stranger), BOND / 4, "whichever claim it fails by");
        vm.revertToState(here);
        market.fail(id, high);
        eq(vault.owed(stranger), BOND / 4, "who challenged first");
        market.reclaim(id, low);
        market.reclaim(id, high);
        solvent();
    }

    function test_what_can_be_challenged() public {
        bytes32 id = running(false);
        fillAndClose(id);
        bytes memory call = abi.encodeCall(market.challenge, (id, 0, lastOf(0)));
        refuses(challenger, call, why(IMarketErrors.NotDrawn.selector, 0));
        reveal(id, 0);
        uint256 index = undrawnIn(id, 0);
        uint256 due = drawnIn(id, 0);
        call = abi.encodeCall(market.challenge, (id, due, lastOf(due)));
        refuses(challenger, call, why(IMarketErrors.NotPending.selector, due));
        call = abi.encodeCall(market.challenge, (id, index, falseOf(index)));
        refuses(
            challenger, call, abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(index), falseOf(index))
        );
        call = abi.encodeCall(market.challenge, (id, index, lastOf(index)));
        vm.warp(market.batchOf(id, 0).record.windowUntil + 1);
        refuses(challenger, call, why(IMarketErrors.TooLate.selector, vm.getBlockTimestamp() - 1));
        vm.warp(vm.getBlockTimestamp() - 1);
        bytes memory poor = abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, stranger, 0, CHALLENGE_BOND);
        refuses(stranger, call, poor);
        vm.prank(challenger);
        market.challenge(id, index, lastOf(index));
        refuses(challenger, call, why(IMarketErrors.NotPending.selector, index));
        call = abi.encodeCall(market.challenge, (id, K, lastOf(K)));
        refuses(challenger, call, why(IMarketErrors.NotWaiting.selector, 1));
    }

    function test_an_acknowledged_batch_is_not_challenged() public {
        bytes32 id = drawn();
        uint256 index = undrawnIn(id, 0);
        acknowledge(id, 0);
        bytes memory call = abi.encodeCall(market.challenge, (id, index, lastOf(index)));
        refuses(challenger, call, why(IMarketErrors.NotPending.selector, index));
    }

    /// A challenge moves no deadline of a drawn claim.
    function test_a_challenge_has_its_own_deadline() public {
        bytes32 id = drawn();
        uint256 until = market.batchOf(id, 0).record.until;
        contest(id, undrawnIn(id, 0));
        eq(market.batchOf(id, 0).record.until, until, "the same");
        fillAndClose(id);
        reveal(id, 1);
        uint256 from = market.batchOf(id, 1).record.closedAt + 4 hours + 36 hours;
        if (from < until) from = until;
        eq(market.batchOf(id, 1).record.until, from + 20 minutes, "nor the queue");
    }

    /// Whoever challenges all claims at once gives the time for all.
    function test_challenges_form_a_queue() public {
        Terms memory t = terms(false);
        t.batches.draws = 1;
        bytes32 id = running(t);
        fillAndClose(id);
        reveal(id, 0);
        uint256 until = vm.getBlockTimestamp() + 36 hours;
        for (uint256 i = 0; i < K; ++i) {
            if (market.batchOf(id, 0).record.drawn >> i & 1 == 1) continue;
            contest(id, i);
            until += 10 minutes;
            eq(market.challengeOf(id, i).until, until, "one behind the other");
        }
    }

    function noLicence() private pure returns (Licence memory l) {}

    function noConsents() private pure returns (Consent[] memory c) {}

    function noPermit() private pure returns (Permit memory p) {}
}
