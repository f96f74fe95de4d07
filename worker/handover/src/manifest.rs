//! What a hand-over consists of, and the keys to it.
//!
//! # Layout
//! Numbers big-endian, without gaps: `GPMANIFT` 8 ‖ version 2 ‖ `chain` 8 ‖ `contract` 20 ‖ `job` 32 ‖ `owner` 20 ‖ kind 1 (0 data, 1 weights,
//! 2 rows) ‖ batch 8 (zero but for weights) ‖ number of entries 2 ‖ entries ‖ number of bytes of the openings 4 ‖ openings.
//! An entry: number of bytes of the name 1 ‖ name ‖ bytes of the sealed file 8 ‖ root 32 ‖ content key 32. Entries are sorted by name, and
//! no two have one. So there is one encoding for a manifest.

use std::fmt::{Debug, Formatter};

use zeroize::Zeroizing;

use crate::encoding::{Fields, encode_subject};
use crate::{ContentKey, HandoverError, Subject, sealed};

/// Most files of a hand-over: data in some files, or weights in a few.
pub const MAX_ENTRIES: usize = 256;
/// Most bytes of the name of a file, as most file systems have it with room for an ending.
pub const MAX_NAME_BYTES: usize = 128;
/// Most bytes of the openings: they are three seeds as JSON, less than 1 KiB.
pub const MAX_OPENINGS_BYTES: usize = 1 << 12;
/// Most bytes of the sealed file of an entry: those of the largest blob.
pub const MAX_SEALED_BYTES: u64 = 1 << 36;
/// Most bytes of a manifest: its fields, if each is as large as it can be.
pub const MAX_MANIFEST_BYTES: usize =
    8 + 2 + 89 + 2 + MAX_ENTRIES * (1 + MAX_NAME_BYTES + 8 + 32 + 32) + 4 + MAX_OPENINGS_BYTES;
/// Most bytes of a sealed manifest: it has one part.
pub const MAX_SEALED_MANIFEST_BYTES: usize = MAX_MANIFEST_BYTES + sealed::HEADER_BYTES + sealed::TAG_BYTES;
/// Begins a manifest.
const MAGIC: [u8; 8] = *b"GPMANIFT";
/// Version of the layout.
const VERSION: u16 = 1;

/// A file that is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the file: letters, digits, `.`, `_` and `-`, not beginning with `.`, so that it is a file in whatever folder it is put into.
    pub name: String,
    /// Bytes of the sealed file.
    pub sealed_bytes: u64,
    /// BLAKE3 of the sealed file: where it is found.
    pub root: [u8; 32],
    /// What opens it.
    pub key: ContentKey,
}

/// What a hand-over consists of.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it is for.
    pub subject: Subject,
    /// The files, sorted by name.
    pub entries: Vec<Entry>,
    /// The seeds of the blindings, as their owner writes them; may be empty.
    pub openings: Zeroizing<Vec<u8>>,
}

impl Manifest {
    /// The bytes of the manifest.
    ///
    /// # Errors
    /// If a field has a value that it cannot have.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, HandoverError> {
        refuse_more("entries of the manifest", self.entries.len(), MAX_ENTRIES)?;
        refuse_more("bytes of the openings", self.openings.len(), MAX_OPENINGS_BYTES)?;
        // Reserved as a whole, so that no secret stays behind where it grew.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_MANIFEST_BYTES));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&encode_subject(&self.subject));
        bytes.extend_from_slice(&(self.entries.len() as u16).to_be_bytes());
        let mut before = None;
        for entry in &self.entries {
            entry.check(before)?;
            before = Some(entry.name.as_str());
            bytes.push(entry.name.len() as u8);
            bytes.extend_from_slice(entry.name.as_bytes());
            bytes.extend_from_slice(&entry.sealed_bytes.to_be_bytes());
            bytes.extend_from_slice(&entry.root);
            bytes.extend_from_slice(entry.key.bytes());
        }
        bytes.extend_from_slice(&(self.openings.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&self.openings);
        Ok(bytes)
    }

