//! The market: its contracts' interfaces, their deployment, and what a job's terms say of what is trained.

mod bindings;
mod deploy;
mod deployment;
mod names;
mod training;

pub use bindings::{ComputeToken, DatasetRegistry, NodeRegistry, StakeVault, TrainingMarket};
pub use deploy::{MarketCode, SUPPLY_TOKENS};
pub use deployment::{ColumnCounts, CompilerUsed, Contract, Deployment, VERSION, Verifier};
pub use names::{LEVELS, STATES, TERMS, name};
pub use names::{Level, State, Task};
pub use training::{check_training, domain, training};
