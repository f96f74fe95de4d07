//! What is proved: the arithmetic of training, the relations between its tensors, and their verifier over field elements.
//!
//! [`argument::verify`] is the whole field-side verifier. It is written once over an [`field::algebra::Algebra`], so that the
//! same source checks native field elements and, inside of a circuit, cells.
//!
//! The modules stand on each other in this order: `field` and `network`, `program`, `operators`, `graph`, `architecture`
//! and `trace`, `relations`, `argument`, `wrap`.

pub mod architecture;
pub mod argument;
pub mod field;
pub mod graph;
pub mod network;
pub mod operators;
pub mod program;
pub mod relations;
pub mod trace;
pub mod wrap;
