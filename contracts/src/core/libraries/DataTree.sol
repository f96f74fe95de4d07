// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The tree of a registered data set: a leaf a column of a position
/// @dev Leaf: keccak256(0 ‖ position ‖ index ‖ point), 8, 8 and 64 bytes; node: keccak256(1 ‖ left ‖ right). The leaves are
/// filled up to a power of two with zeros.
library DataTree {
    /// @notice Levels above `leaves` leaves: the logarithm, rounded up.
    function depth(uint256 leaves) internal pure returns (uint256 levels) {
        while (uint256(1) << levels < leaves) ++levels;
    }

    /// @notice The first of the columns of a position that is not the leaf of its place, or `count` if all are.
    /// @param root The root.
    /// @param position The position.
    /// @param points Where the columns' points stand in the call data.
    /// @param count Number of columns of a position.
    /// @param paths Where the paths stand in the call data: per column `levels` siblings, the lowest first.
    /// @param levels Depth of the tree.
    function mismatch(bytes32 root, uint256 position, uint256 points, uint256 count, uint256 paths, uint256 levels)
        internal
        pure
        returns (uint256 column)
    {
        assembly ("memory-safe") {
            // One byte of kind at the end of the word `kind`, then the rest of the message.
            let kind := mload(0x40)
            let message := add(kind, 0x1f)
            let end := paths
            for {} lt(column, count) { column := add(column, 1) } {
                // 0 ‖ position ‖ index ‖ point
                mstore(kind, 0)
                mstore(add(kind, 0x20), or(shl(192, position), shl(128, column)))
                calldatacopy(add(kind, 0x30), add(points, shl(6, column)), 0x40)
                let hash := keccak256(message, 81)
                let place := add(mul(position, count), column)
                end := add(end, shl(5, levels))
                // 1 ‖ left ‖ right: the hash goes left if the place is even.
                mstore(kind, 1)
                for { let at := sub(end, shl(5, levels)) } lt(at, end) { at := add(at, 0x20) } {
                    let side := shl(5, and(place, 1))
                    mstore(add(add(kind, 0x20), side), hash)
                    mstore(sub(add(kind, 0x40), side), calldataload(at))
                    hash := keccak256(message, 65)
                    place := shr(1, place)
                }
                if iszero(eq(hash, root)) { break }
            }
        }
    }
}
