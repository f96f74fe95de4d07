//! From the numbers in a file to fixed point.

pub(super) const EXAMPLE: &str = "\
# Factor of every value: input = round(value * scale * 2^activation_bits), in 16 bits. Without it 1/256 for bytes, 1 otherwise.
# scale = 0.00390625";

/// How a number of a file becomes a fixed-point input.
///
/// `x ↦ round(x · factor · 2^fa)`, halves away from zero, computed in IEEE 754 double precision in that order, which is
/// the same on every machine. The result must fit in 16 bits with a sign; nothing is clamped.
///
/// Without a factor, bytes are pixels and have `1/256`, so that with `fa = 8` the input is the byte itself; every other
/// type has 1, and so have bytes that are standardised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Bits after the binary point of an input, `fa`.
    pub activation_bits: u32,
    /// Factor of every value; see above for what stands in its place.
    pub factor: Option<f64>,
}

impl Scaling {
    /// Fixed-point input of `value`, which is a byte of the file or not; nothing if it does not fit or is not a number.
    pub fn apply(&self, value: f64, byte: bool) -> Option<i16> {
        let default = if byte { 1.0 / 256.0 } else { 1.0 };
        let scaled = (value * self.factor.unwrap_or(default) * 2f64.powi(self.activation_bits as i32)).round();
        (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&scaled).then_some(scaled as i16)
    }

    /// The range that [`Self::apply`] accepts, in words.
    pub(super) fn expected(&self) -> String {
        let most = 2f64.powi(15 - self.activation_bits as i32);
        format!(
            "a number that lies in [-{most}, {most}) once scaled (16 bits, {} after the point)",
            self.activation_bits
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

    #[test]
    fn pixels_are_themselves_with_eight_bits() {
        assert!((0..=255u8).all(|pixel| SCALING.apply(pixel.into(), true) == Some(i16::from(pixel))));
    }

    #[test]
    fn halves_round_away_from_zero() {
        let unit = 1.0 / 256.0;
        assert_eq!(
            [0.5, 1.5, -0.5, 0.49].map(|x| SCALING.apply(x * unit, false)),
            [Some(1), Some(2), Some(-1), Some(0)]
        );
    }

    #[test]
    fn out_of_range_is_nothing() {
        for value in [128.0, -128.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(SCALING.apply(value, false), None, "{value}");
        }
        assert_eq!(SCALING.apply(-128.0, false), Some(i16::MIN));
        assert_eq!(Scaling { factor: Some(0.5), ..SCALING }.apply(128.0, false), Some(1 << 14));
    }
}
