// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {BURNT} from "../Token.sol";
import {Bounds} from "./Bounds.sol";
import {Claim, Job, Member, State, Store, Terms} from "./Types.sol";

/// @title Who gets what: payment of segments, and the ends of a job.
library Books {
    /// @notice Lets an account withdraw more.
    function credit(Store storage s, bytes32 id, address account, uint256 amount) internal {
        if (amount == 0) return;
        s.owed[account] += amount;
        emit IMarketEvents.Owed(id, account, amount);
    }

    /// @notice Pays the next `count` segments; `current` are the parameters behind them.
    function pay(Store storage s, bytes32 id, uint256 count, bytes32 current) internal {
        Job storage job = s.jobs[id];
        Terms storage terms = s.terms[id];
        uint128 price = job.price;
        uint128 royalty = price * terms.training.royaltyBps / Bounds.WHOLE_BPS;
        uint128 last = price * terms.price.lastShareBps / Bounds.WHOLE_BPS;
        // At most 4096 segments.
        uint16 n = uint16(count);
        uint16 from = job.settled;
        job.settled = from + n;
        job.current = current;
        job.escrow -= n * (price - last);
        job.held += n * last;
        job.earned += n * (price - royalty - last);
        emit IMarketEvents.Settled(id, from, count, current, n * (price - royalty - last), n * royalty, n * last);
        credit(s, id, job.royaltyTo, n * royalty);
    }

    /// @notice Goes on if every segment is paid: to the delivery, or to the end of a job that diverged.
    function goOn(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        if (job.settled < job.total) return;
        if (job.diverged) return end(s, id, State.Diverged, 0);
        job.state = State.Delivering;
        job.deadline = uint40(block.timestamp + s.terms[id].times.deliverSecs);
        emit IMarketEvents.DeliveryDue(id, job.deadline);
    }

    /// @notice Ends a job. `burnt` of its escrow goes to nobody, the last shares to the team if there is no fault of its, and the
    /// rest to the requester. What is left of the bonds is free again.
    function end(Store storage s, bytes32 id, State state, uint128 burnt) internal {
        Job storage job = s.jobs[id];
        if (state == State.Completed || state == State.Diverged) {
            job.earned += job.held;
            job.escrow -= job.held;
        }
        uint256 refund = job.escrow - burnt;
        job.state = state;
        job.deadline = 0;
        job.escrow = 0;
        job.held = 0;
        job.fees = 0;
        emit IMarketEvents.Ended(id, state, refund, burnt);
        credit(s, id, BURNT, burnt);
        credit(s, id, job.requester, refund);
        releaseBonds(s, id);
        if (job.owner != address(0)) s.nodes.record(job.owner, uint8(state));
        s.nodes.record(job.requester, asRequester(state));
    }

    /// @notice How the register counts an end for the requester.
    function asRequester(State state) internal pure returns (uint8) {
        return uint8(state) | 0x80;
    }

    /// @notice Ends a job that was too slow, or was left: a tenth of the bond, for the part not done, is burnt.
    function fault(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        Member[] storage team = s.teams[id];
        for (uint256 i = 0; i < team.length; ++i) {
            uint256 part = team[i].bond * uint256(job.total - job.settled) / (Bounds.DEFAULT_PART * job.total);
            s.vault.take(id, team[i].owner, BURNT, part);
        }
        end(s, id, State.Defaulted, 0);
    }

    /// @notice Ends a job with a claim that was not proven when due: half of the bond is burnt, a quarter each goes to the
    /// challenger and the requester; without a challenger its quarter is burnt too.
    function slash(Store storage s, bytes32 id, address challenger) internal {
        Job storage job = s.jobs[id];
        Member[] storage team = s.teams[id];
        for (uint256 i = 0; i < team.length; ++i) {
            uint256 quarter = team[i].bond / 4;
            address to = challenger == address(0) ? BURNT : challenger;
            s.vault.take(id, team[i].owner, job.requester, quarter);
            s.vault.take(id, team[i].owner, to, quarter);
            s.vault.take(id, team[i].owner, BURNT, team[i].bond - 2 * quarter);
        }
        // Claims of Sampled jobs have no challengers, and may be many.
        if (job.openChallenges > 0) releaseChallenges(s, id);
        end(s, id, State.Slashed, 0);
    }

    /// @notice Splits what the team has earned. Before the end only what divides, so that nobody collects a member's part away;
    /// then what does not divide goes to the lead.
    function collect(Store storage s, bytes32 id) internal {
        Job storage job = s.jobs[id];
        uint128 later = job.state < State.Cancelled ? job.earned % Bounds.WHOLE_BPS : 0;
        uint256 amount = job.earned - later;
        if (amount == 0) revert IMarketErrors.NothingOwed(job.owner);
        job.earned = later;
        emit IMarketEvents.Collected(id, amount);
        Member[] storage team = s.teams[id];
        uint256 rest = amount;
        for (uint256 i = 1; i < team.length; ++i) {
            uint256 part = amount * team[i].shareBps / Bounds.WHOLE_BPS;
            rest -= part;
            credit(s, id, team[i].owner, part);
        }
        credit(s, id, team[0].owner, rest);
    }

    /// @notice Frees what is left of the team's bonds.
    function releaseBonds(Store storage s, bytes32 id) internal {
        Member[] storage team = s.teams[id];
        for (uint256 i = 0; i < team.length; ++i) {
            s.vault.release(id, team[i].owner);
        }
    }

    /// @notice Name of a challenger's bond in the vault.
    function challengeBond(bytes32 id, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(id, index));
    }

    function releaseChallenges(Store storage s, bytes32 id) private {
        Job storage job = s.jobs[id];
        for (uint256 i = job.settled; i < job.claimed; ++i) {
            Claim storage c = s.claims[id][i];
            if (c.challenger == address(0)) continue;
            s.vault.release(challengeBond(id, i), c.challenger);
            c.challenger = address(0);
        }
        job.openChallenges = 0;
    }
}
