//! Whom a job is offered to: `requester post --to`.

use std::str::FromStr;

use gradproof_chain::Address;

/// Who may take a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This provider.
    One(Address),
    /// The one whose quote is best.
    Best,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "best" => Ok(Self::Best),
            account => account.parse().map(Self::One).map_err(|_| "expected an account, 0x…, or `best`".into()),
        }
    }
}
