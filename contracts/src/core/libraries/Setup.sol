// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";

/// @title The verifier's part of a set-up
/// @dev The same as `verifier/src/protocol/setup.rs`: generators and blinder are fixed, only [tau]G2 is chosen.
library Setup {
    /// @notice x of the generator H that blinds commitments: hashed to the curve, so that nobody knows its logarithm.
    uint256 internal constant BLINDER_X = 0x0f1819b3430c90d0194629416d064ebc17fc953f45e62b45b2ff2df53ccc9989;
    /// @notice y of H.
    uint256 internal constant BLINDER_Y = 0x08bd70ad175c26d067da20238af6259e0a445253e877d4e03eb5b36a8a6d914d;

    // [tau]G2 of the insecure set-up, imaginary parts first.
    uint256 private constant INSECURE_X1 = 0x2880086e4f641b068e309eef51cdc29cddb079d1177e8ed1d877115cdf6a980b;
    uint256 private constant INSECURE_X0 = 0x111aa20ea7536b5ac6a4584d686fea4d1c13549e57e8995c5a3240c005727807;
    uint256 private constant INSECURE_Y1 = 0x04d8a3d0e8f0c71dd905065680888bff76e359d24354746e1711902e74b48ddd;
    uint256 private constant INSECURE_Y0 = 0x265b1b4676fa5a88bdf97d85ed4c218449644add950985d6d871200faa33a1b9;

    /// @notice [tau]G2 is infinity, or not a point of the group.
    error TauPoint();
    /// @notice Tau is one, so that powers of tau bind nothing.
    error TrivialTau();
    /// @notice A set-up is named insecure but its tau is not the public one, or the other way round.
    error SetupKind();

    /// @notice The digest of the set-up, after a check of [tau]G2 and of its kind.
    /// @param insecure True if it is said to be the set-up whose tau everybody knows.
    /// @param tauG2 x and y of [tau]G2, each imaginary part first.
    function digest(bool insecure, uint256[4] memory tauG2) internal view returns (bytes32) {
        (uint256 x1, uint256 x0, uint256 y1, uint256 y0) = (tauG2[0], tauG2[1], tauG2[2], tauG2[3]);
        // The pairing with infinity checks that the point is in the group, and nothing else; infinity passes it.
        (bool good,) = address(8).staticcall(abi.encode(0, 0, x1, x0, y1, y0));
        if (!good || x1 | x0 | y1 | y0 == 0) revert TauPoint();
        if (x1 == Bn254.G2_X1 && x0 == Bn254.G2_X0 && y1 == Bn254.G2_Y1 && y0 == Bn254.G2_Y0) revert TrivialTau();
        bool known = x1 == INSECURE_X1 && x0 == INSECURE_X0 && y1 == INSECURE_Y1 && y0 == INSECURE_Y0;
        if (known != insecure) revert SetupKind();
        // version ‖ kind ‖ G ‖ H ‖ G2 ‖ [tau]G2; kind 0 is insecure
        bytes memory generators =
            abi.encode(1, 2, BLINDER_X, BLINDER_Y, Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0);
        return keccak256(abi.encodePacked(uint8(1), uint8(insecure ? 0 : 1), generators, x1, x0, y1, y0));
    }
}
