//! Matrix products: sides beside the size of a tile, extremes, sums cut into parts.

use gradproof_gpu::{Error, Shape, Weights};
use rand::{Rng, RngExt};

use crate::emulated::{device, device_in_order};
use crate::machine::Order;
use crate::samples::random;

const SMALL: [i16; 6] = [0, 1, -1, i16::MIN, i16::MAX, 256];
const NARROW: [i32; 6] = [0, 1, -1, i32::MIN, i32::MAX, 65_535];
const WIDE: [i64; 7] = [0, 1, -1, i64::MIN, i64::MAX, 1 << 32, 0xffff_ffff];

fn expected(left: &[i16], right: &[i64], shape: Shape) -> Vec<i64> {
    let mut out = vec![0i64; shape.rows * shape.outputs];
    for (row, left) in out.chunks_mut(shape.outputs).zip(left.chunks(shape.inputs)) {
        for (value, right) in left.iter().zip(right.chunks(shape.outputs)) {
            for (sum, weight) in row.iter_mut().zip(right) {
                *sum = sum.wrapping_add(i64::from(*value).wrapping_mul(*weight));
            }
        }
    }
    out
}

/// Values of which a third are extremes.
fn values<T: Copy>(random: &mut impl Rng, count: usize, extremes: &[T], any: impl Fn(u64) -> T) -> Vec<T> {
    let value = |random: &mut dyn Rng| {
        let word = random.next_u64();
        if word.is_multiple_of(3) { extremes[(word >> 8) as usize % extremes.len()] } else { any(random.next_u64()) }
    };
    (0..count).map(|_| value(random)).collect()
}

/// Both kernels at a shape, against the sum by the definition.
fn check(seed: u64, shape: Shape, order: Order) {
    let mut random = random(seed);
    let left = values(&mut random, shape.rows * shape.inputs, &SMALL, |word| word as i16);
    let narrow = values(&mut random, shape.inputs * shape.outputs, &NARROW, |word| word as i32);
    let wide = values(&mut random, shape.inputs * shape.outputs, &WIDE, |word| word as i64);
    let mut device = device_in_order(order);
    let widened: Vec<i64> = narrow.iter().map(|weight| i64::from(*weight)).collect();
    let product = device.product(&left, Weights::Narrow(&narrow), shape).expect("a product");
    assert_eq!(product, expected(&left, &widened, shape), "{shape:?}");
    let product = device.product(&left, Weights::Wide(&wide), shape).expect("a product");
    assert_eq!(product, expected(&left, &wide, shape), "{shape:?}");
    assert_eq!(device.driver().live(), 0);
}

#[test]
pub fn sides_beside_a_tile_are_computed_to_the_end() {
    for (seed, (rows, inputs, outputs)) in
        [(1, 1, 1), (63, 15, 65), (64, 16, 64), (65, 17, 63), (1, 33, 129), (129, 1, 2), (20, 6, 20), (40, 10, 40)]
            .into_iter()
            .enumerate()
    {
        for parts in [1, 2, 5] {
            check(seed as u64, Shape { rows, inputs, outputs, parts }, Order::Forward);
        }
    }
}

#[test]
pub fn parts_are_added_in_any_order() {
    for order in [Order::Forward, Order::Backward, Order::OddFirst] {
        check(9, Shape { rows: 70, inputs: 100, outputs: 66, parts: 7 }, order);
    }
}

#[test]
fn more_parts_than_terms_are_empty_parts() {
    check(10, Shape { rows: 2, inputs: 3, outputs: 2, parts: 8 }, Order::Backward);
}

#[test]
fn shapes_at_random() {
    let mut random = random(11);
    for seed in 0..6 {
        let mut side = |most: usize| random.random_range(1..=most);
        check(seed, Shape::new(side(80), side(200), side(80)), Order::OddFirst);
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused_before_the_device_is_used() {
    let mut device = device();
    let shape = Shape::new(2, 3, 4);
    for (left, right, shape) in
        [(5, 12, shape), (6, 11, shape), (0, 12, Shape { rows: 0, ..shape }), (6, 12, Shape { parts: 0, ..shape })]
    {
        let refused = device.product(&vec![0; left], Weights::Wide(&vec![0; right]), shape);
        assert!(matches!(refused, Err(Error::Shape { .. })), "{refused:?}");
    }
    assert_eq!(device.driver().calls, 0);
}
