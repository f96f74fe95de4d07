//! The market on a local node: its bindings, its deployment, and whole jobs with wrapped proofs made here.

mod bindings;
mod deployment;
mod goes_on;
mod node;
mod optimistic;
mod program;
mod proven;
mod sampled;
mod scene;
mod trained;
