//! The tables of the look-ups.

use crate::network::arithmetic::{exponential_table, relu};
use crate::network::precision::Precision;

/// Variables of the 16-bit tables.
pub const KEY_VARS: usize = 16;

/// A table of the look-up argument; its keys count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Keys `h + 2^15` with `max(h, 0)` and `[h > 0]`.
    Relu,
    /// Keys `[0, 2^16)` with `round(2^fe · exp(-key / 2^fa))`.
    Exponential,
    /// Keys `[0, 2^bits)`.
    Range(u32),
}

impl Table {
    /// Variables that index the keys.
    pub fn vars(&self) -> usize {
        match self {
            Self::Relu | Self::Exponential => KEY_VARS,
            Self::Range(bits) => *bits as usize,
        }
    }

    /// The table's coordinate in the fingerprint, different for each table.
    pub fn number(&self) -> u64 {
        match self {
            Self::Relu => 1,
            Self::Exponential => 2,
            Self::Range(bits) => 16 + u64::from(*bits),
        }
    }

    /// The values of [`Self::column`].
    pub fn column_values(&self, precision: &Precision) -> Vec<u16> {
        match self {
            Self::Exponential => exponential_table(precision),
            Self::Relu | Self::Range(_) => vec![],
        }
    }

    /// Binary logarithms of the absolute values of keys and values, rounded up.
    pub(super) fn bounds(&self) -> (f64, Vec<f64>) {
        match self {
            Self::Relu => (16.0, vec![15.0, 0.0]),
            Self::Exponential => (16.0, vec![16.0]),
            Self::Range(bits) => (f64::from(*bits), vec![]),
        }
    }

    /// Values beside `key`, where they follow from it by a formula.
    pub fn values(&self, key: usize) -> Vec<i64> {
        match self {
            Self::Relu => {
                let (value, derivative) = relu((key as i32 - (1 << 15)) as i16);
                vec![i64::from(value), i64::from(derivative)]
            }
            Self::Exponential | Self::Range(_) => vec![],
        }
    }
}
