// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of the proofs of one halo2 circuit, up to the pairing
/// @notice An implementation holds the verifying key of one circuit. It checks a proof but for its last equation, which the
/// caller checks, and may combine with others into one call of the pairing.
///
/// Assumptions: the verifying key is that of the circuit that the caller means, made with the tau of the caller's [tau]G2;
/// nobody knows that tau; keccak256 behaves like a random function (Fiat-Shamir).
interface IHalo2Verifier {
    /// @notice The number of instances is not that of the circuit.
    error WrongNumberOfInstances();
    /// @notice The proof is longer or shorter than a proof of the circuit.
    error WrongProofLength();
    /// @notice An instance or a scalar of the proof is not below the order of the group.
    error NonCanonicalScalar();
    /// @notice A coordinate of a point of the proof is not below the modulus of the base field.
    error NonCanonicalCoordinate();
    /// @notice A point of the proof is the point at infinity.
    error PointAtInfinity();
    /// @notice A point of the proof is not on the curve.
    error PointNotOnCurve();
    /// @notice A challenge meets a root of unity, so that a denominator is zero. No proof comes upon this but by chance
    /// of about 2^-240.
    error ZeroDenominator();
    /// @notice A precompiled contract failed: there was not enough gas.
    error PrecompileFailed();

    /// @notice Checks a proof but for one pairing equation. The proof is right if and only if
    /// `e(left, G2) = e(right, [tau]G2)`.
    /// @dev Reverts with an error of this interface if instances or proof are malformed. That this returns says nothing:
    /// a caller that leaves out the equation accepts anything.
    /// @param instances The public instances, column after column.
    /// @param proof The proof as the prover wrote it: points as 64 bytes, scalars as 32 bytes, big-endian.
    /// @return leftX x of the point to be paired with the generator G2.
    /// @return leftY y of that point.
    /// @return rightX x of the point to be paired with [tau]G2.
    /// @return rightY y of that point.
    function accumulate(uint256[] calldata instances, bytes calldata proof)
        external
        view
        returns (uint256 leftX, uint256 leftY, uint256 rightX, uint256 rightY);
}
