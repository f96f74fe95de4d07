//! NumPy's `.npz` archives: zip files, stored or deflated, of arrays as in `.npy` files.
//!
//! What is taken out of an archive is as large as the array's own header says, and the archive must say so too: a small archive
//! cannot become a large array unawares.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zip::ZipArchive;

use super::array::{Array, Pair};
use super::parts::Parts;
use super::{Format, Reader, Sets, npy};
use crate::data::file::{self, FileBytes, MAX_FILE_BYTES};
use crate::data::{DataError, FilePlace};
use crate::job_file::{JobError, Section};

/// Most names of arrays that an error lists.
const LISTED: usize = 16;

/// The format.
pub(super) struct Npz;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    archive: Option<PathBuf>,
    images: Option<String>,
    labels: Option<String>,
    test_archive: Option<PathBuf>,
    test_images: Option<String>,
    test_labels: Option<String>,
}

impl Format for Npz {
    fn name(&self) -> &'static str {
        "npz"
    }

    fn about(&self) -> &'static str {
        "archives of NumPy arrays, as `numpy.savez` writes them"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["archive", "images", "labels", "test_archive", "test_images", "test_labels"]
    }

    fn example(&self) -> Parts {
        Parts {
            data: r#"# What `numpy.savez` or `numpy.savez_compressed` writes; arrays as for the format of single ones. The order of the rows is the
# order of training, unless they are shuffled.
format = "npz"
archive = "data.npz"
# Names of arrays in the archive.
images = "x_train"
labels = "y_train"
# Optional: what the accuracy is measured on.
test_images = "x_test"
test_labels = "y_test"
# If the arrays of the test set are in another archive; their names are then those of the training set unless given.
# test_archive = "test.npz""#,
            ..Parts::TABLE
        }
    }

    fn sets(&self, section: &Section<'_>) -> Result<Sets, JobError> {
        let keys: Keys = section.read()?;
        let named = |key: &str, name: Option<String>| {
            name.ok_or_else(|| section.presence(key, false, "the name of an array in the archive"))
        };
        let archive = section.file("archive", keys.archive.as_deref())?;
        let (images, labels) = (named("images", keys.images)?, named("labels", keys.labels)?);
        let given = keys.test_archive.is_some() || keys.test_images.is_some() || keys.test_labels.is_some();
        let test = if given {
            let (test_archive, usual) = match &keys.test_archive {
                Some(path) => (section.file("test_archive", Some(path))?, Some((images.clone(), labels.clone()))),
                None => (archive.clone(), None),
            };
            let (usual_images, usual_labels) = usual.unzip();
            let images = named("test_images", keys.test_images.or(usual_images))?;
            let labels = named("test_labels", keys.test_labels.or(usual_labels))?;
            Some(reader(test_archive, images, labels))
        } else {
            None
        };
        Ok(Sets { train: reader(archive, images, labels), test })
    }
}

fn reader(archive: PathBuf, images: String, labels: String) -> Reader {
    Box::new(move || {
        let bytes = file::read(&archive)?;
        let samples = member(&archive, &bytes, &images)?;
        Ok(Box::new(Pair::new(samples, member(&archive, &bytes, &labels)?)?))
    })
}

