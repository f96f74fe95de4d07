use std::time::Duration;

use libp2p::{Multiaddr, PeerId};

/// What can go wrong on the network, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The secret is zero or not below the order of the curve.
    #[error("the peer key is not a secp256k1 secret: it is zero, or not below the order of the curve")]
    Secret,
    /// A setting of the configuration is not possible.
    #[error("{key}: {reason}")]
    Config {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The network cannot listen on an address.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address of the configuration.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// The encryption or the transports cannot be set up.
    #[error("the network cannot be set up: {reason}")]
    SetUp {
        /// What the library says.
        reason: String,
    },
    /// The network was shut down.
    #[error("the network is shut down")]
    Stopped,
    /// The task of the network did not answer.
    #[error("the network did not answer within {} s", after.as_secs())]
    Overloaded {
        /// How long the call waited.
        after: Duration,
    },
    /// Bytes to send are more than the protocol takes.
    #[error("{what} has {got} bytes, of at most {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its bytes.
        got: usize,
        /// The bytes that the protocol takes.
        limit: usize,
    },
    /// Nobody said where a peer is.
    #[error("no address of peer {peer} is known")]
    NoAddress {
        /// The peer.
        peer: PeerId,
    },
    /// A peer could not be reached.
    #[error("peer {peer} cannot be reached: {reason}")]
    Dial {
        /// The peer.
        peer: PeerId,
        /// What happened at each address.
        reason: String,
    },
    /// More waits for a peer, or for peers, than the network keeps.
    #[error("too much waits for peer {peer} already")]
    Waiting {
        /// The peer.
        peer: PeerId,
    },
    /// A peer speaks no version of the protocol that this program speaks.
    #[error("peer {peer} does not speak {ours}; it speaks {}", if theirs.is_empty() { "no protocol of gradproof".to_owned() } else { theirs.join(", ") })]
    NoCommonVersion {
        /// The peer.
        peer: PeerId,
        /// The protocol that was asked for, with its version.
        ours: &'static str,
        /// The protocols of gradproof that the peer said that it speaks.
        theirs: Vec<String>,
    },
    /// A peer did not answer in time.
    #[error("peer {peer} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The peer.
        peer: PeerId,
        /// How long the call waited.
        after: Duration,
    },
    /// A peer is busy: the same request may be asked again later.
    #[error("peer {peer} is busy")]
    Busy {
        /// The peer.
        peer: PeerId,
    },
    /// A peer refused a request.
    #[error("peer {peer} refused: {reason}")]
    Refused {
        /// The peer.
        peer: PeerId,
        /// What the peer says. Words of a stranger.
        reason: String,
    },
    /// A peer does not have the range.
    #[error("peer {peer} does not have range {index} of the blob")]
    NotHere {
        /// The peer.
        peer: PeerId,
        /// The index of the range.
        index: u32,
    },
    /// A peer closed the stream or the connection without an answer.
    #[error("peer {peer} closed the stream without an answer: {reason}")]
    Unanswered {
        /// The peer.
        peer: PeerId,
        /// What happened to the stream.
        reason: String,
    },
    /// A peer sent what the protocol does not allow.
    #[error("peer {peer} sent what the protocol does not allow: {reason}")]
    Malformed {
        /// The peer.
        peer: PeerId,
        /// What is wrong with it.
        reason: String,
    },
    /// No peer that is admitted listens to gossip.
    #[error("no peer listens to gossip: the message was not sent")]
    NoListeners,
    /// A message of gossip could not be sent.
    #[error("the message was not sent: {reason}")]
    Gossip {
        /// What the library says.
        reason: String,
    },
    /// An address cannot be dialled: it is not an IP address with a port of QUIC or TCP.
    #[error("{address} is no address of a peer: expected /ip4/…/udp/…/quic-v1 or /ip4/…/tcp/…, or the same with ip6")]
    Address {
        /// The address.
        address: Multiaddr,
    },
    /// An address record is not encoded as it should be, or its signature is not the peer's.
    #[error("the address record is refused: {reason}")]
    Record {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An address record is not newer than the one that is known.
    #[error("the address record {got} of peer {peer} is not newer than its record {known}")]
    OldRecord {
        /// The peer.
        peer: PeerId,
        /// The sequence number of the record.
        got: u64,
        /// The sequence number of the record that is known.
        known: u64,
    },
    /// An address record has expired, or lives longer than is allowed.
    #[error(
        "the address record of peer {peer} expires at {expires_secs}, which is past or too far in the future at {now_secs}"
    )]
    Expiry {
        /// The peer.
        peer: PeerId,
        /// When the record expires, in seconds since 1970.
        expires_secs: u64,
        /// Now, in seconds since 1970.
        now_secs: u64,
    },
    /// A list has no room.
    #[error("{what} is full: it has room for {limit}")]
    Full {
        /// The list.
        what: &'static str,
        /// What it has room for.
        limit: usize,
    },
}
