// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What a node does: bits
library Roles {
    /// @notice It trains.
    uint8 internal constant PROVIDER = 1;
    /// @notice It sits in committees.
    uint8 internal constant VALIDATOR = 2;
    /// @notice It posts jobs.
    uint8 internal constant REQUESTER = 4;
    /// @notice It owns data.
    uint8 internal constant DATA_OWNER = 8;
    /// @notice All there are.
    uint8 internal constant ALL = 15;
    /// @notice How many there are.
    uint8 internal constant COUNT = 4;
}
