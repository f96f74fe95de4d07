// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IHalo2Verifier} from "./IHalo2Verifier.sol";

/// @notice What the settling contract knows of a segment, all of it from its own storage.
/// @param job The job.
/// @param owner Owner of the provider, who is paid.
/// @param index Index of the segment in the job.
/// @param dataRoot Root of the tree of the data's columns.
/// @param epochSegments Segments of an epoch.
/// @param position Position of the segment in its epoch.
/// @param liveSteps Steps that train.
/// @param liveRows Rows of the last of them.
/// @param rate Learning rate over batch, in units of 2^-k.
/// @param first Digest of the commitments to the parameters before the segment.
struct Segment {
    bytes32 job;
    address owner;
    uint64 index;
    bytes32 dataRoot;
    uint64 epochSegments;
    uint64 position;
    uint32 liveSteps;
    uint32 liveRows;
    uint32 rate;
    bytes32 first;
}

/// @title Verifier of the proof of one segment of training
/// @notice Stateless; made for one verifying key. The statement that it checks names the chain and its caller, so a proof
/// counts for one settling contract only.
///
/// Assumptions:
/// - The settling contract fills in the segment from its own storage, and takes no part of it from call data.
/// - Key, graph and tables are those of the circuit whose verifier `halo2` is. Whoever relies on a verifier rebuilds its
///   code from the key (`requester check-deployment`), and compares.
/// - Nobody knows the discrete logarithm of tau, nor of the blinding generator H, unless the set-up says that it is insecure.
/// - keccak256 behaves like a random function (Fiat-Shamir), and discrete logarithms on BN254 are out of reach.
interface ISegmentVerifier {
    /// @notice The proof has another number of bytes than its parts.
    /// @param least Bytes of all parts but the halo2 proof.
    /// @param got Bytes given.
    error ProofTooShort(uint256 least, uint256 got);
    /// @notice The number of live steps is not 1 to T.
    /// @param got Steps given.
    /// @param most T.
    error LiveSteps(uint256 got, uint256 most);
    /// @notice The number of live rows is not 1 to the batch.
    /// @param got Rows given.
    /// @param most The batch.
    error LiveRows(uint256 got, uint256 most);
    /// @notice The position lies behind the end of the epoch.
    /// @param got Position given.
    /// @param below Segments of an epoch.
    error Position(uint256 got, uint256 below);
    /// @notice The learning rate is zero.
    error Rate();
    /// @notice The commitments to the first parameters are not those that the segment begins with.
    /// @param expected Digest in the segment.
    /// @param got Digest of the points given.
    error FirstCommitments(bytes32 expected, bytes32 got);
    /// @notice A data column is not the leaf of this position and index under the root.
    /// @param column Index of the column among the data columns.
    error DataLeaf(uint256 column);
    /// @notice A scalar is not below the order of the group.
    /// @param offset Where it stands in the proof.
    error ScalarNotReduced(uint256 offset);
    /// @notice A point is not on the curve, or a coordinate is not below the modulus.
    /// @param offset Where it stands in the proof.
    error PointNotOnCurve(uint256 offset);
    /// @notice A point is the point at infinity.
    /// @param offset Where it stands in the proof.
    error PointAtInfinity(uint256 offset);
    /// @notice The halo2 verifier did not answer with two points of the curve.
    error Halo2Answer();
    /// @notice The evaluations of the opening do not lead to the value.
    error OpeningValue();
    /// @notice The pairing of opening and halo2 proof does not hold.
    error Pairing();

    /// @notice Checks the proof of a segment that the caller settles.
    /// @dev The statement's chain is `block.chainid` and its contract `msg.sender`.
    /// @param segment What the caller knows of the segment.
    /// @param proof The proof: see `SegmentVerifier` for its bytes.
    /// @return last Digest of the commitments to the parameters after the segment: keccak256 of their points.
    function verify(Segment calldata segment, bytes calldata proof) external view returns (bytes32 last);

    /// @notice Verifier of the circuit, which every proof is given to.
    /// @return The contract.
    function halo2() external view returns (IHalo2Verifier);

    /// @notice Digest of the verifying key, as in the statement.
    /// @return The digest.
    function key() external view returns (bytes32);

    /// @notice Digest of the set-up, as in the statement.
    /// @return The digest.
    function setup() external view returns (bytes32);

    /// @notice True if everybody knows the tau of the set-up, so that **anyone can forge proofs**.
    /// @return Whether they can.
    function insecureSetup() external view returns (bool);

    /// @notice The batch and T, the steps of a segment.
    /// @return batch Rows of a step.
    /// @return steps Steps of a segment.
    function shape() external view returns (uint32 batch, uint32 steps);
}
