// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISegmentLedger, Terms} from "./interfaces/ISegmentLedger.sol";
import {ISegmentVerifier, Segment} from "./interfaces/ISegmentVerifier.sol";
import {Chains} from "./libraries/Chains.sol";

/// @title The smallest contract that settles proofs: segments in their order, each linked to the one before
/// @dev Everything in a statement but the proof's own commitments comes from storage. There is no money here.
contract SegmentLedger is ISegmentLedger {
    /// @dev What is stored of a job, packed into five words.
    struct Job {
        ISegmentVerifier verifier;
        uint32 lastSteps;
        uint32 lastRows;
        uint32 rate;
        address owner;
        uint64 epochSegments;
        uint64 next;
        uint64 segments;
        uint32 batch;
        uint32 steps;
        bytes32 dataRoot;
        bytes32 first;
    }

    mapping(bytes32 id => Job) private _jobs;

    /// @inheritdoc ISegmentLedger
    mapping(address opener => uint256) public override nonces;

    /// @inheritdoc ISegmentLedger
    function open(Terms calldata terms) external returns (bytes32 job) {
        if (terms.owner == address(0)) revert NoOwner();
        if (terms.segments == 0) revert NoSegments();
        if (terms.epochSegments == 0) revert NoEpoch();
        if (terms.rate == 0) revert NoRate();
        if (address(terms.verifier).code.length == 0) revert NoVerifier();
        if (block.chainid != Chains.LOCAL && terms.verifier.insecureSetup()) revert InsecureSetup();
        (uint32 batch, uint32 steps) = terms.verifier.shape();
        if (terms.lastSteps == 0 || terms.lastSteps > steps) revert LastSteps(terms.lastSteps, steps);
        if (terms.lastRows == 0 || terms.lastRows > batch) revert LastRows(terms.lastRows, batch);

        uint256 nonce = nonces[msg.sender]++;
        job = keccak256(abi.encode(block.chainid, address(this), msg.sender, nonce, terms));
        _jobs[job] = Job({
            verifier: terms.verifier,
            lastSteps: terms.lastSteps,
            lastRows: terms.lastRows,
            rate: terms.rate,
            owner: terms.owner,
            epochSegments: terms.epochSegments,
            next: 0,
            segments: terms.segments,
            batch: batch,
            steps: steps,
            dataRoot: terms.dataRoot,
            first: terms.first
        });
        emit Opened(job, msg.sender, nonce, terms);
    }

    /// @inheritdoc ISegmentLedger
    function submit(bytes32 job, bytes calldata proof) external {
        Job storage stored = _jobs[job];
        ISegmentVerifier verifier = stored.verifier;
        if (address(verifier) == address(0)) revert UnknownJob(job);
        Segment memory segment = _segment(job, stored);
        if (segment.index == stored.segments) revert Finished(job);
        // The proof says where the segment ends: one by somebody else would end it where the provider cannot go on.
        if (msg.sender != segment.owner) revert NotOwner(msg.sender, segment.owner);
        // A view: the call cannot come back and change anything.
        bytes32 last = verifier.verify(segment, proof);
        stored.next = segment.index + 1;
        stored.first = last;
        emit Proven(job, segment.index, last);
    }

    /// @dev The next segment of a job. All of an epoch's segments but the last have all steps and rows.
    function _segment(bytes32 job, Job storage stored) private view returns (Segment memory segment) {
        segment.job = job;
        segment.owner = stored.owner;
        segment.index = stored.next;
        segment.dataRoot = stored.dataRoot;
        segment.epochSegments = stored.epochSegments;
        segment.position = segment.index % segment.epochSegments;
        bool whole = segment.position + 1 < segment.epochSegments;
        segment.liveSteps = whole ? stored.steps : stored.lastSteps;
        segment.liveRows = whole ? stored.batch : stored.lastRows;
        segment.rate = stored.rate;
        segment.first = stored.first;
    }

    /// @inheritdoc ISegmentLedger
    function next(bytes32 job) external view returns (Segment memory segment) {
        Job storage stored = _jobs[job];
        if (address(stored.verifier) == address(0)) revert UnknownJob(job);
        return _segment(job, stored);
    }
}
