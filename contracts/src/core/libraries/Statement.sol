// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Segment} from "../interfaces/ISegmentVerifier.sol";

/// @title The statement of a proof: 418 bytes, see docs/statement.md
library Statement {
    /// @notice Bytes of a statement.
    uint256 internal constant BYTES = 418;

    // Where its fields begin; version and subject stand before them.
    uint256 private constant CHAIN = 5;
    uint256 private constant CONTRACT = 13;
    uint256 private constant JOB = 33;
    uint256 private constant OWNER = 65;
    uint256 private constant INDEX = 85;
    uint256 private constant FIXED = 93;
    uint256 private constant TABLES = 198;
    uint256 private constant DATA_ROOT = 230;
    uint256 private constant ORDER = 262;
    uint256 private constant NUMBERS = 294;
    uint256 private constant FIRST = 322;
    uint256 private constant LAST = 354;
    uint256 private constant CLAIM = 386;

    /// @notice The part that a verifying key fixes, bytes 93 to 229: key, set-up, graph, batch, steps, `column_vars`, tables.
    /// @dev In words; what is left of the last one is zero.
    struct Fixed {
        bytes32 a;
        bytes32 b;
        bytes32 c;
        bytes32 d;
        bytes32 e;
    }

    /// @dev Bytes of `Fixed` in memory.
    uint256 private constant FIXED_BYTES = 0xa0;

    /// @notice The fixed part as words.
    function pack(
        bytes32 key,
        bytes32 setup,
        bytes32 graph,
        uint32 batch,
        uint32 steps,
        uint8 columnVars,
        bytes32 tables
    ) internal pure returns (Fixed memory) {
        // Followed by zeros, which make it five words.
        bytes memory packed = abi.encodePacked(key, setup, graph, batch, steps, columnVars, tables, bytes23(0));
        return abi.decode(packed, (Fixed));
    }

    /// @notice Writes the statement about a segment of the calling contract into memory.
    /// @dev Fields are written as whole words in their order, so that each covers what the one before wrote too much.
    /// @param begin Where to write.
    /// @param segment The segment.
    /// @param part The fixed part.
    /// @param last Digest of the commitments to the last parameters.
    function write(uint256 begin, Segment calldata segment, Fixed memory part, bytes32 last) internal view {
        bytes32 job = segment.job;
        address owner = segment.owner;
        uint256 index = segment.index;
        assembly ("memory-safe") {
            mstore(begin, shl(224, 2)) // version 2; subject 0 is a segment
            mstore(add(begin, CHAIN), shl(192, chainid()))
            mstore(add(begin, CONTRACT), shl(96, caller()))
            mstore(add(begin, JOB), job)
            mstore(add(begin, OWNER), shl(96, owner))
            mstore(add(begin, INDEX), shl(192, index))
            mcopy(add(begin, FIXED), part, FIXED_BYTES)
        }
        bytes32 root = segment.dataRoot;
        uint256 numbers = uint256(segment.epochSegments) << 192 | uint256(segment.position) << 128
            | uint256(segment.liveSteps) << 96 | uint256(segment.liveRows) << 64 | uint256(segment.rate) << 32;
        bytes32 first = segment.first;
        assembly ("memory-safe") {
            mstore(add(begin, DATA_ROOT), root)
            mstore(add(begin, ORDER), 0) // the committed one
            mstore(add(begin, NUMBERS), numbers)
            mstore(add(begin, FIRST), first)
            mstore(add(begin, LAST), last)
            mstore(add(begin, CLAIM), 0) // of evaluations
        }
    }

    /// @notice The digest of the tables in a statement in memory.
    /// @param begin Where the statement stands.
    function tablesDigest(uint256 begin) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := mload(add(begin, TABLES))
        }
    }
}
