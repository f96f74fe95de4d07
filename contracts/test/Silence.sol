// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {BURNT} from "../src/Token.sol";
import {Assurance, Job, State, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Each party falls silent at each point, and with it everybody else: how the job ends when a stranger says that time is
/// over, and who has got what. What is not in a row goes back: the escrow to the requester, the bond to the team.
abstract contract Silence is Scene {
    uint128 internal constant SHARE = PRICE * 8 / 10;
    uint128 internal constant LAST = PRICE * 2 / 10;

    /// Parts of the escrow.
    struct Escrow {
        uint256 team;
        uint256 burnt;
        uint256 committee;
    }

    /// Parts of the team's bond.
    struct Bond {
        uint256 burnt;
        uint256 requester;
        uint256 challenger;
    }

    struct Row {
        Assurance level;
        /// Where the silence begins.
        State from;
        string silent;
        State end;
        Escrow escrow;
        Bond bond;
    }

    function row(function() internal returns (bytes32) begin, Row memory r) internal {
        uint256 here = vm.snapshotState();
        uint256 stakes = vault.free(provider) + vault.free(partner);
        bytes32 id = begin();
        if (market.termsOf(id).checks.level != r.level || market.jobOf(id).state != r.from) {
            revert Different(r.silent, bytes32(uint256(market.jobOf(id).state)), bytes32(uint256(r.from)));
        }
        pass(id);
        Job memory job = market.jobOf(id);
        eq(uint256(job.state), uint256(r.end), r.silent);
        eq(job.earned, r.escrow.team, r.silent);
        eq(market.owed(BURNT), r.escrow.burnt, r.silent);
        uint256 fees = 0;
        for (uint256 i = 0; i < 3; ++i) {
            fees += market.owed(validators[i]);
        }
        eq(fees, r.escrow.committee, r.silent);
        Terms memory t = market.termsOf(id);
        uint256 tasks = 3 + (r.level == Assurance.Optimistic ? t.training.segments : 0);
        uint256 escrow = PRICE * t.training.segments + tasks * t.committee.threshold * FEE;
        eq(market.owed(requester), escrow - job.earned - r.escrow.burnt - fees, r.silent);
        eq(vault.owed(BURNT), r.bond.burnt, r.silent);
        eq(vault.owed(requester), r.bond.requester, r.silent);
        eq(vault.owed(challenger), r.bond.challenger, r.silent);
        uint256 lost = r.bond.burnt + r.bond.requester + r.bond.challenger;
        eq(vault.free(provider) + vault.free(partner), stakes - lost, r.silent);
        solvent();
        vm.revertToState(here);
    }

    /// Nobody does anything but a stranger, and that much later than it could be done.
    function pass(bytes32 id) internal {
        for (uint256 i = 0; market.jobOf(id).state < State.Cancelled; ++i) {
            yes(i < 4, "too many steps to an end");
            vm.warp(vm.getBlockTimestamp() + 365 days);
            if (market.jobOf(id).openChallenges == 0) {
                vm.prank(stranger);
                market.advance(id);
                continue;
            }
            // A challenge that nobody takes to its end holds the job for as long as that; anyone may.
            bytes memory advance = abi.encodeCall(market.advance, (id));
            refuses(stranger, advance, why(IMarketErrors.ChallengeOpen.selector));
            uint256 index = 0;
            while (market.claimOf(id, index).challenger == address(0)) ++index;
            vm.prank(stranger);
            market.slash(id, index);
        }
    }
}
