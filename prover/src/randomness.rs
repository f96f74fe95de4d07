//! Field elements that nobody can guess: fresh ones from the operating system, and those that two parties derive alike.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use gradproof_verifier::protocol::keccak::keccak256;
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

/// What derived blindings are for. Each use has a domain of its own, and each value that is committed to in it.
///
/// # Soundness
/// Two columns with one blinding give away their difference to whoever guesses it: `C - C'` has no blinding. So whatever
/// can change between two commitments under one seed stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use<'a> {
    /// Columns of the data of a position. The seed is the set's: every job on the set has the same columns.
    Data {
        /// The position.
        position: u64,
    },
    /// Columns of first parameters that are not another job's last ones.
    FirstParameters {
        /// Digest of the columns; see [`digest_of`](crate::registration::digest_of).
        digest: &'a [u8; 32],
    },
    /// Columns of the parameters after a segment.
    LastParameters {
        /// Digest of the job's statement, bound to where the job counts.
        statement: &'a [u8; 32],
        /// The segment.
        segment: u64,
    },
}

/// The secret that opens what was committed to in one use, and nothing else: what a child job is told of its parent.
///
/// `keccak256(seed ‖ use 1 ‖ digest 32 ‖ number 8)`; digest and number are zero where the use has none.
pub fn opening_seed(seed: &[u8; 32], purpose: Use<'_>) -> [u8; 32] {
    let (tag, digest, number) = match purpose {
        Use::Data { position } => (0u8, &[0; 32], position),
        Use::FirstParameters { digest } => (1, digest, 0),
        Use::LastParameters { statement, segment } => (2, statement, segment),
    };
    keccak256(&[seed, &[tag], digest, &number.to_be_bytes()])
}

/// Blindings of `count` columns that everyone with `opening_seed` derives alike:
/// `keccak256(opening_seed ‖ column 8 ‖ 0) ‖ keccak256(… ‖ 1)` reduced.
pub fn blindings(opening_seed: &[u8; 32], count: usize) -> Vec<Fr> {
    (0..count as u64)
        .map(|column| {
            let half = |part: u8| keccak256(&[opening_seed, &column.to_be_bytes(), &[part]]);
            Fr::from_be_bytes_mod_order(&[half(0), half(1)].concat())
        })
        .collect()
}

/// [`blindings`] of the [`opening_seed`] of a use.
pub fn derived(seed: &[u8; 32], purpose: Use<'_>, count: usize) -> Vec<Fr> {
    blindings(&opening_seed(seed, purpose), count)
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
        let (seed, [one, two]) = ([7; 32], [[1; 32], [2; 32]]);
        let uses = [
            Use::Data { position: 0 },
            Use::Data { position: 1 },
            Use::FirstParameters { digest: &one },
            Use::FirstParameters { digest: &two },
            Use::LastParameters { statement: &one, segment: 0 },
            Use::LastParameters { statement: &one, segment: 1 },
            Use::LastParameters { statement: &two, segment: 0 },
        ];
        let all: std::collections::BTreeSet<_> =
            uses.iter().flat_map(|&u| derived(&seed, u, 3)).map(|e| e.into_bigint()).collect();
        assert_eq!(all.len(), 3 * uses.len());
        assert_eq!(derived(&seed, uses[0], 3), derived(&seed, uses[0], 3));
        // Whoever is told the secret of one use has that of no other.
        let told = opening_seed(&seed, uses[4]);
        assert_eq!(blindings(&told, 3), derived(&seed, uses[4], 3));
        assert!(uses.iter().all(|&u| derived(&told, u, 3).iter().all(|e| !all.contains(&e.into_bigint()))));
    }
}
