//! Completeness of the field-side argument over a grid of shapes, and its refusal of altered tensors.

use ark_bn254::Fr;
use gradproof_circuits::algebra::Native;
use gradproof_circuits::architecture::{Architecture, Live};
use gradproof_circuits::argument;
use gradproof_circuits::arithmetic::{Precision, exponential_table, relu, round_shift, softmax_row};
use gradproof_circuits::check::{Check, Judge, Rejection, Strict};
use gradproof_circuits::relations::{Publics, Relations, Subject};
use gradproof_circuits::transcript::Stored;
use gradproof_prover::columns::columns;
use gradproof_prover::party::{Prover, Secrets};
use gradproof_prover::trace::{NO_LABEL, Parameters, SegmentTrace};
use gradproof_prover::witness::Witness;

const PRECISION: Precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 5 };

/// A small deterministic generator, enough to fill test tensors.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % bound) as i64
    }
}

/// Trains naively, with the loops of the definition.
fn trained(architecture: &Architecture, live: Live, rate: u32, seed: u64) -> SegmentTrace {
    let mut numbers = Numbers(seed);
    let (widths, layers) = (&architecture.widths, architecture.layers());
    let bits = architecture.precision.weight_bits();
    let scale = architecture.precision.activation_bits;
    let batch = architecture.padded_batch();
    let samples = architecture.samples();
    let first = Parameters {
        weights: (0..layers)
            .map(|l| {
                let bound = (2 << bits) / (widths[l] as u64);
                (0..widths[l] * widths[l + 1]).map(|_| numbers.below(bound) - bound as i64 / 2).collect()
            })
            .collect(),
        biases: (0..layers).map(|l| (0..widths[l + 1]).map(|_| numbers.below(1 << 20) - (1 << 19)).collect()).collect(),
    };
    let is_live = |n: usize| n % batch < architecture.live_rows(live, n / batch);
    let input: Vec<i16> =
        (0..samples * widths[0]).map(|i| if is_live(i / widths[0]) { numbers.below(256) as i16 } else { 0 }).collect();
    let labels: Vec<u16> = (0..samples)
        .map(|n| if is_live(n) { numbers.below(architecture.classes() as u64) as u16 } else { NO_LABEL })
        .collect();
    let table = exponential_table(&architecture.precision);
    let mut parameters = first.clone();
    let mut forward = vec![Vec::new(); layers];
    let mut backward = vec![Vec::new(); layers - 1];
    for t in 0..architecture.steps {
        let rows = t * batch..(t + 1) * batch;
        let mut activations: Vec<Vec<i64>> =
            vec![input[rows.start * widths[0]..rows.end * widths[0]].iter().map(|&x| i64::from(x)).collect()];
        let mut hidden = vec![];
        for l in 0..layers {
            let (from, to) = (widths[l], widths[l + 1]);
            let mut u = vec![0i64; batch * to];
            for r in 0..batch {
                for j in 0..to {
                    u[r * to + j] = (parameters.biases[l][j] << scale)
                        + (0..from)
                            .map(|i| activations[l][r * from + i] * parameters.weights[l][i * to + j])
                            .sum::<i64>();
                }
            }
            let h: Vec<i16> = u.iter().map(|&u| round_shift(u, bits).0 as i16).collect();
            activations.push(h.iter().map(|&h| i64::from(relu(h).0)).collect());
            forward[l].extend(u);
            hidden.push(h);
        }
        let classes = architecture.classes();
        let mut gradient: Vec<i64> = vec![];
        for (r, n) in rows.enumerate() {
            let row = softmax_row(&hidden[layers - 1][r * classes..(r + 1) * classes], &table, 12);
            gradient.extend(row.probabilities.iter().enumerate().map(|(j, &p)| {
                if is_live(n) { i64::from(p) - (i64::from(usize::from(labels[n]) == j) << 12) } else { 0 }
            }));
        }
        let mut gradients = vec![gradient];
        for l in (1..layers).rev() {
            let (from, to) = (widths[l], widths[l + 1]);
            let g = &gradients[gradients.len() - 1];
            let v: Vec<i64> = (0..batch * from)
                .map(|e| (0..to).map(|j| g[e / from * to + j] * parameters.weights[l][e % from * to + j]).sum())
                .collect();
            let masked = v.iter().zip(&hidden[l - 1]).map(|(&v, &h)| if relu(h).1 { v } else { 0 });
            gradients.push(masked.map(|v| round_shift(v, bits).0).collect());
            backward[l - 1].extend(v);
        }
        gradients.reverse();
        for l in 0..layers {
            let (from, to) = (widths[l], widths[l + 1]);
            for r in 0..batch {
                for j in 0..to {
                    let g = gradients[l][r * to + j];
                    for i in 0..from {
                        parameters.weights[l][i * to + j] -= i64::from(rate) * activations[l][r * from + i] * g;
                    }
                    parameters.biases[l][j] -= (i64::from(rate) * g) << scale;
                }
            }
        }
    }
    SegmentTrace { live, rate, first, last: parameters, input, labels, forward, backward }
}

