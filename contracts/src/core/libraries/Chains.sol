// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Chains that are treated apart
library Chains {
    /// @notice That of a local node, the only one where an insecure set-up is taken.
    uint256 internal constant LOCAL = 31_337;
}
