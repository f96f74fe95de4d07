//! What can go wrong.

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong on the way to a device and on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The driver is not installed.
    #[error("no CUDA device: the library libcuda of NVIDIA's driver cannot be loaded")]
    NoDriver,
    /// There is a driver, and no device of this number.
    #[error("no CUDA device {number}: the driver knows {count}")]
    NoDevice {
        /// Number that was asked for, from 0.
        number: usize,
        /// Devices that the driver knows.
        count: usize,
    },
    /// A call of the driver failed. The device may be lost for this process: start another one, or compute on the CPU.
    #[error("the device failed: {call}: {reason}")]
    Driver {
        /// What was called.
        call: &'static str,
        /// What the driver said.
        reason: String,
    },
    /// The kernels of this library are damaged.
    #[error("the kernels in this program are damaged: build it anew ({0})")]
    Kernels(String),
    /// A size that does not fit another, or is not supported.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What has the size.
        what: &'static str,
        /// What fits.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// A base of a table is the point at infinity.
    #[error("base {0} is the point at infinity, which has no place in a table")]
    Infinity(usize),
    /// A value is too large for the table's digits.
    #[error("value {0} is too large for the digits of the table")]
    Range(u64),
    /// An answer of the device that is no result.
    #[error("the device answered with {0}: compute on the CPU")]
    Answer(&'static str),
}

/// An error unless the sizes are equal.
pub(crate) fn expect_size(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Shape { what, expected, got }) }
}
