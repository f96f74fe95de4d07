//! The prover's kernels, each beside its floor: `cargo bench -p gradproof-prover`, a few seconds each.
//!
//! Criterion prints elements a second. The group `floor` measures what the floors are made of: a multiplication and an
//! addition of field elements, an addition of points in affine coordinates as a batch has them, and the copying of memory. With
//! `m` the time of a multiplication, the least that a kernel can take is, on one thread and divided by the threads on several,
//!
//! | kernel | an element is | floor |
//! |---|---|---|
//! | `msm/small`, `msm/wide` | a scalar of 16, or 40 bits | an addition of points, 6 `m`, for every 16 bits; columns as short as these have narrower windows, and more |
//! | `msm/full` | a scalar of 254 bits | 16 windows, so 96 `m` |
//! | `dot/dot`, `dot/fold_*` | a product with a small integer | 8 products of 32 bits for each digit of 23, a tenth of an `m`; 4 bytes read, and 32 of weights in `dot` |
//! | `dot/accumulate` | a product with a small integer, added to an element | as `dot`, and the reduction of each, about an `m` |
//! | `packed/multiply`, `packed/sum_of_products` | a product | `m`, or half of one without the reduction; with AVX2 and FMA four are done side by side, so that the ratio falls below one |
//! | `packed/add` | a sum | 96 bytes moved |
//! | `eq/table` | an entry | one `m`, 32 bytes written |
//! | `sums/round` | an entry of each of three tables | 9 `m` for two entries, then 3 to bind them: 6 `m` an entry |
//! | `lookup/tree` | a leaf | 3 `m` a pair in every layer, and twice as many leaves as all layers: 3 `m` |
//! | `lookup/layer` | a node | 4 `m` a pair and one for `eq`, then 4 to bind: 5 `m` in the first round, twice that in all |
//! | `merge/rounds` | an entry of a column | two products with small integers, as `dot` |
//! | `poseidon` | a permutation | 8 full and 60 partial rounds: 8·(15 + 25) + 60·(3 + 9) = 1040 `m` |
//! | `hyperkzg/open` | an entry | the quotients: two full multi-scalar multiplications, and a third of one for the folds |

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::hint::black_box;
use std::time::Duration;

use ark_bn254::{Fr, G1Affine};
use ark_ff::{Field, PrimeField};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradproof_circuits::argument::Claim;
use gradproof_circuits::field::poseidon;
use gradproof_circuits::operators::ACTIVATION;
use gradproof_circuits::program::{Form, LookUp, Table, Tensor};
use gradproof_circuits::relations::{Group, Layout, Tree};
use gradproof_prover::argument::lookup::LookupProver;
use gradproof_prover::argument::merge::MergeProver;
use gradproof_prover::columns::columns;
use gradproof_prover::hyperkzg;
use gradproof_prover::kernels::dot::{accumulate, dot, fold_columns, fold_rows};
use gradproof_prover::kernels::eq::eq_table;
use gradproof_prover::kernels::msm;
use gradproof_prover::kernels::packed::{LANES, Packed, Sum, Unsettled};
use gradproof_prover::kernels::sums::{self, ProductSum};
use gradproof_prover::kernels::tables::bound;
use gradproof_prover::witness::{Values, Witness};
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::protocol::powers::Setup;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Variables of the tables: longer than the caches of a core, short enough for seconds.
const VARS: usize = 16;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn elements(count: usize) -> Vec<Fr> {
    let mut rng = rng();
    (0..count).map(|_| Fr::from_le_bytes_mod_order(&rng.random::<[u8; 32]>())).collect()
}

/// Integers of so many bits, the sign included.
fn integers(count: usize, bits: u32) -> Vec<i64> {
    let mut rng = rng();
    (0..count).map(|_| rng.random::<i64>() >> (64 - bits)).collect()
}

fn small(count: usize, bits: u32) -> Vec<i32> {
    integers(count, bits).into_iter().map(|x| x as i32).collect()
}

