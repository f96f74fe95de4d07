// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {IMarketEvents} from "../interfaces/IMarketEvents.sol";
import {Assurance, Claim, Job, State, Store} from "./Types.sol";

/// @title Conditions that many steps share.
library Guards {
    /// @notice The job, if it is in this state.
    function inState(Store storage s, bytes32 id, State state) internal view returns (Job storage job) {
        job = s.jobs[id];
        if (job.state != state) revert IMarketErrors.WrongState(id, job.state);
    }

    /// @notice Refuses another level.
    function level(Store storage s, bytes32 id, Assurance wanted) internal view {
        Assurance got = s.terms[id].checks.level;
        if (got != wanted) revert IMarketErrors.WrongLevel(got);
    }

    /// @notice Refuses after `until`.
    function notAfter(uint256 until) internal view {
        if (block.timestamp > until) revert IMarketErrors.TooLate(until);
    }

    /// @notice Refuses until `until` has passed.
    function onlyAfter(uint256 until) internal view {
        if (block.timestamp <= until) revert IMarketErrors.TooEarly(until);
    }

    /// @notice Only the requester.
    function asRequester(Job storage job) internal view {
        if (msg.sender != job.requester) revert IMarketErrors.NotRequester(msg.sender);
    }

    /// @notice Only the owner that trains, or its hot key.
    function asProvider(Store storage s, Job storage job) internal view {
        if (!s.nodes.actsFor(msg.sender, job.owner)) revert IMarketErrors.NotProvider(msg.sender);
    }

    /// @notice Refuses what is about other last parameters than were claimed.
    function isLast(Claim storage c, bytes32 last) internal view {
        if (last != c.last) revert IMarketErrors.WrongLast(c.last, last);
    }

    /// @notice Whether an account is in a list of members.
    function isIn(address[] storage members, address account) internal view returns (bool) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == account) return true;
        }
        return false;
    }

    /// @notice Spends a nonce.
    function spend(Store storage s, address signer, uint256 nonce) internal {
        if (s.used[signer][nonce]) revert IMarketErrors.NonceUsed(signer, nonce);
        s.used[signer][nonce] = true;
        emit IMarketEvents.NonceSpent(signer, nonce);
    }

    /// @notice Refuses a wrong signature, of a key or of a contract (ERC-1271).
    function signed(address signer, bytes32 domain, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) {
            revert IMarketErrors.BadSignature(signer);
        }
    }

    /// @notice Refuses a word that the signer's key did not sign, whatever code its account has. A word must stay true: code
    /// answers as its owner likes, and could disown today what it said yesterday. One key has one account, so that one
    /// signature is one member's word.
    function word(address signer, bytes32 domain, bytes32 structHash, bytes calldata signature) internal pure {
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, structHash);
        (address got, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (fault != ECDSA.RecoverError.NoError || got != signer) revert IMarketErrors.BadSignature(signer);
    }
}
