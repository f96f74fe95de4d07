//! Endpoints and the sender on a local node, with faults between: endpoints that lie, lag, hang, or lose answers.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics, one that is skipped says so, and one that counts what it counted"
)]

mod apart;
mod fees;
mod idle;
mod proxy;
mod reads;
mod scene;
mod sends;
mod slow;
mod stand_in;
mod survives;
mod tls;