/// What the floors are made of.
fn floor(c: &mut Criterion) {
    let mut group = c.benchmark_group("floor");
    let count = 1 << 10;
    let (a, b) = (elements(count), elements(count));
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("field_multiplication", |bench| {
        bench.iter(|| black_box(&a).iter().zip(&b).fold(Fr::from(0), |last, (a, b)| (last + a) * b));
    });
    group.bench_function("field_addition", |bench| {
        bench.iter(|| black_box(&a).iter().fold(Fr::from(0), |last, a| last + a));
    });
    let setup = Setup::insecure(10).expect("it is short");
    group.bench_function("point_addition", |bench| {
        bench.iter(|| black_box(&setup.powers).iter().sum::<ark_bn254::G1Projective>());
    });
    let table = elements(1 << VARS);
    group.throughput(Throughput::Bytes(32 << VARS));
    group.bench_function("memory_copied", |bench| bench.iter(|| black_box(&table).clone()));
    group.finish();
}

fn multi_scalar_multiplications(c: &mut Criterion) {
    let mut group = c.benchmark_group("msm");
    let count = 1 << 14;
    let setup = Setup::insecure(14).expect("it is short");
    let bases: &[G1Affine] = &setup.powers;
    group.throughput(Throughput::Elements(count as u64));
    let (narrow, wide, full) = (small(count, 16), integers(count, 40), elements(count));
    group.bench_function("small", |bench| bench.iter(|| msm::small(bases, black_box(&narrow))));
    group.bench_function("wide", |bench| bench.iter(|| msm::wide(bases, black_box(&wide))));
    group.bench_function("full", |bench| bench.iter(|| msm::full(bases, black_box(&full))));
    group.finish();
}

fn dots(c: &mut Criterion) {
    let mut group = c.benchmark_group("dot");
    let (count, width) = (1 << VARS, 1 << (VARS / 2));
    let weights = elements(count);
    group.throughput(Throughput::Elements(count as u64));
    for bits in [16, 32] {
        let values = small(count, bits);
        let name = |kernel: &str| BenchmarkId::new(kernel, format!("{bits}_bits"));
        group.bench_function(name("dot"), |bench| bench.iter(|| dot(&weights, black_box(&values))));
        group.bench_function(name("fold_columns"), |bench| {
            bench.iter(|| fold_columns(black_box(&values), width, &weights[..width]));
        });
        group.bench_function(name("fold_rows"), |bench| {
            bench.iter(|| fold_rows(black_box(&values), width, &weights[..count / width]));
        });
        let mut target = weights.clone();
        group.bench_function(name("accumulate"), |bench| {
            bench.iter(|| accumulate(&mut target, weights[0], black_box(&values)));
        });
    }
    group.finish();
}

fn packed(c: &mut Criterion) {
    let mut group = c.benchmark_group("packed");
    let count = 1 << 10;
    let groups: Vec<Packed> =
        elements(count).chunks(LANES).map(|four| Packed::new(std::array::from_fn(|lane| four[lane]))).collect();
    group.throughput(Throughput::Elements(count as u64));
    // Two at a time, as the look-ups have them: one waits for itself less.
    group.bench_function("multiply", |bench| {
        bench.iter(|| {
            for pair in black_box(&groups).chunks_exact(2) {
                black_box(Unsettled::of([pair[0].into(), pair[1].into()], [pair[1].into(); 2]).map(Unsettled::reduced));
            }
        });
    });
    group.bench_function("add", |bench| {
        bench.iter(|| black_box(&groups).iter().fold(groups[0], |sum, four| sum.plus(*four)));
    });
    group.bench_function("sum_of_products", |bench| {
        bench.iter(|| {
            let mut sum = Sum::default();
            black_box(&groups).iter().for_each(|four| sum.add(*four, groups[0]));
            sum.finish()
        });
    });
    group.finish();
}

fn tables(c: &mut Criterion) {
    let mut group = c.benchmark_group("eq");
    let (point, table) = (elements(VARS), elements(1 << VARS));
    group.throughput(Throughput::Elements(1 << VARS));
    group.bench_function("table", |bench| bench.iter(|| eq_table(black_box(&point))));
    group.bench_function("bound", |bench| bench.iter(|| bound(black_box(&table), point[0])));
    group.finish();
}

