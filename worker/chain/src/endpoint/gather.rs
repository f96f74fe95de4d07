//! Several are asked at once, and no more of them are waited for than are needed.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

/// How long the others have once enough have answered: two endpoints of usual speed are less apart.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// These, as [`gather`] takes them.
pub(crate) fn numbered<T, F: Future<Output = T>>(asked: Vec<F>) -> FuturesUnordered<impl Future<Output = (usize, T)>> {
    asked.into_iter().enumerate().map(|(at, asked)| async move { (at, asked.await) }).collect()
}

/// The answers of those that are `running`, each at its number; `None` of those that had none when enough had answered and [`GRACE`] was
/// over. These go on running, if somebody waits for them.
///
/// # Soundness
/// It says how long is waited, and nothing about what counts: whoever compares the answers goes by those that are there.
///
/// # Cancel safety
/// As that of what is asked.
pub(crate) async fn gather<T, F: Future<Output = (usize, T)>>(
    running: &mut FuturesUnordered<F>,
    is_enough: impl Fn(&[Option<T>]) -> bool,
) -> Vec<Option<T>> {
    let mut answers: Vec<Option<T>> = (0..running.len()).map(|_| None).collect();
    let mut end = None;
    loop {
        let next = match end {
            None => running.next().await,
            // What is there already is taken, however late it is looked for.
            Some(end) => timeout_at(end, running.next()).await.unwrap_or(None),
        };
        let Some((at, answer)) = next else { return answers };
        if let Some(place) = answers.get_mut(at) {
            *place = Some(answer);
        }
        if end.is_none() && is_enough(&answers) {
            end = Some(Instant::now() + GRACE);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// Answers after so many milliseconds.
    async fn after(ms: u64) -> u64 {
        sleep(Duration::from_millis(ms)).await;
        ms
    }

    /// What comes of asking who takes so long, where two are enough; and how long that took, in hundreds.
    async fn asked(times: &[u64]) -> (Vec<Option<u64>>, u128) {
        let (mut asked, begin) = (numbered(times.iter().map(|ms| after(*ms)).collect()), Instant::now());
        let answers = gather(&mut asked, |answers| answers.iter().flatten().count() >= 2).await;
        assert_eq!(asked.len(), answers.iter().filter(|answer| answer.is_none()).count(), "they go on");
        (answers, begin.elapsed().as_millis() / 100 * 100)
    }

    #[tokio::test(start_paused = true)]
    async fn the_slow_have_a_grace_once_enough_have_answered_and_all_their_time_before() {
        assert_eq!(asked(&[10, 9000, 20]).await, (vec![Some(10), None, Some(20)], 1000));
        assert_eq!(asked(&[10, 900, 20]).await, (vec![Some(10), Some(900), Some(20)], 900));
        assert_eq!(asked(&[10, 9000]).await, (vec![Some(10), Some(9000)], 9000), "it is needed");
        assert_eq!(asked(&[]).await, (vec![], 0));
    }
}
