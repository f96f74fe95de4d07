//! The cheating prover: it commits to one witness, argues about another, and says what it likes.

use gradproof_circuits::operators::{BIAS, WEIGHT};
use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::networks::perceptron;
use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::{Ask, Party};
use gradproof_circuits::field::algebra::{Algebra, Native};
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::network::arithmetic::split_limbs;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::{End, Publics, Tensor};
use gradproof_circuits::relations::{
    Group, PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Relations, Subject, Tree, parameter_limbs,
};
use gradproof_prover::argument::party::{Prover, Secrets};
use gradproof_prover::columns::{Column, columns};
use gradproof_prover::commit::{commit, commit_full};
use gradproof_prover::hyperkzg;
use gradproof_prover::randomness::{Use, derived, fresh};
use gradproof_prover::registration::{data_paths, data_tree};
use gradproof_prover::witness::{Linear, Values, Witness};
use gradproof_prover::wrap::{Wrapper, Wrappers};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup};
use gradproof_verifier::protocol::proof::{Argument, Proof};
use gradproof_verifier::protocol::statement::{Statement, points_digest};
use gradproof_verifier::verify::{combined, opening_transcript, verify};

use crate::judges::{Careless, Recorder};
use crate::reference::{Honest, Task};

/// Seed of the blindings of data and first parameters.
pub const SEED: [u8; 32] = [3; 32];

/// A small job that proves in a fraction of a second, with padding of every kind: steps, rows, neurons and classes.
pub struct Fixture {
    /// What is trained.
    pub task: Task,
    /// Its key.
    pub key: VerifyingKey,
    /// Powers of τ.
    pub setup: Setup,
    /// The honest witness of its segment.
    pub honest: Witness,
}

/// The fixture, made once.
///
/// # Panics
/// Never, unless the prover is broken.
pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 4, exponential_bits: 8 };
        let architecture = perceptron(&[6, 5, 4, 3], 3, 4, precision);
        let key = VerifyingKey::insecure(&architecture, 12).expect("the shape is valid");
        let task = Task::new(&architecture, Live { steps: 3, last_rows: 2 }, 2, 5);
        let honest = task.train(&Honest);
        Fixture { task, key, setup: Setup::insecure(12).expect("12 is small"), honest }
    })
}

/// What wraps proofs of the fixture, and the key for wrapped proofs; made once.
///
/// # Panics
/// Never, unless the circuit is broken.
pub fn wrapped() -> &'static (Wrappers, VerifyingKey) {
    static WRAPPED: OnceLock<(Wrappers, VerifyingKey)> = OnceLock::new();
    WRAPPED.get_or_init(|| {
        let Fixture { key, setup, .. } = fixture();
        let mut strings = ReferenceStrings::new(setup);
        let wrappers = Wrappers::new(|subject| Wrapper::new(key.relations(subject), &mut strings));
        let wrappers = wrappers.expect("the circuits are small enough");
        let key = wrappers.verifying_key(key.clone());
        (wrappers, key)
    })
}

impl Fixture {
    /// Root of the data that the fixture trains on.
    pub fn data_root(&self) -> [u8; 32] {
        static ROOT: OnceLock<[u8; 32]> = OnceLock::new();
        *ROOT.get_or_init(|| prove(Subject::Data, &self.witness(Subject::Data)).statement.data_root)
    }

    /// The part of `witness` that a registration of its data proves.
    pub fn data_of(&self, witness: &Witness) -> Witness {
        let tensors = [Tensor::input(), Tensor::labels()].map(|tensor| (tensor, witness.tensors[&tensor].clone()));
        Witness { tensors: tensors.into() }
    }

    /// The part of `witness` that a registration of its first parameters proves, with its limbs.
    pub fn parameters_of(&self, witness: &Witness) -> Witness {
        let mut registered = Witness::default();
        for (tensor, values) in &witness.tensors {
            let role = tensor.role();
            if ![WEIGHT, BIAS].contains(&role) || *tensor != role.end(tensor.node(), End::First) {
                continue;
            }
            for (i, limb) in parameter_limbs(*tensor).enumerate() {
                let widths = [PARAMETER_LIMB_BITS; PARAMETER_LIMBS];
                let part = |n| split_limbs(values.get(n), &widths).nth(i).unwrap_or(0) as i32;
                registered.tensors.insert(limb, Values::Small((0..values.len()).map(part).collect()));
            }
            registered.tensors.insert(*tensor, values.clone());
        }
        registered
    }