    /// The manifest with these bytes, which is the only one, and which has no other bytes.
    ///
    /// # Errors
    /// If they are none, of another version, or a field has a value that it cannot have.
    pub fn decode(bytes: &[u8]) -> Result<Self, HandoverError> {
        refuse_more("bytes of the manifest", bytes.len(), MAX_MANIFEST_BYTES)?;
        let mut fields = Fields::new(bytes);
        if fields.array()? != MAGIC {
            return Err(HandoverError::AnotherFormat { expected: "a manifest" });
        }
        match u16::from_be_bytes(fields.array()?) {
            VERSION => {}
            got => return Err(HandoverError::Version { what: "manifest", expected: VERSION, got }),
        }
        let subject = fields.subject()?;
        let count = u16::from_be_bytes(fields.array()?).into();
        refuse_more("entries of the manifest", count, MAX_ENTRIES)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = Entry::decode(&mut fields)?;
            entry.check(entries.last().map(|entry| entry.name.as_str()))?;
            entries.push(entry);
        }
        let length = u32::from_be_bytes(fields.array()?) as usize;
        refuse_more("bytes of the openings", length, MAX_OPENINGS_BYTES)?;
        let openings = Zeroizing::new(fields.bytes(length)?.to_vec());
        fields.end()?;
        Ok(Self { subject, entries, openings })
    }

    /// The sealed manifest, a blob of its own, and its root. `key` is what is wrapped; it must not have sealed anything else.
    ///
    /// # Errors
    /// As those of [`encode`](Self::encode).
    pub fn seal(&self, key: &ContentKey) -> Result<(Vec<u8>, [u8; 32]), HandoverError> {
        let mut bytes = Vec::new();
        sealed::seal(&mut self.encode()?.as_slice(), &mut bytes, key)?;
        let root = *blake3::hash(&bytes).as_bytes();
        Ok((bytes, root))
    }

    /// Opens the sealed manifest that was announced with `root` for `subject`.
    ///
    /// # Errors
    /// If it is another one, does not open, or is for something else.
    pub fn open(bytes: &[u8], root: &[u8; 32], key: &ContentKey, subject: &Subject) -> Result<Self, HandoverError> {
        refuse_more("bytes of the sealed manifest", bytes.len(), MAX_SEALED_MANIFEST_BYTES)?;
        if blake3::hash(bytes) != *root {
            return Err(HandoverError::AnotherRoot);
        }
        let mut opened = Zeroizing::new(Vec::with_capacity(bytes.len()));
        sealed::open(&mut &*bytes, &mut *opened, key)?;
        let manifest = Self::decode(&opened)?;
        manifest.subject.is(subject)?;
        Ok(manifest)
    }
}

impl Debug for Manifest {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("Manifest");
        fields.field("subject", &self.subject).field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl Entry {
    fn decode(fields: &mut Fields<'_>) -> Result<Self, HandoverError> {
        let [length] = fields.array()?;
        let name = fields.bytes(length.into())?;
        let name = str::from_utf8(name).map_err(|_| HandoverError::Field(NAME))?.to_owned();
        Ok(Self {
            name,
            sealed_bytes: u64::from_be_bytes(fields.array()?),
            root: fields.array()?,
            key: ContentKey::from_bytes(fields.array()?),
        })
    }

    /// Refuses values that the fields cannot have, and an entry that does not follow the one named `before`.
    fn check(&self, before: Option<&str>) -> Result<(), HandoverError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let named = !self.name.is_empty() && self.name.len() <= MAX_NAME_BYTES && !self.name.starts_with('.');
        if !named || !self.name.bytes().all(allowed) {
            return Err(HandoverError::Field(NAME));
        }
        if before.is_some_and(|before| before >= self.name.as_str()) {
            return Err(HandoverError::Field("entries are sorted by name, and no two have one"));
        }
        if self.sealed_bytes < (sealed::HEADER_BYTES + sealed::TAG_BYTES) as u64 || self.sealed_bytes > MAX_SEALED_BYTES
        {
            return Err(HandoverError::Field("no sealed file has the size of an entry"));
        }
        Ok(())
    }
}

/// What a name is.
const NAME: &str = "the name of a file is 1 to 128 letters, digits, '.', '_' and '-', and does not begin with '.'";

fn refuse_more(what: &'static str, got: usize, limit: usize) -> Result<(), HandoverError> {
    if got > limit {
        return Err(HandoverError::TooMuch { what, limit: limit as u64, got: got as u64 });
    }
    Ok(())
}
