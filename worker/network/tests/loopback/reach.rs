use gradproof_network::{
    Error, Event, Network, Protocol,
    limits::{MAX_ADDRESSES, MAX_STRANGER_CONNECTIONS, MAX_WAITING_PER_PEER},
};

use crate::common::{Config, DEADLINE, Node, config, identity, is, only, until};

#[tokio::test]
async fn a_connection_is_tried_out_at_exactly_the_given_addresses_although_another_one_stands() {
    let (one, other) = (Node::start(1).await, Node::start(2).await);
    one.join(&other).await;
    let before = one.network.connected().await.unwrap();
    one.network.try_dial(other.peer, other.network.listening().await.unwrap()).await.unwrap();
    // Nobody listens at this port, and the connection that stands does not make up for it.
    let closed = vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()];
    assert!(matches!(one.network.try_dial(other.peer, closed).await, Err(Error::Dial { .. })));
    assert_eq!(one.network.connected().await.unwrap(), before);
    let (_, peer) = other.echo();
    assert_eq!(one.network.ask(peer, Protocol::Party, &[1], DEADLINE).await, Ok(vec![1]));
}

#[tokio::test]
async fn a_connection_that_is_tried_out_comes_from_a_new_port_and_leaves_nothing_behind() {
    let (one, mut other) = (Node::start(1).await, Node::start(2).await);
    one.network.try_dial(other.peer, other.network.listening().await.unwrap()).await.unwrap();
    assert_eq!(one.network.connected().await.unwrap(), []);
    until("the other has closed it, too", || async { other.network.connected().await.unwrap().is_empty() }).await;
    let Some(Event::Connected { address, .. }) = other.events.next().await else { panic!("expected a connection") };
    assert!(is(&address, "quic-v1") && !one.network.listening().await.unwrap().contains(&address), "{address}");
}

#[tokio::test]
async fn what_waits_for_a_peer_is_limited() {
    let one = Node::start(1).await;
    let peer = identity(2).peer_id();
    // Nobody answers at this port, so what waits for it waits for seconds.
    one.network.set_chain_addresses(peer, vec!["/ip4/127.0.0.1/udp/9/quic-v1".parse().unwrap()]).unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..=MAX_WAITING_PER_PEER {
        let network = one.network.clone();
        waiting.spawn(async move { network.ask(peer, Protocol::Open, &[], DEADLINE).await });
    }
    assert_eq!(waiting.join_next().await.unwrap().unwrap(), Err(Error::Waiting { peer }));
}

#[tokio::test]
async fn another_peer_at_an_address_is_not_taken_for_the_one_that_was_meant() {
    let (one, other) = (Node::start(1).await, Node::start(2).await);
    let meant = identity(3).peer_id();
    let addresses = other.network.listening().await.unwrap();
    assert!(matches!(one.network.dial(meant, addresses.clone()).await, Err(Error::Dial { .. })));
    assert!(matches!(one.network.try_dial(meant, addresses).await, Err(Error::Dial { .. })));
    assert_eq!(one.network.connected().await.unwrap(), []);
}

#[tokio::test]
async fn a_peer_without_an_address_and_addresses_that_are_none_are_named() {
    let one = Node::start(1).await;
    let peer = identity(2).peer_id();
    assert_eq!(one.network.dial(peer, vec![]).await, Err(Error::NoAddress { peer }));
    assert_eq!(one.network.ask(peer, Protocol::Open, &[], DEADLINE).await, Err(Error::NoAddress { peer }));
    let address: gradproof_network::Multiaddr = "/dns4/example.com/tcp/1".parse().unwrap();
    assert_eq!(one.network.dial(peer, vec![address.clone()]).await, Err(Error::Address { address }));
    let many = vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap(); MAX_ADDRESSES + 1];
    assert!(matches!(one.network.try_dial(peer, many).await, Err(Error::TooLong { .. })));
}

#[tokio::test]
async fn connections_come_and_go_as_events() {
    let (one, mut other) = (Node::start(1).await, Node::start(2).await);
    one.join(&other).await;
    let peer = one.peer;
    let came = other.events.next().await.unwrap();
    assert!(matches!(came, Event::Connected { peer: who, .. } if who == peer), "{came:?}");
    one.network.disconnect(other.peer).await.unwrap();
    let went = other.events.next().await.unwrap();
    assert!(matches!(went, Event::Disconnected { peer: who } if who == peer), "{went:?}");
}

#[tokio::test]
async fn a_network_that_is_shut_down_says_so_and_its_peers_notice() {
    let (one, mut other) = (Node::start(1).await, Node::start(2).await);
    one.join(&other).await;
    other.network.shutdown().await;
    assert_eq!(other.network.listening().await, Err(Error::Stopped));
    until("the peer notices", || async { one.network.connected().await.unwrap().is_empty() }).await;
    while other.events.next().await.is_some() {}
}

#[tokio::test]
async fn a_flood_of_strangers_ends_at_the_limit_and_an_admitted_peer_still_gets_in() {
    let node = Node::start(0).await;
    let addresses = node.network.listening().await.unwrap();
    let mut flood = vec![];
    for number in 1..=MAX_STRANGER_CONNECTIONS as u32 + 8 {
        // A node that listens nowhere is enough to dial.
        let stranger = Node::with(Config { listen: vec![], ..config(number) }).await;
        let _ = stranger.network.dial(node.peer, addresses.clone()).await;
        flood.push(stranger);
    }
    until("those above the limit are turned away", || async {
        let mut connected = 0;
        for stranger in &flood {
            connected += stranger.network.connected().await.unwrap().len();
        }
        connected == MAX_STRANGER_CONNECTIONS
    })
    .await;
    assert_eq!(node.network.connected().await.unwrap().len(), MAX_STRANGER_CONNECTIONS);
    let admitted = Node::start(1000).await;
    admitted.join(&node).await;
    let (_, peer) = node.echo();
    assert_eq!(admitted.network.ask(peer, Protocol::Party, &[1], DEADLINE).await, Ok(vec![1]));
}

#[tokio::test]
async fn a_configuration_that_is_not_possible_names_its_key() {
    for (bad, key) in [
        (Config { topic: String::new(), ..config(1) }, "topic"),
        (Config { external: vec!["/ip4/0.0.0.0/tcp/1".parse().unwrap()], ..config(1) }, "external"),
        (Config { listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap(); MAX_ADDRESSES + 1], ..config(1) }, "listen"),
    ] {
        let refused = Network::start(bad).await.unwrap_err();
        assert!(matches!(refused, Error::Config { key: named, .. } if named == key), "{refused}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    for transport in ["tcp", "quic-v1"] {
        let one = Node::with(only(config(1), transport)).await;
        let listen = one.network.listening().await.unwrap();
        let refused = Network::start(Config { listen: listen.clone(), ..config(2) }).await.unwrap_err();
        assert!(matches!(&refused, Error::Listen { address, .. } if *address == listen[0]), "{refused}");
    }
}
