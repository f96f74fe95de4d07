// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Licence, Offer, SeatOffer, Terms} from "./Types.sol";

/// @title What each role signs (EIP-712). No message of one role is a message of another.
library Typed {
    bytes32 private constant OFFER = keccak256(
        "Offer(address requester,address provider,bytes32 terms,bytes32 licence,uint256 nonce,uint256 expiry)"
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

    /// @notice A requester's offer.
    function offer(Offer calldata o, bytes32 termsDigest) internal pure returns (bytes32) {
        return keccak256(abi.encode(OFFER, o.requester, o.provider, termsDigest, o.licence, o.nonce, o.expiry));
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
}
