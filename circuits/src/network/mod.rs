//! The integers of a network: their scales and arithmetic, and how rows are cut into steps and segments.

pub mod arithmetic;
pub mod epoch;
pub mod precision;
