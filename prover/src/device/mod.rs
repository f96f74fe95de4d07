//! Where circuits are proved: in this process, or by another program on this machine, which has a device.

pub mod backend;
mod program;
pub mod wire;

pub use program::{Device, DeviceError, Proves, serve};
