//! What is computed and proved, primitive by primitive: the one table that trainer, witness, argument, circuit and the count of
//! soundness interpret. No operator is named here.

mod bounds;
mod builder;
mod computation;
mod contents;
mod edge;
mod entrywise;
mod error;
mod form;
mod formula;
mod lookup;
mod mask;
mod primitive;
mod publics;
mod schedule;
mod table;
mod tensor;

pub use bounds::Limits;
pub use builder::{Builder, Rounded, VALUE_BITS};
pub use computation::{Computation, Output, Round, RowFunction, fill};
pub use contents::{Classified, Program};
pub use edge::{Edge, Signal, Unrounded};
pub use error::GraphError;
pub use form::{Form, Spread};
pub use formula::{Formula, Register};
pub use lookup::LookUp;
pub(crate) use lookup::limb_ranges;
pub use mask::Mask;
pub use primitive::{Addend, Claimed, Contraction, Identity, Parameter, Pointwise, Rounding, Sum, Total, Update};
pub use publics::{LiveBits, Publics};
pub use schedule::{At, ContractionIndex, Factor, Read, Reader, Schedule, UpdateGroup, UpdateTerm};
pub use table::{KEY_VARS, Table};
pub use tensor::{COLUMN, End, INPUT, LABELS, MULTIPLICITY, Role, Tensor};
