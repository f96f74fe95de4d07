//! The market on a local node: its bindings, its deployment, and whole jobs with wrapped proofs made here.

mod bindings;
mod by_hand;
mod cancelled;
mod deadlines;
mod deployment;
mod drawn;
mod goes_on;
mod licensed;
mod node;
mod program;
mod proven;
mod reopened;
mod scene;
mod trade;
mod trained;
