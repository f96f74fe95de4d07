//! The commands of the program `verifier`, and the options and files that other programs share with it.

mod choice;
pub mod export;
pub mod files;
pub mod key;
pub mod ptau;
mod reasons;
pub mod shape;
pub mod verify;
mod warnings;

pub use choice::one_of;
pub use reasons::reason;
pub use warnings::{INSECURE_SETUP, NOT_ZERO_KNOWLEDGE, warn};
