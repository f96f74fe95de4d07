//! The disk: the most that a job may take of it, by its terms, and what is there.

use std::fs::Metadata;
use std::path::Path;

use gradproof_chain::market::{ColumnCounts, TrainingMarket};

use crate::home::Home;

/// Bytes of a row's value, and of a label, in a parcel.
const VALUE_BYTES: u64 = 2;
/// Bytes of a parameter in a file of exact weights, and in one that is rounded for PyTorch.
const PARAMETER_BYTES: [u64; 2] = [8, 4];
/// Header of a file of tensors, at most.
const HEADER_BYTES: u64 = 1 << 20;
/// Statement and verifying key of a parcel, and the header of its rows: they have some 100 KB for a thousand positions.
const FILES_BYTES: u64 = 16 << 20;
/// A proof without its columns. A wrapped one has about 18 KB with them.
const PROOF_BYTES: u64 = 64 << 10;
/// A commitment to a column.
const POINT_BYTES: u64 = 64;
/// Of a sealed file a part this small at most is tags, hashes and marks: 16 bytes for 64 KiB, 64 bytes for 16 KiB, a byte for 1 MiB.
const SEALED_PART: u64 = 128;

/// The most bytes that the files of a job may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The sealed files of a parcel, together.
    pub parcel: u64,
    /// The exact weights at the end of a batch.
    weights: u64,
    /// The same, rounded.
    rounded: u64,
    /// All proofs, once.
    proofs: u64,
    /// Batches.
    batches: u64,
}

impl Sizes {
    /// Of a job with these terms, whose verifier has these columns, and steps of `batch` rows, of which a segment has `steps`.
    ///
    /// # Soundness
    /// A verifying key of these columns has no place for more rows and parameters, so that no right parcel is larger.
    pub fn of(terms: &TrainingMarket::Terms, columns: &ColumnCounts, batch: u32, steps: u32) -> Self {
        let column = 1u64.checked_shl(u32::try_from(columns.vars).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        let TrainingMarket::Training { rows, segments, .. } = terms.training;
        let epoch = rows.div_ceil(u64::from(batch).max(1)).div_ceil(u64::from(steps).max(1));
        let values = |count: u64, columns: u64| count.saturating_mul(columns).saturating_mul(column);
        let all_columns =
            columns.data.saturating_add(columns.parameters.saturating_mul(2)).saturating_add(columns.trace);
        let proof = |columns: u64| PROOF_BYTES.saturating_add(columns.saturating_mul(POINT_BYTES));
        let numbers = values(1, columns.parameters);
        let [weights, rounded] =
            PARAMETER_BYTES.map(|bytes| numbers.saturating_mul(bytes).saturating_add(HEADER_BYTES));
        let values = values(epoch, columns.data).saturating_add(rows).saturating_mul(VALUE_BYTES);
        let registrations =
            epoch.saturating_add(1).saturating_mul(proof(columns.data.saturating_add(columns.parameters)));
        let parcel = [values, registrations, weights, FILES_BYTES].into_iter().fold(0, u64::saturating_add);
        Self {
            parcel: sealed(parcel),
            weights,
            rounded,
            proofs: u64::from(segments).saturating_mul(proof(all_columns)),
            batches: u64::from(segments).div_ceil(u64::from(terms.batches.deliverEvery).max(1)),
        }
    }

    /// The sealed weights at the end of a batch.
    pub fn delivery(&self) -> u64 {
        sealed(self.weights)
    }

    /// What a provider needs for all of it: the parcel, sealed and opened; weights of each batch, sealed and as they are, and once more
    /// while they are sealed; each proof, and what the market takes of it.
    pub fn of_provider(&self) -> u64 {
        let weights = sealed(self.weights).saturating_mul(2);
        let deliveries = weights.saturating_mul(self.batches).saturating_add(sealed(self.weights));
        self.parcel.saturating_mul(2).saturating_add(deliveries).saturating_add(self.proofs.saturating_mul(2))
    }

    /// What a requester needs beside the parcel that it made: the same sealed, once more while it is sealed, and the weights of each batch:
    /// sealed, exact, rounded.
    pub fn of_requester(&self) -> u64 {
        let weights = sealed(self.weights).saturating_add(self.weights).saturating_add(self.rounded);
        self.parcel.saturating_mul(2).saturating_add(weights.saturating_mul(self.batches))
    }
}

/// Bytes of a file that is sealed, with its hashes.
fn sealed(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / SEALED_PART)
}

/// Bytes of the files of a folder and of those in it, as far as they can be read.
pub fn bytes_in(folder: &Path) -> u64 {
    // Blobs that are not whole have holes: what they may take counts.
    sum_in(folder, &|metadata| metadata.len())
}

/// Bytes of the files of a folder, and of those in it, that the system has not given them yet: the holes of what is being fetched.
fn holes_in(folder: &Path) -> u64 {
    sum_in(folder, &holes)
}

