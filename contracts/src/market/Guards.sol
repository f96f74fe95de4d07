// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Roles} from "../registry/Roles.sol";
import {IMarketErrors} from "./interfaces/IMarketErrors.sol";
import {IMarketEvents} from "./interfaces/IMarketEvents.sol";
import {Job, Paths, Seat, State, Store} from "./Types.sol";

/// @title Conditions that many steps share.
library Guards {
    /// @notice The job, if it is in this state.
    function inState(Store storage s, bytes32 id, State state) internal view returns (Job storage job) {
        job = s.jobs[id];
        if (job.state != state) revert IMarketErrors.WrongState(id, job.state);
    }

    /// @notice Refuses after `until`.
    function notAfter(uint256 until) internal view {
        if (block.timestamp > until) revert IMarketErrors.TooLate(until);
    }

    /// @notice Refuses until `until` has passed.
    function onlyAfter(uint256 until) internal view {
        if (block.timestamp <= until) revert IMarketErrors.TooEarly(until);
    }

    /// @notice Only the requester, or its hot key.
    function asRequester(Store storage s, Job storage job) internal view {
        if (!s.nodes.actsFor(msg.sender, job.requester)) revert IMarketErrors.NotRequester(msg.sender);
    }

    /// @notice Only the lead, or its hot key.
    function asProvider(Store storage s, Job storage job) internal view {
        if (!s.nodes.actsFor(msg.sender, job.owner)) revert IMarketErrors.NotProvider(msg.sender);
    }

    /// @notice Only the member that has a seat, or its hot key. Nobody has a seat of number 0.
    function asMember(Store storage s, bytes32 id, uint256 number) internal view returns (Seat storage seat) {
        seat = asSeat(s, id, number);
        if (seat.gone) revert IMarketErrors.NotMember(msg.sender, number);
    }

    /// @notice Only the member that has a seat, or had it and gave it up, or its hot key.
    function asSeat(Store storage s, bytes32 id, uint256 number) internal view returns (Seat storage seat) {
        seat = s.seats[id][number];
        // Nobody acts for the owner of a seat that is not given.
        if (!s.nodes.actsFor(msg.sender, seat.owner)) revert IMarketErrors.NotMember(msg.sender, number);
    }

    /// @notice Only the team: the lead as seat 0, or a member.
    function asTeam(Store storage s, bytes32 id, uint256 number) internal view {
        if (number == 0) asProvider(s, s.jobs[id]);
        else asMember(s, id, number);
    }

    /// @notice Whether an account is in a list of members.
    function isIn(address[] storage members, address account) internal view returns (bool) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == account) return true;
        }
        return false;
    }

    /// @notice Refuses an account that has no node that trains, decides about this job, or is not admitted by terms and licence.
    function canTrain(Store storage s, bytes32 id, address account, Paths calldata paths) internal view {
        if (!s.nodes.hasRole(account, Roles.PROVIDER)) revert IMarketErrors.NotRegistered(account, Roles.PROVIDER);
        // Nobody decides about its own work.
        if (isIn(s.terms[id].committee.members, account)) revert IMarketErrors.InCommittee(account);
        admitted(s.terms[id].providers, account, paths.terms);
        admitted(s.jobs[id].licensed, account, paths.licence);
    }

    /// @notice Refuses an account that `providers` leaves out: zero leaves out nobody, an address all others, a root those that
    /// are no leaf of its tree. No root has twelve leading zero bytes.
    function admitted(bytes32 providers, address account, bytes32[] calldata path) internal pure {
        if (providers == 0) return;
        if (uint256(providers) >> 160 == 0) {
            if (account != address(uint160(uint256(providers)))) revert IMarketErrors.NotAdmitted(account);
            return;
        }
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account))));
        if (!MerkleProof.verifyCalldata(path, providers, leaf)) revert IMarketErrors.NotAdmitted(account);
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

    /// @notice Refuses a word that this key did not sign, whatever code its account has. A word must stay true: code answers as its
    /// owner likes, and could disown today what it said yesterday.
    function word(address key, bytes32 domain, bytes32 structHash, bytes calldata signature) internal pure {
        if (!isWord(key, domain, structHash, signature)) revert IMarketErrors.BadSignature(key);
    }

    /// @notice Whether a key signed a word.
    function isWord(address key, bytes32 domain, bytes32 structHash, bytes calldata signature)
        internal
        pure
        returns (bool)
    {
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, structHash);
        (address got, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        return fault == ECDSA.RecoverError.NoError && got == key;
    }
}
