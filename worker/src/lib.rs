//! The programs `requester` and `provider`: folders, files, progress and reports around training and proving.

mod allocator;
mod bench;
mod bind;
mod check_job;
mod columns;
mod commit;
mod commitments;
mod demo;
mod deploy;
mod domain;
mod example;
mod explain;
mod first_weights;
mod folder;
mod keys;
mod open;
mod opening;
mod openings;
mod parent;
mod prove;
mod report;
mod settle;
mod train;

pub use allocator::keep_large_blocks;
pub use bench::Bench;
pub use bind::Bind;
pub use check_job::CheckJob;
pub use commit::Commit;
pub use demo::Demo;
pub use deploy::{CheckDeployment, Deploy};
pub use example::PrintExample;
pub use explain::Explain;
pub use first_weights::FirstWeights;
pub use open::Open;
pub use prove::Prove;
pub use train::Train;
