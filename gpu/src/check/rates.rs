//! How fast: every kernel alone, its data on the device.

use ark_bn254::{Fr, G1Affine};

use super::results::{commitment, product, same};
use super::values::{Numbers, SMALL};
use super::{Figures, Sizes, seconds};
use crate::bytes::{self, Sum, Word};
use crate::device::Given::{Held, Number};
use crate::device::Scope;
use crate::field::blocks;
use crate::product::{Factors, factors};
use crate::table::{Cut, Sums, launch};
use crate::{Columns, Device, Driver, Kernel, Result, Shape, Table, Weights, windows};

/// Wide multiplications of a field product: see `field.cuh`.
const WIDE: f64 = 128.0;
/// Sums that a thread of the kernel `wide_rate` has.
const SUMS: f64 = 8.0;

/// Seconds a launch of what `launch` starts.
fn timed<D: Driver>(
    scope: &mut Scope<'_, D>,
    launches: usize,
    launch: impl Fn(&mut Scope<'_, D>) -> Result<()>,
) -> Result<f64> {
    // Both closures need the scope: the calls are counted here.
    let cell = std::cell::RefCell::new(scope);
    seconds(launches, || launch(&mut cell.borrow_mut()), || cell.borrow_mut().driver.wait())
}

pub fn wide<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let (factor, times, kernel) = (0x9e37_79b9u32, sizes.times * 16, Kernel::WideRate);
    let threads = (sizes.elements / 4).next_multiple_of(kernel.threads() as usize);
    device.scope(|scope| {
        let out = scope.room::<u64>(threads)?;
        let given = [Held(out), Number(factor as usize), Number(times)];
        let seconds = timed(scope, sizes.launches, |scope| scope.launch(kernel, blocks(kernel, threads), &given))?;
        let results = scope.take::<u64>(out, threads)?;
        for place in [0, 1, threads / 2, threads - 1] {
            let mut sums = [0; 8];
            for (sum, j) in sums.iter_mut().zip(0u64..) {
                *sum = 8 * place as u64 + j + 1;
                for _ in 0..times {
                    *sum = (*sum & 0xffff_ffff).wrapping_mul(u64::from(factor)).wrapping_add(*sum);
                }
            }
            let all = sums.iter().fold(0, |all, sum| all ^ sum);
            same(&results.get(place).copied(), &Some(all), "another sum of wide products")?;
        }
        let count = SUMS * threads as f64 * times as f64;
        Ok(vec![("multiply_adds_per_second", count / seconds), ("seconds", seconds)])
    })
}

pub fn field_products<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let mut numbers = Numbers(4);
    let count = sizes.elements;
    let x: Vec<Fr> = (0..count).map(|_| numbers.element()).collect();
    let y: Vec<Fr> = (0..count).map(|_| numbers.element()).collect();
    device.scope(|scope| {
        let kernel = Kernel::FrProduct;
        let (first, second, out) = (scope.put(&x)?, scope.put(&y)?, scope.room::<Fr>(count)?);
        let mut figures = vec![];
        for (times, name, time) in [
            (1, "products_per_second_through_memory", "seconds_through_memory"),
            (sizes.times, "products_per_second", "seconds"),
        ] {
            let given = [Held(first), Held(second), Held(out), Number(count), Number(times)];
            let seconds = timed(scope, sizes.launches, |scope| scope.launch(kernel, blocks(kernel, count), &given))?;
            let results = scope.take::<Fr>(out, count)?;
            for place in [0, count / 2, count - 1] {
                let expected = (0..times).fold(x[place], |product, _| product * y[place]);
                same(&results.get(place), &Some(&expected), "another product of scalars")?;
            }
            figures.extend([(name, count as f64 * times as f64 / seconds), (time, seconds)]);
            if times > 1 {
                figures.push(("wide_multiplications_per_second", WIDE * count as f64 * times as f64 / seconds));
            }
        }
        Ok(figures)
    })
}

pub fn folds<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let mut numbers = Numbers(5);
    let count = sizes.elements / 2;
    let table: Vec<Fr> = (0..2 * count).map(|_| numbers.element()).collect();
    let challenge: Fr = numbers.element();
    device.scope(|scope| {
        let kernel = Kernel::FrFold;
        let (input, r, out) = (scope.put(&table)?, scope.put(&[challenge])?, scope.room::<Fr>(count)?);
        let given = [Held(input), Held(out), Held(r), Number(count)];
        let seconds = timed(scope, sizes.launches, |scope| scope.launch(kernel, blocks(kernel, count), &given))?;
        let expected: Vec<Fr> = table.chunks_exact(2).map(|pair| pair[0] + challenge * (pair[1] - pair[0])).collect();
        same(&scope.take::<Fr>(out, count)?, &expected, "another fold")?;
        let bytes = 3.0 * count as f64 * Fr::BYTES as f64;
        Ok(vec![("bytes_per_second", bytes / seconds), ("elements", 2.0 * count as f64), ("seconds", seconds)])
    })
}

