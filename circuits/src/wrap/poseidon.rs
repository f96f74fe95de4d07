//! The gates of the Poseidon permutation: 21 rows of five cells.
//!
//! ```text
//! rows  gate            cells
//!  3    FullRound       the state x before the round: next_i = Σ_j M_ij·(x_j + c_j)^5                  degree 5
//!  1    EnterPartial    the state before the fourth round; the next row holds w_0 … w_4                degree 5
//! 11    PartialRounds   w_5t … w_(5t+4), what the S-boxes of five partial rounds take in               degree 5
//!  1    LeavePartial    w_55 … w_59; the next row holds the state after the partial rounds            degree 5
//!  4    FullRound
//!  1    none            the state after the permutation
//! ```
//!
//! The partial rounds hold no state. A partial round puts one S-box on the first element, so that the state has four
//! elements that follow linearly from the round before, and any five successive inputs `w` of the S-box determine the next:
//!
//! ```text
//! w_(r+5) = Σ_{i=1..4} α_i·w_(r+i) + Σ_{i=0..4} β_i·w_(r+i)^5 + γ_r
//! ```
//!
//! with α the same in every round (Cayley and Hamilton), β too, and γ in the fixed columns. See `linear` for the coefficients.
//!
//! # Soundness
//! Each equation determines one cell of the next row from cells before it, so rows that satisfy the gates are the
//! permutation of the first row.

mod linear;

use ark_bn254::Fr;
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::plonk::ConstraintSystem;

use super::columns::{ADVICE, CONSTANTS, Columns, Equation, constant, linear_combination};
use super::gate::Gate;
use super::rows::{Cell, Row, Rows, Variable};
use crate::field::poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants};
use linear::{Coefficients, HALF, Trace, coefficients};

/// Rows of a permutation.
pub const ROWS: usize = FULL_ROUNDS + PARTIAL_ROUNDS / WIDTH + 1;

fn fifth_power(x: Equation) -> Equation {
    let square = x.clone() * x.clone();
    square.clone() * square * x
}

/// `Σ coefficient · term`, plus the coefficient after those of the terms, if there is one.
fn affine(coefficients: &[Fr], terms: &[Equation]) -> Equation {
    let (factors, shift) = coefficients.split_at(terms.len());
    let sum = linear_combination(factors.iter().zip(terms));
    shift.iter().fold(sum, |sum, shift| sum + constant(*shift))
}

/// Adds the gates.
pub fn configure(columns: &Columns, system: &mut ConstraintSystem<bn256::Fr>) {
    let Coefficients { enter, recurrence, leave, .. } = coefficients();
    let powers = |cells: &[Equation], shifts: &[Equation]| -> Vec<Equation> {
        cells.iter().zip(shifts).map(|(cell, shift)| fifth_power(cell.clone() + shift.clone())).collect()
    };
    columns.gate(system, Gate::FullRound, |cells| {
        let powers = powers(&cells.here, &cells.constants);
        let rows = constants().mds.iter().zip(cells.next);
        rows.map(|(row, next)| affine(row, &powers) - next).collect()
    });
    columns.gate(system, Gate::EnterPartial, |cells| {
        let mut terms = powers(&cells.here, &cells.constants);
        let mut equations = Vec::new();
        for (next, coefficients) in cells.next.into_iter().zip(enter) {
            equations.push(affine(coefficients, &terms) - next.clone());
            terms.push(fifth_power(next));
        }
        equations
    });
    columns.gate(system, Gate::PartialRounds, |cells| {
        let window: Vec<Equation> = cells.here.into_iter().chain(cells.next).collect();
        let powers: Vec<Equation> = window.iter().cloned().map(fifth_power).collect();
        (0..WIDTH)
            .zip(cells.constants)
            .map(|(j, shift)| {
                let terms = [&window[j + 1..j + WIDTH], &powers[j..j + WIDTH]].concat();
                affine(recurrence, &terms) + shift - window[j + WIDTH].clone()
            })
            .collect()
    });
    columns.gate(system, Gate::LeavePartial, |cells| {
        let powers: Vec<Equation> = cells.here.iter().cloned().map(fifth_power).collect();
        let terms = [&cells.here[1..], &powers].concat();
        cells.next.into_iter().zip(leave).map(|(next, coefficients)| affine(coefficients, &terms) - next).collect()
    });
}

/// Appends a permutation of the variables `state`, to each of which its `shift` is added first: the state after it.
pub fn permute(table: &mut Rows, state: [Variable; WIDTH], shifts: [Fr; WIDTH]) -> [Variable; WIDTH] {
    let input: [Fr; WIDTH] = std::array::from_fn(|i| table.value(state[i]) + shifts[i]);
    let trace = Trace::new(input);
    let widen = |constants: [Fr; WIDTH]| -> [Fr; CONSTANTS] {
        std::array::from_fn(|i| constants.get(i).copied().unwrap_or_default())
    };
    let own = |values: [Fr; WIDTH]| -> [Cell; ADVICE] { values.map(Cell::Own) };
    let round = &constants().round;
    for (i, before) in trace.before.iter().enumerate() {
        let gate = if i + 1 < HALF { Gate::FullRound } else { Gate::EnterPartial };
        let (cells, constants) = if i == 0 {
            (state.map(Cell::Shared), std::array::from_fn(|j| round[0][j] + shifts[j]))
        } else {
            (own(*before), round[i])
        };
        table.push(Row { gate, constants: widen(constants), cells });
    }
    let windows = trace.inputs.chunks_exact(WIDTH).count();
    for (t, window) in trace.inputs.chunks_exact(WIDTH).enumerate() {
        let cells = own(std::array::from_fn(|i| window[i]));
        table.push(match coefficients().shifts.get(t) {
            Some(&shifts) if t + 1 < windows => Row { gate: Gate::PartialRounds, constants: widen(shifts), cells },
            _ => Row::new(Gate::LeavePartial, cells),
        });
    }
    for (after, constants) in trace.after.iter().zip(&round[HALF + PARTIAL_ROUNDS..]) {
        table.push(Row { gate: Gate::FullRound, constants: widen(*constants), cells: own(*after) });
    }
    let result = trace.result.map(|value| table.variable(value));
    table.push(Row::new(Gate::None, result.map(Cell::Shared)));
    result
}
