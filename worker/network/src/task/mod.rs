//! The task that owns the swarm: commands in, events out.

mod connections;
mod gossip;
mod handle_command;
mod upkeep;

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::transport::ListenerId,
    metrics::{Metrics, Recorder},
    swarm::{ConnectionId, SwarmEvent},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use self::{
    connections::{Peer, Try, Waiting},
    upkeep::{Redial, Synced},
};
use crate::{
    AddressBook, Config, Error, Event, Identity, Standing,
    behaviour::{Behaviour, BehaviourEvent, swarm},
    commands::{Answered, Command, locked},
    gate::Gate,
    gossip::Topics,
    limits::{COMMAND, COMMANDS, EVENTS, UPKEEP},
    protocol::WIRES,
    serve::Server,
    streams::Streams,
};

/// How long closing all connections may take when the network ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a network that was started leaves to its handle.
pub(crate) struct Started {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) book: Arc<Mutex<AddressBook>>,
    pub(crate) gate: Arc<Mutex<Gate>>,
}

/// Starts the task, once the network listens.
pub(crate) async fn start(config: Config, metrics: Metrics) -> Result<Started, Error> {
    let (commands, taken) = mpsc::channel(COMMANDS);
    let (events_in, events) = mpsc::channel(EVENTS);
    let book = Arc::new(Mutex::new(AddressBook::new()));
    let mut task = Task::new(&config, taken, commands.downgrade(), events_in, book.clone(), metrics)?;
    timeout(COMMAND, task.listen(config.listen)).await.map_err(|_| Error::Overloaded { after: COMMAND })??;
    task.renew_record();
    let gate = task.gate.clone();
    tokio::spawn(task.run());
    Ok(Started { commands, events, book, gate })
}

struct Task {
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    /// For requests of the task's own. Weak, so that the network ends with its last handle.
    own_commands: mpsc::WeakSender<Command>,
    events: mpsc::Sender<Event>,
    /// Whether events were left out since the program last kept up.
    behind: bool,
    gate: Arc<Mutex<Gate>>,
    book: Arc<Mutex<AddressBook>>,
    server: Arc<Server>,
    topics: Topics,
    identity: Identity,
    external: Vec<Multiaddr>,
    target_peers: usize,
    peers: HashMap<PeerId, Peer>,
    /// What waits for a peer to be connected.
    waiting: HashMap<PeerId, Vec<Waiting>>,
    dialling: HashMap<ConnectionId, PeerId>,
    /// Connections that are only tried out.
    tries: HashMap<ConnectionId, Try>,
    redials: HashMap<PeerId, Redial>,
    syncs: JoinSet<Synced>,
    /// The sequence of the last record of this peer.
    sequence: u64,
    renewed: Option<Instant>,
    /// Whether there are peers that have not heard the record of this one.
    record_due: bool,
    /// Whether no admitted peer is connected; unknown at first.
    alone: Option<bool>,
    /// What libp2p counts of all that happens.
    metrics: Metrics,
}

impl Task {
    fn new(
        config: &Config,
        commands: mpsc::Receiver<Command>,
        own_commands: mpsc::WeakSender<Command>,
        events: mpsc::Sender<Event>,
        book: Arc<Mutex<AddressBook>>,
        metrics: Metrics,
    ) -> Result<Self, Error> {
        let gate = Arc::new(Mutex::new(Gate::default()));
        let server = Server::new(gate.clone(), book.clone(), events.clone());
        let topics = Topics::new(&config.topic);
        let (accepting, keeping) = (server.clone(), gate.clone());
        let streams = Streams::new(
            WIRES.to_vec(),
            Arc::new(move |peer, wire, stream| accepting.accept(peer, wire, stream)),
            // Connections of strangers end when they are idle.
            Arc::new(move |peer| locked(&keeping).standing(peer) == Standing::Known),
        );
        Ok(Self {
            swarm: swarm(config, &topics, gate.clone(), streams)?,
            commands,
            own_commands,
            events,
            behind: false,
            gate,
            book,
            server,
            topics,
            identity: config.identity.clone(),
            external: config.external.clone(),
            target_peers: config.target_peers,
            peers: HashMap::new(),
            waiting: HashMap::new(),
            dialling: HashMap::new(),
            tries: HashMap::new(),
            redials: HashMap::new(),
            syncs: JoinSet::new(),
            sequence: 0,
            renewed: None,
            record_due: false,
            alone: None,
            metrics,
        })
    }

    /// Listens on all addresses, and returns when each has a port.
    async fn listen(&mut self, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        let mut starting: HashMap<ListenerId, Multiaddr> = HashMap::new();
        for address in addresses {
            let refused = |error: &dyn ToString| Error::Listen { address: address.clone(), reason: error.to_string() };
            check_free(&address).map_err(|error| refused(&error))?;
            let listener = self.swarm.listen_on(address.clone()).map_err(|error| refused(&error))?;
            starting.insert(listener, address);
        }
        for address in self.external.clone() {
            self.swarm.add_external_address(address);
        }
        while !starting.is_empty() {
            let event = self.swarm.select_next_some().await;
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => drop(starting.remove(listener_id)),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    if let Some(address) = starting.remove(listener_id) {
                        let reason = reason.as_ref().err().map(ToString::to_string).unwrap_or_default();
                        return Err(Error::Listen { address, reason });
                    }
                }
                _ => {}
            }
            self.on_event(event);
        }
        Ok(())
    }

    async fn run(mut self) {
        let mut upkeep = interval(UPKEEP);
        upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let answered = loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    None => break None,
                    Some(Command::Shutdown(answered)) => break Some(answered),
                    Some(command) => self.on_command(command),
                },
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(synced) = self.syncs.join_next(), if !self.syncs.is_empty() => {
                    if let Ok(synced) = synced {
                        self.on_synced(synced);
                    }
                }
                _ = upkeep.tick() => self.upkeep(),
            }
        };
        self.end(answered).await;
    }

    async fn end(mut self, answered: Option<Answered<()>>) {
        self.server.stop();
        self.syncs.abort_all();
        let peers: HashSet<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // A connection that has just gone is closed.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closing = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(FAREWELL, closing).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
        drop(self);
        if let Some(answered) = answered {
            // Whoever shut the network down may not wait for it.
            let _ = answered.send(());
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.metrics.record(&event);
        match &event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.metrics.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.metrics.record(event),
            _ => {}
        }
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(event) => tracing::trace!(?event, "a protocol reports"),
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::debug!(%address, "listening");
                self.renewed = None;
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                tracing::debug!(%address, "no longer listening");
                self.renewed = None;
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } | SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "listening failed");
            }
            event => self.on_connection_event(event),
        }
    }

    /// Tells the program, unless it is too far behind.
    fn tell(&mut self, event: Event) -> bool {
        let told = self.events.try_send(event).is_ok();
        if !told && !self.behind {
            tracing::warn!("the program is behind: events are left out");
        } else if told && self.behind {
            tracing::info!("the program keeps up again");
        }
        self.behind = !told;
        told
    }

    fn standing(&self, peer: &PeerId) -> Standing {
        locked(&self.gate).standing(peer)
    }
}

/// Refuses a port of TCP that is taken. The library would share it with the other program, which gets half of the connections then.
fn check_free(address: &Multiaddr) -> std::io::Result<()> {
    use libp2p::multiaddr::Protocol::{Ip4, Ip6, Tcp};
    let mut parts = address.iter();
    let host: IpAddr = match parts.next() {
        Some(Ip4(ip)) => ip.into(),
        Some(Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Tcp(port)) if port != 0 => TcpListener::bind((host, port)).map(drop),
        _ => Ok(()),
    }
}
