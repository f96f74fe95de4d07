//! The tree of a registered data set: a leaf a column of a position.

use ark_bn254::G1Affine;

use crate::protocol::keccak::keccak256;
use crate::protocol::points::encode_g1;

/// A node of the tree.
pub type Hash = [u8; 32];

/// `keccak256(0 ‖ position ‖ index ‖ point)`: position and index as 8 bytes, the point as 64, big-endian.
pub fn leaf(position: u64, index: u64, point: &G1Affine) -> Hash {
    keccak256(&[&[0], &position.to_be_bytes(), &index.to_be_bytes(), &encode_g1(point)])
}

/// `keccak256(1 ‖ left ‖ right)`. Leaves and nodes are hashed apart, so that no node passes for a leaf.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    keccak256(&[&[1], left, right])
}

/// Levels above `leaves` leaves.
pub fn depth(leaves: u64) -> usize {
    (u64::BITS - leaves.saturating_sub(1).leading_zeros()) as usize
}

/// A tree with its inner nodes. Leaves that are missing from a power of two are zero.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    levels: Vec<Vec<Hash>>,
}

impl MerkleTree {
    /// The tree over `leaves`.
    pub fn new(mut leaves: Vec<Hash>) -> Self {
        leaves.resize(1 << depth(leaves.len() as u64), [0; 32]);
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let next = level.as_chunks().0.iter().map(|[left, right]| node(left, right)).collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or([0; 32])
    }

    /// The siblings of leaf `index`, lowest first.
    pub fn path(&self, index: usize) -> Vec<Hash> {
        let mut at = index;
        let inner = self.levels.len().saturating_sub(1);
        self.levels
            .iter()
            .take(inner)
            .map(|level| {
                let sibling = level.get(at ^ 1).copied().unwrap_or([0; 32]);
                at >>= 1;
                sibling
            })
            .collect()
    }
}

/// True if `leaf` stands at `index` of the tree of `depth` levels under `root`.
pub fn verify(root: &Hash, depth: usize, index: u64, leaf: Hash, path: &[Hash]) -> bool {
    let mut at = index;
    let top = path.iter().fold(leaf, |hash, sibling| {
        let parent = if at & 1 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
        at >>= 1;
        parent
    });
    path.len() == depth && at == 0 && top == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_the_logarithm_rounded_up() {
        for (leaves, levels) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 63, 63), (u64::MAX, 64)] {
            assert_eq!(depth(leaves), levels, "{leaves} leaves");
        }
    }

    #[test]
    fn paths_lead_to_the_root() {
        for count in 1..10u8 {
            let leaves: Vec<Hash> = (0..count).map(|i| [i; 32]).collect();
            let tree = MerkleTree::new(leaves.clone());
            let depth = depth(u64::from(count));
            for (i, leaf) in leaves.iter().enumerate() {
                let path = tree.path(i);
                assert!(verify(&tree.root(), depth, i as u64, *leaf, &path));
                assert!(!verify(&tree.root(), depth, i as u64 + (1 << depth), *leaf, &path), "index past the end");
                if count > 1 {
                    assert!(!verify(&tree.root(), depth, i as u64 ^ 1, *leaf, &path), "another index");
                    assert!(!verify(&tree.root(), depth - 1, i as u64, *leaf, &path[1..]), "a shorter path");
                }
            }
        }
    }
}
