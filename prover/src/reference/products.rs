//! The products and the updates of the parameters: every parameter at every step, as training has them.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use gradproof_circuits::program::{Addend, At, Claimed, Form, Parameter, Reader, Sum, Tensor};
use gradproof_circuits::relations::Relations;

use super::cube;
use super::sumcheck::Sumcheck;
use crate::witness::Witness;

/// The state through both sumchecks.
pub struct Products<'a> {
    relations: &'a Relations,
    witness: &'a Witness,
    rate: Fr,
    /// Step, row and column where each sum is claimed.
    points: Vec<[Vec<Fr>; 3]>,
    /// After the products: step and inner index where their sumcheck ended.
    ends: Vec<[Vec<Fr>; 2]>,
    running: Option<Sumcheck<'a>>,
}

fn power(exponent: u32) -> Fr {
    Fr::from(2).pow([u64::from(exponent)])
}

impl<'a> Products<'a> {
    /// All sums of a segment: at the leaf point, or where the pointwise sumcheck ended.
    pub fn new(relations: &'a Relations, witness: &'a Witness, rate: Fr, leaf: &[Fr], pointwise: &[Fr]) -> Self {
        let a = &relations.architecture;
        let claimed = |sum: &Sum| {
            let point = if let Claimed::Rounded(_) = sum.claimed { leaf } else { pointwise };
            let own = &point[point.len() - a.sample_vars() - sum.column_vars()..];
            let (step, rest) = own.split_at(a.step_vars());
            let (row, column) = rest.split_at(a.row_vars());
            [step, row, column].map(<[Fr]>::to_vec)
        };
        let points = relations.sums.iter().map(claimed).collect();
        Self { relations, witness, rate, points, ends: vec![], running: None }
    }

    /// A form for each (step, row, column).
    fn form(&self, form: &Form, column_vars: usize) -> Vec<Fr> {
        let vars = self.relations.architecture.sample_vars() + column_vars;
        let mut sum = vec![Fr::from(form.constant); 1 << vars];
        for (tensor, factor, _) in &form.terms {
            for (sum, value) in sum.iter_mut().zip(cube::tensor(self.witness, *tensor, vars)) {
                *sum += Fr::from(*factor) * value;
            }
        }
        sum
    }

    /// A parameter before every step: `W(t+1) = W(t) - c·Σ 2^e·L(t)ᵀ·R(t)`.
    fn every_step(&self, parameter: &Parameter) -> Vec<Vec<Fr>> {
        let a = &self.relations.architecture;
        let (rows, columns) = (1usize << parameter.row_vars(), 1usize << parameter.column_vars());
        let vars = parameter.row_vars() + parameter.column_vars();
        let mut current = cube::tensor(self.witness, parameter.ends[0], vars);
        let updates: Vec<(Vec<Fr>, Vec<Fr>, Fr)> = parameter
            .updates
            .iter()
            .map(|update| {
                let ones = || vec![Fr::one(); a.samples()];
                let left = update.left.as_ref().map_or_else(ones, |form| self.form(form, parameter.row_vars()));
                (left, self.form(&update.right, parameter.column_vars()), power(update.exponent))
            })
            .collect();
        let mut all = vec![];
        for t in 0..a.steps() {
            all.push(current.clone());
            for r in t * a.padded_batch()..(t + 1) * a.padded_batch() {
                for (left, right, scale) in &updates {
                    for (i, left) in left[r * rows..(r + 1) * rows].iter().enumerate() {
                        for (j, right) in right[r * columns..(r + 1) * columns].iter().enumerate() {
                            current[i * columns + j] -= self.rate * scale * left * right;
                        }
                    }
                }
            }
        }
        all
    }

    /// What is added to products, each where its sum is claimed.
    pub fn addends(&self) -> Vec<Fr> {
        let one = |&(sum, index): &(usize, usize)| {
            let [step, row, column] = &self.points[sum];
            match &self.relations.sums[sum].addends[index].0 {
                Addend::Form(form) => {
                    cube::extension(&self.form(form, column.len()), &[&step[..], row, column].concat())
                }
                Addend::Parameter(parameter) => {
                    let every = self.every_step(&self.relations.parameters[*parameter]);
                    every.iter().enumerate().map(|(t, w)| cube::eq(step, t) * cube::extension(w, column)).sum()
                }
            }
        };
        self.relations.schedule.addends.iter().map(one).collect()
    }

