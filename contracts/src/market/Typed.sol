// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Licence, Offer, Seat, Terms} from "./Types.sol";

/// @title What each role signs (EIP-712). No message of one role is a message of another.
library Typed {
    bytes32 private constant OFFER =
        keccak256("Offer(address requester,address provider,bytes32 terms,uint256 nonce,uint256 expiry)");
    bytes32 private constant CONSENT = keccak256(
        "Consent(bytes32 job,address lead,address member,uint16 shareBps,uint128 bond,uint256 minPrice,uint256 nonce,uint256 expiry)"
    );
    bytes32 private constant LICENCE =
        keccak256("Licence(bytes32 dataset,address requester,uint256 nonce,uint256 expiry)");
    bytes32 private constant ATTESTATION =
        keccak256("Attestation(bytes32 job,uint8 task,uint32 index,bytes32 subject,bytes32 verdict)");

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
        return keccak256(abi.encode(OFFER, o.requester, o.provider, termsDigest, o.nonce, o.expiry));
    }

    /// @notice A member's consent to its seat.
    function consent(bytes32 id, address lead, Seat calldata seat, uint256 minPrice) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CONSENT,
                id,
                lead,
                seat.member.owner,
                seat.member.shareBps,
                seat.member.bond,
                minPrice,
                seat.nonce,
                seat.expiry
            )
        );
    }

    /// @notice A data owner's licence.
    function licence(bytes32 dataset, address requester, Licence calldata l) internal pure returns (bytes32) {
        return keccak256(abi.encode(LICENCE, dataset, requester, l.nonce, l.expiry));
    }

    /// @notice A validator's word. It needs no nonce: it names the job, counts once in a count, and in a later one only if the
    /// validator brings it itself. It does not name the validator: it counts by its key alone, which is one account's.
    function attestation(Attestation memory a) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION, a.job, a.task, a.index, a.subject, a.verdict));
    }
}
