//! A job that was trained, and real proofs of its segments for wherever it counts.

use ark_bn254::{Fr, G1Affine};
use gradproof_chain::B256;
use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_circuits::trace::{Parameters, SegmentTrace};
use gradproof_evm::ChainProof;
use gradproof_prover::columns::columns_in;
use gradproof_prover::commit::{Committed, commit};
use gradproof_prover::prove::{Inputs, prove};
use gradproof_prover::randomness::{Use, derived};
use gradproof_prover::registration::{Blinding, commit_data, commit_parameters, data_paths, data_tree};
use gradproof_prover::witness::Witness;
use gradproof_tests::forge::{fixture, wrapped};
use gradproof_training::data::DataSet;
use gradproof_training::job::{ColumnLength, InitialWeights, Job, RateChange};
use gradproof_training::kernels::Cpu;
use gradproof_training::parameters::{initial_parameters, seed_of};
use gradproof_training::train::{SegmentPlan, train_segment};
use gradproof_verifier::protocol::job::{DataStatement, JobStatement, SetupStatement, VERSION, last_seed_digest};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::merkle::MerkleTree;
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::{Domain, points_digest};

/// Segments of the shorter job: two of the first epoch, one of the second, at another rate.
pub const SEGMENTS: usize = 3;
/// Segments of the longer one.
pub const LONG_SEGMENTS: usize = 6;
/// Seed of the blindings that requester and provider share.
const SEED: [u8; 32] = [0x5e; 32];
/// The same for a job that goes on from another.
const NEXT_SEED: [u8; 32] = [0x5f; 32];

/// What opens a commitment to parameters.
#[derive(Clone)]
pub struct Opening {
    pub parameters: Parameters,
    pub blindings: Vec<Fr>,
}

/// A job, its commitments, and the traces of its segments.
pub struct Trained {
    pub job: Job,
    pub statement: JobStatement,
    data: Vec<Committed>,
    tree: MerkleTree,
    first: Committed,
    seed: [u8; 32],
    traces: Vec<SegmentTrace>,
}

fn key() -> &'static VerifyingKey {
    &wrapped().1
}

/// The fixture's network on 17 rows: an epoch of four steps and of two, of which the last has two rows of three.
fn job(steps: usize) -> Job {
    let architecture = fixture().task.architecture.clone();
    let (rows, width) = (17, architecture.inputs());
    let inputs = (0..rows * width).map(|i| (i * i % 199) as i16).collect();
    let labels = (0..rows).map(|row| (row % 3) as u16).collect();
    Job {
        train: DataSet { rows, width, inputs, labels, classes: architecture.classes(), ..DataSet::default() },
        test: None,
        steps,
        rates: [(0, 2), (2, 1)].map(|(from_segment, rate)| RateChange { from_segment, rate }).to_vec(),
        initial_weights: InitialWeights::Seed(7),
        columns: ColumnLength::Bits(key().column_vars),
        notes: vec![],
        architecture,
    }
}

/// Trains segment `index` from `first`, as provider and validators do.
pub fn rerun(job: &Job, index: usize, first: &Parameters) -> SegmentTrace {
    let segment = job.segment(index).expect("the job has it");
    let rows = job.segment_rows(segment.position).expect("the epoch has it");
    let first_step = job.steps_before(index) as u64;
    let plan = SegmentPlan { live: segment.live, rate: segment.rate, first_step };
    train_segment(&job.architecture, plan, &Cpu, &mut first.clone(), rows.inputs, rows.labels, &mut |_| ())
        .expect("no value leaves its range")
}

impl Opening {
    /// Of the parameters after segment `index` of the first job, with the blindings that follow from the shared seed.
    pub fn after(index: usize, parameters: &Parameters) -> Self {
        Self::with(&SEED, index, parameters)
    }

    fn with(seed: &[u8; 32], index: usize, parameters: &Parameters) -> Self {
        let columns = key().relations(Subject::Segment).layout.group(Group::Last).len();
        // The job of these tests counts in several places with one training; a job of the programs has a seed for each.
        let purpose = Use::LastParameters { statement: &[0; 32], segment: index as u64 };
        let blindings = derived(seed, purpose, columns);
        Self { parameters: parameters.clone(), blindings }
    }

    /// The commitments that it opens. Parameters lie alike at both ends of a segment.
    fn commitments(&self) -> Committed {
        let witness = Witness::of_parameters(key().architecture(), &self.parameters).expect("they fit");
        let layout = &key().relations(Subject::Parameters).layout;
        let columns = columns_in(layout, &witness, layout.group(Group::First)).expect("the witness has all tensors");
        commit(&fixture().setup, &columns, self.blindings.clone()).expect("the set-up is long enough")
    }

    /// Their digest: what a provider claims.
    pub fn digest(&self) -> B256 {
        points_digest(&self.commitments().points).into()
    }
}

impl Trained {
    /// Commits to data and first parameters, and trains all segments. The job counts nowhere yet.
    pub fn new() -> Self {
        let trained = Self::of(job(4 + 2 + 4));
        assert_eq!(trained.statement.segments(), SEGMENTS);
        trained
    }

