//! The store from outside: what it takes, what it refuses, what it costs.

#![expect(clippy::expect_used, reason = "helpers of tests may do what tests may")]

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use gradproof_blobs::ranges::{MAX_BLOB_BYTES, RANGE_BYTES};
use gradproof_blobs::{BlobError, MAX_INCOMPLETE, Root, Store};
use rand::{RngExt, SeedableRng};

const LIMIT: u64 = 100 << 20;

fn content(seed: u64, size: usize) -> Vec<u8> {
    let mut data = vec![0; size];
    rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill(data.as_mut_slice());
    data
}

fn store(folder: &Path, name: &str) -> Store {
    Store::open(&folder.join(name), LIMIT).expect("opened")
}

#[test]
fn a_blob_travels_from_store_to_store_by_way_of_an_incomplete_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, third] = ["1", "2", "3"].map(|name| store(folder.path(), name));
    let data = content(1, (4 << 20) + 5);
    let root = first.add(&mut data.as_slice()).expect("added");
    assert_eq!((root, first.size(root).expect("known")), (Root::of(&data), data.len() as u64));
    for other in [&second, &third] {
        other.begin(root, data.len() as u64).expect("reserved");
        assert_eq!(other.missing(root).expect("known"), vec![0, 1, 2, 3, 4]);
        assert!(matches!(other.reader(root), Err(BlobError::Incomplete { missing: 5, .. })));
    }
    for index in [4, 2, 0, 3, 1] {
        assert!(matches!(second.read_range(root, index), Err(BlobError::Missing { .. })));
        let whole = second.write_range(root, index, &first.read_range(root, index).expect("there")).expect("written");
        assert_eq!(whole, index == 1);
        // The third has it from the second, which lacks the rest.
        third.write_range(root, index, &second.read_range(root, index).expect("there")).expect("written");
    }
    let mut read = Vec::new();
    third.reader(root).expect("whole").read_to_end(&mut read).expect("read");
    assert!(read == data);
    assert_eq!(third.used_bytes(), first.used_bytes());
    assert_eq!(third.list()[0].missing, 0);
    assert!(third.write_range(root, 1, &second.read_range(root, 1).expect("there")).expect("again"));
}

#[test]
fn a_wrong_range_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, theirs] = ["1", "2"].map(|name| store(folder.path(), name));
    let data = content(2, (2 << 20) + 9);
    let root = theirs.add(&mut data.as_slice()).expect("added");
    ours.begin(root, data.len() as u64).expect("reserved");
    let mut bytes = theirs.read_range(root, 1).expect("there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let error = ours.write_range(root, 1, &bytes).expect_err("it is wrong");
    assert!(error.to_string().contains("are not range 1 of blob"), "{error}");
    assert_eq!(ours.missing(root).expect("known"), vec![0, 1, 2]);
    let part = folder.path().join("1").join(format!("{root}.part"));
    assert!(std::fs::read(&part).expect("read").iter().all(|byte| *byte == 0), "nothing was written");
    bytes[last] ^= 1;
    ours.write_range(root, 1, &bytes).expect("it is right");
    // A whole blob is not changed by a wrong range, either.
    assert!(matches!(theirs.write_range(root, 0, &bytes), Err(BlobError::Wrong { .. })));
}

#[test]
fn a_folder_has_one_process_and_is_free_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = store(folder.path(), "1");
    let refused = Store::open(&folder.path().join("1"), LIMIT);
    assert!(matches!(refused, Err(BlobError::Locked { .. })));
    drop(first);
    store(folder.path(), "1");
}

#[test]
fn a_full_store_refuses_new_blobs_and_goes_on_with_begun_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = store(folder.path(), "source");
    let data = content(3, 6 << 20);
    let root = source.add(&mut data.as_slice()).expect("added");
    let small = Store::open(&folder.path().join("small"), 7 << 20).expect("opened");
    small.begin(root, data.len() as u64).expect("reserved");
    let reserved = small.used_bytes();
    assert!(reserved > data.len() as u64, "what is reserved counts, and so does the tree");
    let refused = small.begin(Root::of(b"x"), 2 << 20).expect_err("it is full");
    assert!(matches!(refused, BlobError::Full { .. }), "{refused}");
    let refused = small.add(&mut content(4, 2 << 20).as_slice()).expect_err("it is full");
    assert!(matches!(refused, BlobError::Full { .. }), "{refused}");
    assert_eq!(small.used_bytes(), reserved, "what was refused costs nothing");
    for index in 0..6 {
        small.write_range(root, index, &source.read_range(root, index).expect("there")).expect("written");
    }
    assert_eq!(small.used_bytes(), reserved);
    drop(small);
    let small = Store::open(&folder.path().join("small"), 1 << 20).expect("a lower limit removes nothing");
    assert_eq!((small.used_bytes(), small.free_bytes()), (reserved, 0));
    assert!(matches!(small.begin(Root::of(b"x"), 1), Err(BlobError::Full { .. })));
    small.remove(root).expect("removed");
    assert_eq!(small.used_bytes(), 0);
}

