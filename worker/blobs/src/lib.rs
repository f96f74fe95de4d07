//! Blobs on disk, addressed by their BLAKE3 root, and their ranges as verified streams.
//!
//! A blob is a file of bytes that never change. Its address is the BLAKE3 hash of these bytes ([`Root`]). It travels in *ranges* of
//! 1 MiB, each with the part of the hash tree that leads from the root to it, so that a range is checked before any of it is
//! written.
//!
//! - [`Store`] keeps blobs in a folder: whole ones, and incomplete ones with a record of what is there.
//! - [`Schedule`] decides which range to ask of which peer. It has no clock and no network: the time is an argument.
//! - [`ranges`] says how a blob is cut, and how large what travels can be.
//!
//! The crate knows no jobs, no network and no keys. What is in a blob is cipher text; whoever keeps it for others need not know of
//! what.

mod error;
pub mod ranges;
mod root;
mod schedule;
mod steps;
mod store;

pub use error::BlobError;
pub use root::Root;
pub use schedule::{Ask, Conduct, MAX_BANNED, MAX_IN_FLIGHT, MAX_PEERS, MAX_WINDOW, Schedule};
pub use store::{Listed, MAX_BLOBS, MAX_INCOMPLETE, Reader, Store};
