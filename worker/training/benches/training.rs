//! The training kernels beside their floor: `cargo bench -p gradproof-training`, a few seconds.
//!
//! An element is a multiplication of an operand by a weight, `rows · inputs · outputs` in all. Criterion prints elements a
//! second. With AVX2 a core does one `vpmuldq`, four products of 32 bits, each cycle: four elements a cycle and core are the floor
//! of forward and backward, and eight products of 16 bits, in pairs, that of an update. Operands that are zero, as four fifths
//! of the images' are, are passed over: the dense case is the one to compare with the floor. `memory` is the other floor, all
//! weights read once: 8 bytes for each.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradproof_training::kernels::{Cpu, DenseShape, Kernels, Reference};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const ROWS: usize = 64;
const SHAPE: DenseShape = DenseShape { inputs: 784, outputs: 128, activation_bits: 8 };

/// Operands, of which one in `sparse` is not zero.
fn operands(count: usize, sparse: u32) -> Vec<i16> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut value = || if rng.random::<u32>().is_multiple_of(sparse) { rng.random::<i16>() >> 6 | 1 } else { 0 };
    (0..count).map(|_| value()).collect()
}

fn layers(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let weights: Vec<i64> = (0..SHAPE.inputs * SHAPE.outputs).map(|_| rng.random::<i64>() >> 36).collect();
    let biases = vec![1; SHAPE.outputs];
    let gradient = operands(ROWS * SHAPE.outputs, 1);
    let kernelss: [&dyn Kernels; 2] = [&Cpu, &Reference];

    let mut group = c.benchmark_group("memory");
    group.throughput(Throughput::Bytes(8 * weights.len() as u64));
    group.bench_function("weights_read", |bench| bench.iter(|| black_box(&weights).iter().fold(0, |all, w| all ^ w)));
    group.finish();

    let mut group = c.benchmark_group("dense");
    group.throughput(Throughput::Elements((ROWS * SHAPE.inputs * SHAPE.outputs) as u64));
    for kernels in kernelss {
        let mut layer = kernels.dense(SHAPE, &weights, &biases).expect("the shape is valid");
        for sparse in [1, 5] {
            let input = operands(ROWS * SHAPE.inputs, sparse);
            let name =
                |kernel: &str| BenchmarkId::new(format!("{}/{kernel}", kernels.name()), format!("1_of_{sparse}"));
            let mut product = vec![0; ROWS * SHAPE.outputs];
            group
                .bench_function(name("forward"), |bench| bench.iter(|| layer.forward(black_box(&input), &mut product)));
            // Back and forth, so that the weights stay what they are.
            let opposite: Vec<i16> = gradient.iter().map(|g| -g).collect();
            let mut turn = false;
            group.bench_function(name("update"), |bench| {
                bench.iter(|| {
                    turn = !turn;
                    layer.update(black_box(&input), if turn { &gradient } else { &opposite }, 1)
                });
            });
        }
        let mut product = vec![0; ROWS * SHAPE.inputs];
        group.bench_function(format!("{}/backward", kernels.name()), |bench| {
            bench.iter(|| layer.backward(black_box(&gradient), &mut product));
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
}

criterion_group! {
    name = training;
    config = settings();
    targets = layers
}
criterion_main!(training);
