//! Endpoints that are slow or silent, in virtual time: how long looks and reads take, and what is agreed on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gradproof_chain::{Address, Agreement, B256, ChainError, Common, Endpoint, Endpoints, Sight};
use tokio::time::Instant;

use crate::stand_in::{CHAIN, StandIn, block};

/// Endpoints that say everything after so many milliseconds.
async fn endpoints(times: &[u64]) -> (Endpoints, Vec<Arc<StandIn>>) {
    let named = times.iter().zip(["one", "two", "three"]);
    let all: Vec<_> = named.map(|(ms, name)| Arc::new(StandIn::new(name, *ms))).collect();
    let endpoints = all.iter().map(|endpoint| endpoint.clone() as Arc<dyn Endpoint>).collect();
    (Endpoints::of(endpoints, CHAIN).await.expect("they are of the chain"), all)
}

/// What something comes to, and how many milliseconds it takes, in hundreds.
async fn timed<T>(what: impl Future<Output = T>) -> (T, u128) {
    let begin = Instant::now();
    (what.await, begin.elapsed().as_millis() / 100 * 100)
}

async fn look(endpoints: &Endpoints) -> (Sight, u128) {
    let (sight, ms) = timed(endpoints.look()).await;
    (sight.expect("one answers"), ms)
}

async fn nonce(endpoints: &Endpoints, common: &Common) -> (Result<Agreement<u64>, ChainError>, u128) {
    timed(endpoints.read(common, |at| async move { at.nonce(Address::ZERO).await })).await
}

