//! Columns, and the merging of any claims on tensors of any size.

use ark_bn254::Fr;
use gradproof_circuits::argument::Claim;
use gradproof_circuits::operators::ACTIVATION;
use gradproof_circuits::program::Tensor;
use gradproof_circuits::relations::{Group, Layout};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{element, elements, many, plain_rounds};
use crate::argument::merge::MergeProver;
use crate::columns::{Column, columns};
use crate::reference;
use crate::witness::{Values, Witness};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message(
        column_vars in 0usize..7,
        // Variables, whether wide, whether in the witness.
        tensors in vec((0usize..9, any::<bool>(), 0u8..5), 1..6),
        // Which tensor, with which factor, and where; with half of all others of its size.
        claims in vec((0usize..6, -3i64..4, vec(element(), 9)), 0..6),
        seed in any::<u64>(),
        combine in element(),
        challenges in many(element()),
    ) {
        let named: Vec<(Tensor, usize)> =
            tensors.iter().enumerate().map(|(i, (vars, ..))| (ACTIVATION.at(i), *vars)).collect();
        let (first, second) = named.split_at(named.len() / 2);
        let layout = Layout::new(column_vars, &[(Group::Data, first.to_vec()), (Group::Trace, second.to_vec())]);
        let (mut witness, mut lacking) = (Witness::default(), Vec::new());
        for ((tensor, vars), (_, wide, missing)) in named.iter().zip(&tensors) {
            let numbers = elements(1 << vars, seed ^ *vars as u64).into_iter().map(|x| x.0.0[0] as i64);
            let values = match wide {
                true => Values::Wide(numbers.enumerate().map(|(i, n)| if i % 7 == 3 { i64::MIN } else { n }).collect()),
                false => Values::Small(numbers.enumerate().map(|(i, n)| if i % 7 == 3 { i32::MIN } else { n as i32 >> (seed % 32) }).collect()),
            };
            witness.tensors.insert(*tensor, values);
            if *missing == 0 {
                lacking.push(*tensor);
            }
        }
        for tensor in lacking {
            let mut other = witness.clone();
            other.tensors.remove(&tensor);
            prop_assert!(columns(&layout, &other).is_err(), "without {}", tensor);
        }
        let claims: Vec<Claim<Fr>> = claims
            .into_iter()
            .map(|(which, factor, point)| {
                let (tensor, vars) = named[which % named.len()];
                let others = named.iter().filter(|(other, size)| *other != tensor && *size == vars).step_by(2);
                let terms = others.map(|(other, _)| (*other, 1)).chain([(tensor, factor)]).collect();
                Claim { terms, point: point[..vars].to_vec(), value: Fr::from(0) }
            })
            .collect();

        let columns = columns(&layout, &witness).expect("the witness has all tensors");
        let integers = |column: &Column<'_>| -> Vec<Fr> {
            match column {
                Column::Small(values) => values.iter().map(|v| Fr::from(*v)).collect(),
                Column::Wide(values) => values.iter().map(|v| Fr::from(*v)).collect(),
            }
        };
        prop_assert_eq!(columns.iter().map(integers).collect::<Vec<_>>(), reference::merge::columns(&layout, &witness));

        let mut fast = MergeProver::new(&layout, &columns, &claims, combine);
        let mut plain = reference::merge::merge(&layout, &witness, &claims, combine);
        let point = plain_rounds(column_vars, &challenges, |r| fast.round(r), |r| plain.round(r));
        prop_assert_eq!(fast.evaluations(&point), reference::merge::evaluations(&layout, &witness, &point));
    }
}
