//! How it is proved: commitments, sumchecks, look-ups and openings.
pub mod msm;
pub mod setup;
pub mod trace;
