//! Values as the bytes that kernels read: little-endian, field elements in Montgomery form.

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ff::{BigInt, PrimeField};

use crate::{Error, Result};

/// A value with a fixed number of bytes on the device.
pub(crate) trait Word: Sized {
    /// Bytes of a value.
    const BYTES: usize;
    /// Appends the bytes of a value.
    fn write(&self, bytes: &mut Vec<u8>);
}

/// A value that kernels answer with.
pub(crate) trait Answer: Word {
    /// The value of [`Word::BYTES`] bytes; an error if they are no such value.
    fn read(bytes: &[u8]) -> Result<Self>;
}

/// The bytes of many values.
pub(crate) fn write<W: Word>(values: &[W]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * W::BYTES);
    for value in values {
        value.write(&mut bytes);
    }
    bytes
}

/// The values of many bytes.
pub(crate) fn read<A: Answer>(bytes: &[u8]) -> Result<Vec<A>> {
    bytes.chunks_exact(A::BYTES).map(A::read).collect()
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Word for $type {
            const BYTES: usize = size_of::<$type>();
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }
        impl Answer for $type {
            fn read(bytes: &[u8]) -> Result<Self> {
                bytes.try_into().map(Self::from_le_bytes).map_err(|_| Error::Answer("too few bytes"))
            }
        }
    )*};
}
integer!(i16, i32, i64, u64);

macro_rules! element {
    ($($field:ty),*) => {$(
        impl Word for $field {
            const BYTES: usize = 32;
            fn write(&self, bytes: &mut Vec<u8>) {
                for limb in self.0.0 {
                    bytes.extend(limb.to_le_bytes());
                }
            }
        }
        impl Answer for $field {
            fn read(bytes: &[u8]) -> Result<Self> {
                let mut limbs = [0; 4];
                for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
                    *limb = u64::read(bytes)?;
                }
                let form = BigInt(limbs);
                if form < Self::MODULUS { Ok(Self::new_unchecked(form)) } else { Err(Error::Answer("no element of the field")) }
            }
        }
    )*};
}
element!(Fq, Fr);

impl Word for G1Affine {
    const BYTES: usize = 64;
    fn write(&self, bytes: &mut Vec<u8>) {
        self.x.write(bytes);
        self.y.write(bytes);
    }
}

/// A point as kernels sum: `(x / zz, y / zzz)`, infinity if `zz` is zero.
pub(crate) struct Sum {
    pub x: Fq,
    pub y: Fq,
    pub zz: Fq,
    pub zzz: Fq,
}

impl Word for Sum {
    const BYTES: usize = 128;
    fn write(&self, bytes: &mut Vec<u8>) {
        for coordinate in [self.x, self.y, self.zz, self.zzz] {
            coordinate.write(bytes);
        }
    }
}

impl Answer for Sum {
    fn read(bytes: &[u8]) -> Result<Self> {
        match read(bytes)?[..] {
            [x, y, zz, zzz] => Ok(Self { x, y, zz, zzz }),
            _ => Err(Error::Answer("too few bytes")),
        }
    }
}
