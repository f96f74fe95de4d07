//! Bytes as text: `0x` and two lower-case digits a byte. Each value has exactly one accepted spelling.
//!
//! The modules [`bytes`] and [`points`] are for `#[serde(with = "…")]`.

/// Why text is not the bytes that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HexError {
    /// It does not begin with `0x`.
    #[error("expected 0x and hexadecimal digits")]
    Prefix,
    /// Too many or too few digits.
    #[error("{got} hexadecimal digits, expected {expected}")]
    Length {
        /// Digits of the value.
        expected: usize,
        /// Digits given.
        got: usize,
    },
    /// A character is not one of `0` to `9` and `a` to `f`.
    #[error("a character is not one of 0 to 9 and a to f")]
    Digit,
}

/// `0x` and the lower-case digits of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    const_hex::encode_prefixed(bytes)
}

/// The bytes that [`encode`] wrote.
///
/// # Errors
/// [`HexError`].
pub fn decode<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::Prefix)?;
    if digits.len() != 2 * N {
        return Err(HexError::Length { expected: 2 * N, got: digits.len() });
    }
    // The library takes capitals, too, and another prefix.
    if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return Err(HexError::Digit);
    }
    const_hex::decode_to_array(digits).map_err(|_| HexError::Digit)
}

/// Arrays of bytes.
pub mod bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes them.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::encode(bytes))
    }

    /// Reads them.
    ///
    /// # Errors
    /// A [`HexError`](super::HexError), and those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
        super::decode(&String::deserialize(deserializer)?).map_err(Error::custom)
    }
}

/// Lists of points of G1, each `x ‖ y`.
pub mod points {
    use ark_bn254::G1Affine;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::protocol::points::{G1_BYTES, decode_g1, encode_g1};

    /// Writes them.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(points: &[G1Affine], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(points.iter().map(|point| super::encode(&encode_g1(point))))
    }

    /// Reads them.
    ///
    /// # Errors
    /// A [`HexError`](super::HexError), a [`PointError`](crate::protocol::points::PointError), and those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<G1Affine>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let point = |text: &String| {
            let bytes: [u8; G1_BYTES] = super::decode(text).map_err(Error::custom)?;
            decode_g1(&bytes).map_err(Error::custom)
        };
        texts.iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_other_spelling_is_refused() {
        assert_eq!(decode::<2>("0x0aff"), Ok([10, 255]));
        assert_eq!(decode::<2>("0aff"), Err(HexError::Prefix));
        assert_eq!(decode::<2>("0X0aff"), Err(HexError::Prefix));
        assert_eq!(decode::<2>("0x0aFF"), Err(HexError::Digit));
        assert_eq!(decode::<2>("0x0x0a"), Err(HexError::Digit));
        assert_eq!(decode::<2>("0x aff"), Err(HexError::Digit));
        assert_eq!(decode::<2>("0x0af"), Err(HexError::Length { expected: 4, got: 3 }));
        assert_eq!(decode::<2>("0x0aff0"), Err(HexError::Length { expected: 4, got: 5 }));
    }

    proptest! {
        #[test]
        fn bytes_round_trip(bytes in any::<[u8; 20]>()) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".*") {
            if let Ok(bytes) = decode::<4>(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