#[test]
fn what_is_not_needed_goes_whole_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let roots: Vec<Root> = (0..4).map(|seed| ours.add(&mut content(seed, 10_000).as_slice()).expect("added")).collect();
    let (unknown, begun) = (Root::of(b"unknown"), Root::of(b"begun"));
    ours.begin(unknown, 3 << 20).expect("reserved");
    ours.begin(begun, 3 << 20).expect("reserved");
    let needed: HashSet<Root> = [roots[1], roots[3], begun].into();
    let mut removed = ours.retain(&needed).expect("collected");
    removed.sort_unstable();
    let mut expected = vec![roots[0], roots[2], unknown];
    expected.sort_unstable();
    assert_eq!(removed, expected);
    assert_eq!(ours.list().iter().map(|listed| listed.root).collect::<HashSet<_>>(), needed);
    assert!(matches!(ours.missing(unknown), Err(BlobError::Unknown(_))));
    let used = ours.used_bytes();
    drop(ours);
    let ours = store(folder.path(), "1");
    assert_eq!((ours.list().len(), ours.used_bytes()), (3, used));
    // The lock, two files of each whole blob, three of the incomplete one.
    assert_eq!(std::fs::read_dir(folder.path().join("1")).expect("listed").count(), 1 + 2 * 2 + 3);
}

#[test]
fn a_size_that_nobody_has_shown_gives_way_and_that_of_a_whole_blob_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, theirs] = ["1", "2"].map(|name| store(folder.path(), name));
    let data = content(5, (2 << 20) + 9);
    let size = data.len() as u64;
    let root = theirs.add(&mut data.as_slice()).expect("added");
    // Its first range is right under both sizes, which have trees of one form.
    ours.begin(root, size + 1).expect("reserved");
    ours.write_range(root, 0, &theirs.read_range(root, 0).expect("there")).expect("written");
    assert!(matches!(ours.begin(root, 1 << 40), Err(BlobError::TooLarge { .. })));
    assert!(matches!(ours.begin(root, LIMIT), Err(BlobError::Full { .. })));
    assert_eq!(ours.missing(root).expect("known"), vec![1, 2], "what does not fit takes no place");
    ours.begin(root, size).expect("begun anew");
    assert_eq!(ours.missing(root).expect("known"), vec![0, 1, 2]);
    for index in 0..3 {
        ours.write_range(root, index, &theirs.read_range(root, index).expect("there")).expect("written");
    }
    assert_eq!(ours.used_bytes(), theirs.used_bytes());
    let refused = ours.begin(root, size + 1).expect_err("it is whole");
    assert!(matches!(refused, BlobError::AnotherSize { expected, got, .. } if (expected, got) == (size, size + 1)));
    ours.reader(root).expect("it is there still");
}

#[test]
fn sizes_that_no_blob_has_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Store::open(&folder.path().join("1"), u64::MAX).expect("opened");
    let root = Root::of(b"x");
    assert!(matches!(ours.begin(root, 0), Err(BlobError::Empty)));
    assert!(matches!(ours.begin(root, MAX_BLOB_BYTES + 1), Err(BlobError::TooLarge { .. })));
    assert!(matches!(ours.add(&mut std::io::empty()), Err(BlobError::Empty)));
    ours.begin(root, 5).expect("reserved");
    ours.begin(root, 5).expect("twice is as once");
    assert!(matches!(ours.write_range(root, 1, &[]), Err(BlobError::NoSuchRange { .. })));
    assert!(matches!(ours.read_range(root, 1), Err(BlobError::NoSuchRange { .. })));
    assert!(matches!(ours.write_range(Root::of(b"y"), 0, &[]), Err(BlobError::Unknown(_))));
}

#[test]
fn incomplete_blobs_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let begin = |number: usize| ours.begin(Root::of(&number.to_be_bytes()), 100);
    (0..MAX_INCOMPLETE).for_each(|number| begin(number).expect("reserved"));
    assert!(matches!(begin(MAX_INCOMPLETE), Err(BlobError::TooMany { .. })));
    begin(0).expect("it is there");
}

