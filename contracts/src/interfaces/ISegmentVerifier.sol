// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice A segment of a job as the settling contract knows it: every field is read from its storage.
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

/// @title Checks the proof of one segment of training.
interface ISegmentVerifier {
    /// @notice Returns the digest (keccak256 of the 64-byte points) of the commitments to the last parameters; reverts with a
    /// named error if the proof is not good. The statement names the caller as the contract that settles.
    /// @param segment The segment, as the caller has stored it.
    /// @param proof The wrapped proof.
    function verify(Segment calldata segment, bytes calldata proof) external view returns (bytes32 last);

    /// @notice Digest of the verifying key, as it stands in the statement.
    function key() external view returns (bytes32);

    /// @notice Digest of the set-up, as it stands in the statement.
    function setup() external view returns (bytes32);

    /// @notice Whether somebody may know the secret of the set-up, and so can forge proofs.
    function insecureSetup() external view returns (bool);

    /// @notice Rows of a step, and steps of a segment.
    function shape() external view returns (uint32 batch, uint32 steps);
}
