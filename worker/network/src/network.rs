use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use libp2p::{Multiaddr, PeerId, metrics::Metrics};
use prometheus_client::registry::Registry;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    AddressBook, Config, Error, Events, GossipId, Owner, Protocol, SignedRecord, Standing, Verdict,
    ask::ask,
    commands::{Command, locked, now_secs},
    frame::Answer,
    gate::Gate,
    identity::address_of,
    limits::{COMMAND, DIAL, MAX_ADDRESSES, MAX_GOSSIP_BYTES},
    protocol::{Wire, encode_range_request},
    record::is_dialable,
    task::{self, Started},
};

/// A peer with which a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The peer.
    pub peer: PeerId,
    /// Its standing.
    pub standing: Standing,
    /// Where it is, as its newest connection shows.
    pub address: Multiaddr,
}

/// The handle of a running network. Clones are handles of the same network, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Network {
    commands: mpsc::Sender<Command>,
    book: Arc<Mutex<AddressBook>>,
    gate: Arc<Mutex<Gate>>,
    peer: PeerId,
}

impl Network {
    /// Starts a network on a task of its own, and returns when it listens.
    ///
    /// # Errors
    ///
    /// The configuration is not possible, or an address cannot be listened on.
    pub async fn start(config: Config) -> Result<(Self, Events), Error> {
        Self::start_counted(config, &mut Registry::default()).await
    }

    /// The same, and enters what libp2p counts into a registry.
    ///
    /// # Errors
    ///
    /// As those of [`Self::start`].
    pub async fn start_counted(config: Config, registry: &mut Registry) -> Result<(Self, Events), Error> {
        config.check()?;
        let peer = config.identity.peer_id();
        let started: Started = task::start(config, Metrics::new(registry)).await?;
        let Started { commands, events, book, gate } = started;
        Ok((Self { commands, book, gate, peer }, Events { receiver: events }))
    }

    /// Returns the id of this peer.
    pub fn peer_id(&self) -> PeerId {
        self.peer
    }

    /// Returns the addresses that the network listens on.
    ///
    /// # Errors
    ///
    /// The network is shut down.
    pub async fn listening(&self) -> Result<Vec<Multiaddr>, Error> {
        self.command(Command::Listening).await
    }

    /// Returns the peers with which a connection stands.
    ///
    /// # Errors
    ///
    /// The network is shut down.
    pub async fn connected(&self) -> Result<Vec<Connected>, Error> {
        self.command(Command::Connected).await
    }

    /// Connects with a peer at these addresses; without any, at those of the address book. Does nothing if a connection stands.
    ///
    /// # Errors
    ///
    /// No address is known, or the peer answers at none.
    pub async fn dial(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        check_addresses(&addresses)?;
        let command = |answered| Command::Dial { peer, addresses, answered };
        self.command_within(command, DIAL + COMMAND).await?
    }

    /// Returns how long a new connection with a peer took at exactly these addresses, and closes it.
    ///
    /// The connection is made from a new port, so that no mapping of a router helps that an existing connection opened. The peer
    /// sees a short connection. Who asks for this on the protocol `open` makes this node dial: the program limits to what.
    ///
    /// # Errors
    ///
    /// The peer answers at none of the addresses, or another peer does.
    pub async fn try_dial(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<Duration, Error> {
        check_addresses(&addresses)?;
        let command = |answered| Command::TryDial { peer, addresses, answered };
        self.command_within(command, DIAL + COMMAND).await?
    }

    /// Closes all connections with a peer.
    ///
    /// # Errors
    ///
    /// The network is shut down.
    pub async fn disconnect(&self, peer: PeerId) -> Result<(), Error> {
        self.command(|answered| Command::Disconnect { peer, answered }).await
    }

    /// Admits a peer as the only one of an owner: its own address. See [`Self::admit_of`].
    ///
    /// # Errors
    ///
    /// As those of [`Self::admit_of`], and the peer's id may hold no key.
    pub async fn admit(&self, peer: PeerId) -> Result<(), Error> {
        let owner = address_of(&peer).ok_or(Error::NoAddress { peer })?;
        self.admit_of(peer, owner).await
    }

    /// Admits a peer of an owner: the program has found its address among the registered nodes. All peers of an owner share what an
    /// owner may ask.
    ///
    /// # Errors
    ///
    /// As many peers as possible are admitted already.
    pub async fn admit_of(&self, peer: PeerId, owner: Owner) -> Result<(), Error> {
        self.command(|answered| Command::SetOwner { peer, owner: Some(owner), answered }).await?
    }

    /// Sets the owners that are parties of what the program does at present: what they may ask, nobody else takes from them.
    pub fn set_parties(&self, parties: HashSet<Owner>) {
        locked(&self.gate).set_parties(parties);
    }

    /// Makes a peer a stranger again. What it is being served goes on; nothing new begins.
    ///
    /// # Errors
    ///
    /// The network is shut down.
    pub async fn dismiss(&self, peer: PeerId) -> Result<(), Error> {
        self.command(|answered| Command::SetOwner { peer, owner: None, answered }).await?
    }

    /// Returns a peer's answer to a request. Connects with the peer if the address book says where it is.
    ///
    /// `within` is for all of it, and at most [`crate::limits::MAX_WITHIN`].
    ///
    /// # Errors
    ///
    /// The request is too long, the peer cannot be reached, is busy, refuses, or does not answer in time. None of them says that
    /// the peer did not act.
    ///
    /// # Cancel safety
    ///
    /// A dropped future closes the stream.
    pub async fn ask(
        &self,
        peer: PeerId,
        protocol: Protocol,
        request: &[u8],
        within: Duration,
    ) -> Result<Vec<u8>, Error> {
        match ask(&self.commands, peer, Wire::Request(protocol), request, within).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Busy => Err(Error::Busy { peer }),
            Answer::Refused(reason) => Err(Error::Refused { peer, reason }),
            Answer::NotHere => Err(Error::Refused { peer, reason: "what was asked for is not here".to_owned() }),
        }
    }

