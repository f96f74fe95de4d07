//! Keys of the wrap circuits: one encoding each, and none that passes for another.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInteger, PrimeField};
use gradproof_circuits::argument::Reduced;
use gradproof_circuits::field::check::{Check, Rejection, Strict};
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::circuit::{MAX_COLUMNS, MAX_SIZE_BITS, NUMBERS, WrapCircuit};
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys;
use gradproof_prover::wrap::{WrapError, Wrapper, stored_name};
use gradproof_tests::forge::{Forged, Witnesses, fixture, forge, wrapped};
use gradproof_tests::forgeries::{Forgery, forgery_for};
use gradproof_tests::leaky::Leaky;
use gradproof_tests::networks::perceptron;
use gradproof_verifier::protocol::key::{KeyError, SUBJECTS, VerifyingKey};
use gradproof_verifier::protocol::key_file::{EncodedKey, KeyFile, KeyFileError, MAGIC};
use gradproof_verifier::protocol::kind::ProofKind;
use gradproof_verifier::protocol::powers::{ReferenceStrings, Setup};
use gradproof_verifier::protocol::proof::{Argument, Proof};
use gradproof_verifier::protocol::setup::{SETUP_KEY_BYTES, SetupKey, insecure_tau};
use gradproof_verifier::protocol::wrap::key::{WrapKey, WrapKeyError, circuit};
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use gradproof_verifier::verify::verify;
use halo2_axiom::halo2curves::bn256::Bn256;
use halo2_axiom::plonk::create_proof;
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::ProverSHPLONK;
use rand_core::OsRng;

/// Bytes of a circuit's key before its points: version, k, compressed or not, number of fixed columns.
const HEADER: usize = 10;

fn segments_key() -> &'static WrapKey {
    wrapped().1.wrap(Subject::Segment).expect("the key is for wrapped proofs")
}

fn read(bytes: &[u8]) -> Result<WrapKey, WrapKeyError> {
    WrapKey::from_bytes(bytes, segments_key().size_bits(), &SetupKey::insecure().tau_g2)
}

/// What a key file of the fixture's shape says, whatever its digest.
fn decoded(bytes: &[u8]) -> Result<VerifyingKey, KeyFileError> {
    let key = &fixture().key;
    EncodedKey::new(bytes).and_then(|bytes| bytes.decode(key.architecture(), key.column_vars, None))
}

/// What a verifier says who was given another key than that of the statement.
fn judged(key: &VerifyingKey, Forged { statement, first, proof }: &Forged) -> Result<(), Rejection> {
    verify(key, statement, first, proof, Strict)
}

/// An honest wrapped proof of the fixture's segment.
fn honest() -> Forged {
    let key = wrapped().1.digest();
    let witness = fixture().witness(Subject::Segment);
    let forged = forge(Subject::Segment, Witnesses::same(&witness), |said| said.key = key, &mut |_, _| ()).wrap();
    assert_eq!(judged(&wrapped().1, &forged), Ok(()));
    forged
}

#[test]
fn the_header_of_a_circuits_key_is_checked() {
    let honest = segments_key().to_bytes();
    assert_eq!(honest.len(), WrapKey::encoded_bytes());
    assert_eq!(read(honest).expect("it is a key").digest(), segments_key().digest());
    let with = |at: usize, bytes: &[u8]| {
        let mut other = honest.to_vec();
        other[at..at + bytes.len()].copy_from_slice(bytes);
        read(&other)
    };
    let refused = |read: Result<WrapKey, WrapKeyError>, what: &str| {
        assert_eq!(read.err(), Some(WrapKeyError::Encoding), "{what}");
    };
    for version in [0, 1, 3, 255] {
        refused(with(0, &[version]), "version");
    }
    // Before anything is decoded: 2^18 rows would take 0.8 GB.
    let expected = segments_key().size_bits();
    for got in [0, expected - 1, expected + 1, MAX_SIZE_BITS, MAX_SIZE_BITS + 1, 28, 32, 64, 1 << 16, u32::MAX] {
        assert_eq!(with(1, &got.to_le_bytes()).err(), Some(WrapKeyError::Size { expected, got }), "k");
    }
    for compressed in [2, 255] {
        refused(with(5, &[compressed]), "compressed");
    }
    let columns = u32::from_le_bytes(honest[6..HEADER].try_into().expect("four bytes"));
    for columns in [0, columns - 1, columns + 1, u32::MAX] {
        refused(with(6, &columns.to_le_bytes()), "columns");
    }
    for length in [0, 1, HEADER - 1, HEADER, HEADER + 31, honest.len() - 32, honest.len() - 1] {
        refused(read(&honest[..length]), "length");
    }
    refused(read(&[honest, &[0]].concat()), "length");
    refused(read(&[honest, &honest[HEADER..HEADER + 32]].concat()), "length");
}

