//! The columns of the circuit, and how a row says which gate it is.

use ark_bn254::Fr;
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::plonk::{Advice, Column, ConstraintSystem, Expression, Fixed, Instance};
use halo2_axiom::poly::Rotation;

use super::convert::to_halo2;
use super::gate::Gate;

/// Advice columns: the width of Poseidon's state.
pub const ADVICE: usize = 5;
/// Fixed columns of coefficients, whose meaning depends on the gate.
pub const CONSTANTS: usize = 6;
/// Fixed columns that select gates.
pub const SELECTORS: usize = 3;

/// A gate's equation over the cells of a row and the next.
pub type Equation = Expression<bn256::Fr>;

/// The columns.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Cells that copies may tie.
    pub advice: [Column<Advice>; ADVICE],
    /// Coefficients.
    pub constants: [Column<Fixed>; CONSTANTS],
    /// Selectors: see [`selector`].
    pub selectors: [Column<Fixed>; SELECTORS],
    /// Public inputs.
    pub instance: Column<Instance>,
}

/// Where a gate is selected: column and number. Gates of one column exclude each other.
///
/// The highest degrees, 5 in column 1 and 2 with two numbers each, and 4 in column 0 with three, all end at 7.
pub fn selector(gate: Gate) -> Option<(usize, u64)> {
    match gate {
        Gate::None => None,
        Gate::Arithmetic => Some((0, 1)),
        Gate::EqRound => Some((0, 2)),
        Gate::PlainRound => Some((0, 3)),
        Gate::FullRound => Some((1, 1)),
        Gate::EnterPartial => Some((1, 2)),
        Gate::PartialRounds => Some((2, 1)),
        Gate::LeavePartial => Some((2, 2)),
    }
}

/// Degree of the highest equations, selectors included.
pub const DEGREE: usize = 7;

/// Numbers in use in each selector's column.
const NUMBERS: [u64; SELECTORS] = [3, 2, 2];

/// What the equation of a gate is written in.
pub struct Queried {
    /// Advice of the row.
    pub here: [Equation; ADVICE],
    /// Advice of the next row.
    pub next: [Equation; ADVICE],
    /// Coefficients.
    pub constants: [Equation; CONSTANTS],
    /// The public input.
    pub instance: Equation,
}

impl Columns {
    /// Makes the columns.
    pub fn new(system: &mut ConstraintSystem<bn256::Fr>) -> Self {
        let columns = Self {
            advice: std::array::from_fn(|_| system.advice_column()),
            constants: std::array::from_fn(|_| system.fixed_column()),
            selectors: std::array::from_fn(|_| system.fixed_column()),
            instance: system.instance_column(),
        };
        columns.advice.iter().for_each(|&column| system.enable_equality(column));
        // The library takes the degree of the gates, but silently not more than 5 unless it is told.
        system.set_minimum_degree(DEGREE);
        columns
    }

    /// Adds the gate whose `equations` are zero in the rows of `gate`.
    ///
    /// An equation of degree d becomes one of degree d + the numbers of the gate's selector column: with numbers 1 … m and
    /// the selector s, it is multiplied by `s · Π_(i ≠ number) (i - s)`.
    pub fn gate(
        &self,
        system: &mut ConstraintSystem<bn256::Fr>,
        gate: Gate,
        equations: impl FnOnce(Queried) -> Vec<Equation>,
    ) {
        let Some((column, number)) = selector(gate) else { return };
        system.create_gate(format!("{gate:?}"), |meta| {
            let mut advice = |rotation| self.advice.map(|column| meta.query_advice(column, rotation));
            let (here, next) = (advice(Rotation::cur()), advice(Rotation::next()));
            let constants = self.constants.map(|column| meta.query_fixed(column, Rotation::cur()));
            let instance = meta.query_instance(self.instance, Rotation::cur());
            let s = meta.query_fixed(self.selectors[column], Rotation::cur());
            let chosen = (1..=NUMBERS[column])
                .filter(|&other| other != number)
                .fold(s.clone(), |product, other| product * (constant(Fr::from(other)) - s.clone()));
            let cells = Queried { here, next, constants, instance };
            equations(cells).into_iter().map(|equation| chosen.clone() * equation).collect::<Vec<_>>()
        });
    }
}

/// A constant of a gate.
pub fn constant(value: Fr) -> Equation {
    Expression::Constant(to_halo2(value))
}

/// `Σ coefficient · term`.
pub fn linear_combination<'a>(terms: impl IntoIterator<Item = (&'a Fr, &'a Equation)>) -> Equation {
    terms
        .into_iter()
        .map(|(coefficient, term)| term.clone() * to_halo2(*coefficient))
        .reduce(|sum, term| sum + term)
        .unwrap_or(Expression::Constant(bn256::Fr::zero()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrap::circuit::WrapCircuit;
    use halo2_axiom::plonk::Circuit;

    #[test]
    fn the_degree_is_that_of_the_highest_gate() {
        let mut system = ConstraintSystem::default();
        WrapCircuit::configure(&mut system);
        let gates = system.gates().iter().flat_map(|gate| gate.polynomials());
        assert_eq!(gates.map(|equation| equation.degree()).max(), Some(DEGREE));
        assert_eq!(system.degree(), DEGREE);
    }
}
