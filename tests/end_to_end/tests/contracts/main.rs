//! The contracts on a local node, against proofs made here.

mod accumulate;
mod bindings;
mod calls;
mod cancel;
mod chain;
mod circuits;
mod client;
mod deployed;
mod forgeries;
mod gas;
mod mutations;
mod points;
mod proofs;
mod real;
mod refusals;
mod residual;
mod snapshot;
mod stage;
mod synthetic;
mod unsupported;
mod wrapped;
