// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketEvents} from "../src/interfaces/IMarketEvents.sol";
import {Terms as LedgerTerms} from "../src/interfaces/ISegmentLedger.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Bounds} from "../src/market/Bounds.sol";
import {
    Assurance,
    Attestation,
    Licence,
    Member,
    Offer,
    Price,
    Seat,
    State,
    Task,
    Terms,
    Times
} from "../src/market/Types.sol";
import {SegmentLedger} from "../src/SegmentLedger.sol";
import {TrainingMarket} from "../src/TrainingMarket.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice The most that every function which writes costs at the bounds, as a transaction of its own: committee and
/// team of 16, 16 rates, 64 claims a call, 64 draws of 4096 segments, 32 claims that wait, 16 exits. What is written
/// was zero before where it can be, and calls are as long as they can be. The verifier costs next to nothing. Who signs
/// is a key: what the code of a contract that signs costs has no bound. The figures are compared with those in
/// `snapshots/`; `cargo xtask contracts --snapshot` makes them again.
/// forge-config: default.isolate = true
contract GasTest is Scene {
    // Amounts without a zero byte, as long as the supply allows.
    uint128 private constant AMOUNT = (1 << 86) - 1;
    /// What a team earns of it divides, so that `collect` leaves nothing.
    uint128 private constant START = 0x2ffffffffffffffffe8740;
    uint128 private constant LEAD_BOND = (1 << 93) - 1;
    uint128 private constant MEMBER_BOND = (1 << 88) - 1;
    uint128 private constant TEAM_BOND = LEAD_BOND + 15 * MEMBER_BOND;
    /// A word needs all 16 exits of a member.
    uint128 private constant PART = (1 << 88) - 1;
    uint128 private constant STAKE = 16 * PART;
    uint256 private constant LAST = Bounds.PENDING - 1;

    address private circuit;
    address[] private team;
    uint256[] private teamKeys;

    function setUp() public override {
        // On another chain than the local one the verifier is asked for its set-up.
        vm.chainId(1);
        (royalties, stranger) = (vm.addr(0x70), vm.addr(0x99));
        (challenger, hot) = (vm.addr(0xc4), vm.addr(0x407));
        super.setUp();
        circuit = address(new MockVerifier(address(0), Mode.RejectAll, false, 1, 1));
        verifier = checking(Mode.Check);
        makeParties();
        yes(token.transfer(requester, FORTUNE / 2), "fortune");
        fund(challenger, 2 * AMOUNT);
        ids.push(0);
    }

    /// Every segment is the last of an epoch: its length is computed.
    function checking(Mode mode) private returns (MockVerifier) {
        return new MockVerifier(circuit, mode, false, type(uint32).max, type(uint32).max);
    }

    /// Who has both roles is looked up twice.
    function makeParties() private {
        address[] memory many = enrolMany(uint256(Bounds.COMMITTEE) + Bounds.TEAM, 3);
        (validators, validatorKeys) = (new address[](0), new uint256[](0));
        for (uint256 i = 0; i < Bounds.COMMITTEE; ++i) {
            validators.push(many[i]);
            validatorKeys.push(manyKeys[i]);
            fund(many[i], STAKE);
        }
        for (uint256 i = 0; i < Bounds.TEAM; ++i) {
            team.push(many[Bounds.COMMITTEE + i]);
            teamKeys.push(manyKeys[Bounds.COMMITTEE + i]);
            fund(team[i], 2 * bondOf(i));
        }
        // The usual name of the lead.
        provider = team[0];
        enrol(provider, 0xee3, hot, 3);
    }

    function fund(address owner, uint256 amount) private {
        yes(token.transfer(owner, amount), "fortune");
        vm.prank(owner);
        token.approve(address(vault), amount);
        stake(owner, amount);
    }

    /// The lead brings at least half.
    function bondOf(uint256 place) private pure returns (uint128) {
        return place == 0 ? LEAD_BOND : MEMBER_BOND;
    }

    function costs(string memory name) private {
        vm.snapshotGasLastCall("market", name);
    }

    /// Terms at the bounds: every segment of an optimistic job at once may wait, a sampled job has the most segments.
    /// There are no fees, so that the first last share is written where nothing was. Durations differ, so that each
    /// step writes another deadline.
    function most(Assurance level) private view returns (Terms memory t) {
        t = terms(level);
        (t.training.halo2, t.training.halo2Code) = (circuit, circuit.codehash);
        t.training.rows = Bounds.ROWS - 1;
        t.training.segments = level == Assurance.Sampled ? Bounds.SEGMENTS : Bounds.PENDING;
        t.training.rates = new uint64[](Bounds.RATES);
        for (uint64 i = 0; i < Bounds.RATES; ++i) {
            // All but the first are behind every segment, so that all are read.
            t.training.rates[i] = (i == 0 ? 0 : type(uint32).max - Bounds.RATES + i) << 32 | (Bounds.RATE - 1);
        }
        t.price = Price(START, AMOUNT, Bounds.OPEN_SECS - 2, 2000, TEAM_BOND, AMOUNT, AMOUNT);
        t.times = Times({
            openSecs: Bounds.OPEN_SECS - 1,
            startSecs: Bounds.START_SECS - 1,
            runSecs: Bounds.RUN_SECS - 1,
            windowSecs: Bounds.WINDOW_SECS - 1,
            answerSecs: Bounds.ANSWERS_SECS / Bounds.PENDING - 1,
            revealSecs: Bounds.REVEAL_SECS - 1,
            proveSecs: Bounds.PROVING_SECS / Bounds.SEGMENTS,
            deliverSecs: Bounds.DELIVER_SECS - 1,
            complainSecs: Bounds.COMPLAIN_SECS - 2,
            decideSecs: Bounds.DECIDE_SECS - 3
        });
        (t.checks.draws, t.checks.maxPending) = (Bounds.DRAWS, Bounds.PENDING);
        (t.committee.threshold, t.committee.fee, t.committee.stake) = (Bounds.COMMITTEE, 0, STAKE);
    }

    /// With a segment that nobody claims.
    function longer(Assurance level) private view returns (Terms memory t) {
        t = most(level);
        ++t.training.segments;
    }

    /// With a data set, and a licence for the requester.
    function licensed(Terms memory t) private returns (Licence memory licence) {
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, t.training.rows, 1000, royalties);
        t.training.royaltyBps = 1000;
        licence = Licence(type(uint256).max, type(uint256).max, "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
    }

    /// Everything that a job can be posted with: fees, a data set, a parent. The parent's refund has been withdrawn, so
    /// that the market holds nothing, and a permit pays for all.
    function longest() private returns (Terms memory t, Licence memory licence, Permit memory permit) {
        t = most(Assurance.Sampled);
        (t.training.segments, t.committee.fee, t.rebased) = (Bounds.SEGMENTS - 1, AMOUNT, true);
        licence = licensed(t);
        t.parent = open(most(Assurance.Proven));
        vm.prank(requester);
        market.cancel(t.parent);
        market.withdraw(requester);
        vm.prank(requester);
        token.approve(address(market), 0);
        permit = longPermit(address(market));
    }

    /// The requester's first: for ever, and for almost everything, because an allowance of everything is not reduced.
    function longPermit(address to) private view returns (Permit memory p) {
        (p.value, p.deadline) = (type(uint256).max - 1, type(uint256).max);
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 what = keccak256(abi.encode(kind, requester, to, p.value, 0, p.deadline));
        (p.v, p.r, p.s) =
            vm.sign(REQUESTER_KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), what)));
    }

    function seats(bytes32 id) private view returns (Seat[] memory all) {
        all = new Seat[](Bounds.TEAM);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i].member = Member(team[i], 625, bondOf(i));
            (all[i].nonce, all[i].expiry) = (type(uint256).max, type(uint256).max);
            if (i > 0) all[i].signature = sign(teamKeys[i], market.consentDigest(id, provider, all[i], START));
        }
    }

    function acceptAsTeam(bytes32 id) private {
        Seat[] memory all = seats(id);
        vm.prank(provider);
        market.acceptAsTeam(id, START, all);
    }

    /// All free stake starts to leave: what is freed behind that makes something of nothing.
    function retire(address owner) private {
        uint256 rest = vault.free(owner);
        vm.prank(owner);
        vault.startExit(rest);
    }

    function retireAll() private {
        for (uint256 i = 0; i < Bounds.TEAM; ++i) {
            retire(team[i]);
        }
    }

    /// A running job. The lead acts by its hot key from here on, which is looked up.
    function started(Terms memory t) private returns (bytes32 id) {
        Licence memory licence = licensed(t);
        id = open(t, licence);
        acceptAsTeam(id);
        retireAll();
        provider = hot;
        vm.prank(provider);
        market.start(id);
    }

    function claimAll(bytes32 id, uint256 count) private {
        for (uint256 i = 0; i < count; i += Bounds.CLAIMS) {
            claim(id, i, count - i < Bounds.CLAIMS ? count - i : Bounds.CLAIMS);
        }
    }

    function confirmAll(bytes32 id) private {
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            confirm(id, i);
        }
    }

    /// An optimistic job with all the claims that may wait, and the requester has their openings.
    function waiting(Terms memory t) private returns (bytes32 id) {
        id = started(t);
        claimAll(id, Bounds.PENDING);
        confirmAll(id);
    }

    /// Answers a challenge of the last claim, made in the last second; behind it all other claims lapse.
    function answerLast(bytes32 id) private {
        vm.warp(market.claimOf(id, LAST).windowUntil);
        contest(id, LAST);
        lapse(id, LAST);
        prove(id, LAST);
    }

    /// What the team earns behind that makes something of nothing.
    function collectAll(bytes32 id) private {
        market.collect(id);
        eq(market.jobOf(id).earned, 0, "earned");
    }

    /// The last vote decides.
    function voteAll(bytes32 id, Task task, uint32 index, bytes32 verdict) private {
        for (uint256 i = 0; i < Bounds.COMMITTEE; ++i) {
            vote(id, task, index, verdict, i);
        }
    }

    /// A job that diverged behind all its segments but one; what is claimed waits, and its payment ends the job.
    function diverged(Terms memory t, uint256 proven) private returns (bytes32 id) {
        id = started(t);
        uint32 count = t.training.segments - 1;
        claimAll(id, count);
        // So many that their proofs are not made one by one: the verifier takes everything then.
        for (uint256 i = 0; i < proven; ++i) {
            market.prove(id, i, abi.encode(bytes32(0), lastOf(i)));
        }
        voteAll(id, Task.Divergence, count, YES);
    }

    /// Tries hashes of the drawing block until the draw writes all 16 words of the drawn segments, and leaves the job
    /// in the state: about one in four does not.
    function drawUntil(bytes32 id, State state, string memory name) private {
        uint256 drawBlock = market.jobOf(id).drawBlock;
        vm.roll(drawBlock + 1);
        uint256 here = vm.snapshotState();
        for (uint256 i = 0;; ++i) {
            vm.setBlockhash(drawBlock, keccak256(abi.encode("block", i)));
            vm.recordLogs();
            vm.prank(stranger);
            market.reveal(id, SECRET);
            costs(name);
            if (drawnWords(vm.getRecordedLogs()) == type(uint16).max && market.jobOf(id).state == state) return;
            vm.revertToState(here);
        }
    }

    function drawnWords(Vm.Log[] memory logs) private pure returns (uint256 words) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IMarketEvents.Drawn.selector) continue;
            (,, uint256[] memory indices) = abi.decode(logs[i].data, (bytes32, bool, uint256[]));
            for (uint256 j = 0; j < indices.length; ++j) {
                words |= 1 << (indices[j] >> 8);
            }
        }
    }

    /// Proves all drawn segments. The last has an index of two bytes, and is not the end of the job, which is read too.
    function proveDrawn(bytes32 id) private {
        uint256 last = 0;
        for (uint256 i = 0; i < Bounds.SEGMENTS; ++i) {
            if (!market.isDue(id, i)) continue;
            if (last == 0 && i > 256) last = i;
            else prove(id, i);
        }
        prove(id, last);
    }

    /// All segments are proven.
    function trained(Terms memory t) private returns (bytes32 id) {
        id = started(t);
        for (uint256 i = 0; i < t.training.segments; ++i) {
            prove(id, i);
        }
    }

    function test_opening() public {
        (Terms memory t, Licence memory licence, Permit memory permit) = longest();
        vm.prank(requester);
        market.open(t, type(uint256).max, licence, permit);
        costs("open");
    }

    function test_opening_and_accepting() public {
        (Terms memory t, Licence memory licence, Permit memory permit) = longest();
        Offer memory offer = Offer(requester, provider, type(uint256).max, type(uint256).max, "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        vm.prank(provider);
        market.openAndAccept(t, offer, licence, permit, START);
        costs("openAndAccept");
    }

    function test_taking_back() public {
        bytes32 id = open(most(Assurance.Optimistic));
        vm.prank(requester);
        market.cancel(id);
        costs("cancel");
        vm.prank(requester);
        market.cancelNonce(type(uint256).max);
        costs("cancelNonce");
    }

    function test_accepting() public {
        bytes32 id = open(most(Assurance.Optimistic));
        vm.prank(provider);
        market.accept(id, START);
        costs("accept");
        vm.prank(hot);
        market.start(id);
        costs("start");
    }

    function test_accepting_as_a_team() public {
        bytes32 id = open(most(Assurance.Optimistic));
        acceptAsTeam(id);
        costs("acceptAsTeam");
        retireAll();
        vm.prank(hot);
        market.decline(id);
        costs("decline");
    }

    function test_claiming() public {
        Terms memory t = most(Assurance.Sampled);
        t.training.segments = Bounds.CLAIMS;
        bytes32 id = started(t);
        // The first call, which also closes the claims.
        claimAll(id, Bounds.CLAIMS);
        costs("claim");
        inState(id, State.Drawing);
    }

    function test_sampling() public {
        bytes32 id = started(most(Assurance.Sampled));
        claimAll(id, Bounds.SEGMENTS);
        drawUntil(id, State.Proving, "reveal");
        proveDrawn(id);
        costs("prove, the last that is due");
        inState(id, State.Delivering);
    }

    function test_a_draw_that_is_not_proven() public {
        bytes32 id = started(most(Assurance.Sampled));
        claimAll(id, Bounds.SEGMENTS);
        passDrawBlock(id);
        vm.prank(stranger);
        market.keepHash(id);
        costs("keepHash");
        market.reveal(id, SECRET);
        late(id);
        costs("advance, not proven");
        inState(id, State.Slashed);
    }

    function test_a_window() public {
        bytes32 id = started(most(Assurance.Optimistic));
        claimAll(id, Bounds.PENDING);
        confirm(id, 0);
        for (uint256 i = 1; i < LAST; ++i) {
            prove(id, i);
        }
        // Looks back to the last claim that was opened.
        confirm(id, LAST);
        costs("confirmOpening");
    }

    function test_settling() public {
        bytes32 id = waiting(most(Assurance.Optimistic));
        lapse(id, LAST);
        vm.prank(stranger);
        market.settle(id);
        costs("settle");
        inState(id, State.Delivering);
    }

    function test_an_answer_that_settles_all() public {
        bytes32 id = waiting(most(Assurance.Optimistic));
        answerLast(id);
        costs("prove, an answer");
        inState(id, State.Delivering);
    }

    function test_payments_that_end_an_optimistic_job() public {
        bytes32 id = diverged(longer(Assurance.Optimistic), 0);
        confirmAll(id);
        uint256 here = vm.snapshotState();
        answerLast(id);
        costs("prove, an answer that ends the job");
        inState(id, State.Diverged);
        vm.revertToState(here);
        lapse(id, LAST);
        vm.prank(stranger);
        market.settle(id);
        costs("settle, which ends the job");
        inState(id, State.Diverged);
    }

    function test_payments_that_end_a_sampled_job() public {
        bytes32 id = diverged(most(Assurance.Sampled), 0);
        uint256 here = vm.snapshotState();
        late(id);
        costs("advance, no secret");
        inState(id, State.Diverged);
        vm.revertToState(here);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        proveDrawn(id);
        costs("prove, the last that is due and ends the job");
        inState(id, State.Diverged);
    }

    function test_a_draw_of_proven_segments() public {
        verifier = checking(Mode.AcceptAll);
        bytes32 id = diverged(most(Assurance.Sampled), Bounds.SEGMENTS - 2);
        // What was paid before is taken out.
        collectAll(id);
        market.withdraw(royalties);
        // The only one that is not proven is hardly ever drawn.
        drawUntil(id, State.Diverged, "reveal, nothing due");
    }

    function test_leaving() public {
        bytes32 id = waiting(longer(Assurance.Optimistic));
        uint256 here = vm.snapshotState();
        lapse(id, LAST);
        vm.prank(hot);
        market.abandon(id);
        costs("abandon");
        inState(id, State.Defaulted);
        vm.revertToState(here);
        late(id);
        costs("advance, too slow");
        inState(id, State.Defaulted);
    }

    function test_slashing() public {
        bytes32 id = waiting(most(Assurance.Optimistic));
        // The first claim lapses; all others are challenged, each by somebody else.
        for (uint256 i = 1; i <= LAST; ++i) {
            challenger = vm.addr(0xc400 + i);
            fund(challenger, 2 * AMOUNT);
            contest(id, i);
            costs("challenge");
            retire(challenger);
        }
        vm.warp(market.claimOf(id, LAST).answerUntil + 1);
        vm.prank(stranger);
        market.slash(id, LAST);
        costs("slash");
        eq(market.jobOf(id).settled, 1, "settled");
        vm.prank(stranger);
        vault.withdraw(requester);
        vm.snapshotGasLastCall("vault", "withdraw");
        eq(token.balanceOf(challenger), 0, "empty");
        vm.prank(stranger);
        vault.withdraw(challenger);
        vm.snapshotGasLastCall("vault", "withdraw, to an empty account");
    }

    function test_the_last_vote() public {
        Terms memory t = most(Assurance.Proven);
        t.committee.fee = AMOUNT;
        bytes32 id = started(t);
        prove(id, 0);
        collectAll(id);
        bytes32 verdict = bytes32(uint256(type(uint64).max));
        voteAll(id, Task.Divergence, 1, verdict);
        costs("attest");
        inState(id, State.Diverged);
    }

    function test_collecting() public {
        Terms memory t = most(Assurance.Proven);
        // Something is left to collect later.
        ++t.price.start;
        bytes32 id = started(t);
        prove(id, 0);
        vm.prank(stranger);
        market.collect(id);
        costs("collect");
        vm.prank(stranger);
        market.withdraw(team[0]);
        costs("withdraw");
        eq(token.balanceOf(royalties), 0, "empty");
        vm.prank(stranger);
        market.withdraw(royalties);
        costs("withdraw, to an empty account");
    }

    function test_handing_over() public {
        bytes32 id = trained(most(Assurance.Proven));
        collectAll(id);
        deliver(id);
        costs("deliver");
        voteAll(id, Task.Fetchable, 0, YES);
        uint256 here = vm.snapshotState();
        vm.prank(requester);
        market.acknowledge(id);
        costs("acknowledge");
        vm.revertToState(here);
        vm.prank(requester);
        market.complain(id);
        costs("complain");
    }

    function test_handing_over_without_a_committee() public {
        Terms memory t = most(Assurance.Proven);
        (t.committee.members, t.committee.threshold) = (new address[](0), 0);
        deliver(trained(t));
        costs("deliver, without a committee");
    }

    function test_a_contradiction() public {
        address validator = validators[15];
        vm.prank(validator);
        vault.startExit(PART);
        vm.snapshotGasLastCall("vault", "startExit");
        // All its stake leaves, in as many parts as there may be, and is needed: nothing is free, so nothing is zeroed.
        for (uint256 i = 1; i < 16; ++i) {
            vm.prank(validator);
            vault.startExit(PART);
        }
        eq(vault.free(validator), 0, "free");
        bytes32 id = open(most(Assurance.Proven));
        Attestation memory a = Attestation(id, Task.Divergence, type(uint32).max, ROOT, FIRST);
        bytes memory signature = wordSignature(a, 15);
        a.verdict = SECRET;
        bytes memory otherSignature = wordSignature(a, 15);
        a.verdict = FIRST;
        vm.prank(stranger);
        market.contradict(a, SECRET, validator, signature, otherSignature);
        costs("contradict");
        eq(vault.leaving(validator), 0, "leaving");
    }

    function test_exits() public {
        address owner = validators[0];
        for (uint256 i = 0; i < 16; ++i) {
            vm.warp(vm.getBlockTimestamp() + 1);
            vm.prank(owner);
            vault.startExit(PART);
        }
        // The first leaves, and each other one moves up.
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs() - 15);
        vm.prank(stranger);
        eq(vault.finishExits(owner), PART, "the first");
        vm.snapshotGasLastCall("vault", "finishExits");
    }

    function test_depositing() public {
        // Nobody has deposited in this vault.
        IStakeVault fresh = new TrainingMarket(token, nodes, datasets).vault();
        Permit memory permit = longPermit(address(fresh));
        vm.prank(requester);
        fresh.deposit(AMOUNT, permit);
        vm.snapshotGasLastCall("vault", "deposit");
    }

    function test_registers() public {
        address peer = vm.addr(0xfeed);
        bytes memory addresses = new bytes(512);
        for (uint256 i = 0; i < addresses.length; ++i) {
            addresses[i] = "x";
        }
        bytes memory signature = sign(0xfeed, nodes.registrationDigest(peer, stranger));
        vm.prank(stranger);
        nodes.register(peer, hot, 3, keccak256("key"), string(addresses), signature);
        vm.snapshotGasLastCall("registers", "NodeRegistry.register");
        vm.prank(stranger);
        nodes.record(provider, 11);
        vm.snapshotGasLastCall("registers", "NodeRegistry.record");
        vm.prank(stranger);
        nodes.remove(peer);
        vm.snapshotGasLastCall("registers", "NodeRegistry.remove");

        vm.prank(dataOwner);
        bytes32 set = datasets.register(ROOT, type(uint64).max, Bounds.ROYALTY_BPS - 1, royalties);
        vm.snapshotGasLastCall("registers", "DatasetRegistry.register");
        vm.prank(dataOwner);
        datasets.change(set, Bounds.ROYALTY_BPS, stranger);
        vm.snapshotGasLastCall("registers", "DatasetRegistry.change");
    }

    function test_ledger() public {
        SegmentLedger ledger = new SegmentLedger();
        LedgerTerms memory t = LedgerTerms({
            verifier: checking(Mode.AcceptAll),
            owner: provider,
            dataRoot: ROOT,
            epochSegments: type(uint64).max,
            segments: type(uint64).max,
            lastSteps: type(uint32).max,
            lastRows: type(uint32).max,
            rate: type(uint32).max,
            first: FIRST
        });
        vm.prank(requester);
        bytes32 job = ledger.open(t);
        vm.snapshotGasLastCall("ledger", "open");
        vm.prank(provider);
        ledger.submit(job, abi.encode(SECRET, lastOf(0)));
        vm.snapshotGasLastCall("ledger", "submit");
    }

    function test_token() public {
        vm.prank(requester);
        yes(token.transfer(royalties, AMOUNT), "transfer");
        vm.snapshotGasLastCall("token", "transfer");
        vm.prank(requester);
        yes(token.approve(stranger, type(uint256).max), "approve");
        vm.snapshotGasLastCall("token", "approve");
        Permit memory p = longPermit(royalties);
        vm.prank(stranger);
        token.permit(requester, royalties, p.value, p.deadline, p.v, p.r, p.s);
        vm.snapshotGasLastCall("token", "permit");
    }
}
