//! Soundness: everything that is not an honest proof of a true statement is refused, and every check is needed for that.

mod bounds;
mod checks;
mod decoding;
mod fields;
mod folds;
mod keys;
mod lookups;
mod lowering;
mod trace;
mod training;
mod transcript;
mod wrapped;
