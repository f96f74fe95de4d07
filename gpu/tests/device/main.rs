//! Every kernel, as it ships, on a device that interprets its PTX: against the CPU, with extremes, with faults.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests may do what tests may")]

mod check;
#[cfg(target_os = "linux")]
mod cuda;
mod driver_faults;
mod emulated;
mod field;
mod interpreter;
mod kernel_faults;
mod launches;
mod machine;
mod product;
mod ptx;
mod samples;
mod table;
