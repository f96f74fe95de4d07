//! The contracts on a local node, against proofs made here.

mod accumulate;
mod bindings;
mod chain;
mod circuits;
mod gas;
mod ledger;
mod mutations;
mod points;
mod proofs;
mod real;
mod refusals;
mod snapshot;
mod stage;
mod synthetic;
mod wrapped;
