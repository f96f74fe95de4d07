//! The kernels below the argument: `eq`, tables, sums of products, columns' sums, and the opening.

use ark_bn254::Fr;
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::protocol::powers::Setup;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{element, elements, many, plain_rounds};
use crate::hyperkzg;
use crate::kernels::eq::{EqPrefixes, eq_table};
use crate::kernels::sums::{Product, ProductSum};
use crate::kernels::tables::bound;
use crate::reference::sumcheck::Sumcheck;
use crate::reference::{self, cube};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn tables_of_eq(point in vec(element(), 0..9)) {
        let expected: Vec<Fr> = (0..1 << point.len()).map(|index| cube::eq(&point, index)).collect();
        prop_assert_eq!(eq_table(&point), expected);
        let prefixes = EqPrefixes::new(&point);
        for vars in 0..=point.len() {
            let split = prefixes.first(vars);
            let entry = |index: usize| split.outer[index / split.inner.len()] * split.inner[index % split.inner.len()];
            for index in 0..1 << vars {
                prop_assert_eq!(entry(index), cube::eq(&point[..vars], index));
            }
        }
    }

    /// Products of different numbers of variables and factors, as the argument has them.
    #[test]
    fn sums_of_products(
        parts in vec((0usize..6, 1usize..=3, element(), any::<u64>()), 1..4),
        extra in 0usize..3,
        challenges in many(element()),
    ) {
        let vars = extra + parts.iter().map(|(vars, ..)| *vars).max().unwrap_or(0);
        let (mut products, mut tables, mut factors) = (vec![], vec![], vec![]);
        for (own, count, coefficient, seed) in parts {
            let own_tables: Vec<Vec<Fr>> = (0..count).map(|i| elements(1 << own, seed ^ i as u64)).collect();
            tables.extend(own_tables.iter().map(|table| (0..1 << vars).map(|z: usize| table[z % table.len()]).collect::<Vec<_>>()));
            let times = Fr::from(1u64 << (vars - own));
            factors.push((coefficient / times, count));
            products.push(Product { coefficient, tables: own_tables });
        }
        let mut fast = ProductSum::new(vars, 3, products);
        let mut plain = Sumcheck::plain(tables, 3, |row| {
            let (mut sum, mut rest) = (Fr::from(0), row);
            for (factor, count) in &factors {
                sum += *factor * rest[..*count].iter().product::<Fr>();
                rest = &rest[*count..];
            }
            sum
        });
        let point = plain_rounds(vars, &challenges, |r| fast.round(r), |r| plain.round(r));
        if let Some(last) = point.first() {
            fast.bind(*last);
            plain.bind(*last);
        }
        prop_assert_eq!(fast.values().flatten().collect::<Vec<_>>(), plain.values());
    }

    #[test]
    fn openings(vars in 1usize..8, point in vec(element(), 8), seed in any::<u64>(), zero in any::<bool>()) {
        let setup = Setup::insecure(8).expect("it is small");
        let polynomial = if zero { vec![Fr::from(0); 1 << vars] } else { elements(1 << vars, seed) };
        let [mut one, mut other] = [0; 2].map(|_| KeccakTranscript::new([7; 32]));
        let fast = hyperkzg::open(&setup, polynomial.clone(), &point[..vars], &mut one).expect("the set-up is long enough");
        prop_assert_eq!(fast, reference::hyperkzg::open(&setup, &polynomial, &point[..vars], &mut other));
    }
}

/// Long enough for the parallel paths.
#[test]
fn long_tables() {
    let (point, r) = (elements(14, 3), elements(1, 4)[0]);
    let table = eq_table(&point);
    for index in (0..1 << 14).step_by(37).chain([(1 << 14) - 1]) {
        assert_eq!(table[index], cube::eq(&point, index));
    }
    let expected: Vec<Fr> = table.chunks(2).map(|pair| (Fr::from(1) - r) * pair[0] + r * pair[1]).collect();
    assert_eq!(bound(&table, r), expected);
}
