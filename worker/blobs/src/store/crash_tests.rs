//! A process is killed, or a machine loses its power, after any change that the store makes in its folder.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rand::{RngExt, SeedableRng};

use super::{Names, Store};
use crate::Root;
use crate::ranges::{self, RANGE_BYTES};
use crate::steps::watch;

const LIMIT: u64 = 1 << 30;
const SIZE: usize = (10 << 20) + 4321;
const RANGES: u32 = 11;

fn content(size: usize) -> Vec<u8> {
    let mut data = vec![0; size];
    rand_chacha::ChaCha8Rng::seed_from_u64(7).fill(data.as_mut_slice());
    data
}

/// A store that has the blob, its root and its ranges as they travel.
fn source(folder: &Path) -> (Root, Vec<Vec<u8>>) {
    let store = Store::open(&folder.join("source"), LIMIT).expect("opened");
    let root = store.add(&mut content(SIZE).as_slice()).expect("added");
    let ranges = (0..RANGES).map(|index| store.read_range(root, index).expect("whole")).collect();
    (root, ranges)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// What the folder is after each step of `act` on it, and how many calls had returned by then.
fn snapshots(folder: &Path, act: impl FnOnce(&Store, &mut dyn FnMut())) -> Vec<(&'static str, PathBuf, u32)> {
    let store = Store::open(&folder.join("live"), LIMIT).expect("opened");
    let taken = Arc::new(Mutex::new(Vec::new()));
    let returned = Arc::new(Mutex::new(0));
    let (live, base) = (folder.join("live"), folder.to_owned());
    let (list, count) = (taken.clone(), returned.clone());
    let watcher = move |step| {
        let mut list = list.lock().expect("one thread");
        let path = base.join(format!("after-{}", list.len()));
        copy(&live, &path);
        list.push((step, path, *count.lock().expect("one thread")));
    };
    watch(watcher, || act(&store, &mut || *returned.lock().expect("one thread") += 1));
    let taken = taken.lock().expect("one thread");
    taken.clone()
}

/// True if each range that the store claims is the blob's.
fn honest(store: &Store, root: Root, sent: &[Vec<u8>]) -> bool {
    let missing = store.missing(root).expect("known");
    (0..RANGES).filter(|index| !missing.contains(index)).all(|index| {
        let read = store.read_range(root, index);
        read.is_ok_and(|read| read == sent[index as usize])
    })
}

#[test]
fn killed_at_any_step_at_most_the_range_in_flight_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    let order: Vec<u32> = vec![3, 0, 10, 7, 1, 2, 4, 5, 6, 8, 9];
    let taken = snapshots(folder.path(), |store, returned| {
        store.begin(root, SIZE as u64).expect("reserved");
        for index in &order {
            store.write_range(root, *index, &sent[*index as usize]).expect("written");
            returned();
        }
    });
    assert!(taken.len() > 4 * order.len(), "{} steps", taken.len());
    for (step, path, returned) in taken {
        let store = Store::open(&path, LIMIT).expect("opened");
        let Ok(missing) = store.missing(root) else {
            assert_eq!(returned, 0, "after {step} the blob is gone");
            continue;
        };
        let lost: Vec<&u32> = order.iter().take(returned as usize).filter(|index| missing.contains(index)).collect();
        assert!(lost.is_empty(), "after {step} {lost:?} are gone");
        assert!(missing.len() as u32 >= RANGES - returned - 1, "after {step} more is there than was written");
        assert!(honest(&store, root, &sent), "after {step}");
        // It goes on from there.
        for index in missing {
            store.write_range(root, index, &sent[index as usize]).expect("written");
        }
        let mut read = Vec::new();
        std::io::copy(&mut store.reader(root).expect("whole"), &mut read).expect("read");
        assert!(read == content(SIZE), "after {step}");
    }
}

#[test]
fn marks_follow_what_they_say_in_this_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    let taken = snapshots(folder.path(), |store, _| {
        store.begin(root, SIZE as u64).expect("reserved");
        for index in 0..RANGES {
            store.write_range(root, index, &sent[index as usize]).expect("written");
        }
    });
    let steps: Vec<&str> = taken.iter().map(|taken| taken.0).collect();
    let write = ["pairs written", "data written", "range marked written"];
    let flush = ["data flushed", "tree flushed", "ranges marked kept", "record flushed"];
    let mut expected = vec!["record created", "part created", "tree created"];
    for count in [8, 3] {
        (0..count).for_each(|_| expected.extend(write));
        expected.extend(flush);
    }
    expected.extend(["blob named", "folder flushed", "record removed"]);
    assert_eq!(steps, expected);
}