    /// Begins `Σ combine^k·2^e·eq(τ, t)·X(t, β, n)·W(t, n, ρ)`, over all variables that any product has; a product that lacks
    /// some is divided by the number of times that it is summed.
    pub fn begin_products(&mut self, combine: Fr) {
        let a = &self.relations.architecture;
        let inner = self.relations.sums.iter().flat_map(|sum| &sum.contractions).map(|product| product.inner_vars);
        let vars = a.step_vars() + inner.max().unwrap_or(0);
        let (mut tables, mut factors) = (vec![], vec![]);
        for product in &self.relations.schedule.products {
            let contraction = &self.relations.sums[product.sum].contractions[product.index];
            let [step, row, column] = &self.points[product.sum];
            let own_vars = a.step_vars() + contraction.inner_vars;
            let width = 1usize << contraction.inner_vars;
            let values = self.form(&contraction.factor, contraction.inner_vars);
            let parameter = &self.relations.parameters[contraction.parameter];
            let weights = self.every_step(parameter);
            let columns = 1usize << parameter.column_vars();
            let spread = |at: &dyn Fn(usize, usize) -> Fr| -> Vec<Fr> {
                let own: Vec<Fr> = (0..1 << own_vars).map(|z| at(z / width, z % width)).collect();
                (0..1 << vars).map(|z: usize| own[z % own.len()]).collect()
            };
            tables.push(spread(&|t, _| cube::eq(step, t)));
            tables.push(spread(&|t, n| {
                let at = |r: usize| cube::eq(row, r) * values[(t * a.padded_batch() + r) * width + n];
                (0..a.padded_batch()).map(at).sum()
            }));
            tables.push(spread(&|t, n| {
                let at = |c: usize| weights[t][if contraction.transposed { c * columns + n } else { n * columns + c }];
                (0..1 << column.len()).map(|c| cube::eq(column, c) * at(c)).sum()
            }));
            let times = Fr::from(2).pow([(vars - own_vars) as u64]);
            let scale = power(contraction.exponent) * times.inverse().unwrap_or_default();
            factors.push(combine.pow([product.sum as u64]) * scale);
        }
        self.running = Some(Sumcheck::plain(tables, 3, move |row| {
            row.chunks(3).zip(&factors).map(|(product, factor)| *factor * product[0] * product[1] * product[2]).sum()
        }));
    }

    /// One round of the running sumcheck.
    pub fn round(&mut self, challenge: Option<Fr>) -> Vec<Fr> {
        self.running.as_mut().map(|running| running.round(challenge)).unwrap_or_default()
    }

    fn finished(&mut self, point: &[Fr]) -> Vec<Fr> {
        let Some(mut running) = self.running.take() else { return vec![] };
        if let Some(challenge) = point.first() {
            running.bind(*challenge);
        }
        running.values()
    }

    /// Both factors of every product where the sumcheck ended.
    pub fn product_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let values = self.finished(point);
        let steps = self.relations.architecture.step_vars();
        for product in &self.relations.schedule.products {
            let inner_vars = self.relations.sums[product.sum].contractions[product.index].inner_vars;
            let own = &point[point.len() - steps - inner_vars..];
            self.ends.push([own[..steps].to_vec(), own[steps..].to_vec()]);
        }
        values.chunks(3).flat_map(|product| [product[1], product[2]]).collect()
    }

    fn at(&self, place: At) -> &[Fr] {
        match place {
            At::Column(sum) => &self.points[sum][2],
            At::Inner(product) => &self.ends[product][1],
        }
    }

    /// First and last parameters where they were read, in the order of the argument.
    pub fn parameters(&self) -> Vec<Fr> {
        let mut values = vec![];
        for read in &self.relations.schedule.reads {
            let row = read.row.map_or(&[][..], |place| self.at(place));
            let point = [row, self.at(read.column)].concat();
            let at = |tensor: Tensor| cube::extension(&cube::tensor(self.witness, tensor, point.len()), &point);
            let [first, last] = self.relations.parameters[read.parameter].ends.map(at);
            values.push(first);
            if read.first {
                values.push(last);
            }
        }
        values
    }

    /// Begins the sumcheck over (step, row) of all updates, weighted by powers of `combine`:
    /// `c·(λ·LT(s, t) + λ')·2^e·L·R` for every reading and every update of its parameter.
    pub fn begin_weights(&mut self, combine: Fr) {
        let a = &self.relations.architecture;
        let samples = 1usize << a.sample_vars();
        let schedule = &self.relations.schedule;
        let mut tables: Vec<Vec<Fr>> = vec![];
        for factor in &schedule.factors {
            let point = self.at(factor.at);
            let values = self.form(&factor.form, point.len());
            tables.push(values.chunks(1 << point.len()).map(|row| cube::extension(row, point)).collect());
        }
        for read in &schedule.reads {
            let step = match read.reader {
                Reader::Product(product) => &self.ends[product][0],
                Reader::Addend { sum, .. } => &self.points[sum][0],
            };
            tables.push((0..samples).map(|s| cube::less_than(s / a.padded_batch(), step)).collect());
        }
        let (rate, relations) = (self.rate, self.relations);
        self.running = Some(Sumcheck::plain(tables, 3, move |row| {
            let (factors, before) = row.split_at(schedule.factors.len());
            let mut used = 0;
            let mut next = || {
                used += 1;
                combine.pow([used - 1])
            };
            let mut shares = vec![];
            for (read, before) in schedule.reads.iter().zip(before) {
                let partial = next() * before;
                shares.push(partial + if read.first { next() } else { Fr::zero() });
            }
            let mut sum = Fr::zero();
            for (read, share) in schedule.reads.iter().zip(&shares) {
                for update in &relations.parameters[read.parameter].updates {
                    let at = |form: &Form, place: At| {
                        let found =
                            schedule.factors.iter().position(|factor| factor.form == *form && factor.at == place);
                        found.map_or(Fr::zero(), |index| factors[index])
                    };
                    let left = match (&update.left, read.row) {
                        (Some(form), Some(place)) => at(form, place),
                        _ => Fr::one(),
                    };
                    sum += rate * power(update.exponent) * share * left * at(&update.right, read.column);
                }
            }
            sum
        }));
    }

    /// The factors of the updates where the sumcheck ended.
    pub fn weight_evaluations(&mut self, point: &[Fr]) -> Vec<Fr> {
        let count = self.relations.schedule.factors.len();
        self.finished(point).into_iter().take(count).collect()
    }
}
