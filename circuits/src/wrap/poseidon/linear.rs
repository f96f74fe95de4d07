//! The coefficients of the partial rounds' equations, from runs of the permutation.
//!
//! Each equation says that one number is an affine function of others. As many runs as there are unknowns, from different
//! states, determine it: a linear system, solved once. The tests compare with further runs.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

use crate::field::poseidon::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, constants};

/// Full rounds before, and after, the partial ones.
pub(super) const HALF: usize = FULL_ROUNDS / 2;
/// Windows of partial rounds that another follows.
const WINDOWS: usize = PARTIAL_ROUNDS / WIDTH - 1;

/// Every state and S-box input of one permutation.
pub(super) struct Trace {
    /// States before the full rounds that come first.
    pub(super) before: [[Fr; WIDTH]; HALF],
    /// What the S-box of each partial round takes in, its constant included.
    pub(super) inputs: [Fr; PARTIAL_ROUNDS],
    /// States before the full rounds that come last.
    pub(super) after: [[Fr; WIDTH]; HALF],
    /// The permuted state.
    pub(super) result: [Fr; WIDTH],
}

impl Trace {
    /// Runs the permutation, round by round.
    pub(super) fn new(mut state: [Fr; WIDTH]) -> Self {
        let rounds = &constants().round;
        let full = |state: &mut [Fr; WIDTH], round: usize| {
            let before = *state;
            add(state, &rounds[round]);
            state.iter_mut().for_each(|x| *x = fifth_power(*x));
            *state = mix(state);
            before
        };
        let before = std::array::from_fn(|i| full(&mut state, i));
        let inputs = std::array::from_fn(|i| {
            add(&mut state, &rounds[HALF + i]);
            let input = state[0];
            state[0] = fifth_power(input);
            state = mix(&state);
            input
        });
        let after = std::array::from_fn(|i| full(&mut state, HALF + PARTIAL_ROUNDS + i));
        Self { before, inputs, after, result: state }
    }
}

fn add(state: &mut [Fr; WIDTH], constants: &[Fr; WIDTH]) {
    state.iter_mut().zip(constants).for_each(|(x, c)| *x += c);
}

fn mix(state: &[Fr; WIDTH]) -> [Fr; WIDTH] {
    constants().mds.map(|row| Fr::sum_of_products(&row, state))
}

fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

/// Coefficients of the equations of [`super`].
pub(super) struct Coefficients {
    /// `w_i` from the powers of the state before, then the powers of `w_0 … w_(i-1)`, then one.
    pub(super) enter: [Vec<Fr>; WIDTH],
    /// α of `w_(r+1) … w_(r+4)`, then β of the powers of `w_r … w_(r+4)`.
    pub(super) recurrence: Vec<Fr>,
    /// γ for the rounds `5t … 5t+4`.
    pub(super) shifts: [[Fr; WIDTH]; WINDOWS],
    /// The state after, from `w_56 … w_59`, the powers of `w_55 … w_59`, and one.
    pub(super) leave: [Vec<Fr>; WIDTH],
}

/// The coefficients, computed once.
pub(super) fn coefficients() -> &'static Coefficients {
    static COEFFICIENTS: LazyLock<Coefficients> = LazyLock::new(derive);
    &COEFFICIENTS
}

/// What `w_i` is affine in.
pub(super) fn entered(trace: &Trace, i: usize) -> Vec<Fr> {
    let mut state = trace.before[HALF - 1];
    add(&mut state, &constants().round[HALF - 1]);
    state.iter().chain(&trace.inputs[..i]).map(|&x| fifth_power(x)).chain([Fr::one()]).collect()
}

/// What `w_(r+5)`, or the state after the rounds `r … r+4`, is affine in.
pub(super) fn window(trace: &Trace, r: usize) -> Vec<Fr> {
    let inputs = &trace.inputs[r..r + WIDTH];
    inputs[1..].iter().copied().chain(inputs.iter().map(|&x| fifth_power(x))).chain([Fr::one()]).collect()
}

fn derive() -> Coefficients {
    // As many runs as the longest equation has unknowns, from states without a pattern that the rounds could keep.
    let runs: Vec<Trace> = (0..2 * WIDTH as u64).map(|i| Trace::new([i + 1, 0, i, 0, 0].map(Fr::from))).collect();
    let fit = |terms: &dyn Fn(&Trace) -> Vec<Fr>, value: &dyn Fn(&Trace) -> Fr| {
        solve(runs.iter().map(|run| [terms(run), vec![value(run)]].concat()).collect())
    };
    let enter = std::array::from_fn(|i| fit(&|run| entered(run, i), &|run| run.inputs[i]));
    let mut recurrence = fit(&|run| window(run, 0), &|run| run.inputs[WIDTH]);
    recurrence.pop();
    let shifts = std::array::from_fn(|t| {
        std::array::from_fn(|j| {
            let r = WIDTH * t + j;
            runs[0].inputs[r + WIDTH] - recurrence.iter().zip(window(&runs[0], r)).map(|(c, x)| *c * x).sum::<Fr>()
        })
    });
    let leave = std::array::from_fn(|i| fit(&|run| window(run, PARTIAL_ROUNDS - WIDTH), &|run| run.after[0][i]));
    Coefficients { enter, recurrence, shifts, leave }
}

/// Solves a linear system by Gauss-Jordan elimination: each row holds the coefficients, then the right-hand side.
///
/// Rows beyond the number of unknowns are left out of account.
fn solve(mut rows: Vec<Vec<Fr>>) -> Vec<Fr> {
    let unknowns = rows.first().map_or(0, |row| row.len() - 1);
    for k in 0..unknowns {
        if let Some(pivot) = (k..rows.len()).find(|&i| !rows[i][k].is_zero()) {
            rows.swap(k, pivot);
        }
        let inverse = rows[k][k].inverse().unwrap_or_default();
        rows[k].iter_mut().for_each(|x| *x *= inverse);
        let pivot = rows[k].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = row[k];
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    rows.iter().take(unknowns).map(|row| row[unknowns]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::poseidon::permute;
    use proptest::prelude::*;

    fn dot(coefficients: &[Fr], terms: &[Fr]) -> Fr {
        assert_eq!(coefficients.len(), terms.len());
        coefficients.iter().zip(terms).map(|(c, x)| *c * x).sum()
    }

    proptest! {
        #[test]
        fn equations_hold_in_every_permutation(words in any::<[[u64; 4]; WIDTH]>()) {
            let state = words.map(|w| w.iter().fold(-Fr::ONE, |x, &limb| x * Fr::from(u64::MAX) + Fr::from(limb)));
            let trace = Trace::new(state);
            let mut permuted = state;
            permute(&mut permuted);
            prop_assert_eq!(trace.result, permuted);
            let Coefficients { enter, recurrence, shifts, leave } = coefficients();
            for (i, coefficients) in enter.iter().enumerate() {
                prop_assert_eq!(dot(coefficients, &entered(&trace, i)), trace.inputs[i]);
            }
            for (r, shift) in shifts.as_flattened().iter().enumerate() {
                let coefficients = [&recurrence[..], &[*shift]].concat();
                prop_assert_eq!(dot(&coefficients, &window(&trace, r)), trace.inputs[r + WIDTH]);
            }
            for (i, coefficients) in leave.iter().enumerate() {
                prop_assert_eq!(dot(coefficients, &window(&trace, PARTIAL_ROUNDS - WIDTH)), trace.after[0][i]);
            }
        }
    }
}
