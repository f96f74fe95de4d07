//! Tables and commitments: digits and points at the edges, against the sums by the definition.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInt, Zero};
use gradproof_gpu::{Argument, Columns, Device, Driver, Error, Kernel, Launch, Table, windows};
use rand::RngExt;

use crate::emulated::{Emulated, device, device_in_order};
use crate::machine::Order;
use crate::samples::{bases, commitments, random};

const SMALL: [i16; 17] =
    [0, 1, -1, 127, 128, 129, -127, -128, -129, 255, 256, -255, -256, i16::MAX, i16::MIN, i16::MIN + 1, 32_640];
const LARGE: [i64; 17] = [
    0,
    1,
    -1,
    32_768,
    -32_769,
    65_535,
    65_536,
    1 << 20,
    -(1 << 20),
    (1 << 20) - 1,
    u32::MAX as i64,
    i32::MIN as i64,
    1 << 62,
    -(1 << 62),
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

/// `columns` columns with values from `choice`, base by base.
fn chosen<T: Copy>(seed: u64, count: usize, choice: &[T]) -> Vec<T> {
    let mut random = random(seed);
    (0..count).map(|_| choice[random.random_range(0..choice.len())]).collect()
}

fn check(device: &mut Device<Emulated>, bases: &[G1Affine], table: &Table, values: &[i64], columns: usize) {
    let expected = commitments(bases, values, columns);
    assert_eq!(device.commit(table, Columns::I64(values), columns).expect("commitments"), expected);
    let small: Result<Vec<i16>, _> = values.iter().map(|value| i16::try_from(*value)).collect();
    if let Ok(small) = small {
        assert_eq!(device.commit(table, Columns::I16(&small), columns).expect("commitments"), expected);
    }
}

/// The multiples that a table holds.
fn entries(bases: &[G1Affine], width_bits: u32, windows: u32) -> Vec<G1Affine> {
    let mut entries = vec![];
    for base in bases {
        for window in 0..windows {
            let first = *base * Fr::from(1u128 << (width_bits * window));
            for multiple in 1..=1u64 << (width_bits - 1) {
                entries.push((first * Fr::from(multiple)).into_affine());
            }
        }
    }
    entries
}

fn bytes(points: &[G1Affine]) -> Vec<u8> {
    let limbs = points.iter().flat_map(|point| [point.x.0.0, point.y.0.0]).flatten();
    limbs.flat_map(u64::to_le_bytes).collect()
}

#[test]
pub fn a_table_holds_every_multiple() {
    for (width_bits, windows, count) in [(1, 3, 2), (2, 1, 1), (2, 4, 3), (3, 2, 2), (5, 3, 1), (8, 2, 1)] {
        let bases = bases(1, count);
        let expected = bytes(&entries(&bases, width_bits, windows));
        let mut device = device();
        let driver = device.driver();
        let input = driver.allocate(64 * count).expect("memory");
        driver.upload(&input, &bytes(&bases)).expect("an upload");
        let table = driver.allocate(expected.len()).expect("memory");
        let numbers = [count as u32, width_bits, windows].map(Argument::Number);
        let arguments = [&[Argument::Buffer(&input), Argument::Buffer(&table)][..], &numbers].concat();
        driver.launch(&Launch { kernel: Kernel::TableBuild, blocks: [1; 3], arguments: &arguments }).expect("a launch");
        let mut built = vec![0; expected.len()];
        driver.download(&table, &mut built).expect("a download");
        assert!(built == expected, "digits of {width_bits} bits, {windows} windows");
        assert_eq!(Table::bytes(count, width_bits, windows), Some(expected.len()));
    }
}

#[test]
pub fn digits_at_the_edges_of_16_bits() {
    let bases = bases(2, 5);
    let mut device = device();
    for width_bits in [1, 3, 4, 8] {
        let table = device.table(&bases, width_bits, windows(32_768, width_bits)).expect("a table");
        let values: Vec<i64> = chosen(3, 5 * 20, &SMALL).into_iter().map(i64::from).collect();
        check(&mut device, &bases, &table, &values, 20);
        // Every one of them for sure.
        for value in SMALL.map(i64::from).into_iter().chain([32_768]) {
            check(&mut device, &bases, &table, &[value, 0, -value.min(32_767), 1, value], 1);
        }
        device.drop_table(table).expect("the end");
    }
    assert_eq!(device.driver().live(), 0);
}

#[test]
pub fn digits_at_the_edges_of_64_bits() {
    let bases = bases(4, 3);
    let mut device = device();
    for width_bits in [2, 5, 7] {
        let table = device.table(&bases, width_bits, windows(1 << 63, width_bits)).expect("a table");
        check(&mut device, &bases, &table, &chosen(5, 3 * 10, &LARGE), 10);
        for value in LARGE {
            check(&mut device, &bases, &table, &[value, 1, value], 1);
        }
    }
}

#[test]
pub fn numbers_of_columns_and_bases_beside_a_block() {
    let bases = bases(6, 33);
    let mut device = device_in_order(Order::OddFirst);
    for (count, columns) in [(1, 1), (2, 127), (1, 128), (2, 129), (15, 2), (16, 2), (17, 3), (32, 1), (33, 2)] {
        let bases = &bases[..count];
        let table = device.table(bases, 3, 1).expect("a table");
        let values: Vec<i64> = chosen(7, count * columns, &[0, 1, -1, 3, -4, 4]);
        check(&mut device, bases, &table, &values, columns);
    }
}

/// Equal and opposite points, in a chunk and across the sums of chunks, with infinity between.
#[test]
pub fn equal_and_opposite_points() {
    let columns: [fn(usize) -> i64; 8] = [
        |_| 1,
        |i| if i % 2 == 0 { 1 } else { -1 },
        |i| i64::from(i == 69),
        |i| if i < 35 { 1 } else { -1 },
        |i| [1, -1, 0, 2, -1, -1][i % 6],
        |_| 0,
        |i| if i % 28 < 14 { 3 } else { -3 },
        |_| -8,
    ];
    let values: Vec<i64> = (0..70).flat_map(|base| columns.map(|value| value(base))).collect();
    for (point, order) in bases(8, 3).into_iter().zip([Order::Forward, Order::Backward, Order::OddFirst]) {
        let mixed = (0..70).map(|i| if i % 2 == 0 { point } else { -point }).collect();
        for bases in [vec![point; 70], mixed] {
            let mut device = device_in_order(order);
            let table = device.table(&bases, 4, 1).expect("a table");
            check(&mut device, &bases, &table, &values, columns.len());
        }
    }
}

/// Doublings of many points: what a rare carry decides shows in one of many.
#[test]
pub fn doublings_of_many_points() {
    for base in bases(12, 3) {
        let bases = vec![base; 3];
        let mut device = device();
        let table = device.table(&bases, 8, 1).expect("a table");
        // d + 1, whose coordinates are fractions by then, and the same again.
        let digits: Vec<i64> = (1..=127).collect();
        let next: Vec<i64> = digits.iter().map(|digit| digit + 1).collect();
        let opposite = next.iter().map(|digit| -digit).collect();
        let ones = vec![1; digits.len()];
        for last in [next, opposite] {
            check(&mut device, &bases, &table, &[&digits[..], &ones, &last].concat(), digits.len());
        }
    }
}

/// As the device sums: x and y over 1, or over powers of a scale.
fn sum(point: G1Affine, scale: u64) -> Vec<u8> {
    let s = Fq::from(scale);
    let coordinates = match point.xy() {
        Some((x, y)) => [x * s * s, y * s * s * s, s * s, s * s * s],
        None => [Fq::from(7), Fq::from(9), Fq::zero(), Fq::zero()],
    };
    coordinates.iter().flat_map(|coordinate| coordinate.0.0).flat_map(u64::to_le_bytes).collect()
}

/// Sums of `chunks` partial sums of as many columns as there are patterns.
fn check_sums(chunks: usize, patterns: &[&dyn Fn(usize) -> G1Affine]) {
    let mut partial = vec![];
    for chunk in 0..chunks {
        for (column, pattern) in patterns.iter().enumerate() {
            partial.extend(sum(pattern(chunk), 1 + ((chunk * 7 + column) % 5) as u64));
        }
    }
    let mut device = device();
    let driver = device.driver();
    let input = driver.allocate(partial.len()).expect("memory");
    driver.upload(&input, &partial).expect("an upload");
    let out = driver.allocate(128 * patterns.len()).expect("memory");
    let numbers = [patterns.len() as u32, chunks as u32].map(Argument::Number);
    let arguments = [&[Argument::Buffer(&input), Argument::Buffer(&out)][..], &numbers].concat();
    let blocks = [patterns.len() as u32, 1, 1];
    driver.launch(&Launch { kernel: Kernel::ColumnSum, blocks, arguments: &arguments }).expect("a launch");
    let mut sums = vec![0; 128 * patterns.len()];
    driver.download(&out, &mut sums).expect("a download");
    for (pattern, sum) in patterns.iter().zip(sums.chunks(128)) {
        let expected = (0..chunks).map(|chunk| pattern(chunk).into_group()).sum::<G1Projective>();
        assert_eq!(read(sum), expected.into_affine(), "{chunks} chunks");
    }
}

/// Many partial sums, equal, opposite and infinite, under different scales, beside every power of two that the sum halves.
#[test]
pub fn sums_of_partial_sums() {
    let points = bases(9, 3);
    for chunks in [1usize, 2, 31, 32, 33, 63, 64, 65, 130] {
        check_sums(
            chunks,
            &[
                &|_| points[0],
                &|i| if i % 2 == 0 { points[0] } else { -points[0] },
                &|i| if i % 5 == 3 { points[1] } else { G1Affine::zero() },
                &|i| if i % 64 < 32 { points[2] } else { -points[2] },
                &|i| points[i % 3],
            ],
        );
    }
}

/// As above, of many points.
#[test]
pub fn sums_of_many_equal_points() {
    let points = bases(13, 150);
    let patterns: Vec<_> = points.iter().map(|point| move |_| *point).collect();
    let patterns: Vec<&dyn Fn(usize) -> G1Affine> = patterns.iter().map(|pattern| pattern as _).collect();
    check_sums(2, &patterns);
}

fn read(bytes: &[u8]) -> G1Affine {
    let coordinate = |i: usize| {
        let limb = |k: usize| u64::from_le_bytes(bytes[32 * i + 8 * k..][..8].try_into().expect("eight bytes"));
        Fq::new_unchecked(BigInt([limb(0), limb(1), limb(2), limb(3)]))
    };
    if coordinate(2).is_zero() {
        return G1Affine::zero();
    }
    G1Affine::new(coordinate(0) / coordinate(2), coordinate(1) / coordinate(3))
}

#[test]
pub fn a_value_without_digits_is_named() {
    let bases = bases(10, 4);
    for order in [Order::Forward, Order::Backward] {
        let mut device = device_in_order(order);
        let table = device.table(&bases, 4, 2).expect("a table");
        let mut values = [0i64; 12];
        check(&mut device, &bases, &table, &[135, -136, 128, 1, 0, 0, 0, 0, 0, 0, 0, 0], 3);
        // From -136 to 135.
        for wrong in [136, -137, i64::MAX, i64::MIN] {
            (values[7], values[10]) = (wrong, wrong);
            let refused = device.commit(&table, Columns::I64(&values), 3);
            assert!(matches!(refused, Err(Error::Range(7))), "{wrong}: {refused:?}");
        }
    }
}

#[test]
fn what_a_table_cannot_be_made_of_is_refused_before_the_device_is_used() {
    let mut device = device();
    let mut points = bases(11, 3);
    for (width_bits, windows) in [(0, 1), (17, 1), (8, 0), (8, 10), (1, 66)] {
        assert!(
            matches!(device.table(&points, width_bits, windows), Err(Error::Shape { .. })),
            "{width_bits} {windows}"
        );
    }
    assert!(matches!(device.table(&[], 8, 2), Err(Error::Shape { .. })));
    points[1] = G1Affine::zero();
    assert!(matches!(device.table(&points, 8, 2), Err(Error::Infinity(1))));
    assert_eq!(device.driver().calls, 0);
}
