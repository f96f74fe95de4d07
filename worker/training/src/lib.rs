//! Jobs, their data, and training in exact integers. Needs no prover.

pub mod data;
pub mod float;
pub mod job;
mod job_file;
pub mod kernels;
pub mod parameters;
pub mod parameters_file;
pub mod trace_file;
pub mod train;
