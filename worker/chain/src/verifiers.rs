//! The verifiers of a key: the generated one of its circuit, and the one of segments, which asks it.

use gradproof_evm::{halo2_source, segment_key};
use gradproof_verifier::protocol::key::VerifyingKey;

use super::{Artifact, ChainError, Client, Compiler, Deployed, SegmentKey, SolValue};

const SEGMENT: (&str, &str) = ("src/core/SegmentVerifier.sol", "SegmentVerifier");
const HALO2: (&str, &str) = ("src/core/Halo2Verifier.sol", "Halo2Verifier");

/// The verifiers of a key, compiled.
#[derive(Clone, Debug)]
pub struct VerifierCode<'a> {
    pub(super) key: &'a VerifyingKey,
    pub(super) halo2: Artifact,
    pub(super) segment: Artifact,
}

/// The verifiers of a key on a chain.
#[derive(Clone, Debug)]
pub(super) struct DeployedVerifiers {
    pub halo2: Deployed,
    pub segment: Deployed,
    /// What the verifier of segments was made with.
    pub said: SegmentKey,
}

impl<'a> VerifierCode<'a> {
    /// Compiles the verifiers of a key for wrapped proofs.
    ///
    /// # Errors
    /// If the key is not for wrapped proofs, or a verifier does not compile.
    pub fn compile(compiler: &Compiler, key: &'a VerifyingKey) -> Result<Self, ChainError> {
        Self::with(compiler, key, segment_verifier(compiler)?)
    }

    /// The same where the verifier of segments is compiled already.
    pub(super) fn with(compiler: &Compiler, key: &'a VerifyingKey, segment: Artifact) -> Result<Self, ChainError> {
        let source = halo2_source(key)
            .map_err(|error| ChainError::Source(format!("the circuit's verifier cannot be written: {error}")))?;
        let halo2 = compiler.compile_generated(HALO2.0, &source, HALO2.1)?;
        Ok(Self { key, halo2, segment })
    }

    /// Length of the circuit verifier's code, in bytes.
    pub fn halo2_bytes(&self) -> usize {
        self.halo2.runtime.len()
    }

    pub(super) async fn put(&self, client: &Client) -> Result<DeployedVerifiers, ChainError> {
        let halo2 = client.deploy(&self.halo2, &[]).await?;
        let said = segment_key(self.key, halo2.address);
        let segment = client.deploy(&self.segment, &said.abi_encode()).await?;
        Ok(DeployedVerifiers { halo2, segment, said })
    }
}

/// The verifier of segments, compiled: the same for every key.
pub(super) fn segment_verifier(compiler: &Compiler) -> Result<Artifact, ChainError> {
    compiler.compile_file(SEGMENT.0, SEGMENT.1)
}
