//! Peers that break the protocol: swarms with streams of their own, against a network.

use std::{sync::Mutex, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, Swarm,
    swarm::{
        SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::mpsc;

use super::*;
use crate::{
    Config, Error, Event, Events, Identity, Network, Protocol,
    behaviour::{Behaviour, swarm},
    commands::locked,
    frame::{Answer, read_answer, write_request},
    gossip::Topics,
    limits::{MAX_CONNECTIONS_PER_PEER, MAX_OPEN_BYTES, MAX_RANGE_BYTES, MAX_SERVED_PER_OWNER},
    protocol::WIRES,
};

const DEADLINE: Duration = Duration::from_secs(60);
const OPEN: Wire = Wire::Request(Protocol::Open);

fn config(number: u8) -> Config {
    Config { target_peers: 0, ..Config::local(Identity::from_secret([number; 32]).unwrap(), "test") }
}

/// Something to do with the swarm of a peer.
type Act = Box<dyn FnOnce(&mut Swarm<Behaviour>) + Send>;

/// A peer whose streams the test reads and writes by itself.
struct Raw {
    peer: PeerId,
    address: Multiaddr,
    acts: mpsc::Sender<Act>,
}

impl Raw {
    /// Starts a peer that speaks these protocols, and dials if it is told where.
    async fn start(spoken: &[Wire], dial: Option<Multiaddr>, accept: Accept) -> Self {
        let config = config(200);
        let streams = Streams::new(spoken.to_vec(), accept, Arc::new(|_| true));
        let mut swarm = swarm(&config, &Topics::new("test"), Arc::default(), streams).unwrap();
        swarm.listen_on(config.listen[0].clone()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        if let Some(address) = dial {
            swarm.dial(address).unwrap();
            while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
        }
        let (acts, mut to_do) = mpsc::channel::<Act>(64);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(act) = to_do.recv() => act(&mut swarm),
                    event = swarm.select_next_some() => drop(event),
                }
            }
        });
        Self { peer: config.identity.peer_id(), address, acts }
    }

    /// Does something with the swarm, and returns what came of it.
    async fn act<T: Send + 'static>(&self, act: impl FnOnce(&mut Swarm<Behaviour>) -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        let act: Act = Box::new(move |swarm| drop(done.send(act(swarm))));
        assert!(self.acts.send(act).await.is_ok());
        result.await.unwrap()
    }

    async fn open(&self, peer: PeerId, wire: Wire) -> Stream {
        let (reply, opened) = oneshot::channel();
        let open = Open { wire, reply };
        assert!(self.act(move |swarm| swarm.behaviour_mut().streams.open(peer, open).is_ok()).await);
        opened.await.unwrap().unwrap()
    }
}

/// A network that answers each request with what was asked, and the address of its QUIC port.
async fn network() -> (Network, Multiaddr) {
    let (network, events) = Network::start(config(1)).await.unwrap();
    let listening = network.listening().await.unwrap();
    let address = listening.into_iter().find(|address| address.to_string().contains("quic")).unwrap();
    tokio::spawn(echo(events, network.clone()));
    (network, address)
}

async fn echo(mut events: Events, _network: Network) {
    while let Some(event) = events.next().await {
        if let Event::Request { bytes, reply, .. } = event {
            reply.answer(bytes).unwrap();
        }
    }
}

fn deaf() -> Accept {
    Arc::new(|_, _, _| {})
}

#[tokio::test]
async fn garbage_on_any_protocol_ends_its_stream_and_nothing_else() {
    let (network, address) = network().await;
    let raw = Raw::start(&WIRES, Some(address), deaf()).await;
    network.admit(raw.peer).await.unwrap();
    for wire in WIRES {
        let longer = u32::try_from(wire.request_limit() + 1).unwrap().to_be_bytes();
        for garbage in [
            &[0xff; 100][..],
            &longer,
            // A request of no bytes, and one byte behind it.
            &[0, 0, 0, 0, 0],
            // Bytes are announced that never come.
            &[0, 0, 0, 9, 1, 2, 3],
            &[],
        ] {
            let mut stream = raw.open(network.peer_id(), wire).await;
            stream.write_all(garbage).await.unwrap();
            // The network may have closed the stream already.
            let _ = stream.close().await;
            let mut answer = vec![];
            let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
            assert_eq!(answer, [], "{garbage:?} on {}", wire.id());
        }
    }
    let mut stream = raw.open(network.peer_id(), OPEN).await;
    write_request(&mut stream, &[1, 2]).await.unwrap();
    assert_eq!(read_answer(&mut stream, 9).await.unwrap(), Answer::Bytes(vec![1, 2]));
}

#[tokio::test]
async fn a_request_for_a_range_that_is_none_is_not_an_event() {
    let (network, mut events) = Network::start(config(1)).await.unwrap();
    let raw = Raw::start(&WIRES, Some(network.listening().await.unwrap()[0].clone()), deaf()).await;
    network.admit(raw.peer).await.unwrap();
    for length in [0, 35] {
        let mut stream = raw.open(network.peer_id(), Wire::Blob).await;
        write_request(&mut stream, &vec![1; length]).await.unwrap();
        assert!(read_answer(&mut stream, 9).await.is_err());
    }
    let mut stream = raw.open(network.peer_id(), Wire::Blob).await;
    write_request(&mut stream, &[1; 36]).await.unwrap();
    let first = loop {
        match events.next().await.unwrap() {
            Event::Connected { .. } => {}
            event => break event,
        }
    };
    assert!(matches!(first, Event::Range { root, index: 0x0101_0101, .. } if root == [1; 32]), "{first:?}");
}

