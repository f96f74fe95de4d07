//! Parameters as safetensors files, exact or as floating point.
//!
//! | tensor | type | shape | meaning |
//! |---|---|---|---|
//! | `0.weight`, `0.bias`, `2.weight`, … | F16, BF16, F32 or F64 | `[d_{l+1}, d_l]`, `[d_{l+1}]` | as PyTorch's `nn.Sequential(Linear, ReLU, Linear, …)` |
//! | the same | I64 | the same | exact: the integers that are trained and proved, of scale `2^-F` |
//!
//! Both kinds name `F` in the metadata entry `weight_bits`; an exact file with another `F` is refused. Files with other names are
//! read if the names' order and the shapes leave no doubt, which is said.

mod file;
mod names;

pub use file::{Numbers, ParametersError, Read, read_parameters, write_new_parameters, write_parameters};