/// A key of fewer rows, or one that says it is compressed, may be read; it is another key, and no proof is good by it.
#[test]
fn a_circuits_key_of_another_size_is_another_key() {
    let honest = segments_key().to_bytes();
    let forged = self::honest();
    let Argument::Wrapped { reduced, halo2 } = &forged.proof.argument else { panic!("the proof is wrapped") };
    let good = |key: &WrapKey| key.verify(fixture().key.column_vars, &forged.publics(), reduced, halo2);
    assert!(good(segments_key()));
    for k in (0..=MAX_SIZE_BITS).filter(|k| *k != segments_key().size_bits()) {
        let mut other = honest.to_vec();
        other[1..5].copy_from_slice(&k.to_le_bytes());
        if let Ok(key) = WrapKey::from_bytes(&other, k, &SetupKey::insecure().tau_g2) {
            assert_ne!(key.digest(), segments_key().digest());
            assert!(!good(&key), "k = {k}");
        }
    }
    let mut compressed = honest.to_vec();
    compressed[5] ^= 1;
    assert!(read(&compressed).is_ok_and(|key| key.digest() != segments_key().digest()));
}

#[test]
fn points_of_a_circuits_key_have_one_encoding() {
    let honest = segments_key().to_bytes();
    let mut unreduced = 0;
    for at in (HEADER..honest.len()).step_by(32) {
        // Coordinate and flags: what is read is written the same. Some bits, for each reading takes milliseconds.
        for bit in [0, 101, 252, 253, 254, 255] {
            let mut other = honest.to_vec();
            other[at + bit / 8] ^= 1 << (bit % 8);
            if let Ok(key) = read(&other) {
                assert_eq!(key.to_bytes(), other, "bit {bit} of the point at {at}");
                assert_ne!(key.digest(), segments_key().digest());
            }
        }
        // The same coordinate, not reduced, where the two highest bits, which are flags, leave room for it.
        let mut other = honest.to_vec();
        let flags = other[at + 31] & 0xc0;
        other[at + 31] &= 0x3f;
        let mut x = Fq::from_le_bytes_mod_order(&other[at..at + 32]).into_bigint();
        x.add_with_carry(&Fq::MODULUS);
        other[at..at + 32].copy_from_slice(&x.to_bytes_le());
        if other[at + 31] & 0xc0 != 0 {
            continue;
        }
        other[at + 31] |= flags;
        unreduced += 1;
        assert_eq!(read(&other).err(), Some(WrapKeyError::Encoding), "the point at {at}");
    }
    assert!(unreduced > 0, "a third of the coordinates leave room");
}

#[test]
fn a_changed_key_file_is_not_that_of_the_statement() {
    let key = &wrapped().1;
    let forged = honest();
    let bytes = KeyFile::of(key).to_bytes();
    assert_eq!(decoded(&bytes).expect("of this shape").digest(), key.digest());
    let digest = |bytes: &[u8]| EncodedKey::new(bytes).map(|cut| cut.digest(key.architecture(), key.column_vars));
    assert_eq!(digest(&bytes), Ok(key.digest()));
    let mut read = 0;
    // Some bytes of the circuits, which take milliseconds to read, and all of the rest.
    let circuits = MAGIC.len() + 2 + SETUP_KEY_BYTES..bytes.len() - 64 * key.tables.len();
    assert_eq!(circuits.len(), 3 * WrapKey::encoded_bytes());
    let rest = (0..circuits.start).chain(circuits.end..bytes.len());
    for at in rest.chain(circuits.step_by(9)) {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        // What is beside the parts is no part of the key; every byte of these is in its digest.
        if let Ok(digest) = digest(&other) {
            assert_ne!(digest, key.digest(), "byte {at}");
            let stated = EncodedKey::new(&other)
                .and_then(|cut| cut.decode(key.architecture(), key.column_vars, Some(&key.digest())));
            assert!(matches!(stated, Err(KeyFileError::Digest { .. })), "byte {at}");
        }
        let Ok(other) = decoded(&other) else { continue };
        assert_eq!(judged(&other, &forged), Err(Rejection { check: Check::Key }), "byte {at}");
        read += 1;
    }
    assert!(read > 0, "the sign of a point is a bit that can be changed");
}

