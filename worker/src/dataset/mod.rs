//! The program `dataset`: a data owner's sets in the register, and licences for them.

mod license;
mod register;
mod revoke;
mod serve;
mod status;

pub use license::License;
pub use register::RegisterDataset;
pub use revoke::Revoke;
pub use serve::{InitOwner, Serve};
pub use status::DatasetStatus;
