// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Licence, Member, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {ContractWallet} from "./mocks/Wallets.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Parties that are contracts (ERC-1271): they take seats and license data. A validator's word is its key's.
contract WalletsTest is Scene {
    Permit private noPermit;

    /// A wallet whose signer holds this key, with a node and stake.
    function wallet(uint256 key, uint8 roles) private returns (address who) {
        ContractWallet made = new ContractWallet(vm.addr(key));
        who = address(made);
        accounts.push(who);
        yes(token.transfer(who, 1e24), "fortune");
        made.approve(IERC20(address(token)), address(vault));
        enrol(who, 0xeea, address(0), roles);
        stake(who, 10_000e18);
    }

    function seatsWith(bytes32 id, address member, uint256 key) private view returns (Seat[] memory seats) {
        seats = new Seat[](2);
        seats[0].member = Member(provider, 6000, BOND / 2);
        seats[1] = Seat(Member(member, 4000, BOND / 2), 7, vm.getBlockTimestamp(), "");
        seats[1].signature = sign(key, market.consentDigest(id, provider, seats[1], 0));
    }

    function test_a_contract_wallet_joins_a_team() public {
        address who = wallet(PARTNER_KEY, 1);
        bytes32 id = opened(Assurance.Proven);
        Seat[] memory seats = seatsWith(id, who, OWNER_KEY);
        bytes memory call = abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
        refuses(provider, call, why(IMarketErrors.BadSignature.selector, who));
        seats = seatsWith(id, who, PARTNER_KEY);
        vm.prank(provider);
        market.acceptAsTeam(id, 0, seats);
        eq(vault.bonded(id, who), BOND / 2, "bond");
        vm.prank(provider);
        market.start(id);
        proveAll(id);
        market.collect(id);
        eq(market.owed(who), SEGMENTS * PRICE * 8 / 10 * 4 / 10, "share");
        market.withdraw(who);
        solvent();
    }

    /// A consent is not enough: each member is a provider.
    function test_a_member_needs_a_node() public {
        bytes32 id = opened(Assurance.Proven);
        address who = wallet(PARTNER_KEY, 2);
        Seat[] memory seats = seatsWith(id, who, PARTNER_KEY);
        bytes memory call = abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
        bytes memory reason = abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, who, uint8(1));
        refuses(provider, call, reason);
        enrol(who, 0xeeb, address(0), 1);
        vm.prank(provider);
        market.acceptAsTeam(id, 0, seats);
        inState(id, State.Assigned);
        // Nor does a node that is gone count.
        vm.prank(partner);
        nodes.remove(vm.addr(0xee2));
        id = opened(Assurance.Proven);
        seats = seatsWith(id, partner, PARTNER_KEY);
        call = abi.encodeCall(market.acceptAsTeam, (id, 0, seats));
        reason = abi.encodeWithSelector(IMarketErrors.NotRegistered.selector, partner, uint8(1));
        refuses(provider, call, reason);
        solvent();
    }

    function test_a_contract_wallet_licenses_its_data() public {
        address who = wallet(OWNER_KEY, 1);
        vm.prank(who);
        bytes32 set = datasets.register(ROOT, 107, 1000, who);
        Terms memory t = terms(Assurance.Proven);
        (t.training.dataset, t.training.royaltyBps) = (set, 1000);
        Licence memory licence = Licence(3, vm.getBlockTimestamp(), "");
        bytes32 digest = market.licenceDigest(set, requester, licence);
        licence.signature = sign(PARTNER_KEY, digest);
        bytes memory call = abi.encodeCall(market.open, (t, 1, licence, noPermit));
        refuses(requester, call, why(IMarketErrors.BadSignature.selector, who));
        licence.signature = sign(OWNER_KEY, digest);
        bytes32 id = open(t, licence);
        eq(market.jobOf(id).royaltyTo, who, "royalty");
        yes(market.nonceUsed(who, 3), "spent");
        solvent();
    }

    /// Code can disown what it signed: no two words of a contract contradict each other.
    function test_a_contract_wallet_does_not_contradict_itself() public {
        address who = wallet(PARTNER_KEY, 2);
        Terms memory t = terms(Assurance.Proven);
        t.committee.members = new address[](1);
        (t.committee.members[0], t.committee.threshold) = (who, 1);
        bytes32 id = running(t);
        Attestation memory a = Attestation(id, Task.Divergence, 0, FIRST, YES);
        bytes memory signature = sign(PARTNER_KEY, market.attestationDigest(a));
        a.verdict = NO;
        bytes memory other = sign(PARTNER_KEY, market.attestationDigest(a));
        bytes memory call = abi.encodeCall(market.contradict, (a, YES, who, other, signature));
        refuses(stranger, call, why(IMarketErrors.BadSignature.selector, who));
        solvent();
    }

    /// An account that got code (EIP-7702) speaks with its key as before, and cannot hide what it said behind the code.
    function test_code_at_a_members_account_changes_no_word() public {
        bytes32 id = disputed();
        vm.etch(validators[1], address(new ContractWallet(vm.addr(PARTNER_KEY))).code);
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory byCode = sign(PARTNER_KEY, market.attestationDigest(a));
        bytes memory call = abi.encodeCall(market.attest, (id, Task.Decision, 0, YES, 1, byCode));
        refuses(stranger, call, why(IMarketErrors.BadSignature.selector, validators[1]));
        vote(id, Task.Decision, 0, YES, 1);
        bytes memory said = wordSignature(a, 1);
        a.verdict = NO;
        market.contradict(a, YES, validators[1], wordSignature(a, 1), said);
        eq(vault.free(validators[1]), 10_000e18 - WORD, "taken");
        solvent();
    }

    /// What such an account offers or consents to is as its code says when it is used.
    function test_code_at_a_partners_account_consents_for_it() public {
        bytes32 id = opened(Assurance.Proven);
        vm.etch(partner, address(new ContractWallet(vm.addr(OWNER_KEY))).code);
        bytes memory byKey = abi.encodeCall(market.acceptAsTeam, (id, 0, seatsWith(id, partner, PARTNER_KEY)));
        refuses(provider, byKey, why(IMarketErrors.BadSignature.selector, partner));
        Seat[] memory seats = seatsWith(id, partner, OWNER_KEY);
        vm.prank(provider);
        market.acceptAsTeam(id, 0, seats);
        inState(id, State.Assigned);
        solvent();
    }
}
