//! How it is proved: commitments, sumchecks, look-ups and openings.
pub mod trace;
