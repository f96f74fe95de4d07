// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Dataset, IDatasetRegistry as D} from "../../src/interfaces/IDatasetRegistry.sol";
import {INodeRegistry as N, Node} from "../../src/interfaces/INodeRegistry.sol";
import {Test, Vm} from "../Vm.sol";

/// @notice What the registers' events say of nodes, counters and data sets.
abstract contract IndexedRegisters is Test {
    struct Counter {
        address reporter;
        address owner;
        uint8 outcome;
        uint256 count;
    }

    address[] internal peers;
    mapping(address peer => Node) internal entries;
    Counter[] internal counters;
    bytes32[] internal sets;
    mapping(bytes32 set => Dataset) internal setEntries;

    function onNodes(Vm.Log memory log) internal returns (bool) {
        bytes32 topic = log.topics[0];
        address first = address(uint160(uint256(log.topics[1])));
        address owner = address(uint160(uint256(log.topics[2])));
        if (topic == N.NodeRegistered.selector) {
            Node storage node = entries[first];
            peers.push(first);
            node.owner = owner;
            (node.hot, node.roles, node.encryptionKey, node.addresses) =
                abi.decode(log.data, (address, uint8, bytes32, string));
        } else if (topic == N.NodeRemoved.selector) {
            eq(entries[first].owner, owner, "owner of a removed node");
            delete entries[first];
        } else if (topic == N.Recorded.selector) {
            (uint8 outcome, uint256 count) = abi.decode(log.data, (uint8, uint256));
            set(Counter(first, owner, outcome, count));
        } else {
            return false;
        }
        return true;
    }

    function set(Counter memory next) private {
        for (uint256 i = 0; i < counters.length; ++i) {
            Counter storage c = counters[i];
            if (c.reporter != next.reporter || c.owner != next.owner || c.outcome != next.outcome) continue;
            eq(next.count, c.count + 1, "counted by ones");
            c.count = next.count;
            return;
        }
        counters.push(next);
    }

    function onDatasets(Vm.Log memory log) internal returns (bool) {
        bytes32 topic = log.topics[0];
        Dataset storage entry = setEntries[log.topics[1]];
        if (topic == D.DatasetRegistered.selector) {
            sets.push(log.topics[1]);
            entry.owner = address(uint160(uint256(log.topics[2])));
            (entry.root, entry.rows) = abi.decode(log.data, (bytes32, uint64));
        } else if (topic == D.RateChanged.selector) {
            (entry.rateBps, entry.receiver) = abi.decode(log.data, (uint16, address));
        } else {
            return false;
        }
        return true;
    }
}
