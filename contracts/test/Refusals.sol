// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IDatasetRegistry as D} from "../src/interfaces/IDatasetRegistry.sol";
import {IMarketErrors as E} from "../src/interfaces/IMarketErrors.sol";
import {INodeRegistry as N} from "../src/interfaces/INodeRegistry.sol";
import {IStakeVault as V} from "../src/interfaces/IStakeVault.sol";
import {MockVerifier} from "./mocks/Verifiers.sol";

/// Whether a refusal is one of those that the interfaces name: no panic, no bare revert.
function isKnown(bytes memory reason) pure returns (bool) {
    if (reason.length < 4) return false;
    bytes4 got = bytes4(reason);
    return ofJobs(got) || ofTerms(got) || ofSteps(got) || ofCommittee(got) || ofOthers(got);
}

function ofJobs(bytes4 e) pure returns (bool) {
    return e == E.WrongState.selector || e == E.WrongLevel.selector || e == E.NotRequester.selector
        || e == E.NotProvider.selector || e == E.TooLate.selector || e == E.TooEarly.selector
        || e == E.NothingDelivered.selector || e == E.NothingOwed.selector;
}

function ofTerms(bytes4 e) pure returns (bool) {
    return e == E.BadTerm.selector || e == E.CodeChanged.selector || e == E.InsecureVerifier.selector
        || e == E.DatasetMismatch.selector || e == E.BadParent.selector || e == E.NonceUsed.selector
        || e == E.SignatureExpired.selector || e == E.BadSignature.selector || e == E.OfferForAnother.selector
        || e == E.PriceTooLow.selector || e == E.NotRegistered.selector || e == E.BadTeam.selector
        || e == E.NoBond.selector || e == E.LeadBondTooSmall.selector || e == E.InCommittee.selector;
}

function ofSteps(bytes4 e) pure returns (bool) {
    return e == E.WrongIndex.selector || e == E.NotPending.selector || e == E.NoClaims.selector
        || e == E.TooManyClaims.selector || e == E.WrongLast.selector || e == E.NothingToSettle.selector
        || e == E.ChallengeOpen.selector || e == E.NoChallenge.selector || e == E.NotOpened.selector
        || e == E.WrongSecret.selector || e == E.HashLost.selector || e == E.HashStored.selector
        || e == MockVerifier.NotAProof.selector;
}

function ofCommittee(bytes4 e) pure returns (bool) {
    return e == E.NotMember.selector || e == E.NotValidator.selector || e == E.AlreadyVoted.selector
        || e == E.OldWord.selector || e == E.BadVerdict.selector || e == E.StakeBehindWord.selector
        || e == E.NoContradiction.selector || e == E.AlreadyReported.selector;
}

function ofOthers(bytes4 e) pure returns (bool) {
    return e == V.NotMarket.selector || e == V.StakeTooSmall.selector || e == V.BondExists.selector
        || e == V.TooManyExits.selector || e == V.NothingOwed.selector || e == V.BadAmount.selector
        || e == N.BadPeerSignature.selector || e == N.NodeTaken.selector || e == N.NotNodeOwner.selector
        || e == N.BadRoles.selector || e == D.DatasetTaken.selector || e == D.NotDatasetOwner.selector
        || e == D.RateTooHigh.selector || e == D.EmptyDataset.selector
        || e == IERC20Errors.ERC20InsufficientAllowance.selector;
}
