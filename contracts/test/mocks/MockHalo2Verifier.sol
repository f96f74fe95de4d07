// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IHalo2Verifier} from "../../src/core/interfaces/IHalo2Verifier.sol";

/// @notice Stands in for the verifier of a circuit in tests of what is around it: answers with the same two points always.
contract MockHalo2Verifier is IHalo2Verifier {
    /// @notice Instances and proof are not those that were announced.
    error Unexpected(bytes32 expected, bytes32 got);

    /// @notice Digest of the only instances and proof that are taken, or zero if all are.
    bytes32 public expected;

    uint256 private immutable _leftX;
    uint256 private immutable _leftY;
    uint256 private immutable _rightX;
    uint256 private immutable _rightY;

    constructor(uint256[4] memory accumulator) {
        (_leftX, _leftY, _rightX, _rightY) = (accumulator[0], accumulator[1], accumulator[2], accumulator[3]);
    }

    /// @notice Announces instances and proof by the keccak256 of their encoding.
    function expect(bytes32 digest) external {
        expected = digest;
    }

    /// @inheritdoc IHalo2Verifier
    function accumulate(uint256[] calldata instances, bytes calldata proof)
        external
        view
        returns (uint256, uint256, uint256, uint256)
    {
        bytes32 got = keccak256(abi.encode(instances, proof));
        if (expected != 0 && got != expected) revert Unexpected(expected, got);
        return (_leftX, _leftY, _rightX, _rightY);
    }
}
