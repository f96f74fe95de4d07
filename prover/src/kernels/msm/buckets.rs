//! One window of a multi-scalar multiplication: `Σ d_i·P_i` for small signed digits `d_i`.
//!
//! Entries are sorted by `|d_i|` and points of equal digit added ([`Keyed::merge`]); the sums are weighted by splitting
//! their keys in two halves, `k = hi·2^s + lo`, and merging again by each half, until running sums are cheap. So a window
//! of `b` bits costs at most one addition an entry and two a bucket, all of them batch-affine: one wide window is never
//! more than two of half its width.

use ark_bn254::{G1Affine, G1Projective};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;

use super::affine::Keyed;

/// Points that are gathered and merged at a time: they stay in the second-level cache.
const TILE: usize = 1 << 12;
/// Fewer pairs are left in a tile for later, since an inversion costs as much as some fifty additions.
const TILE_PAIRS: usize = 256;
/// Fewer pairs are left to the running sums.
const LEAST_PAIRS: usize = 64;
/// Keys of at most so many bits are weighted by running sums.
const RUNNING_SUM_BITS: u32 = 8;

/// An entry of the sorted list: digit's absolute value, index and sign.
#[derive(Clone, Copy, Default)]
struct Entry {
    key: u32,
    /// `2·index + (digit < 0)`.
    signed_index: u32,
}

/// `Σ digit(i)·bases[i]`. All digits have absolute value below `2^bits`, or equal to it.
///
/// `threads` is the number of threads that are worth using.
pub(super) fn window_sum(
    bases: &[G1Affine],
    bits: u32,
    threads: usize,
    digit: impl Fn(usize) -> i32 + Sync,
) -> G1Projective {
    let entries = sorted_entries(bases.len(), bits, &digit);
    let gather = |tile: &[Entry]| {
        let keys = tile.iter().map(|entry| entry.key).collect();
        let signed = |entry: &Entry| {
            let point = bases[entry.signed_index as usize / 2];
            if entry.signed_index & 1 == 1 { -point } else { point }
        };
        let mut keyed = Keyed { keys, points: tile.iter().map(signed).collect() };
        keyed.merge(TILE_PAIRS);
        keyed
    };
    let tiles: Vec<Keyed> = if threads > 1 {
        entries.par_chunks(TILE).map(gather).collect()
    } else {
        entries.chunks(TILE).map(gather).collect()
    };
    weighted_sum(concatenate(tiles), bits, threads)
}

/// Counting sort of the non-zero digits by absolute value.
fn sorted_entries(len: usize, bits: u32, digit: impl Fn(usize) -> i32) -> Vec<Entry> {
    let mut starts = vec![0u32; (1 << bits) + 1];
    for i in 0..len {
        starts[digit(i).unsigned_abs() as usize] += 1;
    }
    let zeros = std::mem::take(&mut starts[0]);
    let mut total = 0;
    for start in &mut starts {
        total += std::mem::replace(start, total);
    }
    let mut entries = vec![Entry::default(); len - zeros as usize];
    for i in 0..len {
        let d = digit(i);
        if d != 0 {
            let key = d.unsigned_abs();
            let at = &mut starts[key as usize];
            entries[*at as usize] = Entry { key, signed_index: 2 * i as u32 + u32::from(d < 0) };
            *at += 1;
        }
    }
    entries
}

fn concatenate(parts: Vec<Keyed>) -> Keyed {
    let mut whole = Keyed::default();
    for part in parts {
        whole.keys.extend(part.keys);
        whole.points.extend(part.points);
    }
    whole
}

/// `Σ key·point` over sorted keys of at most `2^bits`.
fn weighted_sum(mut keyed: Keyed, bits: u32, threads: usize) -> G1Projective {
    keyed.merge(LEAST_PAIRS);
    if bits <= RUNNING_SUM_BITS {
        return running_sum(&keyed);
    }
    let shift = bits / 2;
    let low = || weighted_sum(by_low_bits(&keyed, shift), shift, threads / 2);
    let high = || weighted_sum(by_high_bits(&keyed, shift), bits - shift, threads / 2);
    let (low, mut high) = if threads > 1 { rayon::join(low, high) } else { (low(), high()) };
    for _ in 0..shift {
        high.double_in_place();
    }
    low + high
}

/// `Σ key·point` as the sum of all suffix sums.
fn running_sum(keyed: &Keyed) -> G1Projective {
    let (mut running, mut sum) = (G1Projective::ZERO, G1Projective::ZERO);
    let mut at = keyed.keys.last().copied().unwrap_or(0);
    for (key, point) in keyed.keys.iter().zip(&keyed.points).rev() {
        while at > *key {
            sum += running;
            at -= 1;
        }
        running += point;
    }
    for _ in 0..at {
        sum += running;
    }
    sum
}

fn by_high_bits(keyed: &Keyed, shift: u32) -> Keyed {
    let first = keyed.keys.partition_point(|key| key >> shift == 0);
    Keyed { keys: keyed.keys[first..].iter().map(|key| key >> shift).collect(), points: keyed.points[first..].to_vec() }
}

fn by_low_bits(keyed: &Keyed, shift: u32) -> Keyed {
    let mask = (1u32 << shift) - 1;
    let order = sorted_entries(keyed.keys.len(), shift, |i| (keyed.keys[i] & mask) as i32);
    Keyed {
        keys: order.iter().map(|entry| entry.key).collect(),
        points: order.iter().map(|entry| keyed.points[entry.signed_index as usize / 2]).collect(),
    }
}
