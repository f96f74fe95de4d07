//! Data sets in every format, as a job reads them.

use std::path::Path;

use bolero::check;
use gradproof_tests::fuzz::{bounded, near};
use gradproof_training::job::example::Example;
use gradproof_training::job::{Job, JobError};

/// The job over `inputs` values a row and four classes whose data are what the keys in `data` say.
fn job(folder: &Path, inputs: usize, data: &str) -> Result<Job, JobError> {
    let text = format!(
        "[network]\nlayers = [{inputs}, 4]\n[data]\n{data}\n[training]\nbatch = 1\nepochs = 1\nsteps_per_segment = 1\n\
         [learning_rate]\nrate = 0.125\n[initial_weights]\nseed = 1\n"
    );
    Job::parse(&folder.join("job.toml"), &text)
}

/// Reads the job after `bytes` became the file `name` in `folder`, and checks what is taken.
fn read(folder: &Path, name: &str, bytes: &[u8], inputs: usize, data: &str) {
    std::fs::write(folder.join(name), bytes).expect("written");
    // A packed file may unpack to a thousand times its length.
    let packed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK");
    let factor = if packed { 1 << 12 } else { 64 };
    if let Ok(job) = bounded(bytes, 1 << 19, factor, |_| job(folder, inputs, data)) {
        let set = job.train;
        assert_eq!((set.inputs.len(), set.labels.len()), (set.rows * set.width, set.rows));
        assert!(set.labels.iter().all(|label| usize::from(*label) < set.classes));
    }
}

/// Samples and labels of a format, each fuzzed beside a good file of the other.
fn fuzz_pairs(format: &str, images: Vec<u8>, labels: Vec<u8>, inputs: usize, iterations: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("format = \"{format}\"\nimages = \"images\"\nlabels = \"labels\"");
    let files = [("images", images), ("labels", labels)];
    let write =
        || files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).expect("written"));
    write();
    job(folder.path(), inputs, &data).expect("the seeds are a data set");
    check!().with_iterations(iterations).for_each(|script: &[u8]| {
        write();
        let (which, script) = script.split_first().unwrap_or((&0, &[]));
        let (name, seed) = &files[usize::from(*which) % 2];
        read(folder.path(), name, &near(std::slice::from_ref(seed), script), inputs, &data);
    });
}

#[test]
fn idx_files() {
    let images =
        [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[0, 1, 2]].concat();
    fuzz_pairs("idx", images, labels, 4, 300);
}

/// A file as `numpy.save` writes it.
fn npy(kind: &str, shape: &str, items: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let padded = format!("{header:<117}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(padded.len() as u16).to_le_bytes(), padded.as_bytes(), items].concat()
}

/// Six numbers of 32 bits, and three labels of 64.
fn arrays() -> [Vec<u8>; 2] {
    let images = [0.5f32, 1.0, -1.5, 2.0, 0.25, 1.0].map(f32::to_le_bytes).concat();
    let labels = [0u64, 1, 2].map(u64::to_le_bytes).concat();
    [npy("<f4", "(3, 2)", &images), npy("<i8", "(3,)", &labels)]
}

#[test]
fn npy_files() {
    let [images, labels] = arrays();
    fuzz_pairs("npy", images, labels, 2, 300);
}

/// A ZIP archive of files that are stored as they are.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let (at, length) = (bytes.len() as u32, (content.len() as u32).to_le_bytes());
        // Version, flags, method, time and date; digest, sizes, lengths of name and extra field.
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc32fast::hash(content).to_le_bytes(), &length, &length];
        let common = [&common.concat()[..], &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat());
        let rest = [&[0; 10][..], &at.to_le_bytes(), name.as_bytes()].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &rest].concat());
    }
    let (count, size) = ((files.len() as u16).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let end =
        [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &(bytes.len() as u32).to_le_bytes(), &[0, 0]].concat();
    [bytes, directory, end].concat()
}

#[test]
fn npz_archives() {
    let folder = tempfile::tempdir().expect("a folder");
    let [images, labels] = arrays();
    let seed = archive(&[("x.npy", &images), ("y.npy", &labels)]);
    let data = "format = \"npz\"\narchive = \"data.npz\"\nimages = \"x\"\nlabels = \"y\"";
    std::fs::write(folder.path().join("data.npz"), &seed).expect("written");
    job(folder.path(), 2, data).expect("the seed is a data set");
    check!().with_iterations(300).for_each(|script: &[u8]| {
        read(folder.path(), "data.npz", &near(std::slice::from_ref(&seed), script), 2, data);
    });
}

#[test]
fn csv_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = [&b"a,b,class\n1,2.5,0\n-3,4e0,1\n"[..], b"\"a\",b,class\r\n1,2,2\r\n4,2,1\r\n", b"1,2,3\n4,5,2\n"];
    let seeds = seeds.map(<[u8]>::to_vec);
    check!().with_iterations(300).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        for label in ["\"class\"", "2"] {
            let data = format!("format = \"csv\"\nimages = \"table.csv\"\nlabel_column = {label}");
            read(folder.path(), "table.csv", &bytes, 2, &data);
        }
    });
}

/// Files that are packed, and only begin as if they were.
#[test]
fn packed_files() {
    let folder = tempfile::tempdir().expect("a folder");
    // As `gzip -n` packs a file whose content is stored: header, one block, CRC-32, length.
    let content = b"1,2,0\n3,1,1\n";
    let block = [&[1, 12, 0, 0xf3, 0xff][..], content].concat();
    let end = [crc32fast::hash(content).to_le_bytes(), 12u32.to_le_bytes()].concat();
    let seed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &block, &end].concat();
    let data = "format = \"csv\"\nimages = \"table.csv.gz\"\nlabel_column = 2";
    std::fs::write(folder.path().join("table.csv.gz"), &seed).expect("written");
    assert_eq!(job(folder.path(), 2, data).expect("the seed is a data set").train.rows, 2);
    check!().with_iterations(300).for_each(|script: &[u8]| {
        read(folder.path(), "table.csv.gz", &near(std::slice::from_ref(&seed), script), 2, data);
    });
}

/// A format that reads files has a definition above.
#[test]
fn every_format_is_fuzzed() {
    let formats: Vec<&str> = Example::all().into_iter().map(Example::name).collect();
    assert_eq!(formats, ["digits", "idx", "npy", "npz", "csv"]);
}
