//! The contracts on a local node, against proofs made here.

mod bindings;
mod gas;
mod ledger;
mod mutations;
mod points;
mod real;
mod refusals;
mod stage;
mod synthetic;
