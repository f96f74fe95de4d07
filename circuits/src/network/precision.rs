//! Where the binary point of each kind of tensor is.

/// `⌈log2 n⌉`, the number of variables that index `n` entries.
pub fn log2_ceil(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

/// Position of the binary point of each kind of tensor.
///
/// Shapes: none. Units: bits after the binary point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precision {
    /// Activations and pre-activations have scale `2^-activation_bits` (`fa`).
    pub activation_bits: u32,
    /// Gradients have scale `2^-gradient_bits` (`fg`).
    pub gradient_bits: u32,
    /// Learning rate divided by batch is `c · 2^-rate_bits` (`k`).
    pub rate_bits: u32,
    /// Exponentials in the softmax have scale `2^-exponential_bits` (`fe`).
    pub exponential_bits: u32,
}

impl Precision {
    /// The precision for networks of `classes` classes that nobody chose another for.
    pub fn of_classes(classes: usize) -> Self {
        // 2·C·2^fe ≤ 2^16
        let exponential_bits = 15 - log2_ceil(classes.max(1)).min(15) as u32;
        Self { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits }
    }

    /// Scale of weights and biases, `F = fa + fg + k`, in bits.
    pub fn weight_bits(&self) -> u32 {
        self.activation_bits + self.gradient_bits + self.rate_bits
    }

    /// Width of each limb of a remainder of `F` bits: [`limb_widths`].
    pub fn limb_bits(&self) -> Vec<u32> {
        limb_widths(self.weight_bits())
    }
}

/// Width of each limb of a remainder of `bits` bits, lowest first; the widths sum to exactly `bits`.
///
/// A limb has at most 16 bits, and the widths differ by at most one.
pub fn limb_widths(bits: u32) -> Vec<u32> {
    let count = bits.div_ceil(16).max(1);
    (0..count).map(|i| bits / count + u32::from(i < bits % count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRECISION: Precision =
        Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };

    #[test]
    fn limbs_sum_to_the_weight_scale() {
        for rate_bits in 1..20 {
            let precision = Precision { rate_bits, ..PRECISION };
            assert_eq!(precision.limb_bits().iter().sum::<u32>(), precision.weight_bits());
            assert!(precision.limb_bits().iter().all(|&w| w <= 16));
        }
    }
}
