//! The verifier of a whole job: its registrations, then every segment, each from the parameters that the one before left.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::G1Affine;
use gradproof_circuits::field::check::{Check, Judge, Rejection};
use gradproof_circuits::graph::Graph;
use gradproof_circuits::relations::{Group, Subject};

use crate::protocol::job::{JobStatement, Parent};
use crate::protocol::key::VerifyingKey;
use crate::protocol::merkle;
use crate::protocol::part::Part;
use crate::protocol::proof::Proof;
use crate::protocol::statement::Statement;
use crate::verify::verify;

/// Why a job is refused: the check that failed first, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: check {check:?} failed")]
pub struct JobRejection {
    /// Where it failed.
    pub part: Part,
    /// What failed.
    pub check: Check,
}

/// Checks the proofs of a job one after the other.
#[derive(Clone, Debug)]
pub struct JobVerifier<'a> {
    key: &'a VerifyingKey,
    job: &'a JobStatement,
    parameters: Vec<G1Affine>,
    segments: u64,
    /// Registrations that have been checked, and the parent if the job has one.
    registered: BTreeSet<Part>,
}

/// Where a job stands whose registrations, and segments so far, have all been checked: what another job may go on from.
#[derive(Clone, Debug)]
pub struct Inheritance {
    parent: Parent,
    parameters: Vec<G1Affine>,
    meaning: Meaning,
}

impl Inheritance {
    /// How a statement names it.
    pub fn parent(&self) -> Parent {
        self.parent
    }

    /// Commitments to the parameters that were left.
    pub fn parameters(&self) -> &[G1Affine] {
        &self.parameters
    }
}

/// What commitments to parameters mean: a child has the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meaning {
    setup: [u8; 32],
    column_vars: usize,
    /// The network, but for its scales.
    graph: Graph,
    weight_bits: u32,
}

impl Meaning {
    fn of(job: &JobStatement) -> Self {
        let JobStatement { setup, column_vars, architecture, .. } = job;
        let (graph, weight_bits) = (architecture.graph().without_scales(), architecture.precision().weight_bits());
        Self { setup: setup.digest, column_vars: *column_vars, graph, weight_bits }
    }
}

/// A segment whose proof was read.
#[derive(Clone, Debug)]
pub struct NextSegment {
    /// What it has to prove.
    pub statement: Statement,
    /// The proof.
    pub proof: Proof,
    /// Commitments to the parameters that it leaves.
    pub last: Vec<G1Affine>,
}

impl<'a> JobVerifier<'a> {
    /// A verifier that has checked nothing but that `job` is possible and `key` its key.
    ///
    /// # Errors
    /// [`Check::Key`] at [`Part::Statement`].
    pub fn new(key: &'a VerifyingKey, job: &'a JobStatement, judge: &mut impl Judge) -> Result<Self, JobRejection> {
        let same = job.validate().is_ok()
            && job.architecture == *key.architecture()
            && job.column_vars == key.column_vars
            && job.proof == key.kind()
            && job.setup.digest == key.setup.digest()
            && job.setup.insecure == key.setup.is_insecure()
            && job.verifying_key == key.digest()
            && job.first_parameters.len() == key.relations(Subject::Segment).layout.group(Group::First).len();
        judge.require(Check::Key, same).map_err(at(Part::Statement))?;
        let registered = BTreeSet::new();
        Ok(Self { key, job, parameters: job.first_parameters.clone(), segments: 0, registered })
    }

    /// A verifier of a job from its beginning: one with a parent begins where `from` stands.
    ///
    /// # Errors
    /// As those of [`Self::new`] and [`Self::inherit`]; a parent that is missing is [`Check::Parent`].
    pub fn begin(
        key: &'a VerifyingKey,
        job: &'a JobStatement,
        from: Option<&Inheritance>,
        judge: &mut impl Judge,
    ) -> Result<Self, JobRejection> {
        let mut verifier = Self::new(key, job, judge)?;
        match (&job.parent, from) {
            (None, None) => {}
            (_, Some(from)) => verifier.inherit(from, judge)?,
            (Some(_), None) => judge.require(Check::Parent, false).map_err(at(Part::Parameters))?,
        }
        Ok(verifier)
    }

