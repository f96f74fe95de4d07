//! Seals and opens a file, and wraps a key for many nodes.
//!
//! `cargo run --release -p gradproof-handover --example seal_rates [MiB]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement at a terminal")]

use std::io::Read;
use std::time::Instant;

use gradproof_handover::wrap::{MAX_RECIPIENTS, check_all, wrap_all};
use gradproof_handover::{ContentKey, EncryptionKey, Kind, PublicKey, Subject, sealed};
use gradproof_verifier::protocol::statement::Domain;

fn main() {
    let mib: u64 = std::env::args().nth(1).map_or(256, |mib| mib.parse().unwrap());
    let bytes = mib << 20;
    let key = ContentKey::fresh().unwrap();
    let mut cipher_text = Vec::with_capacity(sealed::sealed_bytes(bytes).unwrap() as usize);
    let start = Instant::now();
    sealed::seal(&mut std::io::repeat(7).take(bytes), &mut cipher_text, &key).unwrap();
    println!("seal {:>6.0} MB/s", bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    let start = Instant::now();
    sealed::open(&mut cipher_text.as_slice(), &mut std::io::sink(), &key).unwrap();
    println!("open {:>6.0} MB/s", bytes as f64 / 1e6 / start.elapsed().as_secs_f64());

    let recipients: Vec<PublicKey> =
        (0..MAX_RECIPIENTS).map(|_| EncryptionKey::fresh().unwrap().public().unwrap()).collect();
    let subject = Subject { domain: Domain::default(), kind: Kind::Data };
    let start = Instant::now();
    let wraps = wrap_all(&subject, &[0; 32], &key, &recipients).unwrap();
    println!("wrap {:>6.0} µs a node", start.elapsed().as_secs_f64() * 1e6 / recipients.len() as f64);
    let start = Instant::now();
    check_all(&wraps, &recipients, &subject, &[0; 32], &key).unwrap();
    println!("check {:>5.0} µs a node", start.elapsed().as_secs_f64() * 1e6 / recipients.len() as f64);
}
