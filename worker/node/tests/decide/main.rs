//! What a node does about its jobs, from what chain and node know: exact, in every state, for all roles.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod always;
mod contradiction;
mod data_owner;
mod place;
mod promises;
mod provider;
mod requester;
mod scene;
mod table;
mod team;
mod validator;
