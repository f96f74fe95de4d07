//! Wrapped proofs of a whole job, accepted by the deployed contracts, and refused after any change.

use gradproof_circuits::relations::{Group, Subject};
use gradproof_evm::segment;
use gradproof_tests::forge::wrapped;

use crate::deployed::{Deployed, OwnColumns, proof};
use crate::synthetic::domain;

#[test]
fn a_wrapped_proof_is_accepted_and_no_word_of_it_is_free() {
    let Some(deployed) = Deployed::new("a_wrapped_proof_is_accepted_and_no_word_of_it_is_free") else { return };
    let halo2_bytes = deployed.halo2_bytes;
    assert!(halo2_bytes < 22_000, "{halo2_bytes} bytes");
    let (forged, bytes) = proof(deployed.chain.sender());
    let verify = |proof: &[u8]| deployed.verify(&segment(&forged.statement), proof);
    assert_eq!(verify(&bytes), Ok(forged.statement.last.into()));
    let mut reasons = std::collections::BTreeMap::new();
    for word in 0..bytes.len() / 32 {
        let mut bad = bytes.clone();
        bad[32 * word + 31] ^= 1;
        let reason = verify(&bad).expect_err("every word is bound");
        *reasons.entry(reason.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    println!("{} words, refused as {reasons:?}", bytes.len() / 32);
    for length in [0, 32, bytes.len() - 32, bytes.len() - 1] {
        assert!(verify(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(verify(&[&bytes[..], &[0; 32]].concat()).is_err());
    // Of another statement: position, live counts, rate, owner, job.
    let honest = segment(&forged.statement);
    let change = |change: &dyn Fn(&mut gradproof_chain::Segment)| {
        let mut other = honest.clone();
        change(&mut other);
        deployed.verify(&other, &bytes).expect_err("it is for another statement");
    };
    change(&|s| s.position ^= 1);
    change(&|s| s.liveSteps -= 1);
    change(&|s| s.liveRows -= 1);
    change(&|s| s.rate += 1);
    change(&|s| s.index += 1);
    change(&|s| s.job.0[0] ^= 1);
    change(&|s| s.owner.0[0] ^= 1);
    change(&|s| s.dataRoot.0[0] ^= 1);
    change(&|s| s.first.0[0] ^= 1);
    let columns = wrapped().1.relations(Subject::Segment).layout.group(Group::Trace).len();
    assert!(columns > 0);
}

/// The last step of the opening then folds one variable, and the circuit has a public input less.
#[test]
fn columns_may_have_an_odd_number_of_variables() {
    let columns = OwnColumns::new(11);
    let Some(deployed) = Deployed::of("columns_may_have_an_odd_number_of_variables", &columns.key) else { return };
    let (statement, bytes) = columns.prove(domain(deployed.chain.sender()));
    assert_eq!(deployed.verify(&segment(&statement), &bytes), Ok(statement.last.into()));
    for word in 0..bytes.len() / 32 {
        let mut other = bytes.clone();
        other[32 * word + 31] ^= 1;
        assert!(deployed.verify(&segment(&statement), &other).is_err(), "word {word}");
    }
}
