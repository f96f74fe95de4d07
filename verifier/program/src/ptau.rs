//! Powers of τ from a public ceremony, in the file format of snarkjs (`.ptau`).
//!
//! All numbers are little-endian; field elements are Montgomery forms, points affine coordinates.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `ptau` |
//! | 4 | version, 1 |
//! | 4 | number of sections, each: number (4), length (8), content |
//!
//! Section 1 holds the field's size in bytes (4), its modulus, and `power`, `log2` of the powers of τ. Section 2 holds
//! `[τ^i]G1` for `2·2^power - 1` powers, section 3 `[τ^i]G2` for `2^power`. The others are not read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ark_bn254::{Bn254, Fq, Fq2, FqConfig, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{BigInt, Field, MontConfig, PrimeField};
use gradproof_verifier::protocol::keccak::keccak256;
use gradproof_verifier::protocol::points::{encode_g1, encode_g2};
use gradproof_verifier::protocol::powers::{SETUP_VARS, Setup};
use gradproof_verifier::protocol::setup::SetupKey;
use rayon::prelude::*;

const MAGIC: &[u8; 4] = b"ptau";
const VERSION: u32 = 1;
const FIELD_BYTES: usize = 32;
const G1_BYTES: usize = 2 * FIELD_BYTES;
const G2_BYTES: usize = 4 * FIELD_BYTES;
/// Sections of a file; more than snarkjs writes.
const MAX_SECTIONS: u32 = 64;

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct PtauError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PtauProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PtauProblem {
    /// It cannot be read, or ends too early.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// It does not begin as a set-up does.
    #[error("not a .ptau file of version {VERSION}")]
    Format,
    /// A section is missing, twice there, or of the wrong length.
    #[error("section {section} is missing or damaged")]
    Section {
        /// Its number.
        section: u32,
    },
    /// It is for another curve.
    #[error("the set-up is not one over BN254 (bn128)")]
    Curve,
    /// It has too few powers.
    #[error(
        "the set-up has 2^{got} powers of tau, columns of 2^{expected} values need 2^{expected}; use a larger file or shorter columns"
    )]
    TooShort {
        /// Variables of a column.
        expected: u32,
        /// `log2` of the powers in the file.
        got: u32,
    },
    /// A point is not one of the group.
    #[error("point {index} of section {section} is not a point of the group")]
    Point {
        /// The section.
        section: u32,
        /// Which point.
        index: usize,
    },
    /// The first powers are not the generators.
    #[error("section {section} does not begin with the generator")]
    Generator {
        /// The section.
        section: u32,
    },
    /// τ is one: nobody contributed.
    #[error("tau is one: nobody has contributed to this set-up")]
    Trivial,
    /// τ is the public one of the insecure set-up.
    #[error("tau is that of the insecure set-up, which everybody knows")]
    Insecure,
    /// The points are not powers of one τ.
    #[error("the points are not powers of one tau: the file is damaged or forged")]
    Powers,
}

/// Reads the powers that columns of `2^column_vars` values need, and checks them.
///
/// # Soundness
/// The points are in their groups, begin with the generators, and are powers of the one τ of `[τ]G2`: all
/// `e(P_{i+1}, G2) = e(P_i, [τ]G2)` combined by the powers of a challenge, keccak256 of all points; whoever makes a wrong file
/// succeeds with probability `2^-225` a try. That nobody knows τ rests on the ceremony.
///
/// # Errors
/// [`PtauError`].
pub fn import(path: &Path, column_vars: u32) -> Result<Setup, PtauError> {
    read(path, column_vars).map_err(|problem| PtauError { path: path.into(), problem })
}

fn read(path: &Path, column_vars: u32) -> Result<Setup, PtauProblem> {
    let mut file = BufReader::new(File::open(path)?);
    let sections = sections(&mut file)?;
    let section = |number: u32| -> Result<(u64, u64), PtauProblem> {
        sections.get(&number).copied().ok_or(PtauProblem::Section { section: number })
    };
    let (header, powers_1, powers_2) = (section(1)?, section(2)?, section(3)?);

    file.seek(SeekFrom::Start(header.0))?;
    let field: [u8; 4 + FIELD_BYTES] = bytes(&mut file)?;
    if field[..4] != (FIELD_BYTES as u32).to_le_bytes() || limbs(&field[4..]) != FqConfig::MODULUS.0 {
        return Err(PtauProblem::Curve);
    }
    let power = u32::from_le_bytes(bytes(&mut file)?);
    if power > SETUP_VARS || header.1 != (4 + FIELD_BYTES + 8) as u64 {
        return Err(PtauProblem::Section { section: 1 });
    }
    if powers_1.1 != ((2u64 << power) - 1) * G1_BYTES as u64 {
        return Err(PtauProblem::Section { section: 2 });
    }
    if powers_2.1 != (1u64 << power) * G2_BYTES as u64 {
        return Err(PtauProblem::Section { section: 3 });
    }
    if column_vars > power {
        return Err(PtauProblem::TooShort { expected: column_vars, got: power });
    }

    file.seek(SeekFrom::Start(powers_2.0))?;
    let [g2, tau_g2] = [0, 1].map(|index| -> Result<G2Affine, PtauProblem> {
        point_2(&bytes::<G2_BYTES>(&mut file)?).ok_or(PtauProblem::Point { section: 3, index })
    });
    let (g2, tau_g2) = (g2?, tau_g2?);
    file.seek(SeekFrom::Start(powers_1.0))?;
    let mut content = vec![0; G1_BYTES << column_vars];
    file.read_exact(&mut content)?;
    let powers: Vec<G1Affine> = content
        .par_chunks(G1_BYTES)
        .enumerate()
        .map(|(index, point)| point_1(point).ok_or(PtauProblem::Point { section: 2, index }))
        .collect::<Result<_, _>>()?;
    check(&powers, g2, tau_g2)?;
    Ok(Setup { powers, key: SetupKey::ceremony(tau_g2) })
}