fn publics(live: Live, rate: u32) -> Publics<Fr> {
    Publics {
        digest: [Fr::from(1), Fr::from(2)],
        rate: Fr::from(rate),
        position: Fr::from(0),
        live_steps: Fr::from(live.steps as u64),
        live_rows: Fr::from(live.last_rows as u64),
    }
}

/// Runs the argument as a prover that does not look at the checks.
struct Deaf;

impl Judge for Deaf {
    fn require(&mut self, _: Check, _: bool) -> Result<(), Rejection> {
        Ok(())
    }
}

fn prove(relations: &Relations, witness: &Witness, live: Live, rate: u32) -> Vec<Fr> {
    let columns = columns(&relations.layout, witness);
    let mask: Vec<Fr> = (0..1u64 << relations.layout.column_vars).map(|i| Fr::from(i * i + 7)).collect();
    let mut prover = Prover::new(relations, witness, &columns, live, rate, Secrets { salt: Fr::from(9), mask: &mask });
    argument::verify(&mut Native { judge: Deaf }, &mut prover, relations, &publics(live, rate)).unwrap();
    prover.messages
}

fn verify(relations: &Relations, proof: &[Fr], live: Live, rate: u32) -> Result<(), Rejection> {
    let mut stored = Stored { rest: proof };
    argument::verify(&mut Native { judge: Strict }, &mut stored, relations, &publics(live, rate))?;
    assert!(stored.rest.is_empty());
    Ok(())
}

fn shape(widths: &[usize], batch: usize, steps: usize) -> Architecture {
    Architecture { widths: widths.to_vec(), batch, steps, precision: PRECISION }
}

#[test]
fn completeness_over_shapes() {
    let cases: &[(&[usize], usize, usize, usize, usize)] = &[
        (&[4, 4, 3], 4, 4, 4, 4),
        (&[5, 10, 3], 3, 4, 2, 2),
        (&[1, 1], 1, 1, 1, 1),
        (&[10, 1, 10], 2, 2, 1, 1),
        (&[7, 10, 6, 5, 4], 4, 2, 2, 3),
        (&[20, 10], 8, 4, 4, 8),
    ];
    for &(widths, batch, steps, live_steps, last_rows) in cases {
        let architecture = shape(widths, batch, steps);
        architecture.validate().unwrap();
        let live = Live { steps: live_steps, last_rows };
        for column_vars in [8, 12, 17] {
            let relations = Relations::new(Subject::Segment, &architecture, column_vars);
            let trace = trained(&architecture, live, 2, 5);
            let mut witness = Witness::of_segment(&architecture, &trace).unwrap();
            witness.count_lookups(&relations.tree).unwrap();
            let proof = prove(&relations, &witness, live, 2);
            assert_eq!(verify(&relations, &proof, live, 2), Ok(()), "{widths:?} {column_vars}");
        }
    }
}
