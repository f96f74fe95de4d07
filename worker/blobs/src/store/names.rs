//! The files of a blob.
//!
//! | name | what |
//! |---|---|
//! | `<root>.blob` | the bytes of a whole blob |
//! | `<root>.part` | the bytes of an incomplete one, with holes |
//! | `<root>.tree` | the pairs of hashes above its groups, in the order in which a walk leaves their nodes |
//! | `<root>.ranges` | the record of an incomplete one |
//! | `.tmp….partial` | a blob that is being added, whose root is not known yet |
//! | `lock` | locked while a process has the folder |

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::at;
use crate::{BlobError, Root};

/// Where the files of a blob are.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    folder: PathBuf,
    /// Bytes of the whole blob.
    pub blob: PathBuf,
    /// Bytes of the incomplete blob.
    pub part: PathBuf,
    /// Its pairs.
    pub tree: PathBuf,
    /// Its record.
    pub record: PathBuf,
}

/// What the name of a file in the folder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes of a whole blob.
    Blob(Root),
    /// Bytes of an incomplete blob.
    Part(Root),
    /// A tree or a record.
    Beside(Root),
}

impl Names {
    /// The files of `root`.
    pub fn new(folder: &Path, root: Root) -> Self {
        let named = |kind: &str| folder.join(format!("{root}.{kind}"));
        Self {
            folder: folder.to_owned(),
            blob: named("blob"),
            part: named("part"),
            tree: named("tree"),
            record: named("ranges"),
        }
    }

    /// What a name is, `None` for a file that is no blob's.
    pub fn parse(name: &OsStr) -> Option<Kind> {
        let (root, kind) = name.to_str()?.split_once('.')?;
        let root = root.parse().ok()?;
        match kind {
            "blob" => Some(Kind::Blob(root)),
            "part" => Some(Kind::Part(root)),
            "tree" | "ranges" => Some(Kind::Beside(root)),
            _ => None,
        }
    }

    /// Removes all of them. The bytes go first: what is beside them means nothing without them.
    ///
    /// # Errors
    /// What the system reports, of files that are there.
    pub fn remove(&self) -> Result<(), BlobError> {
        for path in [&self.blob, &self.part, &self.record, &self.tree] {
            remove(path)?;
            crate::steps::step("a file removed");
        }
        Ok(())
    }

    /// Brings the names in the folder to the disk.
    ///
    /// # Errors
    /// What the system reports.
    pub fn sync_folder(&self) -> Result<(), BlobError> {
        sync_folder(&self.folder).map_err(at(&self.folder))
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), BlobError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems keep no folders that could be brought to a disk.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Elsewhere a folder is no file that could be opened.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bolero::check;

    #[test]
    fn any_name_is_a_blobs_or_left_alone() {
        let root = Root::of(b"a");
        let names = Names::new(Path::new("f"), root);
        let parsed = |path: &Path| Names::parse(path.file_name().expect("a name"));
        assert_eq!((parsed(&names.blob), parsed(&names.part)), (Some(Kind::Blob(root)), Some(Kind::Part(root))));
        assert_eq!((parsed(&names.tree), parsed(&names.record)), (Some(Kind::Beside(root)), Some(Kind::Beside(root))));
        check!().with_iterations(1000).with_type::<(String, bool)>().for_each(|(text, near)| {
            let name = if *near { format!("{root}.{text}") } else { text.clone() };
            if let Some(Kind::Blob(found)) = Names::parse(OsStr::new(&name)) {
                assert_eq!(name, format!("{found}.blob"));
            }
        });
    }
}
