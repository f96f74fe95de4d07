//! The market on a local node: its bindings, its deployment, and whole jobs with wrapped proofs made here.

mod bindings;
mod deadlines;
mod deployment;
mod drawn;
mod goes_on;
mod node;
mod program;
mod proven;
mod scene;
mod trade;
mod trained;
