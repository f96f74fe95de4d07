//! A hand-over from outside: who may read it can, knows that the others can, and nobody else can.

#![expect(clippy::expect_used, reason = "helpers of tests may do what tests may")]

use bolero::check;
use gradproof_handover::manifest::{MAX_ENTRIES, MAX_MANIFEST_BYTES, MAX_NAME_BYTES, MAX_OPENINGS_BYTES};
use gradproof_handover::manifest::{MAX_SEALED_BYTES, MAX_SEALED_MANIFEST_BYTES};
use gradproof_handover::wrap::{MAX_RECIPIENTS, VOID, check_all, open, wrap, wrap_all};
use gradproof_handover::{ContentKey, EncryptionKey, Entry, HandoverError, Kind, Manifest, PublicKey, Subject};
use gradproof_verifier::protocol::statement::Domain;
use proptest::prelude::*;

const KEY: ContentKey = ContentKey::from_bytes([7; 32]);
const ROOT: [u8; 32] = [9; 32];

fn subject(kind: Kind) -> Subject {
    Subject { domain: Domain { chain: 31337, contract: [1; 20], job: [2; 32], owner: [3; 20] }, kind }
}

fn weights() -> Subject {
    subject(Kind::Weights { batch: 4 })
}

fn entry(name: &str) -> Entry {
    Entry { name: name.into(), sealed_bytes: 1000, root: [5; 32], key: ContentKey::from_bytes([6; 32]) }
}

fn manifest() -> Manifest {
    Manifest {
        subject: subject(Kind::Data),
        entries: vec![entry("labels.npy"), entry("rows.npy")],
        openings: b"{}".to_vec().into(),
    }
}

fn node(seed: u8) -> (EncryptionKey, PublicKey) {
    let secret = EncryptionKey::from_bytes([seed; 32]);
    let public = secret.public().expect("a key");
    (secret, public)
}

/// Every subject that differs from `subject` in one field.
fn others(subject: Subject) -> Vec<(&'static str, Subject)> {
    let change = |act: &dyn Fn(&mut Subject)| {
        let mut other = subject;
        act(&mut other);
        other
    };
    vec![
        ("chain", change(&|other| other.domain.chain += 1)),
        ("market", change(&|other| other.domain.contract[19] ^= 1)),
        ("job", change(&|other| other.domain.job[0] ^= 1)),
        ("owner", change(&|other| other.domain.owner[5] ^= 1)),
        ("kind or batch", change(&|other| other.kind = Kind::Weights { batch: 5 })),
        (
            "kind or batch",
            change(&|other| {
                other.kind = match other.kind {
                    Kind::Data => Kind::Weights { batch: 0 },
                    Kind::Weights { .. } => Kind::Rows,
                    Kind::Rows => Kind::Data,
                }
            }),
        ),
    ]
}

#[test]
fn a_hand_over_reaches_every_recipient_and_no_stranger() {
    let key = ContentKey::fresh().expect("randomness");
    let manifest = manifest();
    let (sealed, root) = manifest.seal(&key).expect("sealed");
    let nodes: Vec<(EncryptionKey, PublicKey)> = (1..5).map(node).collect();
    let recipients: Vec<PublicKey> = nodes.iter().map(|node| node.1).collect();
    let wraps = wrap_all(&manifest.subject, &root, &key, &recipients).expect("wrapped");
    for ((secret, _), sent) in nodes.iter().zip(&wraps) {
        let key = open(sent, &manifest.subject, &root, secret).expect("it is theirs");
        check_all(&wraps, &recipients, &manifest.subject, &root, &key).expect("the others' are right");
        assert_eq!(Manifest::open(&sealed, &root, &key, &manifest.subject).expect("opened"), manifest);
    }
    // A stranger has the cipher text, the root, and all wraps.
    let (stranger, _) = node(99);
    for sent in &wraps {
        assert!(matches!(open(sent, &manifest.subject, &root, &stranger), Err(HandoverError::WrapRefused)));
    }
    let guessed = Manifest::open(&sealed, &root, &ContentKey::from_bytes(root), &manifest.subject);
    assert!(matches!(guessed, Err(HandoverError::AnotherKey)));
    for secret in [[5; 32], [6; 32], [8; 32]] {
        assert!(sealed.windows(32).all(|window| window != secret), "no secret is in the cipher text");
    }
}

