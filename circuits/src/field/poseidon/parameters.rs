//! Round constants and the MDS matrix, from the Grain LFSR in its self-shrinking mode.

use std::collections::VecDeque;
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{BigInt, Field, PrimeField};

use super::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH};

/// A square matrix over the state, rows first.
pub(super) type Mds = [[Fr; WIDTH]; WIDTH];

/// What defines the permutation besides its shape.
#[derive(Clone, Debug)]
pub struct Constants {
    /// Added to the state at the beginning of each round, full or partial.
    pub round: [[Fr; WIDTH]; FULL_ROUNDS + PARTIAL_ROUNDS],
    /// Multiplied with the state at the end of each round: `x[i] ← Σ_j mds[i][j]·x[j]`.
    pub mds: [[Fr; WIDTH]; WIDTH],
}

/// The constants as published, generated once.
pub fn constants() -> &'static Constants {
    static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
        let mut grain = Grain::new();
        let round = std::array::from_fn(|_| std::array::from_fn(|_| grain.below_modulus()));
        Constants { round, mds: grain.cauchy() }
    });
    &CONSTANTS
}

/// The LFSR of 80 bits, oldest first.
struct Grain(VecDeque<bool>);

impl Grain {
    fn new() -> Self {
        // A prime field, the S-box x^5, bits of the modulus, width, rounds, and ones.
        let header = [
            (1, 2),
            (0, 4),
            (Fr::MODULUS_BIT_SIZE as usize, 12),
            (WIDTH, 12),
            (FULL_ROUNDS, 10),
            (PARTIAL_ROUNDS, 10),
            ((1 << 30) - 1, 30),
        ];
        let bits = header.into_iter().flat_map(|(value, bits)| (0..bits).rev().map(move |i| value >> i & 1 == 1));
        let mut grain = Self(bits.collect());
        for _ in 0..160 {
            grain.step();
        }
        grain
    }

    fn step(&mut self) -> bool {
        let bit = [62, 51, 38, 23, 13, 0].into_iter().fold(false, |bit, tap| bit ^ self.0[tap]);
        self.0.pop_front();
        self.0.push_back(bit);
        bit
    }

    /// Of two bits the first says whether the second counts.
    fn bit(&mut self) -> bool {
        loop {
            let (counts, bit) = (self.step(), self.step());
            if counts {
                return bit;
            }
        }
    }

    /// An integer as long as the modulus, leading bit first.
    fn integer(&mut self) -> BigInt<4> {
        let mut limbs = [0; 4];
        for i in (0..Fr::MODULUS_BIT_SIZE as usize).rev() {
            limbs[i / 64] |= u64::from(self.bit()) << (i % 64);
        }
        BigInt(limbs)
    }

    fn below_modulus(&mut self) -> Fr {
        loop {
            if let Some(x) = Fr::from_bigint(self.integer()) {
                return x;
            }
        }
    }

    /// `1 / (x_i + y_j)` for the next `x` and `y` with which it exists.
    ///
    /// Unlike the round constants, these are taken modulo r rather than drawn again.
    fn cauchy(&mut self) -> Mds {
        loop {
            let mut next = || Fr::from_le_bytes_mod_order(&self.integer().0.map(u64::to_le_bytes).concat());
            let points: [[Fr; WIDTH]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| next()));
            let [xs, ys] = points;
            let all = points.as_flattened();
            let distinct = all.iter().enumerate().all(|(i, x)| !all[..i].contains(x));
            if distinct && xs.iter().all(|x| !ys.contains(&-*x)) {
                return xs.map(|x| ys.map(|y| (x + y).inverse().unwrap_or_default()));
            }
        }
    }
}
