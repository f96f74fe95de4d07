// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IMarketErrors} from "../../src/market/interfaces/IMarketErrors.sol";
import {BURNT} from "../../src/market/Token.sol";
import {Licence, SeatOffer, State, Terms} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice The table of pay-offs, played: what the best deviation that was found brings each role more than honesty, in hundredths of
/// a segment's price. `forge test --mc PayoffsTest -vv` prints it. Batches of 16 segments, of which 16 or 4 are proven;
/// training and proving cost what `docs/settlement.md` says. The weights of a batch are worth its price to the requester.
contract PayoffsTest is Scene {
    uint8 private constant N = 16;
    uint128 private constant BATCH = N * PRICE;
    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;

    /// With all proven, or a quarter; with a committee, or none.
    bool private whole;
    bool private decided;

    modifier each() {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 here = vm.snapshotState();
            (whole, decided) = (i & 1 == 0, i & 2 == 0);
            _;
            vm.revertToState(here);
        }
    }

    // What is played.

    function training() private view returns (uint256) {
        return whole ? PRICE * 4 / 100 : PRICE * 13 / 100;
    }

    function proving() private view returns (uint256) {
        return whole ? PRICE * 76 / 100 : PRICE * 267 / 100;
    }

    function agreed() private returns (Terms memory t) {
        t = terms(whole, decided);
        t.training.segments = 4 * N;
        (t.batches.deliverEvery, t.batches.draws) = (N, whole ? N : N / 4);
        t.price.bond = BATCH;
        t.price.handBackFee = BATCH / 100;
        t.price.challengeBond = uint128(proving());
    }

    function job() private returns (bytes32) {
        return running(agreed());
    }

    /// A batch that is closed, and drawn where that is needed.
    function closed(bytes32 id, uint256 batch) private {
        fillAndClose(id);
        if (!whole) reveal(id, batch);
    }

    function proofs() private view returns (uint256) {
        return whole ? N : N / 4;
    }

    /// What an honest lead alone earns with a batch.
    function honest() private view returns (int256) {
        return int256(uint256(BATCH) - N * training() - proofs() * proving());
    }

    // What is told.

    /// A row: `gain` more than honesty, which must not be more than the named price.
    function row(string memory what, int256 gain, int256 named) private view {
        print(what, gain);
        yes(gain <= named, what);
    }

    function print(string memory what, int256 gain) private view {
        string memory kind = string.concat(whole ? "| d = k | " : "| d = k/4 | ", decided ? "committee | " : "none | ");
        string memory line = string.concat("| ", what, " ", kind, prices(gain), " |");
        (bool done,) = CONSOLE.staticcall(abi.encodeWithSignature("log(string)", line));
        yes(done, "told");
    }

    function prices(int256 amount) private pure returns (string memory) {
        bool negative = amount < 0;
        // Hundredths, rounded to zero.
        uint256 hundredths = uint256(negative ? -amount : amount) * 100 / PRICE;
        string memory rest = Strings.toString(hundredths % 100);
        if (hundredths % 100 < 10) rest = string.concat("0", rest);
        string memory sign = hundredths == 0 ? "" : negative ? "-" : "+";
        return string.concat(sign, Strings.toString(hundredths / 100), ".", rest);
    }

    /// What an account has, its challenges and seats excepted.
    function wealth(bytes32 id, address a) private view returns (int256) {
        return int256(worth(a, id));
    }

    // Rows.

    function test_01_requester_complains_falsely() public each {
        bytes32 id = job();
        closed(id, 0);
        proveDue(id, 0);
        if (!decided) {
            bytes memory call = abi.encodeCall(market.complain, (id, 0, market.batchOf(id, 0).last, ROOT));
            refuses(requester, call, why(IMarketErrors.NoComplaint.selector));
            return row("01 requester: false complaint", 0, 0);
        }
        int256 had = wealth(id, requester);
        complain(id, 0);
        decide(id, 0, true);
        settle(id);
        eq(market.owed(provider), BATCH, "the team is paid");
        row("01 requester: false complaint", wealth(id, requester) - had, 0);
    }

    /// It complains to delay the pay, and takes that back before any word.
    function test_01_requester_withdraws_its_complaint() public each {
        if (!decided) return;
        bytes32 id = job();
        closed(id, 0);
        proveDue(id, 0);
        int256 had = wealth(id, requester);
        complain(id, 0);
        skip(35 hours);
        acknowledge(id, 0);
        eq(market.owed(provider), BATCH, "the team is paid");
        int256 gain = wealth(id, requester) - had;
        yes(gain < 0, "not free");
        row("01, 26 requester: complains, withdraws", gain, 0);
    }

    function test_02_requester_is_the_committee() public each {
        if (!decided) return;
        bytes32 id = job();
        for (uint256 i = 0; i < 4; ++i) {
            closed(id, i);
            proveDue(id, i);
            complain(id, i);
        }
        int256 had = wealth(id, requester) + wealth(id, validators[0]) + wealth(id, validators[2]);
        for (uint256 i = 0; i < 4; ++i) {
            decide(id, i, false);
        }
        for (uint256 i = 0; i < 4; ++i) {
            settle(id);
        }
        int256 gain = wealth(id, requester) + wealth(id, validators[0]) + wealth(id, validators[2]) - had;
        // The bonds of its complaints, which were locked, and what hand-backs might have cost, come back.
        gain -= int256(uint256(4 * 3 * FEE + 4 * (BATCH / 100)));
        eq(market.owed(provider), 0, "nothing for the team");
        // Named: each closed, unpaid batch, at most `ahead`.
        row("02 requester is the committee, 4 batches", gain, int256(uint256(4 * BATCH)));
    }

    function test_03_requester_and_a_seat_name_garbage() public each {
        bytes32 id = job();
        uint256 seat = join(id);
        claim(id, N);
        skip(13 hours);
        vm.prank(partner);
        market.close(id, 0, keccak256("garbage"), seat);
        if (!whole) reveal(id, 0);
        proveDue(id, 0);
        int256 had = wealth(id, requester) + wealth(id, partner);
        if (decided) {
            vm.prank(requester);
            market.complain(id, 0, lastOf(N - 1), keccak256("garbage"));
            vm.prank(provider);
            market.addRoot(id, 0, ROOT, 0);
            decide(id, 0, true);
        }
        settle(id);
        eq(market.owed(provider), BATCH, "the team is paid");
        row("03 requester and a seat: garbage root", wealth(id, requester) + wealth(id, partner) - had, 0);
    }

    function test_04_requester_stops_before_the_close() public each {
        bytes32 id = job();
        claim(id, N);
        vm.prank(requester);
        market.stop(id, 0);
        close(id);
        if (!whole) reveal(id, 0);
        proveDue(id, 0);
        settle(id);
        isState(id, State.Stopped);
        eq(market.owed(provider), BATCH + BATCH / 100, "what is filled");
        row("04 requester: stops before the close", -int256(uint256(BATCH / 100)), 0);
    }

    /// The lead's last claim of a batch is never proven; members proved the others, for all that they may be paid.
    function test_05_lead_and_requester_let_a_batch_fail() public each {
        bytes32 id = job();
        uint256 share = whole ? PRICE : 3 * PRICE;
        closed(id, 0);
        // Members take what they may, four at a time.
        uint256 lost = 0;
        uint256 last = lastDue(id, 0);
        uint256 seat = 0;
        for (uint256 i = 0; i < last; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 0) continue;
            if (seat == 0 || market.seatOf(id, seat).open == 4) seat = bigSeat(id, share);
            take(id, i, seat);
            lost += share;
        }
        pass(16);
        for (uint256 i = 0; i < last; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 1) prove(id, i);
        }
        closeNext(id);
        mayNotTake(id, seat);
        skip(300 hours);
        market.fail(id, last);
        isState(id, State.Slashed);
        eq(market.owed(partner), 0, "members lose a batch at most");
        // It keeps what members would have been paid, and loses its bond.
        row("05, 24 lead and requester: a batch never proven", int256(lost) - int256(uint256(BATCH)), 0);
    }

    function lastDue(bytes32 id, uint256 batch) private view returns (uint256 last) {
        uint256 due = market.batchOf(id, batch).due;
        while (due >> (last + 1) != 0) ++last;
    }

    function closeNext(bytes32 id) private {
        fillAndClose(id);
        if (whole) return;
        pass(16);
        market.reveal(id, 1, secretOf(id, 1));
    }

    /// Nobody proves in vain behind a claim that can fail.
    function mayNotTake(bytes32 id, uint256 seat) private {
        uint256 index = N + lastDue(id, 1);
        bytes memory call = abi.encodeCall(market.take, (id, index, lastOf(index), seat));
        refuses(partner, call, why(IMarketErrors.NotSafe.selector, 0));
    }

    function test_06_lead_and_requester_leave() public each {
        if (!whole) return;
        bytes32 id = job();
        claim(id, N);
        uint256 seat = 0;
        for (uint256 i = 1; i < N; ++i) {
            if (seat == 0 || market.seatOf(id, seat).open == 4) seat = join(id, partner, PRICE);
            take(id, i, seat);
        }
        pass(16);
        for (uint256 i = 1; i < N; ++i) {
            prove(id, i);
        }
        vm.prank(provider);
        market.abandon(id);
        skip(13 hours);
        vm.prank(partner);
        market.close(id, 0, ROOT, seat);
        // The lead's own claim is due; a member has it.
        seat = join2(id);
        bytes32 last = lastOf(0);
        vm.prank(partner);
        market.take(id, 0, last, seat);
        pass(16);
        prove(id, 0);
        settle(id);
        eq(market.owed(partner), N * PRICE, "members are paid");
        row("06 lead and requester: leave", -int256(uint256(BATCH / 4)), 0);
    }

    function join2(bytes32 id) private returns (uint256) {
        return join(id, partner, PRICE);
    }

    function test_07_a_member_closes_many_batches_at_once() public each {
        bytes32 id = job();
        uint256 seat = join(id);
        claim(id, 4 * N);
        skip(13 hours);
        vm.prank(partner);
        market.close(id, 0, ROOT, seat);
        bytes memory call = abi.encodeCall(market.close, (id, 1, ROOT, seat));
        refuses(partner, call, why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp() + 12 hours));
        row("07 member: closes many batches at once", 0, 0);
    }

    function test_08_anyone_ends_a_job_that_is_closed() public each {
        bytes32 id = job();
        claim(id, 4 * N);
        for (uint256 i = 0; i < 4; ++i) {
            close(id);
        }
        skip(30 days);
        bytes memory call = abi.encodeCall(market.abandon, (id));
        refuses(stranger, call, why(IMarketErrors.NothingChanges.selector, 4 * N));
        row("08 anyone: `abandon` when all is closed", 0, 0);
    }

    function test_10_a_squatter_takes_four() public each {
        bytes32 id = job();
        uint256 seat = bigSeat(id, PRICE);
        closed(id, 0);
        int256 had = wealth(id, partner);
        uint256 count = 0;
        for (uint256 i = 0; i < N && count < 4; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 0) continue;
            take(id, i, seat);
            ++count;
        }
        skip(22 hours);
        proveDue(id, 0);
        settle(id);
        vm.prank(partner);
        market.quit(id, seat);
        // Its bond was locked before: add it.
        int256 gain = wealth(id, partner) - had - int256(5 * proving());
        row("10 squatter: takes four", gain, 0);
    }

    /// Named: pay follows the holder, also if the lead works for it. Clients of leads wait for the lapse.
    function test_10_a_squatter_for_which_the_lead_proves() public each {
        bytes32 id = job();
        uint256 seat = bigSeat(id, PRICE);
        closed(id, 0);
        int256 had = wealth(id, partner);
        uint256 count = 0;
        for (uint256 i = 0; i < N && count < 4; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 0) continue;
            take(id, i, seat);
            ++count;
        }
        pass(16);
        proveDue(id, 0);
        settle(id);
        row("10 squatter: the lead proves while it holds", wealth(id, partner) - had, int256(uint256(4 * PRICE)));
    }

    function bigSeat(bytes32 id, uint256 pay) private returns (uint256) {
        SeatOffer memory offer = seatFor(id, partner, uint128(pay));
        offer.bond = uint128(5 * proving());
        offer.signature = sign(PROVIDER_KEY, market.seatDigest(id, partner, offer));
        vm.prank(partner);
        return market.join(id, offer, noPaths());
    }

    function test_12_an_outsider_challenges_a_dark_provider() public each {
        if (whole) return;
        for (uint256 dark = 0; dark < 2; ++dark) {
            bytes32 id = job();
            closed(id, 0);
            proveDue(id, 0);
            int256 had = wealth(id, challenger);
            uint256 index = undrawnIn(id, 0);
            contest(id, index);
            skip(dark == 0 ? 60 hours : 73 hours);
            if (dark == 0) prove(id, index);
            else market.fail(id, index);
            if (dark == 1) market.reclaim(id, index);
            int256 gain = wealth(id, challenger) - had;
            // Named: an outage of more than twice `proveSecs`.
            if (dark == 0) row("12 outsider: challenges, dark for 60 h", gain, 0);
            else row("12 outsider: challenges, dark for 73 h", gain, int256(uint256(BATCH / 4)));
        }
    }

    /// One claim is false: what it brings if it escapes the draw, what it costs if not, and both by their chances.
    function test_13_lead_claims_falsely() public each {
        if (whole) return;
        bytes32 id = job();
        int256 had = wealth(id, provider);
        int256 kept = escapes(id, had);
        int256 caught = isDrawn(id, had);
        // One of four is drawn.
        int256 gain = (3 * kept + caught) / 4 - honest();
        row("13 lead: one claim false", gain, 0);
    }

    function escapes(bytes32 id, int256 had) private returns (int256 kept) {
        uint256 here = vm.snapshotState();
        uint256 wrong = draw(id, false);
        proveDue(id, 0);
        settle(id);
        kept = wealth(id, provider) - had - int256((N - 1) * training() + 4 * proving());
        yes(market.claimsOf(id, wrong, 1)[0] == falseOf(wrong), "false");
        vm.revertToState(here);
    }

    function isDrawn(bytes32 id, int256 had) private returns (int256 caught) {
        uint256 here = vm.snapshotState();
        uint256 wrong = draw(id, true);
        skip(300 hours);
        market.fail(id, wrong);
        caught = wealth(id, provider) - had - int256((N - 1) * training());
        vm.revertToState(here);
    }

    /// Closes and draws, with a false claim that is drawn, or not.
    function draw(bytes32 id, bool wanted) private returns (uint256 wrong) {
        for (; wrong < N; ++wrong) {
            uint256 here = vm.snapshotState();
            fillAndClose(id, wrong);
            reveal(id, 0);
            if ((market.batchOf(id, 0).record.drawn >> wrong & 1 == 1) == wanted) return wrong;
            vm.revertToState(here);
        }
        revert("no such draw");
    }

    function test_13_lead_claims_everything_falsely() public each {
        bytes32 id = job();
        int256 had = wealth(id, provider);
        closed(id, 0);
        skip(300 hours);
        market.fail(id, lastDue(id, 0));
        row("13 lead: all claims false", wealth(id, provider) - had - honest(), 0);
    }

    function test_14_lead_delivers_garbage() public each {
        bytes32 id = job();
        int256 had = wealth(id, provider);
        closed(id, 0);
        proveDue(id, 0);
        if (decided) {
            complain(id, 0);
            decide(id, 0, false);
        }
        settle(id);
        int256 earned = wealth(id, provider) - had - int256(N * training() + proofs() * proving());
        // Without a committee it is paid; the requester can train again to the proven commitment, for the price of training.
        row("14 lead: garbage, ransom apart", earned - honest(), 0);
        if (!decided) row("14 its ransom is at most", int256(N * training()), int256(N * training()));
    }

    function test_15_requester_withholds_its_secret() public each {
        if (whole) return;
        bytes32 id = job();
        fillAndClose(id);
        skipTo(market.batchOf(id, 0).record.closedAt + 4 hours + 1);
        vm.prank(provider);
        market.fixLate(id, 0, 0);
        pass(9);
        market.drawLate(id, 0);
        int256 had = wealth(id, requester);
        proveDue(id, 0);
        settle(id);
        eq(market.owed(provider), BATCH, "paid");
        row("15 requester: withholds its secret", wealth(id, requester) - had, 0);
    }

    function test_16_requester_lets_the_hash_be_lost() public each {
        if (whole) return;
        bytes32 id = job();
        fillAndClose(id);
        skip(30 hours);
        vm.prank(requester);
        market.fixLate(id, 0, 0);
        vm.roll(vm.getBlockNumber() + 9000);
        market.drawLate(id, 0);
        int256 had = wealth(id, requester);
        proveDue(id, 0);
        settle(id);
        row("16, 27 requester: the late hash is lost", wealth(id, requester) - had, 0);
        // Named: the team is away for 8191 blocks more, and nobody draws.
        print("16, 27 what that costs the team", -int256((N - N / 4) * proving()));
    }

    function test_17_a_stolen_hot_key_acknowledges() public each {
        bytes32 id = job();
        fillAndClose(id, 3);
        bytes32 last = market.batchOf(id, 0).last;
        vm.prank(requesterHot);
        market.acknowledge(id, 0, last, ROOT);
        if (!whole) {
            pass(16);
            market.reveal(id, 0, secretOf(id, 0));
        }
        (bool done,) = address(market).call(abi.encodeCall(market.settle, (id)));
        yes(!done, "what is due is not proven");
        row("17 stolen hot key and lead: unproven", 0, 0);
    }

    function test_18_the_data_owner_leads() public each {
        Terms memory t = agreed();
        Licence memory licence = licensed(t, 1000);
        (licence.fee, licence.mostSegments) = (BATCH / 4, 4 * N);
        signLicence(t, licence);
        bytes32 id = open(t, licence);
        int256 had = wealth(id, provider) + wealth(id, royalties);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.start(id);
        vm.prank(provider);
        market.abandon(id);
        row("18 data owner as lead: fee", wealth(id, provider) + wealth(id, royalties) - had, 0);
    }

    function test_19_an_honest_provider_is_out_for_a_day() public each {
        bytes32 id = job();
        closed(id, 0);
        int256 had = wealth(id, provider);
        skip(24 hours);
        proveDue(id, 0);
        settle(id);
        int256 lost = wealth(id, provider) - had - int256(uint256(BATCH));
        yes(lost == 0, "an outage costs nothing");
        row("19 honest provider: out for 24 h", lost, 0);
    }

    function test_20_a_requester_without_data() public each {
        bytes32 id = open(agreed());
        int256 had = wealth(id, requester);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.decline(id);
        vm.prank(requester);
        market.cancel(id);
        Terms memory t = market.termsOf(id);
        int256 gain = wealth(id, requester) - had - int256(market.escrowOf(t, 0));
        row("20 requester without data", gain, 0);
        eq(vault.free(provider), 100_000e18 - BATCH / 100, "the provider, too");
    }

    /// Right weights, committed to with other blindings: whoever compares digests challenges, and pays for the proof.
    function test_21_a_bait() public each {
        if (whole) return;
        bytes32 id = job();
        uint256 bait = draw(id, false);
        int256 had = wealth(id, provider);
        int256 before = wealth(id, challenger);
        contest(id, bait);
        bytes memory p = proof(id, bait, falseOf(bait));
        vm.prank(stranger);
        market.prove(id, bait, p);
        eq(vault.owed(provider), proving(), "the bond is the cost of the proof");
        row("21 lead: bait", wealth(id, provider) - had - int256(proving()), 0);
        print("21 who compares digests", wealth(id, challenger) - before);
    }

    function test_22_a_copied_proof() public each {
        bytes32 id = job();
        closed(id, 0);
        int256 had = wealth(id, stranger);
        // Anyone brings it.
        proveDue(id, 0);
        settle(id);
        row("22 a copied proof", wealth(id, stranger) - had, 0);
    }

    /// A batch each `batchSecs`: it earns what it would have earned, later, and the requester can stop.
    function test_23_the_lead_stalls() public each {
        bytes32 id = job();
        int256 had = wealth(id, provider);
        skipTo(market.jobOf(id).progressAt + 3 days);
        refuses(
            stranger, abi.encodeCall(market.abandon, (id)), why(IMarketErrors.TooEarly.selector, vm.getBlockTimestamp())
        );
        closed(id, 0);
        proveDue(id, 0);
        settle(id);
        vm.prank(requester);
        market.stop(id, 0);
        isState(id, State.Stopped);
        int256 earned = wealth(id, provider) - had - int256(N * training() + proofs() * proving());
        row("23 lead: a batch each `batchSecs`", earned - honest() - int256(uint256(BATCH / 100)), 0);
    }

    /// Weights go to the requester in private, a garbage root to the chain. Members that hold the weights name a root that serves.
    function test_25_weights_in_private() public each {
        if (!decided) return;
        for (uint256 holds = 0; holds < 2; ++holds) {
            uint256 here = vm.snapshotState();
            bytes32 id = job();
            uint256 share = whole ? PRICE : 3 * PRICE;
            uint256 seat = join(id, partner, uint128(share));
            closed(id, 0);
            uint256 index = lastDue(id, 0);
            take(id, index, seat);
            pass(16);
            proveDue(id, 0);
            complain(id, 0);
            if (holds == 1) {
                vm.prank(partner);
                market.addRoot(id, 0, keccak256("served"), seat);
            }
            decide(id, 0, holds == 1);
            settle(id);
            eq(market.owed(partner), holds * share, "the member");
            // Lead and requester together: the price moves from one to the other.
            if (holds == 1) row("25 lead and requester: garbage root", -int256(uint256(3 * FEE)), 0);
            // Named: the pay of members that prove in a batch whose weights they do not hold. Clients refuse.
            else row("25 a member that holds no weights, a proof", int256(share), int256(share));
            vm.revertToState(here);
        }
    }

    function test_26_requester_knocks_the_provider_out_and_complains() public each {
        if (!decided) return;
        bytes32 id = job();
        closed(id, 0);
        proveDue(id, 0);
        int256 had = wealth(id, requester);
        complain(id, 0);
        // Even its own committee cannot decide as long as the team could not answer.
        skip(12 hours);
        bytes memory word = wordOf(id, 0, false, wordKey(0));
        bytes memory call = abi.encodeCall(market.attest, (id, 0, false, 0, word));
        uint256 from = market.batchOf(id, 0).complaint.until - 36 hours;
        refuses(requester, call, why(IMarketErrors.TooEarly.selector, from));
        vm.prank(provider);
        market.addRoot(id, 0, keccak256("served again"), 0);
        decide(id, 0, true);
        settle(id);
        row("26 requester: knocks out, complains", wealth(id, requester) - had, 0);
    }

    function test_28_requester_and_its_seat_challenge_take_and_prove() public each {
        if (whole) return;
        bytes32 id = job();
        stake(requester, 1000e18);
        uint256 seat = bigSeat(id, PRICE);
        closed(id, 0);
        proveDue(id, 0);
        int256 had = wealth(id, requester) + wealth(id, partner);
        uint256 index = undrawnIn(id, 0);
        bytes32 last = lastOf(index);
        vm.prank(requester);
        market.challenge(id, index, last);
        take(id, index, seat);
        pass(16);
        prove(id, index);
        settle(id);
        int256 gain = wealth(id, requester) + wealth(id, partner) - had - int256(proving());
        eq(vault.bonded(id, provider), BATCH, "the lead loses nothing");
        row("28 requester and its seat: challenge, take, prove", gain, 0);
    }

    /// All undrawn claims are challenged at once: the queue gives the time for all.
    function test_30_all_claims_are_challenged_at_once() public each {
        if (whole) return;
        bytes32 id = job();
        closed(id, 0);
        proveDue(id, 0);
        int256 had = wealth(id, challenger);
        uint256 until = 0;
        for (uint256 i = 0; i < N; ++i) {
            if (market.batchOf(id, 0).record.drawn >> i & 1 == 1) continue;
            contest(id, i);
            until = market.challengeOf(id, i).until;
        }
        eq(until, vm.getBlockTimestamp() + 36 hours + 12 * 10 minutes, "time for each");
        vm.warp(until);
        for (uint256 i = 0; i < N; ++i) {
            if (market.challengeOf(id, i).until == until) prove(id, i);
        }
        row("30 anyone: challenges all at once, the last", wealth(id, challenger) - had, 0);
    }

    /// Members prove all that was drawn, for all that they may be promised; a friend challenges a claim that is never proven.
    function test_32_a_friend_lets_the_batch_fail() public each {
        if (whole) return;
        bytes32 id = job();
        uint256 seat = bigSeat(id, 3 * PRICE);
        closed(id, 0);
        int256 had = wealth(id, challenger) + wealth(id, provider);
        for (uint256 i = 0; i < N; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 1) take(id, i, seat);
        }
        pass(16);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        skip(300 hours);
        market.fail(id, index);
        market.reclaim(id, index);
        eq(market.owed(partner), 0, "members proved in vain");
        int256 gain = wealth(id, challenger) + wealth(id, provider) - had + int256(uint256(4 * 3 * PRICE));
        row("32 lead, requester, friend: challenge after members proved", gain, 0);
    }

    /// The same on a licensed set: what is saved of the royalty counts, too.
    function test_32_a_friend_and_a_royalty() public each {
        if (whole) return;
        bytes32 id = royal();
        uint128 pay = 18 * PRICE / 10;
        uint256 seat = bigSeat(id, pay);
        closed(id, 0);
        int256 had = wealth(id, challenger) + wealth(id, provider);
        uint256 saved = N * 4 * PRICE / 10;
        for (uint256 i = 0; i < N; ++i) {
            if (market.batchOf(id, 0).due >> i & 1 == 0) continue;
            vm.prank(partner);
            (bool done,) = address(market).call(abi.encodeCall(market.take, (id, i, lastOf(i), seat)));
            if (done) saved += pay;
        }
        pass(16);
        proveDue(id, 0);
        uint256 index = undrawnIn(id, 0);
        contest(id, index);
        skip(300 hours);
        market.fail(id, index);
        market.reclaim(id, index);
        row("32 the same, with a royalty", wealth(id, challenger) + wealth(id, provider) - had + int256(saved), 0);
    }

    function royal() private returns (bytes32 id) {
        Terms memory t = agreed();
        Licence memory licence = licensed(t, 4000);
        licence.mostSegments = 4 * N;
        signLicence(t, licence);
        id = open(t, licence);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        vm.prank(provider);
        market.start(id);
    }

    function test_31_four_hand_backs() public each {
        bytes32 id = open(agreed());
        int256 had = wealth(id, partner);
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(partner);
            market.accept(id, 0, noPaths());
            vm.prank(partner);
            market.decline(id);
            skip(31 minutes);
        }
        isState(id, State.Cancelled);
        row("31 anyone: ends an open job by four hand-backs", wealth(id, partner) - had, 0);
    }
}