    /// Returns a range of a blob from a peer, as the peer sent it: nothing has been verified.
    ///
    /// `within` is for all of it; besides, a peer that sends nothing for [`crate::limits::STALL`] is given up.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`], and the peer may not have the range.
    ///
    /// # Cancel safety
    ///
    /// A dropped future closes the stream.
    pub async fn range(&self, peer: PeerId, root: [u8; 32], index: u32, within: Duration) -> Result<Vec<u8>, Error> {
        match ask(&self.commands, peer, Wire::Blob, &encode_range_request(&root, index), within).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Busy => Err(Error::Busy { peer }),
            Answer::Refused(reason) => Err(Error::Refused { peer, reason }),
            Answer::NotHere => Err(Error::NotHere { peer, index }),
        }
    }

    /// Sends a message to all admitted peers that listen to gossip.
    ///
    /// # Errors
    ///
    /// The message is too long, or nobody listens.
    pub async fn publish(&self, bytes: Vec<u8>) -> Result<(), Error> {
        if bytes.len() > MAX_GOSSIP_BYTES {
            return Err(Error::TooLong { what: "the message", got: bytes.len(), limit: MAX_GOSSIP_BYTES });
        }
        self.command(|answered| Command::Publish { bytes, answered }).await?
    }

    /// Says whether a message of gossip travels on. It is forgotten after some seconds without a verdict.
    ///
    /// # Errors
    ///
    /// The network is shut down.
    pub async fn judge(&self, id: GossipId, verdict: Verdict) -> Result<(), Error> {
        self.commands.send(Command::Judge { id, verdict }).await.map_err(|_| Error::Stopped)
    }

    /// Sets the addresses of a peer's entry on the chain, which are dialled after those of its record.
    ///
    /// # Errors
    ///
    /// There are too many addresses, one cannot be dialled, or too many peers have an entry.
    pub fn set_chain_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        locked(&self.book).set_chain(peer, addresses)
    }

    /// Returns where a peer may be: the addresses of its record, then those of its entry on the chain.
    pub fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        locked(&self.book).addresses(peer, now_secs())
    }

    /// Returns all address records of the book, to be stored.
    pub fn records(&self) -> Vec<SignedRecord> {
        locked(&self.book).records().cloned().collect()
    }

    /// Takes an address record, such as one that was stored.
    ///
    /// # Errors
    ///
    /// The record has expired, is older than the one that is known, or finds no room among strangers.
    pub fn insert_record(&self, record: SignedRecord) -> Result<(), Error> {
        locked(&self.book).insert(record, now_secs(), |_| false).map(drop)
    }

    /// Closes all connections and ends the network. Returns when it has ended.
    pub async fn shutdown(&self) {
        // A network that has ended already is shut down.
        let _ = self.command(Command::Shutdown).await;
    }

    async fn command<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        self.command_within(command, COMMAND).await
    }

    async fn command_within<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
        after: Duration,
    ) -> Result<T, Error> {
        let (answered, answer) = oneshot::channel();
        let commanding = async {
            self.commands.send(command(answered)).await.map_err(|_| Error::Stopped)?;
            answer.await.map_err(|_| Error::Stopped)
        };
        timeout(after, commanding).await.map_err(|_| Error::Overloaded { after })?
    }
}

fn check_addresses(addresses: &[Multiaddr]) -> Result<(), Error> {
    if addresses.len() > MAX_ADDRESSES {
        return Err(Error::TooLong { what: "the list of addresses", got: addresses.len(), limit: MAX_ADDRESSES });
    }
    match addresses.iter().find(|address| !is_dialable(address)) {
        Some(address) => Err(Error::Address { address: address.clone() }),
        None => Ok(()),
    }
}
