//! Does a device compute what the CPU does, and how fast? The program `gpu-check` asks this of a card, the tests of the interpreter.
//!
//! The parts are independent: one that fails leaves the others to be done, and each is reported when it is done.

mod rates;
mod results;
mod values;

use std::time::Instant;

use crate::{Device, Driver, Result};

/// What a part has found: names and figures, with their units in the names.
pub type Figures = Vec<(&'static str, f64)>;

/// One part of the check.
pub struct Part<D> {
    /// Name of the part.
    pub name: &'static str,
    run: fn(&mut Device<D>, &Sizes) -> Result<Figures>,
}

impl<D: Driver> Part<D> {
    /// Does the part. Every result is compared with the CPU's before it is timed.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`](crate::Error::Answer) if the device computes something else than the CPU, and all errors of [`Device`].
    pub fn run(&self, device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
        (self.run)(device, sizes)
    }
}

/// How much is computed.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Random cases beside the extremes.
    pub cases: usize,
    /// Field elements of a measurement.
    pub elements: usize,
    /// Multiplications in sequence of each of them; a multiple of 16.
    pub times: usize,
    /// Bases of the tables that are measured.
    pub bases: Vec<usize>,
    /// Columns that are committed to.
    pub columns: usize,
    /// Bits of a digit.
    pub width_bits: u32,
    /// Rows, inputs and outputs of the matrix products that are measured.
    pub products: Vec<[usize; 3]>,
    /// Launches of a measurement.
    pub launches: usize,
}

impl Sizes {
    /// Sizes at which a card shows its rates: 3 GB of its memory, a minute of its time.
    pub fn of_a_card() -> Self {
        Self {
            cases: 1000,
            elements: 1 << 22,
            times: 256,
            bases: vec![1 << 14, 1 << 16],
            columns: 400,
            width_bits: 8,
            products: vec![[64, 1024, 1024], [1024, 1024, 1024]],
            launches: 20,
        }
    }

    /// Sizes at which an interpreter ends soon.
    pub fn small() -> Self {
        Self {
            cases: 4,
            elements: 150,
            times: 16,
            bases: vec![3, 20],
            columns: 5,
            width_bits: 5,
            products: vec![[3, 20, 5], [65, 17, 3]],
            launches: 1,
        }
    }
}

/// The parts, those first on which others stand.
pub fn parts<D: Driver>() -> Vec<Part<D>> {
    vec![
        Part { name: "fields", run: results::fields },
        Part { name: "folds", run: results::folds },
        Part { name: "matrix products", run: results::products },
        Part { name: "commitments", run: results::commitments },
        Part { name: "rate of wide multiply-additions", run: rates::wide },
        Part { name: "rate of field products", run: rates::field_products },
        Part { name: "rate of folds", run: rates::folds },
        Part { name: "rate of matrix products", run: rates::products },
        Part { name: "rate of commitments", run: rates::commitments },
        Part { name: "round trip", run: rates::round_trip },
    ]
}

/// Seconds that a call takes: the least of three times `launches` calls, after one that nobody times.
fn seconds(launches: usize, mut call: impl FnMut() -> Result<()>, mut wait: impl FnMut() -> Result<()>) -> Result<f64> {
    call()?;
    wait()?;
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        for _ in 0..launches {
            call()?;
        }
        wait()?;
        least = least.min(start.elapsed().as_secs_f64() / launches as f64);
    }
    Ok(least)
}