#[test]
fn a_wrap_opens_nothing_but_what_it_was_made_for() {
    let (secret, public) = node(1);
    for subject in [weights(), subject(Kind::Data), subject(Kind::Rows)] {
        let sent = wrap(&subject, &ROOT, &KEY, &public).expect("wrapped");
        assert_eq!(open(&sent, &subject, &ROOT, &secret).expect("opened"), KEY);
        for (what, other) in others(subject) {
            assert!(matches!(open(&sent, &other, &ROOT, &secret), Err(HandoverError::WrapRefused)), "{what}");
        }
        assert!(open(&sent, &subject, &[10; 32], &secret).is_err(), "the root");
        assert!(open(&sent, &subject, &ROOT, &node(2).0).is_err(), "the node");
    }
}

#[test]
fn every_flipped_bit_of_a_wrap_is_found() {
    let (secret, public) = node(1);
    let good = wrap(&weights(), &ROOT, &KEY, &public).expect("wrapped");
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut sent = good;
            sent[at] ^= 1 << bit;
            assert!(open(&sent, &weights(), &ROOT, &secret).is_err(), "byte {at}");
            assert!(check_all(&[sent], &[public], &weights(), &ROOT, &KEY).is_err(), "byte {at}");
        }
    }
}

#[test]
fn whoever_opens_a_good_wrap_finds_every_bad_one() {
    let nodes: Vec<(EncryptionKey, PublicKey)> = (1..7).map(node).collect();
    let recipients: Vec<PublicKey> = nodes.iter().map(|node| node.1).collect();
    let good = wrap_all(&weights(), &ROOT, &KEY, &recipients).expect("wrapped");
    check_all(&good, &recipients, &weights(), &ROOT, &KEY).expect("all are right");
    let other_key = ContentKey::from_bytes([8; 32]);
    let data = subject(Kind::Data);
    let bad = [
        ("another key", wrap(&weights(), &ROOT, &other_key, &recipients[2]).expect("wrapped")),
        ("another subject", wrap(&data, &ROOT, &KEY, &recipients[2]).expect("wrapped")),
        ("another root", wrap(&weights(), &[1; 32], &KEY, &recipients[2]).expect("wrapped")),
        ("another's", good[3]),
        ("void", VOID),
        ("noise", [5; 80]),
    ];
    for (what, bad) in bad {
        let mut sent = good.clone();
        sent[2] = bad;
        let opened = open(&sent[4], &weights(), &ROOT, &nodes[4].0).expect("theirs is good");
        let error = check_all(&sent, &recipients, &weights(), &ROOT, &opened).expect_err("one is bad");
        assert!(matches!(&error, HandoverError::WrongWraps { indices } if indices == &[2]), "{what}: {error}");
    }
    assert!(matches!(
        check_all(&good[1..], &recipients, &weights(), &ROOT, &KEY),
        Err(HandoverError::Count { wraps: 5, recipients: 6 })
    ));
}

#[test]
fn wraps_of_one_key_share_nothing_that_shows() {
    let recipients: Vec<PublicKey> = (1..9).map(|seed| node(seed).1).collect();
    let mut ephemeral: Vec<Vec<u8>> = Vec::new();
    for subject in [weights(), subject(Kind::Data), subject(Kind::Rows), subject(Kind::Weights { batch: 5 })] {
        for root in [ROOT, [1; 32]] {
            for sent in wrap_all(&subject, &root, &KEY, &recipients).expect("wrapped") {
                ephemeral.push(sent[..32].to_vec());
            }
        }
    }
    let all = ephemeral.len();
    ephemeral.sort_unstable();
    ephemeral.dedup();
    assert_eq!(ephemeral.len(), all, "no ephemeral key is used twice");
}

#[test]
fn a_node_that_registered_no_key_stops_nobody() {
    // Points of small order: zero, one, and one that is not reduced.
    let mut one = [0; 32];
    one[0] = 1;
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    for bad in [[0; 32], one, prime] {
        assert!(matches!(wrap(&weights(), &ROOT, &KEY, &bad), Err(HandoverError::BadRecipient)));
        let recipients = [node(1).1, bad];
        let wraps = wrap_all(&weights(), &ROOT, &KEY, &recipients).expect("wrapped");
        assert!(wraps[0] != VOID && wraps[1] == VOID);
        check_all(&wraps, &recipients, &weights(), &ROOT, &KEY).expect("it is what it must be");
    }
    assert!(open(&VOID, &weights(), &ROOT, &node(1).0).is_err());
}

