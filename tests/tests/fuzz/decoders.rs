//! All decoders of the workspace, and the definition of fuzzing that each has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gradproof_tests::{root, test_names};

/// How a decoder is fuzzed.
#[derive(Clone, Copy, Debug)]
enum How {
    /// By this definition.
    By(&'static str),
    /// It is a part of that decoder, or nothing but a file around it.
    As(&'static str),
    /// Not at all: why.
    Not(&'static str),
}
use How::{As, By, Not};

/// Every function that decodes, as `file::function`.
const DECODERS: [(&str, How); 106] = [
    // Proofs and their parts.
    ("proof::from_bytes", By("proofs::core_proofs")),
    ("verify_job::decode", As("proof::from_bytes")),
    ("transcript::read_point", By("proofs::circuit_proofs")),
    ("transcript::read_scalar", By("proofs::circuit_proofs")),
    ("points::decode_scalar", By("values::scalars")),
    ("points::decode_g1", By("values::points_of_both_groups")),
    ("points::decode_g2", By("values::points_of_both_groups")),
    ("points::read", As("points::decode_scalar")),
    ("merkle::verify", By("values::paths_of_trees")),
    // Keys and set-ups.
    ("setup::from_bytes", By("keys::setup_keys")),
    ("key::from_bytes", By("keys::circuit_keys")),
    ("keys::read_verifying_key", As("key::from_bytes")),
    ("key_file::decode", By("keys::key_files")),
    ("files::read_key", As("key_file::decode")),
    ("files::read_key_of", As("key_file::decode")),
    ("key::load", As("key_file::decode")),
    ("wrap::from_bytes", By("keys::stored_keys")),
    ("keys::read_proving_key", As("wrap::from_bytes")),
    ("ptau::import", By("keys::setups_of_ceremonies")),
    ("ptau::read", As("ptau::import")),
    // Statements and texts.
    ("job::from_json", By("statements::job_statements")),
    ("files::read_statement", As("job::from_json")),
    ("hex::decode", By("statements::hexadecimal_texts")),
    ("hex::deserialize", As("job::from_json")),
    ("settings::read", By("statements::settings_of_the_compiler")),
    ("part::of_file_name", By("statements::names_of_proofs")),
    ("backend::from_str", Not("one of a few words")),
    // Devices.
    ("wire::from_bytes", By("wire::device_requests")),
    ("wire::answer_from_bytes", By("wire::device_answers")),
    ("wire::read_frame", By("wire::device_frames")),
    ("program::load", Not("asks a device to take keys that this program made")),
    ("prover::load", Not("takes keys that the prover made, on the same machine")),
    // Files of the worker.
    ("trace_file::read_trace", By("files::traces")),
    ("trace_file::read", As("trace_file::read_trace")),
    ("trace_file::read_header", As("trace_file::read_trace")),
    ("file::read_parameters", By("files::weights")),
    ("file::decode", As("file::read_parameters")),
    ("read::read", By("data::npy_files")),
    ("section::read", As("job::parse")),
    ("file::read", By("data::packed_files")),
    ("job::parse", By("texts::jobs")),
    ("job::parse_with", As("job::parse")),
    ("job::load", As("job::parse")),
    ("job::load_licensed", As("job::parse")),
    ("job::parse_on", As("job::parse")),
    ("unseen::load_on", As("job::parse")),
    ("quote::load", As("job::parse")),
    ("train::load", As("job::parse")),
    ("openings::load", By("openings::any_bytes_are_openings_or_refused")),
    ("commit::load", As("openings::load")),
    ("deploy::read_deployment", By("texts::deployments")),
    ("deploy::checked", As("deploy::read_deployment")),
    ("prove::earlier_report", Not("a file of this program, which is left out where it cannot be read")),
    // What nodes have and send.
    ("archive::decode", By("archive::any_bytes_are_files_in_one_encoding_or_refused")),
    ("backup::restore", Not("facts in an archive; serde_json reads them")),
    ("sealed::read", As("archive::decode")),
    ("marker::age", Not("a file of this node; serde_json reads it")),
    ("config::load", Not("a file that its user writes; toml reads it")),
    ("message::read", By("message::any_bytes_are_messages_or_refused")),
    ("message::deserialize", As("message::read")),
    ("dataset::read", By("dataset::any_bytes_are_a_set_or_refused")),
    ("data_opening::load", By("data_opening::any_bytes_are_an_opening_or_refused")),
    ("licence::from_json", By("licence::any_bytes_are_a_licence_or_refused")),
    ("parcel::decode", By("parcel::any_bytes_are_rows_or_refused")),
    ("records::kept", Not("records of this node; serde_json reads them")),
    ("parcels::read_file", Not("openings that this node wrote: their own reader is fuzzed")),
    ("whole::require", Not("a record of this node; serde_json reads it")),
    ("shared::start", Not("records of this node; serde_json reads them")),
    ("retention::roots", Not("records of this node; serde_json reads them")),
    ("told::read", Not("a file of this node; serde_json reads it")),
    ("team::read", Not("a file of this node; serde_json reads it")),
    ("scrape::request", By("scrape::any_bytes_are_a_request_or_none")),
    ("store::jobs", Not("facts of this node; serde_json reads them")),
    ("position::decode", Not("a record of this node; serde_json reads it")),
    ("register::load", Not("records of this node; serde_json reads them")),
    ("history::load", Not("records of this node; serde_json reads them")),
    ("choice::from_str", Not("an account, or a word")),
    ("network::enter", Not("what the programs of this project print; serde_json reads it")),
    ("manifest::decode", By("handover::any_bytes_are_a_manifest_in_one_encoding_or_refused")),
    ("sealed::read_header", By("sealed::any_bytes_are_a_sealed_file_or_refused")),
    ("keys::from_bytes", Not("any 32 bytes are a key")),
    ("keys::load", Not("64 digits in a file of this node, which a test tries")),
    ("keystore::read_key", Not("a wallet's file; eth-keystore reads it")),
    ("ranges::decode", By("ranges::any_bytes_are_a_range_or_refused")),
    ("store::read_range", As("ranges::decode")),
    ("reader::load", As("ranges::decode")),
    ("reader::read", As("ranges::decode")),
    ("reader::read_at", As("ranges::decode")),
    ("names::parse", By("names::any_name_is_a_blobs_or_left_alone")),
    ("root::from_str", By("root::any_text_is_a_root_or_refused")),
    ("record::decode", By("record::any_bytes_as_a_record_never_panic")),
    ("record::decode_address", As("record::decode")),
    ("journal::load", As("record::decode")),
    ("sign::read", By("sign::reading_any_bytes_never_panics")),
    ("rpc::deserialize", Not("numbers in answers of a node: a table of cases")),
    ("exchange::decode_page", By("exchange::any_bytes_as_a_page_or_its_request_never_panic")),
    ("frame::read_request", By("frame::any_bytes_as_a_request_or_an_answer_never_panic_and_have_one_encoding")),
    ("frame::read_answer", By("frame::any_bytes_as_a_request_or_an_answer_never_panic_and_have_one_encoding")),
    ("frame::decode_reason", As("frame::read_answer")),
    ("frame::read_array", As("frame::read_request")),
    ("frame::read_bytes", As("frame::read_request")),
    ("frame::read_full", As("frame::read_request")),
    (
        "protocol::decode_range_request",
        By("protocol::any_bytes_as_a_request_for_a_range_never_panic_and_have_one_encoding"),
    ),
    // What other programs say.
    ("bindings::decode", Not("errors of contracts, as a text for people; alloy reads them")),
    ("client::quantity", Not("answers of the node; alloy reads them")),
    ("compiler::answer", Not("answers of the compiler; serde_json reads them")),
];

/// Functions whose names say that they decode, and that do not.
const OTHERS: [&str; 8] = [
    "kernels::read",
    "cpu::read",
    "reference::read",
    "files::read",
    "compiler::read",
    "scan::load",
    "set::read",
    "watch::read",
];

/// The definitions that the table does not name, as a decoder has more than one.
const MORE: [&str; 4] = ["proofs::wrapped_proofs", "data::idx_files", "data::npz_archives", "data::csv_files"];

/// True if a function of this name decodes something.
fn decodes(name: &str) -> bool {
    let words = [
        "from_bytes",
        "from_json",
        "from_str",
        "from_file",
        "decode",
        "read",
        "parse",
        "load",
        "import",
        "deserialize",
    ];
    words.iter().any(|word| name == *word || name.starts_with(&format!("{word}_"))) || name.ends_with("_from_bytes")
}

/// The sources of the crates without their tests, by the name of the file, or of the folder for `mod.rs`.
fn sources() -> BTreeMap<PathBuf, (String, String)> {
    let mut sources = BTreeMap::new();
    let mut folders = ["circuits", "verifier", "prover", "worker", "cuda"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let left_out = ["tests", "benches", "examples", "target"].contains(&name(&path).as_str());
                folders.extend((!left_out).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") && name(&path) != "tests" {
                let text = std::fs::read_to_string(&path).expect("read");
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
                let stem = if name(&path) == "mod" { path.parent().map(name).unwrap_or_default() } else { name(&path) };
                sources.insert(path, (stem, code));
            }
        }
    }
    sources
}

/// All functions of a source.
fn functions(code: &str) -> impl Iterator<Item = &str> {
    code.split("fn ").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn every_decoder_has_a_definition() {
    let known: BTreeMap<&str, How> = DECODERS.into();
    assert_eq!(known.len(), DECODERS.len(), "a decoder stands twice in the table");
    let (mut all, mut missing) = (BTreeSet::new(), BTreeSet::new());
    for (path, (stem, code)) in sources() {
        for function in functions(&code) {
            let name = format!("{stem}::{function}");
            if decodes(function) && !known.contains_key(name.as_str()) && !OTHERS.contains(&name.as_str()) {
                missing.insert(format!("{name} in {}", path.display()));
            }
            all.insert(name);
        }
        // What is read by a library, under whatever name.
        let calls = ["serde_json::from_", "toml::from_str", "SafeTensors::deserialize"];
        let listed = known.keys().any(|name| name.split("::").next() == Some(stem.as_str()));
        if calls.iter().any(|call| code.contains(call)) && !listed {
            missing.insert(format!("{stem} in {}", path.display()));
        }
    }
    assert!(missing.is_empty(), "give these decoders a definition of fuzzing, and list them here: {missing:#?}");
    let gone: Vec<_> = known.keys().chain(&OTHERS).filter(|name| !all.contains(**name)).collect();
    assert!(gone.is_empty(), "there are no such functions: {gone:?}");
}

#[test]
fn every_definition_is_there() {
    let known: BTreeMap<&str, How> = DECODERS.into();
    let tests = test_names();
    for (name, how) in DECODERS {
        match how {
            By(definition) => assert!(tests.contains(definition), "{name}: there is no test {definition}"),
            As(decoder) => assert!(matches!(known.get(decoder), Some(By(_))), "{name}: {decoder} is not fuzzed itself"),
            Not(reason) => assert!(!reason.is_empty(), "{name}"),
        }
    }
    for definition in MORE {
        assert!(tests.contains(definition), "there is no test {definition}");
    }
}
