//! A proof, and its canonical encoding.

use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::check::{Check, Rejection};
use gradproof_circuits::relations::Subject;
use gradproof_circuits::tensor::Group;

use crate::hyperkzg::Opening;
use crate::key::VerifyingKey;
use crate::merkle::Hash;
use crate::points::{G1_BYTES, SCALAR_BYTES, decode_g1, decode_scalar, encode_g1, encode_scalar};

/// Version of the encoding.
pub const VERSION: u8 = 1;
/// First bytes of a proof.
pub const MAGIC: &[u8; 4] = b"GPRF";

/// A core proof. It is **not** zero-knowledge: its messages depend on data and weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Commitment to the random column.
    pub mask: G1Affine,
    /// Commitments to the columns that the verifier does not know: data, last parameters, trace, in this order.
    pub columns: Vec<G1Affine>,
    /// For each data column, the siblings of its leaf, lowest first.
    pub paths: Vec<Vec<Hash>>,
    /// All messages of the argument, salt first.
    pub messages: Vec<Fr>,
    /// The combined blinding `s`.
    pub blinding: Fr,
    /// The opening of the combined columns.
    pub opening: Opening,
}

/// Groups whose commitments stand in the proof.
pub const SENT: [Group; 3] = [Group::Data, Group::Last, Group::Trace];

/// Number of commitments in a proof about `subject`.
pub fn sent_columns(key: &VerifyingKey, subject: Subject) -> usize {
    let layout = &key.relations(subject).layout;
    SENT.iter().map(|group| layout.group(*group).len()).sum()
}

impl Proof {
    /// The proof as bytes: magic, version, subject, then every field in order; only the messages have a count.
    pub fn to_bytes(&self, subject: Subject) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, subject as u8]);
        bytes.extend(encode_g1(&self.mask));
        bytes.extend(self.columns.iter().flat_map(encode_g1));
        bytes.extend(self.paths.iter().flatten().flatten());
        bytes.extend((self.messages.len() as u32).to_be_bytes());
        bytes.extend(self.messages.iter().flat_map(encode_scalar));
        bytes.extend(encode_scalar(&self.blinding));
        bytes.extend(self.opening.folds.iter().flat_map(encode_g1));
        bytes.extend(self.opening.evaluations.iter().flat_map(encode_scalar));
        bytes.extend(encode_g1(&self.opening.quotient));
        bytes.extend(encode_g1(&self.opening.shifted_quotient));
        bytes
    }

    /// Decodes exactly what [`Self::to_bytes`] writes; the tree of the data has `depth` levels.
    ///
    /// # Errors
    /// [`Check::Encoding`] for another version, truncated or trailing bytes, numbers not reduced, points off the curve or at
    /// infinity. Nothing is allocated beyond the length of `bytes`.
    pub fn from_bytes(bytes: &[u8], key: &VerifyingKey, subject: Subject, depth: usize) -> Result<Self, Rejection> {
        let mut reader = Reader { rest: bytes };
        if reader.take(MAGIC.len())? != MAGIC || reader.take(2)? != [VERSION, subject as u8] {
            return Err(refused());
        }
        let mask = reader.point()?;
        let columns = reader.points(sent_columns(key, subject))?;
        let data = key.relations(subject).layout.group(Group::Data).len();
        let paths = (0..data).map(|_| (0..depth).map(|_| reader.array()).collect()).collect::<Result<_, _>>()?;
        let count = u32::from_be_bytes(reader.array()?) as usize;
        let messages = reader.scalars(count)?;
        let blinding = reader.scalar()?;
        let folds = reader.points(key.column_vars - 1)?;
        let evaluations = reader.scalars(key.column_vars + 1)?;
        let (quotient, shifted_quotient) = (reader.point()?, reader.point()?);
        if !reader.rest.is_empty() {
            return Err(refused());
        }
        let opening = Opening { folds, evaluations, quotient, shifted_quotient };
        Ok(Self { mask, columns, paths, messages, blinding, opening })
    }
}

fn refused() -> Rejection {
    Rejection { check: Check::Encoding }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Rejection> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(refused)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Rejection> {
        self.take(N)?.try_into().map_err(|_| refused())
    }

    fn point(&mut self) -> Result<G1Affine, Rejection> {
        decode_g1(self.take(G1_BYTES)?).map_err(|_| refused())
    }

    fn scalar(&mut self) -> Result<Fr, Rejection> {
        decode_scalar(self.take(SCALAR_BYTES)?).map_err(|_| refused())
    }

    fn points(&mut self, count: usize) -> Result<Vec<G1Affine>, Rejection> {
        let bytes = self.take(count.checked_mul(G1_BYTES).ok_or_else(refused)?)?;
        bytes.chunks(G1_BYTES).map(|point| decode_g1(point).map_err(|_| refused())).collect()
    }

    fn scalars(&mut self, count: usize) -> Result<Vec<Fr>, Rejection> {
        let bytes = self.take(count.checked_mul(SCALAR_BYTES).ok_or_else(refused)?)?;
        bytes.chunks(SCALAR_BYTES).map(|scalar| decode_scalar(scalar).map_err(|_| refused())).collect()
    }
}
