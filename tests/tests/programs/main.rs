//! The programs from the outside: exit codes, messages, JSON, files.

mod fixture;
mod inputs;
mod proofs;
mod resume;
mod runs;
mod statement;
