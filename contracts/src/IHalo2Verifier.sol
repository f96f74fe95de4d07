// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The verifier of one halo2 circuit, without its pairing
/// @notice Generated from a verifying key. It has no storage and trusts nothing of what it is given.
interface IHalo2Verifier {
    /// @notice Checks everything of a proof but the pairing.
    /// @dev The proof is right if and only if e(left, G2) = e(right, [tau]G2). Reverts with a named error if the proof is
    /// malformed, not canonical or of another length.
    /// @param instances The public inputs, all below the order of the group.
    /// @param proof The proof.
    /// @return leftX x of the point to pair with G2.
    /// @return leftY y of it.
    /// @return rightX x of the point to pair with [tau]G2.
    /// @return rightY y of it.
    function accumulate(uint256[] calldata instances, bytes calldata proof)
        external
        view
        returns (uint256 leftX, uint256 leftY, uint256 rightX, uint256 rightY);
}
