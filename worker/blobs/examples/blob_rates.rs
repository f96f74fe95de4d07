//! Writes and reads a blob of 1 GiB in ranges, checked, to disk, and in the same run plain BLAKE3 and a plain file.
//!
//! `cargo run --release -p gradproof-blobs --example blob_rates [MiB]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement at a terminal")]

use std::fs::File;
use std::io::{Read, Write};
use std::time::Instant;

use gradproof_blobs::ranges::RANGE_BYTES;
use gradproof_blobs::{Root, Store};

/// Any bytes, cheaply and not all alike.
struct Bytes(u64, u64);

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = (buffer.len() as u64).min(self.1) as usize;
        let whole = bytes - bytes % 8;
        for word in buffer[..whole].chunks_exact_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&self.0.to_le_bytes());
        }
        self.1 -= whole as u64;
        Ok(whole)
    }
}

fn main() {
    let mib: u64 = std::env::args().nth(1).map_or(1024, |mib| mib.parse().unwrap());
    let size = mib * RANGE_BYTES;
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = |name| Store::open(&folder.path().join(name), 4 * size).unwrap();
    let timed = |what: &str, act: &mut dyn FnMut()| {
        let start = Instant::now();
        act();
        let seconds = start.elapsed().as_secs_f64();
        println!("{what:<52} {:>7.0} MB/s  peak {:>4} MiB", size as f64 / 1e6 / seconds, peak_mib());
    };
    let (source, target) = (store("source"), store("target"));
    let mut root = Root::new([0; 32]);
    timed("add: copy, flush, tree", &mut || root = source.add(&mut Bytes(1, size)).unwrap());

    timed("read ranges, checked", &mut || {
        (0..mib as u32).for_each(|index| drop(std::hint::black_box(source.read_range(root, index).unwrap())));
    });
    timed("read ranges, check, write, flush", &mut || {
        target.begin(root, size).unwrap();
        for index in 0..mib as u32 {
            target.write_range(root, index, &source.read_range(root, index).unwrap()).unwrap();
        }
    });
    timed("read the whole blob, checked", &mut || {
        std::io::copy(&mut target.reader(root).unwrap(), &mut std::io::sink()).unwrap();
    });
    let path = folder.path().join("source").join(format!("{root}.blob"));
    timed("plain: read, BLAKE3", &mut || {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&path).unwrap();
        let mut buffer = vec![0; RANGE_BYTES as usize];
        while let bytes @ 1.. = file.read(&mut buffer).unwrap() {
            hasher.update(&buffer[..bytes]);
        }
        assert_eq!(Root::from(hasher.finalize()), root);
    });
    timed("plain: read, BLAKE3, write, flush once", &mut || {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&path).unwrap();
        let mut out = File::create(folder.path().join("plain")).unwrap();
        let mut buffer = vec![0; RANGE_BYTES as usize];
        while let bytes @ 1.. = file.read(&mut buffer).unwrap() {
            hasher.update(&buffer[..bytes]);
            out.write_all(&buffer[..bytes]).unwrap();
        }
        out.sync_all().unwrap();
        assert_eq!(Root::from(hasher.finalize()), root);
    });
}

/// The most memory that this process has had, where the system tells.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
