//! Which commitments are opened where, and the combination of all openings into one (SHPLONK).
//!
//! # Paper
//! Boneh, Drake, Fisch, Gabizon, *Efficient polynomial commitment schemes for multiple points and polynomials*, eprint
//! 2020/081, section 4.

use std::collections::BTreeSet;

use halo2_axiom::halo2curves::bn256::{Fr, G1Affine};
use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::halo2curves::group::prime::PrimeCurveAffine;

use super::error::GenerateError;
use super::shape::{Shape, name};
use super::source::{Memory, SourceText, factor, number, product};

/// A polynomial that is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polynomial {
    Advice(usize),
    Fixed(usize),
    Sigma(usize),
    Product(usize),
    Quotient,
    Random,
}

/// Polynomials that are opened at the same rotations.
struct Set {
    rotations: BTreeSet<i64>,
    polynomials: Vec<Polynomial>,
}

/// All openings of a proof.
pub(super) struct Openings<'a> {
    shape: &'a Shape<'a>,
    /// Rotations of all sets, in order.
    rotations: Vec<i64>,
    sets: Vec<Set>,
    /// The word that holds the evaluation of a polynomial at a rotation.
    evaluations: Vec<(Polynomial, i64, String)>,
}

impl<'a> Openings<'a> {
    /// The openings, in the order in which halo2 asks for them.
    pub fn new(shape: &'a Shape<'a>) -> Result<Self, GenerateError> {
        let mut evaluations = Vec::new();
        let mut open = |polynomial, rotation: i32, name| {
            evaluations.push((polynomial, i64::from(rotation).rem_euclid(shape.rows()), name));
        };
        for (column, at) in &shape.advice_queries {
            open(Polynomial::Advice(*column), *at, name("ADVICE", *column, *at));
        }
        for index in 0..shape.products {
            open(Polynomial::Product(index), 0, name("PRODUCT", index, 0));
            open(Polynomial::Product(index), 1, name("PRODUCT", index, 1));
        }
        for index in (0..shape.products.saturating_sub(1)).rev() {
            open(Polynomial::Product(index), shape.last(), name("PRODUCT", index, shape.last()));
        }
        for (column, at) in &shape.fixed_queries {
            open(Polynomial::Fixed(*column), *at, name("FIXED", *column, *at));
        }
        for column in 0..shape.permuted.len() {
            open(Polynomial::Sigma(column), 0, name("SIGMA", column, 0));
        }
        open(Polynomial::Quotient, 0, String::from("QUOTIENT"));
        open(Polynomial::Random, 0, String::from("RANDOM"));

        let mut polynomials: Vec<(Polynomial, BTreeSet<i64>)> = Vec::new();
        for (polynomial, rotation, _) in &evaluations {
            match polynomials.iter_mut().find(|(known, _)| known == polynomial) {
                Some((_, rotations)) => {
                    if !rotations.insert(*rotation) {
                        return Err(GenerateError::Collision);
                    }
                }
                None => polynomials.push((*polynomial, BTreeSet::from([*rotation]))),
            }
        }
        let mut sets: Vec<Set> = Vec::new();
        for (polynomial, rotations) in polynomials {
            match sets.iter_mut().find(|set| set.rotations == rotations) {
                Some(set) => set.polynomials.push(polynomial),
                None => sets.push(Set { rotations, polynomials: vec![polynomial] }),
            }
        }
        let all: BTreeSet<i64> = sets.iter().flat_map(|set| set.rotations.iter().copied()).collect();
        Ok(Self { shape, rotations: all.into_iter().collect(), sets, evaluations })
    }

    /// Names the words of this section.
    pub fn place(&self, memory: &mut Memory) {
        for index in 0..self.rotations.len() {
            memory.place(format!("U_MINUS_POINT_{index}"), 1);
        }
    }

    fn word(&self, rotation: i64) -> String {
        let index = self.rotations.iter().position(|known| *known == rotation).unwrap_or_default();
        format!("mload(U_MINUS_POINT_{index})")
    }

    /// The polynomial that vanishes where all sets but this one are opened, at `u`.
    fn outside(&self, set: &Set) -> Option<String> {
        product(self.rotations.iter().filter(|at| !set.rotations.contains(at)).map(|at| self.word(*at)))
    }

    /// True if the inverse of the point `x` is needed: a set has several points.
    pub fn inverts_x(&self) -> bool {
        self.sets.iter().any(|set| set.rotations.len() > 1)
    }

    /// What is to be inverted so that the first set has the coefficient one.
    pub fn denominator(&self) -> Option<String> {
        self.sets.first().and_then(|set| self.outside(set))
    }

    /// Writes the differences of `u` and the points of opening.
    pub fn differences(&self, source: &mut SourceText) {
        for (index, rotation) in self.rotations.iter().enumerate() {
            let point = product([String::from("x")].into_iter().chain(factor(&self.shape.root(*rotation))));
            let point = point.unwrap_or_default();
            source.line(format!("mstore(U_MINUS_POINT_{index}, addmod(u, sub(r, {point}), r))"));
        }
    }

