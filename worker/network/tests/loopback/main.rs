//! Several networks in one process, on 127.0.0.1.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod common;
mod gossip;
mod reach;
mod records;
mod requests;
