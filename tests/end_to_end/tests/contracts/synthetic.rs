//! Proofs of arbitrary columns: commitments, digest, fold and opening are real, the argument is left out.
//!
//! That is what the contract around a circuit can check, so these proofs serve for every shape, at no cost.

use std::iter::successors;

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::scalar_mul::ScalarMul;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::Field;
use gradproof_chain::{Address, LOCAL_CHAIN, U256};
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::network::arithmetic::exponential_table;
use gradproof_circuits::network::epoch::Live;
use gradproof_circuits::relations::{Group, Subject};
use gradproof_evm::ChainProof;
use gradproof_prover::hyperkzg::open;
use gradproof_prover::randomness::fresh;
use gradproof_prover::registration::{data_paths, data_tree};
use gradproof_tests::forge::fixture;
use gradproof_tests::reference::numbers;
use gradproof_verifier::protocol::hyperkzg;
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::merkle::{self, MerkleTree};
use gradproof_verifier::protocol::points::encode_scalar;
use gradproof_verifier::protocol::powers::Setup;
use gradproof_verifier::protocol::setup::SetupKey;
use gradproof_verifier::protocol::statement::{Domain, Statement, points_digest};
use gradproof_verifier::verify::{combined, opening_transcript};

/// Entries of a column that are not zero.
const ENTRIES: usize = 16;
/// Positions of the data.
pub const POSITIONS: usize = 3;
/// What stands for a halo2 proof: not a whole number of words.
pub const HALO2: &[u8] = b"a proof of forty-five bytes, which nobody reads";

/// What a verifying key fixes.
pub struct Shape {
    pub architecture: Architecture,
    pub column_vars: usize,
    pub data: usize,
    pub parameters: usize,
    pub trace: usize,
    pub tables: Vec<G1Affine>,
    pub table_values: Vec<Vec<Fr>>,
    pub key: [u8; 32],
    pub setup: Setup,
}

/// Columns of one group.
#[derive(Clone)]
pub struct Columns {
    values: Vec<Vec<Fr>>,
    blindings: Vec<Fr>,
    pub points: Vec<G1Affine>,
}

impl Shape {
    /// The shape of the fixture: narrow columns, the table's first column and fifteen more, all zero.
    pub fn fixture() -> Self {
        let key = &fixture().key;
        let layout = &key.relations(Subject::Segment).layout;
        let count = |group| layout.group(group).len();
        assert_eq!(count(Group::First), count(Group::Last));
        Self::new(key.column_vars, [count(Group::Data), count(Group::First), count(Group::Trace)], key.digest())
    }

    /// A shape of so many data, parameter and trace columns.
    ///
    /// Only the first powers of τ are right: no entry after them is anything but zero.
    pub fn new(column_vars: usize, [data, parameters, trace]: [usize; 3], key: [u8; 32]) -> Self {
        let architecture = fixture().task.architecture.clone();
        let table = exponential_table(architecture.precision());
        let table_values: Vec<Vec<Fr>> =
            table.chunks(1 << column_vars).map(|column| column.iter().map(|&e| Fr::from(e)).collect()).collect();
        let mut setup = Setup { powers: fixture().setup.powers.clone(), key: SetupKey::insecure() };
        setup.powers.resize(setup.powers.len().max(1 << column_vars), G1Affine::generator());
        let tables = table_values.iter().map(|values| commit(&setup, values, Fr::from(0))).collect();
        Self { architecture, column_vars, data, parameters, trace, tables, table_values, key, setup }
    }

    /// The shape of the fixture under the set-up of a ceremony that came to this τ.
    pub fn ceremony(tau: Fr) -> Self {
        let mut shape = Self::fixture();
        let powers: Vec<Fr> =
            successors(Some(Fr::from(1)), |power| Some(tau * power)).take(1 << shape.column_vars).collect();
        shape.setup.powers = G1Projective::generator().batch_mul(&powers);
        shape.setup.key = SetupKey::ceremony((G2Affine::generator() * tau).into_affine());
        shape.tables = shape.table_values.iter().map(|values| commit(&shape.setup, values, Fr::from(0))).collect();
        shape
    }

    /// `count` columns with numbers from `seed`, freshly blinded.
    pub fn columns(&self, seed: u64, count: usize) -> Columns {
        let numbers = numbers(seed, 1 << 20, count * ENTRIES);
        let values: Vec<Vec<Fr>> =
            numbers.chunks(ENTRIES).map(|column| column.iter().map(|&n| Fr::from(n)).collect()).collect();
        let blindings = fresh(count).expect("the system has randomness");
        let points = values.iter().zip(&blindings).map(|(values, s)| commit(&self.setup, values, *s)).collect();
        Columns { values, blindings, points }
    }
}

