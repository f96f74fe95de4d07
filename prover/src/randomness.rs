//! Field elements that nobody can guess: fresh ones from the operating system, and those that two parties derive alike.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use gradproof_verifier::keccak::keccak256;
use rand::TryRng;
use rand::rngs::SysRng;

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes; no proof was made")]
pub struct NoRandomness;

/// Bytes from which an element is reduced; the bias is below `2^-250`.
const BYTES: usize = 64;

/// `count` uniform elements, straight from the operating system.
///
/// # Errors
/// [`NoRandomness`].
pub fn fresh(count: usize) -> Result<Vec<Fr>, NoRandomness> {
    let mut elements = Vec::with_capacity(count);
    let mut bytes = [0u8; BYTES * 64];
    while elements.len() < count {
        SysRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
        elements.extend(bytes.chunks(BYTES).map(Fr::from_be_bytes_mod_order).take(count - elements.len()));
    }
    Ok(elements)
}

/// A secret of 32 bytes from the operating system.
///
/// # Errors
/// [`NoRandomness`].
pub fn fresh_seed() -> Result<[u8; 32], NoRandomness> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(|_| NoRandomness)?;
    Ok(seed)
}

/// What derived blindings are for; each use has a domain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Columns of the data of a position.
    Data {
        /// The position.
        position: u64,
    },
    /// Columns of the first parameters of a job.
    FirstParameters,
    /// Columns of the parameters after a segment.
    LastParameters {
        /// The segment.
        segment: u64,
    },
}

/// Blindings of `count` columns that everyone with `seed` derives alike:
/// `keccak256(seed ‖ use ‖ number ‖ column ‖ 0) ‖ keccak256(… ‖ 1)` reduced, numbers as 8 bytes.
pub fn derived(seed: &[u8; 32], purpose: Use, count: usize) -> Vec<Fr> {
    let (tag, number) = match purpose {
        Use::Data { position } => (0u8, position),
        Use::FirstParameters => (1, 0),
        Use::LastParameters { segment } => (2, segment),
    };
    (0..count as u64)
        .map(|column| {
            let half = |part: u8| keccak256(&[seed, &[tag], &number.to_be_bytes(), &column.to_be_bytes(), &[part]]);
            Fr::from_be_bytes_mod_order(&[half(0), half(1)].concat())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_elements_differ() {
        let elements = fresh(200).expect("the system has randomness");
        let distinct: std::collections::BTreeSet<_> = elements.iter().map(|e| e.into_bigint()).collect();
        assert_eq!((elements.len(), distinct.len()), (200, 200));
    }

    #[test]
    fn derived_blindings_differ_by_use() {
        let seed = [7; 32];
        let uses = [
            Use::Data { position: 0 },
            Use::Data { position: 1 },
            Use::FirstParameters,
            Use::LastParameters { segment: 0 },
            Use::LastParameters { segment: 1 },
        ];
        let all: std::collections::BTreeSet<_> =
            uses.iter().flat_map(|&u| derived(&seed, u, 3)).map(|e| e.into_bigint()).collect();
        assert_eq!(all.len(), 15);
        assert_eq!(derived(&seed, uses[0], 3), derived(&seed, uses[0], 3));
    }
}
