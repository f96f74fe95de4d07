//! The permutation against known answers of another implementation.

use std::str::FromStr;

use ark_bn254::Fr;
use gradproof_circuits::field::poseidon::permute;

#[derive(serde::Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(serde::Deserialize)]
struct Vector {
    input: [String; 4],
    output: String,
}

#[test]
fn permutation_equals_the_known_answers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/poseidon.json");
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file.vectors.len() >= 8);
    for Vector { input, output } in file.vectors {
        let mut state = [Fr::default(); 5];
        for (x, decimal) in state[1..].iter_mut().zip(&input) {
            *x = Fr::from_str(decimal).unwrap();
        }
        permute(&mut state);
        assert_eq!(state[0].to_string(), output, "input {input:?}");
    }
}
