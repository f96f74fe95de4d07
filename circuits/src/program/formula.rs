//! Polynomials of degree two as a straight line of sums and products, which provers and verifiers run alike.

use ark_bn254::Fr;

use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};

/// A value that a [`Formula`] computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Operand(usize),
    Mask(usize),
    Add(Register, Register),
    Sub(Register, Register),
    Mul(Register, Register),
    Scale(Register, i64),
}

/// Polynomials in operands and public masks.
///
/// Two formulas that compute the same in another order are different: the circuit has their rows in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formula {
    operands: usize,
    masks: usize,
    lines: Vec<Line>,
    results: Vec<Register>,
}

impl Formula {
    fn line(&mut self, line: Line) -> Register {
        self.lines.push(line);
        Register(self.lines.len() - 1)
    }

    /// The next operand.
    pub fn operand(&mut self) -> Register {
        self.operands += 1;
        self.line(Line::Operand(self.operands - 1))
    }

    /// The next mask.
    pub fn mask(&mut self) -> Register {
        self.masks += 1;
        self.line(Line::Mask(self.masks - 1))
    }

    /// `a + b`.
    pub fn add(&mut self, a: Register, b: Register) -> Register {
        self.line(Line::Add(a, b))
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Register, b: Register) -> Register {
        self.line(Line::Sub(a, b))
    }

    /// `a · b`.
    pub fn mul(&mut self, a: Register, b: Register) -> Register {
        self.line(Line::Mul(a, b))
    }

    /// `a · factor`.
    pub fn scale(&mut self, a: Register, factor: i64) -> Register {
        self.line(Line::Scale(a, factor))
    }

    /// `x² - x`: zero for bits.
    pub fn bit(&mut self, x: Register) -> Register {
        let square = self.mul(x, x);
        self.sub(square, x)
    }

    /// `(1 - mask)·x`: what stands outside of the mask.
    pub fn outside(&mut self, mask: Register, x: Register) -> Register {
        let kept = self.mul(mask, x);
        self.sub(x, kept)
    }

    /// The next polynomial is `value`.
    pub fn result(&mut self, value: Register) {
        self.results.push(value);
    }

    /// Number of polynomials.
    pub fn count(&self) -> usize {
        self.results.len()
    }

    /// The largest degree of a polynomial in a variable, where operands and masks have these; none for another number of them.
    pub fn degree(&self, operands: &[usize], masks: &[usize]) -> Option<usize> {
        if (operands.len(), masks.len()) != (self.operands, self.masks) {
            return None;
        }
        let mut degrees: Vec<usize> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let at = |register: &Register| degrees.get(register.0).copied();
            degrees.push(match line {
                Line::Operand(index) => *operands.get(*index)?,
                Line::Mask(index) => *masks.get(*index)?,
                Line::Add(a, b) | Line::Sub(a, b) => at(a)?.max(at(b)?),
                Line::Mul(a, b) => at(a)? + at(b)?,
                Line::Scale(a, _) => at(a)?,
            });
        }
        self.results
            .iter()
            .map(|result| degrees.get(result.0).copied())
            .try_fold(0, |most, degree| Some(most.max(degree?)))
    }

    /// Binary logarithms of the absolute values of all lines, where operands have these, as far as they are known; masks are at
    /// most one.
    fn magnitudes(&self, operands: &[Option<f64>]) -> Vec<Option<f64>> {
        let mut values: Vec<Option<f64>> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let at = |register: &Register| values.get(register.0).copied().flatten();
            let both = |a: &Register, b: &Register, f: fn(f64, f64) -> f64| Some(f(at(a)?, at(b)?));
            values.push(match line {
                Line::Operand(index) => operands.get(*index).copied().flatten(),
                Line::Mask(_) => Some(0.0),
                Line::Add(a, b) | Line::Sub(a, b) => both(a, b, |a, b| a.max(b) + 1.0),
                Line::Mul(a, b) => both(a, b, |a, b| a + b),
                Line::Scale(a, factor) => at(a).map(|a| a + (factor.unsigned_abs() as f64).log2()),
            });
        }
        values
    }

    /// The largest of all sums and products on the way to the polynomials: none if an operand is missing.
    pub(super) fn largest(&self, operands: &[f64]) -> Option<f64> {
        let operands: Vec<Option<f64>> = operands.iter().copied().map(Some).collect();
        self.magnitudes(&operands).into_iter().try_fold(f64::NEG_INFINITY, |most, value| Some(most.max(value?)))
    }

    /// Operands that polynomials which are zero define, with bounds: bits by `x² - x`, others by `x - f` for an `f` of operands
    /// whose bounds are known.
    pub(super) fn definitions(&self, known: &[Option<f64>]) -> Vec<(usize, f64)> {
        let magnitudes = self.magnitudes(known);
        let line = |register: Register| self.lines.get(register.0).copied();
        let operand = |register: Register| match line(register) {
            Some(Line::Operand(index)) => Some(index),
            _ => None,
        };
        let bound = |register: Register| magnitudes.get(register.0).copied().flatten();
        let defined = |result: &Register| {
            let Some(Line::Sub(a, b)) = line(*result) else { return None };
            match (line(a), operand(b)) {
                (Some(Line::Mul(x, y)), Some(bit)) if operand(x) == Some(bit) && operand(y) == Some(bit) => {
                    Some((bit, 0.0))
                }
                _ => match (operand(a), bound(b)) {
                    (Some(index), Some(bound)) => Some((index, bound)),
                    _ => operand(b).zip(bound(a)),
                },
            }
        };
        self.results.iter().filter_map(defined).collect()
    }

    /// True if the only polynomial is the product of the only two operands.
    pub fn is_product(&self) -> bool {
        let mut product = Self::default();
        let (a, b) = (product.operand(), product.operand());
        let value = product.mul(a, b);
        product.result(value);
        *self == product
    }

    /// The values of the polynomials at any point, from those of operands and masks.
    ///
    /// # Errors
    /// Another number of operands or masks.
    pub fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        operands: &[A::Element],
        masks: &[A::Element],
    ) -> Result<Vec<A::Element>, Rejection> {
        let broken = || Rejection { check: Check::Length };
        if (operands.len(), masks.len()) != (self.operands, self.masks) {
            return Err(broken());
        }
        let mut values: Vec<A::Element> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let at = |value: &Register| values.get(value.0).ok_or_else(broken);
            let value = match line {
                Line::Operand(index) => operands.get(*index).ok_or_else(broken)?.clone(),
                Line::Mask(index) => masks.get(*index).ok_or_else(broken)?.clone(),
                Line::Add(a, b) => algebra.add(at(a)?, at(b)?),
                Line::Sub(a, b) => algebra.sub(at(a)?, at(b)?),
                Line::Mul(a, b) => algebra.mul(at(a)?, at(b)?),
                Line::Scale(a, factor) => algebra.scale(at(a)?, Fr::from(*factor)),
            };
            values.push(value);
        }
        self.results.iter().map(|result| values.get(result.0).cloned().ok_or_else(broken)).collect()
    }
}
