//! What a participant of a job runs: training kernels, data, the trace, and the programs around the prover.

pub mod cache;
pub mod chain;
pub mod data;
pub mod float;
pub mod job;
pub mod kernels;
pub mod parameters;
pub mod parameters_file;
pub mod program;
pub mod trace_file;
pub mod train;
