//! The programs `requester`, `provider`, `validator`, `node` and `dataset`: folders, files, progress and reports around training and
//! proving.

mod allocator;
mod bench;
mod bind;
mod check_job;
mod columns;
mod commit;
mod commitments;
mod data_opening;
mod dataset;
mod demo;
mod deploy;
mod domain;
mod example;
mod explain;
mod first_weights;
mod folder;
mod keys;
mod node;
mod open;
mod opening;
mod openings;
mod parent;
mod prove;
mod report;
mod settle;
mod train;
mod unseen;
mod workshop;

pub use allocator::keep_large_blocks;
pub use bench::Bench;
pub use bind::Bind;
pub use check_job::CheckJob;
pub use commit::Commit;
pub use dataset::{DatasetStatus, InitOwner, License, RegisterDataset, Revoke, Serve};
pub use demo::Demo;
pub use deploy::{CheckDeployment, Deploy};
pub use example::PrintExample;
pub use explain::Explain;
pub use first_weights::FirstWeights;
pub use node::{
    Accept, Acknowledge, AskLicence, Backup, Cancel, Complain, DatasetDoctor, Fetch, FindData, History, Init, Payee,
    Post, ProviderDoctor, ProviderInit, Quote, Recover, Register, Reopen, RequesterDoctor, Restore, RotateKey,
    RunProvider, RunRequester, RunValidator, Stake, Status, Stop, Team, Unbond, ValidatorDoctor, ValidatorInit,
    Withdraw,
};
pub use open::Open;
pub use prove::Prove;
pub use train::Train;
