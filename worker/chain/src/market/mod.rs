//! The market: its contracts' interfaces, their deployment, and what a job's terms say of what is trained.

pub mod account;
mod bindings;
mod chain;
mod deadlines;
mod deploy;
mod deployment;
mod names;
mod snapshot;
mod terms;
mod trade;
mod training;

pub use bindings::{ComputeToken, DatasetRegistry, NodeRegistry, StakeVault, TrainingMarket};
pub use chain::check_chain;
pub use deadlines::{Actor, Duty, When, duties};
pub use deploy::{MarketCode, Money, SUPPLY_TOKENS};
pub use deployment::{ColumnCounts, CompilerUsed, Contract, Deployment, VERSION, Verifier};
pub use names::{BatchState, State, TERMS, name};
pub use snapshot::JobSnapshot;
pub use terms::{TIMES, no_licence, no_paths, terms};
pub use trade::{Outcome, Trade};
pub use training::{check_training, domain, training};
