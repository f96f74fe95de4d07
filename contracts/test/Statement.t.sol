// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Segment} from "../src/interfaces/ISegmentVerifier.sol";
import {Statement} from "../src/libraries/Statement.sol";
import {Test} from "./Test.sol";

/// @notice Hashes the statement about a segment of its caller.
contract StatementHarness {
    function digest(
        Segment calldata segment,
        bytes32 key,
        bytes32 setup,
        bytes calldata architecture,
        uint8 columnVars,
        bytes32 tables,
        bytes32 last
    ) external view returns (bytes32 hash) {
        Statement.Fixed memory part = Statement.pack(key, setup, architecture, columnVars, tables);
        uint256 begin;
        assembly ("memory-safe") {
            begin := mload(0x40)
        }
        Statement.write(begin, segment, part, last);
        assembly ("memory-safe") {
            hash := keccak256(begin, 396)
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
        bytes memory architecture = abi.encodePacked(
            uint8(3),
            uint32(784),
            uint32(128),
            uint32(128),
            uint32(10),
            new bytes(52),
            uint32(64),
            uint32(64),
            hex"080c080b00"
        );
        StatementHarness harness = new StatementHarness();
        vm.chainId(31337);
        vm.prank(address(bytes20(_counting(0x10))));
        bytes32 got = harness.digest(
            segment, _counting(0x50), _counting(0x60), architecture, 16, _counting(0x70), _counting(0xa0)
        );
        same(0x8e1d0b1d9f430310e3d3f532a89e92f56a8282728dfc96d75e044de3c74927f1, got);
    }
}