fn commit(setup: &Setup, values: &[Fr], blinding: Fr) -> G1Affine {
    let terms = values.iter().zip(&setup.powers).filter(|(value, _)| **value != Fr::from(0));
    let sum = terms.fold(setup.key.blinder * blinding, |sum, (value, power)| sum + *power * value);
    sum.into_affine()
}

/// A job's data and first parameters.
pub struct Job<'a> {
    pub shape: &'a Shape,
    pub data: Vec<Columns>,
    pub tree: MerkleTree,
    pub first: Columns,
    pub epoch_segments: u64,
}

/// A proof with what a contract will make of it.
#[derive(Clone)]
pub struct Proved {
    pub statement: Statement,
    pub bytes: Vec<u8>,
    pub instances: Vec<U256>,
    pub reduced: Reduced<Fr>,
}

impl<'a> Job<'a> {
    /// A job with data of its own at every position.
    pub fn new(shape: &'a Shape) -> Self {
        let data: Vec<Columns> =
            (0..POSITIONS as u64).map(|position| shape.columns(10 + position, shape.data)).collect();
        let tree = data_tree(&data.iter().map(|columns| columns.points.clone()).collect::<Vec<_>>());
        let first = shape.columns(20, shape.parameters);
        Self { shape, data, tree, first, epoch_segments: POSITIONS as u64 }
    }

    /// The statement about segment `index`; the last of an epoch has two steps, the last with one row.
    pub fn statement(&self, domain: Domain, index: u64, first: &Columns) -> Statement {
        let shape = self.shape;
        let position = index % self.epoch_segments;
        let whole = position + 1 < self.epoch_segments;
        let live = if whole {
            Live { steps: shape.architecture.steps(), last_rows: shape.architecture.batch() }
        } else {
            Live { steps: 2, last_rows: 1 }
        };
        Statement {
            domain,
            segment: index,
            key: shape.key,
            setup: shape.setup.key.digest(),
            column_vars: shape.column_vars,
            tables: points_digest(&shape.tables),
            data_root: self.tree.root(),
            epoch_segments: self.epoch_segments,
            position,
            rate: 7,
            first: points_digest(&first.points),
            ..Statement::blank(&fixture().key, Subject::Segment, live)
        }
    }

    /// A proof of `statement`, whose last digest is filled in; its data are those of the statement's position.
    pub fn prove(&self, statement: Statement, first: &Columns) -> Proved {
        let position = statement.position % self.data.len() as u64;
        self.prove_with(statement, first, position)
    }

    /// The same with the data of `position`, whatever the statement says.
    pub fn prove_with(&self, mut statement: Statement, first: &Columns, position: u64) -> Proved {
        let shape = self.shape;
        let data = &self.data[position as usize];
        let paths = data_paths(&self.tree, data.points.len(), position);
        let last = shape.columns(30 + statement.segment, shape.parameters);
        let trace = shape.columns(40, shape.trace);
        statement.last = points_digest(&last.points);

        let mask: Vec<Fr> = fresh(ENTRIES).expect("the system has randomness");
        let rest: Vec<Fr> = fresh(shape.column_vars + 2).expect("the system has randomness");
        let mask_point = commit(&shape.setup, &mask, rest[0]);
        let points = [&data.points[..], &first.points, &last.points, &trace.points, &shape.tables].concat();
        let digest = statement.digest(&mask_point, &points);

        let combine = rest[1];
        let mut polynomial = mask;
        polynomial.resize(1 << shape.column_vars, Fr::from(0));
        let (mut blinding, mut power) = (rest[0], Fr::from(1));
        let values = [data, first, &last, &trace].into_iter().flat_map(|columns| &columns.values);
        let blindings = [data, first, &last, &trace].into_iter().flat_map(|columns| columns.blindings.clone());
        let blindings = blindings.chain(std::iter::repeat(Fr::from(0)));
        for (column, s) in values.chain(&shape.table_values).zip(blindings) {
            power *= combine;
            blinding += power * s;
            polynomial.iter_mut().zip(column).for_each(|(sum, value)| *sum += power * value);
        }
        let point = rest[2..].to_vec();
        let value = evaluate(&polynomial, &point);
        let reduced = Reduced { point, value, combine };
        let commitment = combined(&shape.setup.key, &mask_point, &points, &combine, &blinding);
        let mut transcript = opening_transcript(digest, &reduced, &blinding, &commitment);
        let opening =
            open(&shape.setup, polynomial, &reduced.point, &mut transcript).expect("the set-up is long enough");

        let columns = [&data.points[..], &last.points, &trace.points].concat();
        let bytes = ChainProof {
            first: &first.points,
            mask: &mask_point,
            columns: &columns,
            paths: &paths,
            combine: &reduced.combine,
            value: &reduced.value,
            point: &reduced.point,
            blinding: &blinding,
            opening: &opening,
            halo2: HALO2,
        }
        .to_bytes();
        let instances = instances(&statement, &digest, &reduced);
        Proved { statement, bytes, instances, reduced }
    }

