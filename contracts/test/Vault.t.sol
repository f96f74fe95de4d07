// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {BURNT} from "../src/Token.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Stake, its way out, and who may take it.
contract VaultTest is Scene {
    function asMarket(bytes memory call) private {
        vm.prank(address(market));
        (bool done, bytes memory got) = address(vault).call(call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(got, 32), mload(got))
            }
        }
    }

    function denied(address who, bytes memory call, bytes memory reason) private {
        refusesAt(address(vault), who, call, reason);
    }

    function test_only_the_market_moves_bonds() public {
        bytes memory no = why(IStakeVault.NotMarket.selector, stranger);
        denied(stranger, abi.encodeCall(vault.lock, (0, provider, 1)), no);
        denied(stranger, abi.encodeCall(vault.release, (0, provider)), no);
        denied(stranger, abi.encodeCall(vault.back, (provider, 1)), no);
        denied(stranger, abi.encodeCall(vault.take, (0, provider, stranger, 0)), no);
        denied(stranger, abi.encodeCall(vault.takeStake, (provider, 1, stranger)), no);
        eq(vault.market(), address(market), "market");
    }

    function test_deposits_are_real_amounts() public {
        Permit memory none;
        bytes4 bad = IStakeVault.BadAmount.selector;
        denied(requester, abi.encodeCall(vault.deposit, (0, none)), why(bad, uint256(0)));
        uint256 wide = uint256(type(uint128).max) + 1;
        denied(requester, abi.encodeCall(vault.deposit, (wide, none)), why(bad, wide));
        // Not too wide, but more than there is: the token says so.
        bytes memory few = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientBalance.selector, requester, token.balanceOf(requester), wide - 1
        );
        denied(requester, abi.encodeCall(vault.deposit, (wide - 1, none)), few);
        denied(requester, abi.encodeCall(vault.startExit, (0)), why(bad, uint256(0)));
    }

    function test_stake_leaves_after_its_time() public {
        stake(requester, 100);
        bytes memory more = abi.encodeCall(vault.startExit, (101));
        denied(requester, more, abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, requester, 100, 101));
        vm.prank(requester);
        vault.startExit(60);
        eq(vault.free(requester), 40, "free");
        eq(vault.leaving(requester), 60, "leaving");
        uint256 start = vm.getBlockTimestamp();
        vm.warp(start + vault.unbondingSecs() - 1);
        bytes memory finish = abi.encodeCall(vault.finishExits, (requester));
        bytes memory nothing = why(IStakeVault.NothingOwed.selector, requester);
        denied(stranger, finish, nothing);
        vm.prank(requester);
        vault.startExit(1);
        vm.warp(start + vault.unbondingSecs());
        vm.prank(stranger);
        eq(vault.finishExits(requester), 60, "the first only");
        eq(vault.leaving(requester), 1, "the second waits");
        denied(stranger, abi.encodeCall(vault.withdraw, (stranger)), why(IStakeVault.NothingOwed.selector, stranger));
        uint256 before = token.balanceOf(requester);
        vm.prank(stranger);
        vault.withdraw(requester);
        eq(token.balanceOf(requester), before + 60, "to its owner");
        solvent();
    }

    function test_exits_are_few_and_never_stick() public {
        stake(requester, 100);
        for (uint256 i = 0; i < 16; ++i) {
            vm.prank(requester);
            vault.startExit(2);
        }
        bytes memory more = abi.encodeCall(vault.startExit, (1));
        denied(requester, more, why(IStakeVault.TooManyExits.selector, uint256(16)));
        // All of it is taken; the empty exits still go.
        asMarket(abi.encodeCall(vault.takeStake, (requester, 100, stranger)));
        eq(vault.leaving(requester), 0, "empty");
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
        eq(vault.finishExits(requester), 0, "nothing left");
        stake(requester, 1);
        vm.prank(requester);
        vault.startExit(1);
        solvent();
    }

    /// What leaves first is taken first, also when older exits have left: what is left stays within reach for longest.
    function test_what_leaves_first_is_taken_first() public {
        stake(requester, 100);
        uint256[4] memory amounts = [uint256(10), 20, 30, 40];
        uint256[4] memory freeAt;
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(requester);
            vault.startExit(amounts[i]);
            freeAt[i] = vm.getBlockTimestamp() + vault.unbondingSecs();
            vm.warp(vm.getBlockTimestamp() + 1 days);
        }
        // The first leaves; the order of the others stays.
        vm.warp(freeAt[0]);
        eq(vault.finishExits(requester), 10, "the first");
        asMarket(abi.encodeCall(vault.takeStake, (requester, 25, stranger)));
        vm.warp(freeAt[1]);
        eq(vault.finishExits(requester), 0, "all of the second is taken");
        vm.warp(freeAt[2]);
        eq(vault.finishExits(requester), 25, "and five of the third");
        vm.warp(freeAt[3]);
        eq(vault.finishExits(requester), 40, "nothing of the last");
        eq(vault.owed(stranger) + vault.owed(BURNT), 25, "taken");
        solvent();
    }

    /// Some leave while others wait; those keep their amounts and times.
    function test_many_exits_leave_at_once() public {
        stake(requester, 100);
        for (uint256 i = 1; i <= 6; ++i) {
            vm.prank(requester);
            vault.startExit(i);
            if (i == 4) vm.warp(vm.getBlockTimestamp() + 1 days);
        }
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs() - 1 days);
        eq(vault.finishExits(requester), 1 + 2 + 3 + 4, "four");
        eq(vault.leaving(requester), 5 + 6, "two wait");
        denied(
            stranger, abi.encodeCall(vault.finishExits, (requester)), why(IStakeVault.NothingOwed.selector, requester)
        );
        vm.warp(vm.getBlockTimestamp() + 1 days);
        eq(vault.finishExits(requester), 5 + 6, "then they leave");
        solvent();
    }

    function test_locked_stake_cannot_leave() public {
        stake(requester, 100);
        asMarket(abi.encodeCall(vault.lock, (bytes32("bond"), requester, 70)));
        denied(
            requester,
            abi.encodeCall(vault.startExit, (31)),
            abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, requester, 30, 31)
        );
        denied(
            address(market),
            abi.encodeCall(vault.lock, (bytes32("bond"), requester, 1)),
            abi.encodeWithSelector(IStakeVault.BondExists.selector, bytes32("bond"), requester)
        );
        denied(
            address(market),
            abi.encodeCall(vault.take, (bytes32("bond"), requester, stranger, 71)),
            abi.encodeWithSelector(IStakeVault.BondTooSmall.selector, bytes32("bond"), requester, 70, 71)
        );
        asMarket(abi.encodeCall(vault.take, (bytes32("bond"), requester, stranger, 20)));
        asMarket(abi.encodeCall(vault.release, (bytes32("bond"), requester)));
        eq(vault.free(requester), 80, "the rest is free");
        eq(vault.owed(stranger), 20, "taken");
        eq(vault.bonded(bytes32("bond"), requester), 0, "no bond");
    }

    /// The market releases all bonds of a team at an end, also those that a slash took whole: nothing is made of nothing.
    function test_releasing_no_bond_frees_nothing() public {
        stake(requester, 100);
        bytes32 bond = bytes32("bond");
        bytes memory release = abi.encodeCall(vault.release, (bond, requester));
        vm.expectEmit(address(vault));
        emit IStakeVault.Released(bond, requester, 0);
        asMarket(release);
        eq(vault.free(requester), 100, "there was none");
        asMarket(abi.encodeCall(vault.lock, (bond, requester, 70)));
        asMarket(release);
        asMarket(release);
        eq(vault.free(requester), 100, "it was released already");
        asMarket(abi.encodeCall(vault.lock, (bond, requester, 70)));
        asMarket(abi.encodeCall(vault.take, (bond, requester, stranger, 70)));
        asMarket(release);
        eq(vault.free(requester), 30, "all of it was taken");
        // Somebody else's bond of the same name stays.
        asMarket(abi.encodeCall(vault.lock, (bond, provider, 70)));
        asMarket(release);
        eq(vault.bonded(bond, provider), 70, "another's");
        asMarket(abi.encodeCall(vault.release, (bond, provider)));
        solvent();
    }

    function testFuzz_what_is_taken_adds_up(uint96 free, uint96 first, uint96 second, uint128 most) public {
        free = free % 1e20 + 3;
        first = first % free;
        second = second % (free - first);
        stake(requester, free);
        if (first > 0) {
            vm.prank(requester);
            vault.startExit(first);
        }
        if (second > 0) {
            vm.prank(requester);
            vault.startExit(second);
        }
        asMarket(abi.encodeCall(vault.takeStake, (requester, most, stranger)));
        uint256 taken = most < free ? most : free;
        eq(vault.free(requester) + vault.leaving(requester), free - taken, "left");
        eq(vault.owed(stranger), taken / 10, "a tenth");
        eq(vault.owed(BURNT), taken - taken / 10, "the rest");
        solvent();
    }
}
