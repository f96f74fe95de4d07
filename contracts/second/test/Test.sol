// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice The cheat codes of the test runner that are used here.
interface Vm {
    function etch(address where, bytes calldata code) external;
    function expectRevert(bytes calldata reason) external;
    function prank(address sender) external;
    function chainId(uint256 id) external;
}

/// @notice What tests share.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Two words differ.
    error Unequal(bytes32 expected, bytes32 got);

    function same(bytes32 expected, bytes32 got) internal pure {
        if (expected != got) revert Unequal(expected, got);
    }

    function same(uint256 expected, uint256 got) internal pure {
        same(bytes32(expected), bytes32(got));
    }
}
