// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice A registered data set.
struct Dataset {
    address owner;
    /// Part of each paid segment's price that goes to `receiver`, in hundredths of a percent, at most 5000.
    uint16 rateBps;
    uint64 rows;
    address receiver;
    /// Root of the tree of the data's columns.
    bytes32 root;
}

/// @title Data sets, their owners and licence fees.
/// @notice The digest of a set includes its owner's address, so that registering somebody else's root first takes nothing from
/// its owner. A job that names a set needs the owner's signed licence; its terms freeze the rate.
///
/// Assumptions: the registry cannot tell who made the data. A requester who has the data may leave the set unnamed, or
/// commit it under another root; what makes it pay is the owner's handing out data only with a licence.
interface IDatasetRegistry {
    /// @notice A set was registered.
    /// @param dataset Digest of the data set.
    /// @param owner Its owner.
    /// @param root Root of the tree of the data's columns.
    /// @param rows Rows of the data.
    event DatasetRegistered(bytes32 indexed dataset, address indexed owner, bytes32 root, uint64 rows);
    /// @notice The rate or the receiver for new jobs changed.
    /// @param dataset Digest of the data set.
    /// @param rateBps Part of a segment's price, in hundredths of a percent.
    /// @param receiver Who gets the royalty.
    event RateChanged(bytes32 indexed dataset, uint16 rateBps, address receiver);

    /// @notice The set is registered already.
    /// @param dataset Digest of the data set.
    error DatasetTaken(bytes32 dataset);
    /// @notice The caller does not own the set.
    /// @param dataset Digest of the data set.
    error NotDatasetOwner(bytes32 dataset);
    /// @notice The rate is over one half.
    /// @param rateBps Part of a segment's price, in hundredths of a percent.
    error RateTooHigh(uint16 rateBps);
    /// @notice A set needs rows, and somebody who receives its royalty.
    error EmptyDataset();

    /// @notice Registers a set of the caller.
    /// @param root Root of the tree of the data's columns.
    /// @param rows Rows of the data.
    /// @param rateBps Royalty in hundredths of a percent, at most 5000.
    /// @param receiver Who gets the royalty.
    /// @return dataset Digest of the set.
    function register(bytes32 root, uint64 rows, uint16 rateBps, address receiver) external returns (bytes32 dataset);

    /// @notice Changes rate and receiver, for jobs opened from now on.
    /// @param dataset Digest of the data set.
    /// @param rateBps Royalty in hundredths of a percent, at most 5000.
    /// @param receiver Who gets the royalty.
    function change(bytes32 dataset, uint16 rateBps, address receiver) external;

    /// @notice The set of a digest; the owner is zero if there is none.
    /// @param dataset Digest of the data set.
    /// @return The set.
    function entry(bytes32 dataset) external view returns (Dataset memory);

    /// @notice Digest of a set.
    /// @param owner Owner of the set.
    /// @param root Root of the tree of the data's columns.
    /// @param rows Rows of the data.
    /// @return The digest.
    function digest(address owner, bytes32 root, uint64 rows) external pure returns (bytes32);
}
