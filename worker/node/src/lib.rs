//! A node: what it does about its jobs, decided without input or output, and what carries it out.

pub mod backup;
pub mod config;
pub mod consents;
pub mod dataset;
pub mod decide;
pub mod directory;
pub mod disk;
mod error;
pub mod facts;
pub mod history;
pub mod home;
mod journal;
pub mod live;
pub mod matching;
pub mod message;
pub mod offers;
pub mod policy;
pub mod promised;
mod retention;
pub mod seat;
pub mod store;
pub mod team;
pub mod told;
pub mod validating;
pub mod words;
pub mod workshop;

pub use error::NodeError;
