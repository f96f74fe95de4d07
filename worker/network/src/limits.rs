//! Bounds of queues, messages, lists and times. Each says why it is this number.

use std::time::Duration;

/// Bytes of a request or an answer of the protocol `open`, at most. A card or a quote with its signature has about 1 KiB.
pub const MAX_OPEN_BYTES: usize = 16 * 1024;

/// Bytes of a request or an answer of the protocol `party`, at most. A manifest with its wraps for hundreds of nodes fits.
pub const MAX_PARTY_BYTES: usize = 256 * 1024;

/// Bytes of a range of a blob, at most: 1 MiB, and its hashes, which are 64 bytes for each 16 KiB.
pub const MAX_RANGE_BYTES: usize = 1_200_000;

/// Bytes of the reason of a refusal, at most: a sentence or two. What is longer is cut.
pub const MAX_REASON_BYTES: usize = 256;

/// Bytes of a message of gossip, at most. A posting or an address record is far below.
pub const MAX_GOSSIP_BYTES: usize = 8 * 1024;

/// What gossipsub may add to a message: source, sequence number, topic, signature and key, which are below 300 bytes.
pub(crate) const GOSSIP_ENVELOPE_BYTES: usize = 512;

/// Bytes of the name of a topic, at most: a chain, a market's address and a version.
pub const MAX_TOPIC_BYTES: usize = 128;

/// Addresses of a peer, at most: QUIC and TCP over IPv4 and IPv6, for two networks.
pub const MAX_ADDRESSES: usize = 8;

/// Bytes of an address, at most. IPv6, port and QUIC have 23.
pub const MAX_ADDRESS_BYTES: usize = 64;

/// Bytes of an encoded address record, at most: version, key, sequence, expiry, addresses, and a DER signature of at most 72 bytes.
pub const MAX_RECORD_BYTES: usize = 1 + 33 + 8 + 8 + 1 + MAX_ADDRESSES * (1 + MAX_ADDRESS_BYTES) + 1 + 72;

/// Seconds that an address record lives, at most. A node signs a new one long before, and a dead node is forgotten within a day.
pub const MAX_RECORD_LIFE_SECS: u64 = 24 * 3600;

/// Seconds that the record of this node lives, once signed.
pub const RECORD_LIFE_SECS: u64 = 6 * 3600;

/// How often the record of this node is signed anew: a third of its life, so that two losses in a row do no harm.
pub const RECORD_RENEWAL: Duration = Duration::from_secs(RECORD_LIFE_SECS / 3);

/// Peers with an address record in the book, at most. At most 662 bytes each, so below 3 MiB in all.
pub const MAX_RECORDS: usize = 4096;

/// Peers that are admitted at a time, at most, and so entries of the chain in the address book.
pub const MAX_ADMITTED: usize = 4096;

/// Bytes of a page of address records, at most: at least 99 records.
pub const MAX_PAGE_BYTES: usize = 64 * 1024;

/// Pages that are asked of one peer in a row, at most: all that a full book has.
pub(crate) const MAX_PAGES: usize = 48;

/// Connections in all, at most. Each may hold [`QUIC_CONNECTION_WINDOW_BYTES`] that nobody has read.
pub const MAX_CONNECTIONS: u32 = 192;

/// Connections that strangers opened, at most, so that they never take the place of those who are admitted.
pub const MAX_STRANGER_CONNECTIONS: usize = 32;

/// Connections with one peer, at most: one in each direction when both dial at once, and one that is tried out in each direction.
pub const MAX_CONNECTIONS_PER_PEER: u32 = 4;

/// Connections that are being accepted, and that are being dialled, at most. A handshake costs about a millisecond.
pub const MAX_PENDING_CONNECTIONS: u32 = 64;

/// How long a connection may stay without a stream, if its peer is not admitted. Those of admitted peers stay.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(60);

/// After how long a silent QUIC connection is given up: three lost keep-alives.
pub(crate) const QUIC_IDLE: Duration = Duration::from_secs(15);

