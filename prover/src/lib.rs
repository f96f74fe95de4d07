//! How it is proved: commitments, sumchecks, look-ups and openings.
pub mod dot;
pub mod trace;
