// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Guards} from "./Guards.sol";
import {Sampling} from "./Sampling.sol";
import {Segments} from "./Segments.sol";
import {Assurance, Claim, Job, State, Store} from "./Types.sol";

/// @title Claims, proofs and payment of segments.
library Running {
    /// @notice Claims the next segments by the digests of their last parameters.
    function claim(Store storage s, bytes32 id, uint256 index, bytes32[] calldata lasts) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Assurance level = s.terms[id].checks.level;
        if (level == Assurance.Proven) revert IMarketErrors.WrongLevel(level);
        Guards.asProvider(s, job);
        Guards.notAfter(job.deadline);
        uint256 claimed = job.claimed;
        if (index != claimed) revert IMarketErrors.WrongIndex(claimed, index);
        uint256 end = claimed + lasts.length;
        if (lasts.length == 0) revert IMarketErrors.NoClaims();
        if (lasts.length > Bounds.CLAIMS) revert IMarketErrors.TooManyClaims(Bounds.CLAIMS);
        if (end > job.total) revert IMarketErrors.TooManyClaims(job.total);
        if (level == Assurance.Optimistic && end - job.settled > s.terms[id].checks.maxPending) {
            revert IMarketErrors.TooManyClaims(s.terms[id].checks.maxPending);
        }
        bytes32 claims = job.claims;
        for (uint256 i = 0; i < lasts.length; ++i) {
            s.claims[id][claimed + i].last = lasts[i];
            claims = keccak256(abi.encode(claims, lasts[i]));
            emit IMarketEvents.Claimed(id, claimed + i, lasts[i]);
        }
        job.claims = claims;
        // Not over `total`.
        job.claimed = uint16(end);
        if (level == Assurance.Sampled && end == job.total) Sampling.close(s, id);
    }

    /// @notice Proves a segment. The proof of a claim may come from anyone: it must end where the claim does. Where the proof
    /// itself says where the segment ends, only the provider may bring it: whoever knows data and weights could
    /// prove an end with blindings of its own, from which the provider cannot go on.
    function prove(Store storage s, bytes32 id, uint256 index, bytes calldata proof) external {
        Job storage job = s.jobs[id];
        if (job.state == State.Proving) return Sampling.prove(s, id, index, proof);
        Guards.inState(s, id, State.Running);
        Assurance level = s.terms[id].checks.level;
        if (level == Assurance.Proven) {
            Guards.asProvider(s, job);
            if (index != job.settled) revert IMarketErrors.WrongIndex(job.settled, index);
            Guards.notAfter(job.deadline);
            bytes32 last = Segments.verify(s, id, index, proof);
            job.claimed += 1;
            emit IMarketEvents.Proved(id, index, last, msg.sender);
            Books.pay(s, id, 1, last);
            return Books.goOn(s, id);
        }
        if (index < job.settled || index >= job.claimed) revert IMarketErrors.NotPending(index);
        Claim storage c = s.claims[id][index];
        if (level == Assurance.Sampled) {
            if (index != job.settled) revert IMarketErrors.WrongIndex(job.settled, index);
            Guards.notAfter(job.deadline);
            proveClaim(s, id, index, proof);
            Books.pay(s, id, 1, c.last);
            return Books.goOn(s, id);
        }
        if (c.proven) revert IMarketErrors.NotPending(index);
        Guards.notAfter(c.challenger == address(0) ? job.deadline : c.answerUntil);
        proveClaim(s, id, index, proof);
        if (c.challenger != address(0)) answer(s, id, index);
        settleLapsed(s, id);
    }

    /// @notice Pays what can be paid, in order.
    function settle(Store storage s, bytes32 id) external {
        Guards.inState(s, id, State.Running);
        if (settleLapsed(s, id) == 0) revert IMarketErrors.NothingToSettle();
    }

    /// @notice Leaves a job at a boundary: nothing that is settled is lost. Nobody leaves ahead of a challenge.
    function abandon(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Running);
        Guards.asProvider(s, job);
        if (job.openChallenges > 0) revert IMarketErrors.ChallengeOpen();
        settleLapsed(s, id);
        if (job.state != State.Running) return;
        noOpenWindow(s, id);
        Books.fault(s, id);
    }

    /// @notice Refuses while a claim, at the head of the queue or behind it, can still be challenged: a false one must not end
    /// as a mere default. No window starts after the running time, so that this is over some time. At most `maxPending` claims.
    function noOpenWindow(Store storage s, bytes32 id) internal view {
        if (s.terms[id].checks.level != Assurance.Optimistic) return;
        Job storage job = s.jobs[id];
        uint256 end = job.claimed;
        for (uint256 i = job.settled; i < end; ++i) {
            Claim storage c = s.claims[id][i];
            if (!c.proven && c.windowUntil != 0) Guards.onlyAfter(c.windowUntil);
        }
    }

    /// @notice Checks that a proof is of the claimed parameters, and marks the claim.
    function proveClaim(Store storage s, bytes32 id, uint256 index, bytes calldata proof) internal {
        Claim storage c = s.claims[id][index];
        bytes32 last = Segments.verify(s, id, index, proof);
        Guards.isLast(c, last);
        c.proven = true;
        emit IMarketEvents.Proved(id, index, last, msg.sender);
    }

    /// @notice Pays the first claims that are proven, or whose window passed without a challenge; at most `maxPending`.
    function settleLapsed(Store storage s, bytes32 id) internal returns (uint256 count) {
        if (s.terms[id].checks.level != Assurance.Optimistic) return 0;
        Job storage job = s.jobs[id];
        uint256 from = job.settled;
        uint256 end = job.claimed;
        bytes32 current;
        while (from + count < end) {
            Claim storage c = s.claims[id][from + count];
            bool lapsed = c.windowUntil != 0 && block.timestamp > c.windowUntil && c.challenger == address(0);
            if (!c.proven && !lapsed) break;
            current = c.last;
            ++count;
        }
        if (count > 0) {
            Books.pay(s, id, count, current);
            Books.goOn(s, id);
        }
    }

    function answer(Store storage s, bytes32 id, uint256 index) private {
        Job storage job = s.jobs[id];
        Claim storage c = s.claims[id][index];
        address challenger = c.challenger;
        c.challenger = address(0);
        job.openChallenges -= 1;
        uint256 bond = s.terms[id].price.challengeBond;
        emit IMarketEvents.Answered(id, index, challenger, bond);
        s.vault.take(Books.challengeBond(id, index), challenger, job.owner, bond);
    }
}