    /// Writes the combined evaluation, `evaluation`, and the coefficient of each set after the first, `scale_1` and on.
    pub fn evaluation(&self, source: &mut SourceText) {
        source.line("let evaluation := 0");
        for (index, set) in self.sets.iter().enumerate() {
            source.line(format!("// Set {index}: {} polynomials at {:?}", set.polynomials.len(), set.rotations));
            if index > 0 {
                source.line("power := mulmod(power, v, r)");
                let inverse = self.denominator().map(|_| String::from("mload(FIRST_INVERSE)"));
                let factors = [Some(String::from("power")), self.outside(set), inverse];
                let scale = product(factors.into_iter().flatten()).unwrap_or_default();
                source.line(format!("mstore(SCALE_{index}, {scale})"));
            }
            source.line("{");
            source.lines("let remainder := 0\n let sum");
            for rotation in &set.rotations {
                let mut values = set.polynomials.iter().rev().map(|polynomial| self.value(*polynomial, *rotation));
                source.line(format!("sum := {}", values.next().unwrap_or_default()));
                values.for_each(|value| source.line(format!("sum := addmod(mulmod(sum, y, r), {value}, r)")));
                let basis = self.basis(set, *rotation);
                let term = product([String::from("sum")].into_iter().chain(basis)).unwrap_or_default();
                source.line(format!("remainder := addmod(remainder, {term}, r)"));
            }
            let scale = (index > 0).then(|| format!("mload(SCALE_{index})"));
            let term = product([String::from("remainder")].into_iter().chain(scale)).unwrap_or_default();
            source.line(format!("evaluation := addmod(evaluation, {term}, r)"));
            source.line("}");
        }
    }

    /// Names the coefficients of the sets.
    pub fn place_scales(&self, memory: &mut Memory) {
        for index in 1..self.sets.len() {
            memory.place(format!("SCALE_{index}"), 1);
        }
    }

    fn value(&self, polynomial: Polynomial, rotation: i64) -> String {
        let found = self.evaluations.iter().find(|(known, at, _)| *known == polynomial && *at == rotation);
        found.map(|(_, _, name)| format!("mload({name})")).unwrap_or_default()
    }

    /// Factors of the Lagrange polynomial of one point of a set at `u`.
    ///
    /// The points are `x` times roots of unity, so that the denominator is a power of `x` times a known number.
    fn basis(&self, set: &Set, rotation: i64) -> Vec<String> {
        let others: Vec<i64> = set.rotations.iter().copied().filter(|at| *at != rotation).collect();
        let own = self.shape.root(rotation);
        let denominator: Fr = others.iter().map(|at| own - self.shape.root(*at)).product();
        // Roots of unity are different, so that the denominator is not zero.
        let inverse = denominator.invert().unwrap_or(Fr::ONE);
        let numerators = others.iter().map(|at| self.word(*at));
        let powers = others.iter().map(|_| String::from("mload(X_INVERSE)"));
        numerators.chain(powers).chain(factor(&inverse)).collect()
    }

    /// Writes the combination of all commitments into the words of the sum.
    pub fn commitments(&self, source: &mut SourceText) {
        let mut first = true;
        for (index, set) in self.sets.iter().enumerate() {
            source.line(format!("// Set {index}"));
            source.line(match index {
                0 => String::from("let scalar := 1"),
                _ => format!("scalar := mload(SCALE_{index})"),
            });
            for (place, polynomial) in set.polynomials.iter().enumerate() {
                if place > 0 {
                    source.line("scalar := mulmod(scalar, y, r)");
                }
                match polynomial {
                    Polynomial::Advice(column) => {
                        term(source, &format!("ADVICE_POINT_{column}"), "scalar", &mut first);
                    }
                    Polynomial::Product(column) => {
                        term(source, &format!("PRODUCT_POINT_{column}"), "scalar", &mut first);
                    }
                    Polynomial::Random => term(source, "RANDOM_POINT", "scalar", &mut first),
                    Polynomial::Fixed(column) => {
                        constant(
                            source,
                            &format!("Fixed column {column}"),
                            self.shape.key.fixed_commitments().get(*column),
                        );
                    }
                    Polynomial::Sigma(column) => {
                        let commitments = self.shape.key.permutation().commitments();
                        constant(source, &format!("Permutation of column {column}"), commitments.get(*column));
                    }
                    Polynomial::Quotient => {
                        source.lines("{\n let piece := scalar");
                        for piece in 0..self.shape.pieces {
                            if piece > 0 {
                                source.line("piece := mulmod(piece, xn, r)");
                            }
                            term(source, &format!("QUOTIENT_POINT_{piece}"), "piece", &mut first);
                        }
                        source.line("}");
                    }
                }
            }
        }
    }

    /// The vanishing polynomial of the first set at `u`.
    pub fn vanishing(&self) -> String {
        let first = self.sets.first().map(|set| &set.rotations);
        product(first.into_iter().flatten().map(|at| self.word(*at))).unwrap_or_default()
    }
}

/// Adds a multiple of a point of the proof; the very first has the coefficient one.
fn term(source: &mut SourceText, point: &str, scalar: &str, first: &mut bool) {
    if std::mem::take(first) {
        source.line(format!("mcopy(SUM, {point}, 0x40)"));
    } else {
        source.line(format!("mcopy(POINT, {point}, 0x40)"));
        source.line(format!("add_multiple({scalar})"));
    }
}

/// Adds a multiple of a point of the verifying key.
fn constant(source: &mut SourceText, title: &str, point: Option<&G1Affine>) {
    match point {
        Some(point) if !bool::from(point.is_identity()) => {
            source.line(format!("// {title}"));
            source.line(format!("mstore(POINT, {})", number(&point.x)));
            source.line(format!("mstore(add(POINT, 0x20), {})", number(&point.y)));
            source.line("add_multiple(scalar)");
        }
        _ => source.line(format!("// {title}: zero everywhere")),
    }
}
