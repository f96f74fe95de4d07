// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Consent, Licence, Offer, Terms} from "../../src/market/Types.sol";
import {Permit} from "../../src/market/interfaces/IStakeVault.sol";
import {Scene} from "./Scene.sol";
import {vm} from "../Vm.sol";

/// @notice What calls cost as transactions of their own, and what jobs of 60 segments cost in all, with a verifier that costs next to
/// nothing. The figures are compared with those in `snapshots/`.
/// forge-config: default.isolate = true
contract GasTest is Scene {
    uint256 private total;

    function spent(string memory name) private {
        total += vm.snapshotGasLastCall("market", name);
    }

    function agreed(bool whole, bool decided) private returns (Terms memory t) {
        t = terms(whole, decided);
        t.training.segments = 60;
        (t.batches.deliverEvery, t.batches.draws) = whole ? (12, 12) : (12, 3);
        t.price.bond = 12 * PRICE;
    }

    function started(Terms memory t, string memory name) private returns (bytes32 id) {
        Permit memory none;
        Licence memory licence;
        Consent[] memory consents = consentsOf(market.idOf(requester, ++nonce, t), t);
        vm.prank(requester);
        id = market.open(t, nonce, licence, consents, none);
        spent(string.concat("open, ", name));
        ids.push(id);
        vm.prank(provider);
        market.accept(id, 0, noPaths());
        spent("accept");
        vm.prank(provider);
        market.start(id);
        spent("start");
    }

    function claimed(bytes32 id, uint256 from, uint256 count) private {
        bytes32[] memory lasts = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            lasts[i] = lastOf(from + i);
        }
        vm.prank(provider);
        market.claim(id, from, lasts);
        spent("claim, 12");
    }

    /// Committee of 3, 60 segments, k = 12, d = 3: all besides proofs.
    function test_gas_of_a_job_with_draws() public {
        bytes32 id = started(agreed(false, true), "committee of 3");
        for (uint256 batch = 0; batch < 5; ++batch) {
            claimed(id, batch * 12, 12);
            vm.prank(provider);
            market.close(id, batch, ROOT, 0);
            spent("close, draws");
            pass(16);
            bytes32 secret = secretOf(id, batch);
            vm.prank(requester);
            market.reveal(id, batch, secret);
            spent("reveal");
            for (uint256 i = batch * 12; i < batch * 12 + 12; ++i) {
                if (market.batchOf(id, batch).due >> (i - batch * 12) & 1 == 0) continue;
                bytes memory p = proof(id, i, lastOf(i));
                vm.prank(provider);
                market.prove(id, i, p);
                vm.snapshotGasLastCall("market", "prove");
            }
            bytes32 last = lastOf(batch * 12 + 11);
            vm.prank(requester);
            market.acknowledge(id, batch, last, ROOT);
            spent(batch == 4 ? "acknowledge, ends the job" : "acknowledge, pays a batch");
        }
        vm.snapshotValue("market", "job of 60, k = 12, d = 3, committee of 3, besides proofs", total);
    }

    /// 60 segments, all proven: all with 60 proofs, of which the verifier's part is not counted.
    function test_gas_of_a_job_that_is_all_proven() public {
        bytes32 id = started(agreed(true, false), "no committee");
        for (uint256 batch = 0; batch < 5; ++batch) {
            for (uint256 i = batch * 12; i < batch * 12 + 12; ++i) {
                bytes memory p = proof(id, i, lastOf(i));
                vm.prank(provider);
                market.claimProven(id, i, p);
                spent("claimProven");
            }
            vm.prank(provider);
            market.close(id, batch, ROOT, 0);
            spent("close, all proven");
            vm.warp(vm.getBlockTimestamp() + 49 hours);
            market.settle(id);
            spent(batch == 4 ? "settle, ends the job" : "settle");
        }
        vm.snapshotValue("market", "job of 60, all proven, verifier's part apart", total);
    }

    function test_gas_of_others() public {
        bytes32 id = drawn();
        uint256 index = undrawnIn(id, 0);
        uint256 seat = join(id);
        vm.snapshotGasLastCall("market", "join");
        bytes32 last = lastOf(index);
        vm.prank(challenger);
        market.challenge(id, index, last);
        vm.snapshotGasLastCall("market", "challenge");
        vm.prank(partner);
        market.take(id, index, last, seat);
        vm.snapshotGasLastCall("market", "take");
        pass(16);
        bytes memory p = proof(id, index, last);
        vm.prank(provider);
        market.prove(id, index, p);
        vm.snapshotGasLastCall("market", "prove, taken and challenged");
        complain(id, 0);
        vm.snapshotGasLastCall("market", "complain");
        vm.prank(provider);
        market.addRoot(id, 0, keccak256("other"), 0);
        vm.snapshotGasLastCall("market", "addRoot");
        skipTo(market.batchOf(id, 0).complaint.until - 1 hours);
        attest(id, 0, false, 0);
        vm.snapshotGasLastCall("market", "attest");
        attest(id, 0, false, 2);
        vm.snapshotGasLastCall("market", "attest, decides");
        id = drawn();
        vm.warp(vm.getBlockTimestamp() + 200 hours);
        market.fail(id, drawnIn(id, 0));
        vm.snapshotGasLastCall("market", "fail, ends the job");
        id = running(true);
        vm.prank(provider);
        market.abandon(id);
        vm.snapshotGasLastCall("market", "abandon, ends the job");
        market.withdraw(requester);
        vm.snapshotGasLastCall("market", "withdraw");
    }

    /// A signed offer: its digest is that of every term.
    function test_gas_of_an_offer() public {
        Terms memory t = agreed(true, false);
        Offer memory offer = Offer(requester, provider, 0, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        Licence memory licence;
        Permit memory none;
        vm.prank(provider);
        market.openAndAccept(t, offer, licence, new Consent[](0), none, 0, noPaths());
        vm.snapshotGasLastCall("market", "openAndAccept, no committee");
    }

    /// A batch of 64, closed and hashed; 15 members are paid.
    function test_gas_at_the_bounds() public {
        Terms memory t = terms(false, false);
        t.training.segments = 128;
        (t.batches.deliverEvery, t.batches.draws) = (64, 32);
        t.price.bond = 64 * PRICE;
        bytes32 id = running(t);
        bytes32[] memory lasts = new bytes32[](64);
        for (uint256 i = 0; i < 64; ++i) {
            lasts[i] = lastOf(i);
        }
        vm.prank(provider);
        market.claim(id, 0, lasts);
        vm.snapshotGasLastCall("market", "claim, 64");
        vm.prank(provider);
        market.close(id, 0, ROOT, 0);
        vm.snapshotGasLastCall("market", "close, 64");
        pass(16);
        bytes32 secret = secretOf(id, 0);
        market.reveal(id, 0, secret);
        vm.snapshotGasLastCall("market", "reveal, 32 of 64");
        uint256 seat = 0;
        for (uint256 i = 0; i < 64; ++i) {
            if (market.batchOf(id, 0).record.drawn >> i & 1 == 0) continue;
            if (seat < 15) {
                seat = join(id, partner, 1);
                take(id, i, seat);
            }
        }
        pass(16);
        proveDue(id, 0);
        skipTo(market.batchOf(id, 0).paidAfter + 1);
        market.settle(id);
        vm.snapshotGasLastCall("market", "settle, 15 members");
    }
}
