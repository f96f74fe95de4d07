//! `data-opening.json`: what opens the commitments to a registered set, which only its owner and assigned providers have.

use std::io::Write;
use std::path::Path;

use eyre::{Result, WrapErr, ensure};
use gradproof_node::workshop::DATA_OPENING_FILE;
use gradproof_terminal::atomic;
use gradproof_verifier::protocol::hex;
use gradproof_verifier_program::files::read;
use serde::{Deserialize, Serialize};

/// Version of the file.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 12;

/// The seed of the blindings of a set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataOpening {
    version: u32,
    #[serde(with = "hex::bytes")]
    data_seed: [u8; 32],
}

impl DataOpening {
    /// The opening of a set with this seed.
    pub fn new(data_seed: [u8; 32]) -> Self {
        Self { version: VERSION, data_seed }
    }

    /// The seed.
    pub fn seed(&self) -> [u8; 32] {
        self.data_seed
    }

    /// The opening in a folder of secrets; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is none of this version.
    pub fn in_folder(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(DATA_OPENING_FILE);
        if path.exists() { Self::load(&path).map(Some) } else { Ok(None) }
    }

    fn load(path: &Path) -> Result<Self> {
        let opening: Self =
            serde_json::from_slice(&read(path, MAX_BYTES)?).wrap_err_with(|| format!("{}", path.display()))?;
        ensure!(opening.version == VERSION, "{}: version is {}, expected {VERSION}", path.display(), opening.version);
        Ok(opening)
    }

    /// Writes the opening into a folder of secrets, readable by its owner only.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(DATA_OPENING_FILE);
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        atomic::write_private(&path, |file| file.write_all(&bytes))
            .wrap_err_with(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bolero::check;

    #[test]
    fn any_bytes_are_an_opening_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(DataOpening::in_folder(folder.path()).expect("nothing is there").is_none());
        let opening = DataOpening::new([7; 32]);
        opening.save(folder.path()).expect("saved");
        let path = folder.path().join(DATA_OPENING_FILE);
        let good = std::fs::read(&path).expect("read");
        assert!(DataOpening::load(&path).expect("loaded") == opening);
        check!().with_iterations(400).with_type::<(bool, Vec<(u16, u8)>, Vec<u8>)>().for_each(|(near, edits, raw)| {
            let mut bytes = if *near { good.clone() } else { raw.clone() };
            for (at, byte) in edits.iter().take(4).filter(|_| *near) {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            std::fs::write(&path, &bytes).expect("written");
            if let Ok(opening) = DataOpening::load(&path) {
                opening.save(folder.path()).expect("saved");
                assert!(DataOpening::load(&path).expect("loaded again") == opening);
            }
        });
    }
}
