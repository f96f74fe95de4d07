// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Books} from "./Books.sol";
import {Guards} from "./Guards.sol";
import {Running} from "./Running.sol";
import {Assurance, Claim, Job, State, Store} from "./Types.sol";

/// @title Windows and challenges of optimistic jobs.
library Challenges {
    /// @notice The requester says that it has the opening of a claim.
    function confirmOpening(Store storage s, bytes32 id, uint256 index) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asRequester(job);
        startWindow(s, id, index);
    }

    /// @notice Challenges a claim whose opening the caller has checked, and which differs from its own run.
    function challenge(Store storage s, bytes32 id, uint256 index) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Claim storage c = s.claims[id][index];
        if (c.windowUntil == 0) revert IMarketErrors.NotOpened(index);
        if (c.challenger != address(0)) revert IMarketErrors.ChallengeOpen();
        if (c.proven) revert IMarketErrors.NotPending(index);
        Guards.notAfter(c.windowUntil);
        job.openChallenges += 1;
        c.challenger = msg.sender;
        c.answerUntil = uint40(block.timestamp + uint256(s.terms[id].times.answerSecs) * job.openChallenges);
        emit IMarketEvents.Challenged(id, index, msg.sender, c.answerUntil);
        s.vault.lock(Books.challengeBond(id, index), msg.sender, s.terms[id].price.challengeBond);
    }

    /// @notice Ends a job whose challenge was not answered in time. What came before and can be paid is paid.
    function slash(Store storage s, bytes32 id, uint256 index) external {
        Guards.inState(s, id, State.Running);
        Claim storage c = s.claims[id][index];
        if (c.challenger == address(0)) revert IMarketErrors.NoChallenge(index);
        Guards.onlyAfter(c.answerUntil);
        Running.settleLapsed(s, id);
        Books.slash(s, id, c.challenger);
    }

    /// @notice Starts the window of a claim.
    function startWindow(Store storage s, bytes32 id, uint256 index) internal {
        canOpen(s, id, index);
        Claim storage c = s.claims[id][index];
        c.windowUntil = uint40(block.timestamp + s.terms[id].times.windowSecs);
        emit IMarketEvents.WindowStarted(id, index, c.windowUntil);
    }

    /// @notice Refuses a claim whose window cannot start.
    function canOpen(Store storage s, bytes32 id, uint256 index) internal view {
        Guards.level(s, id, Assurance.Optimistic);
        Job storage job = s.jobs[id];
        Claim storage c = s.claims[id][index];
        if (index < job.settled || index >= job.claimed || c.proven || c.windowUntil != 0) {
            revert IMarketErrors.NotPending(index);
        }
        Guards.notAfter(job.deadline);
    }
}
