//! Time of a training step in integers and in double precision, for networks of the size of MNIST.
//!
//! `cargo run --release -p gradproof-worker --example training_step [steps]` prints a table and the same as JSON. Inputs are
//! noise with 80 % zeros around one point a class, the share of zeros that MNIST has.

#![expect(clippy::print_stdout, reason = "an example prints what it measures")]

use std::time::Instant;

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::network::precision::Precision;
use gradproof_training::float::FloatNetwork;
use gradproof_training::kernels::Cpu;
use gradproof_training::parameters::{initial_parameters, seed_of};
use gradproof_training::train::Network;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const BATCH: usize = 64;

fn main() -> eyre::Result<()> {
    let steps: usize = std::env::args().nth(1).map_or(Ok(20), |steps| steps.parse())?;
    eyre::ensure!(steps > 0, "the number of steps is 0, expected at least 1");
    let deep = [&[784][..], &[1024; 7], &[10]].concat();
    let mut lines = Vec::new();
    println!("threads {}, batch {BATCH}, {steps} steps: median (least)", rayon::current_num_threads());
    println!("{:<40} {:>10} {:>20} {:>20}", "widths", "parameters", "integers ms", "double ms");
    for widths in [vec![784, 128, 128, 10], deep] {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 13, exponential_bits: 11 };
        let architecture = Architecture::perceptron(&widths, BATCH, 64, precision)?;
        let parameters = initial_parameters(&architecture, seed_of(1));
        let mut network = Network::new(&architecture, &Cpu, &parameters)?;
        let mut float = FloatNetwork::new(&architecture, &parameters)?;
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let (mut integer_secs, mut float_secs) = (Vec::new(), Vec::new());
        for step in 0..steps {
            let labels: Vec<u16> = (0..BATCH).map(|_| random.random_range(0..10)).collect();
            let input: Vec<i16> = labels.iter().flat_map(|&label| image(&mut random, label)).collect();
            let start = Instant::now();
            network.step(step as u64, &input, &labels, 1)?;
            integer_secs.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            float.step(&input, &labels, 1)?;
            float_secs.push(start.elapsed().as_secs_f64());
        }
        let [integer, double] = [integer_secs, float_secs].map(|mut secs| {
            secs.sort_by(f64::total_cmp);
            (1e3 * secs[secs.len() / 2], 1e3 * secs[0])
        });
        let name = widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        let cell = |(median, least): (f64, f64)| format!("{median:.3} ({least:.3})");
        println!("{name:<40} {:>10} {:>20} {:>20}", architecture.parameters(), cell(integer), cell(double));
        lines.push(serde_json::json!({
            "widths": widths, "batch": BATCH, "steps": steps, "threads": rayon::current_num_threads(),
            "integer_step_ms": { "median": integer.0, "least": integer.1 },
            "double_step_ms": { "median": double.0, "least": double.1 },
        }));
    }
    println!("{}", serde_json::Value::from(lines));
    Ok(())
}

/// 784 pixels of which a fifth is not zero, brighter where the class says.
fn image(random: &mut ChaCha20Rng, label: u16) -> Vec<i16> {
    let bright = usize::from(label) * 70;
    (0..784)
        .map(|i| {
            let inside = (bright..bright + 70).contains(&i);
            if random.random_range(0..10) < if inside { 8 } else { 1 } { random.random_range(1..256) } else { 0 }
        })
        .collect()
}
