// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {SegmentVerifier} from "../../src/core/SegmentVerifier.sol";
import {ISegmentVerifier, Segment} from "../../src/core/interfaces/ISegmentVerifier.sol";
import {IHalo2Verifier} from "../../src/core/interfaces/IHalo2Verifier.sol";
import {Bn254} from "../../src/core/libraries/Bn254.sol";
import {DataTree} from "../../src/core/libraries/DataTree.sol";
import {Setup} from "../../src/core/libraries/Setup.sol";
import {Tables} from "../../src/core/libraries/Tables.sol";
import {MockHalo2Verifier} from "../mocks/MockHalo2Verifier.sol";
import {Test} from "../Test.sol";

/// @notice Calls library functions from the outside, so that their reverts can be expected.
contract Libraries {
    function inverse(uint256 value) external view returns (uint256) {
        return Bn254.inverse(value);
    }

    function depth(uint256 leaves) external pure returns (uint256) {
        return DataTree.depth(leaves);
    }

    /// @notice What `load` makes of the points that `store` kept.
    function roundTrip(uint256[2][] memory points) external returns (bytes32 expected, bytes32 got) {
        bytes memory encoded = Tables.encode(points);
        uint256 count = Tables.live(points);
        address data = count > 1 ? Tables.store(encoded, count) : address(0);
        bytes memory loaded = new bytes(64 * count);
        uint256 begin;
        assembly ("memory-safe") {
            begin := add(loaded, 0x20)
        }
        Tables.load(begin, count, points[0][0], points[0][1], data);
        assembly ("memory-safe") {
            expected := keccak256(add(encoded, 0x20), shl(6, count))
            got := keccak256(add(loaded, 0x20), shl(6, count))
        }
    }
}

