//! `verifier export-contract`: the verifier as Solidity, and proofs as its call data.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::{SolCall, SolValue};
use eyre::{Result, bail, ensure, eyre};
use gradproof_circuits::field::check::{Check, Strict};
use gradproof_circuits::relations::Subject;
use gradproof_evm::bindings::{SegmentKey, SegmentVerifier};
use gradproof_evm::gas::{BUDGET, TRANSACTION_GAS, job_gas, segment_gas};
use gradproof_evm::{ChainProof, ContractSource, halo2_verifier, segment, segment_key, segment_verifier};
use gradproof_terminal::folder::Folder;
use gradproof_terminal::{Outcome, described, print, tell};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::JobStatement;
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::statement::Domain;
use gradproof_verifier::verify_job::{JobRejection, JobVerifier};
use serde_json::{Value, json};

use crate::files::{MAX_PROOF_BYTES, is_another_key, list_proofs, read, read_statement};
use crate::key::KeyOptions;
use crate::reasons::reason;
use crate::warnings::warn;

/// What is written besides sources and call data.
const FILES: [&str; 3] = ["contracts.json", "Halo2Verifier.json", "SegmentVerifier.json"];
/// The compiler that the sources are for.
const COMPILER: &str = "solc 0.8.37";

/// Writes the contracts of a key, and its proofs as call data.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Which key.
    #[command(flatten)]
    pub key: KeyOptions,
    /// Folder for the sources (in `src`), the compiler's input (`Halo2Verifier.json`, `SegmentVerifier.json`), `contracts.json`, and
    /// the call data (`segment-0000.json` …); it must not hold contracts yet.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder with the proofs of the statement's job; they are checked, and written as call data.
    #[arg(long, value_name = "DIR", requires = "statement")]
    pub proofs: Option<PathBuf>,
    /// Address of the deployed Halo2Verifier; it completes the arguments of SegmentVerifier's constructor.
    #[arg(long, value_name = "ADDRESS")]
    pub halo2: Option<Address>,
    /// Write contracts even for the insecure set-up, under which anyone can forge proofs. The contracts answer
    /// `insecureSetup() = true`.
    #[arg(long)]
    pub insecure: bool,
    /// Print `contracts.json` as well.
    #[arg(long)]
    pub json: bool,
}

/// Runs `verifier export-contract`.
///
/// # Errors
/// If the set-up is insecure and that is not asked for, a file cannot be read or written, or proofs are for a core key.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    ensure!(
        arguments.proofs.is_none() || arguments.key.statement.is_some(),
        "--proofs are checked against a statement: give it with --statement FILE, in place of a shape"
    );
    let folder = Folder::claim(&arguments.out)?;
    folder.refuse(FILES.into_iter().chain(["src"]), "choose another folder")?;
    if let Some(path) = arguments.key.statement.as_ref().filter(|_| arguments.proofs.is_some()) {
        let Domain { chain, contract, .. } = read_statement(path)?.domain;
        ensure!(
            chain != 0 && contract != [0; 20],
            "{}: it says chain {chain} and contract {}, so that no contract takes its proofs: `requester bind` says where the \
             job counts, before it is proved; without --proofs the contracts alone are written",
            path.display(),
            hex::encode(&contract)
        );
    }
    let (key, statement) = match arguments.key.load(arguments.json) {
        Err(error) if is_another_key(&error) => {
            return Ok(rejected(&format!("the statement is for another key: {}", described(&error)), arguments.json));
        }
        loaded => loaded?,
    };
    if key.kind() == ProofKind::Core {
        bail!("contracts take wrapped proofs, and this key is for core ones");
    }
    ensure!(
        !key.setup.is_insecure() || arguments.insecure,
        "the set-up is insecure: anyone could forge what the contract accepts. Give the powers of a ceremony with --setup \
         FILE; or, to try things out on a local node, --insecure"
    );
    warn(key.kind(), key.setup.is_insecure());
    if statement.as_ref().is_some_and(|job| job.verifying_key != key.digest()) {
        return Ok(rejected("the statement is for another key", arguments.json));
    }
    let proofs = match (&arguments.proofs, &statement) {
        (Some(proofs), Some(job)) => call_data(&key, job, proofs)?,
        _ => Ok(Vec::new()),
    };
    let proofs = match proofs {
        Ok(proofs) => proofs,
        Err(refused) => return Ok(rejected(&refused, arguments.json)),
    };
    let layout = &key.relations(Subject::Segment).layout;
    let gas = statement.as_ref().map_or_else(|| segment_gas(layout, key.column_vars, 0), |job| job_gas(&key, job));
    if gas > BUDGET && gas <= TRANSACTION_GAS {
        tell(&format!(
            "note: a segment takes about {gas} gas; with profile = \"chain\" in the job file, fewer and longer columns, at most \
             {BUDGET}"
        ));
    }
    if gas > TRANSACTION_GAS {
        tell(&format!(
            "WARNING: a segment takes about {gas} gas, and a transaction has at most {TRANSACTION_GAS} (EIP-7825): no chain can \
             verify it; use fewer, longer columns: profile = \"chain\" in the job file"
        ));
    }
    let sources = [halo2_verifier(&key)?, segment_verifier()];
    let stage = folder.stage()?;
    for source in &sources {
        for (name, text) in &source.files {
            stage.save(name, text.as_bytes())?;
        }
        stage.save(format!("{}.json", source.name), &json_bytes(&source.standard_json()?)?)?;
    }
    let description = describe(&key, &sources, arguments.halo2, gas);
    stage.save(FILES[0], &json_bytes(&description)?)?;
    for (name, description) in &proofs {
        stage.save(name, &json_bytes(description)?)?;
    }
    stage.finish(FILES[0])?;
    if arguments.json {
        print(&description.to_string());
    } else {
        let out = arguments.out.display();
        print(&format!("{out}/src: the sources, for {COMPILER}; the same key gives the same bytes"));
        print(&format!("{out}/Halo2Verifier.json, SegmentVerifier.json: input of `solc --standard-json`"));
        print(&format!("about {gas} gas a segment, in a transaction of its own"));
        print(&format!("{out}/contracts.json: digests, and what SegmentVerifier's constructor is given"));
        if !proofs.is_empty() {
            print(&format!("{out}/segment-*.json: {} proofs, checked, as call data", proofs.len()));
        }
    }
    Ok(Outcome::Done)
}

