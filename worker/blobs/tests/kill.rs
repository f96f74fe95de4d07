//! A process that writes ranges is killed with -9, again and again, until the blob is whole.

#![expect(clippy::expect_used, reason = "helpers of tests may do what tests may")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gradproof_blobs::{Root, Store};
use rand::{RngExt, SeedableRng};

const FOLDER: &str = "GRADPROOF_BLOBS_KILL_FOLDER";
const SIZE: usize = 40 << 20;
const LIMIT: u64 = 1 << 30;

fn content() -> Vec<u8> {
    let mut data = vec![0; SIZE];
    rand_chacha::ChaCha8Rng::seed_from_u64(5).fill(data.as_mut_slice());
    data
}

/// Not a test of its own: what the process does that is killed. It says the index of each range that it has written.
#[test]
fn writes_ranges_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let [source, target] = ["source", "target"].map(|name| Store::open(&folder.join(name), LIMIT).expect("opened"));
    let root = source.list()[0].root;
    target.begin(root, SIZE as u64).expect("reserved");
    let mut out = std::io::stdout();
    for index in target.missing(root).expect("known") {
        target.write_range(root, index, &source.read_range(root, index).expect("there")).expect("written");
        writeln!(out, "\nwrote {index}").and_then(|()| out.flush()).expect("somebody listens");
    }
}

/// Starts the writer, kills it after it has said that `count` ranges are written, and returns all that it said.
fn killed_after(folder: &Path, count: usize) -> Vec<u32> {
    let mut writer = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "writes_ranges_until_it_is_killed", "--nocapture", "--test-threads", "1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
    let mut said = Vec::new();
    let mut killed = false;
    for line in lines.map_while(Result::ok) {
        if let Some(index) = line.strip_prefix("wrote ") {
            said.push(index.parse().expect("a number"));
        }
        if said.len() >= count && !killed {
            writer.kill().expect("killed");
            killed = true;
        }
    }
    writer.wait().expect("ended");
    said
}

#[test]
fn what_was_written_is_there_after_every_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = content();
    let root = Root::of(&data);
    Store::open(&folder.path().join("source"), LIMIT).expect("opened").add(&mut data.as_slice()).expect("added");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(6);
    let mut fetched = Vec::new();
    for round in 0.. {
        assert!(round < 60, "it is never whole");
        fetched.extend(killed_after(folder.path(), random.random_range(1..5)));
        let store = Store::open(&folder.path().join("target"), LIMIT).expect("opened");
        let missing = store.missing(root).expect("begun");
        let lost: Vec<&u32> = fetched.iter().filter(|index| missing.contains(index)).collect();
        assert!(lost.is_empty(), "{lost:?} were written and are gone");
        for index in (0..40).filter(|index| !missing.contains(index)) {
            store.read_range(root, index).expect("what is there is right");
        }
        if missing.is_empty() {
            let mut read = Vec::new();
            std::io::copy(&mut store.reader(root).expect("whole"), &mut read).expect("read");
            assert!(read == data);
            break;
        }
    }
    fetched.sort_unstable();
    let all = fetched.len();
    fetched.dedup();
    assert_eq!(fetched.len(), all, "nothing that was written is written again");
}
