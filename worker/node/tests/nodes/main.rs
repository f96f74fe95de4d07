//! Nodes that run, several in one process, on a local chain with a stand-in verifier: what becomes of a job and of everybody's tokens
//! when all are honest, when one of them dies, lies, or is silent.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics, one that is skipped says so, and one that ends prints the balances"
)]

mod by_hand;
mod committee;
mod contradiction;
mod disk;
mod drawn;
mod elsewhere;
mod endpoints;
mod garbage;
mod hand_back;
mod honest;
mod interrupted;
mod licensed;
mod licensed_team;
mod lost_blobs;
mod member;
mod miscomputed;
mod never_back;
mod offers;
mod places;
mod provider_dies;
#[path = "../../../chain/tests/node/proxy.rs"]
mod proxy;
mod reached;
mod register;
mod requester_dies;
mod scene;
mod served;
mod team;
mod trade;
mod two_machines;
mod workshop;
mod wrong_weights;
