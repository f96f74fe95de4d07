//! The plain counterpart of every fast kernel, for tests to compare with.
//!
//! Everything here is written straight from its formula: full field elements, whole tables, one thread, nothing skipped,
//! nothing shared with what it is compared with. [`Prover`] answers the whole argument, so that each of its messages can be
//! compared with that of [`party::Prover`](crate::argument::party::Prover).
//!
//! | fast | plain |
//! |---|---|
//! | `lookup` | [`lookup`] |
//! | `pointwise` | [`pointwise`] |
//! | `products` | [`products`] |
//! | `merge`, `columns` | [`merge`] |
//! | `sums`, `tables` | [`sumcheck`] |
//! | `eq` | [`cube`] |
//! | `dot` | [`integers`] |
//! | `msm`, `commit` | [`points`] |
//! | `hyperkzg` | [`hyperkzg`] |
//! | `packed` | its module `portable`, which is field arithmetic, and the tests' formulas |
//!
//! What a training step puts into a witness has its plain counterpart in the tests across crates.

pub mod cube;
pub mod hyperkzg;
pub mod integers;
pub mod lookup;
pub mod merge;
pub mod points;
pub mod pointwise;
pub mod products;
mod prover;
pub mod sumcheck;
#[cfg(test)]
mod tests;

pub use prover::Prover;