#[test]
fn a_blob_that_was_begun_under_a_false_size_becomes_whole_when_it_is_added() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let data = content(8, 3 << 20);
    let root = Root::of(&data);
    ours.begin(root, 50 << 20).expect("reserved");
    assert_eq!(ours.add(&mut data.as_slice()).expect("added"), root);
    assert_eq!((ours.size(root).expect("known"), ours.missing(root).expect("known")), (3 << 20, vec![]));
    let used = ours.used_bytes();
    assert_eq!(ours.add(&mut data.as_slice()).expect("added again"), root);
    assert_eq!(ours.used_bytes(), used);
    drop(ours);
    assert_eq!(store(folder.path(), "1").used_bytes(), used);
}

#[test]
fn an_input_that_fails_leaves_nothing() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("no more"));
            }
            self.0 -= 1;
            buffer.fill(3);
            Ok(buffer.len())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let error = ours.add(&mut Failing(3)).expect_err("it fails");
    assert!(matches!(error, BlobError::Input(_)), "{error}");
    assert_eq!(ours.used_bytes(), 0);
    assert_eq!(std::fs::read_dir(folder.path().join("1")).expect("listed").count(), 1, "the lock");
}

#[test]
fn a_disk_that_damages_a_blob_is_found_by_every_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let data = content(9, (3 << 20) + 1);
    let root = ours.add(&mut data.as_slice()).expect("added");
    let path = folder.path().join("1").join(format!("{root}.blob"));
    let mut bytes = data.clone();
    bytes[(1 << 20) + 77] ^= 4;
    std::fs::write(&path, &bytes).expect("written");
    assert!(ours.read_range(root, 0).is_ok());
    assert!(matches!(ours.read_range(root, 1), Err(BlobError::Damaged { index: 1, .. })));
    let mut reader = ours.reader(root).expect("whole");
    let mut read = Vec::new();
    let error = reader.read_to_end(&mut read).expect_err("it is damaged");
    assert!(error.to_string().contains("was damaged on this disk"), "{error}");
    assert!(read == data[..RANGE_BYTES as usize], "nothing of the damaged range is given");
    // The rest is there.
    reader.seek(SeekFrom::Start(2 << 20)).expect("a place");
    read.clear();
    reader.read_to_end(&mut read).expect("read");
    assert!(read == data[2 << 20..]);
    assert_eq!(reader.seek(SeekFrom::End(-1)).expect("a place"), 3 << 20);
    assert!(reader.seek(SeekFrom::Current(-(4 << 20))).is_err());
}

#[test]
fn a_lost_tree_is_made_again_and_a_blob_of_other_bytes_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = store(folder.path(), "1");
    let data = content(10, 2 << 20);
    let root = ours.add(&mut data.as_slice()).expect("added");
    let range = ours.read_range(root, 1).expect("there");
    drop(ours);
    let path = |kind| folder.path().join("1").join(format!("{root}.{kind}"));
    std::fs::remove_file(path("tree")).expect("removed");
    let ours = store(folder.path(), "1");
    assert!(ours.read_range(root, 1).expect("there") == range);
    drop(ours);
    std::fs::remove_file(path("tree")).expect("removed");
    std::fs::write(path("blob"), b"something else").expect("written");
    assert!(store(folder.path(), "1").list().is_empty());
    assert!(!path("blob").exists());
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1");
    std::fs::create_dir_all(&path).expect("made");
    for name in ["notes.txt", "0x12.blob", ".tmp1-data.partial"] {
        std::fs::write(path.join(name), b"x").expect("written");
    }
    store(folder.path(), "1");
    assert!(path.join("notes.txt").exists() && path.join("0x12.blob").exists());
    assert!(!path.join(".tmp1-data.partial").exists(), "an unfinished file is the store's");
}

#[test]
fn threads_write_and_read_one_blob() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, theirs] = ["1", "2"].map(|name| store(folder.path(), name));
    let data = content(11, 24 << 20);
    let root = theirs.add(&mut data.as_slice()).expect("added");
    ours.begin(root, data.len() as u64).expect("reserved");
    std::thread::scope(|scope| {
        for offset in 0..4 {
            let (ours, theirs) = (&ours, &theirs);
            scope.spawn(move || {
                // Each range twice, by different threads.
                for index in (0..24).filter(|index| index % 4 == offset || index % 4 == (offset + 1) % 4) {
                    let range = theirs.read_range(root, index).expect("there");
                    ours.write_range(root, index, &range).expect("written");
                    assert!(ours.read_range(root, index).expect("there") == range);
                }
            });
        }
    });
    assert_eq!(ours.missing(root).expect("known"), Vec::<u32>::new());
    let mut read = Vec::new();
    ours.reader(root).expect("whole").read_to_end(&mut read).expect("read");
    assert!(read == data);
}