#[test]
fn recipients_are_bounded() {
    let recipients = vec![[0; 32]; MAX_RECIPIENTS + 1];
    assert!(matches!(wrap_all(&weights(), &ROOT, &KEY, &recipients), Err(HandoverError::TooMuch { .. })));
    let wraps = vec![VOID; MAX_RECIPIENTS + 1];
    assert!(check_all(&wraps, &recipients, &weights(), &ROOT, &KEY).is_err());
}

#[test]
fn a_sealed_manifest_opens_only_with_its_root_key_and_subject() {
    let manifest = manifest();
    let (sealed, root) = manifest.seal(&KEY).expect("sealed");
    assert!(Manifest::open(&sealed, &root, &KEY, &manifest.subject).is_ok());
    assert!(matches!(Manifest::open(&sealed, &ROOT, &KEY, &manifest.subject), Err(HandoverError::AnotherRoot)));
    let other = ContentKey::from_bytes([8; 32]);
    assert!(matches!(Manifest::open(&sealed, &root, &other, &manifest.subject), Err(HandoverError::AnotherKey)));
    for (what, other) in others(manifest.subject) {
        let error = Manifest::open(&sealed, &root, &KEY, &other).expect_err("another subject");
        assert_eq!(error.to_string(), format!("the manifest is for another {what}"));
    }
    let long = vec![0; MAX_SEALED_MANIFEST_BYTES + 1];
    assert!(matches!(Manifest::open(&long, &ROOT, &KEY, &manifest.subject), Err(HandoverError::TooMuch { .. })));
}

#[test]
fn the_largest_manifest_is_taken_and_nothing_larger() {
    let name = |number: usize| format!("{number:0>width$}", width = MAX_NAME_BYTES);
    let mut manifest = manifest();
    manifest.entries = (0..MAX_ENTRIES).map(|number| entry(&name(number))).collect();
    manifest.openings = vec![1; MAX_OPENINGS_BYTES].into();
    let bytes = manifest.encode().expect("it fits");
    assert_eq!(bytes.len(), MAX_MANIFEST_BYTES);
    assert!(Manifest::decode(&bytes).expect("decoded") == manifest);
    let (sealed, root) = manifest.seal(&KEY).expect("sealed");
    assert_eq!(sealed.len(), MAX_SEALED_MANIFEST_BYTES);
    assert!(Manifest::open(&sealed, &root, &KEY, &manifest.subject).expect("opened") == manifest);
    manifest.entries.push(entry(&name(MAX_ENTRIES)));
    assert!(matches!(manifest.encode(), Err(HandoverError::TooMuch { got: 257, .. })));
    manifest.entries.clear();
    manifest.openings.push(1);
    assert!(matches!(manifest.encode(), Err(HandoverError::TooMuch { got: 4097, .. })));
    assert!(matches!(Manifest::decode(&vec![0; MAX_MANIFEST_BYTES + 1]), Err(HandoverError::TooMuch { .. })));
}

#[test]
fn counts_that_are_not_there_are_refused_before_they_are_allocated() {
    let bytes = manifest().encode().expect("encoded");
    // The number of entries is after magic, version and subject.
    let mut many = bytes.to_vec();
    many[99..101].copy_from_slice(&[0xff; 2]);
    assert!(matches!(Manifest::decode(&many), Err(HandoverError::TooMuch { got: 65535, .. })));
    let mut empty = manifest();
    empty.entries.clear();
    let mut long = empty.encode().expect("encoded").to_vec();
    long[101..105].copy_from_slice(&[0xff; 4]);
    assert!(matches!(Manifest::decode(&long), Err(HandoverError::TooMuch { got: 0xffff_ffff, .. })));
    long[101..105].copy_from_slice(&4096u32.to_be_bytes());
    assert!(matches!(Manifest::decode(&long), Err(HandoverError::Length { more: false })));
}

