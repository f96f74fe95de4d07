use std::time::Duration;

use gradproof_network::{
    Error, Event, Protocol, Standing, address_of,
    limits::{
        EVENTS, MAX_OPEN_BYTES, MAX_PARTY_BYTES, MAX_RANGE_BYTES, MAX_SERVED_PER_OWNER, OTHER_REQUESTS, STRANGER_BURST,
    },
};

use crate::common::{DEADLINE, Node, config, is, only, until};

async fn asks_and_answers_over(transport: &str) {
    let asker = Node::start(1).await;
    let answerer = Node::with(only(config(2), transport)).await;
    asker.join(&answerer).await;
    assert!(asker.network.connected().await.unwrap().iter().all(|connected| is(&connected.address, transport)));
    let (_, peer) = answerer.echo();
    for (protocol, limit) in [(Protocol::Open, MAX_OPEN_BYTES), (Protocol::Party, MAX_PARTY_BYTES)] {
        for length in [0, 1, limit] {
            let request = vec![5; length];
            let answer = asker.network.ask(peer, protocol, &request, DEADLINE).await;
            assert!(answer == Ok(request), "{protocol:?}, {length} bytes over {transport}");
        }
    }
    assert_eq!(asker.network.range(peer, [3; 32], 7, DEADLINE).await.unwrap(), [&[3; 32][..], &[0, 0, 0, 7]].concat());
}

#[tokio::test]
async fn requests_and_ranges_are_answered_over_quic() {
    asks_and_answers_over("quic-v1").await;
}

#[tokio::test]
async fn requests_and_ranges_are_answered_over_tcp() {
    asks_and_answers_over("tcp").await;
}

#[tokio::test]
async fn quic_is_taken_before_tcp() {
    let (one, other) = (Node::start(1).await, Node::start(2).await);
    one.join(&other).await;
    assert!(is(&one.network.connected().await.unwrap()[0].address, "quic-v1"));
}

#[tokio::test]
async fn a_range_of_full_size_arrives_and_a_longer_one_is_not_sent() {
    let (asker, mut answerer) = (Node::start(1).await, Node::start(2).await);
    asker.join(&answerer).await;
    let (network, peer) = (asker.network.clone(), answerer.peer);
    let asking = tokio::spawn(async move { network.range(peer, [1; 32], 0, DEADLINE).await });
    let Event::Range { reply, .. } = answerer.next().await else { panic!("expected a range") };
    reply.answer(vec![8; MAX_RANGE_BYTES]).unwrap();
    assert_eq!(asking.await.unwrap().unwrap(), vec![8; MAX_RANGE_BYTES]);

    let network = asker.network.clone();
    let asking = tokio::spawn(async move { network.range(peer, [1; 32], 1, DEADLINE).await });
    let Event::Range { reply, .. } = answerer.next().await else { panic!("expected a range") };
    let refused = reply.answer(vec![8; MAX_RANGE_BYTES + 1]).unwrap_err();
    assert!(matches!(refused, Error::TooLong { limit: MAX_RANGE_BYTES, .. }), "{refused}");
    assert!(matches!(asking.await.unwrap(), Err(Error::Unanswered { .. })));
}

#[tokio::test]
async fn a_request_that_is_too_long_is_not_sent() {
    let asker = Node::start(1).await;
    let refused = asker.network.ask(asker.peer, Protocol::Open, &vec![0; MAX_OPEN_BYTES + 1], DEADLINE).await;
    let expected = Error::TooLong { what: "the request", got: MAX_OPEN_BYTES + 1, limit: MAX_OPEN_BYTES };
    assert_eq!(refused, Err(expected));
}

#[tokio::test]
async fn every_kind_of_reply_reaches_the_asker() {
    let (asker, mut answerer) = (Node::start(1).await, Node::start(2).await);
    asker.join(&answerer).await;
    let peer = answerer.peer;
    tokio::spawn(async move {
        while let Some(event) = answerer.events.next().await {
            match event {
                Event::Range { index: 0, reply, .. } => reply.not_here(),
                Event::Range { index: 1, reply, .. } => reply.busy(),
                Event::Range { index: 2, reply, .. } => reply.refuse("not for you"),
                Event::Range { reply, .. } => drop(reply),
                _ => {}
            }
        }
    });
    let ask = |index| asker.network.range(peer, [0; 32], index, DEADLINE);
    assert_eq!(ask(0).await, Err(Error::NotHere { peer, index: 0 }));
    assert_eq!(ask(1).await, Err(Error::Busy { peer }));
    assert_eq!(ask(2).await, Err(Error::Refused { peer, reason: "not for you".to_owned() }));
    assert!(matches!(ask(3).await, Err(Error::Unanswered { .. })));
}

