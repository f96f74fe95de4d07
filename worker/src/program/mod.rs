//! The programs `requester` and `provider`: folders, files, progress and reports around training and proving.

mod allocator;
mod bench;
mod check_job;
mod commit;
mod commitments;
mod demo;
mod deploy;
mod domain;
mod folder;
mod keys;
mod openings;
mod prove;
mod report;
mod settle;
mod train;

pub use allocator::keep_large_blocks;
pub use bench::Bench;
pub use check_job::CheckJob;
pub use commit::Commit;
pub use demo::Demo;
pub use deploy::{CheckDeployment, Deploy};
pub use prove::Prove;
pub use train::Train;
