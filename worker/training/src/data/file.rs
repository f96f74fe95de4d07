//! The bytes of a data file, decompressed if need be, and errors that name it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::{DataError, FilePlace};

/// Largest data file, in bytes after decompression: 4 GiB.
pub const MAX_FILE_BYTES: u64 = 1 << 32;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, and its name for errors.
pub(super) struct FileBytes<'a> {
    pub name: &'a Path,
    pub bytes: &'a [u8],
}

impl<'a> FileBytes<'a> {
    pub fn new(name: &'a Path, bytes: &'a [u8]) -> Self {
        Self { name, bytes }
    }

    /// `N` bytes at `offset`.
    pub fn array<const N: usize>(&self, offset: usize, what: &str) -> Result<[u8; N], DataError> {
        let bytes = self.bytes.get(offset..).and_then(|rest| rest.first_chunk());
        bytes.copied().ok_or_else(|| {
            let got = format!("cut off by the end of the file at byte {}", self.bytes.len());
            self.malformed(FilePlace::Byte(offset), what, format!("{N} bytes"), got)
        })
    }

    pub fn malformed(
        &self,
        place: FilePlace,
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> DataError {
        DataError::Malformed {
            file: self.name.into(),
            place,
            what: what.into(),
            expected: expected.into(),
            got: got.to_string(),
        }
    }
}

/// The bytes of the file at `path`, decompressed if it starts like a gzip file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| unpack(BufReader::new(file), &mut bytes))
        .map_err(|source| DataError::Read { file: path.into(), source })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let (expected, got) = (format!("at most {MAX_FILE_BYTES} bytes"), format!("more than {MAX_FILE_BYTES} bytes"));
        return Err(FileBytes::new(path, &[]).malformed(FilePlace::Byte(0), "the file", expected, got));
    }
    Ok(bytes)
}

/// Reads all of `input`, one byte more than the limit at most.
pub(super) fn unpack(mut input: impl std::io::BufRead, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    if input.fill_buf()?.starts_with(&GZIP) {
        MultiGzDecoder::new(input).take(MAX_FILE_BYTES + 1).read_to_end(bytes)
    } else {
        input.take(MAX_FILE_BYTES + 1).read_to_end(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_and_plain_files_have_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = b"1,2,3\n".repeat(1000);
        for (name, contents) in [("plain", bytes.clone()), ("packed", compressed(&bytes))] {
            let path = folder.path().join(name);
            std::fs::write(&path, contents).unwrap();
            assert_eq!(read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn truncated_or_followed_by_garbage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits.gz");
        let whole = compressed(&[7; 5000]);
        for contents in [whole[..whole.len() - 9].to_vec(), [&whole[..], b"garbage"].concat()] {
            std::fs::write(&path, contents).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, DataError::Read { .. }) && error.to_string().contains("digits.gz"), "{error}");
        }
    }

    #[test]
    fn missing_file_is_named() {
        let error = read(Path::new("nowhere/digits")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read nowhere/digits: "), "{error}");
    }
}
