//! The argument in progress: its channel, and the claims that it has left so far.

use ark_bn254::Fr;

use super::claim::{Claim, terms};
use super::lookup::LookedUp;
use super::transcript::{Channel, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::power_of_two;
use crate::program::{Form, LiveBits, Rounding, Tensor};
use crate::relations::Relations;

/// The argument in progress.
pub(super) struct Argument<'a, 'b, A: Algebra, P> {
    pub channel: Channel<'a, A, P>,
    pub relations: &'b Relations,
    pub live: LiveBits<A::Element>,
    pub claims: Vec<Claim<A::Element>>,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Leaves a claim on a tensor.
    pub(super) fn claim(&mut self, tensor: Tensor, point: &[A::Element], value: &A::Element) {
        self.claims.push(Claim { terms: vec![(tensor, 1)], point: point.to_vec(), value: value.clone() });
    }

    /// Leaves a claim on a form.
    pub(super) fn claim_form(&mut self, form: &Form, point: &[A::Element], value: &A::Element) {
        let value = match form.constant {
            0 => value.clone(),
            constant => {
                let constant = self.channel.algebra.constant(Fr::from(constant));
                self.channel.algebra.sub(value, &constant)
            }
        };
        self.claims.push(Claim { terms: terms(form), point: point.to_vec(), value });
    }

    /// `Σ limb_i · 2^(bits below)` at the leaf point.
    ///
    /// # Errors
    /// A limb was not looked up.
    pub(super) fn recombined(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        limbs: &[(Tensor, u32)],
    ) -> Result<A::Element, Rejection> {
        let algebra = &mut *self.channel.algebra;
        let mut sum = algebra.constant(Fr::from(0));
        let mut shift = 0;
        for &(limb, bits) in limbs {
            let value = looked_up.value(limb).ok_or(Rejection { check: Check::Length })?;
            let term = algebra.scale(value, power_of_two(shift));
            sum = algebra.add(&sum, &term);
            shift += i64::from(bits);
        }
        Ok(sum)
    }

    /// `2^shift·quotient + remainder` at the leaf point: what was rounded.
    ///
    /// # Errors
    /// A tensor was not looked up.
    pub(super) fn unrounded(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        rounding: &Rounding,
    ) -> Result<A::Element, Rejection> {
        let quotient = self.evaluated(looked_up, &rounding.quotient)?;
        let remainder = self.recombined(looked_up, &rounding.limbs)?;
        let scaled = self.channel.algebra.scale(&quotient, power_of_two(i64::from(rounding.shift)));
        Ok(self.channel.algebra.add(&scaled, &remainder))
    }

    /// A form of looked-up tensors of its own shape at the leaf point.
    ///
    /// # Errors
    /// A tensor was not looked up.
    fn evaluated(&mut self, looked_up: &LookedUp<A::Element>, form: &Form) -> Result<A::Element, Rejection> {
        let mut sum = self.channel.algebra.constant(Fr::from(form.constant));
        for &(tensor, factor, _) in &form.terms {
            let value = self.evaluation(looked_up, tensor)?;
            let term = self.channel.algebra.scale(&value, Fr::from(factor));
            sum = self.channel.algebra.add(&sum, &term);
        }
        Ok(sum)
    }

    /// The evaluation of `tensor` at the leaf point.
    ///
    /// # Errors
    /// It was not looked up.
    pub(super) fn evaluation(&self, looked_up: &LookedUp<A::Element>, tensor: Tensor) -> Result<A::Element, Rejection> {
        looked_up.value(tensor).cloned().ok_or(Rejection { check: Check::Length })
    }
}
