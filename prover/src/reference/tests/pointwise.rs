//! The pointwise relations of all subjects, over witnesses of any values.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::operators::DERIVATIVE;
use gradproof_circuits::program::{Pointwise, Publics};
use gradproof_circuits::relations::{Relations, Subject};
use proptest::prelude::*;

use super::{element, elements, eq_rounds, many, nonzero};
use crate::argument::pointwise::PointwiseProver;
use crate::reference::pointwise as plain;
use crate::witness::{Values, Witness};

/// Any values for all tensors of the relations; the derivatives are bits but for a few.
pub fn any_witness(relations: &Relations, seed: u64) -> Witness {
    let mut witness = Witness::default();
    for relation in &relations.pointwise {
        let &Pointwise { vars, column_vars, ref tensors, .. } = relation;
        for &(tensor, per_sample) in tensors {
            let count = 1usize << if per_sample { vars - column_vars } else { vars };
            let numbers = elements(count, seed ^ witness.tensors.len() as u64).into_iter().map(|x| x.0.0[0] as i64);
            let values = match tensor.role() {
                _ if relations.is_wide(tensor) => {
                    Values::Wide(numbers.enumerate().map(|(i, n)| if i % 9 == 4 { i64::MIN } else { n }).collect())
                }
                DERIVATIVE => {
                    Values::Small(numbers.map(|n| if n % 11 == 5 { n as i32 } else { (n & 1) as i32 }).collect())
                }
                _ => Values::Small(
                    numbers.enumerate().map(|(i, n)| if i % 9 == 4 { i32::MIN } else { n as i32 }).collect(),
                ),
            };
            witness.tensors.entry(tensor).or_insert(values);
        }
    }
    witness
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_message(
        subject in prop_oneof![3 => Just(Subject::Segment), 1 => Just(Subject::Data), 1 => Just(Subject::Parameters)],
        widths in proptest::collection::vec(1usize..7, 2..5),
        batch in 1usize..5,
        step_vars in 0u32..3,
        live in (0.0..1.0, 0.0..1.0),
        seed in any::<u64>(),
        point in many(nonzero()),
        combine in element(),
        challenges in many(element()),
    ) {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 4, exponential_bits: 5 };
        let architecture = Architecture::perceptron(&widths, batch, 1 << step_vars, precision).expect("it is possible");
        let part = |share: f64, most: usize| 1 + (share * most as f64) as usize % most;
        let live = Live { steps: part(live.0, architecture.steps()), last_rows: part(live.1, batch) };
        let relations = Relations::new(subject, &architecture, 12);
        let witness = any_witness(&relations, seed);
        let vars = relations.pointwise.iter().map(|relation| relation.vars).max().unwrap_or(0);
        let point = &point[..vars];
        let [zero, one] = [0u64, 1].map(ark_bn254::Fr::from);
        let publics = Publics {
            digest: [zero, one],
            rate: one,
            position: zero,
            live_steps: (live.steps as u64).into(),
            live_rows: (live.last_rows as u64).into(),
        };
        let mut fast = PointwiseProver::new(&architecture, live, &relations.pointwise, &witness, point, combine).expect("the witness has all tensors");
        let mut plain = plain::Pointwise::new(&relations, &publics, &witness, point, combine).expect("the counts are in range");
        let claim = plain.total();
        let drawn = eq_rounds(point, claim, &challenges, |r, c, w| fast.round(r, c, w).expect("its own tables"), |r| plain.round(r));
        let last = drawn.last().copied();
        prop_assert_eq!(fast.evaluations(last), plain.evaluations(last));
    }
}
