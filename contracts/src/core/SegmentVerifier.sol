// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IHalo2Verifier} from "./interfaces/IHalo2Verifier.sol";
import {ISegmentVerifier, Segment} from "./interfaces/ISegmentVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {DataTree} from "./libraries/DataTree.sol";
import {HyperKzg} from "./libraries/HyperKzg.sol";
import {Setup} from "./libraries/Setup.sol";
import {Statement} from "./libraries/Statement.sol";
import {Tables} from "./libraries/Tables.sol";

/// @title Verifier of the proof of one segment of training
/// @notice Checks statement, data leaves, digest, halo2 proof, fold and opening for the key it was made with.
///
/// # The proof
/// Numbers are big-endian words of 32 bytes, points x ‖ y, 64 bytes. n is `columnVars`, the tree of the data has d levels:
///
///     first points | mask | data points | last points | trace points | paths (per data column d siblings, the lowest first)
///     | rho | v | r* (n) | s | folds | evaluations | W | W' | halo2 proof (the rest)
///
/// The numbers of folds and evaluations are those of `HyperKzg`.
///
/// # What is checked
///
///     range      live counts, position and rate
///     link       keccak256(first points) is what the segment begins with
///     data       data point i is the leaf (position, i) under the data root
///     digest     keccak256(statement ‖ mask ‖ data ‖ first ‖ last ‖ trace ‖ tables)
///     halo2      instances [digest_hi, digest_lo, c, position, T', B', rho, v, r*]
///     fold       C = mask + Σ rho^(i+1)·C_i - s·H
///     open       C has the value v at r*: HyperKZG
///     pairing    of opening and halo2 proof, the latter times a challenge drawn after everything
///
/// Every point of the proof goes through a precompiled contract, which refuses those that are not on the curve or not
/// reduced; infinity is refused here. The evaluations are absorbed before their challenge, so their form is checked too.
contract SegmentVerifier is ISegmentVerifier {
    /// @notice What a verifying key fixes.
    /// @param halo2 Verifier of the circuit for this graph and shape.
    /// @param key Digest of the verifying key.
    /// @param insecure True if the set-up is the public one.
    /// @param tauG2 [tau]G2: x and y, each imaginary part first.
    /// @param graph Digest of the graph that is trained.
    /// @param batch Rows of a step.
    /// @param steps Steps of a segment, a power of two.
    /// @param columnVars Variables of a column.
    /// @param dataColumns Columns of a position's data.
    /// @param parameterColumns Columns of the parameters, at either end of a segment.
    /// @param traceColumns Columns of the trace.
    /// @param tables Commitments to the columns of the public tables; a column of zeros has the point at infinity.
    struct Key {
        IHalo2Verifier halo2;
        bytes32 key;
        bool insecure;
        uint256[4] tauG2;
        bytes32 graph;
        uint32 batch;
        uint32 steps;
        uint8 columnVars;
        uint16 dataColumns;
        uint16 parameterColumns;
        uint16 traceColumns;
        uint256[2][] tables;
    }

    /// @notice There is no contract at the address of the halo2 verifier.
    error Halo2Missing();
    /// @notice There are no rows in a step, or the steps of a segment are no power of two.
    error Shape();
    /// @notice The columns have fewer than 2^4 or more than 2^21 entries.
    /// @param got Variables given.
    error ColumnVars(uint256 got);
    /// @notice There are no columns of a kind that every segment has, or more than `MOST_COLUMNS` of all.
    error Columns();

    uint256 private constant INSTANCES = 8;
    /// @dev Points of a proof and tables together: about 8 million gas, and more for the paths of data columns.
    uint256 private constant MOST_COLUMNS = 1024;

    /// @inheritdoc ISegmentVerifier
    IHalo2Verifier public immutable override halo2;
    /// @inheritdoc ISegmentVerifier
    bytes32 public immutable override key;
    /// @inheritdoc ISegmentVerifier
    bytes32 public immutable override setup;
    /// @inheritdoc ISegmentVerifier
    bool public immutable override insecureSetup;
    /// @notice Variables of a column.
    uint256 public immutable columnVars;
    /// @notice Columns of a position's data.
    uint256 public immutable dataColumns;
    /// @notice Columns of the parameters at either end of a segment.
    uint256 public immutable parameterColumns;
    /// @notice Columns of the trace.
    uint256 public immutable traceColumns;

    uint32 private immutable _batch;
    uint32 private immutable _steps;
    uint256 private immutable _tauX1;
    uint256 private immutable _tauX0;
    uint256 private immutable _tauY1;
    uint256 private immutable _tauY0;

    // The words of the statement that never change.
    bytes32 private immutable _a;
    bytes32 private immutable _b;
    bytes32 private immutable _c;
    bytes32 private immutable _d;
    bytes32 private immutable _e;

    // Columns of the tables; how many remain without the infinities at their end; the first of these, and the data contract
    // that holds the others.
    uint256 private immutable _tables;
    uint256 private immutable _liveTables;
    uint256 private immutable _tableX;
    uint256 private immutable _tableY;
    address private immutable _moreTables;

    /// @param k What the key fixes. The set-up's digest is computed, and its kind must fit tau.
    constructor(Key memory k) {
        if (address(k.halo2).code.length == 0) revert Halo2Missing();
        if (k.columnVars < 4 || k.columnVars > 21) revert ColumnVars(k.columnVars);
        if (k.dataColumns == 0 || k.parameterColumns == 0 || k.traceColumns == 0) revert Columns();
        uint256 columns = k.tables.length + k.dataColumns + 2 * uint256(k.parameterColumns) + k.traceColumns;
        if (columns > MOST_COLUMNS) revert Columns();
        (halo2, key, insecureSetup) = (k.halo2, k.key, k.insecure);
        (columnVars, dataColumns, parameterColumns, traceColumns) =
        (k.columnVars, k.dataColumns, k.parameterColumns, k.traceColumns);
        if (k.batch == 0 || k.steps == 0 || k.steps & (k.steps - 1) != 0) revert Shape();
        (_batch, _steps) = (k.batch, k.steps);

        setup = Setup.digest(k.insecure, k.tauG2);
        (_tauX1, _tauX0, _tauY1, _tauY0) = (k.tauG2[0], k.tauG2[1], k.tauG2[2], k.tauG2[3]);

        bytes memory points = Tables.encode(k.tables);
        Statement.Fixed memory part =
            Statement.pack(k.key, setup, k.graph, k.batch, k.steps, k.columnVars, keccak256(points));
        (_a, _b, _c, _d, _e) = (part.a, part.b, part.c, part.d, part.e);
        _tables = k.tables.length;
        uint256 live = Tables.live(k.tables);
        _liveTables = live;
        if (live > 0) (_tableX, _tableY) = (k.tables[0][0], k.tables[0][1]);
        if (live > 1) _moreTables = Tables.store(points, live);
    }

    /// @inheritdoc ISegmentVerifier
    function shape() external view returns (uint32 batch, uint32 steps) {
        return (_batch, _steps);
    }

    /// @dev Where the parts of a proof stand in the call data.
    struct Parts {
        uint256 first;
        uint256 mask;
        uint256 last;
        uint256 paths;
        uint256 scalars;
        uint256 blinding;
        uint256 folds;
        uint256 evaluations;
        uint256 quotient;
        uint256 halo2;
        uint256 levels;
    }

    // Where the fields of `Parts` stand in memory that assembly asks for.
    uint256 private constant FIRST = 0x00;
    uint256 private constant MASK = 0x20;
    uint256 private constant LAST = 0x40;
    uint256 private constant SCALARS = 0x80;
    uint256 private constant BLINDING = 0xa0;
    uint256 private constant FOLDS = 0xc0;
    uint256 private constant QUOTIENT = 0x100;
    uint256 private constant HALO2 = 0x120;
    // Where `transcript` stands in a `HyperKzg.Opening`.
    uint256 private constant TRANSCRIPT = 0x20;
    // Where the right point stands in the input of the pairing, and the length of that.
    uint256 private constant RIGHT = 0xc0;
    uint256 private constant PAIRS_BYTES = 0x180;

    /// @inheritdoc ISegmentVerifier
    function verify(Segment calldata segment, bytes calldata proof) external view returns (bytes32 last) {
        if (segment.liveSteps == 0 || segment.liveSteps > _steps) revert LiveSteps(segment.liveSteps, _steps);
        if (segment.liveRows == 0 || segment.liveRows > _batch) revert LiveRows(segment.liveRows, _batch);
        if (segment.position >= segment.epochSegments) revert Position(segment.position, segment.epochSegments);
        if (segment.rate == 0) revert Rate();
        Parts memory parts = _parts(segment.epochSegments, proof);

        uint256 column = DataTree.mismatch(
            segment.dataRoot, segment.position, parts.mask + 64, dataColumns, parts.paths, parts.levels
        );
        if (column < dataColumns) revert DataLeaf(column);
        _requireScalars(parts, parts.scalars, parts.folds);
        _requireScalars(parts, parts.evaluations, parts.quotient);

        bytes32 digest;
        uint256 points;
        (digest, last, points) = _digest(segment, parts);
        uint256[4] memory accumulator = _halo2(segment, digest, parts, proof);
        _fold(parts, points);
        (uint256 state, uint256 x, uint256 y) = _open(parts, digest, points);
        _pair(parts, state, x, y, accumulator);
    }

    /// @dev Finds the parts of a proof for an epoch of so many segments.
    function _parts(uint256 epochSegments, bytes calldata proof) private view returns (Parts memory parts) {
        uint256 begin;
        assembly ("memory-safe") {
            begin := proof.offset
        }
        uint256 n = columnVars;
        parts.levels = DataTree.depth(epochSegments * dataColumns);
        unchecked {
            parts.first = begin;
            parts.mask = begin + 64 * parameterColumns;
            parts.last = parts.mask + 64 + 64 * dataColumns;
            parts.paths = parts.last + 64 * (parameterColumns + traceColumns);
            parts.scalars = parts.paths + 32 * dataColumns * parts.levels;
            parts.blinding = parts.scalars + 32 * (n + 2);
            parts.folds = parts.blinding + 32;
            parts.evaluations = parts.folds + 64 * (HyperKzg.steps(n) - 1);
            parts.quotient = parts.evaluations + 32 * HyperKzg.evaluations(n);
            parts.halo2 = parts.quotient + 128;
            if (proof.length < parts.halo2 - begin) revert ProofTooShort(parts.halo2 - begin, proof.length);
        }
    }

    /// @dev Every word from `begin` to `end` of the call data is below the order of the group.
    function _requireScalars(Parts memory parts, uint256 begin, uint256 end) private pure {
        uint256 r = Bn254.R;
        uint256 word = begin;
        assembly ("memory-safe") {
            for {} lt(word, end) { word := add(word, 0x20) } { if iszero(lt(calldataload(word), r)) { break } }
        }
        if (word < end) revert ScalarNotReduced(word - parts.first);
    }

    /// @dev The digest of statement and commitments, with the points behind the statement left in memory from `points` on:
    /// mask, data, first, last, trace, tables.
    function _digest(Segment calldata segment, Parts memory parts)
        private
        view
        returns (bytes32 digest, bytes32 last, uint256 points)
    {
        uint256 begin;
        assembly ("memory-safe") {
            begin := mload(0x40)
        }
        unchecked {
            points = begin + Statement.BYTES;
        }
        uint256 dataEnd = points + 64 + 64 * dataColumns;
        uint256 firstEnd = dataEnd + 64 * parameterColumns;
        uint256 traceEnd = firstEnd + 64 * (parameterColumns + traceColumns);
        uint256 end = traceEnd + 64 * _tables;
        bytes32 first;
        assembly ("memory-safe") {
            // A word behind the points is for the fold's factor.
            mstore(0x40, add(end, 0x20))
            calldatacopy(points, mload(add(parts, MASK)), sub(dataEnd, points))
            calldatacopy(dataEnd, mload(add(parts, FIRST)), sub(firstEnd, dataEnd))
            calldatacopy(firstEnd, mload(add(parts, LAST)), sub(traceEnd, firstEnd))
            // Infinities: memory behind the free pointer may hold anything.
            calldatacopy(traceEnd, calldatasize(), sub(end, traceEnd))
            first := keccak256(dataEnd, sub(firstEnd, dataEnd))
            last := keccak256(firstEnd, sub(firstEnd, dataEnd))
        }
        if (first != segment.first) revert FirstCommitments(segment.first, first);
        if (_liveTables > 0) Tables.load(traceEnd, _liveTables, _tableX, _tableY, _moreTables);
        Statement.write(begin, segment, Statement.Fixed(_a, _b, _c, _d, _e), last);
        // So that this contract's own code says which tables it uses, whatever stands at the address of the others.
        if (_liveTables > 1) Tables.requireSame(traceEnd, _tables, Statement.tablesDigest(begin));
        assembly ("memory-safe") {
            digest := keccak256(begin, sub(end, begin))
        }
    }

    /// @dev Asks the halo2 verifier for its accumulator: left and right point.
    function _halo2(Segment calldata segment, bytes32 digest, Parts memory parts, bytes calldata proof)
        private
        view
        returns (uint256[4] memory accumulator)
    {
        address verifier = address(halo2);
        bytes4 selector = IHalo2Verifier.accumulate.selector;
        uint256 count = INSTANCES + columnVars;
        (uint256 rate, uint256 position) = (segment.rate, segment.position);
        (uint256 steps, uint256 rows) = (segment.liveSteps, segment.liveRows);
        bool good;
        assembly ("memory-safe") {
            // accumulate(instances, proof): selector, two offsets, then each with its length. The selector stands in the last
            // bytes of a word, so that the rest is aligned.
            let request := add(mload(0x40), 0x1c)
            let head := add(request, 4)
            mstore(sub(head, 0x20), shr(224, selector))
            mstore(head, 0x40)
            let proofOffset := add(0x60, shl(5, count))
            mstore(add(head, 0x20), proofOffset)
            mstore(add(head, 0x40), count)
            let instances := add(head, 0x60)
            mstore(instances, shr(128, digest))
            mstore(add(instances, 0x20), shr(128, shl(128, digest)))
            mstore(add(instances, 0x40), rate)
            mstore(add(instances, 0x60), position)
            mstore(add(instances, 0x80), steps)
            mstore(add(instances, 0xa0), rows)
            // rho, v, r* stand together in the proof, in this order.
            calldatacopy(add(instances, 0xc0), mload(add(parts, SCALARS)), shl(5, sub(count, 6)))

            let begin := mload(add(parts, HALO2))
            let length := sub(add(proof.offset, proof.length), begin)
            let bytesAt := add(head, proofOffset)
            mstore(bytesAt, length)
            calldatacopy(add(bytesAt, 0x20), begin, length)
            // Padding to a whole word, as the encoding asks for.
            let padded := and(add(length, 0x1f), not(0x1f))
            mstore(add(add(bytesAt, 0x20), length), 0)
            let size := add(sub(add(bytesAt, 0x20), request), padded)

            good := staticcall(gas(), verifier, request, size, accumulator, 0x80)
            if iszero(good) {
                // Its reason is ours.
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
            good := eq(returndatasize(), 0x80)
        }
        if (!good) revert Halo2Answer();
    }

    /// @dev C = mask + Σ rho^(i+1)·C_i - s·H, left in the place of the mask.
    function _fold(Parts memory parts, uint256 points) private view {
        uint256 columns = dataColumns + 2 * parameterColumns + traceColumns;
        uint256 rho;
        assembly ("memory-safe") {
            rho := calldataload(mload(add(parts, SCALARS)))
        }
        (Bn254.Fault fault, uint256 index) = Bn254.combine(points, 1 + columns + _liveTables, _liveTables, rho);
        if (fault != Bn254.Fault.None) {
            // In memory the mask and the data columns come before the first parameters.
            uint256 moved = 1 + dataColumns;
            if (index < moved) index += parameterColumns;
            else if (index < moved + parameterColumns) index -= moved;
            _refuse(fault, 64 * index);
        }
        (uint256 h, uint256 hy) = (Setup.BLINDER_X, Setup.BLINDER_Y);
        uint256 r = Bn254.R;
        assembly ("memory-safe") {
            // -s·H goes behind the sum, then both are added.
            let term := add(points, 0x40)
            mstore(term, h)
            mstore(add(term, 0x20), hy)
            mstore(add(term, 0x40), sub(r, calldataload(mload(add(parts, BLINDING)))))
            pop(staticcall(gas(), 0x07, term, 0x60, term, 0x40))
            pop(staticcall(gas(), 0x06, points, 0x80, points, 0x40))
        }
    }

    /// @dev Checks the opening of C, which stands at `points`, but for the pairing: see `HyperKzg.reduce`.
    function _open(Parts memory parts, bytes32 digest, uint256 points)
        private
        view
        returns (uint256 state, uint256 x, uint256 y)
    {
        HyperKzg.Opening memory opening;
        uint256 n = columnVars;
        uint256 folds = HyperKzg.steps(n) - 1;
        opening.n = n;
        opening.evaluations = parts.evaluations;
        assembly ("memory-safe") {
            // digest ‖ rho ‖ r* ‖ v ‖ s ‖ C ‖ folds
            let transcript := mload(0x40)
            mstore(add(opening, TRANSCRIPT), transcript)
            let scalars := mload(add(parts, SCALARS))
            mstore(transcript, digest)
            mstore(add(transcript, 0x20), calldataload(scalars))
            calldatacopy(add(transcript, 0x40), add(scalars, 0x40), shl(5, n))
            let value := add(transcript, shl(5, add(n, 2)))
            mstore(value, calldataload(add(scalars, 0x20)))
            mstore(add(value, 0x20), calldataload(mload(add(parts, BLINDING))))
            mcopy(add(value, 0x40), points, 0x40)
            let size := shl(6, folds)
            calldatacopy(add(value, 0x80), mload(add(parts, FOLDS)), size)
            // The last weight is written behind the last fold.
            mstore(0x40, add(add(value, 0xc0), size))
        }
        HyperKzg.Fault fault;
        uint256 index;
        (fault, index, state, x, y) = HyperKzg.reduce(opening);
        if (fault == HyperKzg.Fault.Value) revert OpeningValue();
        if (fault != HyperKzg.Fault.None) {
            // C is no point of the proof: it is at infinity because of the random column.
            uint256 offset = parts.mask;
            if (index > folds) offset = parts.quotient + 64 * (index - folds - 1);
            else if (index > 0) offset = parts.folds + 64 * (index - 1);
            _refuse(Bn254.Fault(uint8(fault)), offset - parts.first);
        }
    }

    /// @dev e(left, G2)·e(right, [tau]G2) = 1 for left = (x, y) - delta·halo2's left and right = W' + delta·halo2's right.
    function _pair(Parts memory parts, uint256 state, uint256 x, uint256 y, uint256[4] memory accumulator)
        private
        view
    {
        uint256[12] memory pairs;
        (pairs[2], pairs[3], pairs[4], pairs[5]) = (Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0);
        (pairs[8], pairs[9], pairs[10], pairs[11]) = (_tauX1, _tauX0, _tauY1, _tauY0);
        uint256 r = Bn254.R;
        bool points;
        bool good;
        assembly ("memory-safe") {
            let shifted := add(mload(add(parts, QUOTIENT)), 0x40)
            // state ‖ W' ‖ accumulator: all that the two equations are made of.
            let message := mload(0x40)
            mstore(message, state)
            calldatacopy(add(message, 0x20), shifted, 0x40)
            mcopy(add(message, 0x60), accumulator, 0x80)
            let delta := mod(keccak256(message, 0xe0), r)

            // left and right of halo2, each in place, times the factor: the scalar stands behind its point. A refused point
            // takes nearly all gas with it, so that nothing else is done then.
            mcopy(message, accumulator, 0x40)
            mstore(add(message, 0x40), sub(r, delta))
            points := staticcall(gas(), 0x07, message, 0x60, message, 0x40)
            if points {
                mstore(add(message, 0x40), x)
                mstore(add(message, 0x60), y)
                pop(staticcall(gas(), 0x06, message, 0x80, pairs, 0x40))

                mcopy(message, add(accumulator, 0x40), 0x40)
                mstore(add(message, 0x40), delta)
                points := staticcall(gas(), 0x07, message, 0x60, message, 0x40)
            }
        }
        if (!points) revert Halo2Answer();
        assembly ("memory-safe") {
            let message := mload(0x40)
            calldatacopy(add(message, 0x40), add(mload(add(parts, QUOTIENT)), 0x40), 0x40)
            pop(staticcall(gas(), 0x06, message, 0x80, add(pairs, RIGHT), 0x40))
            // A call that fails writes nothing.
            mstore(0x00, 0)
            pop(staticcall(gas(), 0x08, pairs, PAIRS_BYTES, 0x00, 0x20))
            good := mload(0x00)
        }
        if (!good) revert Pairing();
    }

    /// @dev Reverts with the reason for which the point at `offset` of the proof was refused.
    function _refuse(Bn254.Fault fault, uint256 offset) private pure {
        if (fault == Bn254.Fault.AtInfinity) revert PointAtInfinity(offset);
        revert PointNotOnCurve(offset);
    }
}
