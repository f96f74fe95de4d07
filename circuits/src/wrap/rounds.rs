//! The gates of a sumcheck's rounds: they check a round polynomial against its claim, and evaluate it, at once.
//!
//! A row holds the claim and all of the round; the next row's first cell is the claim of the next round.
//!
//! ```text
//! EqRound     claim w a1 a2 r      claim' = claim - w·(a1 + a2) + r·(a1 + r·a2)                              degree 3
//! PlainRound  claim q0 q2 q3 r     claim' = q0 + r·(claim - 2·q0 - q2 - q3 + r·(q2 + r·q3))                  degree 4
//! ```
//!
//! See [`crate::argument::sumcheck`] for what is sent: what the claim implies is not, so that there is nothing else to check.

use ark_bn254::Fr;
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::plonk::ConstraintSystem;

use super::columns::{ADVICE, Columns};
use super::gate::Gate;
use super::rows::{Cell, Row, Rows, Variable};

/// Adds the gates.
pub fn configure(columns: &Columns, system: &mut ConstraintSystem<bn256::Fr>) {
    columns.gate(system, Gate::EqRound, |cells| {
        let [claim, w, linear, square, r] = cells.here;
        let [next, ..] = cells.next;
        let rise = w * (linear.clone() + square.clone());
        vec![claim - rise + r.clone() * (linear + r * square) - next]
    });
    columns.gate(system, Gate::PlainRound, |cells| {
        let [claim, q0, q2, q3, r] = cells.here;
        let [next, ..] = cells.next;
        let q1 = claim - q0.clone() - q0.clone() - q2.clone() - q3.clone();
        vec![q0 + r.clone() * (q1 + r.clone() * (q2 + r * q3)) - next]
    });
}

/// Appends a round to the table: the next claim, which has `value`.
pub fn round(table: &mut Rows, gate: Gate, cells: [Variable; ADVICE], value: Fr) -> Variable {
    let next = table.variable(value);
    table.push_round(Row::new(gate, cells.map(Cell::Shared)), next);
    next
}
