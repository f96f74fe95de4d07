//! The limits of a job.

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::program::Limits;
use gradproof_circuits::relations::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS};

/// Most segments of a job.
pub const MAX_SEGMENTS: usize = 4096;
/// Largest learning rate over batch, in units of `2^-k`.
pub const MAX_RATE: u32 = 1 << 16;

/// How large the integers of the longest job of a shape may become.
pub fn job_limits(architecture: &Architecture) -> Limits {
    /// A child's first parameters are its parent's last ones: as many generations as anyone could train, 2^40.
    const GENERATIONS: f64 = 40.0;
    let log2 = |count: usize| (count as f64).log2();
    Limits {
        parameter: f64::from(PARAMETER_LIMB_BITS) * PARAMETER_LIMBS as f64 - 1.0,
        rate: f64::from(MAX_RATE).log2(),
        rows: log2(architecture.samples()) + log2(MAX_SEGMENTS) + GENERATIONS,
    }
}
