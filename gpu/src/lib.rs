//! Kernels for NVIDIA devices: fields and curve of BN254, commitments to columns of small integers, integer matrix products.
//!
//! The kernels are written in CUDA C++ (`kernels/*.cu`) and translated in advance: `cargo xtask gpu-kernels` makes
//! `kernels/gradproof.ptx.gz`, which is part of this library. Nothing of CUDA is needed to build it, and no device to start a program
//! that has it: [`Cuda`] loads the driver's library when it is asked for a device.
//!
//! [`Device`] computes over any [`Driver`]: over [`Cuda`], and in the tests over an interpreter of the same PTX. Its results are those of
//! the CPU, bit for bit. They are results of a machine that nobody has checked: verify what is made of them.
//!
//! What is uploaded may be secret. Memory is overwritten with zeros before it is given back, also after an error that leaves the
//! device usable. It is not when the process is killed, and registers are not. Which entries of a table a kernel reads
//! depends on the values: do not share a device with strangers.

mod bytes;
pub mod check;
mod cuda;
mod device;
mod driver;
mod error;
mod field;
mod kernel;
mod product;
mod table;

pub use cuda::Cuda;
pub use device::Device;
pub use driver::{Argument, Buffer, Driver, Launch};
pub use error::{Error, Result};
pub use kernel::{Kernel, ptx};
pub use product::{Shape, Weights};
pub use table::{Columns, Table, windows};