/// How often a QUIC connection says that it lives. Mappings of home routers live for 30 seconds.
pub(crate) const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Bytes that a peer may send on one QUIC stream before we read them: one range.
pub const QUIC_STREAM_WINDOW_BYTES: u32 = 1_310_720;

/// Bytes that a peer may send on one QUIC connection before we read them: 1 Gbit/s at a round trip of 40 ms.
pub const QUIC_CONNECTION_WINDOW_BYTES: u32 = 5 * 1024 * 1024;

/// Streams that a peer may have open on one connection, at most: those of [`MAX_SERVED_PER_OWNER`], of gossip and of identify.
pub const MAX_STREAMS_PER_CONNECTION: u32 = 64;

/// Streams that wait for a peer to agree to their protocol, on one connection, at most.
pub const MAX_OPENING_PER_CONNECTION: usize = 64;

/// How long a peer may take to agree to a protocol.
pub(crate) const NEGOTIATION: Duration = Duration::from_secs(10);

/// Requests of all admitted peers of an owner that are served at a time, and ranges, at most: twice the window of a download from one
/// peer.
pub const MAX_SERVED_PER_OWNER: usize = 16;

/// Ranges that are served at a time, at most: 38 MB.
pub const MAX_SERVED_RANGES: usize = 32;

/// Other requests that are served at a time, at most: 32 MB with those of the protocol `party` only.
pub const MAX_SERVED_REQUESTS: usize = 128;

/// Pages of address records of an owner's peers that are served at a time, at most. A peer asks for one after the other.
pub const MAX_SERVED_PAGES_PER_OWNER: usize = 2;

/// Pages of address records that are served at a time, at most: 1 MiB.
pub const MAX_SERVED_PAGES: usize = 16;

/// Of the places for ranges, for requests and for pages, this part is for parties that have none: two that take all they may take
/// half of the places of ranges each, and a third one still gets some.
pub const KEPT_FOR_PARTIES: usize = 4;

/// Of the places for ranges, for requests and for pages, accounts that are no parties have this part at most, all of them together: it costs
/// them nothing to hold a place for long.
pub const PART_OF_OTHERS: usize = 4;

/// How often the peers of a party of a present job may ask, as an interval and how many may be saved up. It asks for a parcel and for
/// the delivery of each batch, again and again while there is none, at each of our nodes: far below one a second.
pub const PARTY_REQUESTS: (Duration, u32) = (Duration::from_millis(250), 64);
/// How many ranges a party may ask for: 256 MiB a second, which is more than a line has and what one core reads and checks; and a download
/// at full speed for two seconds more.
pub const PARTY_RANGES: (Duration, u32) = (Duration::from_micros(3906), 512);
/// How many pages of address records a party may ask for: all that a full book has at once, and then one a second.
pub const PARTY_PAGES: (Duration, u32) = (Duration::from_secs(1), 64);

/// How often the peers of another owner may ask: a quote for a few jobs. It is given what a stranger is given, and twice the burst.
pub const OTHER_REQUESTS: (Duration, u32) = (Duration::from_secs(1), 16);
/// How many ranges another owner may ask for. Nobody but parties needs any: this is for whoever knows of a job that this node has
/// forgotten, or does not see yet.
pub const OTHER_RANGES: (Duration, u32) = (Duration::from_secs(1), 16);
/// How many pages of address records another owner may ask for: as a party.
pub const OTHER_PAGES: (Duration, u32) = PARTY_PAGES;

/// How often all other owners together may ask. A quote costs below a millisecond, and a look at the chain: this is some 5 % of a core.
pub const OTHERS_REQUESTS: (Duration, u32) = (Duration::from_millis(20), 256);
/// How many ranges all other owners together may ask for: 4 MiB a second.
pub const OTHERS_RANGES: (Duration, u32) = (Duration::from_millis(250), 32);
/// How many pages of address records all other owners together may ask for: 3 MiB a second, and those of as many as connect at a start.
pub const OTHERS_PAGES: (Duration, u32) = (Duration::from_millis(20), 512);

/// Rates of owners that are remembered, at most: three kinds of each that can be admitted, as a party and before. When all of them are
/// busy, the next one waits.
pub const MAX_OWNER_RATES: usize = 6 * MAX_ADMITTED;

