// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketEvents as E} from "../src/market/interfaces/IMarketEvents.sol";
import {BatchView} from "../src/market/interfaces/ITrainingMarket.sol";
import {TrainingMarket} from "../src/market/TrainingMarket.sol";
import {Job, State, Terms, Verdict} from "../src/market/Types.sol";
import {Handler} from "./Handler.sol";
import {Test, Vm, vm} from "first/Vm.sol";

/// @notice Long walks of every party; then everything that jobs and batches are is rebuilt from the market's events alone.
contract EventsTest is Test {
    struct Known {
        address requester;
        address owner;
        State state;
        uint256 k;
        uint256 total;
        uint256 claimed;
        uint256 closed;
        uint256 settled;
        uint256 price;
    }

    struct KnownBatch {
        uint256 drawn;
        uint256 proven;
        uint256 challenged;
        uint256 taken;
        uint256 holders;
        uint256 until;
        uint256 windowUntil;
        uint256 drawBlock;
        bytes32 root;
        bytes32 claims;
        bool acknowledged;
        Verdict verdict;
        uint256 decideUntil;
    }

    bytes32[] private ids;
    mapping(bytes32 id => Known) private jobs;
    mapping(bytes32 id => mapping(uint256 batch => KnownBatch)) private batches;
    mapping(bytes32 id => mapping(uint256 index => bytes32)) private claims;
    mapping(address account => uint256) private owed;
    address[] private accounts;

    function test_everything_is_known_from_events() public {
        Handler handler = new Handler();
        address market = handler.marketAt();
        bytes4[] memory actions = handler.actions();
        vm.recordLogs();
        for (uint256 i = 0; i < 900; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("events", i)));
            (bool done,) = address(handler).call(abi.encodeWithSelector(actions[seed % actions.length], seed >> 8));
            yes(done, "a step");
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == market) read(logs[i]);
        }
        yes(ids.length > 5, "jobs");
        for (uint256 i = 0; i < ids.length; ++i) {
            compare(TrainingMarket(market), ids[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            eq(TrainingMarket(market).owed(accounts[i]), owed[accounts[i]], "owed");
        }
    }

    function read(Vm.Log memory l) private {
        bytes32 what = l.topics[0];
        if (what == E.Owed.selector) {
            return credit(address(uint160(uint256(l.topics[2]))), abi.decode(l.data, (uint256)));
        }
        if (what == E.Withdrawn.selector) {
            owed[address(uint160(uint256(l.topics[1])))] -= abi.decode(l.data, (uint256));
            return;
        }
        if (what == E.NonceSpent.selector) return;
        bytes32 id = l.topics[1];
        if (what == E.Opened.selector) return opened(id, l);
        Known storage job = jobs[id];
        if (what == E.Accepted.selector) {
            job.owner = address(uint160(uint256(l.topics[2])));
            (job.price,,) = abi.decode(l.data, (uint256, uint256, uint256));
            job.state = State.Assigned;
        } else if (what == E.HandedBack.selector) {
            (job.owner, job.price, job.state) = (address(0), 0, State.Open);
        } else if (what == E.Started.selector) {
            job.state = State.Running;
        } else if (what == E.Ended.selector) {
            job.state = State(uint256(l.topics[2]));
        } else if (what == E.Claimed.selector) {
            claimed(id, l.data);
        } else if (what == E.StopAsked.selector || what == E.LeaveAsked.selector) {
            (uint256 total,) = abi.decode(l.data, (uint256, uint256));
            cut(job, total);
        } else if (l.topics.length > 2) {
            inBatch(id, l);
        }
    }

    function credit(address account, uint256 amount) private {
        if (owed[account] == 0) accounts.push(account);
        owed[account] += amount;
    }

    function opened(bytes32 id, Vm.Log memory l) private {
        ids.push(id);
        (, Terms memory t,, uint256 reused,,,) =
            abi.decode(l.data, (uint256, Terms, uint256, uint256, uint32, uint32, uint256));
        Known storage job = jobs[id];
        job.requester = address(uint160(uint256(l.topics[2])));
        (job.state, job.total, job.k) = (State.Open, t.training.segments, t.batches.deliverEvery);
        owed[job.requester] -= reused;
    }

    function claimed(bytes32 id, bytes memory data) private {
        (uint256 from, bytes32[] memory lasts) = abi.decode(data, (uint256, bytes32[]));
        for (uint256 i = 0; i < lasts.length; ++i) {
            claims[id][from + i] = lasts[i];
        }
        jobs[id].claimed = from + lasts.length;
    }

    function cut(Known storage job, uint256 total) private {
        job.total = total;
        if (job.claimed > total) job.claimed = total;
        if (job.closed > total) job.closed = total;
    }

    function inBatch(bytes32 id, Vm.Log memory l) private {
        Known storage job = jobs[id];
        uint256 number = uint256(l.topics[2]);
        KnownBatch storage b = batches[id][number];
        if (l.topics[0] == E.Closed.selector) {
            (job.closed, b.root, b.claims, b.drawBlock) = abi.decode(l.data, (uint256, bytes32, bytes32, uint256));
        } else if (l.topics[0] == E.LateFixed.selector) {
            b.drawBlock = abi.decode(l.data, (uint256));
        } else if (l.topics[0] == E.Drawn.selector) {
            (, b.drawn, b.until, b.windowUntil) = abi.decode(l.data, (bytes32, uint256, uint256, uint256));
        } else if (l.topics[0] == E.Acknowledged.selector) {
            b.acknowledged = true;
        } else if (l.topics[0] == E.Complained.selector) {
            (b.verdict, b.decideUntil) = (Verdict.Pending, abi.decode(l.data, (uint256)));
        } else if (l.topics[0] == E.RootAdded.selector) {
            (,, b.decideUntil) = abi.decode(l.data, (uint256, bytes32, uint256));
        } else if (l.topics[0] == E.Decided.selector) {
            (b.verdict,) = abi.decode(l.data, (Verdict, uint256));
        } else if (l.topics[0] == E.Failed.selector) {
            cut(job, number * job.k);
        } else if (l.topics[0] == E.Settled.selector) {
            uint256 end = (number + 1) * job.k;
            job.settled = end < job.total ? end : job.total;
        } else {
            ofClaim(id, number, l);
        }
    }

    function ofClaim(bytes32 id, uint256 index, Vm.Log memory l) private {
        uint256 k = jobs[id].k;
        KnownBatch storage b = batches[id][index / k];
        uint256 bit = 1 << (index % k);
        if (l.topics[0] == E.Proved.selector) {
            b.proven |= bit;
            (, uint256 seat,,) = abi.decode(l.data, (bytes32, uint256, uint256, address));
            if (b.challenged & bit == 0) b.holders |= seat << (4 * (index % k));
        } else if (l.topics[0] == E.Challenged.selector) {
            b.challenged |= bit;
        } else if (l.topics[0] == E.Taken.selector) {
            b.taken |= bit;
        }
    }

    function compare(TrainingMarket market, bytes32 id) private view {
        Job memory got = market.jobOf(id);
        Known storage job = jobs[id];
        eq(uint256(got.state), uint256(job.state), "state");
        eq(got.owner, job.owner, "owner");
        eq(got.price, job.price, "price");
        eq(got.total, job.total, "total");
        eq(got.claimed, job.claimed, "claimed");
        eq(got.closed, job.closed, "closed");
        eq(got.settled, job.settled, "settled");
        for (uint256 i = 0; i * job.k < job.total; ++i) {
            BatchView memory v = market.batchOf(id, i);
            KnownBatch storage b = batches[id][i];
            eq(v.record.drawn, b.drawn, "drawn");
            eq(v.record.proven, b.proven, "proven");
            eq(v.record.challenged, b.challenged, "challenged");
            eq(v.record.taken, b.taken, "taken");
            eq(v.record.holders, b.holders, "holders");
            eq(v.record.until, b.until, "until");
            eq(v.record.windowUntil, b.windowUntil, "window");
            eq(v.record.drawBlock, b.drawBlock, "block");
            eq(v.record.root, b.root, "root");
            eq(v.record.claims, b.claims, "hash of the claims");
            yes(v.record.acknowledged == b.acknowledged, "acknowledged");
            eq(uint256(v.complaint.verdict), uint256(b.verdict), "verdict");
            eq(v.complaint.until, b.decideUntil, "complaint");
        }
        bytes32[] memory lasts = market.claimsOf(id, 0, job.total);
        for (uint256 i = 0; i < job.claimed; ++i) {
            eq(lasts[i], claims[id][i], "claim");
        }
    }
}
