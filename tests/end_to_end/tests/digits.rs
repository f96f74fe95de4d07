//! A segment of training on real handwritten digits, proved and verified.

use gradproof_circuits::field::check::Strict;
use gradproof_circuits::relations::{Subject, default_column_vars};
use gradproof_prover::prove::{Inputs, prove};
use gradproof_prover::randomness::{Use, derived};
use gradproof_prover::registration::{
    Blinding, commit_data, commit_parameters, data_paths, data_tree, register_data, register_parameters,
};
use gradproof_prover::witness::Witness;
use gradproof_tests::forge::fixture;
use gradproof_training::job::Job;
use gradproof_training::kernels::Cpu;
use gradproof_training::parameters::{initial_parameters, seed_of};
use gradproof_training::train::{SegmentPlan, train_segment};
use gradproof_verifier::protocol::key::VerifyingKey;
use gradproof_verifier::protocol::powers::Setup;
use gradproof_verifier::protocol::statement::{Domain, Statement};
use gradproof_verifier::verify::verify;

#[test]
fn a_segment_of_digits_is_proved_and_verified() {
    let job = Job::demo().unwrap();
    let steps = std::env::var("T").ok().and_then(|t| t.parse().ok()).unwrap_or(4);
    let architecture = job.architecture.with_shape(job.architecture.batch(), steps).unwrap();
    let job = Job { architecture: architecture.clone(), ..job };
    let column_vars =
        std::env::var("N").ok().and_then(|t| t.parse().ok()).unwrap_or(default_column_vars(&architecture));
    let key = VerifyingKey::insecure(&architecture, column_vars).unwrap();
    let setup = Setup::insecure(column_vars as u32).unwrap();
    let seed = [3; 32];
    let live = job.epoch().live(0).unwrap();
    let rows = job.segment_rows(0).unwrap();
    let mut parameters = initial_parameters(&architecture, seed_of(1));

    let first_witness = Witness::of_parameters(key.architecture(), &parameters).expect("they fit");
    let first = commit_parameters(&key, &setup, &first_witness, Blinding::Seed(&seed)).unwrap();
    let begin = std::time::Instant::now();
    let registered = register_parameters(&key, &setup, &parameters, first.clone(), Domain::default()).unwrap();
    println!("parameters registered {:?} {:?}", begin.elapsed(), registered.timing);
    verify(&key, &registered.statement, &first.points, &registered.proof, Strict).unwrap();

    let data_witness = Witness::of_data(&architecture, &rows.inputs, &rows.labels);
    let data = commit_data(&key, &setup, &data_witness, &seed, 0).unwrap();
    let tree = data_tree(std::slice::from_ref(&data.points));
    let mut data_statement = Statement::blank(&key, Subject::Data, live);
    data_statement.data_root = tree.root();
    data_statement.epoch_segments = 1;
    let begin = std::time::Instant::now();
    let registered = register_data(&key, &setup, data_witness, data.clone(), &tree, data_statement.clone()).unwrap();
    println!("data registered {:?} {:?}", begin.elapsed(), registered.timing);
    verify(&key, &registered.statement, &[], &registered.proof, Strict).unwrap();

    let plan = SegmentPlan { live, rate: 1, first_step: 0 };
    let begin = std::time::Instant::now();
    let trace =
        train_segment(&architecture, plan, &Cpu, &mut parameters, rows.inputs, rows.labels, &mut |_| ()).unwrap();
    println!("trained {:?}", begin.elapsed());
    let begin = std::time::Instant::now();
    let mut witness = Witness::of_segment(&architecture, &trace).unwrap();
    println!("witness {:?}", begin.elapsed());
    witness.count_lookups(&key.relations(Subject::Segment).tree).unwrap();
    println!("+ counts {:?}", begin.elapsed());
    let layout = &key.relations(Subject::Segment).layout;
    println!("columns {} of 2^{column_vars}, tree 2^{}", layout.columns(), key.relations(Subject::Segment).tree.vars);
    let last = layout.group(gradproof_circuits::relations::Group::Last).len();
    let paths = data_paths(&tree, data.points.len(), 0);
    let statement = Statement { subject: Subject::Segment, rate: 1, ..data_statement };
    let last_blindings = derived(&seed, Use::LastParameters { statement: &[0; 32], segment: 0 }, last);
    let job = Inputs { key: &key, setup: &setup, statement, data, paths, first: first.clone(), last_blindings };
    let begin = std::time::Instant::now();
    let proved = prove(job, &witness, Strict).unwrap();
    println!("proved {:?} {:#?}", begin.elapsed(), proved.timing);
    println!("{} bytes", proved.proof.to_bytes(Subject::Segment).len());
    let begin = std::time::Instant::now();
    verify(&key, &proved.statement, &first.points, &proved.proof, Strict).unwrap();
    println!("verified {:?}", begin.elapsed());
}

/// The reference that the forgeries start from is the training that is proved.
#[test]
fn honest_training_equals_the_workers() {
    let task = &fixture().task;
    let a = &task.architecture;
    let (mut parameters, (input, labels)) = (task.parameters(), task.data());
    let plan = SegmentPlan { live: task.live, rate: task.rate, first_step: 0 };
    let trace = train_segment(a, plan, &Cpu, &mut parameters, input, labels, &mut |_| ()).unwrap();
    let mut witness = Witness::of_segment(a, &trace).unwrap();
    witness.count_lookups(&fixture().key.relations(Subject::Segment).tree).unwrap();
    assert_eq!(witness, fixture().witness(Subject::Segment));
}
