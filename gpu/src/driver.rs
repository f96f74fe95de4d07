//! What a device can do: memory, copies, launches.

use crate::{Kernel, Result};

/// Memory of a device, made by [`Driver::allocate`].
#[derive(Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Address on the device.
    pub address: u64,
    /// Size in bytes.
    pub bytes: usize,
}

/// What a kernel is given for one of its parameters.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'b> {
    /// The address of a buffer.
    Buffer(&'b Buffer),
    /// A number.
    Number(u32),
}

/// One run of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'b> {
    /// Which kernel; it fixes the number of threads of a block.
    pub kernel: Kernel,
    /// Blocks along the three axes, none of them 0.
    pub blocks: [u32; 3],
    /// Arguments in the kernel's order.
    pub arguments: &'b [Argument<'b>],
}

/// A device, or what stands for one.
///
/// Calls take effect in their order. [`Driver::launch`] may return before the kernel has run: its failure may show at a later call.
///
/// # Errors
///
/// Every call can fail with [`Error::Driver`](crate::Error::Driver). After a kernel's failure all calls may fail.
pub trait Driver {
    /// Memory of `bytes` bytes, whose contents are whatever stood there.
    fn allocate(&mut self, bytes: usize) -> Result<Buffer>;
    /// Copies `bytes` to the start of a buffer; they must not be more than it holds.
    fn upload(&mut self, to: &Buffer, bytes: &[u8]) -> Result<()>;
    /// Copies the start of a buffer to `bytes`, which must not be more than it holds.
    fn download(&mut self, from: &Buffer, bytes: &mut [u8]) -> Result<()>;
    /// Sets every byte of a buffer to `value`.
    fn fill(&mut self, buffer: &Buffer, value: u8) -> Result<()>;
    /// Starts a kernel.
    ///
    /// Crate-internal callers check the arguments: a kernel trusts the sizes that it is given.
    fn launch(&mut self, launch: &Launch<'_>) -> Result<()>;
    /// Waits until everything that was started has ended.
    fn wait(&mut self) -> Result<()>;
    /// Gives memory back, overwritten with zeros; gives it back also if that fails.
    fn free(&mut self, buffer: Buffer) -> Result<()>;
}
