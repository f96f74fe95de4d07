// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IHalo2Verifier} from "../../src/core/interfaces/IHalo2Verifier.sol";
import {ISegmentVerifier, Segment} from "../../src/core/interfaces/ISegmentVerifier.sol";

enum Mode {
    Check,
    AcceptAll,
    RejectAll
}

/// @notice Takes for a proof: the hash of the segment, then the digest of the last parameters.
contract MockVerifier is ISegmentVerifier {
    Mode private immutable MODE;
    bool public immutable insecureSetup;
    uint32 private immutable BATCH;
    uint32 private immutable STEPS;

    IHalo2Verifier public immutable halo2;

    error NotAProof();

    constructor(address circuit, Mode mode, bool insecure, uint32 batch, uint32 steps) {
        halo2 = IHalo2Verifier(circuit);
        MODE = mode;
        insecureSetup = insecure;
        BATCH = batch;
        STEPS = steps;
    }

    function verify(Segment calldata segment, bytes calldata proof) external view returns (bytes32 last) {
        if (MODE == Mode.RejectAll || proof.length != 64) revert NotAProof();
        bytes32 hash;
        (hash, last) = abi.decode(proof, (bytes32, bytes32));
        if (MODE == Mode.Check && hash != keccak256(abi.encode(segment))) revert NotAProof();
    }

    function key() external pure returns (bytes32) {
        return keccak256("key");
    }

    function setup() external pure returns (bytes32) {
        return keccak256("setup");
    }

    function shape() external view returns (uint32, uint32) {
        return (BATCH, STEPS);
    }
}

/// @notice Comes back while it is asked about a proof: it accepts only if that failed.
contract EnteringVerifier {
    address public immutable halo2;
    address private target;
    bytes private payload;

    error Entered();

    constructor(address circuit) {
        halo2 = circuit;
    }

    function arm(address at_, bytes calldata call_) external {
        (target, payload) = (at_, call_);
    }

    function verify(Segment calldata, bytes calldata proof) external returns (bytes32 last) {
        (bool done,) = target.call(payload);
        if (done) revert Entered();
        return abi.decode(proof, (bytes32));
    }

    function act(address at_, bytes calldata call_) external {
        (bool done,) = at_.call(call_);
        if (!done) revert Entered();
    }

    function shape() external pure returns (uint32, uint32) {
        return (10, 4);
    }
}
