// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";

/// @title Opening of a committed multilinear polynomial at one point, all but the pairing
/// @dev The same as `verifier/src/protocol/hyperkzg.rs`, where the argument and its soundness are explained. In m steps of k variables
/// each, the last perhaps of fewer, with widths 2^k, remainders R_i, weights w_i = nu^i / (z^width - x_(i+1)), P_0 = C and the
/// folds P_1 … P_(m-1), the opening is right if
///
///     e(Σ w_i·P_i - (Σ w_i·R_i(z))·G - W + z·W', G2) = e(W', [tau]G2)
///
/// The left point is computed negated, so that W is added as it is.
library HyperKzg {
    /// @dev Variables that a step folds.
    uint256 private constant FOLDED = 2;

    /// @notice Why an opening was refused before its pairing.
    enum Fault {
        None,
        /// A point is not on the curve.
        NotOnCurve,
        /// A point is the point at infinity.
        AtInfinity,
        /// The evaluations do not lead to the value.
        Value
    }

    /// @notice An opening, and where its parts stand.
    /// @param n Variables, at least one.
    /// @param transcript Where in memory digest ‖ rho ‖ r* (n) ‖ v ‖ s ‖ C ‖ folds stand, with 64 bytes behind them that may be
    /// overwritten, as may be the folds.
    /// @param evaluations Where in the call data the evaluations stand, reduced; W and W' follow.
    struct Opening {
        uint256 n;
        uint256 transcript;
        uint256 evaluations;
    }

    // Where the last of its fields stands in memory.
    uint256 private constant EVALUATIONS = 0x40;

    // A row of `_remainders`: its numbers and its length in memory.
    uint256 private constant MODULUS = 0x00;
    uint256 private constant FACTOR = 0x20;
    uint256 private constant REMAINDER = 0x40;
    uint256 private constant ROW_BYTES = 0x60;

    /// @notice In how many steps `n` variables are folded: one more than there are folds.
    function steps(uint256 n) internal pure returns (uint256) {
        unchecked {
            return (n + FOLDED - 1) / FOLDED;
        }
    }

    /// @notice How many evaluations there are for `n` variables: one, and of each step one less than its width.
    function evaluations(uint256 n) internal pure returns (uint256) {
        unchecked {
            return (n / FOLDED) * ((1 << FOLDED) - 1) + (1 << (n % FOLDED));
        }
    }

    /// @notice Computes the negated left point of the pairing.
    /// @param opening The opening.
    /// @return fault What is wrong, if anything.
    /// @return index Of the refused point: 0 C, then the folds, then W and W'.
    /// @return state State of the transcript after W.
    /// @return x x of the point.
    /// @return y y of the point.
    function reduce(Opening memory opening)
        internal
        view
        returns (Fault fault, uint256 index, uint256 state, uint256 x, uint256 y)
    {
        uint256 rows;
        uint256 z;
        uint256 product;
        (fault, state, z, rows, product) = _remainders(opening);
        if (fault == Fault.None) (fault, index, x, y) = _combine(opening, z, rows, Bn254.inverse(product));
    }

    /// @dev Draws the challenges, checks the value, and writes a row for each step to memory: the modulus
    /// m_i = z^width - x_(i+1), the product of -nu^i and all moduli before m_i, and the remainder at z. `product` is that of all
    /// moduli.
    function _remainders(Opening memory opening)
        private
        pure
        returns (Fault fault, uint256 state, uint256 z, uint256 rows, uint256 product)
    {
        uint256 n = opening.n;
        uint256 transcript = opening.transcript;
        uint256 count = evaluations(n);
        uint256 length = steps(n);
        uint256 r = Bn254.R;
        assembly ("memory-safe") {
            // After the challenge: state ‖ evaluations, and then state ‖ W; the rows are behind them.
            let parts := add(mload(0x40), 0x20)
            rows := add(parts, shl(5, count))
            mstore(0x40, add(rows, mul(length, ROW_BYTES)))

            // digest, rho, r*, v, s: n + 4 words; C and the folds: two a step.
            state := keccak256(transcript, shl(5, add(add(n, 4), shl(1, length))))
            let x := mod(state, r)
            mstore(sub(parts, 0x20), state)
            let quotient := mload(add(opening, EVALUATIONS))
            calldatacopy(parts, quotient, shl(5, count))
            quotient := add(quotient, shl(5, count))
            state := keccak256(sub(parts, 0x20), shl(5, add(count, 1)))
            let nu := mod(state, r)
            // The evaluations stay: W stands behind them for a moment of its own.
            mstore(rows, state)
            calldatacopy(add(rows, 0x20), quotient, 0x40)
            state := keccak256(rows, 0x60)
            z := mod(state, r)

            let power := sub(r, 1)
            product := 1
            let row := rows
            // Variables are folded from the last to the first: r*_n stands before v, and rho before r*_1.
            let variable := add(transcript, shl(5, add(n, 1)))
            let first := add(transcript, 0x40)
            for {} iszero(lt(variable, first)) {} {
                // p_i stands before the coefficients that were sent, in the place of the lowest one.
                let folded := sub(variable, shl(5, FOLDED))
                if lt(folded, add(transcript, 0x20)) { folded := add(transcript, 0x20) }
                let end := add(parts, shl(5, shl(shr(5, sub(variable, folded)), 1)))

                let atX := 0
                let atZ := 0
                let b := sub(end, 0x20)
                for {} gt(b, parts) { b := sub(b, 0x20) } {
                    atX := mulmod(addmod(atX, mload(b), r), x, r)
                    atZ := mulmod(addmod(atZ, mload(b), r), z, r)
                }
                let lowest := addmod(mload(parts), sub(r, atX), r)
                mstore(parts, lowest)
                mstore(add(row, REMAINDER), addmod(lowest, atZ, r))

                // Each variable halves the remainder in its place, and squares x and z.
                let last := sub(end, 0x20)
                let modulus := z
                for {} gt(variable, folded) { variable := sub(variable, 0x20) } {
                    let u := mload(variable)
                    let to := parts
                    for { let from := parts } lt(from, end) { from := add(from, 0x40) } {
                        let even := mload(from)
                        let odd := mload(add(from, 0x20))
                        mstore(to, addmod(even, mulmod(u, addmod(odd, sub(r, even), r), r), r))
                        to := add(to, 0x20)
                    }
                    end := to
                    x := mulmod(x, x, r)
                    modulus := mulmod(modulus, modulus, r)
                }
                mstore(last, mload(parts))
                parts := last

                modulus := addmod(modulus, sub(r, x), r)
                mstore(add(row, MODULUS), modulus)
                mstore(add(row, FACTOR), mulmod(power, product, r))
                power := mulmod(power, nu, r)
                product := mulmod(product, modulus, r)
                row := add(row, ROW_BYTES)
            }
            // v stands behind r*.
            if iszero(eq(mload(parts), mload(add(transcript, shl(5, add(n, 2)))))) { fault := 3 }
        }
    }

    /// @dev W - Σ w_i·P_i + (Σ w_i·remainder_i)·G - z·W', where `inverse` is that of the product of all moduli. From the last
    /// to the first: `inverse` loses a modulus each time, and the weight is written behind its point, where the multiplication
    /// expects it, over the point that was used before.
    function _combine(Opening memory opening, uint256 z, uint256 rows, uint256 inverse)
        private
        view
        returns (Fault fault, uint256 index, uint256 x, uint256 y)
    {
        uint256 length = steps(opening.n);
        uint256 point = opening.transcript + 32 * (opening.n + 4);
        uint256 quotient = opening.evaluations + 32 * evaluations(opening.n);
        uint256 r = Bn254.R;
        assembly ("memory-safe") {
            // term ‖ sum: the two summands of the precompiled addition, and room for a scalar behind a point.
            let term := mload(0x40)
            let sum := add(term, 0x40)
            calldatacopy(sum, quotient, 0x40)
            index := length
            fault := shl(1, iszero(or(mload(sum), mload(add(sum, 0x20)))))

            let constant := 0
            for {} and(iszero(fault), gt(index, 0)) {} {
                index := sub(index, 1)
                let row := add(rows, mul(index, ROW_BYTES))
                let weight := mulmod(inverse, mload(add(row, FACTOR)), r)
                inverse := mulmod(inverse, mload(add(row, MODULUS)), r)
                constant := addmod(constant, mulmod(weight, mload(add(row, REMAINDER)), r), r)
                let at := add(point, shl(6, index))
                if iszero(or(mload(at), mload(add(at, 0x20)))) {
                    // The combined commitment C is infinity for nobody who does not know a relation between the bases.
                    fault := 2
                    break
                }
                mstore(add(at, 0x40), weight)
                if iszero(staticcall(gas(), 0x07, at, 0x60, term, 0x40)) {
                    fault := 1
                    break
                }
                // Only W, in the first sum, was not through a precompiled contract before.
                if iszero(staticcall(gas(), 0x06, term, 0x80, sum, 0x40)) {
                    fault := 1
                    index := length
                    break
                }
            }
            if iszero(fault) {
                mstore(term, 1)
                mstore(add(term, 0x20), 2)
                let scratch := add(sum, 0x40)
                mcopy(scratch, term, 0x40)
                // The weights are negated, so this is the negated constant.
                mstore(add(scratch, 0x40), sub(r, constant))
                pop(staticcall(gas(), 0x07, scratch, 0x60, term, 0x40))
                pop(staticcall(gas(), 0x06, term, 0x80, sum, 0x40))
                index := add(length, 1)
                calldatacopy(scratch, add(quotient, 0x40), 0x40)
                mstore(add(scratch, 0x40), sub(r, z))
                switch or(mload(scratch), mload(add(scratch, 0x20)))
                case 0 { fault := 2 }
                default {
                    fault := iszero(staticcall(gas(), 0x07, scratch, 0x60, term, 0x40))
                    pop(staticcall(gas(), 0x06, term, 0x80, sum, 0x40))
                }
            }
            x := mload(sum)
            y := mload(add(sum, 0x20))
        }
    }
}
