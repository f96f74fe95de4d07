// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {State, Task} from "../src/market/Types.sol";
import {Handler} from "./Handler.sol";
import {Test} from "./Vm.sol";

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

    /// 2, 3 and 5: ended jobs never change; a segment is paid once, for a reason, at its price, the last share only for a
    /// delivery or a divergence; what is slashed is within the bond; no default ends an open window.
    function invariant_jobs() public view {
        handler.checkJobs();
    }

    /// 4: a way out of every state.
    function invariant_every_job_ends() public {
        handler.checkEnds();
    }

    /// 6: stake behind a word stays within reach.
    function invariant_stake_behind_words() public view {
        handler.checkWords();
    }

    /// 7: counters are the numbers of ends.
    function invariant_counters() public view {
        handler.checkCounters();
    }

    /// Every action really does something, every task is voted on, every end is reached, and the griefer tries every call: long
    /// walks from a fixed seed reach each.
    function test_every_action_is_reached() public {
        bytes4[] memory actions = handler.actions();
        uint256 walks = 0;
        uint256[] memory reached = new uint256[](actions.length);
        uint256[] memory griefs = new uint256[](handler.CALLS());
        uint256[] memory votes = new uint256[](4);
        uint256[] memory ends = new uint256[](uint256(State.Diverged) + 1);
        uint256 griefed = 0;
        uint256 missing = actions.length;
        while (missing > 0) {
            if (walks == 30) {
                for (uint256 k = 0; k < actions.length; ++k) {
                    if (reached[k] == 0) revert Different("action never reached", actions[k], 0);
                }
                for (uint256 k = 0; k < ends.length; ++k) {
                    if (k >= uint256(State.Cancelled) && ends[k] == 0) revert Different("no such end", bytes32(k), 0);
                }
                for (uint256 k = 0; k < votes.length; ++k) {
                    if (votes[k] == 0) revert Different("no such vote", bytes32(k), 0);
                }
            }
            handler = new Handler();
            for (uint256 i = 0; i < 600; ++i) {
                uint256 seed = uint256(keccak256(abi.encode(walks, i)));
                uint256 k = seed % actions.length;
                (bool done, bytes memory got) = address(handler).call(abi.encodeWithSelector(actions[k], seed >> 8));
                if (!done) {
                    assembly ("memory-safe") {
                        revert(add(got, 32), mload(got))
                    }
                }
            }
            handler.checkBooks();
            handler.checkJobs();
            handler.checkCounters();
            handler.checkWords();
            handler.checkEnds();
            missing = 0;
            for (uint256 k = 0; k < handler.CALLS(); ++k) {
                griefs[k] += handler.did(k) + handler.failed(k);
                griefed += handler.did(k);
                if (griefs[k] == 0) ++missing;
            }
            for (uint256 k = 0; k < actions.length; ++k) {
                reached[k] += handler.reached(actions[k]);
                if (reached[k] == 0) ++missing;
            }
            for (uint256 k = 0; k < votes.length; ++k) {
                votes[k] += handler.votes(Task(k));
                if (votes[k] == 0) ++missing;
            }
            for (uint256 k = uint256(State.Cancelled); k < ends.length; ++k) {
                ends[k] += handler.endsIn(State(k));
                if (ends[k] == 0) ++missing;
            }
            ++walks;
        }
        yes(griefed > 0, "the griefer does what anyone may do");
    }
}
