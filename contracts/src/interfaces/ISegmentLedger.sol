// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISegmentVerifier, Segment} from "./ISegmentVerifier.sol";

/// @notice What a job is.
/// @param verifier Verifier of the job's key.
/// @param owner Owner of the provider, whom the proofs name.
/// @param dataRoot Root of the tree of the data's columns.
/// @param epochSegments Segments of an epoch.
/// @param segments Segments of the job.
/// @param lastSteps Live steps of the last segment of an epoch.
/// @param lastRows Rows of the last step of an epoch.
/// @param rate Learning rate over batch, in units of 2^-k.
/// @param first Digest of the commitments to the first parameters.
struct Terms {
    ISegmentVerifier verifier;
    address owner;
    bytes32 dataRoot;
    uint64 epochSegments;
    uint64 segments;
    uint32 lastSteps;
    uint32 lastRows;
    uint32 rate;
    bytes32 first;
}

/// @title Jobs whose segments are proved one after the other
///
/// Assumptions:
/// - The verifier accepts a proof only if the statement holds. Its code is not pinned here: whoever relies on a job looks at the
///   code at the address that the terms name.
/// - Terms are whoever opened the job's word: nobody else agreed to them, and no money depends on them.
/// - The owner alone brings proofs; a job whose owner is silent stays where it is.
interface ISegmentLedger {
    /// @notice A job was opened.
    /// @param job The job.
    /// @param opener Who opened it.
    /// @param nonce Jobs that the opener had opened before.
    /// @param terms The terms.
    event Opened(bytes32 indexed job, address indexed opener, uint256 nonce, Terms terms);
    /// @notice A segment was proved.
    /// @param job The job.
    /// @param index Index of the segment.
    /// @param last Digest of the commitments to the parameters after it.
    event Proven(bytes32 indexed job, uint64 indexed index, bytes32 last);

    /// @notice Nobody owns the provider.
    error NoOwner();
    /// @notice A job has at least one segment.
    error NoSegments();
    /// @notice An epoch has at least one segment.
    error NoEpoch();
    /// @notice The learning rate is zero.
    error NoRate();
    /// @notice There is no contract at the address of the verifier.
    error NoVerifier();
    /// @notice Everybody knows the tau of the verifier's set-up, and this is not a local chain.
    error InsecureSetup();
    /// @notice The live steps of the last segment of an epoch are not 1 to T.
    /// @param got Steps given.
    /// @param most T.
    error LastSteps(uint256 got, uint256 most);
    /// @notice The rows of the last step of an epoch are not 1 to the batch.
    /// @param got Rows given.
    /// @param most The batch.
    error LastRows(uint256 got, uint256 most);
    /// @notice There is no such job.
    /// @param job The job.
    error UnknownJob(bytes32 job);
    /// @notice Only the owner of the provider says where a segment ends.
    /// @param got Who submitted the proof.
    /// @param owner Whom the job names.
    error NotOwner(address got, address owner);
    /// @notice All segments of the job are proved.
    /// @param job The job.
    error Finished(bytes32 job);

    /// @notice Opens a job.
    /// @param terms Its terms.
    /// @return job keccak256 of chain, this contract, opener, the opener's nonce, and terms, as `abi.encode` puts them.
    function open(Terms calldata terms) external returns (bytes32 job);

    /// @notice Settles the next segment of a job. Only the owner that the job names may: whoever else has data and weights
    /// could prove the same training with last commitments that the provider cannot open.
    /// @param job The job.
    /// @param proof The proof, in the layout of `SegmentVerifier`.
    function submit(bytes32 job, bytes calldata proof) external;

    /// @notice The segment that is to be proved next; its index is the number of segments if all are.
    /// @param job The job.
    /// @return segment All that a statement says of it.
    function next(bytes32 job) external view returns (Segment memory segment);

    /// @notice Jobs that `opener` has opened.
    /// @param opener The account.
    /// @return How many.
    function nonces(address opener) external view returns (uint256);
}
