// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Cut} from "../../src/market/Cut.sol";
import {BatchView} from "../../src/market/interfaces/ITrainingMarket.sol";
import {BatchState, Complaint, Job, Licence, SeatOffer, State, Terms, Verdict} from "../../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Every party of up to 24 jobs, four at a time, a donor, a griefer and time. Each action does what can be done, or nothing; what
/// must hold of a step is checked beside it.
contract Handler is Scene {
    uint256 private constant JOBS = 24;
    uint256 private constant LIVE = 4;

    /// How often each action changed something, each end came, and each verdict.
    mapping(bytes4 action => uint256) public reached;
    mapping(State state => uint256) public ended;
    mapping(Verdict verdict => uint256) public decided;
    mapping(BatchState state => uint256) public seen;
    uint256 public late;
    uint256 public lapsed;
    uint256 public griefed;
    mapping(bytes32 job => bytes32) private atEnd;
    mapping(bytes32 job => uint256) private leastTotal;
    uint256 private memberPaid;
    uint256 private memberWithdrawn;
    uint256 private donatedMarket;
    uint256 private donatedVault;
    bytes32 private dataset;

    constructor() {
        setUp();
    }

    /// How often the walk came by: each action, each end, each verdict of a batch that was settled, each state of a batch, and a late
    /// proof, a take that lapsed, a call of the griefer.
    function coverage() external view returns (uint256[] memory all) {
        bytes4[] memory every = actions();
        all = new uint256[](every.length + 18);
        for (uint256 i = 0; i < every.length; ++i) {
            all[i] = reached[every[i]];
        }
        uint256 n = every.length;
        for (uint256 i = 0; i < 5; ++i) {
            all[n++] = ended[State(uint256(State.Cancelled) + i)];
        }
        all[n++] = decided[Verdict.None];
        all[n++] = decided[Verdict.Yes];
        all[n++] = decided[Verdict.No];
        all[n++] = decided[Verdict.Nothing];
        for (uint256 i = 0; i < 6; ++i) {
            all[n++] = seen[BatchState(i)];
        }
        (all[n], all[n + 1], all[n + 2]) = (late, lapsed, griefed);
    }

    function marketAt() external view returns (address) {
        return address(market);
    }

    function actions() public pure returns (bytes4[] memory all) {
        all = new bytes4[](26);
        all[0] = this.doOpen.selector;
        all[1] = this.doAccept.selector;
        all[2] = this.doDecline.selector;
        all[3] = this.doStart.selector;
        all[4] = this.doClaim.selector;
        all[5] = this.doClaimProven.selector;
        all[6] = this.doClose.selector;
        all[7] = this.doReveal.selector;
        all[8] = this.doFixLate.selector;
        all[9] = this.doDrawLate.selector;
        all[10] = this.doProve.selector;
        all[11] = this.doChallenge.selector;
        all[12] = this.doFail.selector;
        all[13] = this.doJoin.selector;
        all[14] = this.doTake.selector;
        all[15] = this.doQuit.selector;
        all[16] = this.doAcknowledge.selector;
        all[17] = this.doComplain.selector;
        all[18] = this.doAddRoot.selector;
        all[19] = this.doAttest.selector;
        all[20] = this.doLapse.selector;
        all[21] = this.doSettle.selector;
        all[22] = this.doStop.selector;
        all[23] = this.doAbandon.selector;
        all[24] = this.doFree.selector;
        all[25] = this.doPass.selector;
    }

    // Steps.

    /// A call that may be refused, for a reason that the interfaces name: never by a panic.
    function act(bytes32 id, address who, bytes memory call) private returns (bool done) {
        Job memory was = market.jobOf(id);
        bytes32 before = batchesBefore(id, was.settled);
        uint256 bond = vault.bonded(id, was.owner);
        bytes memory got;
        vm.prank(who);
        (done, got) = address(market).call(call);
        if (!done) {
            yes(got.length >= 4 && bytes4(got) != 0x4e487b71 && bytes4(got) != 0x08c379a0, "no panic");
            return false;
        }
        ++reached[msg.sig];
        Job memory job = market.jobOf(id);
        eq(batchesBefore(id, was.settled), before, "what is settled does not change");
        if (atEnd[id] != 0) eq(keccak256(abi.encode(job)), atEnd[id], "an ended job never changes");
        keepPay(id, was, job);
        bool decides = bytes4(call) == market.attest.selector || bytes4(call) == market.lapse.selector
            || bytes4(call) == market.acknowledge.selector || bytes4(call) == market.complain.selector;
        if (decides && job.state == State.Running) eq(vault.bonded(id, was.owner), bond, "no complaint takes a bond");
        if (job.state >= State.Cancelled && atEnd[id] == 0) {
            atEnd[id] = keccak256(abi.encode(job));
            ++ended[job.state];
            eq(job.escrow, 0, "nothing stays");
            eq(vault.bonded(id, job.owner), 0, "no bond stays");
        }
    }

    /// The records of the batches that are settled.
    function batchesBefore(bytes32 id, uint256 settled) private view returns (bytes32 all) {
        uint256 k = market.termsOf(id).batches.deliverEvery;
        for (uint256 i = 0; i * k < settled; ++i) {
            BatchView memory v = market.batchOf(id, i);
            all = keccak256(abi.encode(all, v.record, v.complaint));
        }
    }

    /// Each batch that was settled in a step: nothing due is unproven, and pay follows the holder.
    function keepPay(bytes32 id, Job memory was, Job memory job) private {
        if (job.settled == was.settled) return;
        uint256 k = market.termsOf(id).batches.deliverEvery;
        for (uint256 from = was.settled; from < job.settled; from += k) {
            BatchView memory v = market.batchOf(id, from / k);
            yes(v.record.known && v.due == 0, "nothing is paid without what is due");
            ++decided[v.complaint.verdict];
            if (v.complaint.verdict > Verdict.Yes) continue;
            for (uint256 i = 0; i < v.end - v.from; ++i) {
                uint256 holder = v.record.holders >> (4 * i) & 15;
                if (holder != 0) memberPaid += market.seatOf(id, holder).pay;
            }
        }
    }

    function pick(uint256 seed, State state) private view returns (bytes32 id) {
        for (uint256 i = 0; i < ids.length; ++i) {
            id = ids[(seed % ids.length + i) % ids.length];
            if (market.jobOf(id).state == state) return id;
        }
        return 0;
    }

    /// A running job, and one of its batches that is closed and not settled.
    function pickBatch(uint256 seed) private view returns (bytes32 id, uint256 batch, bool found) {
        for (uint256 i = 0; i < ids.length; ++i) {
            id = ids[(seed % ids.length + i) % ids.length];
            Job memory job = market.jobOf(id);
            if (job.state != State.Running || job.settled == job.closed) continue;
            uint256 k = market.termsOf(id).batches.deliverEvery;
            uint256 first = job.settled / k;
            return (id, first + (seed >> 16) % ((job.closed - job.settled + k - 1) / k), true);
        }
    }

    function doOpen(uint256 seed) external {
        uint256 live = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (market.jobOf(ids[i]).state < State.Cancelled) ++live;
        }
        if (ids.length == JOBS || live == LIVE) return;
        Terms memory t = terms(seed % 2 == 0, seed % 8 < 6);
        if (seed / 8 % 2 == 0) t.batches.ahead = 1;
        if (seed / 16 % 3 == 0) t.training.segments = uint32(K + seed / 64 % 6);
        if (seed / 256 % 4 == 0) t.training.chained = false;
        if (seed / 1024 % 3 == 0) (t.price.start, t.price.rampSecs) = (PRICE / 2, 12 hours);
        Licence memory licence;
        if (seed / 4096 % 3 == 0) licence = licenceFor(t);
        bytes32 id = open(t, licence);
        leastTotal[id] = market.jobOf(id).total;
        ++reached[msg.sig];
    }

    /// A licence of the one set that is registered.
    function licenceFor(Terms memory t) private returns (Licence memory licence) {
        if (dataset == 0) {
            vm.prank(dataOwner);
            dataset = datasets.register(DATA, t.training.rows, 1000, royalties);
        }
        (t.training.dataset, t.training.royaltyBps) = (dataset, 1000);
        (licence.fee, licence.minRoyalty, licence.mostSegments) = (PRICE / 4, 1, SEGMENTS);
        (licence.nonce, licence.expiry) = (++nonce, vm.getBlockTimestamp());
        signLicence(t, licence);
    }

    function doAccept(uint256 seed) external {
        bytes32 id = pick(seed, State.Open);
        if (id != 0) act(id, provider, abi.encodeCall(market.accept, (id, 0, noPaths())));
    }

    function doDecline(uint256 seed) external {
        bytes32 id = pick(seed, State.Assigned);
        if (id != 0 && seed % 16 == 0) act(id, hot, abi.encodeCall(market.decline, (id)));
        id = pick(seed, State.Open);
        if (id != 0 && seed % 32 == 1) act(id, requester, abi.encodeCall(market.cancel, (id)));
    }

    function doStart(uint256 seed) external {
        bytes32 id = pick(seed, State.Assigned);
        if (id != 0) act(id, provider, abi.encodeCall(market.start, (id)));
    }

    function doClaim(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        Job memory job = market.jobOf(id);
        if (job.claimed == job.total) return;
        uint256 count = (seed >> 8) % (job.total - job.claimed) + 1;
        bytes32[] memory lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bool wrong = uint256(keccak256(abi.encode(seed, i))) % 40 == 0;
            lasts[i] = wrong ? falseOf(job.claimed + i) : lastOf(job.claimed + i);
        }
        act(id, provider, abi.encodeCall(market.claim, (id, job.claimed, lasts)));
    }

    function doClaimProven(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        Job memory job = market.jobOf(id);
        if (job.claimed == job.total) return;
        bytes memory p = proof(id, job.claimed, lastOf(job.claimed));
        act(id, provider, abi.encodeCall(market.claimProven, (id, job.claimed, p)));
    }

    function doClose(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        Job memory job = market.jobOf(id);
        uint256 batch = job.closed / market.termsOf(id).batches.deliverEvery;
        uint256 seat = (seed >> 8) % 3 == 0 ? job.seats : 0;
        act(id, seat == 0 ? provider : partner, abi.encodeCall(market.close, (id, batch, ROOT, seat)));
    }

    function doReveal(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found || market.termsOf(id).batches.tip == 0) return;
        pass(16);
        act(id, stranger, abi.encodeCall(market.reveal, (id, batch, secretOf(id, batch))));
    }

    function doFixLate(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found) return;
        act(id, seed % 2 == 0 ? provider : stranger, abi.encodeCall(market.fixLate, (id, batch, 0)));
    }

    function doDrawLate(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found) return;
        pass(9);
        act(id, stranger, abi.encodeCall(market.drawLate, (id, batch)));
    }

    function doProve(uint256 seed) external {
        (bytes32 some, uint256 batch, bool found) = pickBatch(seed);
        // Late, at times.
        if (found && seed % 8 == 0 && market.batchOf(some, batch).due != 0) {
            skipTo(market.batchOf(some, batch).record.until + 1 hours);
        }
        for (uint256 n = 0; n <= (seed >> 8) % 4; ++n) {
            bytes32 id = pick(seed, State.Running);
            if (id == 0) return;
            Job memory job = market.jobOf(id);
            for (uint256 i = job.settled; i < job.claimed; ++i) {
                if (market.claimsOf(id, i, 1)[0] != lastOf(i)) continue;
                uint256 bond = vault.bonded(id, provider);
                uint256 free = vault.owed(provider);
                bytes memory p = proof(id, i, lastOf(i));
                if (!act(id, stranger, abi.encodeCall(market.prove, (id, i, p)))) continue;
                if (market.jobOf(id).state == State.Running) {
                    if (vault.bonded(id, provider) < bond) ++late;
                    if (vault.owed(provider) > free) ++lapsed;
                }
                break;
            }
        }
    }

    function doChallenge(uint256 seed) external {
        for (uint256 n = 0; n < ids.length; ++n) {
            (bytes32 id, uint256 batch, bool found) = pickBatch((seed >> 8) + n);
            if (!found || market.termsOf(id).batches.tip == 0) continue;
            BatchView memory v = market.batchOf(id, batch);
            if (v.state == BatchState.Drawing) {
                vm.prank(stranger);
                try market.reveal(id, batch, secretOf(id, batch)) {} catch {}
            }
            for (uint256 i = v.from; i < v.end; ++i) {
                bytes32 last = market.claimsOf(id, i, 1)[0];
                // A false claim is found by whoever trains again; others bait now and then.
                if (last == lastOf(i) && seed % 4 != 0) continue;
                if (act(id, challenger, abi.encodeCall(market.challenge, (id, i, last)))) return;
            }
        }
    }

    function doFail(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found) return;
        BatchView memory v = market.batchOf(id, batch);
        for (uint256 i = v.from; i < v.end; ++i) {
            if (v.due >> (i - v.from) & 1 == 0) continue;
            Job memory was = market.jobOf(id);
            uint256 had = worth(provider, id);
            if (!act(id, stranger, abi.encodeCall(market.fail, (id, i)))) continue;
            Job memory job = market.jobOf(id);
            eq(job.settled, was.settled, "a failed batch takes nothing from those before it");
            eq(job.total, v.from, "and ends the job before it");
            yes(worth(provider, id) <= had, "an unmet deadline pays nobody who caused it");
            return;
        }
    }

    function doJoin(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0 || market.jobOf(id).seats == 15) return;
        SeatOffer memory offer = seatFor(id, partner, uint128((seed >> 8) % SEAT_PAY));
        if (market.jobOf(id).price < offer.pay) return;
        act(id, partner, abi.encodeCall(market.join, (id, offer, noPaths())));
    }

    function doTake(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        Job memory job = market.jobOf(id);
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            bytes32 last = market.claimsOf(id, i, 1)[0];
            if (act(id, partner, abi.encodeCall(market.take, (id, i, last, job.seats)))) {
                if (seed % 2 == 0) pass(16);
                return;
            }
        }
    }

    function doQuit(uint256 seed) external {
        if (ids.length == 0 || seed % 4 != 0) return;
        bytes32 id = ids[seed / 4 % ids.length];
        uint256 seats = market.jobOf(id).seats;
        if (seats == 0) return;
        act(id, partner, abi.encodeCall(market.quit, (id, seed / 256 % seats + 1)));
    }

    function doAcknowledge(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found || seed % 2 == 0) return;
        bytes32 last = market.batchOf(id, batch).last;
        act(id, requesterHot, abi.encodeCall(market.acknowledge, (id, batch, last, ROOT)));
    }

    function doComplain(uint256 seed) external {
        (bytes32 id, uint256 batch, bool found) = pickBatch(seed);
        if (!found) return;
        BatchView memory v = market.batchOf(id, batch);
        // About what is proven, at times.
        for (uint256 i = v.from; i < v.end && seed % 4 != 0; ++i) {
            act(id, stranger, abi.encodeCall(market.prove, (id, i, proof(id, i, lastOf(i)))));
        }
        if (market.jobOf(id).settled > v.from) return;
        act(id, requester, abi.encodeCall(market.complain, (id, batch, v.last, ROOT)));
    }

    function doAddRoot(uint256 seed) external {
        (bytes32 id, uint256 batch) = disputed(seed);
        if (id == 0) return;
        act(id, provider, abi.encodeCall(market.addRoot, (id, batch, bytes32(seed), 0)));
    }

    function doAttest(uint256 seed) external {
        (bytes32 id, uint256 batch) = disputed(seed);
        if (id == 0) return;
        if (seed / 4 % 2 == 0) skipTo(market.batchOf(id, batch).complaint.until - 1 hours);
        bytes32 last = market.batchOf(id, batch).last;
        bytes memory signature;
        uint256 place = (seed >> 8) % 3;
        bool word;
        for (uint256 i = 0; i < 2; ++i) {
            // The committee is of one mind, mostly.
            word = (uint256(keccak256(abi.encode(id, batch))) % 3 == 0) != (seed % 8 == i);
            signature = wordOf(id, batch, word, wordKey((place + i) % 3));
            act(id, stranger, abi.encodeCall(market.attest, (id, batch, word, (place + i) % 3, signature)));
        }
        place = (place + 1) % 3;
        // A member that is bribed signs both, at times.
        if (seed % 64 != 9) return;
        bytes memory other = wordOf(id, batch, !word, validatorKeys[place]);
        bytes memory call = abi.encodeCall(
            market.contradict, (id, uint32(batch), last, place, word ? signature : other, word ? other : signature)
        );
        act(id, stranger, call);
    }

    function doLapse(uint256 seed) external {
        (bytes32 id, uint256 batch) = disputed(seed);
        if (id == 0) return;
        if (seed % 4 == 0) skipTo(market.batchOf(id, batch).complaint.until + 1);
        act(id, stranger, abi.encodeCall(market.lapse, (id, batch)));
    }

    function disputed(uint256 seed) private view returns (bytes32, uint256) {
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[(seed % ids.length + i) % ids.length];
            Job memory job = market.jobOf(id);
            if (job.state != State.Running || job.complaints == 0) continue;
            uint256 k = market.termsOf(id).batches.deliverEvery;
            for (uint256 batch = job.settled / k; batch * k < job.closed; ++batch) {
                if (market.batchOf(id, batch).state == BatchState.Disputed) return (id, batch);
            }
        }
        return (0, 0);
    }

    function doSettle(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        Job memory job = market.jobOf(id);
        if (job.settled == job.closed) return;
        if (seed % 3 == 0) {
            skipTo(market.batchOf(id, job.settled / market.termsOf(id).batches.deliverEvery).paidAfter + 1);
        }
        act(id, stranger, abi.encodeCall(market.settle, (id)));
    }

    function doStop(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0 || seed % 16 != 0) return;
        act(id, requester, abi.encodeCall(market.stop, (id, (seed >> 8) % SEGMENTS)));
    }

    function doAbandon(uint256 seed) external {
        bytes32 id = pick(seed, State.Running);
        if (id == 0) return;
        act(id, seed % 48 == 0 ? provider : stranger, abi.encodeCall(market.abandon, (id)));
    }

    /// Frees bonds and stake, pays out, gives gifts.
    function doFree(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = ids[seed % ids.length];
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            act(id, stranger, abi.encodeCall(market.reclaim, (id, i)));
            act(id, stranger, abi.encodeCall(market.reclaimComplaint, (id, i)));
        }
        act(id, stranger, abi.encodeCall(market.unback, (id)));
        address[5] memory whom = [requester, provider, partner, challenger, royalties];
        address who = whom[seed / 64 % 5];
        if (who == partner) memberWithdrawn += market.owed(partner);
        act(id, stranger, abi.encodeCall(market.withdraw, (who)));
        if (seed % 16 == 0) {
            (donatedMarket, donatedVault) = (donatedMarket + 7, donatedVault + 11);
            yes(token.transfer(address(market), 7) && token.transfer(address(vault), 11), "gifts");
        }
        grief(seed, id);
    }

    /// Somebody calls something about a job, with whatever numbers.
    function grief(uint256 seed, bytes32 id) private {
        bytes4[12] memory all = [
            market.reclaim.selector,
            market.close.selector,
            market.reveal.selector,
            market.fixLate.selector,
            market.drawLate.selector,
            market.take.selector,
            market.challenge.selector,
            market.fail.selector,
            market.stop.selector,
            market.addRoot.selector,
            market.acknowledge.selector,
            market.quit.selector
        ];
        bytes4 what = all[seed / 1024 % 12];
        address who = accounts[seed / 65_536 % accounts.length];
        if (who == requester || who == provider || who == requesterHot || who == hot) who = stranger;
        bytes memory call =
            abi.encodePacked(what, id, abi.encode((seed >> 32) % 12, (seed >> 40) % 5, (seed >> 48) % 4));
        ++griefed;
        act(id, who, call);
    }

    function doPass(uint256 seed) external {
        ++reached[msg.sig];
        skip(seed % 8 == 0 ? (seed >> 8) % 3 days : (seed >> 8) % 4 hours);
    }

    // What must hold.

    function checkBooks() external {
        uint256 here = vm.snapshotState();
        take_(address(market), donatedMarket);
        take_(address(vault), donatedVault);
        solvent();
        vm.revertToState(here);
    }

    function take_(address from, uint256 amount) private {
        vm.prank(from);
        yes(token.transfer(address(0xdddd), amount), "gift taken out");
    }

    function checkJobs() external {
        for (uint256 n = 0; n < ids.length; ++n) {
            bytes32 id = ids[n];
            Job memory job = market.jobOf(id);
            yes(job.settled <= job.closed && job.closed <= job.claimed && job.claimed <= job.total, "order");
            yes(job.total <= leastTotal[id], "the total never grows");
            leastTotal[id] = job.total;
            yes(job.paid <= uint256(job.price) * job.settled, "paid for what is settled");
            if (job.state == State.Running) {
                uint256 left = job.total - job.settled;
                yes(job.escrow >= left * job.price - feesOf(id), "the escrow covers what is left");
            }
            uint256 k = market.termsOf(id).batches.deliverEvery;
            for (uint256 batch = 0; batch * k < SEGMENTS; ++batch) {
                BatchView memory v = market.batchOf(id, batch);
                ++seen[v.state];
                yes(v.record.holders == 0 || v.record.proven != 0, "holders proved");
            }
        }
    }

    /// Fees that were paid from batches which are not settled.
    function feesOf(bytes32 id) private view returns (uint256 fees) {
        Job memory job = market.jobOf(id);
        uint256 k = market.termsOf(id).batches.deliverEvery;
        for (uint256 batch = job.settled / k; batch * k < job.closed; ++batch) {
            fees += market.batchOf(id, batch).complaint.fees;
        }
    }

    /// Members are paid for what they hold in paid batches, and for nothing else.
    function checkMembers() external view {
        eq(market.owed(partner) + memberWithdrawn, memberPaid, "pay follows the holder");
    }

    function checkStakes() external view {
        for (uint256 i = 0; i < validators.length; ++i) {
            yes(vault.free(validators[i]) >= vault.backing(validators[i]), "stake behind jobs");
            uint256 backed = 0;
            for (uint256 n = 0; n < ids.length; ++n) {
                (, uint256 places) = market.committeeOf(ids[n]);
                if (places >> i & 1 == 1) backed += STAKE;
            }
            eq(vault.backing(validators[i]), backed, "added up over jobs");
        }
    }

    function checkCounters() external view {
        for (uint256 state = uint256(State.Cancelled); state <= uint256(State.Slashed); ++state) {
            // forge-lint: disable-next-line(unsafe-typecast)
            eq(nodes.outcomes(address(market), requester, uint8(state) | 0x80), ended[State(state)], "counted");
        }
    }

    /// From here, time and a stranger's calls end every job; they are those that the market says are ready.
    function checkEnds() external {
        uint256 here = vm.snapshotState();
        for (uint256 n = 0; n < ids.length; ++n) {
            bytes32 id = ids[n];
            for (uint256 i = 0; market.jobOf(id).state < State.Cancelled; ++i) {
                yes(i < 60, "no way out");
                if (i > 0) skip(4 days);
                while (push(id)) {}
            }
            eq(market.readyOf(id).length, 0, "nothing behind the end");
        }
        vm.revertToState(here);
    }

    /// Does the first thing that is ready; each other one could be done as well.
    function push(bytes32 id) private returns (bool) {
        bytes[] memory ready = market.readyOf(id);
        if (ready.length == 0) return false;
        for (uint256 i = ready.length; i > 1; --i) {
            uint256 here = vm.snapshotState();
            yes(anyone(ready[i - 1]), "ready");
            vm.revertToState(here);
        }
        yes(anyone(ready[0]), "ready");
        pass(9);
        return true;
    }

    function anyone(bytes memory call) private returns (bool done) {
        vm.prank(stranger);
        (done,) = address(market).call(call);
    }
}
