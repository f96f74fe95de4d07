// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Dataset} from "../interfaces/IDatasetRegistry.sol";
import {IMarketErrors, Term} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {ISegmentVerifier} from "../interfaces/ISegmentVerifier.sol";
import {Permit} from "../interfaces/IStakeVault.sol";
import {Chains} from "../libraries/Chains.sol";
import {Roles} from "../libraries/Roles.sol";
import {Token} from "../Token.sol";
import {Books} from "./Books.sol";
import {Guards} from "./Guards.sol";
import {Rules} from "./Rules.sol";
import {Typed} from "./Typed.sol";
import {Job, Licence, Offer, State, Store, Terms, Training} from "./Types.sol";

/// @title Posting a job, and taking it back.
library Opening {
    /// @notice Posts a job of the caller.
    function open(
        Store storage s,
        Terms calldata terms,
        uint256 nonce,
        Licence calldata licence,
        Permit calldata permit,
        bytes32 domain
    ) external returns (bytes32 id) {
        return post(s, terms, msg.sender, nonce, licence, permit, domain);
    }

    /// @notice Posts the job of a signed offer.
    function openOffered(
        Store storage s,
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Permit calldata permit,
        bytes32 domain
    ) external returns (bytes32 id) {
        if (block.timestamp > offer.expiry) {
            revert IMarketErrors.SignatureExpired(offer.expiry);
        }
        if (offer.provider != address(0) && offer.provider != msg.sender) {
            revert IMarketErrors.OfferForAnother(offer.provider);
        }
        Guards.signed(offer.requester, domain, Typed.offer(offer, Typed.terms(terms)), offer.signature);
        return post(s, terms, offer.requester, offer.nonce, licence, permit, domain);
    }

    /// @notice Takes back an open job.
    function cancel(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Open);
        Guards.asRequester(job);
        Books.end(s, id, State.Cancelled, 0);
    }

    /// @notice Refuses a verifier or halo2 verifier with other code than agreed, and a verifier that asks another halo2 verifier.
    function checkCode(Training storage training) internal view {
        // The hash of no code is a hash too.
        if (training.verifier.code.length == 0 || training.verifier.codehash != training.verifierCode) {
            revert IMarketErrors.CodeChanged(training.verifier);
        }
        if (training.halo2.code.length == 0 || training.halo2.codehash != training.halo2Code) {
            revert IMarketErrors.CodeChanged(training.halo2);
        }
        if (address(ISegmentVerifier(training.verifier).halo2()) != training.halo2) {
            revert IMarketErrors.CodeChanged(training.halo2);
        }
    }

    function post(
        Store storage s,
        Terms calldata terms,
        address requester,
        uint256 nonce,
        Licence calldata licence,
        Permit calldata permit,
        bytes32 domain
    ) private returns (bytes32 id) {
        Rules.check(terms);
        Guards.spend(s, requester, nonce);
        id = Typed.job(requester, nonce, Typed.terms(terms));
        s.terms[id] = terms;
        Job storage job = s.jobs[id];
        checkCode(s.terms[id].training);
        checkVerifier(job, terms.training.verifier);
        for (uint256 i = 0; i < terms.committee.members.length; ++i) {
            address member = terms.committee.members[i];
            if (!s.nodes.hasRole(member, Roles.VALIDATOR)) revert IMarketErrors.NotRegistered(member, Roles.VALIDATOR);
        }
        job.royaltyTo = checkDataset(s, terms.training, requester, licence, domain);
        checkParent(s, terms, requester);
        job.requester = requester;
        job.state = State.Open;
        job.openedAt = uint40(block.timestamp);
        job.rampFrom = uint40(block.timestamp);
        job.deadline = uint40(block.timestamp + terms.times.openSecs);
        // At most 4096.
        job.total = uint16(terms.training.segments);
        job.current = terms.training.first;
        job.fees = Rules.fees(terms);
        job.escrow = terms.price.max * terms.training.segments + job.fees;
        fund(s, id, terms, nonce, permit);
    }

    function checkVerifier(Job storage job, address verifier) private {
        if (block.chainid != Chains.LOCAL && ISegmentVerifier(verifier).insecureSetup()) {
            revert IMarketErrors.InsecureVerifier(verifier);
        }
        (job.batch, job.steps) = ISegmentVerifier(verifier).shape();
        if (job.batch == 0 || job.steps == 0) revert IMarketErrors.BadTerm(Term.Verifier);
    }

    function checkDataset(
        Store storage s,
        Training calldata training,
        address requester,
        Licence calldata licence,
        bytes32 domain
    ) private returns (address receiver) {
        bytes32 digest = training.dataset;
        if (digest == 0) {
            if (training.royaltyBps != 0) revert IMarketErrors.DatasetMismatch(digest);
            return address(0);
        }
        Dataset memory set = s.datasets.entry(digest);
        if (set.root != training.dataRoot || set.rows != training.rows || set.rateBps != training.royaltyBps) {
            revert IMarketErrors.DatasetMismatch(digest);
        }
        if (block.timestamp > licence.expiry) revert IMarketErrors.SignatureExpired(licence.expiry);
        Guards.signed(set.owner, domain, Typed.licence(digest, requester, licence), licence.signature);
        Guards.spend(s, set.owner, licence.nonce);
        return set.receiver;
    }

    function checkParent(Store storage s, Terms calldata terms, address requester) private view {
        bytes32 id = terms.parent;
        if (id == 0) return;
        Job storage parent = s.jobs[id];
        if (parent.requester != requester || parent.state < State.Cancelled) revert IMarketErrors.BadParent(id);
        if (!terms.rebased && parent.current != terms.training.first) revert IMarketErrors.BadParent(id);
    }

    /// Escrows the job: a job that goes on from another first with what the requester is owed, its refund included.
    function fund(Store storage s, bytes32 id, Terms calldata terms, uint256 nonce, Permit calldata permit) private {
        Job storage job = s.jobs[id];
        address requester = job.requester;
        uint256 escrow = job.escrow;
        uint256 reused = 0;
        if (terms.parent != 0) {
            reused = s.owed[requester] < escrow ? s.owed[requester] : escrow;
            s.owed[requester] -= reused;
        }
        emit IMarketEvents.Opened(
            id, requester, nonce, terms, escrow, reused, job.fees, job.royaltyTo, job.batch, job.steps, job.deadline
        );
        if (escrow > reused) Token.pull(s.token, requester, escrow - reused, permit);
    }
}
