// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ComputeToken} from "../src/ComputeToken.sol";
import {DatasetRegistry} from "../src/DatasetRegistry.sol";
import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Licence, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {marketWrites, selectorsOf, together, vaultWrites} from "./Functions.sol";
import {HostileToken} from "./mocks/Tokens.sol";
import {EnteringVerifier} from "./mocks/Verifiers.sol";
import {EnteringWallet} from "./mocks/Wallets.sol";
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
        entries.push(confirming(id, 0));
        entries.push(contesting(id, 0));
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

    function test_every_function_that_writes_is_tried() public view {
        eq(together(selectorsOf(entries)), marketWrites(), "the market's");
        eq(together(selectorsOf(vaultEntries(provider))), vaultWrites(), "the vault's");
    }

    bytes private entered = abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);

    function refusedInside(string memory where) private view {
        eq(hostile.calls(), 1, where);
        eq(keccak256(hostile.answer()), keccak256(entered), where);
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

    /// Market and vault are two: while one moves tokens, the other may be entered, and finds its own books right.
    function test_the_other_contract_may_be_entered() public {
        // The token itself has stake, one part of which is on its way out, and something to withdraw from both.
        address self = address(hostile);
        accounts.push(self);
        yes(hostile.transfer(self, 1000), "fortune");
        vm.prank(self);
        hostile.approve(address(vault), type(uint256).max);
        stake(self, 900);
        Permit memory permit;
        bytes[4] memory calls = [
            abi.encodeCall(vault.startExit, (10)),
            abi.encodeCall(vault.finishExits, (self)),
            abi.encodeCall(vault.deposit, (1, permit)),
            abi.encodeCall(vault.withdraw, (self))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            prepare(self, 10);
            hostile.arm(address(vault), calls[i]);
            bytes32 id = opened(Assurance.Proven);
            yes(hostile.entered(), "while the market pulls");
            hostile.arm(address(0), "");
            vm.prank(requester);
            market.cancel(id);
            solvent();
            prepare(self, 10);
            hostile.arm(address(vault), calls[i]);
            market.withdraw(requester);
            yes(hostile.entered(), "while the market pays");
            hostile.arm(address(0), "");
            solvent();
        }
        // The other way round: the market pays while the vault moves tokens, and calls the vault while it is inside.
        enrol(self, 0xee77, address(0), 1);
        Terms memory t = terms(Assurance.Proven);
        (t.price.bond, t.price.handBackFee) = (5, 0);
        enters(abi.encodeCall(market.accept, (open(t), 0)));
        bytes32 other = opened(Assurance.Proven);
        vm.prank(requester);
        market.cancel(other);
        enters(abi.encodeCall(market.withdraw, (requester)));
    }

    /// An exit of the token that is over, another one that waits, and something that it is owed.
    function prepare(address self, uint256 waiting) private {
        vm.prank(self);
        vault.startExit(10);
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
        vault.finishExits(self);
        vm.prank(self);
        vault.startExit(waiting);
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
    }

    /// Into the market, while the vault moves tokens in.
    function enters(bytes memory call) private {
        hostile.arm(address(market), call);
        stake(requester, 5);
        yes(hostile.entered(), "while the vault pulls");
        hostile.arm(address(0), "");
        solvent();
    }

    /// `startExit` and `finishExits` move no tokens: entered in the middle of a deposit or a payment, they do what they do alone.
    function test_exits_in_the_middle_of_a_transfer() public {
        address self = address(hostile);
        accounts.push(self);
        yes(hostile.transfer(self, 100), "fortune");
        vm.prank(self);
        hostile.approve(address(vault), type(uint256).max);
        stake(self, 100);
        bytes[2] memory calls = [abi.encodeCall(vault.startExit, (10)), abi.encodeCall(vault.finishExits, (self))];
        for (uint256 i = 0; i < 2; ++i) {
            prepare(self, 10);
            uint256 all = vault.free(self) + vault.leaving(self) + vault.owed(self);
            hostile.arm(address(vault), calls[i]);
            stake(requester, 5);
            yes(hostile.entered(), "coming in");
            hostile.arm(address(0), "");
            eq(vault.free(self) + vault.leaving(self) + vault.owed(self), all, "as much as before");
            vm.prank(requester);
            vault.startExit(5);
            vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
            vault.finishExits(requester);
            prepare(self, 10);
            hostile.arm(address(vault), calls[i]);
            vault.withdraw(requester);
            yes(hostile.entered(), "going out");
            hostile.arm(address(0), "");
            solvent();
        }
    }

    /// Whatever becomes ready while an account is paid is neither lost nor paid with it: what is owed is off the books before.
    function test_an_exit_that_ends_in_the_middle_of_its_owners_payment() public {
        stake(requester, 30);
        prepare(requester, 20);
        uint256 before = hostile.balanceOf(requester);
        hostile.arm(address(vault), abi.encodeCall(vault.finishExits, (requester)));
        eq(vault.withdraw(requester), 10, "what was owed");
        yes(hostile.entered(), "in the middle");
        hostile.arm(address(0), "");
        eq(hostile.balanceOf(requester), before + 10, "paid once");
        eq(vault.owed(requester), 20, "the other exit is not lost");
        vault.withdraw(requester);
        eq(hostile.balanceOf(requester), before + 30, "and is paid after that");
        solvent();
    }

    function test_what_the_vault_pays_is_off_its_books_before_the_transfer() public {
        stake(requester, 30);
        prepare(requester, 20);
        hostile.arm(address(vault), abi.encodeCall(vault.owed, (requester)));
        vault.withdraw(requester);
        eq(abi.decode(hostile.answer(), (uint256)), 0, "owed");
    }

    // A receiver of code, which the token tells of each payment.

    function vaultEntries(address who) private view returns (bytes[] memory calls) {
        Permit memory permit;
        calls = new bytes[](9);
        calls[0] = abi.encodeCall(vault.deposit, (1, permit));
        calls[1] = abi.encodeCall(vault.withdraw, (who));
        calls[2] = abi.encodeCall(vault.startExit, (1));
        calls[3] = abi.encodeCall(vault.finishExits, (who));
        calls[4] = abi.encodeCall(vault.back, (who, 1));
        calls[5] = abi.encodeCall(vault.lock, (0, who, 1));
        calls[6] = abi.encodeCall(vault.release, (0, who));
        calls[7] = abi.encodeCall(vault.take, (0, who, who, 0));
        calls[8] = abi.encodeCall(vault.takeStake, (who, 1, who));
    }

    /// An account of code with all that a party needs, and an exit that is over.
    function receiver() private returns (EnteringWallet wallet) {
        wallet = new EnteringWallet();
        address self = address(wallet);
        accounts.push(self);
        yes(hostile.transfer(self, 1e24), "fortune");
        vm.prank(self);
        hostile.approve(address(market), type(uint256).max);
        vm.prank(self);
        hostile.approve(address(vault), type(uint256).max);
        enrol(self, 0xee88, address(0), 1);
        stake(self, 1e23);
        vm.prank(self);
        vault.startExit(7);
        vm.warp(vm.getBlockTimestamp() + vault.unbondingSecs());
    }

    /// All that it has, wherever that is.
    function total(address who) private view returns (uint256) {
        return wealth(who) + vault.leaving(who);
    }

    /// Pays the wallet, which enters in the middle, as itself.
    function payEntering(IStakeVault from, EnteringWallet wallet, address into, bytes memory call) private {
        uint256 here = vm.snapshotState();
        uint256 before = total(address(wallet));
        hostile.arm(address(wallet), abi.encodeCall(wallet.act, (into, call)));
        uint256 due = from.owed(address(wallet));
        // Market and vault pay by the same name.
        eq(from.withdraw(address(wallet)), due, "all of it");
        eq(hostile.calls(), 1, "it was told");
        bool guarded = into == address(from) && bytes4(call) != vault.startExit.selector
            && bytes4(call) != vault.finishExits.selector && !isForMarket(call);
        if (guarded) {
            yes(!hostile.entered(), "refused");
            eq(
                keccak256(hostile.answer()),
                keccak256(abi.encodeWithSelector(EnteringWallet.Refused.selector, entered)),
                "by the guard"
            );
        }
        if (isForMarket(call)) {
            bytes memory no = why(IStakeVault.NotMarket.selector, address(wallet));
            eq(
                keccak256(hostile.answer()),
                keccak256(abi.encodeWithSelector(EnteringWallet.Refused.selector, no)),
                "not for it"
            );
        }
        hostile.arm(address(0), "");
        eq(total(address(wallet)), before, "paid once");
        solvent();
        vm.revertToState(here);
    }

    function isForMarket(bytes memory call) private view returns (bool) {
        bytes4 got = bytes4(call);
        return got == vault.back.selector || got == vault.lock.selector || got == vault.release.selector
            || got == vault.take.selector || got == vault.takeStake.selector;
    }

    /// Enters each function of market and vault, while one of them pays.
    function enterAll(address from, EnteringWallet wallet) private {
        yes(IStakeVault(from).owed(address(wallet)) > 0, "something to pay");
        for (uint256 i = 0; i < entries.length; ++i) {
            payEntering(IStakeVault(from), wallet, address(market), entries[i]);
        }
        payEntering(IStakeVault(from), wallet, address(market), abi.encodeCall(market.withdraw, (address(wallet))));
        bytes[] memory calls = vaultEntries(address(wallet));
        for (uint256 i = 0; i < calls.length; ++i) {
            payEntering(IStakeVault(from), wallet, address(vault), calls[i]);
        }
    }

    function test_a_requester_that_comes_back_while_it_is_paid() public {
        EnteringWallet wallet = receiver();
        requester = address(wallet);
        bytes32 id = opened(Assurance.Proven);
        vm.prank(requester);
        market.cancel(id);
        enterAll(address(market), wallet);
    }

    function test_a_provider_that_comes_back_while_it_is_paid() public {
        EnteringWallet wallet = receiver();
        provider = address(wallet);
        bytes32 id = running(Assurance.Proven);
        prove(id, 0);
        market.collect(id);
        // Something more to collect: it is not paid with this.
        prove(id, 1);
        enterAll(address(market), wallet);
        payEntering(IStakeVault(address(market)), wallet, address(market), abi.encodeCall(market.collect, (id)));
    }

    function test_a_challenger_that_comes_back_while_it_is_paid() public {
        EnteringWallet wallet = receiver();
        challenger = address(wallet);
        bytes32 id = claimed(1);
        confirm(id, 0);
        contest(id, 0);
        vm.warp(market.claimOf(id, 0).answerUntil + 1);
        market.slash(id, 0);
        enterAll(address(vault), wallet);
    }

    function test_an_owner_of_data_that_comes_back_while_it_is_paid() public {
        EnteringWallet wallet = receiver();
        bytes32 id = runningLicensed(address(wallet));
        prove(id, 0);
        enterAll(address(market), wallet);
    }

    /// A wallet is asked about its signature by a call that may change nothing: it cannot come back, neither into the market,
    /// which is entered, nor into the vault or a register, which are not.
    function test_a_wallet_that_comes_back_changes_nothing() public {
        EnteringWallet wallet = new EnteringWallet();
        accounts.push(address(wallet));
        yes(hostile.transfer(address(wallet), 1e24), "fortune");
        wallet.act(address(hostile), abi.encodeCall(hostile.approve, (address(market), type(uint256).max)));
        wallet.act(address(hostile), abi.encodeCall(hostile.approve, (address(vault), type(uint256).max)));
        Permit memory permit;
        wallet.act(address(vault), abi.encodeCall(vault.deposit, (100, permit)));
        address[4] memory where = [address(market), address(vault), address(vault), address(nodes)];
        bytes[4] memory calls = [
            abi.encodeCall(market.cancelNonce, (7)),
            abi.encodeCall(vault.startExit, (1)),
            abi.encodeCall(vault.deposit, (1, permit)),
            abi.encodeCall(nodes.record, (address(wallet), 11))
        ];
        Licence memory licence;
        Terms memory t = terms(Assurance.Proven);
        for (uint256 i = 0; i < calls.length; ++i) {
            // By itself each of these calls would be made.
            uint256 here = vm.snapshotState();
            wallet.act(where[i], calls[i]);
            vm.revertToState(here);
            wallet.arm(where[i], calls[i]);
            Offer memory offer = Offer(address(wallet), address(0), 100 + i, vm.getBlockTimestamp(), "");
            vm.prank(provider);
            bytes32 id = market.openAndAccept(t, offer, licence, permit, 0);
            ids.push(id);
            inState(id, State.Assigned);
            eq(vault.free(address(wallet)), 100, "its stake");
            yes(!market.nonceUsed(address(wallet), 7), "its nonce");
        }
        solvent();
    }

    /// A verifier is asked in the same way.
    function test_a_verifier_that_comes_back_changes_nothing() public {
        EnteringVerifier entering = new EnteringVerifier(address(token));
        accounts.push(address(entering));
        yes(hostile.transfer(address(entering), 100), "fortune");
        entering.act(address(hostile), abi.encodeCall(hostile.approve, (address(vault), type(uint256).max)));
        Permit memory permit;
        entering.act(address(vault), abi.encodeCall(vault.deposit, (100, permit)));
        Terms memory t = terms(Assurance.Proven);
        (t.training.verifier, t.training.verifierCode) = (address(entering), address(entering).codehash);
        bytes32 id = running(t);
        address[3] memory where = [address(market), address(vault), address(nodes)];
        bytes[3] memory calls = [
            abi.encodeCall(market.cancelNonce, (7)),
            abi.encodeCall(vault.startExit, (1)),
            abi.encodeCall(nodes.record, (address(entering), 11))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 here = vm.snapshotState();
            entering.act(where[i], calls[i]);
            vm.revertToState(here);
            entering.arm(where[i], calls[i]);
            vm.prank(provider);
            market.prove(id, i, abi.encode(lastOf(i)));
            eq(market.jobOf(id).settled, i + 1, "settled");
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
