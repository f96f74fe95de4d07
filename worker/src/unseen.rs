//! A job on a registered set whose rows only its owner has: its statement takes the set's root, and needs no rows.

use std::path::Path;

use eyre::{Result, WrapErr, ensure};
use gradproof_circuits::field::check::Strict;
use gradproof_node::dataset::{DatasetFile, Schema};
use gradproof_terminal::Progress;
use gradproof_training::job::{ColumnLength, Job};
use gradproof_verifier::protocol::job::{JobStatement, Parent};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::verify_job::JobVerifier;
use gradproof_verifier_program::files::KEY_FILE;
use gradproof_verifier_program::warn;

use crate::commitments::{JobCommitments, Origin, first_parameters};
use crate::folder::claim_new;
use crate::keys::KeyOptions;
use crate::openings::{Openings, Seeds};
use crate::parent::begin;

/// Stands in the openings for the seed that only the owner knows.
const UNKNOWN: [u8; 32] = [0; 32];

/// Reads a job file on the rows of `set`.
///
/// # Errors
/// The first thing that is wrong: jobs on the set have its shape.
pub fn load_on(path: &Path, set: &DatasetFile) -> Result<Job> {
    let rows = usize::try_from(set.rows).wrap_err("more rows than this machine counts")?;
    let job = Job::load_licensed(path, rows, set.schema.inputs)?;
    let (architecture, schema) = (&job.architecture, &set.schema);
    let named = [
        ("network.layers[-1], the number of classes", architecture.classes(), schema.classes),
        ("training.batch", architecture.batch(), schema.batch),
        ("training.steps_per_segment", architecture.steps(), schema.steps_per_segment),
        (
            "arithmetic.activation_bits",
            architecture.precision().activation_bits as usize,
            schema.activation_bits as usize,
        ),
    ];
    for (key, got, expected) in named {
        ensure!(
            got == expected,
            "{}: {key} is {got}, and data set {} is committed to for {expected}",
            path.display(),
            set.dataset
        );
    }
    Ok(job)
}

/// Commits to a job on `set` and writes statement, key, registration of the first parameters and openings into `out`: the statement.
///
/// # Errors
/// The job is of another shape than the set, the set-up is another one, or a file cannot be written: nothing is left then.
pub fn commit_on(
    set: &DatasetFile,
    job: &Job,
    options: &KeyOptions,
    out: &Path,
    from: Option<(Parent, [u8; 32])>,
    json: bool,
) -> Result<JobStatement> {
    let folder = claim_new(out, "choose another folder")?;
    let stage = folder.stage()?;
    let progress = Progress::new(1, "proofs", json);
    let columns = match job.columns {
        ColumnLength::Usual => set.schema.column_bits,
        _ => crate::columns::vars(job, ProofKind::Wrapped),
    };
    let keys = options.keys(&job.architecture, columns, ProofKind::Wrapped, &progress)?;
    warn(ProofKind::Wrapped, keys.key.setup.is_insecure());
    let first = first_parameters(job)?;
    let (mut seeds, origin) = match from {
        Some((parent, secret)) => {
            (Seeds { first: secret, ..Seeds::fresh(&job.initial_weights)? }, Origin::Parent(parent))
        }
        None => begin(job, &keys, &first)?,
    };
    seeds.data = UNKNOWN;
    let root = set.root.0;
    let commitments = JobCommitments::on_root(job, &keys, &first, &seeds, origin, &progress, root)?;
    let statement = &commitments.statement;
    let (got, expected) = (Schema::of(statement), &set.schema);
    ensure!(
        got == *expected,
        "data set {}: it is committed to in columns of 2^{} under the set-up {}, and the job has columns of 2^{} under {}: see \
         proof.column_bits, and --setup",
        set.dataset,
        expected.column_bits,
        expected.setup,
        got.column_bits,
        got.setup
    );
    let verifier = JobVerifier::new(&keys.key, statement, &mut Strict)?;
    for part in verifier.registrations().filter(|part| !matches!(part, Part::Data(_))) {
        progress.say(format!("proving {part}"));
        stage.save(part.file_name(), &commitments.register(job, &keys, &first, part)?)?;
        progress.advance(1);
    }
    if let Some(key) = keys.file() {
        stage.save(KEY_FILE, &key)?;
    }
    Openings::new(statement, seeds).save(stage.path())?;
    stage.save(Part::Statement.file_name(), &statement.to_json()?)?;
    stage.finish(&Part::Statement.file_name())?;
    Ok(statement.clone())
}