/// Requests of one stranger that are served at a time, at most.
pub const MAX_SERVED_PER_STRANGER: usize = 2;

/// Requests of all strangers that are served at a time, at most: 256 KiB.
pub const MAX_SERVED_STRANGERS: usize = 16;

/// Refusals that are being written at a time, at most. Beyond, a stream is closed without a word.
pub const MAX_REFUSALS: usize = 64;

/// The interval at which one stranger may ask, and how many requests it may save up: a card and a quote for a few jobs.
pub const STRANGER_INTERVAL: Duration = Duration::from_secs(1);
/// See [`STRANGER_INTERVAL`].
pub const STRANGER_BURST: u32 = 8;

/// The interval at which all strangers together may ask: signing a quote costs below a millisecond, so this is below 2 % of a core.
pub const STRANGERS_INTERVAL: Duration = Duration::from_millis(50);
/// How many requests all strangers together may save up.
pub const STRANGERS_BURST: u32 = 64;

/// Strangers whose rates are remembered, at most. When all of them are busy, the next one waits.
pub const MAX_STRANGER_RATES: usize = 1024;

/// Events that wait for the program, at most. With requests of [`MAX_PARTY_BYTES`] the limits on what is served come first.
pub const EVENTS: usize = 256;

/// Commands that wait for the network's task, at most. It handles each within microseconds.
pub(crate) const COMMANDS: usize = 64;

/// How long the network's task may take to take and answer a command that needs no peer.
pub(crate) const COMMAND: Duration = Duration::from_secs(10);

/// Requests and calls that wait for one peer to be connected, at most.
pub const MAX_WAITING_PER_PEER: usize = 32;

/// Peers that something waits for, at most.
pub const MAX_WAITING_PEERS: usize = 256;

/// How long dialling a peer may take, over all of its addresses.
pub const DIAL: Duration = Duration::from_secs(15);

/// How long reading and writing may stand still. At 1 Mbit/s, a window of eight ranges moves each by a byte at least every second.
pub const STALL: Duration = Duration::from_secs(10);

/// How long a peer may take to send a request of the protocols other than `blob`, once it has opened a stream.
pub const REQUEST: Duration = Duration::from_secs(20);

/// How long the program may take to reply. A quote or a range is a matter of milliseconds.
pub const REPLY: Duration = Duration::from_secs(60);

/// How long an answer may take to be written: a range at 100 kbit/s.
pub const ANSWER: Duration = Duration::from_secs(120);

/// How long [`crate::Network::ask`] and [`crate::Network::range`] wait, at most, whatever is asked for: connect, reply and transfer.
pub const MAX_WITHIN: Duration = Duration::from_secs(195);

/// How often the network looks after itself: connections, records, what is due.
pub(crate) const UPKEEP: Duration = Duration::from_secs(1);

/// Connections with admitted peers that a node keeps up by default, so that gossip reaches it when some of them fail.
pub const TARGET_PEERS: usize = 8;

/// Dials that upkeep begins in a second, at most.
pub(crate) const DIALS_PER_UPKEEP: usize = 4;

/// After how long a peer that could not be reached is dialled again. It doubles with each failure.
pub(crate) const REDIAL: Duration = Duration::from_secs(5);

/// The longest time between two dials of a peer that cannot be reached.
pub(crate) const MAX_REDIAL: Duration = Duration::from_secs(600);

/// After how long a peer that refused its address records is asked again. It may not have admitted us yet.
pub(crate) const SYNC_RETRY: Duration = Duration::from_secs(3);

/// How often an admitted peer's address records are asked for again: what gossip lost arrives by then.
pub(crate) const SYNC_AGAIN: Duration = Duration::from_secs(120);

/// How long asking a peer for a page of address records may take.
pub(crate) const SYNC: Duration = Duration::from_secs(20);

/// Protocols of a peer that an error names, at most, and the bytes of each.
pub(crate) const MAX_NAMED_PROTOCOLS: usize = 16;
/// See [`MAX_NAMED_PROTOCOLS`].
pub(crate) const MAX_PROTOCOL_BYTES: usize = 64;
