//! Programs and libraries around the prover: training kernels, the trace, and the parties of a job.

pub mod kernels;