    /// The honest witness for a proof about `subject`, with its multiplicities.
    pub fn witness(&self, subject: Subject) -> Witness {
        let mut witness = match subject {
            Subject::Segment => self.honest.clone(),
            Subject::Data => self.data_of(&self.honest),
            Subject::Parameters => self.parameters_of(&self.honest),
        };
        count(&mut witness, &self.key.relations(subject).tree);
        witness
    }
}

/// Counts the look-ups as a cheat does: those that are in no table are passed over.
pub fn count(witness: &mut Witness, tree: &Tree) {
    for (table, _) in &tree.tables {
        let mut counts = vec![0i32; 1 << table.vars()];
        for (lookup, _) in tree.lookups.iter().filter(|(lookup, _)| lookup.table == *table) {
            let key = Linear::new(witness, &lookup.tuple[0], lookup.column_vars).expect("the witness has it");
            for entry in 0..1usize << lookup.vars {
                if let Some(count) = usize::try_from(key.at(entry)).ok().and_then(|key| counts.get_mut(key)) {
                    *count += 1;
                }
            }
        }
        witness.tensors.insert(Tensor::multiplicity(*table), Values::Small(counts));
    }
}

/// Which witness each part of a proof is made from; honest provers use one for all.
#[derive(Clone, Copy)]
pub struct Witnesses<'a> {
    /// Behind the commitments.
    pub committed: &'a Witness,
    /// Of the relations.
    pub argued: &'a Witness,
    /// Of the columns' evaluations.
    pub merged: &'a Witness,
    /// Of the opening.
    pub opened: &'a Witness,
    /// Learning rate that the relations are argued at.
    pub rate: u32,
}

impl<'a> Witnesses<'a> {
    /// One witness for everything, at the rate of the fixture.
    pub fn same(witness: &'a Witness) -> Self {
        let rate = fixture().task.rate;
        Self { committed: witness, argued: witness, merged: witness, opened: witness, rate }
    }
}

/// Changes an answer of the prover before it is sent.
pub type Meddle<'a> = &'a mut dyn FnMut(Ask<'_, Fr>, &mut Vec<Fr>);

/// A prover whose answers are changed on their way.
pub struct Meddling<'a, 'm> {
    prover: Prover<'a>,
    meddle: Meddle<'m>,
    /// What was sent.
    pub messages: Vec<Fr>,
}

impl<A: Algebra<Element = Fr, Error = Rejection>> Party<A> for Meddling<'_, '_> {
    fn answer(&mut self, _: &mut A, ask: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        let mut answer = self.prover.answer(&mut Native { judge: Careless }, ask, count)?;
        (self.meddle)(ask, &mut answer);
        self.messages.extend_from_slice(&answer);
        Ok(answer)
    }
}

/// A proof, perhaps a false one, with all that its verifier needs.
#[derive(Clone)]
pub struct Forged {
    /// The statement.
    pub statement: Statement,
    /// Commitments to the first parameters.
    pub first: Vec<G1Affine>,
    /// The proof.
    pub proof: Proof,
}

impl Forged {
    /// What a verifier with this judge says, by the key that fits the kind of the proof.
    ///
    /// # Errors
    /// The check that failed.
    pub fn judged(&self, judge: impl Judge) -> Result<(), Rejection> {
        let key = match self.proof.argument {
            Argument::Core(_) => &fixture().key,
            Argument::Wrapped { .. } => &wrapped().1,
        };
        verify(key, &self.statement, &self.first, &self.proof, judge)
    }

    /// The core proof wrapped, without a look at whether it is good: what its argument comes to is kept as it is. The
    /// statement must be that of [`wrapped`]'s key.
    ///
    /// # Panics
    /// If it is not a core proof.
    pub fn wrap(self) -> Self {
        let subject = self.statement.subject;
        let (publics, relations) = (self.publics(), fixture().key.relations(subject));
        let proof = wrapped().0.get(subject).wrap(relations, &publics, self.proof).expect("a core proof");
        Self { proof, ..self }
    }

    /// The public inputs of the argument.
    pub fn publics(&self) -> Publics<Fr> {
        let key = &fixture().key;
        let layout = &key.relations(self.statement.subject).layout;
        let (data, rest) = self.proof.columns.split_at(layout.group(Group::Data).len());
        let tables = &key.tables[..layout.group(Group::Table).len()];
        let first = &self.first[..layout.group(Group::First).len()];
        let digest = self.statement.digest(&self.proof.mask, &[data, first, rest, tables].concat());
        self.statement.publics(&digest)
    }

    /// All checks that fail; one of form alone, which no judge can skip.
    pub fn failures(&self) -> BTreeSet<Check> {
        let mut recorder = Recorder::default();
        match self.judged(&mut recorder) {
            Ok(()) => recorder.failed,
            Err(Rejection { check }) => [check].into(),
        }
    }
}

/// The prover's party for `witnesses`, whose answers `meddle` may change.
pub fn meddling<'a, 'm>(
    subject: Subject,
    witnesses: Witnesses<'a>,
    columns: &'a [Column<'a>],
    statement: &Statement,
    secrets: Secrets<'a>,
    meddle: Meddle<'m>,
) -> Meddling<'a, 'm> {
    meddling_under(fixture().key.relations(subject), witnesses, columns, statement, secrets, meddle)
}

