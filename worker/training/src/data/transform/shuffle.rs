//! The rows of the training set in an order that follows from a seed: `shuffle = 7`.
//!
//! Fisher and Yates' shuffle, as Durstenfeld has it (*Algorithm 235: Random permutation*, CACM 7, 1964):
//!
//! 1. The keystream is ChaCha20's with the 24 bytes `gradproof: shuffled rows` and the seed, 8 bytes little-endian, as key, and
//!    block counter and nonce 0.
//! 2. For `i = n - 1, …, 1` the next 8 bytes are a little-endian number `x`; numbers `x ≥ (i+1)·⌊2^64 / (i+1)⌋` are skipped.
//!    The rows at `i` and `x mod (i+1)` change places.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) const EXAMPLE: &str = "\
# The order of the training rows by a seed; without it that of the file.
# shuffle = 1";

const DOMAIN: &[u8; 24] = b"gradproof: shuffled rows";

/// Where each of `rows` rows goes.
pub(crate) fn places(seed: u64, rows: usize) -> Vec<usize> {
    let mut key = [0; 32];
    key[..24].copy_from_slice(DOMAIN);
    key[24..].copy_from_slice(&seed.to_le_bytes());
    let mut random = ChaCha20Rng::from_seed(key);
    let mut order: Vec<usize> = (0..rows).collect();
    for i in (1..rows).rev() {
        order.swap(i, below(&mut random, i as u64 + 1) as usize);
    }
    let mut places = vec![0; rows];
    for (place, row) in order.into_iter().enumerate() {
        places[row] = place;
    }
    places
}

/// A number less than `bound`, every one as likely.
fn below(random: &mut ChaCha20Rng, bound: u64) -> u64 {
    // 2^64 mod bound.
    let rest = (u64::MAX % bound + 1) % bound;
    loop {
        let x = random.next_u64();
        if rest == 0 || x < rest.wrapping_neg() {
            return x % bound;
        }
    }
}
