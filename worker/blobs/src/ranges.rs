//! How a blob is cut into ranges, and how a range travels: as bao, the path of the hash tree and the bytes that it leads to.
//!
//! A range is a run of 1 MiB of the blob; the last one is shorter. What travels for it is what the bao format has for this part of
//! the file, with groups of 16 KiB as leaves and without the length in front: the pairs of hashes on the way from the root, then
//! pairs and groups of the range, in the order of a walk that sees a parent before its children. The length is known to whoever asks.
//!
//! # Soundness
//! What decodes a range compares every pair and every group with the hash that its parent has for it, the first with the root. So
//! under a root there is one content for a range only, unless somebody finds two inputs with one BLAKE3 hash. The root binds the size
//! as well, but only the last range shows it: under a false size that needs a tree of the same form, the others are right.
//!
//! # Paper
//! J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, BLAKE3: one function, fast everywhere, 2020, section 6.4 (verified
//! streaming).

use std::io::Write;

use bao_tree::io::sync::{DecodeResponseIter, ReadAt, encode_ranges_validated, truncate_ranges};
use bao_tree::io::{BaoContentItem, EncodeError};
use bao_tree::iter::BaoChunk;
use bao_tree::{BaoTree, BlockSize, ChunkNum, ChunkRanges};

use crate::{BlobError, Root};

/// Bytes of a range. At 100 Mbit/s it takes 0.08 s, so that few in flight fill a link and little is lost when one fails.
pub const RANGE_BYTES: u64 = 1 << 20;
/// Bytes of a group, a leaf of the stored tree: the tree is then 1/256 of the blob.
pub const GROUP_BYTES: u64 = 1 << 14;
/// Most bytes of a blob: 2^16 ranges, so that the record of one is 64 KiB.
pub const MAX_BLOB_BYTES: u64 = RANGE_BYTES << 16;
/// Most bytes that travel for a range: its own, the 63 pairs inside it, and the 16 above it in the largest blob.
pub const MAX_RANGE_BYTES: usize = RANGE_BYTES as usize + PAIR_BYTES * (RANGE_BYTES / GROUP_BYTES - 1 + 16) as usize;
/// Bytes of two hashes.
pub(crate) const PAIR_BYTES: usize = 64;
/// Chunks of BLAKE3, of 1 KiB, in a range.
const RANGE_CHUNKS: u64 = RANGE_BYTES >> 10;
/// A group is 2^4 chunks.
const GROUP: BlockSize = BlockSize::from_chunk_log(4);

/// How many ranges a blob of this size has.
///
/// # Errors
/// If no blob has this size.
pub fn count(size: u64) -> Result<u32, BlobError> {
    match size {
        0 => Err(BlobError::Empty),
        1..=MAX_BLOB_BYTES => Ok(size.div_ceil(RANGE_BYTES) as u32),
        _ => Err(BlobError::TooLarge { got: size, limit: MAX_BLOB_BYTES }),
    }
}

/// How many bytes of the blob a range is, zero if it has no such range.
pub fn bytes_of(size: u64, index: u32) -> u64 {
    size.saturating_sub(u64::from(index) * RANGE_BYTES).min(RANGE_BYTES)
}

/// How many bytes travel for a range.
///
/// # Errors
/// If no blob has this size, or it has no such range.
pub fn encoded_bytes(size: u64, index: u32) -> Result<usize, BlobError> {
    let chunks = chunks_of(size, index)?;
    let chunks = truncate_ranges(&chunks, size);
    let lengths = tree(size).ranges_pre_order_chunks_iter_ref(chunks, 0).map(|chunk| match chunk {
        BaoChunk::Parent { .. } => PAIR_BYTES,
        BaoChunk::Leaf { size, .. } => size,
    });
    Ok(lengths.sum())
}

/// A blob of one range, from what travelled as that range.
///
/// # Soundness
/// All of it was compared with the root, its size as well.
///
/// # Errors
/// [`BlobError::Wrong`] if the bytes are not the range; if the blob has more than one.
pub fn whole(root: Root, size: u64, bytes: &[u8]) -> Result<Vec<u8>, BlobError> {
    if size > RANGE_BYTES {
        return Err(BlobError::TooLarge { got: size, limit: RANGE_BYTES });
    }
    Ok(Checked::decode(root, size, 0, bytes)?.data)
}

/// The tree of a blob of this size.
pub(crate) fn tree(size: u64) -> BaoTree {
    BaoTree::new(size, GROUP)
}

/// Bytes of the stored pairs of a blob of this size.
pub(crate) fn tree_bytes(size: u64) -> u64 {
    tree(size).outboard_size()
}

/// The chunks of a range.
fn chunks_of(size: u64, index: u32) -> Result<ChunkRanges, BlobError> {
    let ranges = count(size)?;
    if index >= ranges {
        return Err(BlobError::NoSuchRange { index, ranges });
    }
    let first = u64::from(index) * RANGE_CHUNKS;
    Ok(ChunkRanges::from(ChunkNum(first)..ChunkNum(first + RANGE_CHUNKS)))
}

