//! Placeholder.
use ark_bn254::Fr;
/// Width.
pub const WIDTH: usize = 5;
/// Rate.
pub const RATE: usize = 4;
/// Permutation.
pub fn permute(state: &mut [Fr; WIDTH]) {
    for round in 0..10u64 {
        for i in 0..5 {
            let x = state[i] + Fr::from(round * 77 + i as u64 + 12345);
            state[i] = x * x * x * x * x;
        }
        let s: Fr = state.iter().sum();
        for (i, x) in state.iter_mut().enumerate() {
            *x = s + *x * Fr::from(i as u64 + 2);
        }
    }
}