pub fn products<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let mut figures = vec![];
    for (sides, names) in sizes.products.iter().zip([
        ["first_narrow_products_per_second", "first_wide_products_per_second"],
        ["second_narrow_products_per_second", "second_wide_products_per_second"],
    ]) {
        let [rows, inputs, outputs] = *sides;
        let shape = Shape::new(rows, inputs, outputs);
        let mut numbers = Numbers(6);
        let left = numbers.mixed(rows * inputs, &SMALL, |word| word as i16);
        let narrow = numbers.mixed(inputs * outputs, &[i32::MIN], |word| word as i32);
        let wide: Vec<i64> = narrow.iter().map(|weight| i64::from(*weight)).collect();
        let expected = product(&left, &wide, *sides);
        for (weights, name) in [Weights::Narrow(&narrow), Weights::Wide(&wide)].into_iter().zip(names) {
            same(&device.product(&left, weights, shape)?, &expected, "another matrix product")?;
            let seconds = device.scope(|scope| {
                let Factors { left, right, out, kernel } = factors(scope, &left, weights, shape)?;
                timed(scope, sizes.launches, |scope| {
                    // What a caller pays for: the sums start at zero.
                    scope.fill(out, 0)?;
                    let given = [Held(left), Held(right), Held(out), Number(rows), Number(inputs), Number(outputs)];
                    scope.launch(kernel, shape.blocks(), &given)
                })
            })?;
            figures.push((name, (rows * inputs * outputs) as f64 / seconds));
        }
    }
    Ok(figures)
}

pub fn commitments<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let mut figures = vec![];
    for (count, names) in sizes.bases.iter().zip([
        ["first_table_seconds", "first_seconds", "first_additions_per_second"],
        ["second_table_seconds", "second_seconds", "second_additions_per_second"],
    ]) {
        let (count, columns) = (*count, sizes.columns);
        let mut numbers = Numbers(7);
        let bases = numbers.bases(count);
        let values: Vec<i16> = (0..count * columns).map(|_| numbers.next() as i16).collect();
        let digits = windows(1 << 15, sizes.width_bits);
        let start = std::time::Instant::now();
        let table = device.table(&bases, sizes.width_bits, digits)?;
        figures.push((names[0], start.elapsed().as_secs_f64()));
        let measured = measured(device, &table, &bases, &values, sizes);
        device.drop_table(table)?;
        let seconds = measured?;
        // All digits but a few are not zero.
        figures.extend([(names[1], seconds), (names[2], f64::from(digits) * (count * columns) as f64 / seconds)]);
    }
    Ok(figures)
}

/// Seconds of a commitment to columns that are on the device.
fn measured<D: Driver>(
    device: &mut Device<D>,
    table: &Table,
    bases: &[G1Affine],
    values: &[i16],
    sizes: &Sizes,
) -> Result<f64> {
    let columns = sizes.columns;
    let commitments = device.commit(table, Columns::I16(values), columns)?;
    let wide: Vec<i64> = values.iter().map(|value| i64::from(*value)).collect();
    for column in [0, columns - 1] {
        let expected = commitment(bases, &wide, columns, column);
        same(&commitments.get(column), &Some(&expected), "another commitment")?;
    }
    let cut = Cut::new(bases.len(), columns);
    device.scope(|scope| {
        let values = scope.put(values)?;
        let (partial, status) = (scope.room::<Sum>(columns * cut.chunks)?, scope.room::<u64>(1)?);
        let out = scope.room::<Sum>(columns)?;
        scope.fill(status, 0xff)?;
        let sums = Sums { values, partial, status, out, columns };
        timed(scope, sizes.launches, |scope| launch(scope, Kernel::TableCommitI16, table, &sums))
    })
}

/// A round of a sumcheck with almost no work: 64 bytes up, a launch, 32 bytes down.
pub fn round_trip<D: Driver>(device: &mut Device<D>, sizes: &Sizes) -> Result<Figures> {
    let pair = [Fr::from(3), Fr::from(5)];
    device.scope(|scope| {
        let (input, out) = (scope.put(&pair)?, scope.room::<Fr>(1)?);
        let challenge = scope.put(&[Fr::from(7)])?;
        let bytes = bytes::write(&pair);
        let seconds = timed(scope, 50 * sizes.launches, |scope| {
            scope.replace(input, &bytes)?;
            scope.launch(Kernel::FrFold, [1; 3], &[Held(input), Held(out), Held(challenge), Number(1)])?;
            same(&scope.take::<Fr>(out, 1)?, &vec![Fr::from(17)], "another fold")
        })?;
        Ok(vec![("seconds", seconds)])
    })
}
