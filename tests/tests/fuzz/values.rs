//! Scalars, points, and paths of trees.

use bolero::check;
use gradproof_tests::fuzz::{bounded, near};
use gradproof_verifier::protocol::merkle::{MerkleTree, depth, verify};
use gradproof_verifier::protocol::points::{decode_g1, decode_g2, decode_scalar, encode_g1, encode_g2, encode_scalar};
use gradproof_verifier::protocol::setup::SetupKey;

#[test]
fn scalars() {
    let seeds = [encode_scalar(&7.into()).to_vec(), encode_scalar(&(-7).into()).to_vec()];
    check!().with_iterations(1000).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(scalar) = bounded(&bytes, 256, 0, decode_scalar) {
            assert_eq!(&encode_scalar(&scalar)[..], bytes);
        }
    });
}

#[test]
fn points_of_both_groups() {
    let key = SetupKey::insecure();
    let seeds = [key.g1, key.blinder].map(|point| encode_g1(&point).to_vec());
    let seeds_2 = [key.g2, key.tau_g2].map(|point| encode_g2(&point).to_vec());
    check!().with_iterations(1000).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(point) = bounded(&bytes, 256, 0, decode_g1) {
            assert_eq!(&encode_g1(&point)[..], bytes);
        }
        let bytes = near(&seeds_2, script);
        if let Ok(point) = bounded(&bytes, 1 << 12, 0, decode_g2) {
            assert_eq!(&encode_g2(&point)[..], bytes);
        }
    });
}

/// Only the path of a leaf leads to the root, whatever depth and index are claimed.
#[test]
fn paths_of_trees() {
    let leaves: Vec<[u8; 32]> = (0..5u8).map(|i| [i + 1; 32]).collect();
    let tree = MerkleTree::new(leaves.clone());
    let real = tree.path(3).concat();
    check!().with_iterations(1000).for_each(|script: &[u8]| {
        let (numbers, script) = script.split_at_checked(2).unwrap_or((&[3, 3], script));
        let bytes = near(std::slice::from_ref(&real), script);
        let (path, _) = bytes.as_chunks::<32>();
        let index = u64::from(numbers[0]);
        let claimed = usize::from(numbers[1]);
        let taken = bounded(&bytes, 1 << 12, 1, |_| verify(&tree.root(), claimed, index, leaves[3], path));
        assert_eq!(taken, claimed == depth(5) && index == 3 && path.as_flattened() == real);
    });
}
