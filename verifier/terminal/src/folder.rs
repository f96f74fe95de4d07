//! A folder that one program at a time writes into, and files that appear in it together.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail};

use crate::atomic;

/// Where files lie until all of them are there.
const UNFINISHED: &str = ".unfinished";

/// A folder that only this process writes into, until it ends or this value is dropped.
///
/// What is saved here is there at once; [`Self::stage`] is for files that make sense together only.
pub struct Folder {
    path: PathBuf,
    /// Locked, by the system, which unlocks it however the process ends.
    lock: File,
    /// True if this process made it: an empty folder is then removed again.
    made: bool,
}

impl Folder {
    /// Makes the folder if need be, and keeps other programs from writing into it.
    ///
    /// # Errors
    /// If it cannot be made, or another program writes into it.
    pub fn claim(path: &Path) -> Result<Self> {
        let made = !path.exists();
        std::fs::create_dir_all(path).wrap_err_with(|| format!("cannot make the folder {}", path.display()))?;
        let lock = Self::lockable(path).wrap_err_with(|| format!("cannot open the folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock, made }),
            Err(TryLockError::WouldBlock) => {
                bail!("another program is writing into {}: wait for it, or choose another folder", path.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).wrap_err_with(|| format!("cannot lock the folder {}", path.display()))
            }
        }
    }

    #[cfg(unix)]
    fn lockable(path: &Path) -> std::io::Result<File> {
        File::open(path)
    }

    #[cfg(not(unix))]
    fn lockable(path: &Path) -> std::io::Result<File> {
        File::options().create(true).append(true).open(path.join(".lock"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Refuses a folder that has one of these files; `remedy` says what to do then.
    ///
    /// # Errors
    /// The first that is there.
    pub fn refuse<P: AsRef<Path>>(&self, names: impl IntoIterator<Item = P>, remedy: &str) -> Result<()> {
        match names.into_iter().map(|name| self.join(name)).find(|path| path.exists()) {
            Some(path) => bail!("{} is there already; {remedy}", path.display()),
            None => Ok(()),
        }
    }

    /// Writes a file at once.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        save(&self.join(name), bytes)
    }

    /// A place for files that appear together, or not at all.
    ///
    /// # Errors
    /// What the system reports.
    pub fn stage(&self) -> Result<Stage<'_>> {
        let path = self.join(UNFINISHED);
        let context = || format!("cannot make the folder {}", path.display());
        if path.exists() {
            // Of a run that was killed: nobody else writes here.
            std::fs::remove_dir_all(&path).wrap_err_with(context)?;
        }
        std::fs::create_dir(&path).wrap_err_with(context)?;
        Ok(Stage { folder: self, path })
    }

    /// Removes files that an interrupted run was writing here, or in a folder `within`.
    ///
    /// # Errors
    /// What the system reports.
    pub fn tidy(&self, within: &[&Path]) -> Result<()> {
        let context = || format!("cannot tidy the folder {}", self.path.display());
        if self.join(UNFINISHED).exists() {
            std::fs::remove_dir_all(self.join(UNFINISHED)).wrap_err_with(context)?;
        }
        for folder in within.iter().map(|name| self.join(name)).chain([self.path.clone()]).filter(|path| path.is_dir())
        {
            for entry in std::fs::read_dir(&folder).wrap_err_with(context)? {
                let entry = entry.wrap_err_with(context)?;
                if atomic::is_unfinished(&entry.file_name()) && entry.path().is_file() {
                    std::fs::remove_file(entry.path()).wrap_err_with(context)?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            // Fails, rightly, unless it is empty.
            let _ = std::fs::remove_dir(&self.path);
        }
        // The system does it as well.
        let _ = self.lock.unlock();
    }
}

/// Files of a folder that are not there yet.
pub struct Stage<'a> {
    folder: &'a Folder,
    path: PathBuf,
}

impl Stage<'_> {
    /// Where files are written until [`Self::finish`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, in a folder that is made if need be.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make the folder {}", folder.display()))?;
        }
        save(&path, bytes)
    }

    /// Moves all files into the folder, `last` as the last one: whoever sees that sees everything.
    ///
    /// # Errors
    /// If one of them is there already, before anything is moved; or what the system reports.
    pub fn finish(self, last: &str) -> Result<()> {
        let context =
            || format!("cannot move the files of {} into {}", self.path.display(), self.folder.path.display());
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path).wrap_err_with(context)? {
            names.push(entry.wrap_err_with(context)?.file_name());
        }
        self.folder.refuse(&names, "choose another folder")?;
        names.sort_by_key(|name| (name == last, name.clone()));
        for name in names {
            std::fs::rename(self.path.join(&name), self.folder.join(&name)).wrap_err_with(context)?;
        }
        // On the disk as well, before anyone is told.
        atomic::sync_folder(&self.folder.path).wrap_err_with(context)
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // A later run removes it if this one cannot.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, |file| file.write_all(bytes)).wrap_err_with(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(path).expect("listed").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_appear_together_or_not_at_all() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("out");
        let folder = Folder::claim(&path).expect("claimed");
        let stage = folder.stage().expect("a stage");
        stage.save("a", b"1").expect("saved");
        stage.save("in/b", b"2").expect("saved");
        assert_eq!(names(&path), [UNFINISHED]);
        drop(stage);
        assert!(names(&path).is_empty());
        let stage = folder.stage().expect("a stage");
        stage.save("a", b"1").expect("saved");
        stage.save("in/b", b"2").expect("saved");
        stage.finish("a").expect("finished");
        assert_eq!(names(&path), ["a", "in"]);
        // One that is there is not replaced, and nothing else is moved then.
        let stage = folder.stage().expect("a stage");
        stage.save("0", b"3").expect("saved");
        stage.save("a", b"3").expect("saved");
        assert!(stage.finish("a").expect_err("it is there").to_string().contains("a is there already"));
        assert_eq!(names(&path), ["a", "in"]);
        assert_eq!(std::fs::read(path.join("a")).expect("read"), b"1");
    }

    #[test]
    fn a_folder_has_one_writer_and_is_not_left_empty() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("out");
        let folder = Folder::claim(&path).expect("claimed");
        assert!(Folder::claim(&path).err().expect("it is taken").to_string().contains("another program is writing"));
        drop(folder);
        assert!(!path.exists());
        std::fs::create_dir(&path).expect("made");
        drop(Folder::claim(&path).expect("claimed"));
        assert!(path.exists(), "it was there before");
    }
}
