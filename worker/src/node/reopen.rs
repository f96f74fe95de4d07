//! `requester reopen`: a job goes on from another that has ended.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_chain::B256;
use gradproof_chain::market::{State, domain};
use gradproof_node::workshop::{Claim, PARCEL, PRIVATE, Workshop};
use gradproof_terminal::{Outcome, atomic, tell};
use gradproof_training::job::InitialWeights;
use gradproof_verifier::protocol::job::Parent;
use gradproof_verifier::protocol::part::Part;

use super::orders::{OfJob, Order, in_words};
use super::post::{Left, Post};
use crate::folder::EXACT_WEIGHTS_FILE;
use crate::workshop::{LocalWorkshop, left};

/// Where in a job's folder what a child begins with lies.
const END: &str = "end";

/// Posts a job that goes on from another.
#[derive(clap::Args, Clone, Debug)]
pub struct Reopen {
    /// The job that it goes on from, which has ended: 32 bytes in hexadecimal.
    #[arg(value_name = "JOB")]
    pub parent: B256,
    /// The new job.
    #[command(flatten)]
    pub post: Post,
}

impl Reopen {
    /// Runs `requester reopen`.
    ///
    /// # Errors
    /// The job has not ended or nothing of it was paid, its data are not here, or as [`Post::run`].
    pub fn run(&self) -> Result<Outcome> {
        self.post.check()?;
        let Post { home, password, json, .. } = self.post.clone();
        let order = OfJob { home, password, job: self.parent, json }.begin()?;
        let folder = order.opened.home.job(order.id);
        let mut job = self.post.wanted.load(self.post.wanted.set()?.as_ref())?;
        self.names_the_parent(&job.initial_weights, &folder)?;
        if order.state().is_none_or(|state| state < State::Cancelled) {
            return order.refused(&format!("it is {}: a job goes on from one that has ended", in_words(order.state())));
        }
        let segments = u64::from(order.job.settled);
        if segments == 0 {
            return order.refused("none of its segments was paid: `requester post` begins anew");
        }
        let from = self.left(&order, &folder, segments)?;
        job.initial_weights = InitialWeights::Parent(vec![folder.join(END)]);
        self.post.post(&job, Some(&from))
    }

    /// Refuses a job file that begins with something else.
    fn names_the_parent(&self, weights: &InitialWeights, folder: &Path) -> Result<()> {
        let named = match weights {
            InitialWeights::Parent(folders) => folders.first().and_then(|named| named.canonicalize().ok()),
            InitialWeights::Seed(_) | InitialWeights::File(_) => None,
        };
        ensure!(
            named.is_some() && named == folder.canonicalize().ok(),
            "{}: initial_weights.parent must be \"{}\", the folder of the job that it goes on from",
            self.post.wanted.job.display(),
            folder.display()
        );
        Ok(())
    }

    /// Writes what the child begins with: the weights after the last segment that was paid, and the statement.
    fn left(&self, order: &Order, folder: &Path, segments: u64) -> Result<Left> {
        ensure!(
            folder.join(PARCEL).is_dir() && folder.join(PRIVATE).is_dir(),
            "{} has no data and seeds of the job: only who has them goes on from it",
            folder.display()
        );
        let (id, deployment) = (order.id, &order.opened.deployment);
        let domain = domain(deployment.chain, deployment.market.address, id, order.job.owner);
        let last = order.job.current;
        let workshop = LocalWorkshop { keys: self.post.proving.keys() };
        let claim = Claim { segments, last };
        let batch = (segments - 1) / order.every()?;
        let opened = folder.join(format!("batch-{batch:04}.exact.safetensors"));
        let weights: PathBuf = if opened.is_file() && workshop.open(folder, domain, claim, &opened).is_ok() {
            opened
        } else {
            tell(&format!("training job {id} again, up to the end of segment {}", segments - 1));
            let recovered = workshop.recover(folder, domain, segments)?;
            if recovered.ends.last() != Some(&last) {
                bail!(
                    "the training of job {id} comes to other weights than were paid, after {segments} segments: `requester recover` says \
                     where; nothing goes on from them"
                );
            }
            recovered.files[0].clone()
        };
        let (statement, secret) = left(folder, domain, segments)?;
        let end = folder.join(END);
        std::fs::create_dir_all(&end).wrap_err_with(|| format!("cannot make {}", end.display()))?;
        let parent = Parent { statement: statement.digest(), segments: usize::try_from(segments)? };
        let exact = std::fs::read(&weights).wrap_err_with(|| format!("{}", weights.display()))?;
        for (name, bytes) in
            [(Part::Statement.file_name(), statement.to_json()?), (EXACT_WEIGHTS_FILE.to_owned(), exact)]
        {
            let path = end.join(name);
            atomic::write_private(&path, |file| std::io::Write::write_all(file, &bytes))
                .wrap_err_with(|| format!("{}", path.display()))?;
        }
        Ok(Left { id, last, parent, secret })
    }
}
