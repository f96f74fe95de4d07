//! Results beside those of the CPU.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::PrimeField;

use super::values::{LARGE, Numbers, SMALL, edges};
use super::{Figures, Sizes};
use crate::{Columns, Device, Driver, Error, Result, Shape, Weights, windows};

/// An error unless what the device says is what the CPU says.
pub fn same<T: PartialEq>(device: &T, cpu: &T, otherwise: &'static str) -> Result<()> {
    if device == cpu { Ok(()) } else { Err(Error::Answer(otherwise)) }
}

/// Every edge beside every edge, and random elements.
fn pairs<F: PrimeField>(cases: usize) -> (Vec<F>, Vec<F>) {
    let edges = edges::<F>();
    let mut numbers = Numbers(1);
    let random: Vec<(F, F)> = (0..cases).map(|_| (numbers.element(), numbers.element())).collect();
    edges.iter().flat_map(|x| edges.iter().map(|y| (*x, *y))).chain(random).unzip()
}

fn cpu<F: PrimeField>(x: &[F], y: &[F], operation: impl Fn(F, F) -> F) -> Vec<F> {
    x.iter().zip(y).map(|(x, y)| operation(*x, *y)).collect()
}

pub fn fields<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let (x, y) = pairs::<Fr>(sizes.cases);
    same(&device.fr_products(&x, &y, 2)?, &cpu(&x, &y, |x, y| x * y * y), "another product of scalars")?;
    let sums = (cpu(&x, &y, |x, y| x + y), cpu(&x, &y, |x, y| x - y));
    same(&device.fr_sums(&x, &y)?, &sums, "another sum of scalars")?;
    let (x, y) = pairs::<Fq>(sizes.cases);
    same(&device.fq_products(&x, &y, 2)?, &cpu(&x, &y, |x, y| x * y * y), "another product of coordinates")?;
    let sums = (cpu(&x, &y, |x, y| x + y), cpu(&x, &y, |x, y| x - y));
    same(&device.fq_sums(&x, &y)?, &sums, "another sum of coordinates")?;
    Ok(vec![("pairs", x.len() as f64)])
}

pub fn folds<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let (x, y) = pairs::<Fr>(sizes.cases);
    let table: Vec<Fr> = x.iter().zip(&y).flat_map(|(x, y)| [*x, *y]).collect();
    for challenge in edges::<Fr>() {
        let folded = cpu(&x, &y, |low, high| low + challenge * (high - low));
        same(&device.fold(&table, challenge)?, &folded, "another fold")?;
    }
    Ok(vec![("elements", table.len() as f64)])
}

/// A matrix product by its definition.
pub fn product(left: &[i16], right: &[i64], [rows, inputs, outputs]: [usize; 3]) -> Vec<i64> {
    let mut out = vec![0i64; rows * outputs];
    for (row, left) in out.chunks_mut(outputs).zip(left.chunks(inputs)) {
        for (value, right) in left.iter().zip(right.chunks(outputs)) {
            for (sum, weight) in row.iter_mut().zip(right) {
                *sum = sum.wrapping_add(i64::from(*value).wrapping_mul(*weight));
            }
        }
    }
    out
}

pub fn products<D: Driver>(device: &mut Device<D>, _: &Sizes) -> Result<Figures> {
    let mut count = 0;
    for sides in [[1, 1, 1], [65, 17, 63], [64, 16, 64], [33, 100, 70]] {
        let [rows, inputs, outputs] = sides;
        let mut numbers = Numbers(2);
        let left = numbers.mixed(rows * inputs, &SMALL, |word| word as i16);
        let narrow = numbers.mixed(inputs * outputs, &[i32::MIN, i32::MAX, -1], |word| word as i32);
        let wide = numbers.mixed(inputs * outputs, &LARGE, |word| word as i64);
        let widened: Vec<i64> = narrow.iter().map(|weight| i64::from(*weight)).collect();
        for parts in [1, 3] {
            let shape = Shape { rows, inputs, outputs, parts };
            let result = device.product(&left, Weights::Narrow(&narrow), shape)?;
            same(&result, &product(&left, &widened, sides), "another product of narrow weights")?;
            let result = device.product(&left, Weights::Wide(&wide), shape)?;
            same(&result, &product(&left, &wide, sides), "another product of wide weights")?;
            count += 2;
        }
    }
    Ok(vec![("products", f64::from(count))])
}

/// The commitment to one of `columns` columns.
pub fn commitment(bases: &[G1Affine], values: &[i64], columns: usize, column: usize) -> G1Affine {
    let scalars: Vec<Fr> = values.iter().skip(column).step_by(columns).map(|value| Fr::from(*value)).collect();
    G1Projective::msm_unchecked(bases, &scalars).into_affine()
}

pub fn commitments<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let (count, columns) = (20, sizes.columns.min(130));
    let mut numbers = Numbers(3);
    let mut bases = numbers.bases(count);
    // Equal and opposite neighbours.
    if let [first, second, third, ..] = &mut bases[..] {
        (*second, *third) = (*first, -*first);
    }
    for small in [true, false] {
        let values: Vec<i64> = if small {
            numbers.mixed(count * columns, &SMALL, |word| word as i16).into_iter().map(i64::from).collect()
        } else {
            numbers.mixed(count * columns, &LARGE, |word| word as i64)
        };
        let digits = windows(if small { 1 << 15 } else { 1 << 63 }, sizes.width_bits);
        let table = device.table(&bases, sizes.width_bits, digits)?;
        let narrow: Vec<i16> = values.iter().filter_map(|value| i16::try_from(*value).ok()).collect();
        let chosen = if small { Columns::I16(&narrow) } else { Columns::I64(&values) };
        let commitments = device.commit(&table, chosen, columns);
        device.drop_table(table)?;
        let expected: Vec<G1Affine> = (0..columns).map(|column| commitment(&bases, &values, columns, column)).collect();
        same(&commitments?, &expected, "another commitment")?;
    }
    Ok(vec![("columns", 2.0 * columns as f64)])
}
