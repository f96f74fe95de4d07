// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault, Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Attestation, Job, Licence, Offer, Seat, State, Task, Terms} from "../src/market/Types.sol";
import {isKnown} from "./Refusals.sol";
import {vm} from "./Vm.sol";
import {Walk} from "./Walk.sol";

/// @notice Somebody who calls every transition at any time with any arguments: it either does what anyone may do then,
/// or is refused with an error that the interfaces name. What is never its to do is always refused.
abstract contract Griefer is Walk {
    uint256 internal constant CALLS = 40;

    /// How often a call did something, and was refused.
    mapping(uint256 call => uint256) internal did;
    mapping(uint256 call => uint256) internal failed;

    error UnknownRefusal(uint256 call, bytes reason);
    error NotRefused(uint256 call);

    function doGrief(uint256 seed) external {
        // Many at once: most are refused.
        for (uint256 i = 0; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            grief(seed % CALLS, seed >> 8);
        }
    }

    function grief(uint256 k, uint256 seed) private {
        bytes32 id = anyJob(seed);
        Job memory before = market.jobOf(id);
        (address where, bytes memory call) = random(k, id, seed >> 8);
        if (attempt(k, id, where, call)) after_(k, id, before);
    }

    function attempt(uint256 k, bytes32 id, address where, bytes memory call) private counts(id) returns (bool done) {
        // The heckler challenges, so that the stake of a team that the griefer leads tells what its bond lost.
        vm.prank(k == 12 ? heckler : griefer);
        bytes memory got;
        (done, got) = where.call(call);
        if (done) ++did[k];
        else ++failed[k];
        if (!done && !isKnown(got)) revert UnknownRefusal(k, got);
        if (done && isOthers(k)) revert NotRefused(k);
    }

    /// What only requester, committee, market or an owner may do, or signs.
    function isOthers(uint256 k) private pure returns (bool) {
        bool steps = k == 3 || k == 11 || k == 16 || k == 17 || k == 19 || k == 20;
        bool bonds_ = k >= 30 && k < 35;
        bool entries = k == 35 || k == 36 || k == 39;
        return k < 3 || steps || bonds_ || entries;
    }

    /// Keeps the walk's memory right: anyone may collect, let the time of a draw pass, or bring the secret.
    function after_(uint256 k, bytes32 id, Job memory before) private {
        if (k == 22) collected[id] += before.earned - market.jobOf(id).earned;
        bool stood = before.state == State.Drawing && market.jobOf(id).state != State.Proving;
        if ((k == 15 || k == 21) && stood) sampleStood[id] = true;
    }

    /// One of the jobs, or none that exists.
    function anyJob(uint256 seed) private view returns (bytes32 id) {
        if (ids.length == 0 || seed % 16 == 0) return bytes32(seed);
        if (seed % 3 == 0) return ids[seed / 16 % ids.length];
        (id,) = pick(seed / 16, State.Open, State.Disputed);
    }

    function random(uint256 k, bytes32 id, uint256 seed) private view returns (address where, bytes memory call) {
        if (k < 26) return (address(market), arguments(k, id, seed));
        if (k < 35) return (address(vault), ofVault(k, id, seed));
        return (k < 38 ? address(nodes) : address(datasets), ofRegisters(k, seed));
    }

    function arguments(uint256 k, bytes32 id, uint256 seed) private view returns (bytes memory) {
        bytes memory junk = abi.encode(seed);
        uint256 index = seed / 16 % (SEGMENTS + 1);
        if (k < 3) return posting(k, id, seed);
        if (k == 3) return abi.encodeCall(market.cancel, (id));
        // Rarely, so that others come to accept as well.
        if (k == 4) return abi.encodeCall(market.accept, (id, seed % 8 == 0 ? 0 : PRICE + 1));
        if (k == 5) return abi.encodeCall(market.acceptAsTeam, (id, seed % 3, new Seat[](seed % 20)));
        if (k == 6) return abi.encodeCall(market.decline, (id));
        if (k == 7) return abi.encodeCall(market.start, (id));
        if (k == 8) return abi.encodeCall(market.claim, (id, index, new bytes32[](seed % 70)));
        if (k == 9) return abi.encodeCall(market.prove, (id, index, seed % 2 == 0 ? junk : abi.encode(seed, seed)));
        if (k == 10) return abi.encodeCall(market.settle, (id));
        if (k == 11) return confirming(id, index);
        if (k == 12) return contesting(id, index);
        if (k == 13) return abi.encodeCall(market.slash, (id, index));
        if (k == 14) return abi.encodeCall(market.keepHash, (id));
        if (k == 15) return abi.encodeCall(market.reveal, (id, seed % 2 == 0 ? SECRET : bytes32(seed)));
        if (k == 16) {
            return abi.encodeCall(market.attest, (id, Task(seed % 4), uint32(index), bytes32(seed % 3), seed % 5, junk));
        }
        if (k == 17) return contradiction(id, seed);
        if (k == 18) return abi.encodeCall(market.deliver, (id, bytes32(seed)));
        if (k == 19) return abi.encodeCall(market.acknowledge, (id));
        if (k == 20) return abi.encodeCall(market.complain, (id));
        if (k == 21) return abi.encodeCall(market.advance, (id));
        if (k == 22) return abi.encodeCall(market.collect, (id));
        if (k == 23) return abi.encodeCall(market.withdraw, (accounts[seed % accounts.length]));
        if (k == 24) return abi.encodeCall(market.cancelNonce, (seed % 64));
        return abi.encodeCall(market.abandon, (id));
    }

    /// Jobs that it cannot pay for, or that are of no use.
    function posting(uint256 k, bytes32 id, uint256 seed) private view returns (bytes memory) {
        Licence memory licence = Licence(seed % 64, seed, abi.encode(seed));
        Permit memory permit = Permit(seed, seed % 2, uint8(seed), bytes32(seed), bytes32(seed));
        Terms memory t = terms(Assurance(seed % 3));
        if (k == 0) t.training.segments = uint32(seed % 3 * 5000);
        if (k == 1) t.parent = id;
        // A set that nobody registered, or one whose owner did not sign.
        if (seed % 5 == 0) (t.training.dataset, t.training.royaltyBps) = (bytes32(seed), 1);
        if (seed % 5 == 1) (t.training.dataset, t.training.royaltyBps) = (set, datasets.entry(set).rateBps);
        if (k < 2) return abi.encodeCall(market.open, (t, seed % 64, licence, permit));
        Offer memory offer = Offer(requester, seed % 2 == 0 ? griefer : address(0), seed % 64, seed, abi.encode(seed));
        return abi.encodeCall(market.openAndAccept, (t, offer, licence, permit, 0));
    }

    function contradiction(bytes32 id, uint256 seed) private view returns (bytes memory) {
        Attestation memory a = Attestation(id, Task(seed % 4), 0, bytes32(seed), bytes32(seed % 2));
        address member = seed % 3 == 0 ? griefer : validators[seed % 3];
        return abi.encodeCall(market.contradict, (a, bytes32(seed % 4 / 2), member, abi.encode(seed), abi.encode(id)));
    }

    function ofVault(uint256 k, bytes32 id, uint256 seed) private view returns (bytes memory) {
        address who = accounts[seed % accounts.length];
        Permit memory none;
        if (k == 26) return abi.encodeCall(vault.deposit, (seed % 100, none));
        if (k == 27) return abi.encodeCall(vault.startExit, (seed % 2 * (seed % 1e18)));
        if (k == 28) return abi.encodeCall(vault.finishExits, (who));
        if (k == 29) return abi.encodeCall(vault.withdraw, (who));
        if (k == 30) return abi.encodeCall(vault.release, (id, who));
        if (k == 31) return abi.encodeCall(vault.take, (id, who, griefer, 1));
        if (k == 32) return abi.encodeCall(vault.takeStake, (who, 1, griefer));
        if (k == 33) return abi.encodeCall(vault.lock, (id, who, 1));
        return abi.encodeCall(vault.back, (who, 1));
    }

    /// Counters and sets of its own it may have; they are nobody else's.
    function ofRegisters(uint256 k, uint256 seed) private view returns (bytes memory) {
        address who = accounts[seed % accounts.length];
        if (k == 35) return abi.encodeCall(nodes.remove, (who));
        if (k == 36) return abi.encodeCall(nodes.register, (who, griefer, uint8(seed % 5), 0, "", abi.encode(seed)));
        if (k == 37) return abi.encodeCall(nodes.record, (who, uint8(seed % 16)));
        uint16 rate = uint16(seed % 5002);
        if (k == 38) return abi.encodeCall(datasets.register, (ROOT, uint64(seed % 3 * 107), rate, who));
        return abi.encodeCall(datasets.change, (set, rate, griefer));
    }
}
