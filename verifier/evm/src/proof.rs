//! A wrapped proof as a contract takes it: the layout of "The proof on chain" in `docs/statement.md`.

use ark_bn254::{Fr, G1Affine};
use gradproof_circuits::argument::Reduced;
use gradproof_verifier::protocol::hyperkzg::Opening;
use gradproof_verifier::protocol::merkle::Hash;
use gradproof_verifier::protocol::points::{encode_g1, encode_scalar};
use gradproof_verifier::protocol::proof::{Argument, Proof};

/// The parts of a proof for the contract `SegmentVerifier`.
#[derive(Clone, Copy, Debug)]
pub struct ChainProof<'a> {
    /// Commitments to the first parameters, of which the contract has stored the digest.
    pub first: &'a [G1Affine],
    /// Commitment to the random column.
    pub mask: &'a G1Affine,
    /// Commitments to the columns that the contract does not know: data, last parameters, trace, in this order.
    pub columns: &'a [G1Affine],
    /// For each data column, the siblings of its leaf, lowest first.
    pub paths: &'a [Vec<Hash>],
    /// ρ, by which the columns are combined.
    pub combine: &'a Fr,
    /// Value of the combined columns.
    pub value: &'a Fr,
    /// Where they have it: r*.
    pub point: &'a [Fr],
    /// The combined blinding s.
    pub blinding: &'a Fr,
    /// The opening of the combined columns.
    pub opening: &'a Opening,
    /// The proof of the circuit.
    pub halo2: &'a [u8],
}

impl<'a> ChainProof<'a> {
    /// The parts of a wrapped `proof`, whose first parameters are committed to in `first`; none of a core proof.
    pub fn of(first: &'a [G1Affine], proof: &'a Proof) -> Option<Self> {
        let Argument::Wrapped { reduced: Reduced { point, combine, value }, halo2 } = &proof.argument else {
            return None;
        };
        let Proof { mask, columns, paths, blinding, opening, .. } = proof;
        Some(Self { first, mask, columns, paths, combine, value, point, blinding, opening, halo2 })
    }

    /// The proof as bytes, without counts: the contract knows them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let points = |points: &[G1Affine]| points.iter().flat_map(encode_g1).collect::<Vec<u8>>();
        let scalars = |scalars: &[Fr]| scalars.iter().flat_map(encode_scalar).collect::<Vec<u8>>();
        bytes.extend(points(self.first));
        bytes.extend(encode_g1(self.mask));
        bytes.extend(points(self.columns));
        bytes.extend(self.paths.iter().flatten().flatten());
        bytes.extend(encode_scalar(self.combine));
        bytes.extend(encode_scalar(self.value));
        bytes.extend(scalars(self.point));
        bytes.extend(encode_scalar(self.blinding));
        bytes.extend(points(&self.opening.folds));
        bytes.extend(scalars(&self.opening.evaluations));
        bytes.extend(encode_g1(&self.opening.quotient));
        bytes.extend(encode_g1(&self.opening.shifted_quotient));
        bytes.extend(self.halo2);
        bytes
    }
}
