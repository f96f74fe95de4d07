use std::collections::BTreeSet;

use gradproof_network::{Error, Network, PeerId, Protocol, limits::TARGET_PEERS};

use crate::common::{Config, DEADLINE, Node, config, until};

fn view(network: &Network) -> BTreeSet<PeerId> {
    network.records().iter().map(|record| record.peer()).collect()
}

#[tokio::test]
async fn peers_exchange_records_when_they_have_admitted_each_other() {
    let nodes = [Node::start(1).await, Node::start(2).await, Node::start(3).await];
    nodes[0].join(&nodes[1]).await;
    nodes[1].join(&nodes[2]).await;
    until("the first knows where the last is", || async { !nodes[0].network.addresses(&nodes[2].peer).is_empty() })
        .await;
    let listening: BTreeSet<_> = nodes[2].network.listening().await.unwrap().into_iter().collect();
    assert_eq!(nodes[0].network.addresses(&nodes[2].peer).into_iter().collect::<BTreeSet<_>>(), listening);
    // The record is enough to connect: nobody says where the last is.
    let [first, _middle, last] = nodes;
    let (_, last) = last.echo();
    first.network.admit(last).await.unwrap();
    assert!(first.network.ask(last, Protocol::Open, &[1], DEADLINE).await.is_ok());
}

#[tokio::test]
async fn external_addresses_take_the_place_of_those_that_a_node_listens_on() {
    let external: Vec<_> = vec!["/ip4/203.0.113.7/udp/4001/quic-v1".parse().unwrap()];
    let node = Node::with(Config { external: external.clone(), ..config(1) }).await;
    assert_eq!(node.network.addresses(&node.peer), external);
}

#[tokio::test]
async fn a_peer_that_restarts_on_another_port_is_found_again_by_its_newer_record() {
    let (node, middle, moving) = (Node::start(1).await, Node::start(2).await, Node::start(3).await);
    node.join(&middle).await;
    moving.join(&middle).await;
    node.join(&moving).await;
    let before = moving.network.listening().await.unwrap();
    let peer = moving.peer;
    until("the record is there", || async { !node.network.addresses(&peer).is_empty() }).await;
    let old = node.network.records().into_iter().find(|record| record.peer() == peer).unwrap();
    moving.network.shutdown().await;
    drop(moving);

    let moved = Node::start(3).await;
    let after = moved.network.listening().await.unwrap();
    assert!(after.iter().all(|address| !before.contains(address)));
    moved.join(&middle).await;
    moved.network.admit(node.peer).await.unwrap();
    until("the newer record is there", || async { node.network.addresses(&peer).iter().all(|a| after.contains(a)) })
        .await;
    // An old record, told again, does not bring the old addresses back.
    assert!(matches!(node.network.insert_record(old), Err(Error::OldRecord { .. })));
    let (_, peer) = moved.echo();
    assert_eq!(node.network.ask(peer, Protocol::Party, &[5], DEADLINE).await, Ok(vec![5]));
}

/// Joins twenty nodes in an order, each through the first one only, until all know where all are.
async fn one_view(order: impl Iterator<Item = u32>) {
    let bootstrap = Node::start(0).await;
    let start = bootstrap.network.listening().await.unwrap();
    let everybody: Vec<PeerId> = (0..20).map(|number| crate::common::identity(number).peer_id()).collect();
    let mut nodes = vec![];
    for number in order {
        let node = Node::with(Config { target_peers: TARGET_PEERS, ..config(number) }).await;
        for peer in &everybody {
            node.network.admit(*peer).await.unwrap();
        }
        node.network.set_chain_addresses(bootstrap.peer, start.clone()).unwrap();
        nodes.push(node);
    }
    for peer in &everybody {
        bootstrap.network.admit(*peer).await.unwrap();
    }
    nodes.push(bootstrap);
    let all: BTreeSet<PeerId> = everybody.into_iter().collect();
    until("all nodes have one view", || async { nodes.iter().all(|node| view(&node.network) == all) }).await;
    until("all nodes have enough connections", || async {
        for node in &nodes {
            if node.network.connected().await.unwrap().len() < TARGET_PEERS {
                return false;
            }
        }
        true
    })
    .await;
}

#[tokio::test]
async fn twenty_nodes_that_join_in_order_have_one_view() {
    one_view(1..20).await;
}

#[tokio::test]
async fn twenty_nodes_that_join_in_reverse_order_have_one_view() {
    one_view((1..20).rev()).await;
}

#[tokio::test]
async fn twenty_nodes_that_join_mixed_have_one_view() {
    // Seven has no common divisor with nineteen, so this is every number once.
    one_view((0..19).map(|step| step * 7 % 19 + 1)).await;
}
