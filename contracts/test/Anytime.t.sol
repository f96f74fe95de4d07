// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Permit} from "../src/interfaces/IStakeVault.sol";
import {ITrainingMarket as M} from "../src/interfaces/ITrainingMarket.sol";
import {Assurance, Attestation, Job, Licence, Offer, State, Task, Terms} from "../src/market/Types.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// Functions that write and ask for no state of a job: each has its test here, all others are in the table of `States.t.sol`.
function anytime() pure returns (bytes4[] memory list) {
    bytes4[6] memory all = [
        M.open.selector,
        M.openAndAccept.selector,
        M.contradict.selector,
        M.collect.selector,
        M.withdraw.selector,
        M.cancelNonce.selector
    ];
    list = new bytes4[](all.length);
    for (uint256 i = 0; i < all.length; ++i) {
        list[i] = all[i];
    }
}

/// @notice What asks for no state of a job: it does the same in each, and changes no job but its own.
contract AnytimeTest is Scene {
    Licence private none;
    Permit private noPermit;

    /// The job, less what its team has earned, which is collected.
    function rest(bytes32 id) private view returns (bytes32) {
        Job memory job = market.jobOf(id);
        job.earned = 0;
        return keccak256(abi.encode(job, market.termsOf(id), market.teamOf(id)));
    }

    /// Runs a step on a job in each state.
    function everywhere(function(bytes32, State) internal step) private {
        for (uint256 k = 0; k <= uint256(State.Diverged); ++k) {
            uint256 here = vm.snapshotState();
            bytes32 id = reach(State(k));
            bytes32 before = rest(id);
            step(id, State(k));
            eq(rest(id), before, "the job");
            solvent();
            vm.revertToState(here);
        }
    }

    /// Terms that go on from a job: good from its end on.
    function after_(bytes32 id) private view returns (Terms memory t) {
        t = terms(Assurance.Proven);
        (t.parent, t.training.first) = (id, market.jobOf(id).current);
    }

    function opens(bytes32 id, State state) private {
        open(terms(Assurance.Proven));
        Terms memory t = after_(id);
        if (state >= State.Cancelled) {
            inState(open(t), State.Open);
        } else {
            bytes memory call = abi.encodeCall(market.open, (t, ++nonce, none, noPermit));
            refuses(requester, call, why(IMarketErrors.BadParent.selector, uint256(id)));
        }
    }

    function test_open_in_every_state() public {
        everywhere(opens);
    }

    function offered(Terms memory t) private returns (bytes memory) {
        Offer memory offer = Offer(requester, provider, ++nonce, vm.getBlockTimestamp(), "");
        offer.signature = sign(REQUESTER_KEY, market.offerDigest(offer, t));
        return abi.encodeCall(market.openAndAccept, (t, offer, none, noPermit, 0));
    }

    function opensAndAccepts(bytes32 id, State state) private {
        bytes memory call = offered(after_(id));
        if (state < State.Cancelled) {
            refuses(provider, call, why(IMarketErrors.BadParent.selector, uint256(id)));
            call = offered(terms(Assurance.Proven));
        }
        vm.prank(provider);
        (bool done, bytes memory got) = address(market).call(call);
        yes(done, "opens and accepts");
        ids.push(abi.decode(got, (bytes32)));
        inState(ids[ids.length - 1], State.Assigned);
    }

    function test_open_and_accept_in_every_state() public {
        everywhere(opensAndAccepts);
    }

    function contradicts(bytes32 id, State state) private {
        Attestation memory a = Attestation(id, Task.Decision, 0, lastOf(SEGMENTS - 1), YES);
        bytes memory yesSigned = wordSignature(a, 1);
        a.verdict = NO;
        bytes memory noSigned = wordSignature(a, 1);
        bytes memory call = abi.encodeCall(market.contradict, (a, YES, validators[1], noSigned, yesSigned));
        if (state == State.None) {
            // No job, no committee.
            return refuses(stranger, call, why(IMarketErrors.NotValidator.selector, validators[1]));
        }
        uint256 free = vault.free(validators[1]);
        vm.prank(stranger);
        (bool done,) = address(market).call(call);
        yes(done, "taken");
        eq(vault.free(validators[1]), free - WORD, "stake");
        refuses(stranger, call, why(IMarketErrors.AlreadyReported.selector, validators[1]));
    }

    /// A member answers for what it signed also when the job has ended.
    function test_contradict_in_every_state() public {
        everywhere(contradicts);
    }

    function collects(bytes32 id, State) private {
        Job memory job = market.jobOf(id);
        bytes memory call = abi.encodeCall(market.collect, (id));
        if (job.earned > 0) {
            uint256 before = market.owed(provider);
            market.collect(id);
            eq(market.owed(provider), before + job.earned, "collected");
        }
        refuses(stranger, call, why(IMarketErrors.NothingOwed.selector, job.owner));
    }

    function test_collect_in_every_state() public {
        everywhere(collects);
    }

    function withdraws(bytes32, State) private {
        // Somebody else's end: the requester is owed whatever this job does.
        bytes32 other = opened(Assurance.Proven);
        vm.prank(requester);
        market.cancel(other);
        uint256 due = market.owed(requester);
        uint256 before = token.balanceOf(requester);
        vm.prank(stranger);
        eq(market.withdraw(requester), due, "paid");
        eq(token.balanceOf(requester), before + due, "to the account");
        bytes memory call = abi.encodeCall(market.withdraw, (requester));
        refuses(stranger, call, why(IMarketErrors.NothingOwed.selector, requester));
    }

    function test_withdraw_in_every_state() public {
        everywhere(withdraws);
    }

    function cancels(bytes32, State) private {
        vm.prank(partner);
        market.cancelNonce(5);
        yes(market.nonceUsed(partner, 5), "used");
        bytes memory call = abi.encodeCall(market.cancelNonce, (5));
        refuses(partner, call, abi.encodeWithSelector(IMarketErrors.NonceUsed.selector, partner, 5));
    }

    function test_cancel_nonce_in_every_state() public {
        everywhere(cancels);
    }
}
