//! The verifier as a contract: its sources, what its constructor is given, and what a call of it brings.
//!
//! Encoding only: nothing here speaks to a chain.

mod arguments;
pub mod bindings;
pub mod gas;
pub mod profile;
mod proof;
mod settings;
pub mod solidity;
mod sources;

pub use arguments::{segment, segment_key};
pub use proof::ChainProof;
pub use settings::{Settings, SettingsError, VERIFIER_PROFILE};
pub use sources::{ContractSource, halo2_source, halo2_verifier, segment_verifier};
