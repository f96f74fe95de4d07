//! First parameters of a network, from a public seed, so that anyone can recompute them.
//!
//! Weights are He-uniform (He et al., *Delving Deep into Rectifiers*, arXiv 1502.01852, section 2.2), biases zero:
//!
//! 1. Layer `l = 0, 1, …` draws from the ChaCha20 keystream with the seed as key, block counter 0 and stream number `l`
//!    (the 64-bit counter and nonce of Bernstein's paper, both little-endian).
//! 2. `bound = ⌊√(6·4^F / d_l)⌋`, the integer square root of the floored quotient; `n = 2·bound + 1`.
//! 3. Each weight, row by row of the `d_l × d_{l+1}` matrix, takes the next 8 bytes as a little-endian number `x`; numbers
//!    `x ≥ n·⌊2^64 / n⌋` are skipped. The weight is `x mod n - bound`.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::program::Parameter;
use gradproof_circuits::relations::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS};
use gradproof_circuits::trace::Parameters;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// First parameters of `architecture` from `seed`; see the [module](self) for how they are drawn.
pub fn initial_parameters(architecture: &Architecture, seed: [u8; 32]) -> Parameters {
    let bits = architecture.precision().weight_bits();
    let mut parameters = Parameters::default();
    for (l, [inputs, outputs]) in architecture.layers().enumerate() {
        let mut random = ChaCha20Rng::from_seed(seed);
        random.set_stream(l as u64);
        // At most √6·2^48.
        let bound = ((6u128 << (2 * bits)) / inputs as u128).isqrt() as u64;
        parameters.weights.push((0..inputs * outputs).map(|_| uniform(&mut random, bound)).collect());
        parameters.biases.push(vec![0; outputs]);
    }
    parameters
}

/// Why first parameters cannot be registered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("first parameters: {tensor}[{index}] is {value}, expected at least {least} and less than {most}")]
pub struct OutOfRange {
    /// Name of the tensor, as in files.
    pub tensor: String,
    /// Index in it, (output, input) for weights, as in files.
    pub index: String,
    /// The value.
    pub value: f64,
    /// The least value that can be registered.
    pub least: f64,
    /// The least value that is too large.
    pub most: f64,
}

/// Checks that every parameter lies in the range that a registration can prove, `[-2^47, 2^47)` in units of `2^-F`.
///
/// # Errors
/// [`OutOfRange`] for the first that does not.
pub fn require_range(architecture: &Architecture, parameters: &Parameters) -> Result<(), OutOfRange> {
    let bound = 1i64 << (PARAMETER_LIMB_BITS as usize * PARAMETER_LIMBS - 1);
    let unit = f64::from(architecture.precision().weight_bits()).exp2().recip();
    for (parameter, values) in architecture.program().parameters.iter().zip(parameters.tensors()) {
        if let Some(at) = values.iter().position(|value| !(-bound..bound).contains(value)) {
            let columns = parameter.columns;
            let index =
                parameter.rows.map_or_else(|| at.to_string(), |_| format!("{}, {}", at % columns, at / columns));
            let (value, least, most) = (values[at] as f64 * unit, -bound as f64 * unit, bound as f64 * unit);
            return Err(OutOfRange { tensor: tensor_name(parameter), index, value, least, most });
        }
    }
    Ok(())
}

/// The name in files of a parameter, by its node: where each node takes the one before it, that of PyTorch's `nn.Sequential`.
pub fn tensor_name(parameter: &Parameter) -> String {
    format!("{}.{}", parameter.ends[0].node(), if parameter.rows.is_some() { "weight" } else { "bias" })
}

/// The seed of a small number: its eight little-endian bytes and zeros.
pub fn seed_of(number: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// Uniform in `[-bound, bound]`.
fn uniform(random: &mut ChaCha20Rng, bound: u64) -> i64 {
    let n = 2 * bound + 1;
    // n·⌊2^64 / n⌋ - 1; an odd n > 1 does not divide 2^64, and n = 1 accepts everything.
    let last = u64::MAX - ((u64::MAX % n) + 1) % n;
    loop {
        let x = random.next_u64();
        if x <= last {
            return (x % n) as i64 - bound as i64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradproof_circuits::network::precision::Precision;

    fn architecture() -> Architecture {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
        Architecture::perceptron(&[50, 40, 3], 2, 2, precision).expect("it is possible")
    }

    #[test]
    fn weights_fill_the_bound_and_biases_are_zero() {
        let parameters = initial_parameters(&architecture(), seed_of(7));
        assert!(parameters.biases.iter().flatten().all(|&b| b == 0));
        for (weights, inputs) in parameters.weights.iter().zip([50.0f64, 40.0]) {
            let bound = (6.0 / inputs).sqrt() * f64::from(1 << 28);
            let most = weights.iter().map(|w| w.abs()).max().unwrap_or(0) as f64;
            assert!(most <= bound && most > 0.9 * bound, "{most} against {bound}");
            let mean = weights.iter().sum::<i64>() as f64 / weights.len() as f64;
            assert!(mean.abs() < 0.2 * bound, "{mean} against {bound}");
        }
    }

    #[test]
    fn a_parameter_out_of_range_is_named_in_its_units() {
        let mut parameters = initial_parameters(&architecture(), seed_of(7));
        assert_eq!(require_range(&architecture(), &parameters), Ok(()));
        parameters.biases[1][2] = 1 << 47;
        let said = require_range(&architecture(), &parameters).expect_err("out of range").to_string();
        assert_eq!(said, "first parameters: 2.bias[2] is 524288, expected at least -524288 and less than 524288");
        parameters.weights[0][41] = -(1 << 47) - 1;
        let said = require_range(&architecture(), &parameters).expect_err("out of range").to_string();
        assert!(said.contains("0.weight[1, 1] is -524288."), "{said}");
        parameters.weights[0][41] = -(1 << 47);
        parameters.biases[1][2] = (1 << 47) - 1;
        assert_eq!(require_range(&architecture(), &parameters), Ok(()));
    }

    #[test]
    fn another_seed_or_layer_draws_other_weights() {
        let [a, b] = [7, 8].map(|s| initial_parameters(&architecture(), seed_of(s)));
        assert_ne!(a, b);
        assert_ne!(a.weights[0][..120], a.weights[1][..120]);
    }

    #[test]
    fn the_zone_of_accepted_numbers_is_the_largest_multiple() {
        for n in [1u64, 3, 5, 255, 257, 65537, (1 << 52) + 1] {
            let last = u64::MAX - ((u64::MAX % n) + 1) % n;
            let zone = (1u128 << 64) / u128::from(n) * u128::from(n);
            assert_eq!(u128::from(last) + 1, zone);
        }
    }
}
