use std::{
    collections::{HashMap, HashSet, VecDeque},
    convert::Infallible,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, ToSwarm,
        behaviour::ConnectionEstablished,
    },
};

use super::{Accept, Keep, Open, handler::Handler};
use crate::protocol::Wire;

/// The streams of all connections.
pub(crate) struct Streams {
    spoken: Vec<Wire>,
    accept: Accept,
    keep: Keep,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    /// Connections that were only tried out, and are about to be closed.
    tried: HashSet<ConnectionId>,
    /// At most the commands that the network's task has just taken.
    notices: VecDeque<(PeerId, ConnectionId, Open)>,
}

impl Streams {
    /// Returns the streams that peers may open on the protocols `spoken`.
    pub(crate) fn new(spoken: Vec<Wire>, accept: Accept, keep: Keep) -> Self {
        Self { spoken, accept, keep, connections: HashMap::new(), tried: HashSet::new(), notices: VecDeque::new() }
    }

    /// Opens a stream on the newest connection with a peer: an older one may be dead without anybody knowing yet.
    ///
    /// Returns what was to be opened if there is no connection.
    pub(crate) fn open(&mut self, peer: PeerId, open: Open) -> Result<(), Open> {
        match self.connections.get(&peer).and_then(|all| all.last()) {
            Some(connection) => {
                self.notices.push_back((peer, *connection, open));
                Ok(())
            }
            None => Err(open),
        }
    }

    /// Opens no stream on this connection, which is only tried out.
    pub(crate) fn leave_out(&mut self, connection: ConnectionId) {
        self.tried.insert(connection);
    }

    /// Forgets a connection that was tried out.
    pub(crate) fn tried(&mut self, connection: &ConnectionId) {
        self.tried.remove(connection);
    }

    fn handler(&self, peer: PeerId) -> Handler {
        Handler::new(peer, self.spoken.clone(), self.accept.clone(), self.keep.clone())
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. })
                if !self.tried.contains(&connection_id) =>
            {
                self.connections.entry(peer_id).or_default().push(connection_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.tried.remove(&connection_id);
                if let Some(connections) = self.connections.get_mut(&peer_id) {
                    connections.retain(|connection| *connection != connection_id);
                    if connections.is_empty() {
                        self.connections.remove(&peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Open>> {
        // The network's task polls after each command, so nobody has to be woken.
        match self.notices.pop_front() {
            Some((peer_id, connection, event)) => {
                Poll::Ready(ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::One(connection), event })
            }
            None => Poll::Pending,
        }
    }
}
