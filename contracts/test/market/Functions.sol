// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault as V} from "../../src/market/interfaces/IStakeVault.sol";
import {ITrainingMarket as M} from "../../src/market/interfaces/ITrainingMarket.sol";

// An interface's id is the exclusive or of the selectors of all its functions. With the selectors of those that only look taken
// out, it tells whether a table has all that write: if one is missing, the difference is its selector.

/// The exclusive or of the selectors that calls begin with, each of which is there once.
function together(bytes[] memory calls) pure returns (bytes4 all) {
    for (uint256 i = 0; i < calls.length; ++i) {
        all ^= bytes4(calls[i]);
    }
}

/// All functions of the market that write.
function marketWrites() pure returns (bytes4) {
    bytes4 jobs = M.jobOf.selector ^ M.termsOf.selector ^ M.batchOf.selector ^ M.claimsOf.selector ^ M.seatOf.selector
        ^ M.challengeOf.selector ^ M.takeOf.selector ^ M.committeeOf.selector ^ M.segmentOf.selector
        ^ M.closableAfter.selector ^ M.readyOf.selector ^ M.priceOf.selector ^ M.check.selector ^ M.escrowOf.selector
        ^ M.idOf.selector;
    bytes4 digests = M.offerDigest.selector ^ M.seatDigest.selector ^ M.consentDigest.selector
        ^ M.licenceDigest.selector ^ M.attestationDigest.selector;
    bytes4 others = M.token.selector ^ M.vault.selector ^ M.nodes.selector ^ M.datasets.selector ^ M.owed.selector
        ^ M.nonceUsed.selector;
    return type(M).interfaceId ^ jobs ^ digests ^ others;
}

/// All functions of the vault that write.
function vaultWrites() pure returns (bytes4) {
    return type(V).interfaceId ^ V.market.selector ^ V.free.selector ^ V.backing.selector ^ V.bonded.selector
        ^ V.owed.selector ^ V.payeeOf.selector ^ V.proposed.selector;
}
