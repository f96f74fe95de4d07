// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault, Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {StakeVault} from "../../src/market/StakeVault.sol";
import {BURNT} from "../../src/market/Token.sol";
import {ComputeToken} from "../../src/registry/ComputeToken.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice Stake: what leaves at once, what backs jobs, and what only the market does.
contract VaultTest is Scene {
    function test_what_backs_nothing_leaves_at_once() public {
        running(true);
        address member = validators[0];
        bytes memory all = abi.encodeCall(vault.unstake, (10_000e18));
        bytes memory no =
            abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, member, 10_000e18 - STAKE, 10_000e18);
        refusesAt(address(vault), member, all, no);
        vm.prank(member);
        vault.unstake(10_000e18 - STAKE);
        vault.withdraw(member);
        eq(token.balanceOf(member), 1e24 - STAKE, "in the same second");
        bytes memory none = abi.encodeWithSelector(IStakeVault.BadAmount.selector, 0);
        refusesAt(address(vault), member, abi.encodeCall(vault.unstake, (0)), none);
        solvent();
    }

    function test_stake_behind_a_job_is_no_bond() public {
        bytes32 id = drawn();
        address member = validators[1];
        vm.prank(member);
        vault.unstake(10_000e18 - STAKE - CHALLENGE_BOND + 1);
        uint256 index = undrawnIn(id, 0);
        bytes memory call = abi.encodeCall(market.challenge, (id, index, lastOf(index)));
        bytes memory no =
            abi.encodeWithSelector(IStakeVault.StakeTooSmall.selector, member, CHALLENGE_BOND - 1, CHALLENGE_BOND);
        refuses(member, call, no);
        stake(member, 1);
        vm.prank(member);
        market.challenge(id, index, lastOf(index));
        solvent();
    }

    function test_only_the_market_moves_bonds() public {
        bytes memory no = abi.encodeWithSelector(IStakeVault.NotMarket.selector, stranger);
        address where = address(vault);
        refusesAt(where, stranger, abi.encodeCall(vault.back, (provider, 1)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.unback, (provider, 1)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.lock, (0, provider, 1)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.release, (0, provider, 1)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.take, (0, provider, stranger, 1)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.takeStake, (provider, 1, stranger)), no);
    }

    function test_bonds_have_one_name_and_what_they_hold() public {
        vm.prank(address(market));
        vault.lock("a", provider, 5);
        address where = address(vault);
        bytes memory no = abi.encodeWithSelector(IStakeVault.BondExists.selector, bytes32("a"), provider);
        refusesAt(where, address(market), abi.encodeCall(vault.lock, ("a", provider, 1)), no);
        no = abi.encodeWithSelector(IStakeVault.BondTooSmall.selector, bytes32("a"), provider, 5, 6);
        refusesAt(where, address(market), abi.encodeCall(vault.take, ("a", provider, BURNT, 6)), no);
        refusesAt(where, address(market), abi.encodeCall(vault.release, ("a", provider, 6)), no);
    }

    function test_a_deposit_by_permit() public {
        Permit memory p;
        address who = vm.addr(0x5151);
        accounts.push(who);
        yes(token.transfer(who, 10), "fortune");
        (p.value, p.deadline) = (10, vm.getBlockTimestamp());
        bytes32 what = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                who,
                address(vault),
                uint256(10),
                token.nonces(who),
                p.deadline
            )
        );
        (p.v, p.r, p.s) = vm.sign(0x5151, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), what)));
        vm.prank(who);
        vault.deposit(10, p);
        eq(vault.free(who), 10, "staked");
        bytes memory no = abi.encodeWithSelector(IStakeVault.BadAmount.selector, 0);
        refusesAt(address(vault), who, abi.encodeCall(vault.deposit, (0, p)), no);
        no = abi.encodeWithSelector(IStakeVault.NothingOwed.selector, who);
        refusesAt(address(vault), stranger, abi.encodeCall(vault.withdraw, (who)), no);
        solvent();
    }

    function test_a_payee_changes_only_by_the_payee() public {
        vm.prank(provider);
        vault.setPayee(provider, partner);
        eq(vault.payeeOf(provider), provider, "not yet");
        vm.prank(partner);
        vault.acceptPayee(provider);
        eq(vault.payeeOf(provider), partner, "the payee");
        bytes memory no = abi.encodeWithSelector(IStakeVault.NotPayee.selector, provider, partner);
        refusesAt(address(vault), partner, abi.encodeCall(vault.acceptPayee, (provider)), no);
        vm.prank(partner);
        vault.setPayee(provider, provider);
        vm.prank(provider);
        vault.acceptPayee(provider);
        eq(vault.payeeOf(provider), provider, "given back");
    }

    function test_a_payee_is_proposed_by_the_payee() public {
        address where = address(vault);
        bytes memory no = abi.encodeWithSelector(IStakeVault.NotPayee.selector, provider, stranger);
        refusesAt(where, stranger, abi.encodeCall(vault.setPayee, (provider, stranger)), no);
        refusesAt(where, stranger, abi.encodeCall(vault.acceptPayee, (provider)), no);
        vm.expectEmit(where);
        emit IStakeVault.PayeeProposed(provider, stranger);
        vm.prank(provider);
        vault.setPayee(provider, stranger);
        eq(vault.proposed(provider), stranger, "proposed");
        vm.expectEmit(where);
        emit IStakeVault.PayeeChanged(provider, stranger);
        vm.prank(stranger);
        vault.acceptPayee(provider);
        eq(vault.proposed(provider), address(0), "no more");
    }

    /// Amounts are below 2^128, whatever the token's supply is.
    function test_a_deposit_is_an_amount() public {
        ComputeToken vast = new ComputeToken(address(this), 1 << 130);
        StakeVault deep = new StakeVault(vast);
        vast.approve(address(deep), type(uint256).max);
        Permit memory none;
        uint256 most = type(uint128).max;
        bytes memory no = abi.encodeWithSelector(IStakeVault.BadAmount.selector, most + 1);
        refusesAt(address(deep), address(this), abi.encodeCall(deep.deposit, (most + 1, none)), no);
        deep.deposit(most, none);
        eq(deep.free(address(this)), most, "staked");
        // All of it can back jobs.
        deep.back(address(this), most);
        eq(deep.backing(address(this)), most, "backs");
        deep.unback(address(this), most);
        // What is nothing is not told.
        vm.recordLogs();
        deep.take("none", stranger, provider, 0);
        deep.release("none", stranger, 0);
        deep.takeStake(address(this), 0, stranger);
        eq(vm.getRecordedLogs().length, 1, "only that stake was taken");
    }
}
