//! The argument in progress: its channel, and the claims that it has left so far.

use ark_bn254::Fr;

use super::claim::Claim;
use super::lookup::LookedUp;
use super::transcript::{Channel, Party};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::field::multilinear::power_of_two;
use crate::relations::{LiveBits, Relations, Tensor};

/// The argument in progress.
pub(super) struct Argument<'a, 'b, A: Algebra, P> {
    pub channel: Channel<'a, A, P>,
    pub relations: &'b Relations,
    pub live: LiveBits<A::Element>,
    pub claims: Vec<Claim<A::Element>>,
}

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Leaves a claim.
    pub(super) fn claim(&mut self, tensor: Tensor, point: &[A::Element], value: &A::Element) {
        self.claims.push(Claim { tensor, point: point.to_vec(), value: value.clone() });
    }

    /// `Σ limb_i · 2^(bits below)` at the leaf point.
    ///
    /// # Errors
    /// A limb was not looked up.
    pub(super) fn recombined(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        widths: &[u32],
        limb: impl Fn(usize) -> Tensor,
    ) -> Result<A::Element, Rejection> {
        let algebra = &mut *self.channel.algebra;
        let mut sum = algebra.constant(Fr::from(0));
        let mut shift = 0;
        for (i, &bits) in widths.iter().enumerate() {
            let value = looked_up.value(limb(i)).ok_or(Rejection { check: Check::Length })?;
            let term = algebra.scale(value, power_of_two(shift));
            sum = algebra.add(&sum, &term);
            shift += i64::from(bits);
        }
        Ok(sum)
    }

    /// `2^F·quotient + remainder` at the leaf point: the product before rounding.
    ///
    /// # Errors
    /// A limb was not looked up.
    pub(super) fn unrounded(
        &mut self,
        looked_up: &LookedUp<A::Element>,
        quotient: &A::Element,
        limb: impl Fn(usize) -> Tensor,
    ) -> Result<A::Element, Rejection> {
        let precision = &self.relations.architecture.precision;
        let remainder = self.recombined(looked_up, &precision.limb_bits(), limb)?;
        let scaled = self.channel.algebra.scale(quotient, power_of_two(i64::from(precision.weight_bits())));
        Ok(self.channel.algebra.add(&scaled, &remainder))
    }

    /// The evaluation of `tensor` at the leaf point.
    ///
    /// # Errors
    /// It was not looked up.
    pub(super) fn evaluation(&self, looked_up: &LookedUp<A::Element>, tensor: Tensor) -> Result<A::Element, Rejection> {
        looked_up.value(tensor).cloned().ok_or(Rejection { check: Check::Length })
    }
}
