// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ComputeToken} from "../src/ComputeToken.sol";
import {DatasetRegistry} from "../src/DatasetRegistry.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Licence, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {HostileToken} from "./mocks/Tokens.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice A token, or the receiver of a payment, that comes back in the middle of a transfer.
contract HostileTest is Scene {
    HostileToken private hostile;
    bytes[] private entries;

    function setUp() public override {
        hostile = new HostileToken(address(this), FORTUNE);
        token = ComputeToken(address(hostile));
        nodes = new NodeRegistry();
        datasets = new DatasetRegistry();
        build(IERC20(address(hostile)));
        fill();
    }

    function fill() private {
        Licence memory licence;
        Permit memory permit;
        Offer memory offer;
        Terms memory t;
        Attestation memory a;
        bytes32 id = keccak256("job");
        entries.push(abi.encodeCall(market.open, (t, 1, licence, permit)));
        entries.push(abi.encodeCall(market.openAndAccept, (t, offer, licence, permit, 0)));
        entries.push(abi.encodeCall(market.cancel, (id)));
        entries.push(abi.encodeCall(market.accept, (id, 0)));
        entries.push(abi.encodeCall(market.acceptAsTeam, (id, 0, new Seat[](0))));
        entries.push(abi.encodeCall(market.decline, (id)));
        entries.push(abi.encodeCall(market.start, (id)));
        entries.push(abi.encodeCall(market.claim, (id, 0, new bytes32[](0))));
        entries.push(abi.encodeCall(market.prove, (id, 0, "")));
        entries.push(abi.encodeCall(market.settle, (id)));
        entries.push(abi.encodeCall(market.abandon, (id)));
        entries.push(abi.encodeCall(market.confirmOpening, (id, 0)));
        entries.push(abi.encodeCall(market.challenge, (id, 0)));
        entries.push(abi.encodeCall(market.slash, (id, 0)));
        entries.push(abi.encodeCall(market.keepHash, (id)));
        entries.push(abi.encodeCall(market.reveal, (id, SECRET)));
        entries.push(abi.encodeCall(market.attest, (id, Task.Opening, 0, YES, 0, "")));
        entries.push(abi.encodeCall(market.contradict, (a, YES, provider, "", "")));
        entries.push(abi.encodeCall(market.deliver, (id, 0)));
        entries.push(abi.encodeCall(market.acknowledge, (id)));
        entries.push(abi.encodeCall(market.complain, (id)));
        entries.push(abi.encodeCall(market.advance, (id)));
        entries.push(abi.encodeCall(market.collect, (id)));
        entries.push(abi.encodeCall(market.withdraw, (requester)));
        entries.push(abi.encodeCall(market.cancelNonce, (1)));
    }

    function refusedInside(string memory where) private view {
        eq(hostile.calls(), 1, where);
        eq(
            keccak256(hostile.answer()),
            keccak256(abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)),
            where
        );
    }

    function test_no_entry_while_money_comes_in() public {
        for (uint256 i = 0; i < entries.length; ++i) {
            hostile.arm(address(market), entries[i]);
            opened(Assurance.Proven);
            refusedInside("coming in");
        }
        hostile.arm(address(0), "");
        solvent();
    }

    /// Mistake of others: a payout callback before the state change.
    function test_no_entry_while_money_goes_out() public {
        for (uint256 i = 0; i < entries.length; ++i) {
            bytes32 id = opened(Assurance.Proven);
            vm.prank(requester);
            market.cancel(id);
            hostile.arm(address(market), entries[i]);
            market.withdraw(requester);
            refusedInside("going out");
            hostile.arm(address(0), "");
        }
        solvent();
    }

    function test_no_entry_into_the_vault() public {
        Permit memory permit;
        bytes[2] memory calls =
            [abi.encodeCall(vault.deposit, (1, permit)), abi.encodeCall(vault.withdraw, (requester))];
        for (uint256 i = 0; i < 2; ++i) {
            hostile.arm(address(vault), calls[i]);
            stake(requester, 5);
            refusedInside("into the vault");
            hostile.arm(address(0), "");
            vm.prank(requester);
            vault.startExit(5);
            vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
            vault.finishExits(requester);
            hostile.arm(address(vault), calls[i]);
            vault.withdraw(requester);
            refusedInside("out of the vault");
            hostile.arm(address(0), "");
        }
        solvent();
    }

    /// The state is written before the transfer: whoever looks from inside sees the payment as made.
    function test_what_is_paid_is_off_the_books_before_the_transfer() public {
        bytes32 id = opened(Assurance.Proven);
        vm.prank(requester);
        market.cancel(id);
        hostile.arm(address(market), abi.encodeCall(market.owed, (requester)));
        market.withdraw(requester);
        eq(abi.decode(hostile.answer(), (uint256)), 0, "owed");
    }

    function test_a_token_with_a_fee_is_refused() public {
        hostile.setFee(1);
        Licence memory licence;
        Permit memory permit;
        Terms memory t = terms(Assurance.Proven);
        uint256 escrow = PRICE * SEGMENTS + 6 * FEE;
        bytes memory inexact = abi.encodeWithSelector(IStakeVault.InexactTransfer.selector, escrow, escrow - 1);
        refuses(requester, abi.encodeCall(market.open, (t, 1, licence, permit)), inexact);
        refusesAt(
            address(vault),
            requester,
            abi.encodeCall(vault.deposit, (100, permit)),
            abi.encodeWithSelector(IStakeVault.InexactTransfer.selector, 100, 99)
        );
    }

    /// A token without permit, and one that moves nothing any more, hold up no job.
    function test_a_frozen_token_holds_up_no_job() public {
        bytes32 id = proving();
        hostile.freeze(true);
        late(id);
        inState(id, State.Slashed);
        refuses(stranger, abi.encodeCall(market.withdraw, (requester)), abi.encodePacked(HostileToken.Frozen.selector));
        hostile.freeze(false);
        market.withdraw(requester);
        solvent();
    }

    function test_a_permit_that_the_token_does_not_know_does_no_harm() public {
        Permit memory permit;
        permit.deadline = 1;
        vm.prank(requester);
        vault.deposit(7, permit);
        eq(vault.free(requester), 7, "stake");
    }
}
