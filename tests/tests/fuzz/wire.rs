//! What programs with a device are told, and what they answer.

use ark_bn254::Fr;
use bolero::check;
use gradproof_circuits::wrap::columns::ADVICE;
use gradproof_prover::device::wire::{Request, answer_from_bytes, answer_to_bytes, read_frame, write_frame};
use gradproof_tests::fuzz::{bounded, near};

#[test]
fn device_requests() {
    let prove = Request::Prove { keys: 1, instances: vec![Fr::from(3); 2], advice: vec![[Fr::from(5); ADVICE]; 3] };
    let seeds = [prove, Request::Load(vec![1, 2, 3])].map(|request| request.to_bytes());
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(request) = bounded(&bytes, 1 << 10, 8, Request::from_bytes) {
            assert_eq!(request.to_bytes(), bytes);
        }
    });
}

/// Reasons are texts: bytes that are none are replaced.
#[test]
fn device_answers() {
    let seeds = [Ok(vec![1, 2, 3]), Err("no memory".to_owned())].map(|answer| answer_to_bytes(&answer));
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(answer) = bounded(&bytes, 1 << 10, 8, answer_from_bytes) {
            let lost = answer.as_ref().is_err_and(|reason| reason.contains(char::REPLACEMENT_CHARACTER));
            assert!(lost || answer_to_bytes(&answer) == bytes);
        }
    });
}

/// A frame takes the memory that it has arrived with, not what it announces.
#[test]
fn device_frames() {
    let mut seed = Vec::new();
    write_frame(&mut seed, b"some content").expect("memory takes it");
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(std::slice::from_ref(&seed), script);
        let mut stream = &bytes[..];
        if let Ok(content) = bounded(&bytes, 1 << 14, 4, |_| read_frame(&mut stream)) {
            let mut again = Vec::new();
            write_frame(&mut again, &content).expect("memory takes it");
            assert_eq!([&again[..], stream].concat(), bytes);
        }
    });
}