/// The array `name` of an archive.
fn member(archive: &Path, bytes: &[u8], name: &str) -> Result<Array, DataError> {
    let whole = FileBytes::new(archive, bytes);
    let unusable = |what: String, expected: &str, error: &dyn ToString| {
        whole.malformed(FilePlace::Byte(0), what, expected, error.to_string())
    };
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
        let expected = "a zip archive of arrays, as `numpy.savez` writes it";
        unusable("the archive".into(), expected, &format!("none: {error}"))
    })?;
    let with_ending = format!("{name}.npy");
    let full = [with_ending.as_str(), name].into_iter().find(|full| zip.index_for_name(full).is_some());
    let Some(full) = full else {
        let names = zip.file_names().flatten();
        let names: Vec<String> = names.map(|full| full.strip_suffix(".npy").unwrap_or(&full).to_owned()).collect();
        let listed =
            format!("one of {:?}{}", &names[..names.len().min(LISTED)], if names.len() > LISTED { " …" } else { "" });
        return Err(whole.malformed(FilePlace::Byte(0), "the name of an array", listed, format!("{name:?}")));
    };
    let file = PathBuf::from(format!("{}/{full}", archive.display()));
    let refused = |error: &dyn ToString| unusable(format!("{full:?}"), "stored or deflated, and whole", error);
    let mut entry = zip.by_name(full).map_err(|error| refused(&error))?;
    let size = entry.size();
    let mut array = Vec::new();
    // A header, and what happens to follow it.
    let head = 12 + npy::MAX_HEADER_BYTES as u64;
    entry.by_ref().take(head).read_to_end(&mut array).map_err(|error| refused(&error))?;
    let source = FileBytes::new(&file, &array);
    let layout = npy::layout(&source)?;
    let (rows, width) = layout.rows_and_width(&source)?;
    let expected = layout.file_bytes((rows, width)).map(|bytes| bytes as u64);
    if expected != Some(size) || size > MAX_FILE_BYTES {
        let expected =
            format!("{rows} × {width} values, as the array's header says, and at most {MAX_FILE_BYTES} bytes");
        let got = format!("{size} bytes with the header");
        return Err(source.malformed(FilePlace::Byte(layout.start), "the data", expected, got));
    }
    // One byte more, so that the end is seen, and with it the checksum.
    let rest = size.saturating_sub(array.len() as u64) + 1;
    entry.take(rest).read_to_end(&mut array).map_err(|error| refused(&error))?;
    Array::new(file, array, layout)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;
    use crate::data::format::testing::{npy, set_of};

    fn archive(method: CompressionMethod, members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn header(descr: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    }

    fn members() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("x.npy", npy(&header("|u1", "(3, 2)"), &[0, 1, 2, 3, 4, 255])),
            ("y.npy", npy(&header("|u1", "(3,)"), &[2, 0, 1])),
        ]
    }

    fn read(bytes: &[u8], [x, y]: [&str; 2]) -> Result<(Vec<i16>, Vec<u16>), String> {
        let path = Path::new("a.npz");
        let array = |name| member(path, bytes, name);
        let pair = array(x).and_then(|x| Pair::new(x, array(y)?)).and_then(|pair| set_of(Box::new(pair)));
        pair.map(|set| (set.inputs, set.labels)).map_err(|error| error.to_string())
    }

    #[test]
    fn stored_and_deflated_archives_are_read() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let bytes = archive(method, &members());
            for names in [["x", "y"], ["x.npy", "y.npy"]] {
                assert_eq!(read(&bytes, names).unwrap(), (vec![0, 1, 2, 3, 4, 255], vec![2, 0, 1]));
            }
        }
    }

    #[test]
    fn each_defect_is_named_with_its_archive() {
        let good = archive(CompressionMethod::Stored, &members());
        let error = read(&good, ["x_train", "y"]).unwrap_err();
        assert_eq!(error, "a.npz, byte 0: the name of an array is \"x_train\", expected one of [\"x\", \"y\"]");
        let error = read(b"\x93NUMPY\x01\x00", ["x", "y"]).unwrap_err();
        assert!(error.starts_with("a.npz, byte 0: the archive is none: "), "{error}");
        // A byte of the items is another one: the checksum tells.
        let mut damaged = good.clone();
        let at = damaged.windows(6).position(|window| window == [0, 1, 2, 3, 4, 255]).unwrap();
        damaged[at + 1] = 9;
        let error = read(&damaged, ["x", "y"]).unwrap_err();
        assert!(
            error.starts_with("a.npz, byte 0: \"x.npy\" is ") && error.contains("expected stored or deflated"),
            "{error}"
        );
        let short = archive(CompressionMethod::Deflated, &[("x.npy", npy(&header("|u1", "(3, 2)"), &[0; 5]))]);
        let error = read(&short, ["x", "y"]).unwrap_err();
        assert!(
            error.starts_with("a.npz/x.npy, byte 128: the data is 133 bytes with the header, expected 3 × 2"),
            "{error}"
        );
    }

    #[test]
    fn an_archive_that_grows_is_refused_before_it_does() {
        let zeros = vec![0; 1 << 26];
        for shape in ["(3, 2)", "(9999999999999, 2)"] {
            let bomb = archive(CompressionMethod::Deflated, &[("x.npy", npy(&header("|u1", shape), &zeros))]);
            assert!(bomb.len() < 1 << 18);
            assert!(read(&bomb, ["x", "x"]).unwrap_err().contains("the data is 67108992 bytes with the header"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), byte: u8,
        ) {
            let _ = read(&bytes, ["x", "y"]);
            for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
                let mut changed = archive(method, &members());
                let at = at.index(changed.len());
                changed[at] = byte;
                let _ = read(&changed, ["x", "y"]);
                let _ = read(&changed[..at], ["x", "y"]);
            }
        }
    }
}
