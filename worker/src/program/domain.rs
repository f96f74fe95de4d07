//! Where a job counts, as options of a program.

use eyre::{Result, WrapErr};
use gradproof_prover::randomness::fresh_seed;
use gradproof_verifier::hex;
use gradproof_verifier::statement::Domain;

/// Where the job counts; proofs for one domain are worth nothing in another.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct DomainOptions {
    /// Number of the job, 32 bytes in hexadecimal (0x…); drawn at random if not given.
    #[arg(long, value_name = "HEX")]
    pub job_id: Option<String>,
    /// Owner of the provider, who is paid: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX")]
    pub owner: Option<String>,
    /// Chain id; 0 is off chain.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub chain: u64,
    /// Contract that settles the job: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX")]
    pub contract: Option<String>,
}

impl DomainOptions {
    /// The domain.
    ///
    /// # Errors
    /// If an option is not hexadecimal of its length.
    pub fn domain(&self) -> Result<Domain> {
        let address = |option: &str, text: &Option<String>| {
            // Letters of an address may be large: they are its check sum (EIP-55).
            let decode = |text: &String| hex::decode(&text.to_lowercase()).wrap_err_with(|| format!("{option} {text}"));
            text.as_ref().map_or(Ok([0; 20]), decode)
        };
        let job = match &self.job_id {
            Some(text) => hex::decode(text).wrap_err_with(|| format!("--job-id {text}"))?,
            None => fresh_seed()?,
        };
        let (owner, contract) = (address("--owner", &self.owner)?, address("--contract", &self.contract)?);
        Ok(Domain { chain: self.chain, contract, job, owner })
    }
}
