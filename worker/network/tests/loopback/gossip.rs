use gradproof_network::{Error, Event, Verdict, limits::MAX_GOSSIP_BYTES};

use crate::common::{Config, Node, config, until};

/// Publishes until somebody listens: subscriptions arrive a little after the connection.
async fn publish(node: &Node, bytes: &[u8]) {
    until("somebody listens", || async { node.network.publish(bytes.to_vec()).await.is_ok() }).await;
}

async fn next_gossip(node: &mut Node) -> (gradproof_network::PeerId, Vec<u8>, gradproof_network::GossipId) {
    match node.next().await {
        Event::Gossip { source, bytes, id } => (source, bytes, id),
        event => panic!("expected gossip, got {event:?}"),
    }
}

/// Three nodes in a row, so that what the last hears went through the middle.
async fn row() -> [Node; 3] {
    let mut row = [Node::start(1).await, Node::start(2).await, Node::start(3).await];
    row[0].join(&row[1]).await;
    row[1].join(&row[2]).await;
    // What arrives from the last comes behind its subscription.
    publish(&row[2], b"ready").await;
    let (_, _, id) = next_gossip(&mut row[1]).await;
    row[1].network.judge(id, Verdict::Ignore).await.unwrap();
    row
}

#[tokio::test]
async fn a_message_travels_on_when_the_program_accepts_it() {
    let [first, mut middle, mut last] = row().await;
    publish(&first, b"posted").await;
    let (source, bytes, id) = next_gossip(&mut middle).await;
    assert_eq!((source, bytes.as_slice()), (first.peer, b"posted".as_slice()));
    middle.network.judge(id, Verdict::Accept).await.unwrap();
    let (source, bytes, _) = next_gossip(&mut last).await;
    assert_eq!((source, bytes.as_slice()), (first.peer, b"posted".as_slice()));
}

#[tokio::test]
async fn a_message_does_not_travel_on_when_the_program_ignores_or_rejects_it() {
    let [first, mut middle, mut last] = row().await;
    for (bytes, verdict) in
        [(b"ignored", Verdict::Ignore), (b"reject!", Verdict::Reject), (b"passed!", Verdict::Accept)]
    {
        publish(&first, bytes).await;
        let (_, got, id) = next_gossip(&mut middle).await;
        assert_eq!(got, bytes);
        middle.network.judge(id, verdict).await.unwrap();
    }
    // The last of the three is the first that gets through.
    assert_eq!(next_gossip(&mut last).await.1, b"passed!");
}

#[tokio::test]
async fn a_peer_whose_messages_are_rejected_is_heard_no_more() {
    let (bad, mut node) = (Node::start(1).await, Node::start(2).await);
    bad.join(&node).await;
    for number in 0..3 {
        publish(&bad, &[number]).await;
        let (_, _, id) = next_gossip(&mut node).await;
        node.network.judge(id, Verdict::Reject).await.unwrap();
    }
    // An answer on the same connection shows that the message before it was dropped, not late.
    let _ = bad.network.publish(vec![3]).await;
    let (network, peer) = (bad.network.clone(), node.peer);
    let asking = tokio::spawn(async move {
        network.ask(peer, gradproof_network::Protocol::Party, &[4], crate::common::DEADLINE).await
    });
    match node.next().await {
        Event::Request { bytes, reply, .. } => {
            assert_eq!(bytes, [4]);
            reply.answer(vec![]).unwrap();
        }
        event => panic!("a message of a peer that was cut off: {event:?}"),
    }
    assert!(asking.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_stranger_is_not_heard_until_it_is_admitted() {
    let (stranger, mut node) = (Node::start(1).await, Node::start(2).await);
    // The stranger admits the node, but not the other way round.
    stranger.network.admit(node.peer).await.unwrap();
    stranger.network.dial(node.peer, node.network.listening().await.unwrap()).await.unwrap();
    publish(&stranger, b"unheard").await;
    assert_eq!(node.network.publish(b"to nobody".to_vec()).await, Err(Error::NoListeners));
    node.network.admit(stranger.peer).await.unwrap();
    // What was sent before the admission is dropped, or else it would come first.
    let (network, peer) = (stranger.network.clone(), node.peer);
    tokio::spawn(async move {
        until("the node has admitted the stranger", || async {
            let within = std::time::Duration::from_millis(1);
            !matches!(
                network.ask(peer, gradproof_network::Protocol::Party, &[], within).await,
                Err(Error::Refused { .. })
            )
        })
        .await;
        until("the message is sent", || async { network.publish(b"heard".to_vec()).await.is_ok() }).await;
    });
    loop {
        match node.next().await {
            Event::Gossip { bytes, .. } => {
                assert_eq!(bytes, b"heard");
                break;
            }
            Event::Request { .. } => {}
            event => panic!("{event:?}"),
        }
    }
}

#[tokio::test]
async fn networks_with_different_topics_do_not_hear_each_other() {
    let one = Node::start(1).await;
    let other = Node::with(Config { topic: "another market".to_owned(), ..config(2) }).await;
    one.join(&other).await;
    assert_eq!(one.network.publish(b"hello".to_vec()).await, Err(Error::NoListeners));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_sent_and_the_longest_arrives() {
    let (one, mut other) = (Node::start(1).await, Node::start(2).await);
    one.join(&other).await;
    let long = one.network.publish(vec![0; MAX_GOSSIP_BYTES + 1]).await;
    assert_eq!(long, Err(Error::TooLong { what: "the message", got: MAX_GOSSIP_BYTES + 1, limit: MAX_GOSSIP_BYTES }));
    publish(&one, &[6; MAX_GOSSIP_BYTES]).await;
    assert_eq!(next_gossip(&mut other).await.1, [6; MAX_GOSSIP_BYTES]);
}
