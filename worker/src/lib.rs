//! What a participant runs: training, its trace, and the programs around them.
pub mod data;
pub mod job;
