use std::time::{Duration, Instant};

use libp2p::{
    Multiaddr, PeerId,
    swarm::{
        ConnectionId, DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};

use super::Task;
use crate::{
    Error, Event,
    behaviour::BehaviourEvent,
    commands::{Answered, locked, now_secs},
    gossip::score,
    limits::{MAX_WAITING_PEERS, MAX_WAITING_PER_PEER},
    streams::Open,
};

/// A peer with which a connection stands.
pub(super) struct Peer {
    /// Connections, the newest last, that are not only tried out.
    pub(super) connections: Vec<(ConnectionId, Multiaddr)>,
    /// When its address records are asked for next; `None` while they are.
    pub(super) sync: Option<Instant>,
    /// Whether its address records came at least once.
    pub(super) synced: bool,
}

/// A connection that is only tried out.
pub(super) struct Try {
    pub(super) peer: PeerId,
    pub(super) answered: Answered<Result<Duration, Error>>,
}

/// What waits for a peer to be connected.
pub(super) enum Waiting {
    Open { open: Open, failed: Answered<Error> },
    Dial(Answered<Result<(), Error>>),
}

impl Waiting {
    fn fail(self, error: Error) {
        // Whoever waited may have given up.
        match self {
            Self::Open { failed, .. } => drop(failed.send(error)),
            Self::Dial(answered) => drop(answered.send(Err(error))),
        }
    }
}

impl Task {
    pub(super) fn on_connection_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, established_in, .. } => {
                let address = endpoint.get_remote_address().clone();
                self.on_established(peer_id, connection_id, address, established_in);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "a connection is closed");
                self.on_closed(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(address = %send_back_addr, %error, "a connection is not taken");
            }
            _ => {}
        }
    }

    fn on_established(&mut self, peer: PeerId, id: ConnectionId, address: Multiaddr, took: Duration) {
        if let Some(tried) = self.tries.remove(&id) {
            self.swarm.close_connection(id);
            drop(tried.answered.send(Ok(took)));
            return;
        }
        tracing::debug!(%peer, %address, ?took, "a connection stands");
        self.dialling.remove(&id);
        self.redials.remove(&peer);
        let standing = self.standing(&peer);
        self.swarm.behaviour_mut().gossip.set_application_score(&peer, score(standing));
        let is_first = !self.peers.contains_key(&peer);
        let entry = self.peers.entry(peer).or_insert_with(|| Peer {
            connections: vec![],
            sync: Some(Instant::now()),
            synced: false,
        });
        entry.connections.push((id, address.clone()));
        if is_first {
            self.tell(Event::Connected { peer, address });
        }
        for waiting in self.waiting.remove(&peer).unwrap_or_default() {
            match waiting {
                Waiting::Dial(answered) => drop(answered.send(Ok(()))),
                Waiting::Open { open, failed } => self.open(peer, open, failed),
            }
        }
    }

    fn on_closed(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        entry.connections.retain(|(connection, _)| *connection != id);
        if entry.connections.is_empty() {
            self.peers.remove(&peer);
            self.tell(Event::Disconnected { peer });
        }
    }

    fn on_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        if let Some(tried) = self.tries.remove(&id) {
            self.swarm.behaviour_mut().streams.tried(&id);
            drop(tried.answered.send(Err(Error::Dial { peer: tried.peer, reason: error.to_string() })));
        } else if let Some(peer) = self.dialling.remove(&id) {
            tracing::debug!(%peer, %error, "a peer cannot be reached");
            self.redials.entry(peer).or_default().failed(Instant::now());
            // Another dial may still succeed, and the peer may have connected by itself.
            if !self.peers.contains_key(&peer) && !self.dialling.values().any(|dialled| *dialled == peer) {
                let error = Error::Dial { peer, reason: error.to_string() };
                self.waiting.remove(&peer).into_iter().flatten().for_each(|waiting| waiting.fail(error.clone()));
            }
        }
    }

    /// Opens a stream, after connecting with the peer if need be.
    pub(super) fn open(&mut self, peer: PeerId, open: Open, failed: Answered<Error>) {
        if let Err(open) = self.swarm.behaviour_mut().streams.open(peer, open) {
            self.wait(peer, vec![], Waiting::Open { open, failed });
        }
    }

    /// Keeps what waits for a peer, and dials the peer unless that is being done.
    pub(super) fn wait(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, waiting: Waiting) {
        let waits = self.waiting.get(&peer).map_or(0, Vec::len);
        if waits >= MAX_WAITING_PER_PEER || (waits == 0 && self.waiting.len() >= MAX_WAITING_PEERS) {
            return waiting.fail(Error::Waiting { peer });
        }
        let explicit = !addresses.is_empty();
        let is_dialled = self.dialling.values().any(|dialled| *dialled == peer);
        // Addresses that somebody names are tried even if others are being tried.
        if (explicit || !is_dialled)
            && let Err(error) = self.dial(peer, addresses)
        {
            return waiting.fail(error);
        }
        self.waiting.entry(peer).or_default().push(waiting);
    }

    /// Dials a peer at these addresses; without any, at those of the address book.
    pub(super) fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        let known = || locked(&self.book).addresses(&peer, now_secs());
        let addresses = if addresses.is_empty() { known() } else { addresses };
        if addresses.is_empty() {
            return Err(Error::NoAddress { peer });
        }
        let options = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses).build();
        let id = options.connection_id();
        self.swarm.dial(options).map_err(|error| Error::Dial { peer, reason: error.to_string() })?;
        self.dialling.insert(id, peer);
        Ok(())
    }

    /// Dials a peer at exactly these addresses, from a new port, to see whether that is possible.
    pub(super) fn try_dial(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        answered: Answered<Result<Duration, Error>>,
    ) {
        if addresses.is_empty() {
            return drop(answered.send(Err(Error::NoAddress { peer })));
        }
        let options =
            DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses).allocate_new_port().build();
        let id = options.connection_id();
        self.swarm.behaviour_mut().streams.leave_out(id);
        match self.swarm.dial(options) {
            Ok(()) => drop(self.tries.insert(id, Try { peer, answered })),
            Err(error) => {
                self.swarm.behaviour_mut().streams.tried(&id);
                drop(answered.send(Err(Error::Dial { peer, reason: error.to_string() })));
            }
        }
    }
}
