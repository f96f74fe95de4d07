// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../src/interfaces/IDatasetRegistry.sol";
import {INodeRegistry, Node} from "../src/interfaces/INodeRegistry.sol";
import {IStakeVault} from "../src/interfaces/IStakeVault.sol";
import {ITrainingMarket} from "../src/interfaces/ITrainingMarket.sol";
import {Job, State} from "../src/market/Types.sol";
import {IndexedJobs} from "./indexer/Jobs.sol";
import {IndexedRegisters} from "./indexer/Registers.sol";
import {IndexedStakes} from "./indexer/Stakes.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice Rebuilds what market, vault and registers hold from their events alone, and compares.
contract Indexer is IndexedJobs, IndexedStakes, IndexedRegisters {
    ITrainingMarket private immutable MARKET;
    IStakeVault private immutable VAULT;
    INodeRegistry private immutable NODES;
    IDatasetRegistry private immutable DATASETS;

    /// Kinds of events that came.
    uint256 public kinds;
    mapping(address emitter => mapping(bytes32 topic => bool)) private seen;

    error UnknownEvent(address emitter, bytes32 topic);

    constructor(ITrainingMarket market) {
        MARKET = market;
        (VAULT, NODES, DATASETS) = (market.vault(), market.nodes(), market.datasets());
    }

    function replay(Vm.Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            address emitter = log.emitter;
            bool known;
            if (emitter == address(MARKET)) known = onMarket(log);
            else if (emitter == address(VAULT)) known = onVault(log);
            else if (emitter == address(NODES)) known = onNodes(log);
            else if (emitter == address(DATASETS)) known = onDatasets(log);
            else continue;
            if (!known) revert UnknownEvent(emitter, log.topics[0]);
            if (!seen[emitter][log.topics[0]]) ++kinds;
            seen[emitter][log.topics[0]] = true;
        }
    }

    /// What is rebuilt is what is stored.
    function compare(bytes32[] calldata all, address[] calldata accounts) external view {
        eq(keccak256(abi.encode(ids)), keccak256(abi.encode(all)), "jobs");
        for (uint256 i = 0; i < ids.length; ++i) {
            compareJob(ids[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            compareAccount(accounts[i]);
        }
        for (uint256 i = 0; i < bonds.length; ++i) {
            (bytes32 name, address owner) = (bonds[i].name, bonds[i].owner);
            eq(VAULT.bonded(name, owner), bonded[name][owner], "bond");
        }
        compareRegisters();
        compareCounters();
    }

    function compareJob(bytes32 id) private view {
        eq(keccak256(abi.encode(MARKET.jobOf(id))), keccak256(abi.encode(jobs[id])), "job");
        eq(keccak256(abi.encode(MARKET.termsOf(id))), keccak256(abi.encode(terms[id])), "terms");
        eq(keccak256(abi.encode(MARKET.teamOf(id))), keccak256(abi.encode(teams[id])), "team");
        Job storage job = jobs[id];
        for (uint256 i = 0; i < job.total; ++i) {
            eq(keccak256(abi.encode(MARKET.claimOf(id, i))), keccak256(abi.encode(claims[id][i])), "claim");
            bool due = job.state == State.Proving && i >= job.settled && !claims[id][i].proven;
            yes(MARKET.isDue(id, i) == (due && (job.allDue || drawn[id][i])), "due");
        }
    }

    function compareAccount(address who) private view {
        eq(MARKET.owed(who), owed[who], "owed by the market");
        eq(VAULT.owed(who), ready[who], "owed by the vault");
        eq(VAULT.free(who), free[who], "free");
        eq(VAULT.leaving(who), leaving[who], "leaving");
        eq(VAULT.backing(who), vm.getBlockTimestamp() < backedUntil[who] ? backed[who] : 0, "backing");
        eq(stakeTaken[who], contradicted[who], "stake taken for contradictions");
        for (uint256 i = 0; i < 64; ++i) {
            yes(MARKET.nonceUsed(who, i) == spent[who][i], "nonce");
        }
    }

    function compareRegisters() private view {
        for (uint256 i = 0; i < peers.length; ++i) {
            Node storage node = entries[peers[i]];
            eq(keccak256(abi.encode(NODES.node(peers[i]))), keccak256(abi.encode(node)), "node");
            if (node.owner != address(0)) yes(NODES.hasRole(node.owner, node.roles), "role");
            if (node.hot != address(0)) yes(NODES.actsFor(node.hot, node.owner), "hot key");
        }
        for (uint256 i = 0; i < sets.length; ++i) {
            bytes32 set = sets[i];
            eq(keccak256(abi.encode(DATASETS.entry(set))), keccak256(abi.encode(setEntries[set])), "data set");
        }
    }

    function compareCounters() private view {
        uint256 ended = 0;
        for (uint256 i = 0; i < counters.length; ++i) {
            Counter storage c = counters[i];
            eq(NODES.outcomes(c.reporter, c.owner, c.outcome), c.count, "counter");
            // Each end is counted for its requester.
            if (c.reporter == address(MARKET) && c.outcome >= 0x80) ended += c.count;
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            if (jobs[ids[i]].state >= State.Cancelled) --ended;
        }
        eq(ended, 0, "ends");
    }
}
