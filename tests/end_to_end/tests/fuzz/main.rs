//! One definition of fuzzing for every decoder of the worker: no bytes make it panic or allocate much more than they are,
//! and what it takes means the same once more. The list of all decoders is in the tests across crates.

mod data;
mod files;
mod texts;
