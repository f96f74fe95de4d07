//! The prover of the look-up argument: a tree of fractions, and one sumcheck a layer.

mod fingerprints;
mod layer;
mod leaves;
mod sumcheck;

use std::collections::VecDeque;

use ark_bn254::Fr;
use gradproof_circuits::relations::Tree;

use crate::kernels::packed::Packed;
use crate::witness::{Witness, WitnessError};
use layer::Layer;
use sumcheck::LayerSumcheck;

/// The tree of fractions and the running sumcheck.
pub struct LookupProver {
    /// From the root's children down to the leaves; the layer in work is taken off the front.
    layers: VecDeque<Layer>,
    running: Option<LayerSumcheck>,
}

impl LookupProver {
    /// Builds the tree of `witness` for the challenges γ and η.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn new(witness: &Witness, tree: &Tree, offset: Fr, combine: Fr) -> Result<Self, WitnessError> {
        let mut layers = VecDeque::from([fingerprints::lowest_layer(witness, tree, offset, combine)?]);
        for _ in 1..tree.vars {
            let next = layers[0].parents();
            layers.push_front(next);
        }
        Ok(Self { layers, running: None })
    }

    /// The two fractions below the root: `n0 n1 d0 d1`.
    pub fn root(&mut self) -> Vec<Fr> {
        let Some(layer) = self.layers.pop_front() else { return vec![] };
        let [[n0, n1, ..], [d0, d1, ..]] = layer.group(0).map(Packed::elements);
        vec![n0, n1, d0, d1]
    }

    /// Begins the sumcheck over the next layer's fractions, whose sums are claimed at `point`.
    pub fn begin_layer(&mut self, point: &[Fr], weight: Fr) {
        self.running = self.layers.pop_front().map(|children| LayerSumcheck::new(children, point, weight));
    }

    /// One round: see [`gradproof_circuits::argument::sumcheck::eq_sumcheck`].
    pub fn round(&mut self, challenge: Option<Fr>, claim: Fr, eq: Fr) -> Vec<Fr> {
        let Some(running) = &mut self.running else { return vec![] };
        running.round(challenge, claim, eq)
    }

    /// The children's fractions where the sumcheck ended.
    pub fn children(&mut self, challenge: Fr) -> Vec<Fr> {
        let Some(running) = self.running.take() else { return vec![] };
        running.children(challenge)
    }
}
