//! Data sets: fixed-point inputs and labels, read from files or built in.
//!
//! A `format` reads the bytes of whole files and checks what a header says against them before it allocates, so that
//! memory is proportional to the files: numbers are decoded a row at a time, as often as they are needed. What the job asks for is
//! done to them (`transform`), and then they are rounded. Compressed files (gzip) are recognised by their first bytes.

mod built_in;
pub mod epoch;
pub(crate) mod error;
mod file;
pub(crate) mod format;
mod losses;
pub(crate) mod read;
mod scaling;
mod set;
pub(crate) mod table;
pub(crate) mod transform;

pub use built_in::{Digits, digits};
pub use error::{DataError, FilePlace};
pub use file::MAX_FILE_BYTES;
pub use losses::Losses;
pub use scaling::Scaling;
pub use set::DataSet;
