//! The programs from the outside: exit codes, messages, JSON, files.

mod binding;
mod ceremony;
mod commands;
mod fixture;
mod folders;
mod inputs;
mod keys;
mod kinds;
mod proofs;
mod readme;
mod resume;
mod runs;
mod statement;
mod weights;
mod wrapped;
