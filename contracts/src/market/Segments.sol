// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISegmentVerifier, Segment} from "../core/interfaces/ISegmentVerifier.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {Job, State, Store, Training} from "./Types.sol";

/// @title What a segment's proof must say, from the job's storage alone.
/// @dev The cut of an epoch is that of `circuits/src/network/epoch.rs`: step t is rows [tB, (t+1)B), an epoch is a whole number of
/// segments of T steps, and only the last segment of an epoch may have fewer steps, or a shorter last step.
library Segments {
    /// @notice The segment of an index, which is claimed or next.
    function build(Store storage s, bytes32 id, uint256 index) internal view returns (Segment memory) {
        Job storage job = s.jobs[id];
        if (job.state == State.None) revert IMarketErrors.WrongState(id, State.None);
        Training storage training = s.terms[id].training;
        uint256 stepRows = job.stepRows;
        uint256 steps = job.steps;
        uint256 rows = training.rows;
        uint256 epochSteps = (rows + stepRows - 1) / stepRows;
        uint256 epochSegments = (epochSteps + steps - 1) / steps;
        uint256 position = index % epochSegments;
        bool last = position == epochSegments - 1;
        return Segment({
            job: id,
            owner: job.owner,
            index: uint64(index),
            dataRoot: training.dataRoot,
            epochSegments: uint64(epochSegments),
            position: uint64(position),
            // Neither is over T or B, which are of this width.
            liveSteps: uint32(last ? epochSteps - position * steps : steps),
            liveRows: uint32(last ? rows - (epochSteps - 1) * stepRows : stepRows),
            rate: job.rate != 0 ? job.rate : rateAt(training.rates, index),
            first: before(s, id, index)
        });
    }

    /// @notice Checks a proof; returns the digest of the last parameters.
    function verify(Store storage s, bytes32 id, uint256 index, bytes calldata proof) internal view returns (bytes32) {
        return ISegmentVerifier(s.jobs[id].verifier).verify(build(s, id, index), proof);
    }

    /// @notice Parameters before a segment that is claimed or next.
    function before(Store storage s, bytes32 id, uint256 index) internal view returns (bytes32) {
        Job storage job = s.jobs[id];
        if (index >= job.total || index > job.claimed) revert IMarketErrors.NotPending(index);
        return index == 0 || !job.chained ? s.terms[id].training.first : s.claims[id][index - 1];
    }

    /// @notice Rate of a segment: that of the last step of the schedule which is not behind it.
    function rateAt(uint64[] storage rates, uint256 index) private view returns (uint32) {
        uint256 i = rates.length;
        while (i > 1 && rates[i - 1] >> 32 > index) {
            --i;
        }
        // The low half.
        return uint32(rates[i - 1]);
    }
}