    /// A tree in which the leaf of data column `index` at `position` is of these bytes, and the paths of that position.
    pub fn tree_with(&self, position: u64, index: usize, point: &[u8]) -> MerkleTree {
        let place = position as usize * self.shape.data + index;
        let leaves = self.data.iter().zip(0u64..).flat_map(|(columns, position)| {
            columns.points.iter().zip(0u64..).map(move |(point, index)| merkle::leaf(position, index, point))
        });
        let mut leaves: Vec<merkle::Hash> = leaves.collect();
        leaves[place] = keccak256(&[&[0], &position.to_be_bytes(), &(index as u64).to_be_bytes(), point]);
        MerkleTree::new(leaves)
    }
}

/// The instances of a circuit: digest in two halves, the statement's numbers, and what the argument came to.
pub fn instances(statement: &Statement, digest: &[u8; 32], reduced: &Reduced<Fr>) -> Vec<U256> {
    let (high, low) = digest.split_at(16);
    let numbers =
        [u64::from(statement.rate), statement.position, statement.live.steps as u64, statement.live.last_rows as u64];
    let halves = [high, low].map(U256::from_be_slice);
    let scalars = [reduced.combine, reduced.value].into_iter().chain(reduced.point.clone());
    let scalars = scalars.map(|scalar| U256::from_be_bytes(encode_scalar(&scalar)));
    halves.into_iter().chain(numbers.map(U256::from)).chain(scalars).collect()
}

/// The multilinear extension of a table at a point, the first variable for the most significant bit.
fn evaluate(table: &[Fr], point: &[Fr]) -> Fr {
    let mut table = table.to_vec();
    for u in point {
        let (low, high) = table.split_at(table.len() / 2);
        table = low.iter().zip(high).map(|(a, b)| *a + *u * (*b - a)).collect();
    }
    table[0]
}

/// A domain in which `contract` settles on the local chain.
pub fn domain(contract: Address) -> Domain {
    Domain { chain: LOCAL_CHAIN, contract: contract.into(), job: [0x21; 32], owner: [0x22; 20] }
}

/// Where the parts of a proof begin: first, mask, data, last, trace, paths, scalars, s, folds, evaluations, W, halo2.
pub fn offsets(shape: &Shape) -> [usize; 12] {
    offsets_of(shape, POSITIONS)
}

/// The same for an epoch of so many positions.
pub fn offsets_of(shape: &Shape, positions: usize) -> [usize; 12] {
    let n = shape.column_vars;
    let levels = merkle::depth((positions * shape.data) as u64);
    let sizes = [
        64 * shape.parameters,
        64,
        64 * shape.data,
        64 * shape.parameters,
        64 * shape.trace,
        32 * levels * shape.data,
        32 * (n + 2),
        32,
        64 * hyperkzg::folds(n),
        32 * hyperkzg::evaluations(n),
        128,
    ];
    let mut offsets = [0; 12];
    for (i, size) in sizes.iter().enumerate() {
        offsets[i + 1] = offsets[i] + size;
    }
    offsets
}

/// Evaluations that lead to the value whatever the challenge: of folds that are constants, `p_(i+1) = Π (1 - u)·p_i`.
pub fn consistent_evaluations(reduced: &Reduced<Fr>) -> Vec<Fr> {
    let product: Fr = reduced.point.iter().map(|u| Fr::from(1) - u).product();
    let first = reduced.value * product.inverse().expect("the point is random");
    // All b_(i,j) that are sent are zero: the lowest one is p_i.
    let mut evaluations = vec![Fr::from(0); hyperkzg::evaluations(reduced.point.len())];
    evaluations[0] = first;
    evaluations
}
