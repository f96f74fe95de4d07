// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Committee, Licence, Offer, SeatOffer, Terms, Training} from "./Types.sol";

/// @title What each role signs (EIP-712). No message of one role is a message of another.
library Typed {
    // An offer shows every term, so that a wallet says in its user's words what is agreed.
    bytes32 private constant OFFER = keccak256(
        "Offer(address requester,address provider,Terms terms,bytes32 licence,uint256 nonce,uint256 expiry)"
        "Batches(uint8 deliverEvery,uint8 draws,uint8 ahead,bytes32 tip)"
        "Committee(address[] members,uint8 threshold,uint128 fee,uint128 stake)"
        "Price(uint128 start,uint128 max,uint32 rampSecs,uint128 bond,uint128 handBackFee,uint128 challengeBond,uint128 complaintBond)"
        "Terms(Training training,Price price,Times times,Batches batches,Committee committee,bytes32 providers,bytes32 parent,bool rebased)"
        "Times(uint32 openSecs,uint32 reopenSecs,uint32 startSecs,uint32 batchSecs,uint32 closeSecs,uint32 revealSecs,uint32 proveSecs,uint32 eachSecs,uint32 windowSecs,uint32 complainSecs,uint32 decideSecs)"
        "Training(address verifier,bytes32 verifierCode,address halo2,bytes32 halo2Code,bytes32 graph,bytes32 subject,bytes32 order,bool chained,bytes32 dataRoot,uint64 rows,uint32 segments,bytes32 first,uint64[] rates,bytes32 dataset,uint16 royaltyBps)"
    );
    bytes32 private constant TERMS = keccak256(
        "Terms(Training training,Price price,Times times,Batches batches,Committee committee,bytes32 providers,bytes32 parent,bool rebased)"
        "Batches(uint8 deliverEvery,uint8 draws,uint8 ahead,bytes32 tip)"
        "Committee(address[] members,uint8 threshold,uint128 fee,uint128 stake)"
        "Price(uint128 start,uint128 max,uint32 rampSecs,uint128 bond,uint128 handBackFee,uint128 challengeBond,uint128 complaintBond)"
        "Times(uint32 openSecs,uint32 reopenSecs,uint32 startSecs,uint32 batchSecs,uint32 closeSecs,uint32 revealSecs,uint32 proveSecs,uint32 eachSecs,uint32 windowSecs,uint32 complainSecs,uint32 decideSecs)"
        "Training(address verifier,bytes32 verifierCode,address halo2,bytes32 halo2Code,bytes32 graph,bytes32 subject,bytes32 order,bool chained,bytes32 dataRoot,uint64 rows,uint32 segments,bytes32 first,uint64[] rates,bytes32 dataset,uint16 royaltyBps)"
    );
    bytes32 private constant BATCHES = keccak256("Batches(uint8 deliverEvery,uint8 draws,uint8 ahead,bytes32 tip)");
    bytes32 private constant COMMITTEE =
        keccak256("Committee(address[] members,uint8 threshold,uint128 fee,uint128 stake)");
    bytes32 private constant PRICE = keccak256(
        "Price(uint128 start,uint128 max,uint32 rampSecs,uint128 bond,uint128 handBackFee,uint128 challengeBond,uint128 complaintBond)"
    );
    bytes32 private constant TIMES = keccak256(
        "Times(uint32 openSecs,uint32 reopenSecs,uint32 startSecs,uint32 batchSecs,uint32 closeSecs,uint32 revealSecs,uint32 proveSecs,uint32 eachSecs,uint32 windowSecs,uint32 complainSecs,uint32 decideSecs)"
    );
    bytes32 private constant TRAINING = keccak256(
        "Training(address verifier,bytes32 verifierCode,address halo2,bytes32 halo2Code,bytes32 graph,bytes32 subject,bytes32 order,bool chained,bytes32 dataRoot,uint64 rows,uint32 segments,bytes32 first,uint64[] rates,bytes32 dataset,uint16 royaltyBps)"
    );
    bytes32 private constant SEAT =
        keccak256("Seat(bytes32 job,address member,uint128 pay,uint128 bond,uint256 nonce,uint256 expiry)");
    bytes32 private constant CONSENT = keccak256("Consent(bytes32 job,address key,uint256 expiry)");
    bytes32 private constant LICENCE = keccak256(
        "Licence(bytes32 dataset,address requester,bytes32 providers,uint128 fee,uint128 minRoyalty,uint32 mostSegments,bytes32 terms,uint256 nonce,uint256 expiry)"
    );
    bytes32 private constant ATTESTATION = keccak256("Attestation(bytes32 job,uint32 batch,bytes32 last,bool yes)");

    /// @notice Digest of every term.
    function terms(Terms calldata t) internal pure returns (bytes32) {
        return keccak256(abi.encode(t));
    }

    /// @notice Id of a job: it binds chain, market, requester, nonce and every term.
    function job(address requester, uint256 nonce, bytes32 termsDigest) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), requester, nonce, termsDigest));
    }

    /// @notice A requester's offer, with every term of it.
    function offer(Offer calldata o, Terms calldata t) internal pure returns (bytes32) {
        bytes32 agreed = keccak256(
            abi.encode(
                TERMS,
                training(t.training),
                keccak256(abi.encode(PRICE, t.price)),
                keccak256(abi.encode(TIMES, t.times)),
                keccak256(abi.encode(BATCHES, t.batches)),
                committee(t.committee),
                t.providers,
                t.parent,
                t.rebased
            )
        );
        return keccak256(abi.encode(OFFER, o.requester, o.provider, agreed, o.licence, o.nonce, o.expiry));
    }

    /// @notice A lead's offer of a seat to a member.
    function seat(bytes32 id, address member, SeatOffer calldata o) internal pure returns (bytes32) {
        return keccak256(abi.encode(SEAT, id, member, o.pay, o.bond, o.nonce, o.expiry));
    }

    /// @notice A validator's consent to a place in a job's committee.
    function consent(bytes32 id, address key, uint256 expiry) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONSENT, id, key, expiry));
    }

    /// @notice A data owner's licence.
    function licence(bytes32 dataset, address requester, Licence calldata l) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                LICENCE,
                dataset,
                requester,
                l.providers,
                l.fee,
                l.minRoyalty,
                l.mostSegments,
                l.terms,
                l.nonce,
                l.expiry
            )
        );
    }

    /// @notice A validator's word. It needs no nonce: it names the job and the batch, and counts once.
    function attestation(Attestation memory a) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION, a.job, a.batch, a.last, a.yes));
    }

    /// In two parts, which together are one row of words.
    function training(Training calldata t) private pure returns (bytes32) {
        bytes memory head = abi.encode(
            TRAINING, t.verifier, t.verifierCode, t.halo2, t.halo2Code, t.graph, t.subject, t.order, t.chained
        );
        bytes32 rates = keccak256(abi.encodePacked(t.rates));
        bytes memory tail = abi.encode(t.dataRoot, t.rows, t.segments, t.first, rates, t.dataset, t.royaltyBps);
        return keccak256(bytes.concat(head, tail));
    }

    function committee(Committee calldata c) private pure returns (bytes32) {
        bytes32 members = keccak256(abi.encodePacked(c.members));
        return keccak256(abi.encode(COMMITTEE, members, c.threshold, c.fee, c.stake));
    }
}
