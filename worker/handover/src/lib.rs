//! What parties of a job hand to each other: sealed blobs, manifests, keys wrapped for nodes.
//!
//! Whoever hands over seals each file under a fresh key ([`sealed`]) and puts the cipher texts where strangers may fetch them. A
//! [`Manifest`] names them, with their keys and with what opens the commitments. It is itself sealed, and its key is wrapped
//! ([`wrap`]) for every node of every party:
//!
//! ```text
//! EncryptionKey of a node ──► Wrap ──► key of the manifest ──► Manifest ──► keys of the files ──► files
//! ```
//!
//! A stranger who has all cipher texts and roots learns how many files there are and how large they are. A node whose wrap opens
//! knows that the wraps of all others open to the same manifest, since it makes them again ([`wrap::check_all`]).
//!
//! Neither a signature nor a wrap says who the sender is: that is the connection's, or the chain's, which has the root.

mod encoding;
mod error;
mod keys;
pub mod manifest;
pub mod sealed;
mod subject;
pub mod wrap;

pub use error::HandoverError;
pub use keys::{ContentKey, EncryptionKey, PublicKey};
pub use manifest::{Entry, Manifest};
pub use subject::{Kind, Subject};
pub use wrap::Wrap;
