// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Chains} from "../core/libraries/Chains.sol";
import {ISegmentVerifier} from "../core/interfaces/ISegmentVerifier.sol";
import {Dataset} from "../registry/interfaces/IDatasetRegistry.sol";
import {Roles} from "../registry/Roles.sol";
import {Books} from "./Books.sol";
import {Guards} from "./Guards.sol";
import {IMarketErrors, Term} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Permit} from "./interfaces/IStakeVault.sol";
import {Rules} from "./Rules.sol";
import {Token} from "./Token.sol";
import {Typed} from "./Typed.sol";
import {Consent, Job, Licence, Offer, State, Store, Terms, Training} from "./Types.sol";

/// @title Posting a job, and taking it back.
library Opening {
    /// @notice Posts a job of the caller.
    function open(
        Store storage s,
        Terms calldata terms,
        uint256 nonce,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit,
        bytes32 domain
    ) external returns (bytes32 id) {
        id = post(s, terms, msg.sender, nonce, licence, domain);
        seat(s, id, consents, domain);
        fund(s, id, terms, nonce, permit);
    }

    /// @notice Posts the job of a signed offer.
    function openOffered(
        Store storage s,
        Terms calldata terms,
        Offer calldata offer,
        Licence calldata licence,
        Consent[] calldata consents,
        Permit calldata permit,
        bytes32 domain
    ) external returns (bytes32 id) {
        if (block.timestamp > offer.expiry) {
            revert IMarketErrors.SignatureExpired(offer.expiry);
        }
        if (offer.provider != address(0) && offer.provider != msg.sender) {
            revert IMarketErrors.OfferForAnother(offer.provider);
        }
        checkLicence(terms.training.dataset, offer, licence, domain);
        Guards.signed(offer.requester, domain, Typed.offer(offer, terms), offer.signature);
        id = post(s, terms, offer.requester, offer.nonce, licence, domain);
        seat(s, id, consents, domain);
        fund(s, id, terms, offer.nonce, permit);
    }

    /// @notice Takes back an open job: the requester at any time, anyone when its time is over.
    function cancel(Store storage s, bytes32 id) external {
        Job storage job = Guards.inState(s, id, State.Open);
        if (msg.sender != job.requester) Guards.onlyAfter(job.deadline);
        Books.end(s, id, State.Cancelled);
    }

    /// @notice Refuses terms out of bounds, and verifiers with other code.
    function check(Terms calldata terms) external view {
        Rules.check(terms);
        checkCode(terms.training.verifier, terms.training.verifierCode);
        checkCode(terms.training.halo2, terms.training.halo2Code);
    }

    /// @notice Refuses a verifier or halo2 verifier with other code than agreed, and a verifier that asks another halo2 verifier.
    function checkCodes(Training storage training) internal view {
        checkCode(training.verifier, training.verifierCode);
        checkCode(training.halo2, training.halo2Code);
        if (address(ISegmentVerifier(training.verifier).halo2()) != training.halo2) {
            revert IMarketErrors.CodeChanged(training.halo2);
        }
    }

    function checkCode(address account, bytes32 code) private view {
        // The hash of no code is a hash too.
        if (account.code.length == 0 || account.codehash != code) revert IMarketErrors.CodeChanged(account);
    }

    function post(
        Store storage s,
        Terms calldata terms,
        address requester,
        uint256 nonce,
        Licence calldata licence,
        bytes32 domain
    ) private returns (bytes32 id) {
        Rules.check(terms);
        Guards.spend(s, requester, nonce);
        id = Typed.job(requester, nonce, Typed.terms(terms));
        s.terms[id] = terms;
        Job storage job = s.jobs[id];
        checkCodes(s.terms[id].training);
        checkVerifier(job, terms.training);
        bytes32 tip = terms.batches.tip;
        if (tip != 0) {
            if (s.tips[requester][tip]) revert IMarketErrors.TipUsed(tip);
            s.tips[requester][tip] = true;
            job.secret = tip;
        }
        checkDataset(s, id, terms, requester, licence, domain);
        checkParent(s, terms, requester);
        job.requester = requester;
        job.state = State.Open;
        job.openedAt = uint40(block.timestamp);
        job.rampFrom = uint40(block.timestamp);
        job.deadline = uint40(block.timestamp + terms.times.openSecs);
        // At most 4096.
        job.total = uint16(terms.training.segments);
        job.current = terms.training.first;
        job.escrow = Rules.escrow(terms, job.licenceFee);
    }

    /// Refuses another licence than the offer names: who brings the offer does not choose what the requester pays for the data.
    function checkLicence(bytes32 dataset, Offer calldata offer, Licence calldata licence, bytes32 domain)
        private
        pure
    {
        bytes32 digest = 0;
        if (dataset != 0) {
            digest = MessageHashUtils.toTypedDataHash(domain, Typed.licence(dataset, offer.requester, licence));
        }
        if (offer.licence != digest) revert IMarketErrors.LicenceMismatch(dataset);
    }

    /// Stores beside the counters what every proof reads.
    function checkVerifier(Job storage job, Training calldata training) private {
        address verifier = training.verifier;
        if (block.chainid != Chains.LOCAL && ISegmentVerifier(verifier).insecureSetup()) {
            revert IMarketErrors.InsecureVerifier(verifier);
        }
        (job.stepRows, job.steps) = ISegmentVerifier(verifier).shape();
        if (job.stepRows == 0 || job.steps == 0) revert IMarketErrors.BadTerm(Term.Verifier);
        (job.verifier, job.chained) = (verifier, training.chained);
        // The low half.
        if (training.rates.length == 1) job.rate = uint32(training.rates[0]);
    }

    function checkDataset(
        Store storage s,
        bytes32 id,
        Terms calldata terms,
        address requester,
        Licence calldata licence,
        bytes32 domain
    ) private {
        Training calldata training = terms.training;
        bytes32 digest = training.dataset;
        if (digest == 0) {
            if (training.royaltyBps != 0) revert IMarketErrors.DatasetMismatch(digest);
            return;
        }
        Dataset memory set = s.datasets.entry(digest);
        if (set.root != training.dataRoot || set.rows != training.rows || set.rateBps != training.royaltyBps) {
            revert IMarketErrors.DatasetMismatch(digest);
        }
        if (block.timestamp > licence.expiry) revert IMarketErrors.SignatureExpired(licence.expiry);
        if (training.segments > licence.mostSegments) revert IMarketErrors.LicenceMismatch(digest);
        if (licence.terms != 0 && licence.terms != Typed.terms(terms)) revert IMarketErrors.LicenceMismatch(digest);
        Rules.licence(terms, licence);
        Guards.signed(set.owner, domain, Typed.licence(digest, requester, licence), licence.signature);
        Guards.spend(s, set.owner, licence.nonce);
        Job storage job = s.jobs[id];
        job.royaltyTo = set.receiver;
        (job.licenceFee, job.minRoyalty, job.licensed) = (licence.fee, licence.minRoyalty, licence.providers);
        emit IMarketEvents.Licensed(id, set.receiver, licence.fee, licence.minRoyalty, licence.providers);
    }

    function checkParent(Store storage s, Terms calldata terms, address requester) private view {
        bytes32 id = terms.parent;
        if (id == 0) return;
        Job storage parent = s.jobs[id];
        if (parent.requester != requester || parent.state < State.Cancelled) revert IMarketErrors.BadParent(id);
        // Where no segment goes on from another, a child starts where its parent did.
        bytes32 first = parent.chained ? parent.current : s.terms[id].training.first;
        if (!terms.rebased && first != terms.training.first) revert IMarketErrors.BadParent(id);
    }

    /// Seats the committee: each member agreed to this job, named the key of its words, and has the stake for it.
    function seat(Store storage s, bytes32 id, Consent[] calldata consents, bytes32 domain) private {
        address[] storage members = s.terms[id].committee.members;
        uint256 count = members.length;
        if (consents.length != count) revert IMarketErrors.WrongConsents(count, consents.length);
        uint256 stake = s.terms[id].committee.stake;
        bytes32 licensed = s.jobs[id].licensed;
        for (uint256 i = 0; i < count; ++i) {
            address member = members[i];
            Consent calldata consent = consents[i];
            if (!s.nodes.hasRole(member, Roles.VALIDATOR)) revert IMarketErrors.NotRegistered(member, Roles.VALIDATOR);
            Guards.admitted(licensed, member, consent.path);
            if (block.timestamp > consent.expiry) revert IMarketErrors.SignatureExpired(consent.expiry);
            if (consent.key == address(0)) revert IMarketErrors.BadSignature(member);
            // Its word would count twice.
            if (Guards.isIn(s.keys[id], consent.key)) revert IMarketErrors.KeyTwice(consent.key);
            Guards.signed(member, domain, Typed.consent(id, consent.key, consent.expiry), consent.signature);
            s.keys[id].push(consent.key);
            s.vault.back(member, stake);
        }
        // At most 16 places.
        s.backed[id] = uint16((1 << count) - 1);
        if (count > 0) emit IMarketEvents.Seated(id, s.keys[id]);
    }

    /// Escrows the job: a job that goes on from another first with what the requester is owed, its refund included. What is owed to
    /// an account with another payee stays where it is: its key alone does not move that.
    function fund(Store storage s, bytes32 id, Terms calldata terms, uint256 nonce, Permit calldata permit) private {
        Job storage job = s.jobs[id];
        address requester = job.requester;
        uint256 escrow = job.escrow;
        uint256 reused = 0;
        if (terms.parent != 0 && s.vault.payeeOf(requester) == requester) {
            reused = s.owed[requester] < escrow ? s.owed[requester] : escrow;
            s.owed[requester] -= reused;
        }
        emit IMarketEvents.Opened(id, requester, nonce, terms, escrow, reused, job.stepRows, job.steps, job.deadline);
        if (escrow > reused) Token.pull(s.token, requester, escrow - reused, permit);
    }
}
