// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Job, Licence, Member, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {Indexer} from "./Indexer.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice The events are enough: whoever reads nothing else knows every job, claim, bond, account and register.
contract EventsTest is Scene {
    /// Events that market, vault and the two registers declare.
    uint256 private constant KINDS = 26 + 10 + 3 + 2;
    /// That live at once.
    uint256 private constant JOBS = 4;
    uint256 private constant PEER_KEY = 0xfee;

    Indexer private indexer;
    uint256 private steps;
    uint256 private small;

    function setUp() public override {
        vm.recordLogs();
        super.setUp();
        indexer = new Indexer(market);
        follow();
    }

    /// Reads on, and compares.
    function follow() private {
        indexer.replay(vm.getRecordedLogs());
        indexer.compare(ids, accounts);
    }

    /// Each state is reached, and each step on the way to it is told.
    function test_every_state_is_known_from_events() public {
        for (uint256 k = 1; k <= uint256(State.Diverged); ++k) {
            bytes32 id = reach(State(k));
            follow();
            if (State(k) == State.Assigned || State(k) == State.Open) late(id);
            follow();
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            if (market.jobOf(ids[i]).earned > 0) market.collect(ids[i]);
        }
        follow();
    }

    /// The ends that have no walk of their own: an answer, a lost challenge among three, a lost hash, early proofs, a secret that
    /// does not come, a divergence behind each level's claims.
    function test_every_turn_is_known_from_events() public {
        bytes32 id = running(Assurance.Optimistic);
        claim(id, 0, 4);
        for (uint256 i = 0; i < 4; ++i) {
            confirm(id, i);
            contest(id, i);
        }
        follow();
        prove(id, 0);
        follow();
        vm.warp(market.claimOf(id, 3).answerUntil + 1);
        market.slash(id, 3);
        follow();

        id = running(Assurance.Sampled);
        claim(id, 0, 3);
        prove(id, 0);
        claim(id, 3, SEGMENTS - 3);
        follow();
        uint256 here = vm.snapshotState();
        late(id);
        follow();
        vm.revertToState(here);
        vm.roll(market.jobOf(id).drawBlock + 300);
        market.reveal(id, SECRET);
        follow();
        proveDue(id);
        follow();

        for (uint256 k = 0; k < 3; ++k) {
            id = running(Assurance(k));
            if (k > 0) claim(id, 0, 2);
            else prove(id, 0);
            agree(id, Task.Divergence, k > 0 ? 2 : 1, bytes32(uint256(7) << 32 | 2));
            follow();
        }
    }

    /// What a data set costs is told when it is registered, not only when that changes.
    function test_a_new_data_set_is_known_from_events() public {
        vm.prank(dataOwner);
        datasets.register(ROOT, 107, 1000, royalties);
        follow();
    }

    /// Random steps of all parties, four jobs at a time; every event comes.
    function test_long_walks_are_known_from_events() public {
        for (uint256 i = 0; i < 3000; ++i) {
            this.step(uint256(keccak256(abi.encode(i))));
            if (i % 200 == 199) indexer.compare(ids, accounts);
        }

        yes(ids.length > 50 && steps > 700, "long");
        eq(indexer.kinds(), KINDS, "kinds of events");
    }

    /// What is refused emits nothing; what is done is read.
    function attempt(address where, address who, bytes memory call) private returns (bool done, bytes memory got) {
        vm.getRecordedLogs();
        vm.prank(who);
        (done, got) = where.call(call);
        if (!done) return (done, got);
        indexer.replay(vm.getRecordedLogs());
        ++steps;
    }

    function step(uint256 seed) external {
        uint256 kind = seed % 40;
        seed >>= 8;
        bytes32 id = pick(seed);
        seed >>= 8;
        if (kind < 4) post(id, seed);
        else if (kind < 29) act(id, market.jobOf(id), seed);
        else if (kind < 32) account(id, seed);
        else if (kind < 34) register(seed);
        else if (kind < 36) stakes(seed);
        else pass(id, seed);
    }

    /// One of the last jobs, one that lives if there is one.
    function pick(uint256 seed) private view returns (bytes32 id) {
        uint256 count = ids.length < JOBS ? ids.length : JOBS;
        for (uint256 i = 0; i < count; ++i) {
            id = ids[ids.length - 1 - (seed + i) % count];
            if (market.jobOf(id).state < State.Cancelled) break;
        }
    }

    function post(bytes32 parent, uint256 seed) private {
        if (ids.length >= JOBS && market.jobOf(ids[ids.length - JOBS]).state < State.Cancelled) return;
        // Half of them optimistic, which have most to tell.
        Terms memory t = terms(Assurance(seed % 4 < 3 ? seed % 4 : 2));
        Licence memory licence;
        Permit memory permit;
        if (seed / 4 % 2 == 0) (t.parent, t.rebased) = (parent, true);
        if (seed / 8 % 2 == 0) licence = licensed(t);
        address who = requester;
        bytes memory call = abi.encodeCall(market.open, (t, ++nonce, licence, permit));
        if (seed / 16 % 2 == 0) {
            Offer memory offer = Offer(requester, address(0), nonce, vm.getBlockTimestamp(), "");
            offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
            (who, call) = (provider, abi.encodeCall(market.openAndAccept, (t, offer, licence, permit, 0)));
        }
        (bool done, bytes memory got) = attempt(address(market), who, call);
        if (done) ids.push(abi.decode(got, (bytes32)));
    }

    function licensed(Terms memory t) private returns (Licence memory licence) {
        t.training.royaltyBps = 1000;
        t.training.dataset = datasets.digest(dataOwner, ROOT, 107);
        bytes memory call = abi.encodeCall(datasets.register, (ROOT, 107, 1000, royalties));
        if (datasets.entry(t.training.dataset).owner == address(0)) attempt(address(datasets), dataOwner, call);
        licence = Licence(++small, vm.getBlockTimestamp(), "");
        licence.signature = sign(OWNER_KEY, market.licenceDigest(t.training.dataset, requester, licence));
    }

    /// What the job's state has to offer.
    function act(bytes32 id, Job memory job, uint256 seed) private {
        State state = job.state;
        uint256 index = job.settled + (job.claimed > job.settled ? (seed >> 8) % (job.claimed - job.settled) : 0);
        if (state == State.Open) {
            if (seed % 16 == 0) attempt(address(market), requester, abi.encodeCall(market.cancel, (id)));
            else if (seed % 2 == 0) attempt(address(market), provider, abi.encodeCall(market.accept, (id, 0)));
            else attempt(address(market), provider, asTeam(id, seed));
        } else if (state == State.Assigned) {
            if (seed % 4 == 0) attempt(address(market), provider, abi.encodeCall(market.decline, (id)));
            else attempt(address(market), provider, abi.encodeCall(market.start, (id)));
        } else if (state == State.Running) {
            run(id, index, seed);
        } else if (state == State.Drawing) {
            if (vm.getBlockNumber() <= job.drawBlock) passDrawBlock(id);
            if (seed % 2 == 0) attempt(address(market), stranger, abi.encodeCall(market.keepHash, (id)));
            else attempt(address(market), stranger, abi.encodeCall(market.reveal, (id, SECRET)));
        } else if (state == State.Proving) {
            for (index = job.settled; !market.isDue(id, index); ++index) {}
            provesOne(id, index);
        } else {
            handOver(id, seed);
        }
    }

    function asTeam(bytes32 id, uint256 seed) private returns (bytes memory) {
        Seat[] memory seats = new Seat[](2);
        seats[1].member = Member(partner, uint16(seed % 10_000), uint128(seed % (BOND / 2)));
        seats[0].member = Member(provider, 10_000 - seats[1].member.shareBps, BOND - seats[1].member.bond);
        (seats[1].nonce, seats[1].expiry) = (++small, vm.getBlockTimestamp());
        seats[1].signature = sign(PARTNER_KEY, market.consentDigest(id, provider, seats[1], 0));
        return abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
    }

    function run(bytes32 id, uint256 index, uint256 seed) private {
        uint256 kind = seed % 64;
        Job memory job = market.jobOf(id);
        bytes32[] memory lasts = new bytes32[]((seed >> 16) % 3 + 1);
        for (uint256 i = 0; i < lasts.length; ++i) {
            lasts[i] = lastOf(job.claimed + i);
        }
        if (kind < 12) attempt(address(market), hot, abi.encodeCall(market.claim, (id, job.claimed, lasts)));
        else if (kind < 24) provesOne(id, index);
        else if (kind < 30) attempt(address(market), stranger, abi.encodeCall(market.settle, (id)));
        else if (kind < 38) attempt(address(market), requester, confirming(id, index));
        else if (kind < 45) votes(id, Task.Opening, index, YES, seed >> 8);
        else if (kind < 56) attempt(address(market), challenger, contesting(id, index));
        else if (kind < 61) attempt(address(market), stranger, abi.encodeCall(market.slash, (id, index)));
        else if (kind < 63) votes(id, Task.Divergence, job.claimed, YES, seed >> 8);
        else attempt(address(market), provider, abi.encodeCall(market.abandon, (id)));
    }

    function provesOne(bytes32 id, uint256 index) private {
        bytes memory p = proof(id, index, lastOf(index));
        attempt(address(market), provider, abi.encodeCall(market.prove, (id, index, p)));
    }

    function handOver(bytes32 id, uint256 seed) private {
        uint256 kind = seed % 12;
        if (kind < 2) attempt(address(market), provider, abi.encodeCall(market.deliver, (id, bytes32(seed))));
        else if (kind < 6) votes(id, Task.Fetchable, 0, YES, seed >> 8);
        else if (kind < 9) votes(id, Task.Decision, 0, kind == 8 ? NO : YES, seed >> 8);
        else if (kind < 11) attempt(address(market), requester, abi.encodeCall(market.complain, (id)));
        else attempt(address(market), requester, abi.encodeCall(market.acknowledge, (id)));
    }

    function votes(bytes32 id, Task task, uint256 index, bytes32 verdict, uint256 seed) private {
        (bool asked, bytes memory subject) =
            address(market).staticcall(abi.encodeCall(market.subjectOf, (id, task, uint32(index), verdict)));
        if (!asked) return;
        uint256 place = seed % 3;
        Attestation memory a = Attestation(id, task, uint32(index), abi.decode(subject, (bytes32)), verdict);
        bytes memory signature = wordSignature(a, place);
        bytes memory call = abi.encodeCall(market.attest, (id, task, a.index, verdict, place, signature));
        (bool done,) = attempt(address(market), stranger, call);
        // Now and then a member says something else as well.
        if (!done || seed / 4 % 16 != 0) return;
        a.verdict = keccak256("something else");
        bytes memory other = wordSignature(a, place);
        call = abi.encodeCall(market.contradict, (a, verdict, validators[place], other, signature));
        attempt(address(market), stranger, call);
    }

    /// Money that is ready, and nonces.
    function account(bytes32 id, uint256 seed) private {
        address who = accounts[seed / 8 % accounts.length];
        uint256 kind = seed % 8;
        if (kind < 3) attempt(address(market), stranger, abi.encodeCall(market.collect, (id)));
        else if (kind < 5) attempt(address(market), stranger, abi.encodeCall(market.withdraw, (who)));
        else if (kind < 7) attempt(address(vault), stranger, abi.encodeCall(vault.withdraw, (who)));
        else attempt(address(market), who, abi.encodeCall(market.cancelNonce, (seed / 256 % 256)));
    }

    function stakes(uint256 seed) private {
        Permit memory none;
        address who = validators[seed / 8 % 3];
        uint256 kind = seed % 4;
        if (kind == 0) attempt(address(vault), who, abi.encodeCall(vault.startExit, (vault.free(who) / 3 + 1)));
        else if (kind == 1) attempt(address(vault), stranger, abi.encodeCall(vault.finishExits, (who)));
        else attempt(address(vault), who, abi.encodeCall(vault.deposit, (WORD, none)));
    }

    function register(uint256 seed) private {
        address peer = vm.addr(PEER_KEY + seed / 8 % 2);
        uint256 kind = seed % 4;
        if (kind == 0) {
            bytes memory signature = sign(PEER_KEY + seed / 8 % 2, nodes.registrationDigest(peer, partner));
            bytes memory call = abi.encodeCall(
                nodes.register, (peer, hot, uint8(seed / 16 % 3) + 1, bytes32(seed), "/ip4/127.0.0.1/tcp/1", signature)
            );
            attempt(address(nodes), partner, call);
        } else if (kind == 1) {
            attempt(address(nodes), partner, abi.encodeCall(nodes.remove, (peer)));
        } else if (kind == 2) {
            attempt(address(nodes), stranger, abi.encodeCall(nodes.record, (partner, 11)));
        } else {
            bytes32 set = datasets.digest(dataOwner, ROOT, 107);
            attempt(
                address(datasets),
                dataOwner,
                abi.encodeCall(datasets.change, (set, 1000, seed / 8 % 2 == 0 ? royalties : stranger))
            );
        }
    }

    /// Some time, or all that the job's state has, or what stake needs to leave.
    function pass(bytes32 id, uint256 seed) private {
        uint256 kind = seed % 64;
        if (kind == 0) vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
        else vm.warp(vm.getBlockTimestamp() + seed / 64 % 10 minutes);
        if (kind < 4 && vm.getBlockTimestamp() < market.jobOf(id).deadline) vm.warp(market.jobOf(id).deadline + 1);
        attempt(address(market), stranger, abi.encodeCall(market.advance, (id)));
    }
}
