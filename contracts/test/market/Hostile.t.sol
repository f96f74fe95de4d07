// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IStakeVault, Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {Consent, Licence, Offer, SeatOffer, State, Terms} from "../../src/market/Types.sol";
import {ComputeToken} from "../../src/registry/ComputeToken.sol";
import {DatasetRegistry} from "../../src/registry/DatasetRegistry.sol";
import {NodeRegistry} from "../../src/registry/NodeRegistry.sol";
import {marketWrites, together, vaultWrites} from "./Functions.sol";
import {HostileToken} from "../mocks/Tokens.sol";
import {EnteringVerifier} from "../mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice A token, or a verifier, that comes back in the middle of a call.
contract HostileTest is Scene {
    HostileToken private hostile;
    bytes[] private entries;

    function setUp() public override {
        super.setUp();
        hostile = new HostileToken(address(this), FORTUNE);
        token = ComputeToken(address(hostile));
        nodes = new NodeRegistry();
        datasets = new DatasetRegistry();
        delete validators;
        build(IERC20(address(hostile)));
        fill();
    }

    function fill() private {
        Licence memory licence;
        Permit memory permit;
        Offer memory offer;
        SeatOffer memory seat;
        Terms memory t;
        Consent[] memory consents;
        bytes32 id = keccak256("job");
        entries.push(abi.encodeCall(market.open, (t, 1, licence, consents, permit)));
        entries.push(abi.encodeCall(market.openAndAccept, (t, offer, licence, consents, permit, 0, noPaths())));
        entries.push(abi.encodeCall(market.cancel, (id)));
        entries.push(abi.encodeCall(market.accept, (id, 0, noPaths())));
        entries.push(abi.encodeCall(market.decline, (id)));
        entries.push(abi.encodeCall(market.start, (id)));
        entries.push(abi.encodeCall(market.join, (id, seat, noPaths())));
        entries.push(abi.encodeCall(market.quit, (id, 1)));
        entries.push(abi.encodeCall(market.claim, (id, 0, new bytes32[](0))));
        entries.push(abi.encodeCall(market.claimProven, (id, 0, "")));
        entries.push(abi.encodeCall(market.close, (id, 0, 0, 0)));
        entries.push(abi.encodeCall(market.reveal, (id, 0, 0)));
        entries.push(abi.encodeCall(market.fixLate, (id, 0, 0)));
        entries.push(abi.encodeCall(market.drawLate, (id, 0)));
        entries.push(abi.encodeCall(market.take, (id, 0, 0, 0)));
        entries.push(abi.encodeCall(market.prove, (id, 0, "")));
        entries.push(abi.encodeCall(market.challenge, (id, 0, 0)));
        entries.push(abi.encodeCall(market.fail, (id, 0)));
        entries.push(abi.encodeCall(market.reclaim, (id, 0)));
        entries.push(abi.encodeCall(market.acknowledge, (id, 0, 0, 0)));
        entries.push(abi.encodeCall(market.complain, (id, 0, 0, 0)));
        entries.push(abi.encodeCall(market.addRoot, (id, 0, 0, 0)));
        entries.push(abi.encodeCall(market.attest, (id, 0, true, 0, "")));
        entries.push(abi.encodeCall(market.lapse, (id, 0)));
        entries.push(abi.encodeCall(market.reclaimComplaint, (id, 0)));
        entries.push(abi.encodeCall(market.contradict, (id, 0, 0, 0, "", "")));
        entries.push(abi.encodeCall(market.unback, (id)));
        entries.push(abi.encodeCall(market.settle, (id)));
        entries.push(abi.encodeCall(market.stop, (id, 0)));
        entries.push(abi.encodeCall(market.abandon, (id)));
        entries.push(abi.encodeCall(market.withdraw, (requester)));
        entries.push(abi.encodeCall(market.cancelNonce, (1)));
    }

    function test_every_function_that_writes_is_tried() public view {
        eq(together(entries), marketWrites(), "the market's");
        bytes[] memory calls = new bytes[](11);
        Permit memory permit;
        calls[0] = abi.encodeCall(vault.deposit, (1, permit));
        calls[1] = abi.encodeCall(vault.unstake, (1));
        calls[2] = abi.encodeCall(vault.withdraw, (provider));
        calls[3] = abi.encodeCall(vault.setPayee, (provider, provider));
        calls[4] = abi.encodeCall(vault.acceptPayee, (provider));
        calls[5] = abi.encodeCall(vault.back, (provider, 1));
        calls[6] = abi.encodeCall(vault.unback, (provider, 1));
        calls[7] = abi.encodeCall(vault.lock, (0, provider, 1));
        calls[8] = abi.encodeCall(vault.release, (0, provider, 1));
        calls[9] = abi.encodeCall(vault.take, (0, provider, provider, 1));
        calls[10] = abi.encodeCall(vault.takeStake, (provider, 1, provider));
        eq(together(calls), vaultWrites(), "the vault's");
    }

    function refusedInside(string memory where) private view {
        eq(hostile.calls(), 1, where);
        bytes memory entered = abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        eq(keccak256(hostile.answer()), keccak256(entered), where);
    }

    function test_no_entry_while_money_comes_in() public {
        for (uint256 i = 0; i < entries.length; ++i) {
            hostile.arm(address(market), entries[i]);
            open(terms(true, false));
            refusedInside("coming in");
        }
        // Nor by several calls in one.
        bytes[] memory calls = new bytes[](1);
        calls[0] = entries[30];
        hostile.arm(address(market), abi.encodeCall(market.multicall, (calls)));
        open(terms(true, false));
        refusedInside("by several calls");
        hostile.arm(address(0), "");
        solvent();
    }

    function test_no_entry_while_money_goes_out() public {
        for (uint256 i = 0; i < entries.length; ++i) {
            bytes32 id = open(terms(true, false));
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
            vault.unstake(5);
            hostile.arm(address(vault), calls[i]);
            vault.withdraw(requester);
            refusedInside("out of the vault");
            hostile.arm(address(0), "");
        }
        solvent();
    }

    function test_a_token_that_takes_a_fee_is_refused() public {
        hostile.setFee(1);
        Permit memory permit;
        bytes memory no = abi.encodeWithSelector(IStakeVault.InexactTransfer.selector, 5, 4);
        refusesAt(address(vault), requester, abi.encodeCall(vault.deposit, (5, permit)), no);
    }

    /// A token that fails holds up payments, and nothing else.
    function test_a_frozen_token_holds_up_no_job() public {
        bytes32 id = running(terms(true, false));
        fillAndClose(id);
        hostile.freeze(true);
        proveDue(id, 0);
        acknowledge(id, 0);
        vm.prank(requester);
        market.stop(id, 0);
        isState(id, State.Stopped);
        hostile.freeze(false);
        market.withdraw(provider);
        solvent();
    }

    /// The verifier is asked statically: what it calls cannot write.
    function test_a_verifier_that_comes_back() public {
        Terms memory t = terms(true, false);
        EnteringVerifier entering = new EnteringVerifier(address(hostile));
        t.training.verifier = address(entering);
        t.training.verifierCode = address(entering).codehash;
        bytes32 id = running(t);
        for (uint256 i = 0; i < entries.length; ++i) {
            entering.arm(address(market), entries[i]);
            uint256 here = vm.snapshotState();
            vm.prank(provider);
            market.claimProven(id, 0, abi.encode(lastOf(0)));
            eq(market.jobOf(id).claimed, 1, "proven");
            vm.revertToState(here);
        }
    }
}
