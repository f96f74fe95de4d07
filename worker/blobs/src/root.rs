//! The address of a blob.

use std::fmt::{Debug, Display, Formatter};
use std::str::FromStr;

use crate::BlobError;

/// The BLAKE3 hash of the bytes of a blob. As text `0x` and 64 lower-case digits; there is one spelling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root([u8; 32]);

impl Root {
    /// The root with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The root of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<blake3::Hash> for Root {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl From<Root> for blake3::Hash {
    fn from(root: Root) -> Self {
        Self::from_bytes(root.0)
    }
}

impl Display for Root {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl Debug for Root {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(self, f)
    }
}

impl FromStr for Root {
    type Err = BlobError;

    fn from_str(text: &str) -> Result<Self, BlobError> {
        let digits = text.strip_prefix("0x").ok_or(BlobError::NotARoot)?;
        // The library takes capitals, too.
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(BlobError::NotARoot);
        }
        blake3::Hash::from_hex(digits).map(Self::from).map_err(|_| BlobError::NotARoot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_root_has_one_spelling() {
        let text = Root::of(b"abc").to_string();
        assert_eq!(text.parse::<Root>().expect("it is one"), Root::of(b"abc"));
        let others =
            [text.to_uppercase(), text.replace("0x", ""), format!("{text}0"), format!("0x{}", text.to_uppercase())];
        for other in others {
            assert!(other.parse::<Root>().is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_root_or_refused(text in ".{0,80}") {
            if let Ok(root) = text.parse::<Root>() {
                prop_assert_eq!(root.to_string(), text);
            }
        }
    }
}
