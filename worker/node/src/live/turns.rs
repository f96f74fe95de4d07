//! In which order a data owner's node answers questions for rows.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

/// Questions for rows that ask the chain at a time.
const MAX_LOOKS: usize = 8;

/// Who answers now. Licences have a turn of their own: neither waits for the other.
pub(super) struct Turns {
    /// Places of questions that ask the chain.
    looks: Semaphore,
    /// Held while a set is sealed: each reads the whole of it, and the same is not sealed twice.
    sealing: Mutex<()>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { looks: Semaphore::new(MAX_LOOKS), sealing: Mutex::default() }
    }
}

impl Turns {
    /// A place of those that ask the chain; whoever finds none asks again.
    pub fn look(&self) -> Option<SemaphorePermit<'_>> {
        self.looks.try_acquire().ok()
    }

    /// The turn to seal, if it comes in this time.
    pub async fn seal(&self, within: Duration) -> Option<MutexGuard<'_, ()>> {
        tokio::time::timeout(within, self.sealing.lock()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn questions_that_ask_the_chain_have_few_places_and_sealing_is_waited_for() {
        let turns = Turns::default();
        let held: Vec<_> = (0..MAX_LOOKS).map(|_| turns.look().expect("there is a place")).collect();
        assert!(turns.look().is_none(), "whoever asks more often takes no other's endpoints");
        let sealing = turns.seal(WITHIN).await.expect("nobody seals, whoever looks");
        let (waits, done) = tokio::join!(turns.seal(WITHIN), async {
            tokio::time::sleep(WITHIN / 2).await;
            drop(sealing);
        });
        assert_eq!(done, ());
        assert!(waits.is_some(), "the next one has its turn");
        assert!(turns.seal(WITHIN).await.is_none(), "nobody waits longer than whoever asked");
        drop(held);
        assert!(turns.look().is_some());
    }
}
