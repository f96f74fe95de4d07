//! Where a job counts, as options of a program.

use eyre::{Result, WrapErr, bail, ensure};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::statement::Domain;

/// Where the job counts; proofs for one domain are worth nothing in another.
#[derive(clap::Args, Clone, Debug)]
pub struct DomainOptions {
    /// Chain id.
    #[arg(long, value_name = "NUMBER")]
    pub chain: u64,
    /// Contract that settles the job: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX")]
    pub contract: String,
    /// Number of the job in that contract: 32 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX")]
    pub job_id: String,
    /// Owner of the provider, the account that is paid: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX")]
    pub owner: String,
}

/// Where a job is expected to count: compared with its statement.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ExpectedDomain {
    /// Chain id that the statement must have.
    #[arg(long, value_name = "NUMBER", requires = "statement")]
    pub chain: Option<u64>,
    /// Contract that the statement must have: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX", requires = "statement")]
    pub contract: Option<String>,
    /// Number of the job that the statement must have: 32 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX", requires = "statement")]
    pub job_id: Option<String>,
    /// Owner that the statement must have: 20 bytes in hexadecimal (0x…).
    #[arg(long, value_name = "HEX", requires = "statement")]
    pub owner: Option<String>,
}

fn number<const N: usize>(option: &str, text: &str) -> Result<[u8; N]> {
    // Letters of an address may be large: they are its check sum (EIP-55).
    hex::decode(&text.to_lowercase()).wrap_err_with(|| format!("{option} {text}"))
}

impl DomainOptions {
    /// The domain.
    ///
    /// # Errors
    /// If an option is not hexadecimal of its length, or zero.
    pub fn domain(&self) -> Result<Domain> {
        let domain = Domain {
            chain: self.chain,
            contract: number("--contract", &self.contract)?,
            job: number("--job-id", &self.job_id)?,
            owner: number("--owner", &self.owner)?,
        };
        let zero = [
            ("--chain", domain.chain == 0),
            ("--contract", domain.contract == [0; 20]),
            ("--job-id", domain.job == [0; 32]),
            ("--owner", domain.owner == [0; 20]),
        ];
        if let Some((option, _)) = zero.iter().find(|(_, zero)| *zero) {
            bail!("{option} is zero: no job counts there");
        }
        Ok(domain)
    }
}

impl ExpectedDomain {
    /// Compares what was given with `statement`.
    ///
    /// # Errors
    /// The first option that is not hexadecimal of its length, or not what the statement says.
    pub fn compare(&self, statement: &JobStatement) -> Result<()> {
        let Domain { chain, contract, job, owner } = &statement.domain;
        let given = [
            ("--chain", self.chain.map(|number| Ok(number.to_string())), chain.to_string()),
            ("--contract", shown::<20>("--contract", &self.contract), hex::encode(contract)),
            ("--job-id", shown::<32>("--job-id", &self.job_id), hex::encode(job)),
            ("--owner", shown::<20>("--owner", &self.owner), hex::encode(owner)),
        ];
        for (option, given, stated) in given {
            let Some(given) = given.transpose()? else { continue };
            let hint =
                if statement.is_bound() { "" } else { "; it is not bound: `requester bind` says where a job counts" };
            ensure!(given == stated, "{option} is {given}, the statement says {stated}{hint}");
        }
        Ok(())
    }
}

/// An option in the spelling of statements.
fn shown<const N: usize>(option: &str, text: &Option<String>) -> Option<Result<String>> {
    text.as_ref().map(|text| Ok(hex::encode(&number::<N>(option, text)?)))
}
