//! The error bounds of `docs/soundness.md`, and that the tests it names exist.

use std::fs;
use std::path::PathBuf;

use ark_bn254::Fr;
use gradproof_circuits::argument::transcript::Ask;
use gradproof_circuits::field::check::Check;
use gradproof_circuits::network::precision::Precision;
use gradproof_circuits::relations::{Subject, default_column_vars};
use gradproof_tests::forge::{Witnesses, fixture, forge};
use gradproof_tests::networks::perceptron;
use gradproof_tests::{root, test_names};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::soundness::{ASSUMPTIONS, claims, table, terms, wrap_terms};

fn page() -> String {
    page_named("soundness.md")
}

fn page_named(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

#[test]
fn the_argument_has_as_many_claims_as_are_counted() {
    for subject in [Subject::Segment, Subject::Data, Subject::Parameters] {
        let mut counted = 0;
        let mut note = |ask: Ask<'_, Fr>, _: &mut Vec<Fr>| {
            if let Ask::Merge { claims, .. } = ask {
                counted = claims.len();
            }
        };
        forge(subject, Witnesses::same(&fixture().witness(subject)), |_| (), &mut note);
        assert_eq!(counted, claims(fixture().key.relations(subject)), "{subject:?}");
    }
}

#[test]
fn the_table_of_errors_is_the_computed_one() {
    let precision = Precision { activation_bits: 8, gradient_bits: 12, rate_bits: 8, exponential_bits: 11 };
    let architecture = perceptron(&[784, 128, 128, 10], 64, 64, precision);
    let key = VerifyingKey::insecure(&architecture, default_column_vars(&architecture)).unwrap();
    let page = page();
    let tables = [Subject::Segment, Subject::Data, Subject::Parameters].map(|subject| table(&terms(&key, subject)));
    let tables = [&tables[..], &[table(&wrap_terms())]].concat();
    let all = tables.join("\n\n");
    assert!(tables.iter().all(|table| page.contains(table)), "docs/soundness.md lacks a table of these:\n{all}");
    for (name, bits) in ASSUMPTIONS {
        assert!(page.contains(&format!("| {name} | {bits} |")), "docs/soundness.md lacks `| {name} | {bits} |`");
    }
}

#[test]
fn every_check_is_on_the_page() {
    let page = page();
    for check in Check::ALL {
        assert!(page.contains(&format!("| `{check:?}` |")), "docs/soundness.md lacks {check:?}");
    }
}

#[test]
fn the_tests_that_the_pages_name_exist() {
    let tests = test_names();
    let counts = [("soundness", 30), ("zero-knowledge", 12), ("wrap", 3), ("benchmarks", 3), ("protocol", 0)];
    for (page, expected) in counts {
        let name = format!("{page}.md");
        let page = page_named(&name);
        let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
        assert!(named.len() > expected, "{name} names its tests as `file::function`");
        for test in named {
            assert!(tests.contains(test), "{name}: there is no test {test}");
        }
    }
}

/// The page about the contracts names their tests by function.
#[test]
fn the_tests_in_solidity_that_a_page_names_exist() {
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tests = root().join("contracts").join("test");
    let sources = files(tests).filter(|path| path.is_dir()).flat_map(files).filter(|path| path.is_file());
    let sources: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    let page = page_named("settlement.md");
    let is_test = |word: &&str| word.starts_with("test_") || word.starts_with("invariant_");
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 20, "settlement.md names its tests");
    for test in named {
        assert!(sources.contains(&format!("function {test}(")), "settlement.md: there is no test {test}");
    }
}