/// A shape whose segments need too many rows is refused before a key of any circuit is made, of data and parameters as well.
#[test]
fn sizes_of_all_circuits_are_known_before_a_key_is_made() {
    let precision = Precision::of_classes(10);
    let architecture = perceptron(&[784, 128, 128, 10], 64, 64, precision);
    let key = VerifyingKey::insecure(&architecture, 10).expect("the shape is possible");
    let setup = Setup::insecure(0).expect("it is small");
    let mut strings = ReferenceStrings::new(&setup);
    let before = format!("{strings:?}");
    let refused = key.wrapped(&mut strings).expect_err("2^19 rows");
    assert_eq!(refused, KeyError::Wrap(WrapKeyError::TooLarge { got: 19 }));
    assert_eq!(format!("{strings:?}"), before, "no reference string was made");
}

#[test]
fn a_key_file_has_no_circuit_or_three() {
    let begin = MAGIC.len() + 2 + SETUP_KEY_BYTES;
    let circuit = WrapKey::encoded_bytes();
    for (key, known) in [(&wrapped().1, 3), (&fixture().key, 0)] {
        let bytes = KeyFile::of(key).to_bytes();
        assert_eq!(bytes[MAGIC.len() + 1], known);
        let tables = &bytes[begin + usize::from(known) * circuit..];
        for count in (0..=255).filter(|count| *count != known) {
            let mut other = bytes.clone();
            other[MAGIC.len() + 1] = count;
            assert!(decoded(&other).is_err(), "{count} circuits, {known} of them there");
        }
        // As many as the count says.
        for count in [1u8, 2, 4] {
            let circuits = segments_key().to_bytes().repeat(usize::from(count));
            let mut other = [&bytes[..begin], &circuits, tables].concat();
            other[MAGIC.len() + 1] = count;
            assert_eq!(decoded(&other).err(), Some(KeyFileError::Format), "{count} circuits");
        }
    }
}

