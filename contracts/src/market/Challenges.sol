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
    function confirmOpening(Store storage s, bytes32 id, uint256 index, bytes32 last) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asRequester(job);
        Guards.isLast(s.claims[id][index], last);
        startWindow(s, id, index);
    }

    /// @notice Challenges a claim whose opening the caller has checked, and which differs from its own run.
    function challenge(Store storage s, bytes32 id, uint256 index, bytes32 last) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Claim storage c = s.claims[id][index];
        Guards.isLast(c, last);
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
        Claim storage c = canOpen(s, id, index);
        if (c.windowUntil != 0) revert IMarketErrors.NotPending(index);
        c.windowUntil = uint40(block.timestamp + s.terms[id].times.windowSecs);
        emit IMarketEvents.WindowStarted(id, index, c.windowUntil);
    }

    /// @notice The claim, if its window can start, or is open. Openings come in order: a claim behind one that nobody can check
    /// may be trained from false parameters, so that whoever compares it with an honest run would challenge a claim that
    /// can be proven, and lose.
    function canOpen(Store storage s, bytes32 id, uint256 index) internal view returns (Claim storage c) {
        Guards.level(s, id, Assurance.Optimistic);
        Job storage job = s.jobs[id];
        c = s.claims[id][index];
        if (index < job.settled || index >= job.claimed || c.proven) revert IMarketErrors.NotPending(index);
        // Back to one that was opened: what is before that was opened or proven then.
        for (uint256 i = index; i > job.settled; --i) {
            Claim storage before = s.claims[id][i - 1];
            if (before.windowUntil != 0) break;
            if (!before.proven) revert IMarketErrors.NotOpened(i - 1);
        }
        Guards.notAfter(c.windowUntil == 0 ? job.deadline : c.windowUntil);
    }
}
