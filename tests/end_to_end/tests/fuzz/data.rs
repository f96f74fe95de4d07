//! Data sets in every format.

use std::path::{Path, PathBuf};

use bolero::check;
use gradproof_tests::fuzz::{bounded, near};
use gradproof_worker::data::{Column, DataSet, Files, Scaling};

const SCALING: Scaling = Scaling { activation_bits: 8, factor: None };

/// Reads files, one of which is `bytes`, and checks what is taken.
fn read(path: &Path, bytes: &[u8], files: &Files) {
    std::fs::write(path, bytes).expect("written");
    // A packed file may unpack to a thousand times its length.
    let factor = if bytes.starts_with(&[0x1f, 0x8b]) { 1 << 12 } else { 64 };
    if let Ok(set) = bounded(bytes, 1 << 18, factor, |_| DataSet::read(files, &SCALING, None)) {
        assert_eq!((set.inputs.len(), set.labels.len()), (set.rows * set.width, set.rows));
        assert!(set.labels.iter().all(|label| usize::from(*label) < set.classes));
    }
}

fn paths(folder: &Path) -> [PathBuf; 2] {
    ["images", "labels"].map(|name| folder.join(name))
}

/// Samples and labels of a format, each fuzzed beside a good file of the other.
fn fuzz_pairs(images: Vec<u8>, labels: Vec<u8>, files: fn([PathBuf; 2]) -> Files, script: &[u8], folder: &Path) {
    let paths = paths(folder);
    std::fs::write(&paths[0], &images).expect("written");
    std::fs::write(&paths[1], &labels).expect("written");
    let (which, script) = script.split_first().unwrap_or((&0, &[]));
    let which = usize::from(*which) % 2;
    read(&paths[which], &near(&[[images, labels][which].clone()], script), &files(paths.clone()));
}

#[test]
fn idx_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 12]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[0, 1, 2]].concat();
    let files = |[images, labels]: [PathBuf; 2]| Files::Idx { images, labels };
    check!().with_iterations(300).for_each(|script: &[u8]| {
        fuzz_pairs(images.clone(), labels.clone(), files, script, folder.path());
    });
}

/// A file as `numpy.save` writes it.
fn npy(kind: &str, shape: &str, items: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let padded = format!("{header:<117}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(padded.len() as u16).to_le_bytes(), padded.as_bytes(), items].concat()
}

#[test]
fn npy_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = npy("<f4", "(3, 2)", &[0; 24]);
    let labels = npy("<i8", "(3,)", &[[0u64, 1, 2].map(u64::to_le_bytes)].as_flattened().concat());
    let files = |[images, labels]: [PathBuf; 2]| Files::Npy { images, labels };
    check!().with_iterations(300).for_each(|script: &[u8]| {
        fuzz_pairs(images.clone(), labels.clone(), files, script, folder.path());
    });
}

#[test]
fn csv_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv");
    let seeds =
        [&b"a,b,class\n1,2.5,0\n-3,4e0,1\n"[..], b"\"a\",b,class\r\n1,2,2\r\n", b"1,2,3\n4,5,6\n"].map(<[u8]>::to_vec);
    let column = |named: bool| if named { Column::Name("class".into()) } else { Column::Index(2) };
    check!().with_iterations(300).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        for header in [false, true] {
            read(&path, &bytes, &Files::Csv { table: path.clone(), label: column(header), header });
        }
    });
}

/// Files that are packed, and only begin as if they were.
#[test]
fn packed_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv.gz");
    // `printf '1,2,0\n' | gzip -n`, whose content is stored: header, one block, CRC-32, length.
    let content = b"1,2,0\n";
    let block = [&[1, 6, 0, 0xf9, 0xff][..], content].concat();
    let end = [crc32fast::hash(content).to_le_bytes(), 6u32.to_le_bytes()].concat();
    let seed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &block, &end].concat();
    let files = Files::Csv { table: path.clone(), label: Column::Index(2), header: false };
    read(&path, &seed, &files);
    assert_eq!(DataSet::read(&files, &SCALING, None).expect("the seed is a file").rows, 1);
    check!()
        .with_iterations(300)
        .for_each(|script: &[u8]| read(&path, &near(std::slice::from_ref(&seed), script), &files));
}