fn meddling_under<'a, 'm>(
    relations: &'a Relations,
    witnesses: Witnesses<'a>,
    columns: &'a [Column<'a>],
    statement: &Statement,
    secrets: Secrets<'a>,
    meddle: Meddle<'m>,
) -> Meddling<'a, 'm> {
    let prover = Prover::new(relations, witnesses.argued, columns, statement.live, witnesses.rate, secrets);
    Meddling { prover, meddle, messages: vec![] }
}

/// What hides the witness of a proof: fresh in honest ones, and never the same twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hiding {
    /// The random column.
    pub mask: Vec<Fr>,
    /// Blinding of its commitment.
    pub mask_blinding: Fr,
    /// Salt of the transcript.
    pub salt: Fr,
    /// Blindings of the columns of last parameters and trace.
    pub blindings: Vec<Fr>,
}

impl Hiding {
    /// As the honest prover hides.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn fresh(subject: Subject) -> Self {
        let layout = &fixture().key.relations(subject).layout;
        let random = |count| fresh(count).expect("the system has randomness");
        let columns = layout.group(Group::Last).len() + layout.group(Group::Trace).len();
        Self {
            mask: random(1 << layout.column_vars),
            mask_blinding: random(1)[0],
            salt: random(1)[0],
            blindings: random(columns),
        }
    }
}

/// Makes a proof and does not look whether its checks hold. `say` may change the statement before it is hashed.
///
/// # Panics
/// If the witness lacks a tensor, or the set-up is too short.
pub fn forge(
    subject: Subject,
    witnesses: Witnesses<'_>,
    say: impl FnOnce(&mut Statement),
    meddle: Meddle<'_>,
) -> Forged {
    forge_hidden(subject, witnesses, Hiding::fresh(subject), say, meddle)
}

/// As [`forge`], hidden by what is given.
///
/// # Panics
/// As those of [`forge`], or if there are too few blindings.
pub fn forge_hidden(
    subject: Subject,
    witnesses: Witnesses<'_>,
    hiding: Hiding,
    say: impl FnOnce(&mut Statement),
    meddle: Meddle<'_>,
) -> Forged {
    forge_under(fixture().key.relations(subject), witnesses, hiding, say, meddle)
}

