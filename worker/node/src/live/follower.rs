//! Follows the chain: what is new, and what follows from it.

use gradproof_chain::{Sight, Status};

use super::act;
use super::desk::Desk;
use super::hands::Hands;
use super::scan::Scanner;
use super::siblings;
use super::tell;
use super::watch::Watch;
use crate::NodeError;
use crate::facts::Role;

/// Where a node stands with the chain. All of it can be lost: the chain says it again.
#[derive(Default)]
pub struct Follower {
    /// From the first look on.
    scanner: Option<Scanner>,
    watch: Watch,
    /// Whether it was looked whether the account has other nodes.
    is_checked: bool,
}

impl Follower {
    /// One look at the chain: what is new, and what follows; what was seen, or `None` where chain or peers did something wrong, which is
    /// logged, and tried again.
    ///
    /// # Errors
    /// The store fails; or a validator's account has another node.
    ///
    /// # Cancel safety
    /// It can be dropped at any point, as a process can end there: the next follower goes on from store and chain.
    pub async fn look(&mut self, desk: &Desk, hands: &mut impl Hands) -> Result<Option<Sight>, NodeError> {
        match self.once(desk, hands).await {
            Err(error @ (NodeError::Store(_) | NodeError::UnknownJob(_) | NodeError::SecondValidator { .. })) => {
                Err(error)
            }
            Err(error) => {
                self.watch.trouble(&error);
                Ok(None)
            }
            Ok(sight) => {
                self.watch.fine();
                Ok(Some(sight))
            }
        }
    }

    async fn once(&mut self, desk: &Desk, hands: &mut impl Hands) -> Result<Sight, NodeError> {
        let sight = desk.endpoints.look().await;
        self.watch.pace(&desk.endpoints);
        let sight = sight?;
        desk.metrics.saw(&sight);
        for sender in [&desk.account, &desk.hot] {
            for update in sender.follow(&sight).await? {
                act::log(&update);
                tell::updated(desk, &update);
                desk.metrics.update(&update);
                if matches!(&update.status, Status::Included { place, .. } if !place.success) {
                    siblings::hear(desk);
                }
            }
        }
        if self.watch.is_new(&sight) || desk.take_change() {
            // Events are hints: what is done about the jobs that are followed does not wait for them.
            let scanned = match self.scan(desk, &sight, hands).await {
                Ok(()) => self.scanner(desk, hands).await?.judge(desk, &sight, hands).await,
                failed => failed,
            };
            if !self.is_checked && self.scanner(desk, hands).await?.has_read(&sight) {
                siblings::check(desk)?;
                self.is_checked = true;
            }
            self.watch.read(desk, &sight).await?;
            hands.serve(desk.parties()?);
            // A validator gives no word before it knows that no other node of its account gives one.
            if self.is_checked || desk.config.role != Role::Validator {
                act::all(desk, &sight, hands).await?;
            }
            hands.tell()?;
            scanned?;
        }
        Ok(sight)
    }

    /// Takes what was stored of the register, before anything is asked of the chain.
    pub(super) async fn begin(&mut self, desk: &Desk, hands: &mut impl Hands) -> Result<(), NodeError> {
        self.scanner(desk, hands).await.map(drop)
    }

    /// Reads what is new in register and market. Nothing is decided about open jobs.
    pub(super) async fn scan(&mut self, desk: &Desk, sight: &Sight, hands: &mut impl Hands) -> Result<(), NodeError> {
        self.scanner(desk, hands).await?.scan(desk, sight, hands).await
    }

    async fn scanner(&mut self, desk: &Desk, hands: &mut impl Hands) -> Result<&mut Scanner, NodeError> {
        Ok(match &mut self.scanner {
            Some(scanner) => scanner,
            none => none.insert(Scanner::load(desk, hands).await?),
        })
    }
}