    /// Checks that the job begins where its parent stands, which takes the place of a registration of its first parameters.
    ///
    /// # Soundness
    /// What the registration would say follows from the parent's: padding of parameters has no gradient, so that it stays
    /// zero, and updates within the limits of a job are too small for any number of generations to wrap around. The
    /// commitments mean the same only under the same powers of τ, in the same columns, for the same network and scale.
    ///
    /// # Errors
    /// [`Check::Parent`] at [`Part::Parameters`].
    pub fn inherit(&mut self, from: &Inheritance, judge: &mut impl Judge) -> Result<(), JobRejection> {
        let same = self.job.parent == Some(from.parent)
            && self.job.first_parameters == from.parameters
            && Meaning::of(self.job) == from.meaning;
        judge.require(Check::Parent, same).map_err(at(Part::Parameters))?;
        self.registered.insert(Part::Parameters);
        Ok(())
    }

    /// Where the job stands, for another one that goes on from there; none before every registration and a segment, of all
    /// those before it too, have been checked.
    pub fn inheritance(&self) -> Option<Inheritance> {
        let segments = self.segments as usize;
        let parent = Parent { statement: self.job.digest(), segments };
        let complete = self.registered.len() == 1 + self.job.positions() && segments > 0;
        complete.then(|| Inheritance { parent, parameters: self.parameters.clone(), meaning: Meaning::of(self.job) })
    }

    /// Every part that has a proof, in order. The first parameters of a job with a parent have none: see [`Self::inherit`].
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let segments = (0..self.job.segments() as u64).map(Part::Segment);
        self.registrations().chain(segments)
    }

    /// The parts that are checked before a job starts.
    pub fn registrations(&self) -> impl Iterator<Item = Part> + use<> {
        let parameters = self.job.parent.is_none().then_some(Part::Parameters);
        parameters.into_iter().chain((0..self.job.positions() as u64).map(Part::Data))
    }

    /// The statement that proofs are checked against.
    pub fn job(&self) -> &JobStatement {
        self.job
    }

    /// Commitments to the parameters after the segments that have been checked.
    pub fn parameters(&self) -> &[G1Affine] {
        &self.parameters
    }

    /// Checks the proof of one part; segments are checked in order, without a gap.
    ///
    /// # Soundness
    /// All values of the statement that the proof is checked against are computed from that of the job, but for the
    /// commitments to the last parameters, which the proof is free to name.
    ///
    /// # Errors
    /// The check that failed.
    pub fn check(&mut self, part: Part, proof: &[u8], judge: &mut impl Judge) -> Result<(), JobRejection> {
        let surplus = Rejection { check: Check::Missing };
        let checked = match part {
            Part::Statement => Err(surplus),
            Part::Parameters if self.job.parent.is_some() => Err(surplus),
            Part::Parameters => self.registration(Subject::Parameters, 0, proof, judge),
            Part::Data(position) => match usize::try_from(position) {
                Ok(position) if position < self.job.positions() => {
                    self.registration(Subject::Data, position, proof, judge)
                }
                _ => Err(surplus),
            },
            Part::Segment(index) if index == self.segments => self.segment(proof, judge),
            Part::Segment(_) => Err(surplus),
        };
        checked.map_err(at(part))?;
        if !matches!(part, Part::Segment(_)) {
            self.registered.insert(part);
        }
        Ok(())
    }

    fn registration(
        &self,
        subject: Subject,
        position: usize,
        proof: &[u8],
        judge: &mut impl Judge,
    ) -> Result<(), Rejection> {
        let missing = Rejection { check: Check::Missing };
        let (statement, first) = match subject {
            Subject::Parameters => (self.job.parameters(self.key), self.job.first_parameters.as_slice()),
            Subject::Data => (self.job.data(self.key, position).ok_or(missing)?, [].as_slice()),
            Subject::Segment => return Err(missing),
        };
        verify(self.key, &statement, first, &self.decode(subject, proof)?, judge)
    }

    fn segment(&mut self, proof: &[u8], judge: &mut impl Judge) -> Result<(), Rejection> {
        let NextSegment { statement, proof, last } = self.next_segment(proof)?;
        verify(self.key, &statement, &self.parameters, &proof, judge)?;
        self.parameters = last;
        self.segments += 1;
        Ok(())
    }

    /// Reads the proof of the segment that comes next, and checks nothing but its form.
    ///
    /// # Errors
    /// [`Check::Encoding`], or [`Check::Missing`] after the last segment.
    pub fn next_segment(&self, proof: &[u8]) -> Result<NextSegment, Rejection> {
        let proof = self.decode(Subject::Segment, proof)?;
        let layout = &self.key.relations(Subject::Segment).layout;
        // Data, last parameters and trace are sent in this order.
        let sent = proof.columns.get(layout.group(Group::Data).len()..).unwrap_or_default();
        let last = sent.get(..layout.group(Group::Last).len()).ok_or(Rejection { check: Check::Commitments })?.to_vec();
        let statement = self.job.segment(self.key, self.segments as usize, &self.parameters, &last);
        Ok(NextSegment { statement: statement.ok_or(Rejection { check: Check::Missing })?, proof, last })
    }

    fn decode(&self, subject: Subject, proof: &[u8]) -> Result<Proof, Rejection> {
        decode(self.key, self.job, subject, proof)
    }
}

