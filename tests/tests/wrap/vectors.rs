//! The key of a small circuit, and a proof of it, which change only on purpose.

use gradproof_circuits::relations::Subject;
use gradproof_circuits::wrap::circuit::WrapCircuit;
use gradproof_circuits::wrap::convert::to_halo2;
use gradproof_circuits::wrap::keys::{self, Params, WrapProvingKey, WrapVerifyingKey};
use gradproof_tests::forge::{fixture, prove};
use gradproof_tests::leaky::circuit;
use gradproof_tests::{check_vector, known_vector};
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::points::{decode_scalar, encode_scalar};
use gradproof_verifier::protocol::setup::{SetupKey, insecure_tau};
use gradproof_verifier::protocol::wrap::transcript::ProofTranscript;
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::{Bn256, Fr};
use halo2_axiom::plonk::{create_proof, verify_proof};
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_axiom::poly::kzg::strategy::SingleStrategy;
use rand_core::OsRng;
use serde_json::{Value, json};

const NAME: &str = "wrap-key.json";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("the vector holds texts");
    let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).expect("they are hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A proof of the fixture's segment, with its public inputs.
fn proved(params: &Params, key: &WrapProvingKey) -> Value {
    let forged = prove(Subject::Segment, &fixture().witness(Subject::Segment));
    let (circuit, instances) = circuit(Subject::Segment, &forged.publics(), forged.proof.messages());
    let column: Vec<Fr> = instances.iter().copied().map(to_halo2).collect();
    let mut transcript = ProofTranscript::new(Vec::new());
    create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
        params,
        key,
        &[circuit],
        &[&[&column]],
        OsRng,
        &mut transcript,
    )
    .expect("the argument is honest");
    let instances: Vec<String> = instances.iter().map(|value| hex(&encode_scalar(value))).collect();
    json!({ "instances": instances, "proof": hex(&transcript.into_stream()) })
}

fn verifies(params: &Params, key: &WrapVerifyingKey, column: &[Fr], proof: &[u8]) -> bool {
    let mut transcript = ProofTranscript::new(proof);
    verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        key,
        SingleStrategy::new(params),
        &[&[column]],
        &mut transcript,
    )
    .is_ok()
        && transcript.into_stream().is_empty()
}

/// The public inputs in a vector.
fn column(stored: &Value) -> Vec<Fr> {
    let values = stored["instances"].as_array().expect("the public inputs are a list");
    let scalar = |value| decode_scalar(&bytes(value)).expect("it is reduced");
    values.iter().map(|value| to_halo2(scalar(value))).collect()
}

/// Proofs are random: the stored one has to be good as long as the key is the same.
#[test]
fn vector_of_the_key_and_a_proof() {
    let relations = fixture().key.relations(Subject::Segment);
    let blank = WrapCircuit::blank(relations).expect("there is no message to lack");
    let k = blank.size_bits();
    let params = keys::params_of_tau(k, insecure_tau());
    let key = keys::verifying_key(&params, &blank).expect("it fits");
    let verifier = keys::verifier_params(k, &SetupKey::insecure().tau_g2);
    // A proof that is not good any more makes way for a new one, and so for a vector that differs.
    let good = |stored: &Value| verifies(&verifier, &key, &column(stored), &bytes(&stored["proof"]));
    let stored = known_vector(NAME).filter(good).unwrap_or_else(|| {
        let proving = keys::proving_key(&params, key.clone(), &blank).expect("it fits");
        proved(&params, &proving)
    });
    let rows: serde_json::Map<String, Value> =
        blank.rows_by_gate().into_iter().map(|(gate, rows)| (format!("{gate:?}"), rows.into())).collect();
    let got = json!({
        "what": "the wrap circuit of 6-5-4-3, batch 3, T 4, columns of 2^12 entries, under the insecure set-up: keccak256 of \
            the verifying key as halo2 writes it, and a proof of a segment",
        "k": k,
        "rows": rows,
        "key": hex(&keccak256(&[&key.to_bytes(SerdeFormat::Processed)])),
        "instances": stored["instances"],
        "proof": stored["proof"],
    });
    check_vector(NAME, &got);

    let (column, proof) = (column(&stored), bytes(&stored["proof"]));
    assert!(good(&stored), "the stored proof is good");
    assert!(!verifies(&verifier, &key, &column, &[&proof[..], &[0]].concat()), "a byte too many");
    for i in 0..column.len() {
        let mut other = column.clone();
        other[i] += Fr::from(1);
        assert!(!verifies(&verifier, &key, &other, &proof), "public input {i}");
    }
}
