//! The job file as text: its tables key by key, and what is wrong in it, with line and key.

mod error;
mod section;

pub use error::JobError;
pub(crate) use error::{Origin, nearest_name};
pub(crate) use section::Section;
