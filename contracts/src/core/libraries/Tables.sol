// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Commitments to the public tables, kept by a verifier
/// @dev The first point is an immutable of the verifier; if there are more that are not infinity at the end, they are the code
/// of a data contract, behind a STOP.
library Tables {
    /// @notice A commitment to a table is not a point of the curve.
    /// @param index Which.
    error TablePoint(uint256 index);
    /// @notice What the data contract holds are not the tables of the statement, or it cannot hold them.
    error TableData();

    /// @notice The points, 64 bytes each, after a check that they are points.
    function encode(uint256[2][] memory points) internal view returns (bytes memory encoded) {
        encoded = new bytes(64 * points.length);
        for (uint256 i = 0; i < points.length; ++i) {
            (uint256 x, uint256 y) = (points[i][0], points[i][1]);
            bool good;
            assembly ("memory-safe") {
                let at := add(add(encoded, 0x20), shl(6, i))
                mstore(at, x)
                mstore(add(at, 0x20), y)
                // A sum with infinity: zeros behind it.
                let free := mload(0x40)
                mcopy(free, at, 0x40)
                mstore(add(free, 0x40), 0)
                mstore(add(free, 0x60), 0)
                good := staticcall(gas(), 0x06, free, 0x80, free, 0x40)
            }
            if (!good) revert TablePoint(i);
        }
    }

    /// @notice The number of points without the infinities at the end, which the fold leaves out.
    function live(uint256[2][] memory points) internal pure returns (uint256 count) {
        count = points.length;
        while (count > 0 && points[count - 1][0] == 0 && points[count - 1][1] == 0) --count;
    }

    /// @notice Puts points 1 to `count` - 1 into a data contract.
    function store(bytes memory encoded, uint256 count) internal returns (address data) {
        // Creation code: return everything behind its own eleven bytes, of which the first that is kept is a STOP.
        bytes memory code = abi.encodePacked(hex"600b5981380380925939f300", new bytes(64 * (count - 1)));
        assembly ("memory-safe") {
            mcopy(add(code, 44), add(encoded, 0x60), shl(6, sub(count, 1)))
            data := create(0, add(code, 0x20), mload(code))
        }
        // There is no room for more than 24 kB of code.
        if (data == address(0)) revert TableData();
    }

    /// @notice Writes `count` points, at least one, to memory.
    function load(uint256 begin, uint256 count, uint256 x, uint256 y, address data) internal view {
        assembly ("memory-safe") {
            mstore(begin, x)
            mstore(add(begin, 0x20), y)
            if gt(count, 1) { extcodecopy(data, add(begin, 0x40), 1, shl(6, sub(count, 1))) }
        }
    }

    /// @notice Reverts unless `count` points in memory, infinities included, have the digest.
    function requireSame(uint256 begin, uint256 count, bytes32 digest) internal pure {
        bytes32 got;
        assembly ("memory-safe") {
            got := keccak256(begin, shl(6, count))
        }
        if (got != digest) revert TableData();
    }
}
