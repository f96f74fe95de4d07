// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Books} from "./Books.sol";
import {Guards} from "./Guards.sol";
import {Job, State, Store} from "./Types.sol";

/// @title Handing the weights over, and the last share.
library Delivery {
    /// @notice Names what was handed over: the digest of the encrypted weights. It may be replaced until the committee attests.
    function deliver(Store storage s, bytes32 id, bytes32 digest) external {
        Job storage job = Guards.inState(s, id, State.Delivering);
        Guards.asProvider(s, job);
        Guards.notAfter(job.deadline);
        job.delivery = digest;
        job.delivered = true;
        emit IMarketEvents.Delivered(id, digest);
        if (s.terms[id].committee.threshold == 0) fetchable(s, id);
    }

    /// @notice The requester has the weights.
    function acknowledge(Store storage s, bytes32 id) external {
        Job storage job = s.jobs[id];
        if (job.state != State.Delivering && job.state != State.Disputed) Guards.inState(s, id, State.Handed);
        Guards.asRequester(job);
        Books.end(s, id, State.Completed, 0);
    }

    /// @notice The requester says that what it got does not open the last commitment.
    function complain(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Handed);
        Guards.asRequester(job);
        Guards.notAfter(job.deadline);
        job.state = State.Disputed;
        job.deadline = uint40(block.timestamp + s.terms[id].times.decideSecs);
        emit IMarketEvents.Complained(id, job.deadline);
    }

    /// @notice Starts the time in which the requester may complain.
    function fetchable(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        job.state = State.Handed;
        job.deadline = uint40(block.timestamp + s.terms[id].times.complainSecs);
        emit IMarketEvents.Fetchable(id, job.deadline);
    }
}
