//! What is proved of data and first parameters once, when they are registered.

use super::contents::Contents;
use super::layout::Group;
use super::pointwise::Pointwise;
use super::segment::{limbs, range};
use super::tensor::{End, Tensor, data_tensors, parameter_tensors};
use crate::network::architecture::Architecture;

/// Bits of each limb of a registered parameter.
pub const PARAMETER_LIMB_BITS: u32 = 16;
/// Limbs of a registered parameter: it lies in `[-2^47, 2^47)`.
pub const PARAMETER_LIMBS: usize = 3;

/// The relations of the data of one position.
pub(super) fn data(architecture: &Architecture) -> Contents {
    let tensors = data_tensors(architecture);
    let lookups = vec![range(Tensor::Input, 16, 1 << 15, tensors[0].1)];
    Contents {
        lookups,
        pointwise: vec![Pointwise::InputPadding, Pointwise::LabelBits],
        groups: vec![(Group::Data, tensors), (Group::Trace, vec![])],
    }
}

/// The relations of first parameters.
pub(super) fn parameters(architecture: &Architecture) -> Contents {
    let widths = [PARAMETER_LIMB_BITS; PARAMETER_LIMBS];
    let tensors = parameter_tensors(architecture, End::First);
    let (mut lookups, mut pointwise, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for (tensor, vars) in &tensors {
        let (limb, padding): (Box<dyn Fn(usize) -> Tensor>, _) = match *tensor {
            Tensor::Weight(_, l) => (Box::new(move |i| Tensor::WeightLimb(l, i)), Pointwise::WeightPadding(l)),
            Tensor::Bias(_, l) => (Box::new(move |i| Tensor::BiasLimb(l, i)), Pointwise::BiasPadding(l)),
            _ => continue,
        };
        lookups.extend(limbs(&widths, *vars, &limb));
        pointwise.push(padding);
        trace.extend((0..PARAMETER_LIMBS).map(|i| (limb(i), *vars)));
    }
    Contents { lookups, pointwise, groups: vec![(Group::First, tensors), (Group::Trace, trace)] }
}
