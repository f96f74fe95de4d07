//! The kernels: their names, how they are launched, and their text.

use std::io::Read;

use crate::{Error, Result};

/// A kernel of `kernels/*.cu`, where what it reads and writes is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Products of scalars.
    FrProduct,
    /// Products of coordinates.
    FqProduct,
    /// Sums and differences of scalars.
    FrSums,
    /// Sums and differences of coordinates.
    FqSums,
    /// A table with its first variable bound.
    FrFold,
    /// A measure: the rate of wide multiply-additions.
    WideRate,
    /// A table of multiples of bases.
    TableBuild,
    /// Partial sums of columns of 16-bit values.
    TableCommitI16,
    /// Partial sums of columns of 64-bit values.
    TableCommitI64,
    /// Sums of partial sums.
    ColumnSum,
    /// Matrix product with weights of 32 bits.
    ProductNarrow,
    /// Matrix product with weights of 64 bits.
    ProductWide,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::FrProduct,
        Self::FqProduct,
        Self::FrSums,
        Self::FqSums,
        Self::FrFold,
        Self::WideRate,
        Self::TableBuild,
        Self::TableCommitI16,
        Self::TableCommitI64,
        Self::ColumnSum,
        Self::ProductNarrow,
        Self::ProductWide,
    ];

    /// Name of its entry in the PTX.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// Threads of a block. All blocks have one axis.
    pub const fn threads(self) -> u32 {
        self.entry().1
    }

    /// Shared memory of a block, in bytes; all of it is declared in the kernel.
    pub const fn shared_bytes(self) -> usize {
        self.entry().2
    }

    const fn entry(self) -> (&'static str, u32, usize) {
        match self {
            Self::FrProduct => ("fr_product", 128, 0),
            Self::FqProduct => ("fq_product", 128, 0),
            Self::FrSums => ("fr_sums", 128, 0),
            Self::FqSums => ("fq_sums", 128, 0),
            Self::FrFold => ("fr_fold", 128, 0),
            Self::WideRate => ("wide_rate", 128, 0),
            Self::TableBuild => ("table_build", 128, 0),
            Self::TableCommitI16 => ("table_commit_i16", 128, 0),
            Self::TableCommitI64 => ("table_commit_i64", 128, 0),
            Self::ColumnSum => ("column_sum", 64, 8192),
            Self::ProductNarrow => ("product_narrow", 256, 4 * 16 * (65 + 64)),
            Self::ProductWide => ("product_wide", 256, 4 * 16 * 65 + 8 * 16 * 64),
        }
    }
}

/// The text of all kernels, in PTX for compute capability 7.5 and newer.
///
/// # Errors
///
/// [`Error::Kernels`] if what this library holds is damaged.
pub fn ptx() -> Result<String> {
    let mut text = String::new();
    let compressed = include_bytes!("../kernels/gradproof.ptx.gz");
    let read = flate2::read::GzDecoder::new(&compressed[..]).read_to_string(&mut text);
    read.map_err(|error| Error::Kernels(error.to_string()))?;
    Ok(text)
}
