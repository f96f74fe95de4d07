// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Roles} from "../libraries/Roles.sol";
import {BURNT} from "../Token.sol";
import {Books} from "./Books.sol";
import {Bounds} from "./Bounds.sol";
import {Guards} from "./Guards.sol";
import {Opening} from "./Opening.sol";
import {Typed} from "./Typed.sol";
import {Job, Member, Price, Seat, State, Store, Terms} from "./Types.sol";

/// @title From the offer to the start: price, team, bonds, hand-over.
library Starting {
    /// @notice Accepts a job alone.
    function accept(Store storage s, bytes32 id, uint256 minPrice) external {
        assign(s, id, minPrice);
        join(s, id, Member(msg.sender, Bounds.WHOLE_BPS, s.terms[id].price.bond));
        announce(s, id);
    }

    /// @notice Accepts a job as the lead of a team, whose members have signed.
    function acceptAsTeam(Store storage s, bytes32 id, uint256 minPrice, Seat[] calldata seats, bytes32 domain)
        external
    {
        assign(s, id, minPrice);
        if (seats.length == 0 || seats.length > Bounds.TEAM) revert IMarketErrors.BadTeam();
        if (seats[0].member.owner != msg.sender) revert IMarketErrors.BadTeam();
        // Else requester, lead and challenger in one hand would gain from a slash: half of all bonds comes back to them.
        uint256 least = (uint256(s.terms[id].price.bond) + 1) / 2;
        if (seats[0].member.bond < least) revert IMarketErrors.LeadBondTooSmall(seats[0].member.bond, least);
        uint256 shares = 0;
        uint256 bonds = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            Seat calldata seat = seats[i];
            shares += seat.member.shareBps;
            bonds += seat.member.bond;
            if (i > 0) consent(s, id, seat, minPrice, domain);
            join(s, id, seat.member);
        }
        if (shares != Bounds.WHOLE_BPS || bonds != s.terms[id].price.bond) revert IMarketErrors.BadTeam();
        announce(s, id);
    }

    /// @notice Gives a job back before it started.
    function decline(Store storage s, bytes32 id) external {
        Guards.asProvider(s, Guards.inState(s, id, State.Assigned));
        handBack(s, id, true);
    }

    /// @notice Starts: the provider has data, first weights and blindings, and they open the commitments of the terms.
    function start(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Assigned);
        Guards.asProvider(s, job);
        Guards.notAfter(job.deadline);
        job.state = State.Running;
        job.deadline = uint40(block.timestamp + s.terms[id].times.runSecs);
        emit IMarketEvents.Started(id, job.deadline);
    }

    /// @notice Opens the job again, for a small fee that goes to nobody.
    function handBack(Store storage s, bytes32 id, bool declined) internal {
        Job storage job = s.jobs[id];
        Terms storage terms = s.terms[id];
        address owner = job.owner;
        Member[] storage team = s.teams[id];
        for (uint256 i = 0; i < team.length; ++i) {
            uint256 part = uint256(terms.price.handBackFee) * team[i].bond / terms.price.bond;
            s.vault.take(id, team[i].owner, BURNT, part);
        }
        Books.releaseBonds(s, id);
        delete s.teams[id];
        // Its start was due `startSecs` after it was accepted. The price stood still since then: nobody makes a job dearer by
        // holding it.
        job.rampFrom += uint40(block.timestamp) - (job.deadline - terms.times.startSecs);
        job.acceptFrom = uint64(block.number + Bounds.REOPEN_BLOCKS);
        job.owner = address(0);
        job.price = 0;
        job.state = State.Open;
        job.deadline = job.openedAt + terms.times.openSecs;
        emit IMarketEvents.HandedBack(id, owner, declined, job.deadline);
    }

    /// @notice Price of a segment now.
    function priceNow(Store storage s, bytes32 id) internal view returns (uint128) {
        Price storage p = s.terms[id].price;
        uint256 passed = block.timestamp - s.jobs[id].rampFrom;
        if (passed >= p.rampSecs) return p.max;
        // Between the two.
        return uint128(p.start + uint256(p.max - p.start) * passed / p.rampSecs);
    }

    function assign(Store storage s, bytes32 id, uint256 minPrice) private {
        Job storage job = Guards.inState(s, id, State.Open);
        Guards.notAfter(job.deadline);
        if (block.number < job.acceptFrom) revert IMarketErrors.TooEarly(job.acceptFrom - 1);
        Opening.checkCode(s.terms[id].training);
        uint128 price = priceNow(s, id);
        if (price < minPrice) revert IMarketErrors.PriceTooLow(price, minPrice);
        job.state = State.Assigned;
        job.owner = msg.sender;
        job.price = price;
        job.deadline = uint40(block.timestamp + s.terms[id].times.startSecs);
    }

    function consent(Store storage s, bytes32 id, Seat calldata seat, uint256 minPrice, bytes32 domain) private {
        if (block.timestamp > seat.expiry) revert IMarketErrors.SignatureExpired(seat.expiry);
        Guards.spend(s, seat.member.owner, seat.nonce);
        bytes32 structHash = Typed.consent(id, msg.sender, seat, minPrice);
        Guards.signed(seat.member.owner, domain, structHash, seat.signature);
    }

    function join(Store storage s, bytes32 id, Member memory member) private {
        if (!s.nodes.hasRole(member.owner, Roles.PROVIDER)) {
            revert IMarketErrors.NotRegistered(member.owner, Roles.PROVIDER);
        }
        // Nobody attests its own work.
        if (Guards.isIn(s.terms[id].committee.members, member.owner)) revert IMarketErrors.InCommittee(member.owner);
        // Without a bond the same member could join twice.
        if (member.bond == 0) revert IMarketErrors.NoBond(member.owner);
        s.teams[id].push(member);
        s.vault.lock(id, member.owner, member.bond);
    }

    function announce(Store storage s, bytes32 id) private {
        Job storage job = s.jobs[id];
        emit IMarketEvents.Accepted(id, job.owner, job.price, s.teams[id], job.deadline);
    }
}