/// Offset and length of each section.
fn sections(file: &mut BufReader<File>) -> Result<BTreeMap<u32, (u64, u64)>, PtauProblem> {
    let length = file.get_ref().metadata()?.len();
    let start: [u8; 12] = bytes(file).map_err(|_| PtauProblem::Format)?;
    let count = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
    if !start.starts_with(MAGIC) || start[4..8] != VERSION.to_le_bytes() || count > MAX_SECTIONS {
        return Err(PtauProblem::Format);
    }
    let mut sections = BTreeMap::new();
    let mut at = start.len() as u64;
    for _ in 0..count {
        file.seek(SeekFrom::Start(at))?;
        let section = u32::from_le_bytes(bytes(file)?);
        let size = u64::from_le_bytes(bytes(file)?);
        at += 12;
        let end = at.checked_add(size).filter(|end| *end <= length).ok_or(PtauProblem::Section { section })?;
        if sections.insert(section, (at, size)).is_some() {
            return Err(PtauProblem::Section { section });
        }
        at = end;
    }
    Ok(sections)
}

/// That the points are powers of one τ, not one and not the public one.
fn check(powers: &[G1Affine], g2: G2Affine, tau_g2: G2Affine) -> Result<(), PtauProblem> {
    if powers.first() != Some(&G1Affine::generator()) {
        return Err(PtauProblem::Generator { section: 2 });
    }
    if g2 != G2Affine::generator() {
        return Err(PtauProblem::Generator { section: 3 });
    }
    if tau_g2 == g2 {
        return Err(PtauProblem::Trivial);
    }
    if tau_g2 == SetupKey::insecure().tau_g2 {
        return Err(PtauProblem::Insecure);
    }
    let Some((_, higher)) = powers.split_first() else { return Err(PtauProblem::Powers) };
    let points: Vec<u8> = powers.par_iter().flat_map_iter(encode_g1).collect();
    let challenge = Fr::from_be_bytes_mod_order(&keccak256(&[&points, &encode_g2(&tau_g2)]));
    let weights: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |w| Some(*w * challenge)).take(higher.len()).collect();
    let combined = |points: &[G1Affine]| -> G1Affine { G1Projective::msm_unchecked(points, &weights).into_affine() };
    let (higher, lower) = (combined(higher), combined(&powers[..weights.len()]));
    if Bn254::pairing(higher, g2) != Bn254::pairing(lower, tau_g2) {
        return Err(PtauProblem::Powers);
    }
    Ok(())
}

fn bytes<const N: usize>(file: &mut impl Read) -> Result<[u8; N], PtauProblem> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn limbs(bytes: &[u8]) -> [u64; 4] {
    std::array::from_fn(|i| (0..8).rev().fold(0, |limb, j| limb << 8 | u64::from(bytes[8 * i + j])))
}

/// A field element from its Montgomery form.
fn element(bytes: &[u8]) -> Option<Fq> {
    let value = BigInt(limbs(bytes));
    (value < FqConfig::MODULUS).then(|| Fq::new_unchecked(value))
}

/// A point of G1 other than zero; its group is the whole curve.
fn point_1(bytes: &[u8]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at(FIELD_BYTES);
    let point = G1Affine::new_unchecked(element(x)?, element(y)?);
    (!point.is_zero() && point.is_on_curve()).then_some(point)
}

