// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

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

    /// 2, 3 and 5: ended jobs never change; a segment is paid once, for a reason, at its price, the last share only for
    /// a delivery or a divergence, the royalty to the data owner; what is slashed is the bond, in its parts; no default
    /// ends an open window.
    function invariant_jobs() public view {
        handler.checkJobs();
        handler.checkRoyalties();
    }

    /// 4: a way out of every state.
    function invariant_every_job_ends() public {
        handler.checkEnds();
    }

    /// 6: stake behind a word stays within reach. Each decision of the committee looks as well whether that is for long
    /// enough.
    function invariant_stake_behind_words() public view {
        handler.checkWords();
    }

    /// 7: counters are the numbers of ends.
    function invariant_counters() public view {
        handler.checkCounters();
    }

    /// Every action really does something, every task is voted on, every end is reached, royalties are paid, and the
    /// griefer tries every call: long walks from a fixed seed reach each.
    function test_every_action_is_reached() public {
        uint256[][] memory all = handler.coverage();
        uint256 missing = 1;
        for (uint256 walks = 0; missing > 0; ++walks) {
            if (walks == 30) isWhole(all);
            handler = new Handler();
            walk(walks, 600);
            handler.checkBooks();
            handler.checkJobs();
            handler.checkRoyalties();
            handler.checkCounters();
            handler.checkWords();
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
        }
    }

    /// Adds up, and counts what is not there.
    function add(uint256[][] memory all, uint256[][] memory more) private pure returns (uint256 missing) {
        for (uint256 i = 0; i < all.length; ++i) {
            for (uint256 k = 0; k < all[i].length; ++k) {
                all[i][k] += more[i][k];
                if (all[i][k] == 0) ++missing;
            }
        }
    }

    function isWhole(uint256[][] memory all) private pure {
        string[6] memory what = ["action", "call of the griefer", "what anyone may do", "vote", "end", "sight"];
        for (uint256 i = 0; i < all.length; ++i) {
            for (uint256 k = 0; k < all[i].length; ++k) {
                if (all[i][k] == 0) revert Different(what[i], bytes32(k), "never reached");
            }
        }
    }
}