#[tokio::test]
async fn streams_that_say_nothing_take_the_places_of_their_own_peer_only() {
    let (network, address) = network().await;
    let raw = Raw::start(&WIRES, Some(address.clone()), deaf()).await;
    network.admit(raw.peer).await.unwrap();
    let mut silent = vec![];
    for _ in 0..MAX_SERVED_PER_OWNER {
        let mut stream = raw.open(network.peer_id(), OPEN).await;
        // The protocol is agreed on with the first bytes.
        stream.write_all(&[0, 0]).await.unwrap();
        stream.flush().await.unwrap();
        silent.push(stream);
    }
    let mut stream = raw.open(network.peer_id(), OPEN).await;
    // The network answers without reading, and may have closed the stream before all is written.
    let _ = write_request(&mut stream, &[1]).await;
    assert_eq!(read_answer(&mut stream, 9).await.unwrap(), Answer::Busy);

    let (other, _events) = Network::start(config(2)).await.unwrap();
    network.admit(other.peer_id()).await.unwrap();
    other.dial(network.peer_id(), vec![address]).await.unwrap();
    assert_eq!(other.ask(network.peer_id(), Protocol::Party, &[1], DEADLINE).await, Ok(vec![1]));
    drop(silent);
}

#[tokio::test]
async fn a_peer_of_another_version_is_refused_with_the_names_of_the_protocols() {
    let raw = Raw::start(&[Wire::Records], None, deaf()).await;
    let (network, _events) = Network::start(config(1)).await.unwrap();
    network.dial(raw.peer, vec![raw.address.clone()]).await.unwrap();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let refused = network.ask(raw.peer, Protocol::Party, &[], DEADLINE).await.unwrap_err();
        let Error::NoCommonVersion { ours: "/gradproof/party/1", theirs, .. } = &refused else { panic!("{refused}") };
        // What the peer speaks is known a moment after it is connected.
        if *theirs == ["/gradproof/records/1"] {
            let text = refused.to_string();
            assert!(text.ends_with("does not speak /gradproof/party/1; it speaks /gradproof/records/1"), "{text}");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the peer never says what it speaks");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_garbled_or_longer_answer_is_refused_and_the_request_can_be_asked_of_another() {
    let longer = |limit: usize| [&[0][..], &u32::try_from(limit + 1).unwrap().to_be_bytes(), &[7; 100]].concat();
    let answers = Arc::new(Mutex::new(vec![
        (longer(MAX_RANGE_BYTES), format!("{} bytes are announced, of at most {MAX_RANGE_BYTES}", MAX_RANGE_BYTES + 1)),
        (longer(MAX_OPEN_BYTES), format!("{} bytes are announced, of at most {MAX_OPEN_BYTES}", MAX_OPEN_BYTES + 1)),
        (vec![9, 0, 0, 0, 0], "an answer of kind 9 is unknown".to_owned()),
        (vec![0, 0, 0, 0, 1, 5, 6], "bytes follow the end".to_owned()),
        (vec![2, 0, 0, 0, 1, 0xff], "a reason that is no plain text".to_owned()),
        (vec![1, 0, 0, 0, 1, 5], "an answer of kind 1 that has bytes".to_owned()),
    ]));
    let cases = locked(&answers).clone();
    let next = answers.clone();
    let accept: Accept = Arc::new(move |_, _, mut stream: Stream| {
        let (bytes, _) = locked(&next).remove(0);
        tokio::spawn(async move {
            stream.write_all(&bytes).await.unwrap();
            let _ = stream.close().await;
        });
    });
    let raw = Raw::start(&WIRES, None, accept).await;
    let (network, _events) = Network::start(config(1)).await.unwrap();
    network.dial(raw.peer, vec![raw.address.clone()]).await.unwrap();
    for (number, (_, expected)) in cases.into_iter().enumerate() {
        let refused = match number {
            0 => network.range(raw.peer, [0; 32], 0, DEADLINE).await,
            _ => network.ask(raw.peer, Protocol::Open, &[], DEADLINE).await,
        };
        assert_eq!(refused, Err(Error::Malformed { peer: raw.peer, reason: expected }));
    }
}

#[tokio::test]
async fn connections_with_one_peer_are_limited() {
    let (network, address) = network().await;
    let raw = Raw::start(&WIRES, Some(address.clone()), deaf()).await;
    network.admit(raw.peer).await.unwrap();
    let peer = network.peer_id();
    for _ in 0..2 * MAX_CONNECTIONS_PER_PEER {
        let options = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![address.clone()]).build();
        // The peer's own limits are the same: it may refuse to dial.
        let _ = raw.act(move |swarm| swarm.dial(options).is_ok()).await;
    }
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let (pending, standing) = raw
            .act(|swarm| {
                let info = swarm.network_info();
                (info.connection_counters().num_pending(), info.connection_counters().num_established())
            })
            .await;
        if pending == 0 && standing == MAX_CONNECTIONS_PER_PEER {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{standing} connections stand, {pending} are pending");
        tokio::task::yield_now().await;
    }
}