/// A point of G2 other than zero.
fn point_2(bytes: &[u8]) -> Option<G2Affine> {
    let coordinate = |i: usize| element(&bytes[i * FIELD_BYTES..(i + 1) * FIELD_BYTES]);
    let (x, y) = (Fq2::new(coordinate(0)?, coordinate(1)?), Fq2::new(coordinate(2)?, coordinate(3)?));
    let point = G2Affine::new_unchecked(x, y);
    let in_group = point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve();
    (!point.is_zero() && in_group).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by snarkjs 0.7.6: `powersoftau new bn128 6 p0.ptau`, `powersoftau contribute p0.ptau powers_6.ptau -e="…"`.
    fn vector() -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/powers_6.ptau");
        std::fs::read(path).expect("the vector is there")
    }

    fn import_bytes(bytes: &[u8], column_vars: u32) -> Result<Setup, PtauProblem> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("powers.ptau");
        std::fs::write(&path, bytes).expect("the file can be written");
        import(&path, column_vars).map_err(|error| error.problem)
    }

    /// Offset of section `number`, and its length.
    fn section(bytes: &[u8], number: u32) -> (usize, usize) {
        let mut at = 12;
        loop {
            let size = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().expect("eight bytes")) as usize;
            if bytes[at..at + 4] == number.to_le_bytes() {
                return (at + 12, size);
            }
            at += 12 + size;
        }
    }

    #[test]
    fn a_file_of_snarkjs_is_a_set_up() {
        for bits in [1, 4, 6] {
            let setup = import_bytes(&vector(), bits).expect("the vector is good");
            assert_eq!(setup.powers.len(), 1 << bits);
            assert_eq!(setup.powers[0], setup.key.g1);
            assert!(!setup.key.is_insecure());
            for pair in setup.powers.windows(2).take(3) {
                assert_eq!(Bn254::pairing(pair[1], setup.key.g2), Bn254::pairing(pair[0], setup.key.tau_g2));
            }
        }
        assert!(matches!(import_bytes(&vector(), 7), Err(PtauProblem::TooShort { expected: 7, got: 6 })));
    }

    #[test]
    fn corrupted_files_are_refused() {
        let good = vector();
        let ((header, _), (powers, _), (powers_2, _)) = (section(&good, 1), section(&good, 2), section(&good, 3));
        let changed = |at: usize| {
            let mut bad = good.clone();
            bad[at] ^= 1;
            import_bytes(&bad, 6).expect_err("the file is corrupted")
        };
        assert!(matches!(changed(0), PtauProblem::Format));
        assert!(matches!(changed(4), PtauProblem::Format));
        assert!(matches!(changed(header + 10), PtauProblem::Curve));
        assert!(matches!(changed(header + 4 + FIELD_BYTES), PtauProblem::Section { .. }));
        assert!(matches!(changed(powers - 8), PtauProblem::Section { .. }));
        for index in [0, 1, 40, 63] {
            let problem = changed(powers + index * G1_BYTES);
            assert!(matches!(problem, PtauProblem::Point { section: 2, index: i } if i == index), "{problem}");
        }
        assert!(matches!(changed(powers_2 + 5), PtauProblem::Point { section: 3, index: 0 }));
        assert!(matches!(changed(powers_2 + G2_BYTES), PtauProblem::Point { section: 3, index: 1 }));

        // Points of the group in the wrong place.
        let moved = |from: usize, to: usize, size: usize| {
            let mut bad = good.clone();
            bad.copy_within(from..from + size, to);
            import_bytes(&bad, 6).expect_err("the file is forged")
        };
        assert!(matches!(moved(powers + G1_BYTES, powers, G1_BYTES), PtauProblem::Generator { section: 2 }));
        assert!(matches!(moved(powers_2 + G2_BYTES, powers_2, G2_BYTES), PtauProblem::Generator { section: 3 }));
        assert!(matches!(moved(powers_2, powers_2 + G2_BYTES, G2_BYTES), PtauProblem::Trivial));
        for index in [1, 17, 63] {
            let problem = moved(powers + 5 * G1_BYTES, powers + index * G1_BYTES, G1_BYTES);
            assert!(matches!(problem, PtauProblem::Powers), "{problem}");
        }
        let problem = moved(powers_2 + 2 * G2_BYTES, powers_2 + G2_BYTES, G2_BYTES);
        assert!(matches!(problem, PtauProblem::Powers), "{problem}");
        // Zeros after the generators: a τ of zero, for which every pairing holds.
        let mut zeros = good.clone();
        zeros[powers + G1_BYTES..powers + 64 * G1_BYTES].fill(0);
        zeros[powers_2 + G2_BYTES..powers_2 + 2 * G2_BYTES].fill(0);
        let problem = import_bytes(&zeros, 6).expect_err("the file is forged");
        assert!(matches!(problem, PtauProblem::Point { .. }), "{problem}");
        for length in [0, 3, 11, 20, powers - 1, powers + 100, good.len() - 1] {
            assert!(import_bytes(&good[..length], 6).is_err(), "{length} bytes");
        }
        assert!(matches!(import(Path::new("no-such.ptau"), 6), Err(PtauError { problem: PtauProblem::System(_), .. })));
    }

    #[test]
    fn the_public_tau_is_not_a_ceremony() {
        let setup = Setup::insecure(3).expect("3 is small");
        let problem = check(&setup.powers, setup.key.g2, setup.key.tau_g2).expect_err("everybody knows tau");
        assert!(matches!(problem, PtauProblem::Insecure));
    }
}
