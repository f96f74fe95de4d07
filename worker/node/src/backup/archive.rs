//! What a backup holds: files by their names in a node's folder, as bytes.
//!
//! # Layout
//! Number of files 4, big-endian ‖ for each, names ascending: length of the name 2 ‖ name ‖ length of the file 8 ‖ the file.

use std::collections::BTreeMap;

use gradproof_chain::B256;
use zeroize::Zeroizing;

/// Most files: 16 of the node, and 8 a job of as many as a store keeps.
pub const MAX_FILES: usize = 16 + 8 * crate::store::MAX_JOBS;
/// Longest name, in bytes: a job's id has 66, and the folders and names beside it less than as much again.
const MAX_NAME_BYTES: usize = 160;
/// Largest file, in bytes: a deployment with some hundred verifiers is the largest there is.
pub const MAX_FILE_BYTES: usize = 1 << 22;
/// Most bytes of all files together: seeds and terms of 1024 jobs take 10 MB.
pub const MAX_BYTES: usize = 1 << 26;

/// Files by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    files: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl Archive {
    /// Puts a file in.
    ///
    /// # Errors
    /// No backup has a file of this name, or of this size; or there are too many.
    pub fn put(&mut self, name: &str, bytes: Zeroizing<Vec<u8>>) -> Result<(), String> {
        if !is_name(name) {
            return Err(format!("`{name}` is no file of a backup"));
        }
        if bytes.len() > MAX_FILE_BYTES {
            return Err(format!("{name} has {} bytes, expected at most {MAX_FILE_BYTES}", bytes.len()));
        }
        let held: usize = self.files.values().map(|file| file.len()).sum();
        if self.files.len() >= MAX_FILES || held + bytes.len() > MAX_BYTES {
            return Err(format!("more than {MAX_FILES} files, or than {MAX_BYTES} bytes"));
        }
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }

    /// The file of a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|file| file.as_slice())
    }

    /// All files, by their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, file)| (name.as_str(), file.as_slice()))
    }

    /// The files as bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let size: usize = self.files.iter().map(|(name, file)| 10 + name.len() + file.len()).sum();
        // With room for all of it, so that no copy stays behind where it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 + size));
        bytes.extend((self.files.len() as u32).to_be_bytes());
        for (name, file) in &self.files {
            bytes.extend((name.len() as u16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((file.len() as u64).to_be_bytes());
            bytes.extend(file.iter());
        }
        bytes
    }

    /// The files that bytes hold. There is one encoding of the same files.
    ///
    /// # Errors
    /// In words: what is wrong with the bytes.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, String> {
        let short = || "it ends too early".to_owned();
        let count = u32::from_be_bytes(*take(&mut bytes).ok_or_else(short)?) as usize;
        if count > MAX_FILES {
            return Err(format!("it has {count} files, expected at most {MAX_FILES}"));
        }
        let mut archive = Self::default();
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(*take(&mut bytes).ok_or_else(short)?));
            let name = part(&mut bytes, length).ok_or_else(short)?;
            let name = std::str::from_utf8(name).map_err(|_| "a name is not text".to_owned())?;
            if archive.files.last_key_value().is_some_and(|(last, _)| last.as_str() >= name) {
                return Err(format!("`{name}` is not in its place"));
            }
            let length = u64::from_be_bytes(*take(&mut bytes).ok_or_else(short)?);
            let length = usize::try_from(length).map_err(|_| short())?;
            let file = part(&mut bytes, length).ok_or_else(short)?;
            archive.put(name, Zeroizing::new(file.to_vec()))?;
        }
        if bytes.is_empty() { Ok(archive) } else { Err(format!("{} bytes follow its end", bytes.len())) }
    }
}

/// Whether a backup may hold a file of this name. No other name leads out of the folder that a backup is restored to.
fn is_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let fits = match parts[..] {
        ["config.toml" | "deployment.json"] => true,
        ["keys", file] => is_file(file),
        ["jobs", job, "terms.abi" | "open.call" | "licence.json" | "facts.json"] => is_job(job),
        ["jobs", job, "private", file] => is_job(job) && is_file(file),
        _ => false,
    };
    fits && name.len() <= MAX_NAME_BYTES
}

/// The name of a file in no other folder: letters, digits, `-`, `_`, and points, but none first.
fn is_file(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}

/// The name of a job's folder, in its one spelling.
fn is_job(name: &str) -> bool {
    name.parse::<B256>().is_ok_and(|id| id.to_string() == name)
}

fn take<'a, const COUNT: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; COUNT]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}

fn part<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(byte: u8, file: &str) -> String {
        format!("jobs/{}/{file}", B256::repeat_byte(byte))
    }

    fn names() -> Vec<String> {
        let of_node = ["config.toml", "deployment.json", "keys/account.json", "keys/peer.key"].map(str::to_owned);
        let of_job =
            [job(1, "terms.abi"), job(1, "licence.json"), job(1, "private/openings.json"), job(0xab, "facts.json")];
        of_node.into_iter().chain(of_job).collect()
    }

    proptest! {
        #[test]
        fn files_come_back_as_they_were_put_in(files in prop::collection::btree_map(
            prop::sample::select(names()), prop::collection::vec(any::<u8>(), 0..40), 0..7))
        {
            let mut archive = Archive::default();
            for (name, bytes) in &files {
                archive.put(name, Zeroizing::new(bytes.clone())).expect("it is taken");
            }
            let bytes = archive.encode();
            prop_assert_eq!(Archive::decode(&bytes).expect("it is read"), archive);
            prop_assert!(Archive::decode(&bytes[..bytes.len() - 1]).is_err());
            prop_assert!(Archive::decode(&[&bytes[..], &[0]].concat()).is_err());
        }

        #[test]
        fn any_bytes_are_files_in_one_encoding_or_refused(
            near in any::<bool>(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            raw in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut good = Archive::default();
            for name in names() {
                good.put(&name, Zeroizing::new(b"content".to_vec())).expect("it is taken");
            }
            let mut bytes = if near { good.encode().to_vec() } else { raw };
            for (at, byte) in edits.iter().filter(|_| near) {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Ok(archive) = Archive::decode(&bytes) {
                prop_assert_eq!(&*archive.encode(), &bytes);
                prop_assert!(archive.files().all(|(name, _)| is_name(name)));
            }
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in names() {
            assert!(is_name(&name), "{name}");
        }
        let upper = format!("jobs/{}/terms.abi", B256::repeat_byte(0xab).to_string().replace("ab", "AB"));
        let out = [
            "",
            "/etc/passwd",
            "keys",
            "keys/",
            "keys/..",
            "keys/../config.toml",
            "keys/a/b",
            "../keys/a",
            "keys/.hidden",
            "keys/a\\b",
            "jobs/1/terms.abi",
            "jobs/../terms.abi",
            "node.redb",
            "keys/a\0b",
            &upper,
            &job(1, "parcel/rows"),
            &format!("keys/{}", "a".repeat(160)),
        ];
        for name in out {
            assert!(!is_name(name), "{name}");
        }
    }
}
