//! Circuits of which contracts are written: one of the shape of the wrap, and one that is unlike it in everything.

use halo2_axiom::circuit::{Cell, Layouter, Region, SimpleFloorPlanner, Value};
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Expression, Fixed, Instance};
use halo2_axiom::poly::Rotation;

/// A circuit with instances that can be shown.
pub trait Example: Circuit<Fr> + Clone {
    /// Its instances, column by column.
    fn instances(&self) -> Vec<Vec<Fr>>;
}

/// Five advice columns at two rotations, nine fixed columns, one instance column, degree 7, one product.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its instances.
    pub instances: Vec<Fr>,
}

/// Columns of [`Planned`].
#[derive(Clone, Debug)]
pub struct PlannedColumns {
    state: [Column<Advice>; 5],
    round: Column<Fixed>,
    constants: [Column<Fixed>; 5],
    public: Column<Fixed>,
    product: Column<Fixed>,
    shift: Column<Fixed>,
    instance: Column<Instance>,
}

fn matrix(i: usize, j: usize) -> Fr {
    // Entries of full size, as those of a Poseidon matrix are.
    Fr::from((i + 2 * j + 3) as u64).invert().unwrap_or(Fr::ONE)
}

fn power5<T: Clone + std::ops::Mul<Output = T>>(value: T) -> T {
    let square = value.clone() * value.clone();
    square.clone() * square * value
}

impl Circuit<Fr> for Planned {
    type Config = PlannedColumns;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> PlannedColumns {
        meta.set_minimum_degree(7);
        let state = [(); 5].map(|()| meta.advice_column());
        let constants = [(); 5].map(|()| meta.fixed_column());
        let [round, public, product, shift] = [(); 4].map(|()| meta.fixed_column());
        let instance = meta.instance_column();
        state.iter().for_each(|column| meta.enable_equality(*column));
        meta.create_gate("round", |meta| {
            let q = meta.query_fixed(round, Rotation::cur());
            let switch = q.clone() * (Expression::Constant(Fr::from(2)) - q);
            let powers: Vec<_> = (0..5)
                .map(|j| {
                    power5(
                        meta.query_advice(state[j], Rotation::cur()) + meta.query_fixed(constants[j], Rotation::cur()),
                    )
                })
                .collect();
            let rows: Vec<_> = (0..5)
                .map(|i| {
                    let next = meta.query_advice(state[i], Rotation::next());
                    let mixed = powers.iter().enumerate().map(|(j, power)| power.clone() * matrix(i, j));
                    switch.clone() * mixed.fold(next, |sum, term| sum - term)
                })
                .collect();
            rows
        });
        meta.create_gate("public", |meta| {
            let q = meta.query_fixed(public, Rotation::cur());
            let value = meta.query_advice(state[0], Rotation::cur()) - meta.query_instance(instance, Rotation::cur());
            vec![q * value]
        });
        meta.create_gate("product", |meta| {
            let q = meta.query_fixed(product, Rotation::cur());
            let shift = meta.query_fixed(shift, Rotation::cur());
            let [a, b, c, d] = [0, 1, 2, 3].map(|j| meta.query_advice(state[j], Rotation::cur()));
            vec![q * (a * b + c + shift - d)]
        });
        PlannedColumns { state, round, constants, public, product, shift, instance }
    }

    fn synthesize(&self, columns: PlannedColumns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let _ = columns.instance;
        layouter.assign_region(
            || "all",
            |mut region| {
                let mut row = 0;
                let mut publics = Vec::new();
                for value in &self.instances {
                    region.assign_fixed(columns.public, row, Fr::ONE);
                    publics.push((set(&mut region, columns.state[0], row, *value), *value));
                    row += 1;
                }
                let mut state: Vec<Fr> = (0..5).map(|j| publics[j % publics.len()].1).collect();
                for (j, value) in state.iter().enumerate() {
                    let cell = set(&mut region, columns.state[j], row, *value);
                    region.constrain_equal(cell, publics[j % publics.len()].0);
                }
                for round in 0..40u64 {
                    region.assign_fixed(columns.round, row, Fr::ONE);
                    let shifted: Vec<Fr> = (0..5usize)
                        .map(|j| {
                            let constant = Fr::from(round * 5 + j as u64 + 1);
                            region.assign_fixed(columns.constants[j], row, constant);
                            power5(state[j] + constant)
                        })
                        .collect();
                    row += 1;
                    state = (0..5).map(|i| (0..5).map(|j| matrix(i, j) * shifted[j]).sum()).collect();
                    for (j, value) in state.iter().enumerate() {
                        set(&mut region, columns.state[j], row, *value);
                    }
                }
                row += 1;
                let [a, b, c] = [3, 5, 7].map(Fr::from);
                region.assign_fixed(columns.product, row, Fr::ONE);
                region.assign_fixed(columns.shift, row, Fr::from(11));
                for (j, value) in [a, b, c, a * b + c + Fr::from(11)].into_iter().enumerate() {
                    set(&mut region, columns.state[j], row, value);
                }
                Ok(())
            },
        )
    }
}

