// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketEvents as M} from "../../src/interfaces/IMarketEvents.sol";
import {Assurance, Claim, Job, Member, State, Task, Terms} from "../../src/market/Types.sol";
import {Test, Vm, vm} from "../Vm.sol";

/// @notice What the market's events say of jobs, claims, votes and accounts.
abstract contract IndexedJobs is Test {
    /// The data of `Opened`.
    struct Posted {
        uint256 nonce;
        Terms terms;
        uint256 escrow;
        uint256 reused;
        uint256 fees;
        address royaltyTo;
        uint32 batch;
        uint32 steps;
        uint256 until;
    }

    bytes32[] internal ids;
    mapping(bytes32 id => Job) internal jobs;
    mapping(bytes32 id => Terms) internal terms;
    mapping(bytes32 id => Member[]) internal teams;
    mapping(bytes32 id => mapping(uint256 index => Claim)) internal claims;
    mapping(bytes32 id => mapping(uint256 index => bool)) internal drawn;
    /// The last count of a question.
    mapping(bytes32 question => uint256 until) private counts;
    mapping(bytes32 question => mapping(uint256 until => mapping(bytes32 verdict => uint256))) private votes;
    mapping(address account => uint256) internal owed;
    mapping(address signer => mapping(uint256 nonce => bool)) internal spent;
    /// What members lost for contradictions.
    mapping(address validator => uint256) internal contradicted;

    function onMarket(Vm.Log memory log) internal returns (bool) {
        return onAccount(log) || onOpening(log) || onRunning(log) || onDraw(log) || onChallenge(log) || onWord(log)
            || onDelivery(log);
    }

    function known(Vm.Log memory log) private view returns (bytes32 id, Job storage job) {
        id = log.topics[1];
        job = jobs[id];
        yes(job.state != State.None, "an event of a job that was not opened");
    }

    function account(bytes32 topic) internal pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function onAccount(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.Owed.selector) owed[account(log.topics[2])] += abi.decode(log.data, (uint256));
        else if (topic == M.Withdrawn.selector) owed[account(log.topics[1])] -= abi.decode(log.data, (uint256));
        else if (topic == M.NonceSpent.selector) spent[account(log.topics[1])][abi.decode(log.data, (uint256))] = true;
        else return false;
        return true;
    }

    function onOpening(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.Opened.selector) {
            // The fields of an event are those of a struct, less the word that says where it begins.
            onOpened(log, abi.decode(bytes.concat(bytes32(uint256(32)), log.data), (Posted)));
        } else if (topic == M.Accepted.selector) {
            (bytes32 id, Job storage job) = known(log);
            Member[] memory team;
            uint256 until;
            (job.price, team, until) = abi.decode(log.data, (uint128, Member[], uint256));
            (job.state, job.owner, job.deadline) = (State.Assigned, account(log.topics[2]), uint40(until));
            for (uint256 i = 0; i < team.length; ++i) {
                teams[id].push(team[i]);
            }
        } else if (topic == M.HandedBack.selector) {
            (bytes32 id, Job storage job) = known(log);
            eq(account(log.topics[2]), job.owner, "who hands back");
            (, uint256 until) = abi.decode(log.data, (bool, uint256));
            delete teams[id];
            // The price stood still; how long says the block of the event.
            uint256 since = job.deadline - terms[id].times.startSecs;
            job.rampFrom += uint40(vm.getBlockTimestamp() - since);
            job.acceptFrom = uint64(vm.getBlockNumber() + 2);
            (job.state, job.owner, job.price, job.deadline) = (State.Open, address(0), 0, uint40(until));
        } else if (topic == M.Started.selector) {
            to(log, State.Running);
        } else {
            return false;
        }
        return true;
    }

    function onOpened(Vm.Log memory log, Posted memory posted) private {
        bytes32 id = log.topics[1];
        Job storage job = jobs[id];
        yes(job.state == State.None, "opened once");
        ids.push(id);
        terms[id] = posted.terms;
        job.requester = account(log.topics[2]);
        job.state = State.Open;
        job.openedAt = uint40(posted.until - posted.terms.times.openSecs);
        (job.rampFrom, job.deadline) = (job.openedAt, uint40(posted.until));
        job.total = uint16(posted.terms.training.segments);
        (job.batch, job.steps, job.royaltyTo) = (posted.batch, posted.steps, posted.royaltyTo);
        (job.escrow, job.fees) = (uint128(posted.escrow), uint128(posted.fees));
        job.current = posted.terms.training.first;
        owed[job.requester] -= posted.reused;
        yes(spent[job.requester][posted.nonce], "the nonce is spent");
    }

    /// A step into another state, until then.
    function to(Vm.Log memory log, State state) private {
        (, Job storage job) = known(log);
        (job.state, job.deadline) = (state, uint40(abi.decode(log.data, (uint256))));
    }

    function onRunning(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.Claimed.selector) {
            (bytes32 id, Job storage job) = known(log);
            uint256 index = uint256(log.topics[2]);
            eq(index, job.claimed, "claims in order");
            bytes32 last = abi.decode(log.data, (bytes32));
            claims[id][index].last = last;
            job.claims = keccak256(abi.encode(job.claims, last));
            ++job.claimed;
        } else if (topic == M.Proved.selector) {
            (bytes32 id, Job storage job) = known(log);
            // Where the proof says where the segment ends, it is the claim.
            if (terms[id].checks.level == Assurance.Proven) ++job.claimed;
            else claims[id][uint256(log.topics[2])].proven = true;
            if (job.state == State.Proving) --job.due;
        } else if (topic == M.Settled.selector) {
            onSettled(log);
        } else {
            return false;
        }
        return true;
    }

    function onSettled(Vm.Log memory log) private {
        (, Job storage job) = known(log);
        (uint256 from, uint256 count, bytes32 current, uint128 earned, uint128 royalty, uint128 held) =
            abi.decode(log.data, (uint256, uint256, bytes32, uint128, uint128, uint128));
        eq(from, job.settled, "settled in order");
        job.settled += uint16(count);
        job.current = current;
        job.earned += earned;
        job.held += held;
        job.escrow -= earned + royalty;
    }

    function onDraw(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.ClaimsClosed.selector) {
            (, Job storage job) = known(log);
            (bytes32 all, uint256 drawBlock, uint256 until) = abi.decode(log.data, (bytes32, uint256, uint256));
            eq(all, job.claims, "the claims");
            (job.state, job.drawBlock, job.deadline) = (State.Drawing, uint64(drawBlock), uint40(until));
        } else if (topic == M.HashKept.selector) {
            (, Job storage job) = known(log);
            job.drawHash = abi.decode(log.data, (bytes32));
        } else if (topic == M.Drawn.selector) {
            (bytes32 id, Job storage job) = known(log);
            uint256[] memory indices;
            uint256 until;
            (, job.allDue, indices, job.due, until) = abi.decode(log.data, (bytes32, bool, uint256[], uint16, uint256));
            (job.state, job.deadline) = (State.Proving, uint40(until));
            for (uint256 i = 0; i < indices.length; ++i) {
                drawn[id][indices[i]] = true;
            }
        } else {
            return false;
        }
        return true;
    }

    function onChallenge(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.WindowStarted.selector) {
            (bytes32 id,) = known(log);
            claims[id][uint256(log.topics[2])].windowUntil = uint40(abi.decode(log.data, (uint256)));
        } else if (topic == M.Challenged.selector) {
            (bytes32 id, Job storage job) = known(log);
            Claim storage c = claims[id][uint256(log.topics[2])];
            (c.challenger, c.answerUntil) = (account(log.topics[3]), uint40(abi.decode(log.data, (uint256))));
            ++job.openChallenges;
        } else if (topic == M.Answered.selector) {
            (bytes32 id, Job storage job) = known(log);
            Claim storage c = claims[id][uint256(log.topics[2])];
            eq(c.challenger, account(log.topics[3]), "who had challenged");
            c.challenger = address(0);
            --job.openChallenges;
        } else {
            return false;
        }
        return true;
    }

    function question(bytes32 id, Task task, uint256 index, bytes32 subject) private pure returns (bytes32) {
        return keccak256(abi.encode(id, task, index, subject));
    }

    /// How many gave this verdict in the last count.
    function counted(bytes32 asked, bytes32 verdict) private view returns (uint256) {
        return votes[asked][counts[asked]][verdict];
    }

    function onWord(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.Attested.selector) {
            (bytes32 id, Job storage job) = known(log);
            (uint256 index, bytes32 subject, bytes32 verdict, uint256 until, uint128 fee) =
                abi.decode(log.data, (uint256, bytes32, bytes32, uint256, uint128));
            bytes32 asked = question(id, Task(uint256(log.topics[3])), index, subject);
            counts[asked] = until;
            ++votes[asked][until][verdict];
            spend(job, fee);
        } else if (topic == M.Decided.selector) {
            (bytes32 id, Job storage job) = known(log);
            (uint256 index, bytes32 subject, bytes32 verdict, uint128 fee) =
                abi.decode(log.data, (uint256, bytes32, bytes32, uint128));
            uint256 count = counted(question(id, Task(uint256(log.topics[2])), index, subject), verdict);
            eq(count, terms[id].committee.threshold, "votes for a verdict");
            spend(job, uint128(count * fee));
        } else if (topic == M.DivergenceConfirmed.selector) {
            (bytes32 id, Job storage job) = known(log);
            (uint16 total, uint256 step, uint256 layer) = abi.decode(log.data, (uint16, uint256, uint256));
            bytes32 subject = job.claimed == job.settled ? job.current : claims[id][job.claimed - 1].last;
            bytes32 asked = question(id, Task.Divergence, job.claimed, subject);
            eq(counted(asked, bytes32(step << 32 | layer)), terms[id].committee.threshold, "votes for a divergence");
            (job.diverged, job.total) = (true, total);
        } else if (topic == M.Contradicted.selector) {
            known(log);
            (,,, uint256 stake) = abi.decode(log.data, (Task, uint256, bytes32, uint256));
            contradicted[account(log.topics[2])] += stake;
        } else {
            return false;
        }
        return true;
    }

    /// Fees of the committee.
    function spend(Job storage job, uint128 fee) private {
        job.fees -= fee;
        job.escrow -= fee;
    }

    function onDelivery(Vm.Log memory log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == M.DeliveryDue.selector) {
            to(log, State.Delivering);
        } else if (topic == M.Delivered.selector) {
            (, Job storage job) = known(log);
            (job.delivery, job.delivered) = (abi.decode(log.data, (bytes32)), true);
        } else if (topic == M.Fetchable.selector) {
            to(log, State.Handed);
            (bytes32 id, Job storage job) = known(log);
            uint256 count = counted(question(id, Task.Fetchable, 0, job.delivery), bytes32(uint256(1)));
            eq(count, terms[id].committee.threshold, "votes for a delivery");
        } else if (topic == M.Complained.selector) {
            to(log, State.Disputed);
        } else if (topic == M.Ended.selector) {
            onEnded(log);
        } else if (topic == M.Collected.selector) {
            (, Job storage job) = known(log);
            job.earned -= abi.decode(log.data, (uint128));
        } else {
            return false;
        }
        return true;
    }

    function onEnded(Vm.Log memory log) private {
        (bytes32 id, Job storage job) = known(log);
        job.state = State(uint256(log.topics[2]));
        if (job.state == State.Completed || job.state == State.Diverged) {
            job.earned += job.held;
            job.escrow -= job.held;
        }
        (uint256 refund, uint256 burnt) = abi.decode(log.data, (uint256, uint256));
        eq(refund + burnt, job.escrow, "the rest of the escrow");
        (job.escrow, job.held, job.fees, job.deadline) = (0, 0, 0, 0);
        if (job.state != State.Slashed) return;
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            claims[id][i].challenger = address(0);
        }
        job.openChallenges = 0;
    }
}