    /// The same for three whole epochs, of two segments each.
    pub fn long() -> Self {
        let trained = Self::of(job(3 * (4 + 2)));
        assert_eq!(trained.statement.segments(), LONG_SEGMENTS);
        trained
    }

    fn of(job: Job) -> Self {
        let (key, setup) = (key(), &fixture().setup);
        let weights = initial_parameters(&job.architecture, seed_of(7));
        let witness = Witness::of_parameters(key.architecture(), &weights).expect("they fit");
        let first =
            commit_parameters(key, setup, &witness, Blinding::Seed(&seed_of(7))).expect("the set-up is long enough");
        let data = |position: usize| {
            let rows = job.segment_rows(position).expect("the epoch has it");
            let witness = Witness::of_data(&job.architecture, &rows.inputs, &rows.labels);
            commit_data(key, setup, &witness, &SEED, position as u64).expect("the set-up is long enough")
        };
        let data: Vec<Committed> = (0..job.epoch().segments()).map(data).collect();
        let mut trained = Self::train(job, data, first, &weights, SEED);
        trained.statement.initial_seed = Some(7);
        trained
    }

    /// The same training after segment `index`, as a job of its own: two segments more, of which the first begins an epoch.
    pub fn going_on(&self, index: usize) -> Self {
        let mut job = job(4 + 2);
        job.rates.truncate(1);
        let opening = self.opening(index);
        Self::train(job, self.data.clone(), opening.commitments(), &opening.parameters, NEXT_SEED)
    }

    fn train(job: Job, data: Vec<Committed>, first: Committed, weights: &Parameters, seed: [u8; 32]) -> Self {
        let key = key();
        let points: Vec<_> = data.iter().map(|position| position.points.clone()).collect();
        let tree = data_tree(&points);
        let statement = JobStatement {
            version: VERSION,
            domain: Domain::default(),
            architecture: job.architecture.clone(),
            column_vars: key.column_vars,
            proof: key.kind(),
            setup: SetupStatement { digest: key.setup.digest(), insecure: key.setup.is_insecure() },
            verifying_key: key.digest(),
            data: DataStatement { root: tree.root(), rows: job.train.rows, order: [0; 32] },
            steps: job.steps,
            rates: job.rates.clone(),
            first_parameters: first.points.clone(),
            initial_seed: None,
            last_seed_digest: last_seed_digest(&seed),
            parent: None,
        };
        statement.validate().expect("the job is valid");
        let mut traces: Vec<SegmentTrace> = Vec::new();
        for index in 0..statement.segments() {
            let first = traces.last().map_or(weights, |trace| &trace.last);
            traces.push(rerun(&job, index, first));
        }
        Self { job, statement, data, tree, first, seed, traces }
    }

    /// The parameters before segment `index`.
    pub fn before(&self, index: usize) -> &Parameters {
        &self.traces[index].first
    }

    /// What opens the commitment to the parameters after segment `index`.
    pub fn opening(&self, index: usize) -> Opening {
        Opening::with(&self.seed, index, &self.traces[index].last)
    }

    /// What a provider claims of all segments from `from` on.
    pub fn lasts(&self, from: usize) -> Vec<B256> {
        (from..self.traces.len()).map(|index| self.opening(index).digest()).collect()
    }

    /// A wrapped proof of segment `index` for where `domain` says, as the contract takes it.
    pub fn prove(&self, index: usize, domain: Domain) -> Vec<u8> {
        let (first, proof) = self.proof(index, domain);
        ChainProof::of(&first, &proof).expect("it is wrapped").to_bytes()
    }

    /// The same, with the commitments to the parameters that it begins with.
    pub fn proof(&self, index: usize, domain: Domain) -> (Vec<G1Affine>, Proof) {
        let (wrappers, key) = wrapped();
        let relations = key.relations(Subject::Segment);
        let mut witness = Witness::of_segment(&self.job.architecture, &self.traces[index]).expect("the trace fits");
        witness.count_lookups(&relations.tree).expect("every value is in its table");
        let first = match index.checked_sub(1) {
            Some(earlier) => self.opening(earlier).commitments(),
            None => self.first.clone(),
        };
        let statement = JobStatement { domain, ..self.statement.clone() };
        let statement = statement.segment(key, index, &first.points, &[]).expect("the job has it");
        let position = statement.position;
        let data = self.data[position as usize].clone();
        let job = Inputs {
            key,
            setup: &fixture().setup,
            paths: data_paths(&self.tree, data.points.len(), position),
            data,
            first: first.clone(),
            last_blindings: self.opening(index).blindings,
            statement,
        };
        let proved = prove(job, &witness, Strict).expect("the witness is honest");
        assert_eq!(proved.last.points, self.opening(index).commitments().points);
        let wrapper = wrappers.get(Subject::Segment);
        let proof = wrapper.wrap(relations, &proved.publics, proved.proof).expect("a core proof");
        (first.points, proof)
    }
}