/// What the contracts are, and how they are made.
fn describe(key: &VerifyingKey, sources: &[ContractSource; 2], halo2: Option<Address>, gas: u64) -> Value {
    let [halo2_source, verifier_source] = sources.each_ref().map(
        |source| json!({ "file": source.file, "input": format!("{}.json", source.name), "via_ir": source.via_ir }),
    );
    let SegmentKey { tauG2, graph, batch, steps, tables, .. } = segment_key(key, Address::ZERO);
    let SegmentKey { columnVars, dataColumns, parameterColumns, traceColumns, .. } = segment_key(key, Address::ZERO);
    json!({
        "verifying_key": hex::encode(&key.digest()),
        "setup": hex::encode(&key.setup.digest()),
        "insecure_setup": key.setup.is_insecure(),
        "compiler": COMPILER,
        "estimated_gas": gas,
        "Halo2Verifier": halo2_source,
        "SegmentVerifier": verifier_source,
        "constructor": {
            "halo2": halo2,
            "key": hex::encode(&key.digest()),
            "insecure": key.setup.is_insecure(),
            "tauG2": tauG2,
            "graph": graph,
            "batch": batch,
            "steps": steps,
            "columnVars": columnVars,
            "dataColumns": dataColumns,
            "parameterColumns": parameterColumns,
            "traceColumns": traceColumns,
            "tables": tables,
        },
        "constructor_arguments": halo2.map(|halo2| Bytes::from(segment_key(key, halo2).abi_encode())),
    })
}

/// The proofs of all segments that are there, from the first on, with the names of their files: or why one is refused.
fn call_data(key: &VerifyingKey, job: &JobStatement, proofs: &Path) -> Result<Result<Vec<(PathBuf, Value)>, String>> {
    let found = list_proofs(proofs)?;
    let mut verifier = JobVerifier::new(key, job, &mut Strict)?;
    let mut files = Vec::new();
    for (part, path) in &found.parts {
        let bytes = read(path, MAX_PROOF_BYTES)?;
        let refused = |check: Check| {
            let why = reason(job, &JobRejection { part: *part, check });
            format!("{}: {part}: {why} [check {check:?}]", path.display())
        };
        let next = match part {
            Part::Segment(_) => match verifier.next_segment(&bytes) {
                Ok(next) => Some((next, verifier.parameters().to_vec())),
                Err(rejection) => return Ok(Err(refused(rejection.check))),
            },
            _ => None,
        };
        if let Err(rejection) = verifier.check(*part, &bytes, &mut Strict) {
            return Ok(Err(refused(rejection.check)));
        }
        if let Some((next, first)) = next {
            let proof = ChainProof::of(&first, &next.proof).map(|proof| Bytes::from(proof.to_bytes()));
            let proof = proof.ok_or_else(|| eyre!("{}: not a wrapped proof", path.display()))?;
            let verify = SegmentVerifier::verifyCall { segment: segment(&next.statement), proof: proof.clone() };
            let description = json!({
                "segment": next.statement.segment,
                "job": hex::encode(&next.statement.domain.job),
                "first": hex::encode(&next.statement.first),
                "last": hex::encode(&next.statement.last),
                "proof": proof,
                "verify": Bytes::from(verify.abi_encode()),
            });
            files.push((PathBuf::from(part.file_name()).with_extension("json"), description));
        }
    }
    Ok(Ok(files))
}

/// Says why nothing is written.
fn rejected(reason: &str, as_json: bool) -> Outcome {
    match as_json {
        true => print(&json!({ "accepted": false, "reason": reason }).to_string()),
        false => print(&format!("REJECTED: {reason}")),
    }
    Outcome::Rejected
}

fn json_bytes(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