#[cfg(unix)]
fn holes(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    /// Bytes of a block, as the system counts them (POSIX, `stat`).
    const BLOCK_BYTES: u64 = 512;
    metadata.len().saturating_sub(metadata.blocks().saturating_mul(BLOCK_BYTES))
}

#[cfg(not(unix))]
fn holes(_: &Metadata) -> u64 {
    0
}

/// The sum over all files of a folder, and of those in it, as far as they can be read.
fn sum_in(folder: &Path, of: &impl Fn(&Metadata) -> u64) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => sum_in(&entry.path(), of),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| of(&metadata)),
        _ => 0,
    };
    entries.flatten().map(bytes).fold(0, u64::saturating_add)
}

/// Bytes that are free on the disk of a home beside what blobs that are being fetched will take; `None` where the system cannot be asked.
pub fn free_in(home: &Home) -> Option<u64> {
    free_bytes(home.path()).map(|free| free.saturating_sub(holes_in(&home.blobs())))
}

/// Bytes that may be written still beside blobs that take `blobs`, each as if it were whole: of what the configuration allows for them and
/// the folders of jobs, and of what the system has.
pub fn left(home: &Home, allowed: u64, blobs: u64) -> u64 {
    let allowed = allowed.saturating_sub(blobs.saturating_add(bytes_in(&home.jobs())));
    free_in(home).map_or(allowed, |free| free.min(allowed))
}

/// Bytes that are free on the disk of a folder; `None` where the system cannot be asked.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte, and `found` has room for what the call writes.
    let result = unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: the call succeeded, and wrote all of it.
    let found = unsafe { found.assume_init() };
    #[expect(clippy::useless_conversion, reason = "these are numbers of 32 bits on some systems")]
    Some(u64::from(found.f_bavail).saturating_mul(u64::from(found.f_frsize)))
}

/// Bytes that are free on the disk of a folder; `None` where the system cannot be asked.
#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use gradproof_chain::{Address, B256, U256};

    use super::*;

    fn terms(rows: u64, segments: u32, every: u8) -> TrainingMarket::Terms {
        let training = TrainingMarket::Training {
            verifier: Address::ZERO,
            verifierCode: B256::ZERO,
            halo2: Address::ZERO,
            halo2Code: B256::ZERO,
            graph: B256::ZERO,
            subject: B256::ZERO,
            order: B256::ZERO,
            chained: true,
            dataRoot: B256::ZERO,
            rows,
            segments,
            first: B256::ZERO,
            rates: vec![1],
            dataset: B256::ZERO,
            royaltyBps: 0,
        };
        gradproof_chain::market::terms(training, U256::from(1).to(), every)
    }

    /// MNIST on 784-128-128-10 in columns of 2^17: 938 steps of 64 rows in 15 segments of 64 steps, in batches of 4.
    #[test]
    fn a_right_parcel_is_within_its_bound_and_the_bound_is_near() {
        let columns = ColumnCounts { vars: 17, data: 25, parameters: 1, trace: 60 };
        let sizes = Sizes::of(&terms(60_000, 15, 4), &columns, 64, 64);
        let rows = 60_000 * (784 + 1) * 2;
        let parameters = (785 * 128 + 129 * 128 + 129 * 10) * 8;
        assert!(sizes.parcel > rows + parameters + 15 * 18_000);
        assert!(sizes.parcel < 2 * rows, "{}", sizes.parcel);
        assert_eq!(sizes.batches, 4);
        assert!(sizes.weights > parameters && sizes.weights < 3 * parameters, "{}", sizes.weights);
        assert!(sizes.of_provider() > 2 * sizes.parcel + 9 * parameters);
        assert!(sizes.of_requester() > 2 * sizes.parcel + 4 * (2 * parameters + parameters / 2));
    }

    #[test]
    fn terms_without_bounds_overflow_nothing() {
        let columns = ColumnCounts { vars: u64::MAX, data: u64::MAX, parameters: u64::MAX, trace: u64::MAX };
        let sizes = Sizes::of(&terms(u64::MAX, u32::MAX, 0), &columns, 0, 0);
        assert_eq!((sizes.of_provider(), sizes.of_requester()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn bytes_of_a_folder_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("a")).expect("made");
        std::fs::write(folder.path().join("a/b"), [0; 7]).expect("written");
        assert_eq!(bytes_in(folder.path()), 7);
        #[cfg(unix)]
        assert!(free_bytes(folder.path()).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    #[cfg(unix)]
    fn what_a_blob_will_take_is_not_free_though_nothing_is_written_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path());
        std::fs::create_dir_all(home.blobs()).expect("made");
        std::fs::write(home.blobs().join("whole"), [7; 1 << 16]).expect("written");
        assert_eq!(holes_in(&home.blobs()), 0);
        let free = free_bytes(folder.path()).expect("it is known");
        let file = std::fs::File::create(home.blobs().join("begun")).expect("made");
        file.set_len(2 * free).expect("it has a hole");
        assert_eq!(left(&home, u64::MAX, 0), 0, "of {free} bytes");
    }
}
