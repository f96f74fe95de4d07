// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";
import {Test} from "../Vm.sol";

/// @notice The invariants, over random steps of every party.
contract InvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() public view returns (address[] memory all) {
        all = new address[](1);
        all[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory all) {
        all = new FuzzSelector[](1);
        all[0] = FuzzSelector(address(handler), handler.actions());
    }

    /// 1: market and vault have what their books say, and gifts.
    function invariant_books() public {
        handler.checkBooks();
    }

    /// 2, 3, 5: a job's total never grows and covers its counters; the escrow covers what is left; a job is paid for settled
    /// segments only. Beside each step: ended jobs and settled batches never change, nothing is settled with something due, no
    /// complaint takes a bond, a failed batch takes nothing from those before it, an unmet deadline pays nobody who caused it.
    function invariant_jobs() public {
        handler.checkJobs();
    }

    /// 4: a way out of every state.
    function invariant_every_job_ends() public {
        handler.checkEnds();
    }

    /// 6: stake behind jobs is there, and added up.
    function invariant_stakes() public view {
        handler.checkStakes();
    }

    /// 7: counters are the numbers of ends.
    function invariant_counters() public view {
        handler.checkCounters();
    }

    /// Pay follows the holder.
    function invariant_members() public view {
        handler.checkMembers();
    }

    /// Every action really does something, and every end, verdict and state of a batch is seen: long walks from a fixed seed reach each.
    function test_every_action_is_reached() public {
        uint256[] memory all = handler.coverage();
        uint256 missing = 1;
        for (uint256 walks = 0; missing > 0; ++walks) {
            if (walks == 12) isWhole(all);
            handler = new Handler();
            walk(walks, 600);
            handler.checkBooks();
            handler.checkCounters();
            handler.checkMembers();
            handler.checkStakes();
            handler.checkEnds();
            missing = add(all, handler.coverage());
        }
    }

    function walk(uint256 number, uint256 steps) private {
        bytes4[] memory actions = handler.actions();
        for (uint256 i = 0; i < steps; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(number, i)));
            bytes memory call = abi.encodeWithSelector(actions[seed % actions.length], seed >> 8);
            (bool done, bytes memory got) = address(handler).call(call);
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(got, 32), mload(got))
                }
            }
            if (i % 20 == 0) handler.checkJobs();
        }
    }

    /// Adds up, and counts what is not there.
    function add(uint256[] memory all, uint256[] memory more) private pure returns (uint256 missing) {
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] += more[i];
            if (all[i] == 0) ++missing;
        }
    }

    function isWhole(uint256[] memory all) private pure {
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i] == 0) revert Different("coverage", bytes32(i), "never reached");
        }
    }
}