/// @notice What a verifier refuses to be made for, and parts of it by themselves.
contract SegmentVerifierTest is Test {
    MockHalo2Verifier private immutable _halo2 = new MockHalo2Verifier([uint256(0), 0, 0, 0]);
    Libraries private immutable _libraries = new Libraries();

    // [tau]G2 of the insecure set-up.
    uint256 private constant X1 = 0x2880086e4f641b068e309eef51cdc29cddb079d1177e8ed1d877115cdf6a980b;
    uint256 private constant X0 = 0x111aa20ea7536b5ac6a4584d686fea4d1c13549e57e8995c5a3240c005727807;
    uint256 private constant Y1 = 0x04d8a3d0e8f0c71dd905065680888bff76e359d24354746e1711902e74b48ddd;
    uint256 private constant Y0 = 0x265b1b4676fa5a88bdf97d85ed4c218449644add950985d6d871200faa33a1b9;

    /// @dev A key that is accepted.
    function _key() private view returns (SegmentVerifier.Key memory key) {
        key.halo2 = _halo2;
        key.key = bytes32(uint256(1));
        key.insecure = true;
        key.tauG2 = [X1, X0, Y1, Y0];
        (key.batch, key.steps) = (64, 32);
        key.columnVars = 16;
        (key.dataColumns, key.parameterColumns, key.traceColumns) = (1, 1, 3);
        key.tables = new uint256[2][](2);
        key.tables[0] = [uint256(1), 2];
    }

    function _refused(SegmentVerifier.Key memory key, bytes memory reason) private {
        vm.expectRevert(reason);
        new SegmentVerifier(key);
    }

    function test_goodKeyIsAccepted() external {
        SegmentVerifier verifier = new SegmentVerifier(_key());
        (uint32 batch, uint32 steps) = verifier.shape();
        same(64, batch);
        same(32, steps);
        assert(verifier.insecureSetup());
        // The digest that the Rust verifier has for this set-up.
        same(0x3c36c159ed3c7944847431ba7328a891c0484b618f5d039dcf345684b407b7c4, verifier.setup());
    }

    function test_tablesThatOthersKeepAreThoseOfTheStatement() external {
        SegmentVerifier.Key memory key = _key();
        // The generator, twice it, and a column of zeros.
        key.tables = new uint256[2][](3);
        key.tables[0] = [uint256(1), 2];
        key.tables[1] = [
            0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3,
            0x15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4
        ];
        SegmentVerifier verifier = new SegmentVerifier(key);
        // A proof of zeros, right as far as the digest: an epoch of one segment has one leaf, which is its root.
        bytes memory proof = new bytes(4096);
        Segment memory segment;
        (segment.epochSegments, segment.liveSteps, segment.liveRows, segment.rate) = (1, 1, 1, 1);
        segment.dataRoot = keccak256(abi.encodePacked(uint8(0), uint64(0), uint64(0), new bytes(64)));
        segment.first = keccak256(new bytes(64));
        try verifier.verify(segment, proof) {}
        catch (bytes memory reason) {
            assert(bytes4(reason) != Tables.TableData.selector);
        }

        // The first contract that the verifier made.
        address data = address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(verifier), hex"01")))));
        same(65, data.code.length);
        vm.etch(data, bytes.concat(hex"00", new bytes(64)));
        vm.expectRevert(abi.encodeWithSelector(Tables.TableData.selector));
        verifier.verify(segment, proof);
    }

    function test_missingHalo2IsRefused() external {
        SegmentVerifier.Key memory key = _key();
        key.halo2 = IHalo2Verifier(address(77));
        _refused(key, abi.encodeWithSelector(SegmentVerifier.Halo2Missing.selector));
    }

    function test_columnsAreBounded() external {
        SegmentVerifier.Key memory key = _key();
        key.columnVars = 3;
        _refused(key, abi.encodeWithSelector(SegmentVerifier.ColumnVars.selector, 3));
        key.columnVars = 22;
        _refused(key, abi.encodeWithSelector(SegmentVerifier.ColumnVars.selector, 22));
        for (uint8 n = 4; n < 22; n += 17) {
            key.columnVars = n;
            same(n, new SegmentVerifier(key).columnVars());
        }
    }

    function test_everySegmentHasColumns() external {
        bytes memory reason = abi.encodeWithSelector(SegmentVerifier.Columns.selector);
        SegmentVerifier.Key memory key = _key();
        key.dataColumns = 0;
        _refused(key, reason);
        key = _key();
        key.parameterColumns = 0;
        _refused(key, reason);
        key = _key();
        key.traceColumns = 0;
        _refused(key, reason);
    }

    /// @notice A proof with more columns, tables included, would not fit into a transaction.
    function test_columnsOfAllKindsAreBounded() external {
        SegmentVerifier.Key memory key = _key();
        // Two tables, three columns of a trace, and two of parameters at either end.
        (key.dataColumns, key.parameterColumns) = (1015, 2);
        new SegmentVerifier(key);
        key.dataColumns = 1016;
        _refused(key, abi.encodeWithSelector(SegmentVerifier.Columns.selector));
    }

    function test_shapeIsChecked() external {
        bytes memory reason = abi.encodeWithSelector(SegmentVerifier.Shape.selector);
        SegmentVerifier.Key memory key = _key();
        uint32[2][3] memory shapes = [[uint32(0), 32], [uint32(64), 0], [uint32(64), 24]];
        for (uint256 i = 0; i < shapes.length; ++i) {
            (key.batch, key.steps) = (shapes[i][0], shapes[i][1]);
            _refused(key, reason);
        }
    }

    function test_kindOfSetupMustFit() external {
        bytes memory reason = abi.encodeWithSelector(Setup.SetupKind.selector);
        SegmentVerifier.Key memory key = _key();
        key.insecure = false;
        _refused(key, reason);
        // Any other point of the group: -[tau]G2.
        key.tauG2[2] = FIELD - Y1;
        key.tauG2[3] = FIELD - Y0;
        key.insecure = true;
        _refused(key, reason);
        key.insecure = false;
        assert(!new SegmentVerifier(key).insecureSetup());
    }

    uint256 private constant FIELD = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    function test_tauIsAPointOfTheGroup() external {
        SegmentVerifier.Key memory key = _key();
        key.insecure = false;
        key.tauG2 = [uint256(0), 0, 0, 0];
        _refused(key, abi.encodeWithSelector(Setup.TauPoint.selector));
        key.tauG2 = [X1, X0, Y1, Y0 ^ 1];
        _refused(key, abi.encodeWithSelector(Setup.TauPoint.selector));
        key.tauG2 = [Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0];
        _refused(key, abi.encodeWithSelector(Setup.TrivialTau.selector));
        // No coordinate can be another one alone.
        for (uint256 i = 0; i < 4; ++i) {
            key.tauG2 = [Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0];
            key.tauG2[i] ^= 1;
            _refused(key, abi.encodeWithSelector(Setup.TauPoint.selector));
        }
    }

    /// @dev x times a cube root of unity: a point of the group with the same y.
    function _turned(uint256[4] memory point) private pure returns (uint256[4] memory) {
        return [mulmod(point[0], UNITY_ROOT, FIELD), mulmod(point[1], UNITY_ROOT, FIELD), point[2], point[3]];
    }

    function _negated(uint256[4] memory point) private pure returns (uint256[4] memory) {
        return [point[0], point[1], FIELD - point[2], FIELD - point[3]];
    }

    uint256 private constant UNITY_ROOT = 0x59e26bcea0d48bacd4f263f1acdb5c4f5763473177fffffe;

    /// @notice A tau is one, or the public one, only if both coordinates are: points that share one of them are others.
    function test_tauIsComparedWhole() external {
        SegmentVerifier.Key memory key = _key();
        uint256[4][2] memory points = [[Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0], [X1, X0, Y1, Y0]];
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                key.tauG2 = j == 0 ? _negated(points[i]) : _turned(points[i]);
                key.insecure = false;
                assert(!new SegmentVerifier(key).insecureSetup());
                key.insecure = true;
                _refused(key, abi.encodeWithSelector(Setup.SetupKind.selector));
            }
        }
    }

    function test_tablesArePoints() external {
        SegmentVerifier.Key memory key = _key();
        key.tables[1] = [uint256(1), 3];
        _refused(key, abi.encodeWithSelector(Tables.TablePoint.selector, 1));
    }

    function test_tablesAreKept() external {
        for (uint256 count = 1; count < 5; ++count) {
            uint256[2][] memory points = new uint256[2][](6);
            for (uint256 i = 0; i < count; ++i) {
                // One that is infinity, but not at the end.
                if (i != 1 || count == 2) points[i] = i % 2 == 0 ? [uint256(1), 2] : [uint256(1), FIELD - 2];
            }
            (bytes32 expected, bytes32 got) = _libraries.roundTrip(points);
            same(expected, got);
        }
    }

    /// @notice Tables that a contract cannot keep are refused by name. There is room for 384 points; here it is the place of the
    /// contract that is taken, because the test runner has room for any code.
    function test_tablesThatCannotBeKeptAreRefused() external {
        uint256[2][] memory points = new uint256[2][](2);
        (points[0], points[1]) = ([uint256(1), 2], [uint256(1), 2]);
        Libraries fresh = new Libraries();
        // The first contract that it makes.
        vm.etch(address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", fresh, hex"01"))))), hex"00");
        vm.expectRevert(abi.encodeWithSelector(Tables.TableData.selector));
        fresh.roundTrip(points);
    }

    function test_inverse(uint256 value) external {
        value %= Bn254.R;
        if (value == 0) {
            vm.expectRevert(abi.encodeWithSelector(Bn254.NotInvertible.selector));
            _libraries.inverse(0);
        } else {
            same(1, mulmod(value, _libraries.inverse(value), Bn254.R));
        }
    }

    function test_nothingInvertsZero() external {
        vm.expectRevert(abi.encodeWithSelector(Bn254.NotInvertible.selector));
        _libraries.inverse(0);
    }

    function test_depthIsTheLogarithmRoundedUp() external view {
        uint8[2][7] memory cases = [[0, 0], [1, 0], [2, 1], [3, 2], [4, 2], [5, 3], [255, 8]];
        for (uint256 i = 0; i < cases.length; ++i) {
            same(cases[i][1], _libraries.depth(cases[i][0]));
        }
        same(80, _libraries.depth(uint256(1) << 80));
    }

    // A proof for the key above with one part of data, first and last parameters each: right as far as the halo2 verifier.

    uint256 private constant SCALARS = 64 * 7;
    uint256 private constant FOLDS = SCALARS + 32 * 19;
    uint256 private constant EVALUATIONS = FOLDS + 64 * 7;
    uint256 private constant QUOTIENTS = EVALUATIONS + 32 * 25;

    /// @dev Points that are on the curve, and scalars that are zero.
    function _proof() private pure returns (bytes memory proof) {
        proof = new bytes(QUOTIENTS + 128);
        for (uint256 i = 0; i < 7; ++i) {
            _write(proof, 64 * i, 1);
            _write(proof, 64 * i + 32, 2);
        }
    }

    function _write(bytes memory proof, uint256 offset, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(proof, 0x20), offset), word)
        }
    }

    function _read(bytes memory proof, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(proof, 0x20), offset))
        }
    }

    /// @dev The only segment of an epoch, whose leaf and first commitments are those of the proof.
    function _segment(bytes memory proof) private pure returns (Segment memory) {
        return Segment({
            job: 0,
            owner: address(1),
            index: 0,
            dataRoot: keccak256(abi.encodePacked(uint8(0), uint64(0), uint64(0), _read(proof, 128), _read(proof, 160))),
            epochSegments: 1,
            position: 0,
            liveSteps: 1,
            liveRows: 1,
            rate: 1,
            first: keccak256(abi.encode(_read(proof, 0), _read(proof, 32)))
        });
    }

    /// @dev What the verifier says of a proof that is not right: how its reason begins.
    function _fault(SegmentVerifier verifier, bytes memory proof) private view returns (bytes4) {
        try verifier.verify(_segment(proof), proof) {
            return 0;
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }

    function test_halo2MustAnswerWithTwoPoints() external {
        SegmentVerifier.Key memory key = _key();
        bytes memory proof = _proof();
        // Two points are four words; what is longer is not their answer either.
        for (uint256 words = 0; words < 8; ++words) {
            key.halo2 = IHalo2Verifier(address(new Answering(words)));
            bool refused = _fault(new SegmentVerifier(key), proof) == ISegmentVerifier.Halo2Answer.selector;
            assert(refused == (words != 4));
        }
    }

    function test_scalarsAreBelowTheOrder() external {
        SegmentVerifier verifier = new SegmentVerifier(_key());
        // rho, s, and the first and the last evaluation.
        uint256[4] memory offsets = [SCALARS, FOLDS - 32, EVALUATIONS, QUOTIENTS - 32];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory proof = _proof();
            _write(proof, offsets[i], Bn254.R - 1);
            assert(_fault(verifier, proof) != ISegmentVerifier.ScalarNotReduced.selector);
            _write(proof, offsets[i], Bn254.R);
            vm.expectRevert(abi.encodeWithSelector(ISegmentVerifier.ScalarNotReduced.selector, offsets[i]));
            verifier.verify(_segment(proof), proof);
        }
    }

    function test_eachPointOfTheProofIsAPoint() external {
        _refusesEachPoint(0, 1, ISegmentVerifier.PointNotOnCurve.selector);
    }

    function test_noPointOfTheProofIsInfinity() external {
        _refusesEachPoint(0, 0, ISegmentVerifier.PointAtInfinity.selector);
    }

    function _refusesEachPoint(uint256 x, uint256 y, bytes4 reason) private {
        SegmentVerifier.Key memory key = _key();
        for (uint256 tables = 0; tables < 2; ++tables) {
            // Without a table the last point of the trace is the last of all, where the sum begins.
            key.tables = new uint256[2][](tables);
            if (tables > 0) key.tables[0] = [uint256(1), 2];
            SegmentVerifier verifier = new SegmentVerifier(key);
            for (uint256 i = 0; i < 7; ++i) {
                bytes memory proof = _proof();
                _write(proof, 64 * i, x);
                _write(proof, 64 * i + 32, y);
                vm.expectRevert(abi.encodeWithSelector(reason, 64 * i));
                // A refused point takes nearly all gas with it.
                verifier.verify{gas: 30_000_000}(_segment(proof), proof);
            }
        }
    }
}

/// @notice A halo2 verifier that answers with so many words.
contract Answering {
    uint256 private immutable WORDS;

    constructor(uint256 words) {
        WORDS = words;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return new bytes(32 * WORDS);
    }
}
