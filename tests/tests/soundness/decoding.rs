//! Decoders take exactly what the encoders write, and neither they nor the verifier panic on anything else.

use std::sync::OnceLock;

use ark_bn254::{Fr, G1Affine};
use ark_ff::PrimeField;
use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::argument;
use gradproof_circuits::argument::transcript::{Ask, Party};
use gradproof_circuits::field::algebra::Native;
use gradproof_circuits::field::check::{Check, Rejection, Strict};
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_tests::forge::{Forged, fixture, prove};
use gradproof_tests::judges::Careless;
use gradproof_verifier::protocol::key::{MAX_COLUMN_VARS, MIN_COLUMN_VARS};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::points::{decode_g1, decode_g2, decode_scalar, encode_g1, encode_g2, encode_scalar};
use gradproof_verifier::protocol::proof::{Argument, MAGIC, Proof, VERSION};
use gradproof_verifier::protocol::setup::SetupKey;
use proptest::prelude::*;

const REFUSED: Rejection = Rejection { check: Check::Encoding };

fn honest() -> &'static (Forged, Vec<u8>, usize) {
    static HONEST: OnceLock<(Forged, Vec<u8>, usize)> = OnceLock::new();
    HONEST.get_or_init(|| {
        let forged = prove(Subject::Segment, &fixture().witness(Subject::Segment));
        let bytes = forged.proof.to_bytes(Subject::Segment);
        let depth = forged.proof.paths[0].len();
        (forged, bytes, depth)
    })
}

fn decoded(bytes: &[u8]) -> Result<Proof, Rejection> {
    Proof::from_bytes(bytes, &fixture().key, Subject::Segment, honest().2)
}

#[test]
fn a_proof_survives_its_encoding() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let forged = prove(subject, &fixture().witness(subject));
        let bytes = forged.proof.to_bytes(subject);
        let depth = forged.proof.paths.first().map_or(0, Vec::len);
        let decoded = Proof::from_bytes(&bytes, &fixture().key, subject, depth).unwrap();
        assert_eq!(decoded, forged.proof);
        assert_eq!(Forged { proof: decoded, ..forged }.judged(Strict), Ok(()));
    }
}

#[test]
fn truncated_and_extended_proofs() {
    let bytes = &honest().1;
    for length in (0..bytes.len()).step_by(7).chain(bytes.len() - 64..bytes.len()) {
        assert_eq!(decoded(&bytes[..length]), Err(REFUSED), "{length} bytes");
    }
    assert_eq!(decoded(&[&bytes[..], &[0]].concat()), Err(REFUSED));
    assert_eq!(decoded(&[&bytes[..], bytes].concat()), Err(REFUSED));
}

/// Offsets of the messages' count and of the first scalar after it.
fn messages_at() -> usize {
    let (forged, _, depth) = honest();
    MAGIC.len() + 3 + 64 * (1 + forged.proof.columns.len()) + 32 * depth * forged.proof.paths.len()
}

