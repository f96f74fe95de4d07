// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Segment} from "../../src/core/interfaces/ISegmentVerifier.sol";
import {Statement} from "../../src/core/libraries/Statement.sol";
import {Test} from "../Test.sol";

/// @notice Hashes the statement about a segment of its caller.
contract StatementHarness {
    function digest(
        Segment calldata segment,
        bytes32 key,
        bytes32 setup,
        bytes32 graph,
        uint32[2] calldata shape,
        uint8 columnVars,
        bytes32 tables,
        bytes32 last
    ) external view returns (bytes32 hash) {
        Statement.Fixed memory part = Statement.pack(key, setup, graph, shape[0], shape[1], columnVars, tables);
        uint256 begin;
        assembly ("memory-safe") {
            begin := mload(0x40)
        }
        Statement.write(begin, segment, part, last);
        assembly ("memory-safe") {
            hash := keccak256(begin, 418)
        }
    }
}

/// @notice The statement against the first of `tests/vectors/statement.json`, whose digest js-sha3 made.
contract StatementTest is Test {
    bytes32 private constant COUNT = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f;
    bytes32 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// @dev Bytes that count up from `first`.
    function _counting(uint256 first) private pure returns (bytes32) {
        return bytes32(uint256(COUNT) + first * uint256(ONES));
    }

    function test_statementEqualsTheVector() external {
        Segment memory segment = Segment({
            job: _counting(0x20),
            owner: address(bytes20(_counting(0x40))),
            index: 17,
            dataRoot: _counting(0x80),
            epochSegments: 15,
            position: 2,
            liveSteps: 42,
            liveRows: 32,
            rate: 3,
            first: _counting(0x90)
        });
        StatementHarness harness = new StatementHarness();
        vm.chainId(31337);
        vm.prank(address(bytes20(_counting(0x10))));
        bytes32 got = harness.digest(
            segment,
            _counting(0x50),
            _counting(0x60),
            _counting(0xb0),
            [uint32(64), 32],
            16,
            _counting(0x70),
            _counting(0xa0)
        );
        same(0x2252ec5708499f2ba2dc77dd10b69a1cba2953b3a586bbf1c2699d653fb35c34, got);
    }
}
