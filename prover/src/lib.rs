//! How it is proved: commitments, sumchecks, look-ups and openings.
//!
//! [`party::Prover`] answers the argument of `gradproof_circuits` from a [`witness::Witness`]; the answers are the proof.

pub mod backend;
pub mod columns;
pub mod commit;
pub mod device;
pub mod dot;
pub mod eq;
pub mod hyperkzg;
pub mod lookup;
pub mod merge;
pub mod msm;
pub mod packed;
pub mod party;
pub mod pointwise;
pub mod products;
pub mod prove;
pub mod randomness;
pub mod reference;
pub mod registration;
pub mod sums;
pub mod tables;
pub mod trace;
pub mod witness;
pub mod wrap;
