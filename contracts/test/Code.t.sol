// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarketErrors, Term} from "../src/interfaces/IMarketErrors.sol";
import {Permit} from "../src/interfaces/IStakeVault.sol";
import {Assurance, Licence, State, Terms} from "../src/market/Types.sol";
import {Mode, MockVerifier} from "./mocks/Verifiers.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";

/// @notice Which contracts a job may name to check its proofs.
contract CodeTest is Scene {
    function refusesTerms(Terms memory t, bytes memory reason) private {
        Licence memory licence;
        Permit memory permit;
        refuses(requester, abi.encodeCall(market.open, (t, ++nonce, licence, permit)), reason);
    }

    function takes(Terms memory t) private {
        inState(open(t), State.Open);
    }

    function test_verifier_code_is_pinned() public {
        Terms memory t = terms(Assurance.Proven);
        t.training.verifierCode = keccak256("other");
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, address(verifier)));
        t = terms(Assurance.Proven);
        t.training.halo2Code = keccak256("other");
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, address(token)));
        // A verifier that asks another contract than the terms name.
        MockVerifier other = new MockVerifier(address(nodes), Mode.Check, false, 10, 4);
        t = terms(Assurance.Proven);
        (t.training.verifier, t.training.verifierCode) = (address(other), address(other).codehash);
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, address(token)));
        // Code that changed between posting and accepting is seen.
        bytes32 id = opened(Assurance.Proven);
        vm.etch(address(verifier), address(token).code);
        bytes memory call = abi.encodeCall(market.accept, (id, 0));
        refuses(provider, call, why(IMarketErrors.CodeChanged.selector, address(verifier)));
    }

    function test_insecure_verifier_only_on_the_local_chain() public {
        MockVerifier insecure = new MockVerifier(address(token), Mode.Check, true, 10, 4);
        Terms memory t = terms(Assurance.Proven);
        (t.training.verifier, t.training.verifierCode) = (address(insecure), address(insecure).codehash);
        takes(t);
        vm.chainId(1);
        refusesTerms(t, why(IMarketErrors.InsecureVerifier.selector, address(insecure)));
        takes(terms(Assurance.Proven));
    }

    /// An account without code has a hash as well, which terms could name.
    function test_a_verifier_has_code() public {
        Terms memory t = terms(Assurance.Proven);
        (t.training.verifier, t.training.verifierCode) = (requester, requester.codehash);
        eq(requester.codehash, 0, "of an account that is not there");
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, requester));
        vm.deal(requester, 1);
        t.training.verifierCode = requester.codehash;
        eq(requester.codehash, keccak256(""), "of one without code");
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, requester));
        // So does the circuit's.
        MockVerifier other = new MockVerifier(requester, Mode.Check, false, 10, 4);
        (t.training.verifier, t.training.verifierCode) = (address(other), address(other).codehash);
        (t.training.halo2, t.training.halo2Code) = (requester, requester.codehash);
        refusesTerms(t, why(IMarketErrors.CodeChanged.selector, requester));
    }

    /// Nothing could be cut into segments of no rows, or no steps.
    function test_a_verifier_has_a_shape() public {
        uint32[2][3] memory shapes = [[uint32(0), 0], [uint32(10), 0], [uint32(0), 4]];
        for (uint256 i = 0; i < shapes.length; ++i) {
            MockVerifier other = new MockVerifier(address(token), Mode.Check, false, shapes[i][0], shapes[i][1]);
            Terms memory t = terms(Assurance.Proven);
            (t.training.verifier, t.training.verifierCode) = (address(other), address(other).codehash);
            refusesTerms(t, abi.encodeWithSelector(IMarketErrors.BadTerm.selector, Term.Verifier));
        }
    }
}
