//! Statements of jobs, names of files, and bytes as text.

use bolero::check;
use gradproof_circuits::relations::Subject;
use gradproof_evm::{Settings, VERIFIER_PROFILE};
use gradproof_tests::forge::{fixture, prove};
use gradproof_tests::fuzz::{bounded, near};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::job::{DataStatement, JobStatement, RateChange, SetupStatement, VERSION};
use gradproof_verifier::protocol::part::Part;
use gradproof_verifier::protocol::statement::Domain;

/// A statement with every kind of field.
fn example() -> JobStatement {
    let key = &fixture().key;
    JobStatement {
        version: VERSION,
        domain: Domain { chain: 31_337, contract: [1; 20], job: [2; 32], owner: [3; 20] },
        architecture: key.architecture().clone(),
        column_vars: key.column_vars,
        proof: key.kind(),
        setup: SetupStatement { digest: key.setup.digest(), insecure: true },
        verifying_key: key.digest(),
        data: DataStatement { root: [4; 32], rows: 11, order: [0; 32] },
        steps: 4,
        rates: vec![RateChange { from_segment: 0, rate: 2 }],
        first_parameters: prove(Subject::Parameters, &fixture().witness(Subject::Parameters)).first,
        initial_seed: Some(7),
        last_seed_digest: [5; 32],
        parent: None,
    }
}

/// JSON has many spellings: what is taken means the same once more.
#[test]
fn job_statements() {
    let example = example();
    let seeds = [example.to_json().expect("JSON"), serde_json::to_vec(&example).expect("JSON")];
    assert_eq!(JobStatement::from_json(&seeds[0]).expect("the example is a statement"), example);
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(statement) = bounded(&bytes, 1 << 18, 32, JobStatement::from_json) {
            assert_eq!(JobStatement::from_json(&statement.to_json().expect("JSON")).expect("taken again"), statement);
        }
    });
}

#[test]
fn hexadecimal_texts() {
    let seeds = [hex::encode(&[0x5a; 20]).into_bytes(), hex::encode(&[0; 20]).into_bytes()];
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        let Ok(text) = str::from_utf8(&bytes) else { return };
        if let Ok(decoded) = bounded(&bytes, 1 << 10, 0, |_| hex::decode::<20>(text)) {
            assert_eq!(hex::encode(&decoded), text);
        }
    });
}

#[test]
fn names_of_proofs() {
    let seeds = [Part::Parameters, Part::Data(12), Part::Segment(12_345)].map(|part| part.file_name().into_bytes());
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        let Ok(name) = str::from_utf8(&bytes) else { return };
        if let Some(part) = bounded(&bytes, 1 << 10, 1, |_| Part::of_file_name(name)) {
            assert_eq!(part.file_name(), name);
        }
    });
}

#[test]
fn settings_of_the_compiler() {
    let seeds =
        [std::fs::read(gradproof_tests::root().join("contracts/foundry.toml")).expect("the settings are there")];
    let text = String::from_utf8(seeds[0].clone()).expect("UTF-8");
    let settings = |text: &str| Settings::read(text, VERIFIER_PROFILE).map(|settings| settings.standard_json());
    assert_eq!(settings(&text).expect("the settings are read")["evmVersion"], "prague");
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        let Ok(text) = str::from_utf8(&bytes) else { return };
        let _ = bounded(&bytes, 1 << 16, 64, |_| settings(text));
    });
}
