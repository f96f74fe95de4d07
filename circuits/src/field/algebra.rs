//! What the field-side verifier computes with: native field elements, or cells of a circuit.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};

use crate::field::check::{Check, Judge, Rejection};
use crate::field::poseidon;

/// Arithmetic over the BN254 scalar field, and the two assertions that a verifier makes.
///
/// The verifier is written once, over this trait; native field elements and circuit cells implement it.
pub trait Algebra {
    /// A field element.
    type Element: Clone;
    /// Why it stopped.
    type Error: From<Rejection>;

    /// A constant of the protocol.
    fn constant(&mut self, value: Fr) -> Self::Element;
    /// `a + b`.
    fn add(&mut self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a - b`.
    fn sub(&mut self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a · b`.
    fn mul(&mut self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// One Poseidon permutation.
    fn permute(&mut self, state: &mut [Self::Element; poseidon::WIDTH]);
    /// Requires `value = 0`.
    ///
    /// # Errors
    /// The rejection, if it is not.
    fn require_zero(&mut self, check: Check, value: &Self::Element) -> Result<(), Self::Error>;
    /// Requires `value ≠ 0`.
    ///
    /// # Errors
    /// The rejection, if it is zero.
    fn require_nonzero(&mut self, check: Check, value: &Self::Element) -> Result<(), Self::Error>;
    /// The `count` low bits of `value`, highest first; requires that there are no others.
    ///
    /// # Errors
    /// The rejection, if `value ≥ 2^count`.
    fn bits(&mut self, value: &Self::Element, count: usize) -> Result<Vec<Self::Element>, Self::Error>;

    /// `a · b + c`.
    fn mul_add(&mut self, a: &Self::Element, b: &Self::Element, c: &Self::Element) -> Self::Element {
        let product = self.mul(a, b);
        self.add(&product, c)
    }

    /// `a · k` for a constant `k`.
    fn scale(&mut self, a: &Self::Element, k: Fr) -> Self::Element {
        let k = self.constant(k);
        self.mul(a, &k)
    }

    /// `1 - a`.
    fn complement(&mut self, a: &Self::Element) -> Self::Element {
        let one = self.constant(Fr::from(1));
        self.sub(&one, a)
    }

    /// The next claim of a round with a common `eq`: with `q = q0 + a1·X + a2·X²` for `sent = [a1, a2]`, and
    /// `claim = (1 - w)·q(0) + w·q(1)`, it is `q(r)`, where `q0 = claim - w·(a1 + a2)`.
    fn eq_round(
        &mut self,
        claim: &Self::Element,
        w: &Self::Element,
        sent: &[Self::Element; 2],
        r: &Self::Element,
    ) -> Self::Element {
        let [linear, square] = sent;
        let sum = self.add(linear, square);
        let rise = self.mul(w, &sum);
        let constant = self.sub(claim, &rise);
        let slope = self.mul_add(square, r, linear);
        self.mul_add(&slope, r, &constant)
    }

    /// The next claim of a round: with `q = q0 + q1·X + q2·X² …` for `sent = [q0, q2, …]`, two or three of them, and
    /// `claim = q(0) + q(1)`, it is `q(r)`, where `q1 = claim - 2·q0 - q2 - …`.
    fn plain_round(&mut self, claim: &Self::Element, sent: &[Self::Element], r: &Self::Element) -> Self::Element {
        let mut linear = claim.clone();
        for coefficient in sent.iter().chain(sent.first()) {
            linear = self.sub(&linear, coefficient);
        }
        let mut value = self.constant(Fr::from(0));
        for coefficient in sent.iter().skip(1).rev().chain(std::iter::once(&linear)).chain(sent.first()) {
            value = self.mul_add(&value, r, coefficient);
        }
        value
    }

    /// `a + x · (b - a)`: the line through `(0, a)` and `(1, b)` at `x`.
    fn interpolate(&mut self, a: &Self::Element, b: &Self::Element, x: &Self::Element) -> Self::Element {
        let slope = self.sub(b, a);
        self.mul_add(&slope, x, a)
    }
}

/// Native field elements, under a judge.
#[derive(Clone, Debug, Default)]
pub struct Native<J> {
    /// Who decides about failed checks.
    pub judge: J,
}

impl<J: Judge> Algebra for Native<J> {
    type Element = Fr;
    type Error = Rejection;

    fn constant(&mut self, value: Fr) -> Fr {
        value
    }

    fn add(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a + b
    }

    fn sub(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a - b
    }

    fn mul(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a * b
    }

    fn permute(&mut self, state: &mut [Fr; poseidon::WIDTH]) {
        poseidon::permute(state);
    }

    fn require_zero(&mut self, check: Check, value: &Fr) -> Result<(), Rejection> {
        self.judge.require(check, value.is_zero())
    }

    fn require_nonzero(&mut self, check: Check, value: &Fr) -> Result<(), Rejection> {
        self.judge.require(check, !value.is_zero())
    }

    fn bits(&mut self, value: &Fr, count: usize) -> Result<Vec<Fr>, Rejection> {
        let bits = value.into_bigint().to_bits_le();
        self.judge.require(Check::PublicRange, bits.iter().skip(count).all(|bit| !bit))?;
        Ok((0..count).rev().map(|i| Fr::from(bits.get(i).copied().unwrap_or(false))).collect())
    }
}
