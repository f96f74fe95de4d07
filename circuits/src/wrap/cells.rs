//! Cells of the circuit as an algebra: the field-side verifier runs over them as it runs over field elements.
//!
//! An element is a form of degree two that has not been put into a row yet; only what is multiplied, absorbed or required
//! to be zero costs a row. No check ever fails here: a false witness leaves rows that do not satisfy their gates.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, One, PrimeField, Zero};

use super::arithmetic::Combination;
use super::gate::Gate;
use super::poseidon;
use super::rounds;
use super::rows::{Cell, Row, Rows, Variable};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::poseidon::WIDTH;

/// An element: a form that later becomes a variable, if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element(usize);

/// Builds the table of the circuit.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// The rows so far.
    pub table: Rows,
    forms: Vec<Combination>,
    /// Variables of constants in use.
    constants: Vec<(Fr, Variable)>,
}

impl Cells {
    fn element(&mut self, form: Combination) -> Element {
        self.forms.push(form);
        Element(self.forms.len() - 1)
    }

    /// A new witness, which nothing constrains yet.
    pub fn witness(&mut self, value: Fr) -> Element {
        let variable = self.table.variable(value);
        self.element(Combination::of_variable(variable))
    }

    /// The element's value.
    pub fn value(&self, element: &Element) -> Fr {
        self.forms[element.0].value(&self.table)
    }

    /// The element as a variable: in a row of its own, if it is not one.
    pub fn variable(&mut self, element: &Element) -> Variable {
        match self.forms[element.0].shifted_variable() {
            Some((variable, shift)) if shift.is_zero() => variable,
            _ => {
                let variable = self.table.variable(self.value(element));
                self.require(element, variable);
                self.forms[element.0] = Combination::of_variable(variable);
                variable
            }
        }
    }

    /// Requires the element to be `variable`, in one row.
    pub fn require(&mut self, element: &Element, variable: Variable) {
        let row = self.forms[element.0].row(variable);
        self.table.push(row);
    }

    /// The variable of a constant.
    fn constant_variable(&mut self, value: Fr) -> Variable {
        if let Some(&(_, variable)) = self.constants.iter().find(|(known, _)| *known == value) {
            return variable;
        }
        let element = self.element(Combination::of_constant(value));
        let variable = self.variable(&element);
        self.constants.push((value, variable));
        variable
    }

    /// Both elements as one form by `combine`, after making variables of them until it fits in a row.
    fn combined(
        &mut self,
        a: &Element,
        b: &Element,
        combine: impl Fn(&Combination, &Combination) -> Option<Combination>,
    ) -> Element {
        let longer = |form: &Combination| (form.product.is_some(), form.terms.len());
        let (first, second) = if longer(&self.forms[a.0]) >= longer(&self.forms[b.0]) { (a, b) } else { (b, a) };
        for next in [Some(first), Some(second), None] {
            if let Some(form) = combine(&self.forms[a.0], &self.forms[b.0]) {
                return self.element(form);
            }
            if let Some(next) = next {
                self.variable(next);
            }
        }
        unreachable!("two variables fit in a row, whatever is done with them")
    }
}

impl Algebra for Cells {
    type Element = Element;
    type Error = Rejection;

    fn constant(&mut self, value: Fr) -> Element {
        self.element(Combination::of_constant(value))
    }

    fn add(&mut self, a: &Element, b: &Element) -> Element {
        self.combined(a, b, Combination::plus)
    }

    fn sub(&mut self, a: &Element, b: &Element) -> Element {
        self.combined(a, b, |a, b| a.plus(&b.scaled(-Fr::one())))
    }

    fn mul(&mut self, a: &Element, b: &Element) -> Element {
        self.combined(a, b, Combination::times)
    }

