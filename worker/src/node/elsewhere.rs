//! Transactions of an account whose key is not in the folder: what is to be signed, and what became of what was signed.

use std::future::Future;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eyre::{Result, WrapErr, bail, ensure, eyre};
use gradproof_chain::{
    Address, At, Bytes, Chain, ChainError, Endpoints, Intent, MemoryJournal, PrivateKeySigner, Sender, Sight, Status,
    Unsigned,
};
use gradproof_node::live::sending_policy;
use gradproof_verifier_program::files::read;

use super::options::Opened;

/// Largest file with a signed transaction: nodes take 128 KiB, in hexadecimal.
const MAX_SIGNED_BYTES: usize = (256 << 10) + 16;
/// How often it is asked whether a transaction is in a block.
const LOOK: Duration = Duration::from_secs(1);
/// Looks until that is left to whoever asks later: five minutes.
const LOOKS: u32 = 300;

/// An account whose key is elsewhere, at all endpoints.
pub(super) struct Elsewhere {
    chain: Chain,
    id: u64,
    account: Address,
    endpoints: Arc<Endpoints>,
    sender: Sender,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landed {
    /// It is in a block, and did what it was to do.
    Done,
    /// It is in a block, and the contract refused.
    Reverted,
    /// Another one took its nonce.
    Overtaken,
    /// It is sent, and in no block yet.
    Waiting,
}

impl Elsewhere {
    /// Connects to all endpoints of the configuration.
    ///
    /// # Errors
    /// None answers, or one is of another chain.
    pub fn of(opened: &Opened, account: Address) -> Result<Self> {
        // Nothing is signed here, so that any key will do.
        let chain = opened.chain(PrivateKeySigner::random())?;
        let id = opened.deployment.chain;
        let endpoints = Arc::new(chain.wait(Endpoints::connect(&opened.config.endpoints, id))?);
        let journal = Arc::new(MemoryJournal::default());
        let sender = Sender::without_key(account, endpoints.clone(), journal, sending_policy(&opened.config));
        Ok(Self { chain, id, account, endpoints, sender })
    }

    /// Where the chain stands.
    ///
    /// # Errors
    /// No endpoint answers.
    pub fn look(&self) -> Result<Sight> {
        Ok(self.chain.wait(self.endpoints.look())?)
    }

    /// What the endpoints agree on.
    ///
    /// # Errors
    /// They do not, or do not answer.
    pub fn agreed<T, R>(&self, sight: &Sight, what: &str, question: impl Fn(At) -> R + Send + Sync) -> Result<T>
    where
        T: Clone + PartialEq + Send,
        R: Future<Output = Result<T, ChainError>> + Send,
    {
        let answer = self.chain.wait(self.endpoints.read(&sight.common, question))?.agreed();
        answer.ok_or_else(|| eyre!("the endpoints do not agree on {what}: nothing is signed on the word of one"))
    }

    /// What is to be signed, as an object that wallets take; the inner error says why the contract would refuse it.
    ///
    /// # Errors
    /// No endpoint answers.
    pub fn to_sign(&self, intent: &Intent) -> Result<Result<serde_json::Value, String>> {
        let sight = self.look()?;
        let unsigned = self.chain.wait(self.sender.unsigned(&sight, intent))?;
        Ok(unsigned.map(|unsigned| self.object(intent, unsigned)))
    }

    /// The transaction in the names of the chain's own interface; numbers are in hexadecimal there.
    fn object(&self, intent: &Intent, Unsigned { nonce, gas_limit, price }: Unsigned) -> serde_json::Value {
        serde_json::json!({
            "type": "0x2", "chainId": format!("{:#x}", self.id), "from": self.account, "to": intent.to,
            "value": intent.value, "data": intent.input, "nonce": format!("{nonce:#x}"), "gas": format!("{gas_limit:#x}"),
            "maxFeePerGas": format!("{:#x}", price.max_fee), "maxPriorityFeePerGas": format!("{:#x}", price.tip),
        })
    }

    /// Sends a transaction to all endpoints, and waits until it is in a block; the inner error says why it was not sent.
    ///
    /// # Errors
    /// It is not what `intent` says, or of another account; no endpoint answers.
    pub fn send(&self, intent: &Intent, raw: Bytes) -> Result<Result<Landed, String>> {
        let sight = self.look()?;
        match self.chain.wait(self.sender.submit_signed(&sight, intent, raw))? {
            Status::Refused { reason } => return Ok(Err(reason)),
            status if landed(&status).is_some() => return Ok(Ok(landed(&status).unwrap_or(Landed::Waiting))),
            _ => (),
        }
        for _ in 0..LOOKS {
            std::thread::sleep(LOOK);
            // An endpoint that does not answer now may answer at the next look.
            let Ok(sight) = self.look() else { continue };
            let updates = self.chain.wait(self.sender.follow(&sight)).unwrap_or_default();
            if let Some(landed) = updates.iter().find_map(|update| landed(&update.status)) {
                return Ok(Ok(landed));
            }
        }
        Ok(Ok(Landed::Waiting))
    }
}

fn landed(status: &Status) -> Option<Landed> {
    match status {
        Status::Included { place, .. } if place.success => Some(Landed::Done),
        Status::Included { .. } => Some(Landed::Reverted),
        Status::Overtaken { .. } => Some(Landed::Overtaken),
        Status::Pending | Status::Refused { .. } => None,
    }
}

/// The signed transaction in a file, in hexadecimal; `-` is standard input.
///
/// # Errors
/// The file cannot be read, is too long, or has something else.
pub(super) fn signed(path: &Path) -> Result<Bytes> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(MAX_SIGNED_BYTES as u64 + 1).read_to_end(&mut bytes).wrap_err("standard input")?;
        ensure!(bytes.len() <= MAX_SIGNED_BYTES, "standard input: more than {MAX_SIGNED_BYTES} bytes");
        bytes
    } else {
        read(path, MAX_SIGNED_BYTES)?
    };
    match str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok()) {
        Some(raw) => Ok(raw),
        None => bail!("{}: expected a signed transaction in hexadecimal, 0x02…", path.display()),
    }
}
