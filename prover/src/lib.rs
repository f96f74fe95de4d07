//! How it is proved: commitments, sumchecks, look-ups and openings.
//!
//! [`argument::party::Prover`] answers the argument of `gradproof_circuits` from a [`witness::Witness`]; the answers are the
//! proof.

pub mod argument;
pub mod columns;
pub mod commit;
pub mod device;
pub mod hyperkzg;
pub mod kernels;
pub mod prove;
pub mod randomness;
pub mod reference;
pub mod registration;
pub mod witness;
pub mod wrap;
