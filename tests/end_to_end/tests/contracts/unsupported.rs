//! Circuits of which no contract is written, each for a reason that has a name.

use gradproof_evm::solidity::{GenerateError, generate};
use halo2_axiom::circuit::{Layouter, SimpleFloorPlanner};
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::plonk::{Circuit, ConstraintSystem, Error, FirstPhase, SecondPhase, keygen_vk_custom};
use halo2_axiom::poly::Rotation;

use crate::proofs::parameters;

/// Binary logarithm of the circuits' rows.
const SIZE_BITS: u32 = 5;

const LOOK_UPS: usize = 0;
const SELECTORS: usize = 1;
const CHALLENGES: usize = 2;
const PHASES: usize = 3;
const NO_ADVICE: usize = 4;
const CUT_DEGREE: usize = 5;
const SAME_ROW: usize = 6;

/// A circuit without a cell, with something that [`generate`] has no answer to.
#[derive(Clone, Debug)]
struct Strange<const WHAT: usize>;

impl<const WHAT: usize> Circuit<Fr> for Strange<WHAT> {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) {
        let fixed = meta.fixed_column();
        if WHAT == NO_ADVICE {
            meta.create_gate("fixed", |meta| vec![meta.query_fixed(fixed, Rotation::cur())]);
            return;
        }
        let advice = meta.advice_column();
        meta.create_gate("advice", |meta| {
            vec![meta.query_advice(advice, Rotation::cur()) * meta.query_fixed(fixed, Rotation::cur())]
        });
        match WHAT {
            LOOK_UPS => {
                meta.lookup_any("look-up", |meta| {
                    vec![(meta.query_advice(advice, Rotation::cur()), meta.query_fixed(fixed, Rotation::cur()))]
                });
            }
            SELECTORS => {
                let selector = meta.selector();
                meta.create_gate("selected", |meta| {
                    vec![meta.query_selector(selector) * meta.query_advice(advice, Rotation::cur())]
                });
            }
            CHALLENGES => {
                let challenge = meta.challenge_usable_after(FirstPhase);
                meta.create_gate("challenge", |meta| {
                    vec![meta.query_challenge(challenge) * meta.query_advice(advice, Rotation::cur())]
                });
            }
            PHASES => {
                let later = meta.advice_column_in(SecondPhase);
                meta.create_gate("later", |meta| vec![meta.query_advice(later, Rotation::cur())]);
            }
            CUT_DEGREE => meta.create_gate("seventh power", |meta| {
                let x = meta.query_advice(advice, Rotation::cur());
                vec![(0..6).fold(x.clone(), |power, _| power * x.clone())]
            }),
            SAME_ROW => meta.create_gate("once around", |meta| {
                vec![meta.query_advice(advice, Rotation(1 << SIZE_BITS)) * meta.query_fixed(fixed, Rotation::cur())]
            }),
            _ => {}
        }
    }

    fn synthesize(&self, (): (), _: impl Layouter<Fr>) -> Result<(), Error> {
        Ok(())
    }
}

/// Why there is no contract for a circuit.
fn refused<const WHAT: usize>() -> GenerateError {
    // Selectors that are not compressed become fixed columns, which are nothing strange.
    let compress_selectors = WHAT == SELECTORS;
    let key = keygen_vk_custom(&parameters(SIZE_BITS), &Strange::<WHAT>, compress_selectors);
    let key = key.expect("halo2 has a key for it");
    generate(&key, &[]).expect_err("there is no contract for it")
}

#[test]
fn what_no_contract_verifies_is_named() {
    let unsupported = |feature| GenerateError::Unsupported { feature };
    assert_eq!(refused::<LOOK_UPS>(), unsupported("look-ups"));
    assert_eq!(refused::<SELECTORS>(), unsupported("selectors"));
    assert_eq!(refused::<CHALLENGES>(), unsupported("challenges"));
    assert_eq!(refused::<PHASES>(), unsupported("several phases"));
    assert_eq!(refused::<NO_ADVICE>(), unsupported("no advice column"));
    assert_eq!(refused::<SAME_ROW>(), GenerateError::Collision);
    // A quotient of too few pieces: no proof of this circuit could be right.
    assert_eq!(refused::<CUT_DEGREE>(), GenerateError::Degree { expected: 5, got: 7 });
}
