//! Verifying keys from powers of τ.

use ark_bn254::G1Projective;
use ark_ec::{CurveGroup, VariableBaseMSM};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::arithmetic::exponential_table;
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_circuits::wrap::keys;

use super::key::{KeyError, SUBJECTS, VerifyingKey};
use super::kind::ProofKind;
use super::powers::{ReferenceStrings, Setup, SetupError};
use super::wrap::key::{WrapKey, WrapKeyError, circuit};

impl Setup {
    /// The key of core proofs of a shape: commits to the public tables.
    ///
    /// # Errors
    /// The set-up is shorter than a column, or the shape is refused.
    pub fn verifying_key(&self, architecture: &Architecture, column_vars: usize) -> Result<VerifyingKey, KeyError> {
        let table = exponential_table(architecture.precision());
        let commit = |column: &[u16]| Ok(G1Projective::msm_u16(self.bases(column.len())?, column).into_affine());
        let columns = table.chunks(1usize.checked_shl(column_vars as u32).unwrap_or(usize::MAX));
        let tables = columns.map(commit).collect::<Result<_, SetupError>>()?;
        VerifyingKey::new(architecture, column_vars, self.key, tables)
    }
}

impl VerifyingKey {
    /// The key for wrapped proofs; the circuits' keys are derived, which takes seconds.
    ///
    /// # Errors
    /// A circuit is too large, for the set-up or at all.
    pub fn wrapped(self, strings: &mut ReferenceStrings<'_>) -> Result<Self, KeyError> {
        // All circuits are known to be small enough before the first key is made.
        let [segment, data, parameters] = SUBJECTS.map(|subject| circuit(self.relations(subject)));
        let circuits = [segment?, data?, parameters?];
        let [segment, data, parameters] = circuits.map(|circuit| WrapKey::derive(&circuit, strings));
        Ok(self.with_wraps([segment?, data?, parameters?]))
    }

    /// The key for proofs of `kind` under the **insecure** set-up.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn insecure_of(kind: ProofKind, architecture: &Architecture, column_vars: usize) -> Result<Self, KeyError> {
        let key = Self::insecure(architecture, column_vars)?;
        match kind {
            ProofKind::Core => Ok(key),
            ProofKind::Wrapped => key.wrapped(&mut ReferenceStrings::new(&Setup::insecure(0)?)),
        }
    }
}

impl WrapKey {
    /// Derives the key of a circuit, given with the binary logarithm of its rows.
    ///
    /// # Errors
    /// The circuit is too large for the set-up, or the circuit library refuses.
    pub fn derive(
        (circuit, size_bits): &(WrapCircuit, u32),
        strings: &mut ReferenceStrings<'_>,
    ) -> Result<Self, KeyError> {
        let halo2 = keys::verifying_key(&*strings.get(*size_bits)?, circuit).map_err(|_| WrapKeyError::Circuit)?;
        Ok(Self::new(halo2, *size_bits, &strings.setup().key.tau_g2))
    }
}