/// Stored pairs of hashes, in the order in which a walk leaves their nodes.
pub(crate) type Pairs<T> = bao_tree::io::outboard::PostOrderOutboard<T>;

/// Writes a range as it travels, from what a disk has of the blob.
///
/// # Soundness
/// What is read is compared with the root first, so that nobody is sent what they would refuse.
///
/// # Errors
/// If the range is damaged, or the system refuses: then with `None`.
pub(crate) fn encode(
    root: Root,
    size: u64,
    index: u32,
    data: impl ReadAt,
    pairs: impl ReadAt,
    out: impl Write,
) -> Result<(), Result<BlobError, std::io::Error>> {
    let chunks = chunks_of(size, index).map_err(Ok)?;
    let pairs = Pairs { root: root.into(), tree: tree(size), data: pairs };
    encode_ranges_validated(data, pairs, &chunks, out).map_err(|error| match error {
        EncodeError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(BlobError::Damaged { root, index }),
    })
}

/// A range from outside, all of which was compared with the root.
pub(crate) struct Checked {
    /// Where the bytes begin in the blob.
    pub offset: u64,
    /// The bytes.
    pub data: Vec<u8>,
    /// Pairs with their place among the stored ones, in bytes, ascending.
    pub pairs: Vec<(u64, [u8; PAIR_BYTES])>,
}

impl Checked {
    /// The range that these bytes are.
    ///
    /// # Errors
    /// If they are not exactly what travels for this range of this blob.
    pub fn decode(root: Root, size: u64, index: u32, bytes: &[u8]) -> Result<Self, BlobError> {
        let chunks = chunks_of(size, index)?;
        if bytes.len() != encoded_bytes(size, index)? {
            return Err(BlobError::Wrong { root, index, reason: "their number is another" });
        }
        let tree = tree(size);
        let mut checked = Self {
            offset: u64::from(index) * RANGE_BYTES,
            data: Vec::with_capacity(bytes_of(size, index) as usize),
            pairs: Vec::new(),
        };
        for item in DecodeResponseIter::new(root.into(), tree, bytes, &chunks) {
            match item.map_err(|_| BlobError::Wrong { root, index, reason: "they do not hash to the root" })? {
                BaoContentItem::Leaf(leaf) => checked.data.extend_from_slice(&leaf.data),
                BaoContentItem::Parent(parent) => {
                    let Some(place) = tree.post_order_offset(parent.node) else { continue };
                    let mut pair = [0; PAIR_BYTES];
                    let (left, right) = pair.split_at_mut(PAIR_BYTES / 2);
                    left.copy_from_slice(parent.pair.0.as_bytes());
                    right.copy_from_slice(parent.pair.1.as_bytes());
                    checked.pairs.push((place.value() * PAIR_BYTES as u64, pair));
                }
            }
        }
        checked.pairs.sort_unstable_by_key(|pair| pair.0);
        Ok(checked)
    }