#[test]
fn names_that_leave_their_folder_and_other_impossible_fields_are_refused() {
    let long = "a".repeat(MAX_NAME_BYTES + 1);
    for name in ["", ".", "..", "../a", "a/b", "/a", "a\\b", "a b", "ä", "a\0", ".hidden", "a:b", &long] {
        let mut manifest = manifest();
        manifest.entries = vec![entry(name)];
        assert!(matches!(manifest.encode(), Err(HandoverError::Field(_))), "{name}");
        // The same bytes from somebody who does not check them.
        manifest.entries = vec![entry("x")];
        let good = manifest.encode().expect("encoded").to_vec();
        let bytes = [&good[..101], &[name.len() as u8], name.as_bytes(), &good[103..]].concat();
        assert!(matches!(Manifest::decode(&bytes), Err(HandoverError::Field(_))), "{name}");
    }
    let refused = |act: &dyn Fn(&mut Manifest)| {
        let mut manifest = manifest();
        act(&mut manifest);
        assert!(matches!(manifest.encode(), Err(HandoverError::Field(_))));
    };
    refused(&|manifest| manifest.entries.swap(0, 1));
    refused(&|manifest| manifest.entries[1].name = manifest.entries[0].name.clone());
    refused(&|manifest| manifest.entries[0].sealed_bytes = 57);
    refused(&|manifest| manifest.entries[0].sealed_bytes = MAX_SEALED_BYTES + 1);
}

#[test]
fn a_manifest_of_another_version_or_kind_says_so() {
    let mut bytes = manifest().encode().expect("encoded").to_vec();
    bytes[9] = 3;
    assert_eq!(Manifest::decode(&bytes).expect_err("version 3").to_string(), "manifest: version is 3, expected 1");
    bytes[0] = 0;
    assert_eq!(Manifest::decode(&bytes).expect_err("no manifest").to_string(), "not a manifest");
    let good = manifest().encode().expect("encoded");
    for (at, value) in [(90, 3), (98, 1)] {
        let mut bytes = good.to_vec();
        bytes[at] = value;
        assert!(matches!(Manifest::decode(&bytes), Err(HandoverError::Field(_))), "byte {at}");
    }
}

#[test]
fn secrets_of_a_manifest_are_not_printed() {
    let printed = format!("{:?}", manifest());
    assert!(printed.contains("rows.npy") && printed.contains("ContentKey(secret)"), "{printed}");
    assert!(!printed.contains("openings") && !printed.contains("[6, 6") && !printed.contains("[8, 8"), "{printed}");
}

#[test]
fn any_bytes_are_a_manifest_in_one_encoding_or_refused() {
    let good = manifest().encode().expect("encoded").to_vec();
    check!().with_iterations(5000).with_type::<(u8, Vec<(u16, u8)>, Vec<u8>)>().for_each(|(how, edits, raw)| {
        let mut bytes = if how % 2 == 0 { good.clone() } else { [&good[..101], raw].concat() };
        for (at, byte) in edits.iter().take(4) {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        bytes.truncate(usize::from(*how).max(64) * 64);
        if let Ok(manifest) = Manifest::decode(&bytes) {
            assert!(manifest.encode().expect("it was decoded").as_slice() == bytes);
        }
        let _ = Manifest::decode(raw);
    });
}

#[test]
fn any_bytes_are_a_wrap_or_refused() {
    let (secret, public) = node(1);
    check!().with_iterations(300).with_type::<([u8; 32], [u8; 32], [u8; 16], [u8; 32])>().for_each(|(a, b, c, key)| {
        let mut sent = VOID;
        sent[..32].copy_from_slice(a);
        sent[32..64].copy_from_slice(b);
        sent[64..].copy_from_slice(c);
        assert!(open(&sent, &weights(), &ROOT, &secret).is_err());
        let _ = wrap(&weights(), &ROOT, &KEY, key);
        assert!(check_all(&[sent], &[public], &weights(), &ROOT, &KEY).is_err());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_manifest_is_decoded_as_it_was_encoded(
        names in prop::collection::btree_set("[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,20}", 0..6),
        numbers in any::<([u8; 20], [u8; 32], u64, Option<u64>)>(),
        openings in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let (contract, job, chain, batch) = numbers;
        let manifest = Manifest {
            subject: Subject {
                domain: Domain { chain, contract, job, owner: contract },
                kind: batch.map_or(if chain % 2 == 0 { Kind::Data } else { Kind::Rows }, |batch| Kind::Weights { batch }),
            },
            entries: names.iter().map(|name| entry(name)).collect(),
            openings: openings.into(),
        };
        let bytes = manifest.encode().expect("encoded");
        prop_assert!(Manifest::decode(&bytes).expect("decoded") == manifest);
    }
}
