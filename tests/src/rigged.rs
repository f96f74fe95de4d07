//! Field elements whose challenges a test can see, and choose.

use ark_bn254::Fr;
use gradproof_circuits::argument::transcript::{Ask, Party, Stored};
use gradproof_circuits::field::algebra::{Algebra, Native};
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::field::poseidon::WIDTH;

use crate::judges::Careless;

/// Native field elements that write down the output of every permutation, and replace some.
#[derive(Clone, Debug, Default)]
pub struct Rigged<J> {
    /// Who decides about failed checks.
    pub native: Native<J>,
    /// Outputs of the first permutations, in place of the true ones.
    pub chosen: Vec<Fr>,
    /// Output of every permutation so far: the challenges, and the states between them.
    pub outputs: Vec<Fr>,
}

impl<J: Judge> Algebra for Rigged<J> {
    type Element = Fr;
    type Error = Rejection;

    fn constant(&mut self, value: Fr) -> Fr {
        value
    }

    fn add(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a + b
    }

    fn sub(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a - b
    }

    fn mul(&mut self, a: &Fr, b: &Fr) -> Fr {
        *a * b
    }

    fn permute(&mut self, state: &mut [Fr; WIDTH]) {
        self.native.permute(state);
        if let Some(output) = self.chosen.get(self.outputs.len()) {
            state[1] = *output;
        }
        self.outputs.push(state[1]);
    }

    fn require_zero(&mut self, check: Check, value: &Fr) -> Result<(), Rejection> {
        self.native.require_zero(check, value)
    }

    fn require_nonzero(&mut self, check: Check, value: &Fr) -> Result<(), Rejection> {
        self.native.require_nonzero(check, value)
    }

    fn bits(&mut self, value: &Fr, count: usize) -> Result<Vec<Fr>, Rejection> {
        self.native.bits(value, count)
    }
}

/// A stored proof that answers a rigged verifier.
#[derive(Clone, Debug)]
pub struct Replayed<'a>(pub Stored<'a>);

impl<J: Judge> Party<Rigged<J>> for Replayed<'_> {
    fn answer(&mut self, _: &mut Rigged<J>, ask: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        self.0.answer(&mut Native { judge: Careless }, ask, count)
    }
}
