//! The Poseidon permutation over the BN254 scalar field, width 5, as in circomlib.
//!
//! Paper: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, *Poseidon*, eprint 2019/458: parameters by section 5 and
//! appendix F (Grain LFSR), fast partial rounds by appendix B.

mod parameters;
mod sparse;

use ark_bn254::Fr;
use ark_ff::Field;

use parameters::Mds;
use sparse::{Sparse, sparse};

pub use parameters::{Constants, constants};

/// Field elements of the state.
pub const WIDTH: usize = 5;
/// Field elements absorbed or squeezed by one permutation; the first of the state is the capacity.
pub const RATE: usize = WIDTH - 1;
/// Rounds with an S-box on every element, half of them before and half after the partial rounds.
pub const FULL_ROUNDS: usize = 8;
/// Rounds with an S-box on the first element only.
pub const PARTIAL_ROUNDS: usize = 60;

/// Permutes `state`: four full rounds, sixty partial ones, four full ones.
///
/// Each round adds its constants, raises to the fifth power and multiplies by the MDS matrix of [`constants`].
pub fn permute(state: &mut [Fr; WIDTH]) {
    let (mds, Sparse { full, partial, last }) = (&constants().mds, sparse());
    let (before, after) = full.split_at(FULL_ROUNDS / 2);
    before.iter().for_each(|constants| full_round(state, constants, mds));
    for round in partial {
        let s = fifth_power(state[0] + round.constant);
        state[0] = s;
        let first = Fr::sum_of_products(&round.row, state);
        state[1..].iter_mut().zip(&round.column).for_each(|(x, c)| *x += s * c);
        state[0] = first;
    }
    let [_, tail @ ..] = *state;
    state[1..].iter_mut().zip(last).for_each(|(x, row)| *x = Fr::sum_of_products(row, &tail));
    after.iter().for_each(|constants| full_round(state, constants, mds));
}

fn full_round(state: &mut [Fr; WIDTH], constants: &[Fr; WIDTH], mds: &Mds) {
    state.iter_mut().zip(constants).for_each(|(x, c)| *x = fifth_power(*x + c));
    let powers = *state;
    state.iter_mut().zip(mds).for_each(|(x, row)| *x = Fr::sum_of_products(row, &powers));
}

fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The permutation word for word.
    fn plain(state: &mut [Fr; WIDTH]) {
        let Constants { round, mds } = constants();
        for (r, constants) in round.iter().enumerate() {
            state.iter_mut().zip(constants).for_each(|(x, c)| *x += c);
            let partial = (FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS).contains(&r);
            let powers = if partial { 1 } else { WIDTH };
            state[..powers].iter_mut().for_each(|x| *x = x.pow([5]));
            let powers = *state;
            *state = mds.map(|row| row.iter().zip(&powers).map(|(m, x)| *m * x).sum());
        }
    }

    proptest! {
        #[test]
        fn fast_rounds_equal_the_plain_ones(words in any::<[[u64; 4]; WIDTH]>()) {
            let mut state = words.map(|w| w.iter().fold(-Fr::ONE, |x, &limb| x * Fr::from(u64::MAX) + Fr::from(limb)));
            let mut expected = state;
            plain(&mut expected);
            permute(&mut state);
            prop_assert_eq!(state, expected);
        }
    }
}
