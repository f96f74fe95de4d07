//! What a wrapped proof makes public, its halo2 proof aside: all that a reader has who was not told the witness.

use std::collections::BTreeSet;

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};
use gradproof_circuits::argument::transcript::Stored;
use gradproof_circuits::argument::{self, Reduced};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Judge, Rejection, Strict};
use gradproof_circuits::relations::{Group, Subject};
use gradproof_prover::prove::{Inputs, Proved, prove};
use gradproof_prover::randomness::{Use, derived};
use gradproof_prover::registration::{Blinding, commit_data, commit_parameters, data_paths, data_tree};
use gradproof_prover::witness::Witness;
use gradproof_verifier::protocol::hyperkzg::Opening;
use gradproof_verifier::protocol::merkle::{self, Hash};
use gradproof_verifier::protocol::proof::Proof;
use gradproof_verifier::protocol::statement::{Statement, points_digest};
use gradproof_verifier::verify::{ProofCommitments, opening};

use crate::forge::{Fixture, SEED, fixture};
use crate::judges::Careless;

/// A segment's proof without the messages of its argument: of these there is only what the argument comes to.
#[derive(Clone, Debug)]
pub struct Published {
    /// The statement.
    pub statement: Statement,
    /// Paths of the data's leaves.
    pub paths: Vec<Vec<Hash>>,
    /// Commitment to the random column.
    pub mask: G1Affine,
    /// Commitments to all columns in the order of the layout.
    pub columns: Vec<G1Affine>,
    /// `ρ`, `r*` and `v`.
    pub reduced: Reduced<Fr>,
    /// The combined blinding `s`.
    pub blinding: Fr,
    /// The opening of the combined columns.
    pub opening: Opening,
}

impl Published {
    /// What is public of a proof about a segment of the fixture.
    ///
    /// # Panics
    /// If the messages are not those of a proof.
    pub fn of(statement: &Statement, first: &[G1Affine], proof: &Proof) -> Self {
        let key = &fixture().key;
        let relations = key.relations(Subject::Segment);
        let (data, rest) = proof.columns.split_at(relations.layout.group(Group::Data).len());
        let columns = [data, first, rest, &key.tables].concat();
        let publics = statement.publics(&statement.digest(&proof.mask, &columns));
        let mut stored = Stored { rest: proof.messages() };
        let reduced = argument::verify(&mut Native { judge: Careless }, &mut stored, relations, &publics)
            .expect("a proof has all messages");
        let (blinding, opening) = (proof.blinding, proof.opening.clone());
        Self {
            statement: statement.clone(),
            paths: proof.paths.clone(),
            mask: proof.mask,
            columns,
            reduced,
            blinding,
            opening,
        }
    }

    /// The digest that the argument begins with.
    pub fn digest(&self) -> [u8; 32] {
        self.statement.digest(&self.mask, &self.columns)
    }

    /// Commitments to the columns of `group`.
    pub fn group(&self, group: Group) -> &[G1Affine] {
        self.columns.get(fixture().key.relations(Subject::Segment).layout.group(group)).unwrap_or_default()
    }

    /// Everything that the verifier of a wrapped proof checks, but for the halo2 proof.
    ///
    /// # Errors
    /// The check that failed.
    pub fn verify(&self) -> Result<(), Rejection> {
        let (said, key) = (&self.statement, &fixture().key);
        let tied = said.key == key.digest()
            && said.setup == key.setup.digest()
            && said.tables == points_digest(&key.tables)
            && key.tables == self.group(Group::Table)
            && said.first == points_digest(self.group(Group::First))
            && said.last == points_digest(self.group(Group::Last));
        Strict.require(Check::Key, tied)?;
        let data = self.group(Group::Data);
        let depth = merkle::depth(said.epoch_segments * data.len() as u64);
        Strict.require(Check::Commitments, self.paths.len() == data.len())?;
        for (index, (point, path)) in (0u64..).zip(data.iter().zip(&self.paths)) {
            let leaf = merkle::leaf(said.position, index, point);
            let at = said.position * data.len() as u64 + index;
            Strict.require(Check::DataLeaf, merkle::verify(&said.data_root, depth, at, leaf, path))?;
        }
        let commitments = ProofCommitments { digest: self.digest(), mask: &self.mask, columns: &self.columns };
        opening(&key.setup, commitments, &self.reduced, &self.blinding, &self.opening, &mut Strict)
    }

    /// How many values there are of each kind.
    pub fn shape(&self) -> Vec<usize> {
        let Opening { folds, evaluations, .. } = &self.opening;
        let paths = self.paths.iter().map(Vec::len);
        let counts = [self.statement.to_bytes().len(), self.columns.len(), self.reduced.point.len()];
        counts.into_iter().chain([folds.len(), evaluations.len()]).chain(paths).collect()
    }

    /// The commitments that a prover makes anew in each attempt: not those to data, parameters and tables.
    ///
    /// # Panics
    /// If one is the point at infinity.
    pub fn fresh_points(&self) -> BTreeSet<BigInt<4>> {
        let Opening { folds, quotient, shifted_quotient, .. } = &self.opening;
        let ends = [self.mask, *quotient, *shifted_quotient];
        let points = ends.iter().chain(self.group(Group::Trace)).chain(folds);
        points.map(|point| point.x().expect("not at infinity").into_bigint()).collect()
    }

    /// All scalars: `ρ`, `r*`, `v`, `s`, and those of the opening.
    pub fn scalars(&self) -> BTreeSet<BigInt<4>> {
        let Reduced { point, combine, value } = &self.reduced;
        let scalars = [combine, value, &self.blinding].into_iter().chain(point).chain(&self.opening.evaluations);
        scalars.map(|scalar| scalar.into_bigint()).collect()
    }
}

/// A proof by the prover that everyone uses, of a segment of the fixture; with the commitments to the first parameters.
///
/// # Panics
/// If the witness is not honest.
pub fn proved(witness: &Witness) -> (Proved, Vec<G1Affine>) {
    let Fixture { task, key, setup, .. } = fixture();
    let layout = &key.relations(Subject::Segment).layout;
    let committed = "the set-up is long enough";
    let data = commit_data(key, setup, &fixture().data_of(witness), &SEED, 0).expect(committed);
    let first =
        commit_parameters(key, setup, &fixture().parameters_of(witness), Blinding::Seed(&SEED)).expect(committed);
    // A second position, so that there are paths.
    let tree = data_tree(&[data.points.clone(), data.points.clone()]);
    let said = Statement {
        data_root: tree.root(),
        epoch_segments: 2,
        rate: task.rate,
        ..Statement::blank(key, Subject::Segment, task.live)
    };
    let paths = data_paths(&tree, data.points.len(), 0);
    let last_blindings =
        derived(&SEED, Use::LastParameters { statement: &SEED, segment: 0 }, layout.group(Group::Last).len());
    let points = first.points.clone();
    let job = Inputs { key, setup, statement: said, data, paths, first, last_blindings };
    (prove(job, witness, Strict).expect("the witness is honest"), points)
}

/// What is public of a fresh proof by the prover that everyone uses.
///
/// # Panics
/// If the witness is not honest.
pub fn published(witness: &Witness) -> Published {
    let (Proved { statement, proof, .. }, first) = proved(witness);
    Published::of(&statement, &first, &proof)
}