#[test]
fn a_proof_of_another_version_or_count() {
    let bytes = &honest().1;
    for at in 0..MAGIC.len() + 3 {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert_eq!(decoded(&other), Err(REFUSED), "byte {at}");
    }
    assert_eq!(bytes[MAGIC.len()], VERSION);
    for count in [0u32, 1, u32::MAX] {
        let mut other = bytes.clone();
        other[messages_at()..messages_at() + 4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(decoded(&other), Err(REFUSED), "{count} messages");
    }
}

#[test]
fn points_and_scalars_of_a_proof_that_are_not_canonical() {
    let (forged, bytes, _) = honest();
    let mut points: Vec<usize> = (0..=forged.proof.columns.len()).map(|i| MAGIC.len() + 3 + 64 * i).collect();
    let first_scalar = messages_at() + 4;
    let mut scalars: Vec<usize> = (0..=forged.proof.messages().len()).map(|i| first_scalar + 32 * i).collect();
    let folds = first_scalar + 32 * (forged.proof.messages().len() + 1);
    points.extend((0..forged.proof.opening.folds.len()).map(|i| folds + 64 * i));
    let evaluations = folds + 64 * forged.proof.opening.folds.len();
    scalars.extend((0..forged.proof.opening.evaluations.len()).map(|i| evaluations + 32 * i));
    points.extend([bytes.len() - 128, bytes.len() - 64]);
    let refused = |at: usize, with: &[u8]| {
        let mut other = bytes.clone();
        other[at..at + with.len()].copy_from_slice(with);
        assert_eq!(decoded(&other), Err(REFUSED), "at {at}");
    };
    for at in points {
        assert!(decode_g1(&bytes[at..at + 64]).is_ok(), "a point stands at {at}");
        refused(at, &[0; 64]);
        refused(at, &[0xff; 32]);
        refused(at + 32, &[0xff; 32]);
        refused(at + 63, &[bytes[at + 63] ^ 1]);
    }
    for at in scalars {
        let value = decode_scalar(&bytes[at..at + 32]).unwrap();
        let mut unreduced = value.into_bigint();
        ark_ff::BigInteger::add_with_carry(&mut unreduced, &Fr::MODULUS);
        let unreduced = ark_ff::BigInteger::to_bytes_be(&unreduced);
        refused(at, &unreduced);
    }
}

/// Answers everything with zeros.
struct Zeros;

impl Party<Native<Careless>> for Zeros {
    fn answer(&mut self, _: &mut Native<Careless>, _: Ask<'_, Fr>, count: usize) -> Result<Vec<Fr>, Rejection> {
        Ok(vec![Fr::from(0); count])
    }
}

/// Architectures from the edges of what is valid, most of them small.
fn architecture() -> impl Strategy<Value = Option<Architecture>> {
    let width = || prop::sample::select(vec![1usize, 1, 2, 3, 10, 100, 1 << 14]);
    let precision = (1u32..=14, 1u32..=14, 0u32..=20, 0u32..=15);
    (
        proptest::collection::vec(width(), 2..=17),
        prop::sample::select(vec![1usize, 3, 64, 1 << 12]),
        prop::sample::select(vec![1usize, 2, 64, 1 << 12]),
        precision,
    )
        .prop_map(|(widths, batch, steps, (activation_bits, gradient_bits, rate_bits, exponential_bits))| {
            let precision = Precision { activation_bits, gradient_bits, rate_bits, exponential_bits };
            Architecture::perceptron(&widths, batch, steps, precision).ok()
        })
}

fn scalar() -> impl Strategy<Value = Fr> {
    prop_oneof![any::<u64>().prop_map(Fr::from), any::<[u8; 32]>().prop_map(|b| Fr::from_be_bytes_mod_order(&b))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4096), header in any::<bool>()) {
        let head = [&MAGIC[..], &[VERSION, Subject::Segment as u8, ProofKind::Core as u8]].concat();
        let bytes = if header { [head, bytes].concat() } else { bytes };
        prop_assert_eq!(decoded(&bytes), Err(REFUSED));
        prop_assert!(SetupKey::from_bytes(&bytes).is_err());
    }

    #[test]
    fn mutated_proofs(at in any::<prop::sample::Index>(), with in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut bytes = honest().1.clone();
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&with[..end - at]);
        match decoded(&bytes) {
            Err(rejection) => prop_assert_eq!(rejection, REFUSED),
            Ok(proof) => {
                prop_assert_eq!(proof.to_bytes(Subject::Segment), bytes.clone());
                let changed = bytes != honest().1;
                let forged = Forged { proof, ..honest().0.clone() };
                prop_assert!(!changed || forged.judged(Strict).is_err());
            }
        }
    }

    #[test]
    fn mutated_setup_keys(at in 0usize..386, with in any::<u8>()) {
        let valid = SetupKey::insecure().to_bytes();
        let mut bytes = valid;
        let at = at.min(bytes.len() - 1);
        bytes[at] = with;
        match SetupKey::from_bytes(&bytes) {
            Ok(key) => prop_assert_eq!(key.to_bytes(), bytes),
            Err(_) => prop_assert_ne!(bytes, valid),
        }
    }

    #[test]
    fn mutated_points(at in 0usize..128, with in any::<u8>()) {
        let key = SetupKey::insecure();
        let mut g1 = encode_g1(&key.blinder);
        g1[at % 64] = with;
        prop_assert!(decode_g1(&g1).is_err() || decode_g1(&g1).map(|p| encode_g1(&p)) == Ok(g1));
        let mut g2 = encode_g2(&key.tau_g2);
        g2[at] = with;
        prop_assert!(decode_g2(&g2).is_err() || decode_g2(&g2).map(|p| encode_g2(&p)) == Ok(g2));
    }

    #[test]
    fn any_scalar_that_decodes_is_canonical(bytes in any::<[u8; 32]>()) {
        prop_assert!(decode_scalar(&bytes).map_or(true, |s| encode_scalar(&s) == bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every shape that is valid has relations whose parts fit each other: the whole argument runs, whatever it is told.
    #[test]
    fn arbitrary_shapes(architecture in architecture(), column_vars in MIN_COLUMN_VARS..=MAX_COLUMN_VARS) {
        prop_assume!(architecture.is_some());
        let architecture = architecture.expect("it is there");
        let publics = Publics {
            digest: [Fr::from(1), Fr::from(2)],
            rate: Fr::from(1),
            position: Fr::from(0),
            live_steps: Fr::from(1),
            live_rows: Fr::from(1),
        };
        for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
            let relations = Relations::new(subject, &architecture, column_vars);
            if relations.layout.columns() < 1 << 12 {
                let verified = argument::verify(&mut Native { judge: Careless }, &mut Zeros, &relations, &publics);
                prop_assert_eq!(verified.map(|reduced| reduced.point.len()), Ok(column_vars));
            }
        }
    }

    /// With a judge that lets everything pass, so that all of the verifier runs.
    #[test]
    fn arbitrary_messages(
        messages in proptest::collection::vec(scalar(), 0..64),
        resized in 0usize..2000,
        evaluations in proptest::collection::vec(scalar(), 0..16),
        folds in 0usize..16,
        columns in 0usize..100,
        exact in any::<bool>(),
        position in any::<u64>(),
        epoch_segments in any::<u64>(),
    ) {
        let mut forged = honest().0.clone();
        let filler = messages.last().copied().unwrap_or_default();
        let length = if exact { forged.proof.messages().len() } else { resized };
        let mut messages = messages;
        messages.resize(length, filler);
        forged.proof.argument = Argument::Core(messages);
        if !exact {
            forged.proof.opening.evaluations = evaluations;
            forged.proof.opening.folds.resize(folds, G1Affine::identity());
            forged.proof.columns.resize(columns, G1Affine::identity());
        }
        forged.statement.position = position;
        forged.statement.epoch_segments = epoch_segments;
        prop_assert!(forged.judged(Strict).is_err());
        let _ = forged.judged(Careless);
    }
}