    fn permute(&mut self, state: &mut [Element; WIDTH]) {
        let mut variables = Vec::with_capacity(WIDTH);
        let mut shifts = [Fr::zero(); WIDTH];
        for (element, shift) in state.iter().zip(&mut shifts) {
            let variable = match self.forms[element.0].shifted_variable() {
                Some((variable, constant)) => {
                    *shift = constant;
                    variable
                }
                None => self.variable(element),
            };
            variables.push(variable);
        }
        let variables: [Variable; WIDTH] = std::array::from_fn(|i| variables[i]);
        *state =
            poseidon::permute(&mut self.table, variables, shifts).map(|x| self.element(Combination::of_variable(x)));
    }

    fn require_zero(&mut self, _: Check, value: &Element) -> Result<(), Rejection> {
        let zero = self.constant_variable(Fr::ZERO);
        self.require(value, zero);
        Ok(())
    }

    /// A witness `i` with `value · i = 1`.
    fn require_nonzero(&mut self, _: Check, value: &Element) -> Result<(), Rejection> {
        let one = self.constant_variable(Fr::ONE);
        let inverse = self.value(value).inverse().unwrap_or_default();
        let inverse = self.witness(inverse);
        let product = self.mul(value, &inverse);
        self.require(&product, one);
        Ok(())
    }

    /// Witnesses with `b² = b` whose sum is the value.
    fn bits(&mut self, value: &Element, count: usize) -> Result<Vec<Element>, Rejection> {
        let number = self.value(value).into_bigint();
        let mut bits = Vec::with_capacity(count);
        let mut sum = self.constant(Fr::ZERO);
        for i in (0..count).rev() {
            let bit = self.witness(Fr::from(number.get_bit(i)));
            let square = self.mul(&bit, &bit);
            let variable = self.variable(&bit);
            self.require(&square, variable);
            let double = self.add(&sum, &sum);
            sum = self.add(&double, &bit);
            bits.push(bit);
        }
        let rest = self.sub(value, &sum);
        self.require_zero(Check::PublicRange, &rest)?;
        Ok(bits)
    }

    fn eq_round(&mut self, claim: &Element, w: &Element, sent: &[Element; 2], r: &Element) -> Element {
        let value = {
            let [claim, w, linear, square, r] = [claim, w, &sent[0], &sent[1], r].map(|x| self.value(x));
            claim - w * (linear + square) + r * (linear + r * square)
        };
        self.round(Gate::EqRound, [claim, w, &sent[0], &sent[1], r].map(|x| *x), value)
    }

    fn plain_round(&mut self, claim: &Element, sent: &[Element], r: &Element) -> Element {
        let zero = self.constant(Fr::ZERO);
        let part = |i: usize| sent.get(i).copied().unwrap_or(zero);
        let cells = [*claim, part(0), part(1), part(2), *r];
        let [claim, q0, q2, q3, r] = cells.map(|x| self.value(&x));
        let value = q0 + r * (claim - q0.double() - q2 - q3 + r * (q2 + r * q3));
        self.round(Gate::PlainRound, cells, value)
    }
}

impl Cells {
    fn round(&mut self, gate: Gate, cells: [Element; 5], next: Fr) -> Element {
        let cells = cells.map(|element| match self.forms[element.0] {
            Combination { constant, product: None, ref terms } if terms.is_empty() => self.constant_variable(constant),
            _ => self.variable(&element),
        });
        let next = rounds::round(&mut self.table, gate, cells, next);
        self.element(Combination::of_variable(next))
    }

    /// Reserves a row for each public input, which must be the first rows.
    ///
    /// # Panics
    /// If rows were made before.
    pub fn reserve_publics(&mut self, count: usize) {
        assert!(self.table.is_empty(), "the public inputs stand in the first rows");
        for _ in 0..count {
            self.table.push(Row::new(Gate::Arithmetic, [Cell::Unused; 5]));
        }
    }

    /// Requires `element` to be the public input `index`: the row says `0 + p - e = 0`.
    pub fn publish(&mut self, index: usize, element: &Element) {
        let variable = self.variable(element);
        self.table.set(index, 4, variable);
    }
}
