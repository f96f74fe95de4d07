//! Exact fixed-point arithmetic of training: the integer functions that the kernels compute and the proof constrains.
//!
//! Every function here is deterministic integer arithmetic: the same on every device, thread count and order.

use super::precision::Precision;

/// Number of keys of the activation and exponential tables, and of every 16-bit range.
pub const KEYS: usize = 1 << 16;

/// Rounds `value / 2^bits` to the nearest integer, halves upwards: `(quotient, remainder)`.
///
/// `value = 2^bits · quotient + remainder` with `remainder` in `[-2^(bits-1), 2^(bits-1))`, so that zero has remainder zero.
pub fn round_shift(value: i64, bits: u32) -> (i64, i64) {
    let half = 1i64 << (bits - 1);
    // Adding the half to the remainder's side cannot overflow where adding it to the value could.
    let floor = value >> bits;
    let rest = value - (floor << bits);
    if rest >= half { (floor + 1, rest - (1 << bits)) } else { (floor, rest) }
}

/// Splits a remainder into limbs of the given widths, lowest first.
///
/// All limbs but the last lie in `[0, 2^width)`, the last in `[-2^(width-1), 2^(width-1))`.
pub fn split_limbs(remainder: i64, widths: &[u32]) -> impl Iterator<Item = i64> + '_ {
    let mut rest = remainder;
    widths.iter().enumerate().map(move |(i, &width)| {
        if i + 1 == widths.len() {
            return rest;
        }
        let limb = rest & ((1 << width) - 1);
        rest >>= width;
        limb
    })
}

/// ReLU and its derivative at `h`; the derivative at zero is zero.
pub fn relu(h: i16) -> (i16, bool) {
    (h.max(0), h > 0)
}

/// `round(2^exponential_bits · exp(-key / 2^activation_bits))` for every key in `[0, 2^16)`.
///
/// Computed by a fixed-point recurrence with 60 fractional bits, so that every machine has the same table.
pub fn exponential_table(precision: &Precision) -> Vec<u16> {
    const FRACTION: u32 = 60;
    let one = 1u128 << FRACTION;
    // exp(-2^-fa) by its Taylor series.
    let (mut factor, mut term, mut order) = (0i128, one as i128, 0i128);
    while term != 0 {
        factor += term;
        order += 1;
        term = -(term >> precision.activation_bits) / order;
    }
    let factor = factor as u128;
    let drop = FRACTION - precision.exponential_bits;
    let mut value = one;
    (0..KEYS)
        .map(|_| {
            let rounded = ((value + (1 << (drop - 1))) >> drop) as u16;
            value = (value * factor) >> FRACTION;
            rounded
        })
        .collect()
}

/// Softmax of one row of logits in integers, with everything that the proof needs of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxRow {
    /// Index of the selected largest logit, the first among equals.
    pub selected: usize,
    /// The largest logit.
    pub maximum: i16,
    /// Exponential of each `logit - maximum`, scale `2^-fe`.
    pub exponentials: Vec<u16>,
    /// Sum of the exponentials.
    pub sum: u32,
    /// Probabilities, scale `2^-fg`, to the nearest.
    pub probabilities: Vec<u16>,
    /// `2·e·2^fg + S - 2·S·p`, in `[0, 2S)`.
    pub remainders: Vec<u32>,
}

/// Integer softmax of `logits` (one row, real classes only), by [`exponential_table`].
///
/// # Panics
/// If `logits` is empty or `table` is shorter than [`KEYS`].
#[expect(clippy::expect_used, reason = "an empty row is documented to panic")]
pub fn softmax_row(logits: &[i16], table: &[u16], gradient_bits: u32) -> SoftmaxRow {
    let (selected, &maximum) =
        logits.iter().enumerate().rev().max_by_key(|(_, h)| **h).expect("a row of logits has at least one class");
    let exponentials: Vec<u16> = logits.iter().map(|&h| table[(i32::from(maximum) - i32::from(h)) as usize]).collect();
    let sum: u32 = exponentials.iter().map(|&e| u32::from(e)).sum();
    let (probabilities, remainders) = exponentials
        .iter()
        .map(|&e| {
            let scaled = ((2 * u64::from(e)) << gradient_bits) + u64::from(sum);
            let p = scaled / (2 * u64::from(sum));
            (p as u16, (scaled - 2 * u64::from(sum) * p) as u32)
        })
        .unzip();
    SoftmaxRow { selected, maximum, exponentials, sum, probabilities, remainders }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PRECISION: Precision =
        Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };

    #[test]
    fn exponential_table_is_within_one_of_floating_point() {
        for (key, &e) in exponential_table(&PRECISION).iter().enumerate() {
            let exact = 2048.0 * (-(key as f64) / 256.0).exp();
            assert!((f64::from(e) - exact).abs() <= 0.5 + 1e-6, "key {key}: {e} against {exact}");
        }
    }

    proptest! {
        #[test]
        fn rounding_is_to_the_nearest(value in any::<i64>(), bits in 1u32..48) {
            let (q, r) = round_shift(value, bits);
            prop_assert_eq!(i128::from(q) * (1i128 << bits) + i128::from(r), i128::from(value));
            prop_assert!(r >= -(1 << (bits - 1)) && r < (1 << (bits - 1)));
        }

        #[test]
        fn limbs_recombine(remainder in -(1i64 << 28)..(1 << 28)) {
            let widths = [15u32, 14];
            let limbs: Vec<i64> = split_limbs(remainder, &widths).collect();
            prop_assert_eq!(limbs[0] + (limbs[1] << 15), remainder);
            prop_assert!((0..1 << 15).contains(&limbs[0]) && (-(1 << 13)..1 << 13).contains(&limbs[1]));
        }

        #[test]
        fn softmax_rounds_to_the_nearest(logits in proptest::collection::vec(-4000i16..4000, 1..16)) {
            let row = softmax_row(&logits, &exponential_table(&PRECISION), 12);
            prop_assert_eq!(logits[row.selected], row.maximum);
            for (p, r) in row.probabilities.iter().zip(&row.remainders) {
                prop_assert!(u32::from(*p) <= 1 << 12 && *r < 2 * row.sum);
            }
        }
    }
}
