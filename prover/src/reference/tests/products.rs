//! Matrix products and updates over witnesses of any values: no relation between the tensors is needed.

use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::relations::{End, Tensor, parameter_tensors};
use proptest::prelude::*;

use super::{element, elements, many, plain_rounds};
use crate::argument::products::ProductProver;
use crate::reference::products::Products;
use crate::witness::{Values, Witness};

/// Any values for all that the products read.
fn any_witness(architecture: &Architecture, seed: u64) -> Witness {
    let mut witness = Witness::default();
    let samples = architecture.sample_vars();
    let layer = |l: usize| samples + architecture.width_vars(l);
    let mut tensors = vec![(Tensor::Input, layer(0))];
    for l in 1..=architecture.layers() {
        tensors.extend([(Tensor::Activation(l), layer(l)), (Tensor::Gradient(l), layer(l))]);
    }
    for (tensor, vars) in tensors {
        let numbers = elements(1 << vars, seed ^ witness.tensors.len() as u64).into_iter().map(|x| x.0.0[0] as i32);
        let values = numbers.enumerate().map(|(i, n)| if i % 7 == 3 { i32::MIN } else { n }).collect();
        witness.tensors.insert(tensor, Values::Small(values));
    }
    for (tensor, vars) in [End::First, End::Last].into_iter().flat_map(|end| parameter_tensors(architecture, end)) {
        let numbers = elements(1 << vars, seed ^ witness.tensors.len() as u64).into_iter().map(|x| x.0.0[0] as i64);
        let values = numbers.enumerate().map(|(i, n)| if i % 7 == 3 { i64::MIN } else { n }).collect();
        witness.tensors.insert(tensor, Values::Wide(values));
    }
    witness
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_message(
        widths in proptest::collection::vec(1usize..7, 2..5),
        batch in 1usize..5,
        step_vars in 0u32..4,
        seed in any::<u64>(),
        rate in element(),
        (leaf, pointwise) in (many(element()), many(element())),
        combines in [element(), element()],
        challenges in many(element()),
    ) {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 4, exponential_bits: 5 };
        let architecture = Architecture { widths, batch, steps: 1 << step_vars, precision };
        let witness = any_witness(&architecture, seed);
        let mut fast = ProductProver::new(&architecture, &witness, rate, &leaf, &pointwise);
        let mut plain = Products::new(&architecture, &witness, rate, &leaf, &pointwise);
        prop_assert_eq!(fast.biases(), plain.biases());

        fast.begin_products(combines[0]);
        plain.begin_products(combines[0]);
        let last = architecture.layers();
        let inner = (0..last).chain(2..=last).map(|l| architecture.width_vars(l)).max().unwrap_or(0);
        let vars = architecture.step_vars() + inner;
        let point = plain_rounds(vars, &challenges, |r| fast.round(r), |r| plain.round(r));
        prop_assert_eq!(fast.product_evaluations(&point), plain.product_evaluations(&point));
        prop_assert_eq!(fast.parameters(), plain.parameters());

        fast.begin_weights(combines[1]);
        plain.begin_weights(combines[1]);
        let vars = architecture.sample_vars();
        let point = plain_rounds(vars, &challenges[5..], |r| fast.round(r), |r| plain.round(r));
        prop_assert_eq!(fast.weight_evaluations(&point), plain.weight_evaluations(&point));
    }
}