async fn agreed(endpoints: &Endpoints, common: &Common) -> (Option<u64>, u128) {
    let (read, ms) = nonce(endpoints, common).await;
    (read.expect("one answers").agreed(), ms)
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_after_ten_seconds_delays_no_look_and_no_read() {
    let (endpoints, all) = endpoints(&[0, 0, 10_000]).await;
    let (sight, ms) = look(&endpoints).await;
    assert!(matches!(&sight.common, Common::Block { knowing, .. } if *knowing == [0, 1]) && ms == 1000, "{ms} ms");
    for _ in 0..100 {
        assert_eq!(agreed(&endpoints, &sight.common).await, (Some(7), 0), "within a look it has a grace once");
    }
    assert_eq!(endpoints.slow(), [""; 0], "once is chance");
    assert_eq!(look(&endpoints).await.1, 1000, "it is asked again at the next look");
    assert_eq!(endpoints.slow(), ["three"]);
    let asked = all[2].asked();
    assert_eq!((look(&endpoints).await.1, all[2].asked()), (0, asked), "it rests");
    all[2].set(|saying| (saying.head_after, saying.rest_after) = (Some(Duration::ZERO), Some(Duration::ZERO)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (sight, _) = look(&endpoints).await;
    assert!(matches!(&sight.common, Common::Block { knowing, .. } if *knowing == [0, 1, 2]));
    assert_eq!((agreed(&endpoints, &sight.common).await.0, endpoints.slow()), (Some(7), vec!["three".to_owned()]));
    look(&endpoints).await;
    assert_eq!(endpoints.slow(), [""; 0], "it kept up for a look");
}

#[tokio::test(start_paused = true)]
async fn one_that_says_its_block_at_once_and_reads_slowly_is_slow_all_the_same() {
    let (endpoints, all) = endpoints(&[0, 0, 0]).await;
    all[2].set(|saying| saying.rest_after = Some(Duration::from_secs(10)));
    for looks in [1, 2] {
        let (sight, _) = look(&endpoints).await;
        assert_eq!(agreed(&endpoints, &sight.common).await, (Some(7), 1000), "look {looks}");
        assert_eq!(agreed(&endpoints, &sight.common).await, (Some(7), 0), "look {looks}");
    }
    assert_eq!(endpoints.slow(), ["three"]);
}

#[tokio::test(start_paused = true)]
async fn a_fast_liar_makes_nobody_agree_and_a_slow_honest_one_decides() {
    let (endpoints, all) = endpoints(&[0, 0, 3000]).await;
    look(&endpoints).await;
    let (sight, _) = look(&endpoints).await;
    assert_eq!(endpoints.slow(), ["three"]);
    all[1].set(|saying| saying.nonce = Some(99));
    let (read, ms) = agreed(&endpoints, &sight.common).await;
    assert_eq!((read, ms), (Some(7), 6000), "whether it has the block, and what it says");
    // A fork of its own, too, brings nobody apart for long.
    all[1].set(|saying| saying.head.hash = B256::repeat_byte(9));
    let (sight, _) = look(&endpoints).await;
    assert!(matches!(&sight.common, Common::Block { knowing, .. } if *knowing == [0, 2]), "{sight:?}");
    // Two liars that say the same are what two endpoints must not be; one that says what the slow one says is none.
    all[2].set(|saying| saying.nonce = Some(98));
    let (sight, _) = look(&endpoints).await;
    let (read, _) = nonce(&endpoints, &sight.common).await;
    assert!(matches!(read, Ok(Agreement::Disagreed { values }) if values.len() == 2), "98 and 7 at the honest block");
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_that_lacks_the_block_has_no_word_about_it() {
    let (endpoints, all) = endpoints(&[0, 0, 3000]).await;
    look(&endpoints).await;
    let (sight, _) = look(&endpoints).await;
    all[1].set(|saying| saying.nonce = Some(99));
    all[2].set(|saying| saying.head = block(99));
    let (read, _) = nonce(&endpoints, &sight.common).await;
    assert!(matches!(read, Ok(Agreement::Disagreed { values }) if values.len() == 2));
}

#[tokio::test(start_paused = true)]
async fn one_that_lags_brings_nobody_into_the_past_while_a_slow_one_knows_better() {
    let (endpoints, all) = endpoints(&[0, 0, 3000]).await;
    all[1].set(|saying| saying.head = block(90));
    let (sight, ms) = look(&endpoints).await;
    assert_eq!((sight.common.agreed().map(|head| head.number), ms), (Some(100), 3000));
    all[1].set(|saying| saying.head = block(99));
    let (sight, ms) = look(&endpoints).await;
    assert_eq!((sight.common.agreed().map(|head| head.number), ms), (Some(99), 1000), "a block is what two are apart");
}

#[tokio::test(start_paused = true)]
async fn of_two_the_one_that_is_silent_is_waited_for_less_and_less_often() {
    let (endpoints, all) = endpoints(&[0, 0]).await;
    all[1].set(|saying| (saying.head_after, saying.rest_after) = (None, None));
    let mut waited = vec![];
    for _ in 0..30 {
        let (sight, ms) = look(&endpoints).await;
        assert!(matches!(sight.common, Common::Alone { endpoint: 0, .. }), "nothing is agreed on");
        assert!(matches!(nonce(&endpoints, &sight.common).await, (Ok(Agreement::Alone { value: 7, .. }), 0)));
        waited.push(ms);
        tokio::time::sleep(Duration::from_secs(12) - Duration::from_millis(ms as u64)).await;
    }
    let looks: Vec<usize> = (0..30).filter(|look| waited[*look] > 0).collect();
    assert!(waited.iter().all(|ms| [0, 5000].contains(ms)), "{waited:?}");
    assert_eq!(looks, [0, 1, 2, 4, 7, 11, 17, 23, 29]);
    assert_eq!(endpoints.slow(), ["two"]);
    all[1].set(|saying| (saying.head_after, saying.rest_after) = (Some(Duration::ZERO), Some(Duration::ZERO)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(matches!(look(&endpoints).await.0.common, Common::Block { .. }), "it is back");
}

#[tokio::test(start_paused = true)]
async fn of_two_one_that_is_silent_within_a_look_costs_its_time_once() {
    let (endpoints, all) = endpoints(&[0, 0]).await;
    let (sight, _) = look(&endpoints).await;
    all[1].set(|saying| saying.rest_after = None);
    let (first, second) = (nonce(&endpoints, &sight.common).await, nonce(&endpoints, &sight.common).await);
    assert!(matches!(first, (Ok(Agreement::Alone { value: 7, .. }), 30_000)), "{first:?}");
    assert!(matches!(second, (Ok(Agreement::Alone { value: 7, .. }), 0)), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_one_whose_connections_end_after_ten_seconds_costs_them_once_and_one_that_refuses_nothing() {
    let (endpoints, all) = endpoints(&[0, 0]).await;
    all[1].set(|saying| (saying.rest_after, saying.nonce) = (Some(Duration::from_secs(10)), None));
    let (sight, _) = look(&endpoints).await;
    let asked = all[1].asked();
    for ms in [10_000, 0] {
        let (read, took) = nonce(&endpoints, &sight.common).await;
        assert!(matches!(read, Ok(Agreement::Alone { value: 7, .. })) && took == ms, "{took} ms");
    }
    assert_eq!(all[1].asked(), asked + 1);
    all[1].set(|saying| saying.rest_after = Some(Duration::ZERO));
    let (sight, _) = look(&endpoints).await;
    for _ in 0..3 {
        assert!(matches!(nonce(&endpoints, &sight.common).await, (Ok(Agreement::Alone { value: 7, .. }), 0)));
    }
    assert_eq!(all[1].asked(), asked + 1 + 1 + 3, "it is asked each time");
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_answer_in_time_has_no_word() {
    let (endpoints, all) = endpoints(&[0, 0]).await;
    all[0].set(|saying| saying.rest_after = None);
    all[1].set(|saying| saying.head_after = None);
    let (sight, _) = look(&endpoints).await;
    assert!(matches!(&sight.heads.each[1].head, Err(ChainError::Late { endpoint, .. }) if endpoint == "two"));
    assert!(matches!(sight.common, Common::Alone { endpoint: 0, .. }));
    let error = nonce(&endpoints, &sight.common).await.0.expect_err("nobody answers").to_string();
    assert_eq!(error, "endpoint one did not answer within 30s");
    // Where all are slow, all are asked.
    all[0].set(|saying| saying.rest_after = Some(Duration::ZERO));
    assert!(matches!(nonce(&endpoints, &sight.common).await, (Ok(Agreement::Alone { .. }), 0)));
}

#[tokio::test]
async fn one_endpoint_of_a_chain_of_others_is_always_alone() {
    let (endpoints, _) = endpoints(&[0]).await;
    assert_eq!(endpoints.needed(), 2);
    assert!(matches!(look(&endpoints).await.0.common, Common::Alone { endpoint: 0, .. }));
}
