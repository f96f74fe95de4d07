//! Claims at the leaf point of the look-ups: on what was looked up, and on tensors that are linear in it.

use ark_bn254::Fr;

use super::lookup::LookedUp;
use super::part::head;
use super::state::Argument;
use super::transcript::Party;
use crate::field::algebra::Algebra;
use crate::field::check::Rejection;
use crate::field::multilinear::power_of_two;
use crate::program::{Identity, Mask, Total};

impl<A: Algebra, P: Party<A>> Argument<'_, '_, A, P> {
    /// Claims that the look-ups leave, and those that hold at the leaf point because the tensors are linear in each other.
    ///
    /// # Errors
    /// A tensor was not looked up.
    pub(super) fn looked_up(&mut self, looked_up: &LookedUp<A::Element>) -> Result<(), Rejection> {
        for (part, value) in &looked_up.values {
            self.claim(part.tensor, part.of(&looked_up.point)?, value);
        }
        let (relations, samples) = (self.relations, self.relations.architecture.sample_vars());
        for identity in &relations.identities {
            match identity {
                Identity::Limbs { tensor, vars, limbs } => {
                    let value = self.recombined(looked_up, limbs)?;
                    self.claim(*tensor, looked_up.suffix(*vars)?, &value);
                }
                Identity::Sum { tensor, column_vars, skipped, total } => {
                    // The mean over the columns: the tensor at the point (sample, ½ … ½).
                    let sample = head(looked_up.suffix(samples + skipped)?, samples)?;
                    let mean = power_of_two(-(*column_vars as i64));
                    let value = match *total {
                        Total::Constant(constant) => self.channel.algebra.constant(Fr::from(constant) * mean),
                        Total::Shifted(tensor, constant) => {
                            let constant = self.channel.algebra.constant(Fr::from(constant) * mean);
                            let value = self.evaluation(looked_up, tensor)?;
                            let value = self.channel.algebra.scale(&value, mean);
                            self.channel.algebra.add(&value, &constant)
                        }
                        Total::Live => {
                            let batch = relations.architecture.batch();
                            let live = Mask::Live.evaluate(self.channel.algebra, batch, &self.live, sample, 0);
                            self.channel.algebra.scale(&live, mean)
                        }
                    };
                    let half = self.channel.algebra.constant(power_of_two(-1));
                    let point = [sample, &vec![half; *column_vars]].concat();
                    self.claim(*tensor, &point, &value);
                }
            }
        }
        Ok(())
    }
}
