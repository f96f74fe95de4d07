//! Writing a file so that a reader sees the old content or the whole new one.

use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

/// Writes a temporary file beside `path` through `fill`, flushes it to the disk, and renames it to `path`.
///
/// # Errors
/// What the system or `fill` reports; the temporary file is removed.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> std::io::Result<()> {
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "not the name of a file"))?;
    let mut temporary = name.to_os_string();
    // Two writers in one process or in two never share a temporary file.
    temporary.push(format!(".{}-{:016x}.partial", std::process::id(), rand::random::<u64>()));
    let temporary = path.with_file_name(temporary);
    let written = File::create_new(&temporary).and_then(|file| {
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
