//! A proof, and its canonical encoding.

use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::field::check::{Check, Rejection};
use gradproof_circuits::relations::{Group, Subject};

use crate::protocol::hyperkzg::{self, Opening};
use crate::protocol::key::VerifyingKey;
use crate::protocol::kind::ProofKind;
use crate::protocol::merkle::Hash;
use crate::protocol::points::{G1_BYTES, SCALAR_BYTES, decode_g1, decode_scalar, encode_g1, encode_scalar};

/// Version of the encoding.
pub const VERSION: u8 = 3;
/// First bytes of a proof.
pub const MAGIC: &[u8; 4] = b"GPRF";

/// How a proof shows to what the argument comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// All messages of the argument, salt first. They depend on data and weights.
    Core(Vec<Fr>),
    /// What it comes to, and a proof of the circuit.
    Wrapped {
        /// The point, ρ and the value.
        reduced: Reduced<Fr>,
        /// The proof of the circuit, in the encoding of [`ProofTranscript`](crate::protocol::wrap::transcript::ProofTranscript).
        halo2: Vec<u8>,
    },
}

impl Argument {
    /// Its kind.
    pub fn kind(&self) -> ProofKind {
        match self {
            Self::Core(_) => ProofKind::Core,
            Self::Wrapped { .. } => ProofKind::Wrapped,
        }
    }
}

/// A proof of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Commitment to the random column.
    pub mask: G1Affine,
    /// Commitments to the columns that the verifier does not know: data, last parameters, trace, in this order.
    pub columns: Vec<G1Affine>,
    /// For each data column, the siblings of its leaf, lowest first.
    pub paths: Vec<Vec<Hash>>,
    /// The argument.
    pub argument: Argument,
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
    /// The messages of a core proof; none of a wrapped one.
    pub fn messages(&self) -> &[Fr] {
        match &self.argument {
            Argument::Core(messages) => messages,
            Argument::Wrapped { .. } => &[],
        }
    }

    /// The proof as bytes: magic, version, subject, kind, then every field in order; only the messages, or the proof of the
    /// circuit, have a count.
    pub fn to_bytes(&self, subject: Subject) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, subject as u8, self.argument.kind() as u8]);
        bytes.extend(encode_g1(&self.mask));
        bytes.extend(self.columns.iter().flat_map(encode_g1));
        bytes.extend(self.paths.iter().flatten().flatten());
        match &self.argument {
            Argument::Core(messages) => {
                bytes.extend((messages.len() as u32).to_be_bytes());
                bytes.extend(messages.iter().flat_map(encode_scalar));
            }
            Argument::Wrapped { reduced: Reduced { point, combine, value }, halo2 } => {
                bytes.extend([combine, value].into_iter().chain(point).flat_map(encode_scalar));
                bytes.extend((halo2.len() as u32).to_be_bytes());
                bytes.extend(halo2);
            }
        }
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
    /// [`Check::Encoding`] for another version, another kind than that of the key, truncated or trailing bytes, numbers not reduced, points off the curve or at
    /// infinity. Nothing is allocated beyond the length of `bytes`.
    pub fn from_bytes(bytes: &[u8], key: &VerifyingKey, subject: Subject, depth: usize) -> Result<Self, Rejection> {
        let mut reader = Reader { rest: bytes };
        let kind = key.kind();
        if reader.take(MAGIC.len())? != MAGIC || reader.take(3)? != [VERSION, subject as u8, kind as u8] {
            return Err(refused());
        }
        let mask = reader.point()?;
        let columns = reader.points(sent_columns(key, subject))?;
        let data = key.relations(subject).layout.group(Group::Data).len();
        let paths = (0..data).map(|_| (0..depth).map(|_| reader.array()).collect()).collect::<Result<_, _>>()?;
        let argument = match kind {
            ProofKind::Core => {
                let count = reader.count()?;
                Argument::Core(reader.scalars(count)?)
            }
            ProofKind::Wrapped => {
                let (combine, value) = (reader.scalar()?, reader.scalar()?);
                let point = reader.scalars(key.column_vars)?;
                let length = reader.count()?;
                Argument::Wrapped { reduced: Reduced { point, combine, value }, halo2: reader.take(length)?.to_vec() }
            }
        };
        let blinding = reader.scalar()?;
        let folds = reader.points(hyperkzg::folds(key.column_vars))?;
        let evaluations = reader.scalars(hyperkzg::evaluations(key.column_vars))?;
        let (quotient, shifted_quotient) = (reader.point()?, reader.point()?);
        if !reader.rest.is_empty() {
            return Err(refused());
        }
        let opening = Opening { folds, evaluations, quotient, shifted_quotient };
        Ok(Self { mask, columns, paths, argument, blinding, opening })
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

    fn count(&mut self) -> Result<usize, Rejection> {
        Ok(u32::from_be_bytes(self.array()?) as usize)
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
