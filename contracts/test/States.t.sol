// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Assurance, Member, Seat, State, Task} from "../src/market/Types.sol";
import {anytime} from "./Anytime.t.sol";
import {marketWrites, together} from "./Functions.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Each function in each state: refused with the state named, or not.
contract StatesTest is Scene {
    struct Row {
        string name;
        address who;
        bytes call;
        /// One bit for each state in which the function has work to do.
        uint256 states;
    }

    Row[] private table;

    function bit(State state) private pure returns (uint256) {
        return 1 << uint256(state);
    }

    function add(string memory name, address who, bytes memory call, uint256 states) private {
        table.push(Row(name, who, call, states));
    }

    function fill(bytes32 id) private {
        delete table;
        bytes32[] memory lasts = new bytes32[](1);
        Seat[] memory seats = new Seat[](1);
        seats[0].member = Member(provider, 10_000, BOND);
        uint256 run = bit(State.Running);
        uint256 handover = bit(State.Delivering) | bit(State.Handed) | bit(State.Disputed);
        uint256 live = bit(State.Cancelled) - 2;
        add("cancel", requester, abi.encodeCall(market.cancel, (id)), bit(State.Open));
        add("accept", provider, abi.encodeCall(market.accept, (id, 0)), bit(State.Open));
        add("acceptAsTeam", provider, abi.encodeCall(market.acceptAsTeam, (id, 0, seats)), bit(State.Open));
        add("decline", provider, abi.encodeCall(market.decline, (id)), bit(State.Assigned));
        add("start", provider, abi.encodeCall(market.start, (id)), bit(State.Assigned));
        add("claim", provider, abi.encodeCall(market.claim, (id, 2, lasts)), run);
        add("prove", stranger, abi.encodeCall(market.prove, (id, 0, "")), run | bit(State.Proving));
        add("settle", stranger, abi.encodeCall(market.settle, (id)), run);
        add("abandon", provider, abi.encodeCall(market.abandon, (id)), run);
        add("confirmOpening", requester, confirming(id, 0), run);
        add("challenge", challenger, contesting(id, 0), run);
        add("slash", stranger, abi.encodeCall(market.slash, (id, 0)), run);
        add("keepHash", stranger, abi.encodeCall(market.keepHash, (id)), bit(State.Drawing));
        add("reveal", stranger, abi.encodeCall(market.reveal, (id, SECRET)), bit(State.Drawing));
        add("attest opening", stranger, vote(id, Task.Opening), run);
        add("attest divergence", stranger, vote(id, Task.Divergence), run);
        add("attest fetchable", stranger, vote(id, Task.Fetchable), bit(State.Delivering));
        add("attest decision", stranger, vote(id, Task.Decision), bit(State.Disputed));
        add("deliver", provider, abi.encodeCall(market.deliver, (id, 0)), bit(State.Delivering));
        add("acknowledge", requester, abi.encodeCall(market.acknowledge, (id)), handover);
        add("complain", requester, abi.encodeCall(market.complain, (id)), bit(State.Handed));
        add("advance", stranger, abi.encodeCall(market.advance, (id)), live);
    }

    function vote(bytes32 id, Task task) private view returns (bytes memory) {
        return abi.encodeCall(market.attest, (id, task, 0, YES, 0, ""));
    }

    function test_each_function_in_each_state() public {
        uint256 refused = 0;
        for (uint256 k = 0; k <= uint256(State.Diverged); ++k) {
            State state = State(k);
            bytes32 id = reach(state);
            inState(id, state);
            fill(id);
            for (uint256 i = 0; i < table.length; ++i) {
                Row memory row = table[i];
                uint256 here = vm.snapshotState();
                vm.prank(row.who);
                (bool done, bytes memory got) = address(market).call(row.call);
                bool namesState = !done && keccak256(got) == keccak256(wrongState(id, state));
                bool allowed = row.states & bit(state) != 0;
                if (namesState == allowed) revert Different(row.name, bytes32(k), bytes32(uint256(allowed ? 1 : 0)));
                if (namesState) ++refused;
                vm.revertToState(here);
            }
        }
        // 22 functions in 16 states, less the 32 places where they have work to do.
        eq(refused, 22 * 16 - 32, "refusals");
    }

    /// A function that is in neither table was forgotten: nobody said in which states it has work to do.
    function test_each_function_that_writes_is_in_a_table() public {
        fill(keccak256("job"));
        bytes4[] memory others = anytime();
        bytes4[] memory all = new bytes4[](table.length + others.length);
        for (uint256 i = 0; i < table.length; ++i) {
            all[i] = bytes4(table[i].call);
        }
        for (uint256 i = 0; i < others.length; ++i) {
            all[table.length + i] = others[i];
        }
        eq(together(all), marketWrites(), "functions that write");
    }

    function test_an_ended_job_never_changes() public {
        for (uint256 k = uint256(State.Cancelled); k <= uint256(State.Diverged); ++k) {
            bytes32 id = reach(State(k));
            bytes32 before = keccak256(abi.encode(market.jobOf(id)));
            fill(id);
            vm.warp(vm.getBlockTimestamp() + 365 days);
            for (uint256 i = 0; i < table.length; ++i) {
                vm.prank(table[i].who);
                (bool done,) = address(market).call(table[i].call);
                yes(!done, table[i].name);
            }
            eq(keccak256(abi.encode(market.jobOf(id))), before, "job");
        }
        solvent();
    }

    /// Mistake of others: a state with no way out.
    function test_every_state_ends_if_everybody_is_silent() public {
        for (uint256 k = uint256(State.Open); k < uint256(State.Cancelled); ++k) {
            bytes32 id = reach(State(k));
            for (uint256 i = 0; market.jobOf(id).state < State.Cancelled; ++i) {
                yes(i < 4, "too many steps to an end");
                late(id);
            }
        }
        solvent();
    }

    /// A word of the third member, which it could have brought before the other two.
    function lateWord(bytes32 id, uint32 index) private view returns (bytes memory) {
        bytes memory signature = voteSignature(id, Task.Divergence, index, YES, 1);
        return abi.encodeCall(market.attest, (id, Task.Divergence, index, YES, 1, signature));
    }

    /// Else it would be cut again, and paid for again.
    function test_a_job_diverges_once() public {
        bytes32 id = claimed(2);
        bytes memory again = lateWord(id, 2);
        agree(id, Task.Divergence, 2, YES);
        refuses(stranger, again, why(IMarketErrors.NotPending.selector, uint256(2)));
        // Nor do those two say it of the last segment that is left.
        bytes memory other = abi.encodeCall(market.attest, (id, Task.Divergence, 1, YES, 0, ""));
        refuses(stranger, other, why(IMarketErrors.NotPending.selector, uint256(1)));
        eq(market.jobOf(id).total, 2, "cut once");

        id = running(Assurance.Sampled);
        claim(id, 0, 2);
        again = lateWord(id, 2);
        agree(id, Task.Divergence, 2, YES);
        refuses(stranger, again, wrongState(id, State.Drawing));

        id = running(Assurance.Proven);
        again = lateWord(id, 0);
        agree(id, Task.Divergence, 0, YES);
        refuses(stranger, again, wrongState(id, State.Diverged));
        solvent();
    }
}
