//! Keys: of set-ups, of circuits, in files; stored proving keys; set-ups of ceremonies.

use bolero::check;
use gradproof_prover::wrap::Wrapper;
use gradproof_tests::forge::fixture;
use gradproof_tests::fuzz::{bounded, near};
use gradproof_tests::root;
use gradproof_verifier::protocol::key_file::{EncodedKey, KeyFile};
use gradproof_verifier::protocol::setup::SetupKey;
use gradproof_verifier::protocol::wrap::key::WrapKey;
use gradproof_verifier_program::ptau;
use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::halo2curves::group::GroupEncoding as _;

/// Binary logarithm of the rows of [`circuit_key`].
const SIZE_BITS: u32 = 6;

/// The bytes of a key in form: header, and the generator for every commitment.
fn circuit_key_bytes() -> Vec<u8> {
    let columns = (gradproof_circuits::wrap::columns::CONSTANTS + gradproof_circuits::wrap::columns::SELECTORS) as u32;
    let mut bytes = [&[2][..], &SIZE_BITS.to_le_bytes(), &[1], &columns.to_le_bytes()].concat();
    let generator = G1Affine::generator().to_bytes();
    while bytes.len() < WrapKey::encoded_bytes() {
        bytes.extend(generator.as_ref());
    }
    bytes
}

/// A circuit's key that no circuit has.
pub fn circuit_key() -> WrapKey {
    let tau_g2 = SetupKey::insecure().tau_g2;
    WrapKey::from_bytes(&circuit_key_bytes(), SIZE_BITS, &tau_g2).expect("it is in form")
}

#[test]
fn setup_keys() {
    let seeds = [SetupKey::insecure().to_bytes().to_vec()];
    check!().with_iterations(600).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        if let Ok(key) = bounded(&bytes, 1 << 12, 0, SetupKey::from_bytes) {
            assert_eq!(&key.to_bytes()[..], bytes);
        }
    });
}

#[test]
fn circuit_keys() {
    let (seeds, tau_g2) = ([circuit_key_bytes()], SetupKey::insecure().tau_g2);
    check!().with_iterations(300).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        // Most of it is of the key's own tables, which depend on the number of rows.
        if let Ok(key) = bounded(&bytes, 1 << 20, 16, |bytes| WrapKey::from_bytes(bytes, SIZE_BITS, &tau_g2)) {
            assert_eq!(key.to_bytes(), bytes);
        }
    });
}

#[test]
fn key_files() {
    let key = &fixture().key;
    let plain = KeyFile::of(key).to_bytes();
    let wrapped = KeyFile::of(&key.clone().with_wraps([(); 3].map(|()| circuit_key()))).to_bytes();
    let seeds = [plain, wrapped];
    check!().with_iterations(200).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        let Ok(encoded) = bounded(&bytes, 1 << 12, 0, EncodedKey::new) else { return };
        // The shape's relations, and the rows of its circuits, are made with the key: they do not depend on the bytes.
        let decoded = bounded(&bytes, 1 << 26, 16, |_| encoded.decode(key.architecture(), key.column_vars, None));
        if let Ok(decoded) = decoded {
            assert_eq!(KeyFile::of(&decoded).to_bytes(), bytes);
        }
    });
}

/// Stored proving keys end with their digest, which no other bytes have; nothing is made of them before it is compared.
#[test]
fn stored_keys() {
    let setup = &fixture().setup;
    check!().with_iterations(300).for_each(|bytes: &[u8]| {
        assert!(bounded(bytes, 1 << 12, 4, |bytes| Wrapper::from_bytes(bytes, &[7; 32], setup)).is_err());
    });
}

#[test]
fn setups_of_ceremonies() {
    let seeds = [std::fs::read(root().join("tests/vectors/powers_6.ptau")).expect("the vector is there")];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("powers.ptau");
    check!().with_iterations(150).for_each(|script: &[u8]| {
        let bytes = near(&seeds, script);
        std::fs::write(&path, &bytes).expect("written");
        if let Ok(setup) = bounded(&bytes, 1 << 17, 16, |_| ptau::import(&path, 6)) {
            assert_eq!((setup.powers.len(), setup.key.is_insecure()), (64, false));
        }
    });
}
