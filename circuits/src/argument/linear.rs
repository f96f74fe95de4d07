//! Claims at the leaf point of the look-ups: on what was looked up, and on tensors that are linear in it.

use ark_bn254::Fr;

use super::lookup::LookedUp;
use super::part::head;
use super::state::Argument;
use super::transcript::Party;
use crate::field::algebra::Algebra;
use crate::field::check::Rejection;
use crate::field::multilinear::power_of_two;
use crate::relations::{End, Mask, PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Subject, Tensor};

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Claims that the look-ups leave, and those that hold at the leaf point because the tensors are linear in each other.
    ///
    /// # Errors
    /// A tensor was not looked up.
    pub(super) fn looked_up(&mut self, looked_up: &LookedUp<A::Element>) -> Result<(), Rejection> {
        for (part, value) in &looked_up.values {
            self.claim(part.tensor, part.of(&looked_up.point)?, value);
        }
        let architecture = &self.relations.architecture;
        let last = architecture.layers();
        match self.relations.subject {
            Subject::Segment => {
                // The mean over the classes, at the point (x_n, ½ … ½): one selected class a sample, and S the sum of e.
                let vars = architecture.width_vars(last);
                let samples = architecture.sample_vars();
                let sample = head(looked_up.suffix(samples + vars)?, samples)?;
                let half = self.channel.algebra.constant(power_of_two(-1));
                let point = [sample, &vec![half; vars]].concat();
                let mean = power_of_two(-(vars as i64));
                let one = self.channel.algebra.constant(mean);
                self.claim(Tensor::Selector, &point, &one);
                // Padded classes look up key zero and hold exp(0).
                let padded = (1usize << vars) - architecture.classes();
                let padded = padded as u64 * (1u64 << architecture.precision.exponential_bits);
                let padded = self.channel.algebra.constant(Fr::from(padded) * mean);
                let sum = self.evaluation(looked_up, Tensor::Sum)?;
                let sum = self.channel.algebra.scale(&sum, mean);
                let total = self.channel.algebra.add(&sum, &padded);
                self.claim(Tensor::Exponential, &point, &total);
                self.labelled(sample);
            }
            Subject::Data => {
                let samples = architecture.sample_vars();
                self.labelled(head(looked_up.suffix(samples + architecture.width_vars(0))?, samples)?);
            }
            Subject::Parameters => {
                for l in 1..=last {
                    let (input, output) = (architecture.width_vars(l - 1), architecture.width_vars(l));
                    let weight = self
                        .recombined(looked_up, &[PARAMETER_LIMB_BITS; PARAMETER_LIMBS], |i| Tensor::WeightLimb(l, i))?;
                    self.claim(Tensor::Weight(End::First, l), looked_up.suffix(input + output)?, &weight);
                    let bias = self
                        .recombined(looked_up, &[PARAMETER_LIMB_BITS; PARAMETER_LIMBS], |i| Tensor::BiasLimb(l, i))?;
                    self.claim(Tensor::Bias(End::First, l), looked_up.suffix(output)?, &bias);
                }
            }
        }
        Ok(())
    }

    /// Every live sample has one label, every other none: the mean over the classes, at the samples' part of the leaf point.
    fn labelled(&mut self, sample: &[A::Element]) {
        let architecture = &self.relations.architecture;
        let vars = architecture.width_vars(architecture.layers());
        let live = Mask::Live.evaluate(self.channel.algebra, architecture, &self.live, sample, 0);
        let mean = self.channel.algebra.scale(&live, power_of_two(-(vars as i64)));
        let half = self.channel.algebra.constant(power_of_two(-1));
        let point = [sample, &vec![half; vars]].concat();
        self.claim(Tensor::Labels, &point, &mean);
    }
}
