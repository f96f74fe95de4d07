//! Writing a file so that a reader sees the old content or the whole new one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use eyre::{Result, WrapErr, ensure};
use tempfile::NamedTempFile;

/// How the name of an unfinished file begins and ends.
const UNFINISHED: [&str; 2] = [".tmp", ".partial"];

/// True for the name of a file that was being written.
pub fn is_unfinished(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(UNFINISHED[0]) && name.ends_with(UNFINISHED[1])
}

/// Writes a temporary file beside `path` through `fill`, flushes it to the disk, and renames it to `path`.
///
/// # Errors
/// What the system or `fill` reports; the temporary file is removed.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> std::io::Result<()> {
    put(filled(path, 0o666, fill)?, path)
}

/// As [`write()`], a file that only its owner may read, from the beginning.
///
/// # Errors
/// As those of [`write()`].
pub fn write_private(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    put(filled(path, 0o600, fill)?, path)
}

/// Gives a whole file its name, on the disk as well.
fn put(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Brings the names in a folder to the disk: a file that was renamed has its new name even if the power fails.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems keep no folders that could be brought to a disk.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Elsewhere a folder is no file that could be opened.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes a file that is not there yet: all of it or nothing, and never in the place of another one.
///
/// # Errors
/// If there is a file already, or what the system reports.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    refuse_existing(path)?;
    let written = filled(path, 0o666, |file| file.write_all(bytes))
        .and_then(|file| file.persist_noclobber(path).map_err(|error| error.error))
        .and_then(|_| sync_folder(folder_of(path)));
    written.wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Refuses the path of a file that is there, or whose folder is not, before anything is computed for it.
///
/// # Errors
/// As said.
pub fn refuse_existing(path: &Path) -> Result<()> {
    ensure!(!path.exists(), "{} is there already, and is not replaced: choose another file", path.display());
    let folder = folder_of(path);
    ensure!(folder.is_dir(), "there is no folder {} for {}", folder.display(), path.display());
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A temporary file beside `path` with its whole content, on the disk.
fn filled(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED[0]).suffix(UNFINISHED[1]);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    // Its own error names a file that nobody knows.
    let file = builder.tempfile_in(folder_of(path)).map_err(|error| std::io::Error::from(error.kind()))?;
    let mut writer = BufWriter::with_capacity(1 << 20, file.as_file().try_clone()?);
    fill(&mut writer)?;
    writer.flush()?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let failed = write(&path, |file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("no more"))
        });
        assert!(failed.is_err() && std::fs::read_dir(folder.path()).expect("listed").next().is_none());
        write(&path, |file| file.write_all(b"one")).expect("written");
        write(&path, |file| file.write_all(b"two")).expect("replaced");
        assert_eq!(std::fs::read(&path).expect("read"), b"two");
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        write_new(&path, b"one").expect("written");
        assert!(write_new(&path, b"two").expect_err("it is there").to_string().contains("is there already"));
        assert_eq!(std::fs::read(&path).expect("read"), b"one");
        let nowhere = write_new(&folder.path().join("b/c"), b"").expect_err("no folder");
        assert!(nowhere.to_string().contains("there is no folder"));
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_brought_to_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        sync_folder(folder.path()).expect("it is there");
        sync_folder(folder_of(Path::new("a"))).expect("the current folder");
        let error = sync_folder(&folder.path().join("none")).expect_err("it is not there");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let mode =
            |name: &str| std::fs::metadata(folder.path().join(name)).expect("there").permissions().mode() & 0o777;
        write_private(&folder.path().join("private"), |file| file.write_all(b"x")).expect("written");
        write(&folder.path().join("public"), |file| file.write_all(b"x")).expect("written");
        assert_eq!(mode("private"), 0o600);
        assert_ne!(mode("public") & 0o044, 0, "readable by others, unless the umask forbids it");
    }
}