fn sumchecks(c: &mut Criterion) {
    let mut group = c.benchmark_group("sums");
    let table = elements(1 << VARS);
    group.throughput(Throughput::Elements(1 << VARS));
    let product = || sums::Product { coefficient: Fr::ONE, tables: vec![table.clone(); 3] };
    group.bench_function("round", |bench| {
        let begin = || ProductSum::new(VARS, 3, vec![product()]);
        bench.iter_batched(
            begin,
            |mut sum| {
                let first = sum.round(None);
                sum.bind(table[0]);
                (first, sum)
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Look-ups of one tensor in a range of 16 bits: half of the leaves of a tree with the table.
fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("lookup");
    let tuple = vec![Form::shifted(Tensor::input(), 1 << 15)];
    let tree = Tree::new(vec![LookUp { table: Table::Range(16), vars: VARS, column_vars: 0, tuple }]);
    let mut witness = Witness::default();
    witness.tensors.insert(Tensor::input(), Values::Small(small(1 << VARS, 16)));
    witness.count_lookups(&tree).expect("every value is in range");
    let random = elements(2 * VARS);
    group.throughput(Throughput::Elements(1 << tree.vars));
    group.bench_function("tree", |bench| bench.iter(|| LookupProver::new(&witness, &tree, random[0], random[1])));
    group.bench_function("layer", |bench| {
        let begin = || {
            let mut prover =
                LookupProver::new(&witness, &tree, random[0], random[1]).expect("the witness has all tensors");
            prover.root();
            (1..tree.vars - 1).for_each(|vars| prover.begin_layer(&random[..vars], random[2]));
            prover.begin_layer(&random[..tree.vars - 1], random[2]);
            prover
        };
        // Any claim costs the same.
        bench.iter_batched(
            begin,
            |mut prover| {
                for round in 0..tree.vars - 1 {
                    let last = (round > 0).then(|| random[round]);
                    black_box(prover.round(last, random[0], random[1]));
                }
                prover.children(random[3])
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn merging(c: &mut Criterion) {
    let mut group = c.benchmark_group("merge");
    let (column_vars, count) = (VARS - 4, 16);
    let tensors: Vec<(Tensor, usize)> = (0..count).map(|i| (ACTIVATION.at(i), column_vars)).collect();
    let layout = Layout::new(column_vars, &[(Group::Trace, tensors)]);
    let mut witness = Witness::default();
    let point = elements(column_vars);
    let mut claims = vec![];
    for tensor in (0..count).map(|i| ACTIVATION.at(i)) {
        witness.tensors.insert(tensor, Values::Small(small(1 << column_vars, 16)));
        claims.push(Claim { terms: vec![(tensor, 1)], point: point.clone(), value: point[0] });
    }
    let columns = columns(&layout, &witness).expect("the witness has all tensors");
    group.throughput(Throughput::Elements((count as u64) << column_vars));
    group.bench_function("rounds", |bench| {
        bench.iter(|| {
            let mut prover = MergeProver::new(&layout, &columns, black_box(&claims), point[1]);
            black_box(prover.round(None));
            for challenge in &point[1..] {
                black_box(prover.round(Some(*challenge)));
            }
            prover.evaluations(&point)
        });
    });
    group.finish();
}

fn hashes(c: &mut Criterion) {
    let mut group = c.benchmark_group("poseidon");
    let mut state: [Fr; poseidon::WIDTH] = std::array::from_fn(|i| Fr::from(i as u64));
    group.throughput(Throughput::Elements(1));
    group.bench_function("permutation", |bench| bench.iter(|| poseidon::permute(black_box(&mut state))));
    group.finish();
}

fn openings(c: &mut Criterion) {
    let mut group = c.benchmark_group("hyperkzg");
    let vars = 13;
    let setup = Setup::insecure(vars as u32).expect("it is short");
    let (polynomial, point) = (elements(1 << vars), elements(vars));
    group.throughput(Throughput::Elements(1 << vars));
    group.bench_function("open", |bench| {
        bench.iter(|| {
            hyperkzg::open(&setup, black_box(&polynomial).clone(), &point, &mut KeccakTranscript::new([0; 32]))
        });
    });
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
}

criterion_group! {
    name = kernels;
    config = settings();
    targets = floor, multi_scalar_multiplications, dots, packed, tables, sumchecks, lookups, merging, hashes, openings
}
criterion_main!(kernels);