/// As [`forge_hidden`], of other relations than the verifier's: they have the same columns.
///
/// # Panics
/// As those of [`forge_hidden`].
pub fn forge_under(
    relations: &Relations,
    witnesses: Witnesses<'_>,
    hiding: Hiding,
    say: impl FnOnce(&mut Statement),
    meddle: Meddle<'_>,
) -> Forged {
    let Fixture { task, key, setup, .. } = fixture();
    let (subject, layout) = (relations.subject, &relations.layout);
    let committed = columns(layout, witnesses.committed).expect("the witness has all tensors");
    let of = |group: Group, blindings: Vec<Fr>| {
        commit(setup, &committed[layout.group(group)], blindings).expect("the set-up is long enough")
    };
    // What a requester registers has one commitment in all proofs.
    let data = of(Group::Data, derived(&SEED, Use::Data { position: 0 }, layout.group(Group::Data).len()));
    let first =
        of(Group::First, derived(&SEED, Use::FirstParameters { digest: &SEED }, layout.group(Group::First).len()));
    let (of_last, of_trace) = hiding.blindings.split_at(layout.group(Group::Last).len());
    let (last, trace) = (of(Group::Last, of_last.to_vec()), of(Group::Trace, of_trace.to_vec()));
    let mask = hiding.mask;
    let mask_point = commit_full(setup, &mask, hiding.mask_blinding).expect("the set-up is long enough");
    let tables = if layout.group(Group::Table).is_empty() { vec![] } else { key.tables.clone() };

    // A second position, so that there are paths.
    let tree = data_tree(&[data.points.clone(), data.points.clone()]);
    let mut said = Statement {
        first: points_digest(&first.points),
        last: points_digest(&last.points),
        data_root: tree.root(),
        epoch_segments: 2,
        rate: if subject == Subject::Segment { task.rate } else { 0 },
        ..Statement::blank(key, subject, task.live)
    };
    say(&mut said);
    let points = [&data.points[..], &first.points, &last.points, &trace.points, &tables].concat();
    let digest = said.digest(&mask_point, &points);

    let merged = columns(layout, witnesses.merged).expect("the witness has all tensors");
    let secret = Secrets { salt: hiding.salt, mask: &mask };
    let mut party = meddling_under(relations, witnesses, &merged, &said, secret, meddle);
    let publics = said.publics(&digest);
    let reduced = argument::verify(&mut Native { judge: Careless }, &mut party, relations, &publics)
        .expect("a careless prover comes to its end");
    let messages = party.messages;

    // mask + Σ ρ^(i+1)·P_i, and its blinding.
    let (mut polynomial, mut blinding, mut power) = (mask.clone(), hiding.mask_blinding, Fr::from(1));
    let mut blindings = [data.blindings, first.blindings, last.blindings, trace.blindings].concat();
    blindings.resize(layout.columns(), Fr::from(0));
    let opened = columns(layout, witnesses.opened).expect("the witness has all tensors");
    for (column, s) in opened.iter().zip(&blindings) {
        power *= reduced.combine;
        blinding += power * s;
        for (i, sum) in polynomial.iter_mut().enumerate() {
            *sum += power
                * match column {
                    Column::Small(values) => Fr::from(values[i]),
                    Column::Wide(values) => Fr::from(values[i]),
                };
        }
    }
    let commitment = combined(&key.setup, &mask_point, &points, &reduced.combine, &blinding);
    let mut transcript = opening_transcript(digest, &reduced, &blinding, &commitment);
    let opening =
        hyperkzg::open(setup, polynomial, &reduced.point, &mut transcript).expect("the set-up is long enough");

    let paths = data_paths(&tree, data.points.len(), 0);
    let sent = [data.points, last.points, trace.points].concat();
    let proof = Proof { mask: mask_point, columns: sent, paths, argument: Argument::Core(messages), blinding, opening };
    Forged { statement: said, first: first.points, proof }
}

/// The messages of a core proof.
///
/// # Panics
/// If it is wrapped.
pub fn messages(proof: &mut Proof) -> &mut Vec<Fr> {
    match &mut proof.argument {
        Argument::Core(messages) => messages,
        Argument::Wrapped { .. } => panic!("a wrapped proof has no messages"),
    }
}

/// A careless proof of one witness, nothing said or sent falsely beyond that.
pub fn prove(subject: Subject, witness: &Witness) -> Forged {
    forge(subject, Witnesses::same(witness), |_| (), &mut |_, _| ())
}

/// Adds `by` to one entry of a tensor.
///
/// # Panics
/// If the witness lacks the tensor or the entry.
pub fn alter(witness: &mut Witness, tensor: Tensor, entry: usize, by: i64) {
    match witness.tensors.get_mut(&tensor) {
        Some(Values::Small(values)) => values[entry] += by as i32,
        Some(Values::Wide(values)) => values[entry] += by,
        None => panic!("{tensor:?} is not in the witness"),
    }
}

/// A careless registration of the fixture's data, or of its first parameters, with `by` added to one entry.
///
/// # Panics
/// If the fixture lacks the tensor or the entry.
pub fn registered(subject: Subject, tensor: Tensor, entry: usize, by: i64) -> Forged {
    let mut witness = fixture().honest.clone();
    alter(&mut witness, tensor, entry, by);
    let mut part = match subject {
        Subject::Data => fixture().data_of(&witness),
        _ => fixture().parameters_of(&witness),
    };
    count(&mut part, &fixture().key.relations(subject).tree);
    prove(subject, &part)
}