/// Reads a proof of `job`, and checks nothing but its form.
///
/// # Errors
/// [`Check::Encoding`].
pub fn decode(key: &VerifyingKey, job: &JobStatement, subject: Subject, proof: &[u8]) -> Result<Proof, Rejection> {
    let columns = key.relations(subject).layout.group(Group::Data).len() as u64;
    let depth = match subject {
        Subject::Parameters => 0,
        _ => merkle::depth((job.epoch().segments() as u64).saturating_mul(columns)),
    };
    Proof::from_bytes(proof, key, subject, depth)
}

/// Verifies all proofs of a job: exactly one of each part, registrations first, segments in order. A job with a parent begins
/// where `from` stands.
///
/// # Errors
/// The first check that failed, and where. A proof that is missing or that belongs to no part is [`Check::Missing`].
pub fn verify_job(
    key: &VerifyingKey,
    job: &JobStatement,
    from: Option<&Inheritance>,
    proofs: &BTreeMap<Part, Vec<u8>>,
    judge: &mut impl Judge,
) -> Result<(), JobRejection> {
    let mut verifier = JobVerifier::begin(key, job, from, judge)?;
    require_all(verifier.parts(), proofs.keys(), judge)?;
    for part in verifier.parts() {
        if let Some(proof) = proofs.get(&part) {
            verifier.check(part, proof, judge)?;
        }
    }
    Ok(())
}

/// Checks that `present` are exactly the `parts` of a job, in order.
///
/// # Errors
/// [`Check::Missing`] at the first part that is missing, or that is not one of the job.
pub fn require_all<'p>(
    parts: impl Iterator<Item = Part>,
    present: impl Iterator<Item = &'p Part>,
    judge: &mut impl Judge,
) -> Result<(), JobRejection> {
    let mut present = present.copied().peekable();
    for part in parts {
        while let Some(surplus) = present.next_if(|&other| other < part) {
            judge.require(Check::Missing, false).map_err(at(surplus))?;
        }
        judge.require(Check::Missing, present.next_if_eq(&part).is_some()).map_err(at(part))?;
    }
    present.try_for_each(|surplus| judge.require(Check::Missing, false).map_err(at(surplus)))
}

fn at(part: Part) -> impl Fn(Rejection) -> JobRejection {
    move |Rejection { check }| JobRejection { part, check }
}
