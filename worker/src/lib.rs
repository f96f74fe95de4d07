//! Programs and libraries around the prover: training kernels, the trace, and the parties of a job.

mod atomic;
pub mod float;
pub mod kernels;
pub mod parameters;
pub mod parameters_file;
pub mod trace_file;
pub mod train;
