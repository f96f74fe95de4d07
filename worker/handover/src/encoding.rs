//! Reading and writing the fields of a manifest.

use gradproof_verifier::protocol::statement::Domain;

use crate::HandoverError;
use crate::subject::{Kind, Subject};

/// Bytes of an encoded [`Subject`].
pub(crate) const SUBJECT_BYTES: usize = 89;

/// `chain` 8 ‖ `contract` 20 ‖ `job` 32 ‖ `owner` 20 ‖ kind 1 (0 data, 1 weights, 2 rows) ‖ batch 8, zero but for weights; numbers big-endian.
pub(crate) fn encode_subject(subject: &Subject) -> Vec<u8> {
    let Domain { chain, contract, job, owner } = subject.domain;
    let (kind, batch) = match subject.kind {
        Kind::Data => (0, 0),
        Kind::Weights { batch } => (1, batch),
        Kind::Rows => (2, 0),
    };
    [chain.to_be_bytes().as_slice(), &contract, &job, &owner, &[kind], &batch.to_be_bytes()].concat()
}

/// What is left to read of a manifest.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// All of it.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], HandoverError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(HandoverError::Length { more: false })?;
        self.0 = rest;
        Ok(*array)
    }

    /// The next bytes, whose number was read.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], HandoverError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(HandoverError::Length { more: false })?;
        self.0 = rest;
        Ok(bytes)
    }

    /// What [`encode_subject`] wrote.
    pub fn subject(&mut self) -> Result<Subject, HandoverError> {
        let domain = Domain {
            chain: u64::from_be_bytes(self.array()?),
            contract: self.array()?,
            job: self.array()?,
            owner: self.array()?,
        };
        let [kind] = self.array()?;
        let kind = match (kind, u64::from_be_bytes(self.array()?)) {
            (0, 0) => Kind::Data,
            (0 | 2, 1..) => return Err(HandoverError::Field("data has no batch")),
            (1, batch) => Kind::Weights { batch },
            (2, 0) => Kind::Rows,
            _ => return Err(HandoverError::Field("there is no such kind")),
        };
        Ok(Subject { domain, kind })
    }

    /// Refuses what follows the last field.
    pub fn end(self) -> Result<(), HandoverError> {
        if self.0.is_empty() { Ok(()) } else { Err(HandoverError::Length { more: true }) }
    }
}
