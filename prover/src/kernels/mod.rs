//! The inner loops: products of vectors, tables of `eq`, multi-scalar multiplication, packed field arithmetic.

pub mod dot;
pub mod eq;
pub mod msm;
pub mod packed;
pub mod sums;
pub mod tables;
