// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {Books} from "./Books.sol";
import {Guards} from "./Guards.sol";
import {Running} from "./Running.sol";
import {Sampling} from "./Sampling.sol";
import {Starting} from "./Starting.sol";
import {Job, State, Store} from "./Types.sol";

/// @title What happens when a state's time is over. Anyone may say so.
library Clock {
    /// @notice Takes a job on, from a state whose time is over.
    function advance(Store storage s, bytes32 id) external {
        Job storage job = s.jobs[id];
        State state = job.state;
        if (state == State.None || state >= State.Cancelled) revert IMarketErrors.WrongState(id, state);
        Guards.onlyAfter(job.deadline);
        if (state == State.Open) Books.end(s, id, State.Expired, 0);
        else if (state == State.Assigned) Starting.handBack(s, id, false);
        else if (state == State.Running) stop(s, id);
        // The secret did not come.
        else if (state == State.Drawing) Sampling.payRest(s, id);
        else if (state == State.Proving) Books.slash(s, id, address(0));
        // Nothing was handed over, or nobody attested that it was.
        else if (state == State.Delivering) Books.end(s, id, State.Withheld, job.delivered ? job.held / 2 : 0);
        else if (state == State.Handed) Books.end(s, id, State.Completed, 0);
        // No decision.
        else Books.end(s, id, State.Withheld, job.held / 2);
    }

    /// The running time is over. What lapsed is paid first, an open challenge or window is waited for.
    function stop(Store storage s, bytes32 id) private {
        Job storage job = s.jobs[id];
        Running.settleLapsed(s, id);
        if (job.state != State.Running) return;
        if (job.openChallenges > 0) revert IMarketErrors.ChallengeOpen();
        Running.noOpenWindow(s, id);
        Books.fault(s, id);
    }
}
