// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ITrainingMarket as M} from "../src/interfaces/ITrainingMarket.sol";
import {IStakeVault as V} from "../src/interfaces/IStakeVault.sol";

// An interface's id is the exclusive or of the selectors of all its functions. With the selectors of those that only look taken
// out, it tells whether a table has all that write: if one is missing, the difference is its selector.

/// The exclusive or of selectors, each of which counts once.
function together(bytes4[] memory selectors) pure returns (bytes4 all) {
    for (uint256 i = 0; i < selectors.length; ++i) {
        bool seen = false;
        for (uint256 j = 0; j < i; ++j) {
            if (selectors[j] == selectors[i]) seen = true;
        }
        if (!seen) all ^= selectors[i];
    }
}

/// What each call begins with.
function selectorsOf(bytes[] memory calls) pure returns (bytes4[] memory selectors) {
    selectors = new bytes4[](calls.length);
    for (uint256 i = 0; i < calls.length; ++i) {
        selectors[i] = bytes4(calls[i]);
    }
}

/// All functions of the market that write.
function marketWrites() pure returns (bytes4) {
    bytes4 jobs = M.jobOf.selector ^ M.termsOf.selector ^ M.teamOf.selector ^ M.claimOf.selector ^ M.segmentOf.selector
        ^ M.isDue.selector ^ M.priceOf.selector ^ M.idOf.selector ^ M.subjectOf.selector;
    bytes4 digests =
        M.offerDigest.selector ^ M.consentDigest.selector ^ M.licenceDigest.selector ^ M.attestationDigest.selector;
    bytes4 others = M.token.selector ^ M.vault.selector ^ M.nodes.selector ^ M.datasets.selector ^ M.owed.selector
        ^ M.nonceUsed.selector;
    return type(M).interfaceId ^ jobs ^ digests ^ others;
}

/// All functions of the vault that write.
function vaultWrites() pure returns (bytes4) {
    return type(V).interfaceId ^ V.market.selector ^ V.unbondingSecs.selector ^ V.free.selector ^ V.backing.selector
        ^ V.leaving.selector ^ V.bonded.selector ^ V.owed.selector;
}
