// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bounds} from "../src/market/Bounds.sol";
import {Permit} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Attestation, Job, Licence, Member, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice What every function that writes costs at the bounds, as a transaction of its own: committee and team of 16, 16 rates,
/// 64 claims a call, 64 draws of 4096 segments, 32 claims that wait, 16 exits. The verifier costs next to nothing. The figures are
/// compared with those in `snapshots/`; `cargo xtask contracts --snapshot` makes them again.
/// forge-config: default.isolate = true
contract GasTest is Scene {
    uint128 private constant BIG_BOND = 2 * 32 * PRICE;

    address[] private committee;
    uint256[] private committeeKeys;
    address[] private team;
    uint256[] private teamKeys;

    function setUp() public override {
        super.setUp();
        committee = enrolMany(Bounds.COMMITTEE, 2);
        committeeKeys = manyKeys;
        team = enrolMany(Bounds.TEAM, 1);
        teamKeys = manyKeys;
        for (uint256 i = 0; i < 16; ++i) {
            stake(committee[i], 10_000e18);
            stake(team[i], 10_000e18);
        }
        // The usual names: the lead of the team is the provider.
        provider = team[0];
        validators = committee;
        validatorKeys = committeeKeys;
        ids.push(0);
    }

    function costs(string memory name) private {
        vm.snapshotGasLastCall("market", name);
    }

    /// Terms at the bounds: every segment of an optimistic job at once may wait, a sampled job has the most segments.
    function most(Assurance level) private view returns (Terms memory t) {
        t = terms(level);
        t.training.rates = new uint64[](Bounds.RATES);
        for (uint64 i = 0; i < Bounds.RATES; ++i) {
            t.training.rates[i] = i << 32 | 9;
        }
        t.training.segments = level == Assurance.Sampled ? Bounds.SEGMENTS : Bounds.PENDING;
        t.times.proveSecs = 60;
        t.price.bond = BIG_BOND;
        t.price.handBackFee = BIG_BOND / 100;
        (t.checks.draws, t.checks.maxPending) = (Bounds.DRAWS, Bounds.PENDING);
        t.committee.threshold = Bounds.COMMITTEE;
    }

    /// With a data set, and a licence for the requester.
    function licensed(Terms memory t) private returns (Licence memory licence) {
        vm.prank(dataOwner);
        t.training.dataset = datasets.register(ROOT, 107, 1000, royalties);
        t.training.royaltyBps = 1000;
        licence = Licence(++nonce, vm.getBlockTimestamp() + 1 hours, "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
    }

    /// An ended job that this one goes on from, whose refund is not enough.
    function withParent(Terms memory t) private {
        t.parent = opened(Assurance.Proven);
        vm.prank(requester);
        market.cancel(t.parent);
        vm.prank(requester);
        token.approve(address(market), 0);
    }

    function seats(bytes32 id) private view returns (Seat[] memory all) {
        all = new Seat[](Bounds.TEAM);
        for (uint256 i = 0; i < all.length; ++i) {
            // The lead brings at least half.
            all[i].member = Member(team[i], 625, i == 0 ? BIG_BOND / 32 * 17 : BIG_BOND / 32);
            (all[i].nonce, all[i].expiry) = (1 << 200 | i, vm.getBlockTimestamp() + 1);
            if (i > 0) all[i].signature = sign(teamKeys[i], market.consentDigest(id, provider, all[i], 0));
        }
    }

    function withTeam(Terms memory t) private returns (bytes32 id) {
        Licence memory licence = licensed(t);
        id = open(t, licence);
        Seat[] memory all = seats(id);
        vm.prank(provider);
        market.acceptAsTeam(id, 0, all);
    }

    function started(Assurance level) private returns (bytes32 id) {
        id = withTeam(most(level));
        vm.prank(provider);
        market.start(id);
    }

    /// An optimistic job with all its claims, and their openings attested.
    function waiting() private returns (bytes32 id) {
        id = started(Assurance.Optimistic);
        claim(id, 0, Bounds.PENDING);
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            confirm(id, i);
        }
    }

    /// A job that diverged behind all its segments but one; what is claimed waits, and its payment ends the job.
    function diverged(Assurance level, uint256 proven) private returns (bytes32 id) {
        Terms memory t = most(level);
        if (level == Assurance.Optimistic) ++t.training.segments;
        id = withTeam(t);
        vm.prank(provider);
        market.start(id);
        uint32 count = t.training.segments - 1;
        for (uint256 i = 0; i < count; i += Bounds.CLAIMS) {
            claim(id, i, count - i < Bounds.CLAIMS ? count - i : Bounds.CLAIMS);
        }
        // So many that their proofs are not made one by one: the verifier takes everything then.
        for (uint256 i = 0; i < proven; ++i) {
            market.prove(id, i, abi.encode(bytes32(0), lastOf(i)));
        }
        for (uint256 i = 0; i < Bounds.COMMITTEE; ++i) {
            vote(id, Task.Divergence, count, YES, i);
        }
    }

    /// All votes on a task but the one that decides.
    function lastVote(bytes32 id, Task task, bytes32 verdict) private {
        for (uint256 i = 0; i + 1 < Bounds.COMMITTEE; ++i) {
            vote(id, task, 0, verdict, i);
        }
    }

    function delivered() private returns (bytes32 id) {
        id = started(Assurance.Proven);
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            prove(id, i);
        }
        deliver(id);
    }

    function atHand() private returns (bytes32 id) {
        id = delivered();
        lastVote(id, Task.Fetchable, YES);
        vote(id, Task.Fetchable, 0, YES, 15);
    }

    function test_opening() public {
        Terms memory t = most(Assurance.Sampled);
        Licence memory licence = licensed(t);
        withParent(t);
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(market), 1e24);
        vm.prank(requester);
        bytes32 id = market.open(t, ++nonce, licence, permit);
        costs("open");
        vm.prank(requester);
        market.cancel(id);
        costs("cancel");
    }

    function test_opening_and_accepting() public {
        Terms memory t = most(Assurance.Sampled);
        Licence memory licence = licensed(t);
        withParent(t);
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(market), 1e24);
        Offer memory offer = Offer(requester, provider, ++nonce, vm.getBlockTimestamp() + 1 hours, "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        vm.prank(provider);
        market.openAndAccept(t, offer, licence, permit, 0);
        costs("openAndAccept");
        vm.prank(requester);
        market.cancelNonce(1);
        costs("cancelNonce");
    }

    function test_accepting() public {
        bytes32 id = open(most(Assurance.Optimistic));
        vm.prank(provider);
        market.accept(id, 0);
        costs("accept");
        vm.prank(provider);
        market.start(id);
        costs("start");
    }

    function test_accepting_as_a_team() public {
        bytes32 id = open(most(Assurance.Optimistic));
        Seat[] memory all = seats(id);
        vm.prank(provider);
        market.acceptAsTeam(id, 0, all);
        costs("acceptAsTeam");
        vm.prank(provider);
        market.decline(id);
        costs("decline");
    }

    function test_sampling() public {
        bytes32 id = started(Assurance.Sampled);
        for (uint256 i = 0; i < Bounds.SEGMENTS; i += Bounds.CLAIMS) {
            claim(id, i, Bounds.CLAIMS);
        }
        // The last of 64 calls also closes the claims.
        costs("claim");
        passDrawBlock(id);
        vm.prank(stranger);
        market.keepHash(id);
        costs("keepHash");
        vm.prank(stranger);
        market.reveal(id, SECRET);
        costs("reveal");
        uint256 last = 0;
        for (uint256 i = 0; i < Bounds.SEGMENTS; ++i) {
            if (!market.isDue(id, i)) continue;
            if (market.jobOf(id).due > 1) prove(id, i);
            else last = i;
        }
        prove(id, last);
        costs("prove, the last that is due");
    }

    function test_a_draw_that_is_not_proven() public {
        bytes32 id = started(Assurance.Sampled);
        for (uint256 i = 0; i < Bounds.SEGMENTS; i += Bounds.CLAIMS) {
            claim(id, i, Bounds.CLAIMS);
        }
        passDrawBlock(id);
        market.reveal(id, SECRET);
        late(id);
        costs("advance, not proven");
    }

    function test_a_window() public {
        bytes32 id = started(Assurance.Optimistic);
        claim(id, 0, Bounds.PENDING);
        confirm(id, 0);
        contest(id, 0);
        costs("challenge");
        // Looks back to the last claim that was opened.
        for (uint256 i = 1; i + 1 < Bounds.PENDING; ++i) {
            prove(id, i);
        }
        confirm(id, Bounds.PENDING - 1);
        costs("confirmOpening");
    }

    function test_settling() public {
        bytes32 id = waiting();
        vm.warp(vm.getBlockTimestamp() + 1 days);
        vm.prank(stranger);
        market.settle(id);
        costs("settle");
    }

    function test_an_answer_that_settles_all() public {
        bytes32 id = waiting();
        // In the last second; behind it all other claims lapse.
        vm.warp(market.claimOf(id, 0).windowUntil);
        contest(id, 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        prove(id, 0);
        costs("prove, an answer");
        inState(id, State.Delivering);
    }

    function test_payments_that_end_an_optimistic_job() public {
        bytes32 id = diverged(Assurance.Optimistic, 0);
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            confirm(id, i);
        }
        uint256 here = vm.snapshotState();
        vm.warp(market.claimOf(id, 0).windowUntil);
        contest(id, 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        prove(id, 0);
        costs("prove, an answer that ends the job");
        inState(id, State.Diverged);
        vm.revertToState(here);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        vm.prank(stranger);
        market.settle(id);
        costs("settle, which ends the job");
        inState(id, State.Diverged);
    }

    function test_payments_that_end_a_sampled_job() public {
        bytes32 id = diverged(Assurance.Sampled, 0);
        uint256 here = vm.snapshotState();
        late(id);
        costs("advance, no secret");
        inState(id, State.Diverged);
        vm.revertToState(here);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        uint256 last = 0;
        for (uint256 i = 0; i < Bounds.SEGMENTS; ++i) {
            if (!market.isDue(id, i)) continue;
            if (market.jobOf(id).due > 1) prove(id, i);
            else last = i;
        }
        prove(id, last);
        costs("prove, the last that is due and ends the job");
        inState(id, State.Diverged);
    }

    function test_a_draw_of_proven_segments() public {
        verifier = new MockVerifier(address(token), Mode.AcceptAll, false, 10, 4);
        bytes32 id = diverged(Assurance.Sampled, Bounds.SEGMENTS - 2);
        // The only one that is not proven is hardly ever drawn.
        passDrawBlock(id);
        vm.prank(stranger);
        market.reveal(id, SECRET);
        costs("reveal, nothing due");
        inState(id, State.Diverged);
    }

    function test_leaving() public {
        bytes32 id = started(Assurance.Optimistic);
        claim(id, 0, Bounds.PENDING);
        for (uint256 i = 0; i + 1 < Bounds.PENDING; ++i) {
            confirm(id, i);
        }
        vm.warp(vm.getBlockTimestamp() + 1 days);
        uint256 here = vm.snapshotState();
        vm.prank(provider);
        market.abandon(id);
        costs("abandon");
        inState(id, State.Defaulted);
        vm.revertToState(here);
        late(id);
        costs("advance, too slow");
        inState(id, State.Defaulted);
    }

    function test_slashing() public {
        bytes32 id = waiting();
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            contest(id, i);
        }
        vm.warp(vm.getBlockTimestamp() + 1 days);
        vm.prank(stranger);
        market.slash(id, 0);
        costs("slash");
        vm.prank(stranger);
        vault.withdraw(requester);
        vm.snapshotGasLastCall("vault", "withdraw");
        eq(token.balanceOf(BURNT), 0, "empty");
        vm.prank(stranger);
        vault.withdraw(BURNT);
        vm.snapshotGasLastCall("vault", "withdraw, to an empty account");
    }

    function test_the_last_vote() public {
        bytes32 id = atHand();
        vm.prank(requester);
        market.complain(id);
        costs("complain");
        lastVote(id, Task.Decision, YES);
        vote(id, Task.Decision, 0, YES, 15);
        costs("attest");
        inState(id, State.Completed);
        vm.prank(stranger);
        market.collect(id);
        costs("collect");
        vm.prank(stranger);
        market.withdraw(provider);
        costs("withdraw");
    }

    function test_handing_over() public {
        bytes32 id = started(Assurance.Proven);
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            prove(id, i);
        }
        deliver(id);
        costs("deliver");
        vm.prank(requester);
        market.acknowledge(id);
        costs("acknowledge");
    }

    function test_handing_over_without_a_committee() public {
        Terms memory t = most(Assurance.Proven);
        (t.committee.members, t.committee.threshold) = (new address[](0), 0);
        bytes32 id = withTeam(t);
        vm.prank(provider);
        market.start(id);
        for (uint256 i = 0; i < Bounds.PENDING; ++i) {
            prove(id, i);
        }
        deliver(id);
        costs("deliver, without a committee");
        inState(id, State.Handed);
        eq(token.balanceOf(royalties), 0, "empty");
        vm.prank(stranger);
        market.withdraw(royalties);
        costs("withdraw, to an empty account");
    }

    function test_a_contradiction() public {
        bytes32 id = atHand();
        vm.prank(requester);
        market.complain(id);
        // All stake of the last member is leaving, in as many parts as there may be, and is needed.
        uint256 part = vault.free(committee[15]) / Bounds.TEAM;
        for (uint256 i = 0; i < 16; ++i) {
            vm.prank(committee[15]);
            vault.startExit(part);
        }
        vm.snapshotGasLastCall("vault", "startExit");
        Attestation memory a = Attestation(id, Task.Decision, 0, market.jobOf(id).current, YES);
        bytes memory yesSigned = wordSignature(a, 15);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 15);
        a.verdict = YES;
        vm.prank(stranger);
        market.contradict(a, NO, committee[15], yesSigned, noSigned);
        costs("contradict");
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
        vm.prank(stranger);
        vault.finishExits(committee[15]);
        vm.snapshotGasLastCall("vault", "finishExits");
    }

    function test_registers() public {
        Permit memory permit = permitOf(REQUESTER_KEY, requester, address(vault), 5);
        vm.prank(requester);
        token.approve(address(vault), 0);
        vm.prank(requester);
        vault.deposit(5, permit);
        vm.snapshotGasLastCall("vault", "deposit");

        address peer = vm.addr(0xfeed);
        string memory addresses = string(new bytes(512));
        bytes memory signature = sign(0xfeed, nodes.registrationDigest(peer, stranger));
        vm.prank(stranger);
        nodes.register(peer, hot, 3, keccak256("key"), addresses, signature);
        vm.snapshotGasLastCall("registers", "NodeRegistry.register");
        vm.prank(stranger);
        nodes.record(provider, 11);
        vm.snapshotGasLastCall("registers", "NodeRegistry.record");
        vm.prank(stranger);
        nodes.remove(peer);
        vm.snapshotGasLastCall("registers", "NodeRegistry.remove");

        vm.prank(dataOwner);
        bytes32 set = datasets.register(ROOT, 9, 100, royalties);
        vm.snapshotGasLastCall("registers", "DatasetRegistry.register");
        vm.prank(dataOwner);
        datasets.change(set, 200, stranger);
        vm.snapshotGasLastCall("registers", "DatasetRegistry.change");
    }
}
