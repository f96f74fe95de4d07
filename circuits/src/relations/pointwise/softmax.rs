//! Softmax, and the gradient of the cross-entropy.

use super::super::mask::Mask;
use super::super::tensor::Tensor;
use super::relation::{Relation, bit, outside};
use crate::field::algebra::Algebra;
use crate::field::multilinear::power_of_two;
use crate::network::architecture::Architecture;

/// The relations of the softmax and of the last gradient, with `κ` the classes, `μ` the live samples, `y` the labels:
///
/// ```text
/// s² - s                              s is a bit
/// (1 - κ)·s                           no padded class is selected
/// s·(M - h)                           M is the selected logit
/// (1 - κ)·h                           a padded class has the logit zero: its e is exp(0)
/// κ·(2^(fg+1)·e + S) - 2·S·p - ρ      p = e / S to the nearest
/// y² - y                              y is a bit
/// (1 - κ)·y                           no padded class is a label
/// G - μ·(p - 2^fg·y)                  the gradient of the cross-entropy
/// ```
///
/// # Soundness
/// With the mean of the labels, the relations about padding make a segment mean the same whatever labels were committed to,
/// and whatever stands in its first parameters for padded neurons and classes: a verifier that sees only the segment needs
/// no registrations for that. That padded inputs are zero, and with them the weights of padded inputs of no effect, only the
/// registrations say.
pub(super) struct Softmax;

impl Relation<9, 2, 8> for Softmax {
    fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        let columns = architecture.width_vars(architecture.layers());
        (architecture.sample_vars() + columns, columns)
    }

    fn tensors(&self, architecture: &Architecture) -> [(Tensor, bool); 9] {
        [
            (Tensor::Selector, false),
            (Tensor::Logit, false),
            (Tensor::Exponential, false),
            (Tensor::Probability, false),
            (Tensor::Remainder, false),
            (Tensor::Labels, false),
            (Tensor::Maximum, true),
            (Tensor::Sum, true),
            (Tensor::Gradient(architecture.layers()), false),
        ]
    }

    fn masks(&self, architecture: &Architecture) -> [Mask; 2] {
        [Mask::Columns(architecture.classes()), Mask::Live]
    }

    fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        architecture: &Architecture,
        [s, h, e, p, remainder, y, maximum, sum, gradient]: &[A::Element; 9],
        [classes, live]: &[A::Element; 2],
    ) -> [A::Element; 8] {
        let gradient_bits = i64::from(architecture.precision.gradient_bits);
        let selector = [bit(algebra, s), outside(algebra, classes, s)];
        let below = algebra.sub(maximum, h);
        let selected = algebra.mul(s, &below);
        let padded = outside(algebra, classes, h);
        let scaled = algebra.scale(e, power_of_two(gradient_bits + 1));
        let scaled = algebra.add(&scaled, sum);
        let left = algebra.mul(classes, &scaled);
        let twice = algebra.add(sum, sum);
        let right = algebra.mul_add(&twice, p, remainder);
        let division = algebra.sub(&left, &right);
        let label = [bit(algebra, y), outside(algebra, classes, y)];
        let target = algebra.scale(y, power_of_two(gradient_bits));
        let error = algebra.sub(p, &target);
        let error = algebra.mul(live, &error);
        let loss = algebra.sub(gradient, &error);
        let ([is_bit, chosen], [label_bit, label_class]) = (selector, label);
        [is_bit, chosen, selected, padded, division, label_bit, label_class, loss]
    }
}
