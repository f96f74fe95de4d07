//! Instructions without carry.

use crate::ptx::{Compare, Part, Simple, Type};

/// A product, of which `part` is kept.
pub fn multiply(of: Type, part: Part, a: u64, b: u64) -> u64 {
    if of.bits == 32 && !of.signed {
        let product = (a & 0xffff_ffff) * (b & 0xffff_ffff);
        return match part {
            Part::Low => product & 0xffff_ffff,
            Part::High => product >> 32,
            Part::Wide => product,
        };
    }
    let product = of.number(a).wrapping_mul(of.number(b));
    match part {
        Part::Low => of.cut(product as u64),
        Part::High => of.cut((product >> of.bits) as u64),
        Part::Wide => product as u64,
    }
}

pub fn compare(how: Compare, a: i128, b: i128) -> bool {
    match how {
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::Less => a < b,
        Compare::LessOrEqual => a <= b,
        Compare::Greater => a > b,
        Compare::GreaterOrEqual => a >= b,
    }
}

pub fn simple(which: Simple, of: Type, [a, b, c, d]: [u64; 4]) -> u64 {
    let (x, y) = (of.number(a), of.number(b));
    // Shifts are by 32 bits without a sign, and stop at the width.
    let shift = (b as u32).min(of.bits);
    let result = match which {
        Simple::Move => x,
        // By zero a device gives all ones.
        Simple::Divide => x.checked_div(y).unwrap_or(-1),
        Simple::Remainder => x.checked_rem(y).unwrap_or(x),
        Simple::Minimum => x.min(y),
        Simple::Maximum => x.max(y),
        Simple::Absolute => x.abs(),
        Simple::Negate => -x,
        Simple::And => i128::from(a & b),
        Simple::Or => i128::from(a | b),
        Simple::Xor => i128::from(a ^ b),
        Simple::Not => i128::from(!a),
        Simple::ShiftLeft => x.wrapping_shl(shift),
        Simple::ShiftRight => x >> shift,
        Simple::Select => i128::from(if c == 1 { a } else { b }),
        Simple::BitInsert => return insert(of, a, b, c as u32 & 0xff, d as u32 & 0xff),
    };
    of.cut(result as u64)
}

/// The low `count` bits of `a` in the place of those of `b` from `at`.
fn insert(of: Type, a: u64, b: u64, at: u32, count: u32) -> u64 {
    let count = count.min(of.bits.saturating_sub(at));
    let mask = (((1u128 << count) - 1) << at.min(of.bits)) as u64;
    of.cut(b & !mask | (u128::from(a) << at.min(of.bits)) as u64 & mask)
}
