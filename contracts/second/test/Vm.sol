// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice The cheat codes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address who) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function chainId(uint256 id) external;
    function getBlockTimestamp() external view returns (uint256);
    function getBlockNumber() external view returns (uint256);
    function setBlockhash(uint256 number, bytes32 hash) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
    function deal(address who, uint256 wei_) external;
    function etch(address where, bytes calldata code) external;
    function expectEmit(address by) external;
    function assume(bool condition) external pure;
    function load(address where, bytes32 slot) external view returns (bytes32);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @notice Assertions.
abstract contract Test {
    error Different(string what, bytes32 got, bytes32 expected);

    function eq(uint256 got, uint256 expected, string memory what) internal pure {
        if (got != expected) revert Different(what, bytes32(got), bytes32(expected));
    }

    function eq(bytes32 got, bytes32 expected, string memory what) internal pure {
        if (got != expected) revert Different(what, got, expected);
    }

    function eq(address got, address expected, string memory what) internal pure {
        eq(uint256(uint160(got)), uint256(uint160(expected)), what);
    }

    function yes(bool got, string memory what) internal pure {
        if (!got) revert Different(what, 0, bytes32(uint256(1)));
    }
}
