//! Peers: connections, requests, gossip, ranges of blobs.
//!
//! This crate moves bounded bytes between peers, and says who a peer is. It knows no jobs, no chain and no market: the program
//! above decides what bytes mean, and who is admitted.
//!
//! - [`Identity`]: a peer's key is a secp256k1 key, and [`address_of`] its id is its Ethereum address.
//! - [`Network`]: the handle of a running network. It connects over QUIC, or over TCP with Noise and Yamux.
//! - [`Standing`]: strangers may ask on the protocol [`Protocol::Open`], a little; everything else is for peers that the program
//!   admitted.
//! - [`Network::ask`] and [`Network::range`] put requests, [`Event::Request`] and [`Event::Range`] are those of others.
//! - [`Network::publish`] and [`Event::Gossip`]: messages to all, validated by the program before they travel on.
//! - [`AddressBook`]: where peers are, from signed [`SignedRecord`]s with sequence and expiry, then from what the program sets.
//!
//! Every bound is a constant of [`limits`].

mod admission;
mod allowance;
mod ask;
mod behaviour;
mod book;
mod commands;
mod config;
mod error;
mod event;
mod exchange;
mod frame;
mod gate;
mod gossip;
mod identity;
pub mod limits;
mod network;
mod protocol;
mod rate;
mod record;
mod serve;
mod streams;
mod task;

pub use allowance::Owner;
pub use book::{AddressBook, Inserted};
pub use config::Config;
pub use error::Error;
pub use event::{Event, Events, GossipId, Reply, Verdict};
pub use gate::Standing;
pub use identity::{Identity, address_of};
pub use libp2p::{Multiaddr, PeerId};
pub use network::{Connected, Network};
pub use protocol::Protocol;
pub use record::SignedRecord;