fn set(region: &mut Region<'_, Fr>, column: Column<Advice>, row: usize, value: Fr) -> Cell {
    region.assign_advice(column, row, Value::known(value)).cell()
}

impl Example for Planned {
    fn instances(&self) -> Vec<Vec<Fr>> {
        vec![self.instances.clone()]
    }
}

/// Two instance columns at several rotations, one of them in the permutation, fixed columns in it as well, products of two
/// columns, rotations back and far ahead, a fixed column that is zero and one that is never asked for.
#[derive(Clone, Debug)]
pub struct Odd {
    /// Its instances, in two columns.
    pub instances: [Vec<Fr>; 2],
}

/// Columns of [`Odd`].
#[derive(Clone, Debug)]
pub struct OddColumns {
    advice: [Column<Advice>; 3],
    switch: Column<Fixed>,
    copied: Column<Fixed>,
}

impl Circuit<Fr> for Odd {
    type Config = OddColumns;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> OddColumns {
        meta.set_minimum_degree(4);
        let advice = [(); 3].map(|()| meta.advice_column());
        let [switch, copied, zero, _unused] = [(); 4].map(|()| meta.fixed_column());
        let instances = [(); 2].map(|()| meta.instance_column());
        advice.iter().for_each(|column| meta.enable_equality(*column));
        meta.enable_equality(copied);
        meta.enable_equality(instances[1]);
        meta.create_gate("far", |meta| {
            let q = meta.query_fixed(switch, Rotation::cur());
            let next = meta.query_fixed(switch, Rotation::next());
            let zero = meta.query_fixed(zero, Rotation::cur());
            let [before, here, ahead] = [-1, 0, 3].map(|at| meta.query_advice(advice[0], Rotation(at)));
            let [i, j] = [-2, 1].map(|at| meta.query_instance(instances[0], Rotation(at)));
            let k = meta.query_instance(instances[1], Rotation::cur());
            let sum = before.clone() * here.clone() + ahead - i.clone() + j * k;
            let other = meta.query_advice(advice[1], Rotation::next()) - i;
            // The second has sub-expressions of the first, negations, a zero, and constants that fold.
            let minus = -(before * here) * Expression::Constant(-Fr::ONE) * (q.clone() - Expression::Constant(Fr::ONE));
            vec![
                q.clone() * sum,
                q.clone() * (other.clone() + zero * Fr::from(5)) + q * minus,
                next * (Expression::Constant(Fr::ONE) - Expression::Constant(Fr::ONE)) * other,
            ]
        });
        OddColumns { advice, switch, copied }
    }

    fn synthesize(&self, columns: OddColumns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let at = |column: usize, row: usize| self.instances[column].get(row).copied().unwrap_or(Fr::ZERO);
        layouter.assign_region(
            || "all",
            |mut region| {
                let row = 4;
                region.assign_fixed(columns.switch, row, Fr::ONE);
                let (before, here) = (Fr::from(21), Fr::from(2));
                let ahead = at(0, row - 2) - at(0, row + 1) * at(1, row) - before * here;
                set(&mut region, columns.advice[0], row - 1, before);
                let first = set(&mut region, columns.advice[0], row, here);
                set(&mut region, columns.advice[0], row + 3, ahead);
                let second = set(&mut region, columns.advice[1], row + 1, at(0, row - 2));
                let third = set(&mut region, columns.advice[2], 20, here);
                region.constrain_equal(first, third);
                let copy = set(&mut region, columns.advice[2], 21, at(0, row - 2));
                region.constrain_equal(second, copy);
                let fixed = region.assign_fixed(columns.copied, 9, Fr::from(77));
                let copy = set(&mut region, columns.advice[1], 22, Fr::from(77));
                region.constrain_equal(fixed, copy);
                Ok(())
            },
        )
    }
}

impl Example for Odd {
    fn instances(&self) -> Vec<Vec<Fr>> {
        self.instances.to_vec()
    }
}
