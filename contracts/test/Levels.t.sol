// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors} from "../src/interfaces/IMarketErrors.sol";
import {Assurance, State, Task} from "../src/market/Types.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice The steps of one level in a job of another, and verifiers that take everything or nothing, at each level.
contract LevelsTest is Scene {
    function wrongLevel(Assurance level) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketErrors.WrongLevel.selector, level);
    }

    /// No opening is awaited where no window pays.
    function test_openings_are_for_optimistic_jobs() public {
        for (uint256 k = 0; k < 2; ++k) {
            bytes32 id = running(Assurance(k));
            if (k == 1) claim(id, 0, 2);
            bytes memory reason = wrongLevel(Assurance(k));
            refuses(requester, confirming(id, 0), reason);
            refuses(stranger, abi.encodeCall(market.attest, (id, Task.Opening, 0, YES, 0, "")), reason);
        }
    }

    /// Without a window there is no challenge, and nothing to slash.
    function test_challenges_are_for_optimistic_jobs() public {
        for (uint256 k = 0; k < 2; ++k) {
            bytes32 id = running(Assurance(k));
            if (k == 1) claim(id, 0, 2);
            else prove(id, 0);
            for (uint256 index = 0; index < 3; ++index) {
                bytes memory challenge = contesting(id, index);
                refuses(challenger, challenge, why(IMarketErrors.NotOpened.selector, index));
                bytes memory slash = abi.encodeCall(market.slash, (id, index));
                refuses(stranger, slash, why(IMarketErrors.NoChallenge.selector, index));
            }
        }
    }

    function withVerifier(Mode mode, Assurance level) private returns (bytes32) {
        verifier = new MockVerifier(address(token), mode, false, 10, 4);
        return running(terms(level));
    }

    function anyProof(bytes32 id, uint256 index, bytes32 last) private view returns (bytes memory) {
        return abi.encodeCall(market.prove, (id, index, abi.encode(keccak256("no proof"), last)));
    }

    function proves(bytes32 id, uint256 index) private {
        bytes memory call = anyProof(id, index, lastOf(index));
        vm.prank(provider);
        (bool done,) = address(market).call(call);
        yes(done, "taken for a proof");
    }

    /// A verifier that takes everything costs the requester that named it the price, not more. A claim still binds.
    function test_a_verifier_that_accepts_everything_at_each_level() public {
        bytes32 id = withVerifier(Mode.AcceptAll, Assurance.Proven);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            proves(id, i);
        }
        paid(id);

        id = withVerifier(Mode.AcceptAll, Assurance.Sampled);
        claim(id, 0, SEGMENTS);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            if (!market.isDue(id, i)) continue;
            refuses(provider, anyProof(id, i, FIRST), wrongLast(i));
            proves(id, i);
        }
        paid(id);

        id = withVerifier(Mode.AcceptAll, Assurance.Optimistic);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            claim(id, i, 1);
            confirm(id, i);
            contest(id, i);
            refuses(provider, anyProof(id, i, FIRST), wrongLast(i));
            proves(id, i);
        }
        paid(id);
        eq(vault.owed(provider), SEGMENTS * CHALLENGE_BOND, "whoever challenges believes the verifier");
    }

    function wrongLast(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketErrors.WrongLast.selector, lastOf(index), FIRST);
    }

    function paid(bytes32 id) private {
        inState(id, State.Delivering);
        bytes memory more = anyProof(id, SEGMENTS, FIRST);
        refuses(provider, more, wrongState(id, State.Delivering));
        late(id);
        eq(market.jobOf(id).earned, SEGMENTS * PRICE * 8 / 10, "not more than the price");
        solvent();
    }

    /// A verifier that refuses everything costs the provider that took the job what a missing proof costs at its level.
    function test_a_verifier_that_rejects_everything_at_each_level() public {
        bytes memory no = why(MockVerifier.NotAProof.selector);
        bytes32 id = withVerifier(Mode.RejectAll, Assurance.Proven);
        refuses(provider, anyProof(id, 0, lastOf(0)), no);
        late(id);
        inState(id, State.Defaulted);
        eq(vault.bonded(id, provider), 0, "a tenth at most");

        id = withVerifier(Mode.RejectAll, Assurance.Sampled);
        claim(id, 0, SEGMENTS);
        uint256 here = vm.snapshotState();
        // No proof is asked for without a secret.
        late(id);
        inState(id, State.Delivering);
        vm.revertToState(here);
        passDrawBlock(id);
        market.reveal(id, SECRET);
        for (uint256 i = 0; i < SEGMENTS; ++i) {
            if (market.isDue(id, i)) refuses(provider, anyProof(id, i, lastOf(i)), no);
        }
        late(id);
        inState(id, State.Slashed);
        eq(market.jobOf(id).earned, 0, "nothing is paid");

        id = withVerifier(Mode.RejectAll, Assurance.Optimistic);
        claim(id, 0, 2);
        confirm(id, 0);
        confirm(id, 1);
        contest(id, 1);
        refuses(provider, anyProof(id, 1, lastOf(1)), no);
        vm.warp(market.claimOf(id, 0).windowUntil + 1);
        market.slash(id, 1);
        inState(id, State.Slashed);
        eq(market.jobOf(id).earned, PRICE * 8 / 10, "what nobody challenged is paid");
        solvent();
    }
}
