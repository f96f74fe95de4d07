//! The transcript of a halo2 proof: [`KeccakTranscript`] from a state of zeros, as the contract repeats it.
//!
//! # Transcript
//! halo2 itself absorbs the verifying key's representative first, then the instances, then every message of the proof. A
//! proof is its points (64 bytes) and scalars (32 bytes) in the order in which they are absorbed.
//!
//! # Soundness
//! Reading accepts one encoding only: scalars and coordinates below their moduli, points on the curve, none at infinity.

use std::io::{self, Read, Write};

use gradproof_circuits::wrap::convert::{from_halo2, g1_from_halo2, g1_to_halo2, to_halo2};
use halo2_axiom::halo2curves::bn256::{Fr, G1Affine};
use halo2_axiom::transcript::{
    EncodedChallenge, Transcript, TranscriptRead, TranscriptReadBuffer, TranscriptWrite, TranscriptWriterBuffer,
};

use crate::protocol::keccak::KeccakTranscript;
use crate::protocol::points::{G1_BYTES, PointError, SCALAR_BYTES, decode_g1, decode_scalar, encode_g1, encode_scalar};

/// A challenge: the digest, reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(Fr);

impl EncodedChallenge<G1Affine> for Challenge {
    type Input = Fr;

    fn new(input: &Fr) -> Self {
        Self(*input)
    }

    fn get_scalar(&self) -> Fr {
        self.0
    }
}

fn invalid(error: PointError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The transcript of a proof that is read from `R`, or written to `W`.
#[derive(Clone, Debug)]
pub struct ProofTranscript<S> {
    keccak: KeccakTranscript,
    stream: S,
}

impl<S> ProofTranscript<S> {
    /// A transcript in which nothing was said, over the proof in `stream`.
    pub fn new(stream: S) -> Self {
        Self { keccak: KeccakTranscript::new([0; 32]), stream }
    }

    /// The stream: what is left of a proof that was read, or the proof that was written.
    pub fn into_stream(self) -> S {
        self.stream
    }
}

impl<S> Transcript<G1Affine, Challenge> for ProofTranscript<S> {
    fn squeeze_challenge(&mut self) -> Challenge {
        Challenge(to_halo2(self.keccak.challenge()))
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        let point = g1_from_halo2(point);
        if point == ark_bn254::G1Affine::identity() {
            return Err(invalid(PointError::Infinity));
        }
        self.keccak.absorb_point(&point);
        Ok(())
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.keccak.absorb_scalar(&from_halo2(scalar));
        Ok(())
    }
}

impl<R: Read> TranscriptRead<G1Affine, Challenge> for ProofTranscript<R> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let mut bytes = [0; G1_BYTES];
        self.stream.read_exact(&mut bytes)?;
        let point = decode_g1(&bytes).map_err(invalid)?;
        self.keccak.absorb_point(&point);
        Ok(g1_to_halo2(point))
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        let mut bytes = [0; SCALAR_BYTES];
        self.stream.read_exact(&mut bytes)?;
        let scalar = decode_scalar(&bytes).map_err(invalid)?;
        self.keccak.absorb_scalar(&scalar);
        Ok(to_halo2(scalar))
    }
}

impl<W: Write> TranscriptWrite<G1Affine, Challenge> for ProofTranscript<W> {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.common_point(point)?;
        self.stream.write_all(&encode_g1(&g1_from_halo2(point)))
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.common_scalar(scalar)?;
        self.stream.write_all(&encode_scalar(&from_halo2(scalar)))
    }
}

impl<R: Read> TranscriptReadBuffer<R, G1Affine, Challenge> for ProofTranscript<R> {
    fn init(reader: R) -> Self {
        Self::new(reader)
    }
}

impl<W: Write> TranscriptWriterBuffer<W, G1Affine, Challenge> for ProofTranscript<W> {
    fn init(writer: W) -> Self {
        Self::new(writer)
    }

    fn finalize(self) -> W {
        self.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keccak::keccak256;
    use ark_ff::PrimeField;
    use halo2_axiom::halo2curves::group::prime::PrimeCurveAffine;
    use proptest::prelude::*;

    fn reading(bytes: &[u8]) -> ProofTranscript<&[u8]> {
        ProofTranscript::new(bytes)
    }

    #[test]
    fn what_was_written_is_read_with_the_same_challenges() {
        let mut written = ProofTranscript::new(Vec::new());
        written.common_scalar(Fr::from(9)).expect("a scalar is absorbed");
        written.write_point(G1Affine::generator()).expect("a vector takes bytes");
        written.write_scalar(Fr::from(7)).expect("a vector takes bytes");
        let (first, second) = (written.squeeze_challenge(), written.squeeze_challenge());
        let proof = written.finalize();
        let mut message = [0; 2 * 32 + G1_BYTES + 32];
        message[63] = 9;
        message[64..].copy_from_slice(&proof);
        let digest = keccak256(&[&message]);
        assert_eq!(first.0, to_halo2(ark_bn254::Fr::from_be_bytes_mod_order(&digest)));
        assert_eq!(second.0, to_halo2(ark_bn254::Fr::from_be_bytes_mod_order(&keccak256(&[&digest]))));
        let mut read = reading(&proof);
        read.common_scalar(Fr::from(9)).expect("a scalar is absorbed");
        assert_eq!(read.read_point().expect("a point"), G1Affine::generator());
        assert_eq!(read.read_scalar().expect("a scalar"), Fr::from(7));
        assert_eq!(read.squeeze_challenge(), first);
        assert!(read.into_stream().is_empty());
    }

    #[test]
    fn other_encodings_are_refused() {
        let error = |bytes: &[u8]| reading(bytes).read_point().expect_err("not a point").to_string();
        assert_eq!(error(&[0; 64]), PointError::Infinity.to_string());
        assert_eq!(error(&[0xff; 64]), PointError::CoordinateNotReduced.to_string());
        assert_eq!(error(&[1; 64]), PointError::NotOnCurve.to_string());
        assert!(reading(&[1; 63]).read_point().is_err());
        assert!(reading(&[1; 31]).read_scalar().is_err());
        let scalar = reading(&[0xff; 32]).read_scalar().expect_err("not reduced");
        assert_eq!(scalar.to_string(), PointError::ScalarNotReduced.to_string());
        assert!(ProofTranscript::new(Vec::new()).write_point(G1Affine::identity()).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (reading(&bytes).read_point(), reading(&bytes).read_scalar());
        }
    }
}
