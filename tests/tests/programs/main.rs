//! The programs from the outside: exit codes, messages, JSON, files.

mod ceremony;
mod fixture;
mod inputs;
mod keys;
mod proofs;
mod readme;
mod resume;
mod runs;
mod statement;
mod wrapped;
