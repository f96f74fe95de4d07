//! The checks of the verifier, by name, and who judges them.

pub use gradproof_circuits::check::{Check, Judge, Kind, Rejection, Strict};
