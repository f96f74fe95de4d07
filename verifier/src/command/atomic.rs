//! Writing a file so that a reader sees the old content or the whole new one.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

/// How the name of an unfinished file ends.
pub const PARTIAL: &str = ".partial";

/// Writes a temporary file beside `path` through `fill`, flushes it to the disk, and renames it to `path`.
///
/// # Errors
/// What the system or `fill` reports; the temporary file is removed.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> std::io::Result<()> {
    replace(path, OpenOptions::new().write(true).create_new(true), fill)
}

/// As [`write()`], a file that only its owner may read, from the beginning.
///
/// # Errors
/// As those of [`write()`].
pub fn write_private(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    replace(path, &options, fill)
}

fn replace(
    path: &Path,
    options: &OpenOptions,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "not the name of a file"))?;
    let mut temporary = name.to_os_string();
    // Two writers in one process or in two never share a temporary file.
    temporary.push(format!(".{}-{:016x}{PARTIAL}", std::process::id(), RandomState::new().hash_one(name)));
    let temporary = path.with_file_name(temporary);
    let written = options.open(&temporary).and_then(|file| {
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        fill(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
