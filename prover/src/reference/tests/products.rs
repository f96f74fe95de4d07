//! Matrix products and updates over witnesses of any values: no relation between the tensors is needed.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::MULTIPLICITY;
use gradproof_circuits::relations::{Relations, Subject};
use proptest::prelude::*;

use super::{element, elements, many, plain_rounds};
use crate::argument::products::ProductProver;
use crate::reference::products::Products;
use crate::witness::{Values, Witness};

/// Any values for all that the products read.
fn any_witness(relations: &Relations, seed: u64) -> Witness {
    let mut witness = Witness::default();
    let places = relations.layout.places();
    for (tensor, place) in places.filter(|(tensor, _)| tensor.role() != MULTIPLICITY) {
        let numbers = elements(1 << place.vars, seed ^ witness.tensors.len() as u64).into_iter().map(|x| x.0.0[0]);
        let numbers = numbers.enumerate();
        let values = if relations.is_wide(tensor) {
            Values::Wide(numbers.map(|(i, n)| if i % 7 == 3 { i64::MIN } else { n as i64 }).collect())
        } else {
            Values::Small(numbers.map(|(i, n)| if i % 7 == 3 { i32::MIN } else { n as i32 }).collect())
        };
        witness.tensors.insert(tensor, values);
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
        let architecture = Architecture::perceptron(&widths, batch, 1 << step_vars, precision).expect("it is possible");
        let relations = Relations::new(Subject::Segment, &architecture, 12);
        let witness = any_witness(&relations, seed);
        let mut fast = ProductProver::new(&relations, &witness, rate, &leaf, &pointwise).expect("the witness has all tensors");
        let mut plain = Products::new(&relations, &witness, rate, &leaf, &pointwise);
        prop_assert_eq!(fast.addends().expect("the witness has all tensors"), plain.addends());

        fast.begin_products(combines[0]);
        plain.begin_products(combines[0]);
        let contractions = relations.sums.iter().flat_map(|sum| &sum.contractions);
        let inner = contractions.map(|contraction| contraction.inner_vars).max().unwrap_or(0);
        let vars = architecture.step_vars() + inner;
        let point = plain_rounds(vars, &challenges, |r| fast.round(r), |r| plain.round(r));
        prop_assert_eq!(fast.product_evaluations(&point), plain.product_evaluations(&point));
        prop_assert_eq!(fast.parameters().expect("the witness has all tensors"), plain.parameters());

        fast.begin_weights(combines[1]).expect("the witness has all tensors");
        plain.begin_weights(combines[1]);
        let vars = architecture.sample_vars();
        let point = plain_rounds(vars, &challenges[5..], |r| fast.round(r), |r| plain.round(r));
        prop_assert_eq!(fast.weight_evaluations(&point), plain.weight_evaluations(&point));
    }
}
