//! What requester, provider and verifier agree on: statements, keys, proofs, and how they are encoded.

pub mod derive;
pub mod hex;
pub mod hyperkzg;
pub mod job;
pub mod keccak;
pub mod key;
pub mod key_file;
pub mod kind;
pub mod limits;
pub mod merkle;
pub mod part;
pub mod points;
pub mod powers;
pub mod profile;
pub mod proof;
pub mod setup;
pub mod statement;
pub mod wrap;