#[test]
fn a_range_whose_bytes_the_power_failure_took_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    let taken = snapshots(folder.path(), |store, _| {
        store.begin(root, SIZE as u64).expect("reserved");
        for index in 0..3 {
            store.write_range(root, index, &sent[index as usize]).expect("written");
        }
    });
    let (_, path, _) = taken.last().expect("steps");
    // The marks reached the disk, the bytes of range 1 and a pair above range 2 did not.
    let names = Names::new(path, root);
    let mut part = std::fs::read(&names.part).expect("read");
    part[RANGE_BYTES as usize..2 * RANGE_BYTES as usize].fill(0);
    std::fs::write(&names.part, &part).expect("written");
    let store = Store::open(path, LIMIT).expect("opened");
    assert_eq!(store.missing(root).expect("known"), vec![1, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert!(honest(&store, root, &sent));
    drop(store);
    std::fs::write(&names.tree, vec![0; ranges::tree_bytes(SIZE as u64) as usize]).expect("written");
    std::fs::remove_file(&names.record).expect("removed");
    let store = Store::open(path, LIMIT).expect("opened");
    assert_eq!(store.missing(root).expect("known").len() as u32, RANGES);
}

#[test]
fn a_lost_record_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    let live = folder.path().join("live");
    let store = Store::open(&live, LIMIT).expect("opened");
    store.begin(root, SIZE as u64).expect("reserved");
    for index in [2, 5, 10] {
        store.write_range(root, index, &sent[index as usize]).expect("written");
    }
    drop(store);
    for damage in [None, Some(vec![]), Some(vec![9; 300])] {
        let record = Names::new(&live, root).record;
        match damage {
            None => std::fs::remove_file(&record).expect("removed"),
            Some(bytes) => std::fs::write(&record, bytes).expect("written"),
        }
        let store = Store::open(&live, LIMIT).expect("opened");
        assert_eq!(store.missing(root).expect("known"), vec![0, 1, 3, 4, 6, 7, 8, 9]);
        assert!(honest(&store, root, &sent));
    }
}

#[test]
fn killed_while_it_adds_a_blob_is_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    // Into an empty store, and over a part of the same blob.
    for begun in [false, true] {
        let folder = folder.path().join(format!("begun-{begun}"));
        let taken = snapshots(&folder, |store, returned| {
            if begun {
                store.begin(root, SIZE as u64).expect("reserved");
                store.write_range(root, 4, &sent[4]).expect("written");
                returned();
            }
            store.add(&mut content(SIZE).as_slice()).expect("added");
        });
        for (step, path, returned) in taken {
            let store = Store::open(&path, LIMIT).expect("opened");
            let unfinished = std::fs::read_dir(&path)
                .expect("listed")
                .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with(".tmp"));
            assert_eq!(unfinished.count(), 0, "after {step}");
            let missing = store.missing(root);
            if returned > 0 {
                assert!(!missing.as_ref().expect("begun").contains(&4), "after {step}");
            }
            assert!(missing.is_err() || honest(&store, root, &sent), "after {step}");
            assert_eq!(store.list().is_empty(), store.used_bytes() == 0, "after {step}");
        }
    }
}

#[test]
fn killed_while_it_removes_a_blob_leaves_none_that_is_not_honest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, sent) = source(folder.path());
    let taken = snapshots(folder.path(), |store, _| {
        store.begin(root, SIZE as u64).expect("reserved");
        store.write_range(root, 1, &sent[1]).expect("written");
        store.remove(root).expect("removed");
        store.add(&mut content(SIZE).as_slice()).expect("added");
        store.remove(root).expect("removed");
    });
    for (step, path, _) in taken {
        let store = Store::open(&path, LIMIT).expect("opened");
        if store.missing(root).is_ok() {
            assert!(honest(&store, root, &sent), "after {step}");
        }
        drop(store);
        let last = path.file_name().expect("a name").to_owned();
        let store = Store::open(&folder.path().join(last), LIMIT).expect("opened again");
        assert_eq!(store.list().is_empty(), store.used_bytes() == 0, "after {step}");
    }
}
