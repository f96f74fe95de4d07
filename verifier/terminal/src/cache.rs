//! The user's folder for what can be made again: keys of circuits, compiled contracts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// `gradproof` in the user's cache folder, if there is one: on Linux that is `$XDG_CACHE_HOME`, or `~/.cache`.
pub fn folder() -> Option<PathBuf> {
    BaseDirs::new().map(|folders| folders.cache_dir().join("gradproof"))
}

/// What `find` finds in the file `path` of the cache, or else `make` makes and leaves there: of all who want the same at once, in
/// this program or another, one makes it, and the others wait.
///
/// `find` looks while another may be writing: `make` leaves the file with [`atomic::write`](crate::atomic::write()).
///
/// # Errors
/// Those of `make`.
pub fn once<T, E>(path: &Path, find: impl Fn() -> Option<T>, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if let Some(found) = find() {
        return Ok(found);
    }
    // Where files cannot be locked, more than one makes it.
    let _turn = Turn::wait(path).ok();
    find().map_or_else(make, Ok)
}

/// The right to make a file, to the end of the value.
struct Turn {
    path: PathBuf,
    _locked: File,
}

impl Turn {
    fn wait(path: &Path) -> io::Result<Self> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let path = path.with_added_extension("lock");
        let file = File::create(&path)?;
        file.lock()?;
        Ok(Self { path, _locked: file })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Who waits for it has it open.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::atomic;

    #[test]
    fn what_many_want_at_once_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("of/all/a");
        let made = AtomicUsize::new(0);
        let find = || fs::read_to_string(&path).ok();
        let make = || {
            made.fetch_add(1, Ordering::Relaxed);
            // The others come in the meantime, and find the whole file or none.
            thread::yield_now();
            atomic::write(&path, |file| file.write_all(b"it")).map(|()| "it".to_owned())
        };
        thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| once(&path, find, make))).collect();
            for one in all {
                assert_eq!(one.join().expect("no panic").expect("it is made"), "it");
            }
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!(fs::read_dir(folder.path().join("of/all")).expect("listed").count(), 1, "no lock stays");
    }

    #[test]
    fn what_cannot_be_made_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        assert_eq!(once(&path, || None::<u8>, || Err("no")), Err("no"));
        assert_eq!(once(&path, || None, || Ok::<_, &str>(5)), Ok(5));
    }
}
