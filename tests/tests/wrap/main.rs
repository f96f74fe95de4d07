//! The wrap circuit against the native verifier.

mod checks;
mod completeness;
mod device;
mod equivalence;
mod page;
mod programs;
mod publics;
mod structure;
mod vectors;