    /// The pairs as runs of neighbours: few calls of the system write them all.
    pub fn runs(&self) -> Vec<(u64, Vec<u8>)> {
        let mut runs: Vec<(u64, Vec<u8>)> = Vec::new();
        for (place, pair) in &self.pairs {
            match runs.last_mut() {
                Some((start, run)) if *start + run.len() as u64 == *place => run.extend_from_slice(pair),
                _ => runs.push((*place, pair.to_vec())),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bao_tree::io::sync::outboard_post_order;
    use bolero::check;
    use rand::{RngExt, SeedableRng};

    /// A blob with its root and pairs.
    fn blob(size: usize) -> (Root, Vec<u8>, Vec<u8>) {
        let mut data = vec![0; size];
        rand_chacha::ChaCha8Rng::seed_from_u64(size as u64).fill(data.as_mut_slice());
        let mut pairs = Vec::new();
        let root = outboard_post_order(data.as_slice(), tree(size as u64), &mut pairs).expect("in memory");
        assert_eq!(Root::from(root), Root::of(&data), "the address is the plain hash");
        (root.into(), data, pairs)
    }

    fn encoded(blob: &(Root, Vec<u8>, Vec<u8>), index: u32) -> Vec<u8> {
        let mut out = Vec::new();
        encode(blob.0, blob.1.len() as u64, index, blob.1.as_slice(), blob.2.as_slice(), &mut out)
            .expect("it is whole");
        out
    }

    const SIZES: [usize; 9] =
        [1, 1024, 16 << 10, (16 << 10) + 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 77, (5 << 20) - 1, 4 << 20];

    #[test]
    fn every_range_of_every_size_travels() {
        for size in SIZES {
            let blob = blob(size);
            let mut pairs = vec![0; blob.2.len()];
            let mut data = Vec::new();
            for index in 0..count(size as u64).expect("a size") {
                let bytes = encoded(&blob, index);
                assert_eq!(bytes.len(), encoded_bytes(size as u64, index).expect("a range"));
                assert!(bytes.len() <= MAX_RANGE_BYTES);
                let checked = Checked::decode(blob.0, size as u64, index, &bytes).expect("it is right");
                assert_eq!(checked.offset, data.len() as u64);
                data.extend_from_slice(&checked.data);
                for (place, run) in checked.runs() {
                    pairs[place as usize..][..run.len()].copy_from_slice(&run);
                }
            }
            assert!(data == blob.1 && pairs == blob.2, "{size}");
        }
    }

    #[test]
    fn a_blob_of_one_range_is_whole_when_that_is_right() {
        for size in [1, 16 << 10, (16 << 10) + 1, 1 << 20] {
            let blob = blob(size);
            let (bytes, size) = (encoded(&blob, 0), size as u64);
            assert!(whole(blob.0, size, &bytes).expect("it is right") == blob.1);
            for other in [size - 1, size + 1] {
                assert!(whole(blob.0, other, &bytes).is_err(), "another size");
            }
            assert!(matches!(whole(Root::of(b"x"), size, &bytes), Err(BlobError::Wrong { .. })));
        }
        let more = blob((1 << 20) + 1);
        let refused = whole(more.0, more.1.len() as u64, &encoded(&more, 0));
        assert!(matches!(refused, Err(BlobError::TooLarge { .. })), "its first range shows no size");
    }

    #[test]
    fn the_largest_range_of_the_largest_blob_fits_the_bound() {
        for size in [MAX_BLOB_BYTES, MAX_BLOB_BYTES - 1, MAX_BLOB_BYTES / 2 + 1] {
            let last = count(size).expect("a size") - 1;
            for index in [0, 1, last / 2, last] {
                assert!(encoded_bytes(size, index).expect("a range") <= MAX_RANGE_BYTES);
            }
        }
        assert_eq!(encoded_bytes(MAX_BLOB_BYTES, 0).expect("a range"), MAX_RANGE_BYTES);
        assert!(count(MAX_BLOB_BYTES + 1).is_err() && count(0).is_err() && encoded_bytes(1, 1).is_err());
    }

    #[test]
    fn a_range_of_another_place_size_or_blob_is_wrong() {
        let (ours, theirs) = (blob(3 << 20), blob((3 << 20) + 77));
        let bytes = encoded(&ours, 2);
        let wrong = |root, size, index| {
            let error = Checked::decode(root, size, index, &bytes).err().expect("it is wrong");
            assert!(matches!(error, BlobError::Wrong { .. }), "{error}");
        };
        wrong(ours.0, 3 << 20, 0);
        wrong(ours.0, 3 << 20, 1);
        wrong(ours.0, (3 << 20) - 1, 2);
        wrong(ours.0, (3 << 20) + 1, 2);
        wrong(theirs.0, 3 << 20, 2);
        assert!(Checked::decode(ours.0, 3 << 20, 2, &bytes).is_ok());
    }

    #[test]
    fn a_damaged_byte_or_pair_is_not_sent() {
        let mut blob = blob(2 << 20);
        let damaged = |blob: &(Root, Vec<u8>, Vec<u8>)| {
            let error = encode(blob.0, 2 << 20, 1, blob.1.as_slice(), blob.2.as_slice(), std::io::sink());
            matches!(error, Err(Ok(BlobError::Damaged { index: 1, .. })))
        };
        assert!(!damaged(&blob));
        blob.1[(1 << 20) + 5] ^= 1;
        assert!(damaged(&blob));
        blob.1[(1 << 20) + 5] ^= 1;
        let last = blob.2.len() - 1;
        blob.2[last] ^= 1;
        assert!(damaged(&blob));
        blob.2[last] ^= 1;
        blob.1.truncate(1 << 20);
        assert!(damaged(&blob));
    }

    #[test]
    fn any_bytes_are_a_range_or_refused() {
        let blob = blob((2 << 20) + 40_000);
        let size = blob.1.len() as u64;
        let good = encoded(&blob, 2);
        check!().with_iterations(300).with_type::<(u8, Vec<(u16, u8)>, Vec<u8>, u64, u32)>().for_each(
            |(how, edits, raw, other_size, index)| {
                let mut bytes = if how % 2 == 0 { good.clone() } else { raw.clone() };
                for (at, byte) in edits.iter().take(4).filter(|_| how % 2 == 0) {
                    let at = usize::from(*at) % bytes.len();
                    bytes[at] = *byte;
                }
                if let Ok(checked) = Checked::decode(blob.0, size, 2, &bytes) {
                    assert!(bytes == good && checked.data == blob.1[2 << 20..]);
                }
                let _ = Checked::decode(blob.0, *other_size, *index, &bytes);
            },
        );
    }

    #[test]
    fn every_flipped_bit_of_a_travelling_range_is_found() {
        let blob = blob(40_000);
        let good = encoded(&blob, 0);
        for at in (0..good.len()).step_by(97).chain(0..192) {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            assert!(Checked::decode(blob.0, 40_000, 0, &bytes).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_range_with_more_or_fewer_bytes_is_wrong() {
        let blob = blob(40_000);
        let good = encoded(&blob, 0);
        for bytes in [&good[..good.len() - 1], &[], &[good.as_slice(), &[0]].concat()] {
            let error = Checked::decode(blob.0, 40_000, 0, bytes).err().expect("it is wrong");
            assert!(error.to_string().ends_with("their number is another"), "{error}");
        }
    }
}
