// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketEvents as E} from "../../src/market/interfaces/IMarketEvents.sol";
import {IStakeVault as V} from "../../src/market/interfaces/IStakeVault.sol";
import {BatchView, ITrainingMarket} from "../../src/market/interfaces/ITrainingMarket.sol";
import {Batch, Challenge, Complaint, Job, Seat, State, Take, Terms, Verdict} from "../../src/market/Types.sol";
import {Handler} from "./Handler.sol";
import {Scene} from "./Scene.sol";
import {Test, Vm, vm} from "../Vm.sol";

/// @notice Rebuilds everything that market and vault hold from their events, and the times of the events' blocks, alone.
contract Rebuilt is Test {
    ITrainingMarket private market;
    V private vault;
    /// Time of the block of the event that is read.
    uint40 private now_;

    bytes32[] private ids;
    mapping(bytes32 id => Terms) private terms;
    mapping(bytes32 id => Job) private jobs;
    mapping(bytes32 id => address[]) private keys;
    mapping(bytes32 id => uint256) private backed;
    mapping(bytes32 id => mapping(uint256 batch => Batch)) private batches;
    mapping(bytes32 id => mapping(uint256 batch => Complaint)) private complaints;
    mapping(bytes32 id => mapping(uint256 number => Seat)) private seats;
    mapping(bytes32 id => mapping(uint256 index => Take)) private takes;
    mapping(bytes32 id => mapping(uint256 index => Challenge)) private challenges;
    mapping(bytes32 id => mapping(uint256 index => bytes32)) private claims;
    mapping(address account => uint256) private owed;
    mapping(address signer => mapping(uint256 nonce => bool)) private told;

    mapping(address owner => uint256) private free;
    mapping(address owner => uint256) private backing;
    mapping(address account => uint256) private vaultOwed;
    mapping(bytes32 bond => mapping(address owner => uint256)) private bonded;
    bytes32[] private bonds;
    address[] private bondOwners;

    mapping(address account => bool) private isKnown;
    address[] private accounts;

    constructor(address market_) {
        market = ITrainingMarket(market_);
        vault = market.vault();
    }

    /// Reads what was told in the present block.
    function readAll() external {
        now_ = uint40(vm.getBlockTimestamp());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(market)) read(logs[i]);
            if (logs[i].emitter == address(vault)) readVault(logs[i]);
        }
    }

    /// Compares it with what market and vault say; returns how many jobs there are.
    function compareAll() external view returns (uint256) {
        for (uint256 i = 0; i < ids.length; ++i) {
            compareJob(ids[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            eq(market.owed(account), owed[account], "owed");
            eq(vault.free(account), free[account], "free");
            eq(vault.backing(account), backing[account], "backing");
            eq(vault.owed(account), vaultOwed[account], "owed by the vault");
        }
        for (uint256 i = 0; i < bonds.length; ++i) {
            eq(vault.bonded(bonds[i], bondOwners[i]), bonded[bonds[i]][bondOwners[i]], "bonded");
        }
        return ids.length;
    }

    // Reading.

    function addressAt(Vm.Log memory l, uint256 topic) private returns (address account) {
        account = address(uint160(uint256(l.topics[topic])));
        if (!isKnown[account]) accounts.push(account);
        isKnown[account] = true;
    }

    function read(Vm.Log memory l) private {
        bytes32 what = l.topics[0];
        if (what == E.Owed.selector) {
            uint256 amount = abi.decode(l.data, (uint256));
            yes(amount > 0, "nothing is told of nothing");
            owed[addressAt(l, 2)] += amount;
        } else if (what == E.Withdrawn.selector) {
            owed[addressAt(l, 1)] -= abi.decode(l.data, (uint256));
        } else if (what == E.NonceSpent.selector) {
            // Forge tells the logs of refused calls as well: not each of these nonces is used.
            told[addressAt(l, 1)][abi.decode(l.data, (uint256))] = true;
        } else if (what == E.Opened.selector) {
            opened(l.topics[1], l);
        } else if (l.topics.length == 2 || what == E.Accepted.selector || what == E.HandedBack.selector) {
            ofJob(l.topics[1], jobs[l.topics[1]], l);
        } else if (what == E.Ended.selector || what == E.Licensed.selector || what == E.Contradicted.selector) {
            ofJob(l.topics[1], jobs[l.topics[1]], l);
        } else {
            ofBatch(l.topics[1], uint256(l.topics[2]), l);
        }
    }

    function opened(bytes32 id, Vm.Log memory l) private {
        ids.push(id);
        Job storage job = jobs[id];
        Terms memory t;
        uint256 nonce;
        uint256 escrow;
        uint256 reused;
        uint256 until;
        (nonce, t, escrow, reused, job.stepRows, job.steps, until) =
            abi.decode(l.data, (uint256, Terms, uint256, uint256, uint32, uint32, uint256));
        terms[id] = t;
        job.requester = addressAt(l, 2);
        (job.state, job.total, job.escrow) = (State.Open, uint16(t.training.segments), uint128(escrow));
        (job.openedAt, job.rampFrom, job.deadline) = (now_, now_, uint40(until));
        (job.secret, job.current) = (t.batches.tip, t.training.first);
        (job.verifier, job.chained) = (t.training.verifier, t.training.chained);
        if (t.training.rates.length == 1) job.rate = uint32(t.training.rates[0]);
        yes(told[job.requester][nonce], "its nonce");
        backed[id] = (1 << t.committee.members.length) - 1;
        owed[job.requester] -= reused;
    }

    function ofJob(bytes32 id, Job storage job, Vm.Log memory l) private {
        bytes32 what = l.topics[0];
        if (what == E.Licensed.selector) {
            licensed(job, l);
        } else if (what == E.Seated.selector) {
            keys[id] = abi.decode(l.data, (address[]));
        } else if (what == E.Accepted.selector) {
            accepted(job, l);
        } else if (what == E.HandedBack.selector) {
            handedBack(id, job, l);
        } else if (what == E.Started.selector) {
            (job.state, job.deadline, job.progressAt) = (State.Running, 0, now_);
            job.escrow -= uint128(abi.decode(l.data, (uint256))) + job.licenceFee;
        } else if (what == E.Claimed.selector) {
            claimed(id, job, l.data);
        } else if (what == E.StopAsked.selector) {
            stopped(id, job, l.data);
        } else if (what == E.LeaveAsked.selector) {
            (uint256 total,) = abi.decode(l.data, (uint256, uint256));
            job.left = true;
            if (job.closed < total) job.fullAt = now_;
            cut(job, total);
        } else if (what == E.Ended.selector) {
            (job.state, job.deadline, job.endedAt, job.escrow) = (State(uint256(l.topics[2])), 0, now_, 0);
        } else if (what == E.Contradicted.selector) {
            backed[id] &= ~(uint256(1) << placeOf(id, addressAt(l, 2)));
        } else if (what == E.Unbacked.selector) {
            backed[id] = 0;
        } else {
            revert("an event of the job");
        }
    }

    function licensed(Job storage job, Vm.Log memory l) private {
        uint256 fee;
        uint256 least;
        (fee, least, job.licensed) = abi.decode(l.data, (uint256, uint256, bytes32));
        (job.royaltyTo, job.licenceFee, job.minRoyalty) = (addressAt(l, 2), uint128(fee), uint128(least));
    }

    function accepted(Job storage job, Vm.Log memory l) private {
        (uint256 price, uint256 royalty, uint256 until) = abi.decode(l.data, (uint256, uint256, uint256));
        (job.state, job.owner) = (State.Assigned, addressAt(l, 2));
        (job.price, job.royalty, job.deadline) = (uint128(price), uint128(royalty), uint40(until));
    }

    function handedBack(bytes32 id, Job storage job, Vm.Log memory l) private {
        (uint256 burnt, uint256 from) = abi.decode(l.data, (uint256, uint256));
        job.rampFrom += now_ - (job.deadline - terms[id].times.startSecs);
        (job.state, job.owner, job.price, job.royalty) = (State.Open, address(0), 0, 0);
        (job.acceptFrom, job.deadline) = (uint40(from), job.openedAt + terms[id].times.openSecs);
        job.escrow -= uint128(burnt);
        job.handBacks += 1;
    }

    function claimed(bytes32 id, Job storage job, bytes memory data) private {
        (uint256 from, bytes32[] memory lasts) = abi.decode(data, (uint256, bytes32[]));
        for (uint256 i = 0; i < lasts.length; ++i) {
            claims[id][from + i] = lasts[i];
        }
        uint256 end = from + lasts.length;
        uint256 full = fullOf(id, job);
        if (job.claimed < full && end >= full) job.fullAt = now_;
        job.claimed = uint16(end);
    }

    function stopped(bytes32 id, Job storage job, bytes memory data) private {
        (uint256 total, uint256 fee) = abi.decode(data, (uint256, uint256));
        if (job.claimed < fullOf(id, job) && total == job.claimed) (job.fullAt, job.progressAt) = (now_, now_);
        job.stopped = true;
        job.escrow -= uint128(fee);
        cut(job, total);
    }

    function cut(Job storage job, uint256 total) private {
        job.total = uint16(total);
        if (job.claimed > total) job.claimed = uint16(total);
        if (job.closed > total) job.closed = uint16(total);
    }

    function fullOf(bytes32 id, Job storage job) private view returns (uint256 full) {
        full = uint256(job.closed) + terms[id].batches.deliverEvery;
        if (full > job.total) full = job.total;
    }

    function placeOf(bytes32 id, address member) private view returns (uint256 place) {
        while (terms[id].committee.members[place] != member) ++place;
    }

    function ofBatch(bytes32 id, uint256 number, Vm.Log memory l) private {
        bytes32 what = l.topics[0];
        Batch storage b = batches[id][number];
        if (what == E.Closed.selector) {
            closed(jobs[id], b, l.data);
        } else if (what == E.LateFixed.selector) {
            (b.drawBlock, b.lateAt) = (uint48(abi.decode(l.data, (uint256))), now_);
        } else if (what == E.Drawn.selector) {
            drawn(jobs[id], b, l.data);
        } else if (what == E.Revealed.selector) {
            (jobs[id].known, jobs[id].secret) = (uint16(number + 1), abi.decode(l.data, (bytes32)));
        } else if (what == E.Acknowledged.selector) {
            b.acknowledged = true;
        } else if (what == E.Failed.selector) {
            Job storage job = jobs[id];
            (, job.failedTo) = abi.decode(l.data, (uint256, address));
            (job.failed, job.failedAt) = (true, now_);
            cut(job, number * terms[id].batches.deliverEvery);
        } else if (what == E.Settled.selector) {
            settled(id, number, l.data);
        } else if (what == E.Joined.selector) {
            (uint256 pay,) = abi.decode(l.data, (uint256, uint256));
            seats[id][number] = Seat(addressAt(l, 3), 0, false, uint128(pay));
            jobs[id].seats = uint8(number);
        } else if (what == E.Quit.selector) {
            seats[id][number].gone = true;
        } else if (!ofComplaint(id, number, l)) {
            uint256 k = terms[id].batches.deliverEvery;
            // Below 64.
            ofClaim(id, number, l, batches[id][number / k], uint64(1 << (number % k)));
        }
    }

    function closed(Job storage job, Batch storage b, bytes memory data) private {
        (uint256 end, bytes32 root, bytes32 hash, uint256 drawBlock) =
            abi.decode(data, (uint256, bytes32, bytes32, uint256));
        (job.closed, job.progressAt, b.closedAt) = (uint16(end), now_, now_);
        (b.root, b.claims, b.drawBlock) = (root, hash, uint48(drawBlock));
    }

    function drawn(Job storage job, Batch storage b, bytes memory data) private {
        (, uint256 mask, uint256 until, uint256 windowUntil) = abi.decode(data, (bytes32, uint256, uint256, uint256));
        (b.known, b.drawn, b.until, b.windowUntil) = (true, uint64(mask), uint40(until), uint40(windowUntil));
        if (until != 0) job.queueUntil = uint40(until);
    }

    function settled(bytes32 id, uint256 number, bytes memory data) private {
        (Verdict verdict, uint256 amount,) = abi.decode(data, (Verdict, uint256, uint256));
        Job storage job = jobs[id];
        uint256 k = terms[id].batches.deliverEvery;
        if ((job.closed + k - 1) / k - (job.settled + k - 1) / k >= terms[id].batches.ahead) job.progressAt = now_;
        uint256 end = (number + 1) * k;
        if (end > job.total) end = job.total;
        job.settled = uint16(end);
        job.escrow -= uint128(amount);
        if (verdict > Verdict.Yes) return;
        job.paid += uint128(amount);
        job.current = terms[id].training.chained ? claims[id][end - 1] : batches[id][number].claims;
    }

    function ofComplaint(bytes32 id, uint256 number, Vm.Log memory l) private returns (bool) {
        bytes32 what = l.topics[0];
        Complaint storage c = complaints[id][number];
        if (what == E.Complained.selector) {
            (c.verdict, c.since, c.until) = (Verdict.Pending, now_, uint40(abi.decode(l.data, (uint256))));
            jobs[id].complaints += 1;
        } else if (what == E.RootAdded.selector) {
            (uint256 seat,, uint256 until) = abi.decode(l.data, (uint256, bytes32, uint256));
            (c.added, c.until) = (true, uint40(until));
            c.adders |= uint16(1 << seat);
        } else if (what == E.Attested.selector) {
            (, bool word,) = abi.decode(l.data, (bytes32, bool, bytes));
            uint16 bit = uint16(1 << placeOf(id, addressAt(l, 3)));
            if (word) c.yes |= bit;
            else c.no |= bit;
        } else if (what == E.Decided.selector) {
            uint256 fees;
            (c.verdict, fees) = abi.decode(l.data, (Verdict, uint256));
            c.fees = uint128(fees);
            // Of a void batch: the job has ended, and nobody decided.
            if (c.verdict == Verdict.None) return true;
            jobs[id].complaints -= 1;
            (jobs[id].progressAt, jobs[id].escrow) = (now_, jobs[id].escrow - c.fees);
        } else {
            return false;
        }
        return true;
    }

    function ofClaim(bytes32 id, uint256 index, Vm.Log memory l, Batch storage b, uint64 bit) private {
        bytes32 what = l.topics[0];
        if (what == E.Proved.selector) {
            b.proven |= bit;
            (, uint256 seat, uint256 burnt,) = abi.decode(l.data, (bytes32, uint256, uint256, address));
            if (burnt > 0) b.late = true;
            if (seat == 0) return;
            uint256 place = index % terms[id].batches.deliverEvery;
            if (b.challenged & bit == 0) b.holders |= seat << (4 * place);
            endTake(id, index);
        } else if (what == E.Challenged.selector) {
            b.challenged |= bit;
            uint256 until = abi.decode(l.data, (uint256));
            jobs[id].challengesUntil = uint40(until);
            challenges[id][index] = Challenge(addressAt(l, 3), uint40(until));
        } else if (what == E.Answered.selector) {
            delete challenges[id][index];
        } else if (what == E.Taken.selector) {
            (uint256 seat, uint256 until, uint256 fromBlock) = abi.decode(l.data, (uint256, uint256, uint256));
            takes[id][index] = Take(uint40(until), uint48(fromBlock), uint8(seat), false);
            seats[id][seat].open += 1;
            b.taken |= bit;
            if (isPromised(id, b, bit)) b.reserved += seats[id][seat].pay;
        } else if (what == E.Released.selector) {
            takes[id][index].released = true;
            b.reserved -= seats[id][takes[id][index].seat].pay;
        } else if (what == E.Untaken.selector) {
            untaken(id, index, b, bit);
        } else {
            revert("an event of a claim");
        }
    }

    /// What a take was promised is its batch's again if the claim is still paid for, and it was not released before.
    function untaken(bytes32 id, uint256 index, Batch storage b, uint64 bit) private {
        Take storage t = takes[id][index];
        bool isVoid = index >= jobs[id].total;
        bool isRefused = complaints[id][index / terms[id].batches.deliverEvery].verdict > Verdict.Yes;
        if (!isVoid && !isRefused && !t.released && isPromised(id, b, bit)) {
            b.reserved -= seats[id][t.seat].pay;
        }
        endTake(id, index);
    }

    function endTake(bytes32 id, uint256 index) private {
        seats[id][takes[id][index].seat].open -= 1;
        delete takes[id][index];
    }

    function isPromised(bytes32 id, Batch storage b, uint64 bit) private view returns (bool) {
        return terms[id].batches.tip != 0 && b.challenged & bit == 0;
    }

    // The vault.

    function readVault(Vm.Log memory l) private {
        bytes32 what = l.topics[0];
        if (what == V.Locked.selector) return locked(l.topics[1], addressAt(l, 2), abi.decode(l.data, (uint256)));
        if (what == V.Taken.selector) {
            bonded[l.topics[1]][addressAt(l, 2)] -= abi.decode(l.data, (uint256));
            return;
        }
        if (what == V.Released.selector) {
            uint256 amount = abi.decode(l.data, (uint256));
            bonded[l.topics[1]][addressAt(l, 2)] -= amount;
            free[addressAt(l, 2)] += amount;
            return;
        }
        address account = addressAt(l, 1);
        if (what == V.Deposited.selector) free[account] += abi.decode(l.data, (uint256));
        else if (what == V.Unstaked.selector) free[account] -= abi.decode(l.data, (uint256));
        else if (what == V.StakeTaken.selector) free[account] -= abi.decode(l.data, (uint256));
        else if (what == V.Backed.selector) backing[account] += abi.decode(l.data, (uint256));
        else if (what == V.Unbacked.selector) backing[account] -= abi.decode(l.data, (uint256));
        else if (what == V.Owed.selector) vaultOwed[account] += abi.decode(l.data, (uint256));
        else if (what == V.Withdrawn.selector) vaultOwed[account] -= abi.decode(l.data, (uint256));
        else revert("an event of the vault");
    }

    function locked(bytes32 bond, address owner, uint256 amount) private {
        bonds.push(bond);
        bondOwners.push(owner);
        bonded[bond][owner] += amount;
        free[owner] -= amount;
    }

    // Comparing.

    function compareJob(bytes32 id) private view {
        Job memory got = market.jobOf(id);
        Job memory job = jobs[id];
        // By name what a fault would be looked for in first, then every field.
        eq(uint256(got.state), uint256(job.state), "state");
        eq(got.total, job.total, "total");
        eq(got.escrow, job.escrow, "escrow");
        eq(got.progressAt, job.progressAt, "progress");
        eq(got.fullAt, job.fullAt, "full");
        eq(keccak256(abi.encode(got)), keccak256(abi.encode(job)), "job");
        eq(keccak256(abi.encode(market.termsOf(id))), keccak256(abi.encode(terms[id])), "terms");
        (address[] memory gotKeys, uint256 gotBacked) = market.committeeOf(id);
        eq(keccak256(abi.encode(gotKeys)), keccak256(abi.encode(keys[id])), "keys");
        eq(gotBacked, backed[id], "stake behind the job");
        for (uint256 i = 1; i <= job.seats; ++i) {
            eq(keccak256(abi.encode(market.seatOf(id, i))), keccak256(abi.encode(seats[id][i])), "seat");
        }
        uint256 segments = terms[id].training.segments;
        for (uint256 i = 0; i * terms[id].batches.deliverEvery < segments; ++i) {
            compareBatch(id, i);
        }
        bytes32[] memory lasts = market.claimsOf(id, 0, segments);
        for (uint256 i = 0; i < segments; ++i) {
            eq(lasts[i], claims[id][i], "claim");
            eq(keccak256(abi.encode(market.takeOf(id, i))), keccak256(abi.encode(takes[id][i])), "take");
            bytes32 challenge = keccak256(abi.encode(market.challengeOf(id, i)));
            eq(challenge, keccak256(abi.encode(challenges[id][i])), "challenge");
        }
    }

    function compareBatch(bytes32 id, uint256 number) private view {
        BatchView memory v = market.batchOf(id, number);
        Batch memory b = batches[id][number];
        eq(v.record.proven, b.proven, "proven");
        eq(v.record.holders, b.holders, "holders");
        eq(v.record.reserved, b.reserved, "reserved");
        eq(keccak256(abi.encode(v.record)), keccak256(abi.encode(b)), "batch");
        eq(keccak256(abi.encode(v.complaint)), keccak256(abi.encode(complaints[id][number])), "complaint");
    }
}

/// @notice What walks seldom do: takes in a batch with draws that lapse, are released, are too young, or refused; a complaint about a
/// batch that becomes void, a contradiction, a shortened batch that nobody closes.
contract Seldom is Scene {
    uint256 public constant STEPS = 16;

    bytes32 private id;
    uint256 private seat;
    uint256 private first;
    uint256 private second;

    constructor() {
        setUp();
    }

    function marketAt() external view returns (address) {
        return address(market);
    }

    /// One block each.
    function step(uint256 number) external {
        if (number == 0) start();
        if (number == 1 || number == 6) draw(number == 1 ? 0 : 1);
        if (number == 2) skipTo(market.takeOf(id, first).until + 1);
        if (number == 2) market.reclaim(id, first);
        if (number == 3) proveBoth();
        if (number == 4) settle(id);
        if (number == 5) fillAndClose(id);
        if (number == 7) prove(id, first);
        if (number == 8) skipTo(market.batchOf(id, 1).complaint.until - 1 hours);
        if (number == 8) refuse();
        if (number == 9) prove(id, second);
        if (number == 10) complainOfSecond();
        if (number == 11) failSecond();
        if (number == 12) leaveProven();
        if (number == 13) settle(id);
        if (number == 14) giveUp();
        if (number == 15) leaveVault();
    }

    function start() private {
        id = running(false);
        seat = join(id);
        fillAndClose(id);
    }

    function complainOfSecond() private {
        id = running(true);
        fillAndClose(id);
        fillAndClose(id);
        proveDue(id, 0);
        complain(id, 1);
    }

    function failSecond() private {
        skip(100 hours);
        market.fail(id, K);
        market.reclaimComplaint(id, 1);
        bytes memory yes_ = wordOf(id, 0, true, wordKey(1));
        market.contradict(id, 0, lastOf(K - 1), 1, yes_, wordOf(id, 0, false, wordKey(1)));
        market.settle(id);
    }

    /// One claim of the second batch is proven when the lead leaves, and nobody closes it.
    function leaveProven() private {
        id = running(true);
        fillAndClose(id);
        proveDue(id, 0);
        claim(id, 1);
        prove(id, K);
        vm.prank(provider);
        market.abandon(id);
    }

    function leaveVault() private {
        vm.prank(challenger);
        vault.unstake(5);
        eq(vault.withdraw(challenger), 5, "at once");
        market.withdraw(requester);
    }

    function giveUp() private {
        skipTo(market.closableAfter(id) + 1 days + 1);
        market.abandon(id);
        isState(id, State.Left);
    }

    function draw(uint256 batch) private {
        reveal(id, batch);
        first = drawnIn(id, batch);
        second = first + 1;
        while (market.batchOf(id, batch).record.drawn >> (second - batch * K) & 1 == 0) ++second;
        take(id, first, seat);
        take(id, second, seat);
        eq(market.batchOf(id, batch).record.reserved, 2 * SEAT_PAY, "reserved");
        if (batch == 1) complain(id, 1);
    }

    function proveBoth() private {
        prove(id, first);
        prove(id, second);
        eq(market.batchOf(id, 0).record.reserved, 0, "given back");
    }

    function refuse() private {
        attest(id, 1, false, 0);
        attest(id, 1, false, 1);
    }
}

contract EventsTest is Test {
    /// Long walks of every party.
    function test_everything_is_known_from_events() public {
        for (uint256 number = 0; number < 4; ++number) {
            vm.recordLogs();
            Handler handler = new Handler();
            Rebuilt rebuilt = new Rebuilt(handler.marketAt());
            bytes4[] memory actions = handler.actions();
            for (uint256 i = 0; i < 900; ++i) {
                uint256 seed = uint256(keccak256(abi.encode("events", number, i)));
                (bool done,) = address(handler).call(abi.encodeWithSelector(actions[seed % actions.length], seed >> 8));
                yes(done, "a step");
                rebuilt.readAll();
            }
            yes(rebuilt.compareAll() > 5, "jobs");
        }
    }

    function test_what_is_seldom_is_known_from_events() public {
        vm.recordLogs();
        Seldom seldom = new Seldom();
        Rebuilt rebuilt = new Rebuilt(seldom.marketAt());
        for (uint256 i = 0; i < seldom.STEPS(); ++i) {
            seldom.step(i);
            rebuilt.readAll();
            yes(rebuilt.compareAll() > 0, "after each step");
        }
    }
}
