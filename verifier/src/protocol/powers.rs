//! The structured reference string: powers of τ, from which commitments and verifying keys are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::PrimeGroup;
use ark_ec::scalar_mul::ScalarMul;
use ark_ff::Field;
use gradproof_circuits::wrap::keys::{self, Params};

use crate::protocol::setup::{SetupKey, insecure_tau};

/// Most variables a column may have: τ to the power of 2^28 is the last that ceremonies over BN254 made.
pub const SETUP_VARS: u32 = 28;

/// Powers of τ for columns of up to `powers.len()` values, and the verifier's key.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `[τ^i]G` for `i = 0 ..`.
    pub powers: Vec<G1Affine>,
    /// What the verifier needs.
    pub key: SetupKey,
}

/// Why a set-up does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A column has more values than the set-up has powers.
    #[error("a column of {got} values needs a longer set-up: this one has {powers} powers of tau")]
    TooShort {
        /// Values of the column.
        got: usize,
        /// Powers of τ at hand.
        powers: usize,
    },
    /// More powers than any set-up has.
    #[error("a set-up for columns of 2^{got} values was asked for, at most 2^{SETUP_VARS}")]
    TooLong {
        /// Binary logarithm of the column's length.
        got: u32,
    },
}

impl Setup {
    /// The **insecure** set-up for columns of up to `2^vars` values: τ is public, anyone can forge proofs.
    ///
    /// # Errors
    /// [`SetupError::TooLong`] above [`SETUP_VARS`].
    pub fn insecure(vars: u32) -> Result<Self, SetupError> {
        if vars > SETUP_VARS {
            return Err(SetupError::TooLong { got: vars });
        }
        let tau = insecure_tau();
        let powers: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |p| Some(*p * tau)).take(1 << vars).collect();
        Ok(Self { powers: G1Projective::generator().batch_mul(&powers), key: SetupKey::insecure() })
    }

    /// The first `len` powers, the bases of a column of `len` values.
    ///
    /// # Errors
    /// [`SetupError::TooShort`] if there are fewer.
    pub fn bases(&self, len: usize) -> Result<&[G1Affine], SetupError> {
        self.powers.get(..len).ok_or(SetupError::TooShort { got: len, powers: self.powers.len() })
    }
}

/// Reference strings for circuits, each made once.
#[derive(Debug)]
pub struct ReferenceStrings<'a> {
    setup: &'a Setup,
    made: BTreeMap<u32, Arc<Params>>,
}

impl<'a> ReferenceStrings<'a> {
    /// Reference strings from the powers of `setup`.
    pub fn new(setup: &'a Setup) -> Self {
        Self { setup, made: BTreeMap::new() }
    }

    /// The powers that they are made of.
    pub fn setup(&self) -> &'a Setup {
        self.setup
    }

    /// The reference string for circuits of `2^k` rows; takes seconds the first time.
    ///
    /// # Errors
    /// The set-up has fewer powers.
    pub fn get(&mut self, k: u32) -> Result<Arc<Params>, SetupError> {
        if let Some(params) = self.made.get(&k) {
            return Ok(params.clone());
        }
        let key = &self.setup.key;
        let params = if key.is_insecure() {
            keys::params_of_tau(k, insecure_tau())
        } else {
            keys::params(k, self.setup.bases(1 << k)?, &key.tau_g2)
        };
        let params = Arc::new(params);
        self.made.insert(k, params.clone());
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::key::VerifyingKey;
    use ark_bn254::{Bn254, G2Affine};
    use ark_ec::AffineRepr;
    use ark_ec::pairing::Pairing;
    use gradproof_circuits::architecture::Architecture;
    use gradproof_circuits::network::precision::Precision;

    #[test]
    fn powers_are_those_of_the_key() {
        let setup = Setup::insecure(4).expect("4 is small");
        assert_eq!(setup.powers.len(), 16);
        assert_eq!(setup.key.g2, G2Affine::generator());
        assert_eq!(setup.powers[0], setup.key.g1);
        for pair in setup.powers.windows(2) {
            assert_eq!(Bn254::pairing(pair[1], setup.key.g2), Bn254::pairing(pair[0], setup.key.tau_g2));
        }
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let setup = Setup::insecure(3).expect("3 is small");
        assert_eq!(setup.bases(8).map(<[_]>::len), Ok(8));
        assert_eq!(setup.bases(9), Err(SetupError::TooShort { got: 9, powers: 8 }));
        assert_eq!(Setup::insecure(29).err(), Some(SetupError::TooLong { got: 29 }));
    }

    #[test]
    fn the_insecure_key_is_the_one_that_verifiers_make() {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        let architecture = Architecture::perceptron(&[3, 4, 2], 2, 2, precision).expect("it is possible");
        for column_vars in [8, 16, 17] {
            let setup = Setup::insecure(column_vars as u32).expect("small enough");
            let key = setup.verifying_key(&architecture, column_vars).expect("the shape is possible");
            let expected = VerifyingKey::insecure(&architecture, column_vars).expect("the shape is possible");
            assert_eq!(key.digest(), expected.digest());
        }
    }
}
