// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Opening} from "./Opening.sol";
import {Rules} from "./Rules.sol";
import {BURNT} from "./Token.sol";
import {Job, Paths, Price, State, Store, Terms} from "./Types.sol";

/// @title From the offer to the start: price, bond, hand-over.
library Starting {
    /// @notice Accepts a job.
    function accept(Store storage s, bytes32 id, uint256 minPrice, Paths calldata paths) external {
        Job storage job = Guards.inState(s, id, State.Open);
        Guards.notAfter(job.deadline);
        if (block.timestamp < job.acceptFrom) revert IMarketErrors.TooEarly(job.acceptFrom - 1);
        Terms storage terms = s.terms[id];
        Opening.checkCodes(terms.training);
        Guards.canTrain(s, id, msg.sender, paths);
        uint128 price = priceNow(s, id);
        if (price < minPrice) revert IMarketErrors.PriceTooLow(price, minPrice);
        job.state = State.Assigned;
        job.owner = msg.sender;
        job.price = price;
        job.royalty = job.royaltyTo == address(0) ? 0 : Rules.royalty(price, terms.training.royaltyBps, job.minRoyalty);
        job.deadline = uint40(block.timestamp + terms.times.startSecs);
        emit IMarketEvents.Accepted(id, msg.sender, price, job.royalty, job.deadline);
        s.vault.lock(id, msg.sender, terms.price.bond);
    }

    /// @notice Gives a job back before it started: the lead at any time, anyone when its time is over.
    function decline(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Assigned);
        if (!s.nodes.actsFor(msg.sender, job.owner)) Guards.onlyAfter(job.deadline);
        handBack(s, id);
    }

    /// @notice Starts: the provider has data, first weights and blindings, and they open the commitments of the terms.
    function start(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Assigned);
        Guards.asProvider(s, job);
        Guards.notAfter(job.deadline);
        job.state = State.Running;
        job.deadline = 0;
        job.progressAt = uint40(block.timestamp);
        uint128 excess = (s.terms[id].price.max - job.price) * job.total;
        uint128 fee = job.licenceFee;
        job.escrow -= excess + fee;
        emit IMarketEvents.Started(id, excess);
        Books.credit(s, id, job.royaltyTo, fee);
        Books.credit(s, id, job.requester, excess);
    }

    /// @notice Price of a segment now.
    function priceNow(Store storage s, bytes32 id) internal view returns (uint128) {
        Price storage p = s.terms[id].price;
        uint256 passed = block.timestamp - s.jobs[id].rampFrom;
        if (passed >= p.rampSecs) return p.max;
        // Between the two.
        return uint128(p.start + uint256(p.max - p.start) * passed / p.rampSecs);
    }

    /// Opens the job again, for a small fee from both sides that goes to nobody: the chain cannot see who is at fault. When the escrow
    /// has no more fees, the job ends.
    function handBack(Store storage s, bytes32 id) private {
        Job storage job = s.jobs[id];
        Terms storage terms = s.terms[id];
        address owner = job.owner;
        uint128 fee = terms.price.handBackFee;
        Books.burn(s, id, fee);
        s.vault.release(id, owner, s.vault.bonded(id, owner));
        job.escrow -= fee;
        job.handBacks += 1;
        // Its start was due `startSecs` after it was accepted. The price stood still since then: nobody makes a job dearer by
        // holding it.
        job.rampFrom += uint40(block.timestamp) - (job.deadline - terms.times.startSecs);
        job.acceptFrom = uint40(block.timestamp + terms.times.reopenSecs);
        job.owner = address(0);
        job.price = 0;
        job.royalty = 0;
        job.state = State.Open;
        job.deadline = job.openedAt + terms.times.openSecs;
        emit IMarketEvents.HandedBack(id, owner, fee, job.acceptFrom);
        Books.credit(s, id, BURNT, fee);
        if (job.handBacks == Bounds.HAND_BACKS) Books.end(s, id, State.Cancelled);
    }
}
