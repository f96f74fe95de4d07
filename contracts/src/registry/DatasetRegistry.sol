// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IDatasetRegistry, Dataset} from "./interfaces/IDatasetRegistry.sol";
import {Bounds} from "../market/Bounds.sol";

/// @title The register of data sets: see `IDatasetRegistry`.
contract DatasetRegistry is IDatasetRegistry {
    mapping(bytes32 dataset => Dataset) private sets;

    /// @inheritdoc IDatasetRegistry
    function register(bytes32 root, uint64 rows, uint16 rateBps, address receiver) external returns (bytes32 dataset) {
        if (rows == 0 || receiver == address(0)) revert EmptyDataset();
        dataset = digest(msg.sender, root, rows);
        if (sets[dataset].owner != address(0)) revert DatasetTaken(dataset);
        if (rateBps > Bounds.ROYALTY_BPS) revert RateTooHigh(rateBps);
        sets[dataset] = Dataset(msg.sender, rateBps, rows, receiver, root);
        emit DatasetRegistered(dataset, msg.sender, root, rows);
        emit RateChanged(dataset, rateBps, receiver);
    }

    /// @inheritdoc IDatasetRegistry
    function change(bytes32 dataset, uint16 rateBps, address receiver) external {
        Dataset storage set = sets[dataset];
        if (set.owner != msg.sender) revert NotDatasetOwner(dataset);
        if (rateBps > Bounds.ROYALTY_BPS) revert RateTooHigh(rateBps);
        if (receiver == address(0)) revert EmptyDataset();
        set.rateBps = rateBps;
        set.receiver = receiver;
        emit RateChanged(dataset, rateBps, receiver);
    }

    /// @inheritdoc IDatasetRegistry
    function entry(bytes32 dataset) external view returns (Dataset memory) {
        return sets[dataset];
    }

    /// @inheritdoc IDatasetRegistry
    function digest(address owner, bytes32 root, uint64 rows) public pure returns (bytes32) {
        return keccak256(abi.encode(owner, root, rows));
    }
}