#[tokio::test]
async fn a_stranger_is_refused_with_a_reason_and_limited_on_the_open_protocol() {
    let (stranger, node) = (Node::start(1).await, Node::start(2).await);
    let addresses = node.network.listening().await.unwrap();
    let (network, peer) = node.echo();
    stranger.network.dial(peer, addresses).await.unwrap();

    let Err(Error::Refused { reason, .. }) = stranger.network.ask(peer, Protocol::Party, &[1], DEADLINE).await else {
        panic!("expected a refusal")
    };
    assert_eq!(reason, "/gradproof/party/1 is for nodes that are registered");
    assert!(matches!(stranger.network.range(peer, [0; 32], 0, DEADLINE).await, Err(Error::Refused { .. })));
    // The longest request is refused as well, though nobody reads it.
    let long = vec![0; MAX_PARTY_BYTES];
    let refused = stranger.network.ask(peer, Protocol::Party, &long, DEADLINE).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");

    // More at once than the burst and what a slow machine gives in the meantime.
    let mut refused = 0;
    for _ in 0..10 * STRANGER_BURST {
        match stranger.network.ask(peer, Protocol::Open, &[1], DEADLINE).await {
            Ok(answer) => assert_eq!(answer, [1]),
            Err(Error::Refused { reason, .. }) => {
                assert_eq!(reason, "strangers asked too often");
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0);

    network.admit(stranger.peer).await.unwrap();
    assert_eq!(stranger.network.ask(peer, Protocol::Party, &[1], DEADLINE).await, Ok(vec![1]));
    assert_eq!(network.connected().await.unwrap()[0].standing, Standing::Known);
    network.dismiss(stranger.peer).await.unwrap();
    assert!(stranger.network.ask(peer, Protocol::Party, &[1], DEADLINE).await.is_err());
}

#[tokio::test]
async fn a_silent_peer_times_out_and_the_request_is_asked_of_another() {
    let (asker, mut silent, other) = (Node::start(1).await, Node::start(2).await, Node::start(3).await);
    asker.join(&silent).await;
    asker.join(&other).await;
    let (_, other) = other.echo();
    let (network, peer) = (asker.network.clone(), silent.peer);
    let asking = tokio::spawn(async move { network.range(peer, [1; 32], 4, Duration::from_millis(300)).await });
    let Event::Range { reply, .. } = silent.next().await else { panic!("expected a range") };
    assert!(matches!(asking.await.unwrap(), Err(Error::TimedOut { .. })));
    drop(reply);
    assert!(asker.network.range(other, [1; 32], 4, DEADLINE).await.is_ok());
}

#[tokio::test]
async fn one_peer_has_so_many_requests_served_at_a_time_and_no_more() {
    let (asker, mut node) = (Node::start(1).await, Node::start(2).await);
    asker.join(&node).await;
    let peer = node.peer;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..MAX_SERVED_PER_OWNER {
        let network = asker.network.clone();
        asking.spawn(async move { network.ask(peer, Protocol::Party, &[], DEADLINE).await });
    }
    let mut replies = vec![];
    while replies.len() < MAX_SERVED_PER_OWNER {
        let Event::Request { reply, .. } = node.next().await else { panic!("expected a request") };
        replies.push(reply);
    }
    assert_eq!(asker.network.ask(peer, Protocol::Party, &[], DEADLINE).await, Err(Error::Busy { peer }));
    for reply in replies {
        reply.answer(vec![]).unwrap();
    }
    for answer in asking.join_all().await {
        assert_eq!(answer, Ok(vec![]));
    }
}

#[tokio::test]
async fn a_program_that_is_behind_makes_its_node_busy_and_nothing_is_lost() {
    let (asker, mut node) = (Node::start(1).await, Node::start(2).await);
    asker.join(&node).await;
    let peer = node.peer;
    // A party may ask for more ranges than wait.
    node.network.set_parties([address_of(&asker.peer).unwrap()].into());
    until("the queue is full", || async {
        // Each request waits in the queue until its asker has given up, and stays there.
        let asked = asker.network.range(peer, [7; 32], 0, Duration::from_millis(50)).await;
        let full = asked == Err(Error::Busy { peer });
        full && asker.network.range(peer, [7; 32], 0, DEADLINE).await == Err(Error::Busy { peer })
    })
    .await;
    let Event::Range { root, .. } = node.next().await else { panic!("expected a range") };
    assert_eq!(root, [7; 32]);
    let mut left = 1;
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(500), node.events.next()).await {
        left += 1;
    }
    assert!(left <= EVENTS);
    let (_, peer) = node.echo();
    assert_eq!(asker.network.ask(peer, Protocol::Party, &[8], DEADLINE).await, Ok(vec![8]));
}

#[tokio::test]
async fn two_nodes_of_an_owner_share_what_it_may_ask_and_a_party_has_its_own() {
    let (first, second, party) = (Node::start(1).await, Node::start(2).await, Node::start(3).await);
    let node = Node::start(4).await;
    for asker in [&first, &second, &party] {
        asker.join(&node).await;
    }
    node.network.admit_of(first.peer, [1; 20]).await.unwrap();
    node.network.admit_of(second.peer, [1; 20]).await.unwrap();
    node.network.set_parties([address_of(&party.peer).unwrap()].into());
    let (_network, peer) = node.echo();
    let (mut answered, mut refused) = (0, 0);
    for asker in [&first, &second].into_iter().cycle().take(3 * OTHER_REQUESTS.1 as usize) {
        match asker.network.ask(peer, Protocol::Party, &[1], DEADLINE).await {
            Ok(_) => answered += 1,
            Err(Error::Refused { reason, .. }) => {
                assert_eq!(reason, "the nodes of this account asked too often");
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(answered >= OTHER_REQUESTS.1 && refused > 0, "{answered} answered, {refused} refused");
    for _ in 0..2 * OTHER_REQUESTS.1 {
        assert_eq!(party.network.ask(peer, Protocol::Party, &[1], DEADLINE).await, Ok(vec![1]));
    }
}
