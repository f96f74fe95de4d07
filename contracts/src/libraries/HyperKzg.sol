// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";

/// @title Opening of a committed multilinear polynomial at one point, all but the pairing
/// @dev The same as `verifier/src/hyperkzg.rs`, where the argument and its soundness are explained. With the remainders
/// a_i + b_i·X, weights w_i = nu^i / (z² - x_(i+1)), P_0 = C and the folds P_1 … P_(n-1), the opening is right if
///
///     e(Σ w_i·P_i - (Σ w_i·(a_i + z·b_i))·G - W + z·W', G2) = e(W', [tau]G2)
///
/// The left point is computed negated, so that W is added as it is.
library HyperKzg {
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
    /// @param n Variables.
    /// @param transcript Where in memory digest ‖ rho ‖ r* (n) ‖ v ‖ s ‖ C ‖ folds (n-1) stand, with 64 bytes behind them that
    /// may be overwritten, as may be the folds.
    /// @param evaluations Where in the call data the n + 1 evaluations stand, reduced; W and W' follow.
    struct Opening {
        uint256 n;
        uint256 transcript;
        uint256 evaluations;
    }

    /// @notice Computes the negated left point of the pairing.
    /// @param opening The opening.
    /// @return fault What is wrong, if anything.
    /// @return index Of the refused point: 0 C, then the folds, n for W, n + 1 for W'.
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

    /// @dev Draws the challenges, checks the value, and writes a row for each i to memory: the modulus m_i = z² - x_(i+1), the
    /// product of -nu^i and all moduli before m_i, and the remainder at z. `product` is that of all moduli.
    function _remainders(Opening memory opening)
        private
        pure
        returns (Fault fault, uint256 state, uint256 z, uint256 rows, uint256 product)
    {
        uint256 n = opening.n;
        uint256 transcript = opening.transcript;
        uint256 evaluations = opening.evaluations;
        uint256 r = Bn254.R;
        assembly ("memory-safe") {
            // After the challenge: state ‖ evaluations, and then state ‖ W; the rows are behind them.
            let buffer := mload(0x40)
            rows := add(buffer, shl(5, add(n, 4)))
            mstore(0x40, add(rows, mul(n, 0x60)))

            // digest, rho, r*, v, s: n + 4 words; C and the folds: 2n.
            state := keccak256(transcript, shl(5, add(mul(n, 3), 4)))
            let x := mod(state, r)
            mstore(buffer, state)
            calldatacopy(add(buffer, 0x20), evaluations, shl(5, add(n, 1)))
            state := keccak256(buffer, shl(5, add(n, 2)))
            let nu := mod(state, r)
            // The evaluations stay: W stands behind them for a moment of its own.
            let message := rows
            mstore(message, state)
            calldatacopy(add(message, 0x20), add(evaluations, shl(5, add(n, 1))), 0x40)
            state := keccak256(message, 0x60)
            z := mod(state, r)

            let zz := mulmod(z, z, r)
            let p := mload(add(buffer, 0x20))
            let power := sub(r, 1)
            product := 1
            let row := rows
            // Variables are folded from the last to the first: r*_n stands before v.
            let variable := add(transcript, shl(5, add(n, 1)))
            let b := add(buffer, 0x40)
            for { let end := add(b, shl(5, n)) } lt(b, end) { b := add(b, 0x20) } {
                let odd := mload(b)
                let even := addmod(p, mulmod(sub(r, x), odd, r), r)
                x := mulmod(x, x, r)
                p := addmod(even, mulmod(mload(variable), addmod(odd, sub(r, even), r), r), r)
                let modulus := addmod(zz, sub(r, x), r)
                mstore(row, modulus)
                mstore(add(row, 0x20), mulmod(power, product, r))
                mstore(add(row, 0x40), addmod(even, mulmod(z, odd, r), r))
                power := mulmod(power, nu, r)
                product := mulmod(product, modulus, r)
                variable := sub(variable, 0x20)
                row := add(row, 0x60)
            }
            // v stands behind r*.
            if iszero(eq(p, mload(add(transcript, shl(5, add(n, 2)))))) { fault := 3 }
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
        uint256 n = opening.n;
        uint256 transcript = opening.transcript;
        uint256 quotient = opening.evaluations + 32 * (n + 1);
        uint256 r = Bn254.R;
        assembly ("memory-safe") {
            // term ‖ sum: the two summands of the precompiled addition, and room for a scalar behind a point.
            let term := mload(0x40)
            let sum := add(term, 0x40)
            calldatacopy(sum, quotient, 0x40)
            index := n
            fault := shl(1, iszero(or(mload(sum), mload(add(sum, 0x20)))))

            let constant := 0
            let point := add(transcript, shl(5, add(n, 4)))
            for {} and(iszero(fault), gt(index, 0)) {} {
                index := sub(index, 1)
                let row := add(rows, mul(index, 0x60))
                let weight := mulmod(inverse, mload(add(row, 0x20)), r)
                inverse := mulmod(inverse, mload(row), r)
                constant := addmod(constant, mulmod(weight, mload(add(row, 0x40)), r), r)
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
                    index := n
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
                index := add(n, 1)
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