#[test]
fn circuits_in_another_order_are_another_key() {
    let forged = honest();
    let honest = wrapped().1.wraps().expect("the key is for wrapped proofs");
    for order in [[1, 0, 2], [2, 1, 0], [0, 2, 1], [0, 0, 0]] {
        let file = KeyFile { wraps: Some(order.map(|i| honest[i].clone())), ..KeyFile::of(&wrapped().1) };
        let key = match decoded(&file.to_bytes()) {
            Ok(key) => key,
            // Circuits of other sizes are not even decoded.
            Err(KeyFileError::Wrap(WrapKeyError::Size { .. })) => continue,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(key.kind(), ProofKind::Wrapped);
        assert_eq!(judged(&key, &forged), Err(Rejection { check: Check::Key }), "{order:?}");
    }
}

/// Whoever chooses the key can leave out a check of the circuit: everything is refused that only another key accepts.
#[test]
fn a_circuit_without_a_check_is_another_key() {
    let without = Check::Weight;
    let relations = fixture().key.relations(Subject::Segment);
    let build = |publics: &Publics<Fr>, messages: &[Fr]| {
        let mut leaky = Leaky::default();
        leaky.without = Some(without);
        leaky.build(relations, publics, messages, false)
    };
    // The rows do not depend on the witness.
    let zero = Fr::from(0);
    let blank =
        Publics { digest: [zero; 2], rate: zero, position: zero, live_steps: Fr::from(1), live_rows: Fr::from(1) };
    let blank = build(&blank, &[]).circuit;
    let k = blank.size_bits();
    let params = keys::params_of_tau(k, insecure_tau());
    let halo2 = keys::verifying_key(&params, &blank).expect("it fits");
    let proving = keys::proving_key(&params, halo2.clone(), &blank).expect("it fits");
    let leaking = WrapKey::new(halo2, k, &SetupKey::insecure().tau_g2);
    let [_, data, parameters] = wrapped().1.wraps().expect("the key is for wrapped proofs").clone();
    let leaking = fixture().key.clone().with_wraps([leaking, data, parameters]);

    // Training that never updates, by the statement's own key and by the leaking one.
    for key in [&wrapped().1, &leaking] {
        let digest = key.digest();
        let Some(Forgery::Proof(forged)) = forgery_for(without, &|said| said.key = digest) else {
            panic!("it is a whole proof")
        };
        let built = build(&forged.publics(), forged.proof.messages());
        let instances: Vec<_> = built.instances.iter().copied().map(to_halo2).collect();
        let mut transcript = ProofTranscript::new(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &params,
            &proving,
            &[built.circuit],
            &[&[&instances]],
            OsRng,
            &mut transcript,
        )
        .expect("this circuit is satisfied");
        let (combine, value) = (built.instances[NUMBERS - 2], built.instances[NUMBERS - 1]);
        let reduced = Reduced { point: built.instances[NUMBERS..].to_vec(), combine, value };
        let argument = Argument::Wrapped { reduced, halo2: transcript.into_stream() };
        let forged = Forged { proof: Proof { argument, ..forged.proof.clone() }, ..*forged };
        let refused = |check| Err(Rejection { check });
        let expected = if digest == leaking.digest() {
            [Ok(()), refused(Check::Key)]
        } else {
            [refused(Check::Key), refused(Check::Wrap)]
        };
        assert_eq!([&leaking, &wrapped().1].map(|key| judged(key, &forged)), expected);
    }
}

/// The name in a stored key binds it to subject, shape and set-up.
#[test]
fn a_stored_key_is_that_of_its_subject() {
    let key = &fixture().key;
    let name = |subject| stored_name(key, subject);
    let stored = wrapped().0.get(Subject::Parameters).to_bytes(&name(Subject::Parameters));
    let read = |bytes: &[u8], subject| Wrapper::from_bytes(bytes, &name(subject), &fixture().setup);
    let own = read(&stored, Subject::Parameters).expect("it is the stored key");
    assert_eq!(own.verifying_key().digest(), wrapped().0.get(Subject::Parameters).verifying_key().digest());
    for subject in SUBJECTS.into_iter().filter(|subject| *subject != Subject::Parameters) {
        assert!(matches!(read(&stored, subject), Err(WrapError::Stored)), "{subject:?}");
    }
    let other = VerifyingKey::insecure(key.architecture(), key.column_vars + 1).expect("the shape is valid");
    let other = Wrapper::from_bytes(&stored, &stored_name(&other, Subject::Parameters), &fixture().setup);
    assert!(matches!(other, Err(WrapError::Stored)));
    // Renamed, so that the digest at its end is not that of what stands before it.
    let mut renamed = stored.clone();
    renamed[5..37].copy_from_slice(&name(Subject::Data));
    assert!(matches!(read(&renamed, Subject::Data), Err(WrapError::Stored)));
    assert!(matches!(read(&stored[..stored.len() - 1], Subject::Parameters), Err(WrapError::Stored)));
    assert!(matches!(read(&[], Subject::Parameters), Err(WrapError::Stored)));
}

#[test]
fn shapes_without_a_circuit_are_named() {
    let architecture = perceptron(&[784, 128, 128, 10], 64, 64, Precision::of_classes(10));
    let columns = |vars: &usize| Relations::new(Subject::Segment, &architecture, *vars).layout.columns();
    // Columns get fewer with their length.
    let fits = (4..=21).find(|vars| columns(vars) <= MAX_COLUMNS).expect("long columns are few");
    let relations = |vars| Relations::new(Subject::Segment, &architecture, vars);
    assert_eq!(circuit(&relations(fits - 1)).err(), Some(WrapKeyError::Circuit));
    let rows = WrapCircuit::blank(&relations(fits)).expect("there are few enough columns").size_bits();
    assert!(rows > MAX_SIZE_BITS, "{} columns, 2^{rows} rows", columns(&fits));
    assert_eq!(circuit(&relations(fits)).err(), Some(WrapKeyError::TooLarge { got: rows }));
    let derived = VerifyingKey::insecure_of(ProofKind::Wrapped, &architecture, fits);
    assert_eq!(derived.err(), Some(KeyError::Wrap(WrapKeyError::TooLarge { got: rows })));
}
