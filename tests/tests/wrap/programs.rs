//! Cells compute what field elements compute, whatever the program: sums that cancel, squares, constants, reuse.

use ark_bn254::Fr;
use gradproof_circuits::field::algebra::{Algebra, Native};
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::wrap::cells::Cells;
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_tests::leaky::satisfied;
use proptest::prelude::*;

/// What an instruction does, with which of the numbers so far, and with which constant.
type Instruction = (u8, [usize; 5], i64);

/// Runs a program on numbers to which every instruction appends one.
fn run<A: Algebra>(algebra: &mut A, numbers: &mut Vec<A::Element>, program: &[Instruction]) {
    for (instruction, at, constant) in program {
        let [a, b, c, d, e] = at.map(|i| numbers[i % numbers.len()].clone());
        let number = match instruction {
            0 => algebra.add(&a, &b),
            1 => algebra.sub(&a, &b),
            2 => algebra.mul(&a, &b),
            3 => algebra.mul(&a, &a),
            4 => algebra.sub(&a, &a),
            5 => algebra.scale(&a, Fr::from(*constant)),
            6 => algebra.constant(Fr::from(*constant)),
            7 => algebra.complement(&a),
            8 => algebra.mul_add(&a, &b, &c),
            9 => algebra.interpolate(&a, &b, &c),
            10 => algebra.eq_round(&a, &b, &[c, d], &e),
            11 => algebra.plain_round(&a, &[b, c], &d),
            12 => algebra.plain_round(&a, &[b, c, d], &e),
            _ => {
                let mut state = [a, b, c, d, e];
                algebra.permute(&mut state);
                state[at[0] % 5].clone()
            }
        };
        numbers.push(number);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cells_compute_what_field_elements_do(
        inputs in prop::collection::vec(-3i64..4, 1..4),
        program in prop::collection::vec((0u8..14, any::<[usize; 5]>(), -2i64..3), 0..40),
        wrong in any::<prop::sample::Index>(),
    ) {
        let mut expected: Vec<Fr> = inputs.iter().copied().map(Fr::from).collect();
        let mut cells = Cells::default();
        cells.reserve_publics(inputs.len() + program.len());
        let mut numbers = expected.iter().map(|value| cells.witness(*value)).collect();
        run(&mut Native { judge: Strict }, &mut expected, &program);
        run(&mut cells, &mut numbers, &program);
        for (i, number) in numbers.iter().enumerate() {
            prop_assert_eq!(cells.value(number), expected[i], "number {}", i);
            cells.publish(i, number);
        }
        let circuit = WrapCircuit::of_table(cells.table);
        prop_assert!(satisfied(&circuit, &expected));
        *wrong.get_mut(&mut expected) += Fr::from(1);
        prop_assert!(!satisfied(&circuit, &expected));
    }
}
