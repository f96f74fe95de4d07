//! Opening of a committed multilinear polynomial at one point: the prover. See [`gradproof_verifier::protocol::hyperkzg`].

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use gradproof_verifier::protocol::hyperkzg::{FOLDED, Opening, evaluate, fold, folding_order};
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::protocol::powers::{Setup, SetupError};
use rayon::prelude::*;

use crate::commit::commit_full;

/// Opens the polynomial whose table is `polynomial` at `point`.
///
/// # Errors
/// If the set-up is shorter than the table.
pub fn open(
    setup: &Setup,
    polynomial: Vec<Fr>,
    point: &[Fr],
    transcript: &mut KeccakTranscript,
) -> Result<Opening, SetupError> {
    let variables = folding_order(point);
    let steps: Vec<&[Fr]> = variables.chunks(FOLDED).collect();
    let size = polynomial.len();
    let mut layers = vec![polynomial];
    for step in &steps[..steps.len() - 1] {
        let next = layers[layers.len() - 1].par_chunks(1 << step.len()).map(|parts| fold(parts, step)).collect();
        layers.push(next);
    }
    let folds = layers[1..].iter().map(|layer| commit_full(setup, layer, Fr::zero())).collect::<Result<Vec<_>, _>>()?;
    transcript.absorb_points(&folds);
    let r = transcript.challenge();

    let moduli = moduli(&steps, r);
    let remainders: Vec<Vec<Fr>> =
        layers.par_iter().zip(&moduli).map(|(layer, modulus)| modulus.remainder(layer)).collect();
    let sent = remainders.iter().flat_map(|remainder| &remainder[1..]).copied();
    let evaluations: Vec<Fr> = std::iter::once(evaluate(&remainders[0], r)).chain(sent).collect();
    transcript.absorb_scalars(&evaluations);
    let nu = transcript.challenge();

    let powers: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |power| Some(*power * nu)).take(steps.len()).collect();
    let mut h = vec![Fr::zero(); size];
    for ((layer, modulus), power) in layers.iter().zip(&moduli).zip(&powers) {
        modulus.add_quotient(&mut h, layer, *power);
    }
    let quotient = commit_full(setup, &h, Fr::zero())?;
    transcript.absorb_point(&quotient);
    let z = transcript.challenge();

    let mut shifted: Vec<Fr> = h.par_iter().map(|h| -*h).collect();
    for (((layer, modulus), remainder), power) in layers.iter().zip(&moduli).zip(&remainders).zip(&powers) {
        let weight = *power * modulus.at(z).inverse().unwrap_or_default();
        shifted.par_iter_mut().zip(layer).for_each(|(sum, p)| *sum += weight * p);
        shifted[0] -= weight * evaluate(remainder, z);
    }
    // Division by X - z: the coefficients from the top, each carried down.
    let mut carry = Fr::zero();
    for coefficient in shifted.iter_mut().rev() {
        let next = *coefficient + z * carry;
        *coefficient = carry;
        carry = next;
    }
    let shifted_quotient = commit_full(setup, &shifted, Fr::zero())?;
    transcript.absorb_point(&shifted_quotient);
    Ok(Opening { folds, evaluations, quotient, shifted_quotient })
}

/// `X^width - constant`, by which a layer is divided.
struct Modulus {
    width: usize,
    constant: Fr,
}

/// The moduli of the steps, whose constants are `r` raised to all widths so far.
fn moduli(steps: &[&[Fr]], r: Fr) -> Vec<Modulus> {
    let raised = |constant: &mut Fr, step: &&[Fr]| {
        let width = 1 << step.len();
        *constant = constant.pow([width as u64]);
        Some(Modulus { width, constant: *constant })
    };
    steps.iter().scan(r, raised).collect()
}

impl Modulus {
    fn at(&self, z: Fr) -> Fr {
        z.pow([self.width as u64]) - self.constant
    }

    /// The remainder of a polynomial: each part at the constant.
    fn remainder(&self, polynomial: &[Fr]) -> Vec<Fr> {
        let mut sums = vec![Fr::zero(); self.width];
        for parts in polynomial.chunks(self.width).rev() {
            sums.iter_mut().for_each(|sum| *sum *= self.constant);
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        sums
    }

    /// Adds `weight · (P - remainder) / modulus` to `sum`.
    fn add_quotient(&self, sum: &mut [Fr], polynomial: &[Fr], weight: Fr) {
        let mut carry = vec![Fr::zero(); self.width];
        for j in (self.width..polynomial.len()).rev() {
            let carry = &mut carry[j % self.width];
            *carry = polynomial[j] + self.constant * *carry;
            sum[j - self.width] += weight * *carry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::eq::eq_table;
    use crate::randomness::fresh;
    use ark_bn254::G1Affine;
    use ark_ec::AffineRepr;
    use gradproof_circuits::field::check::{Check, Rejection, Strict};
    use gradproof_verifier::protocol::hyperkzg::{evaluations, folds, verify};

    /// More than three steps, so that there are whole ones, short ones, and none of either.
    const VARS: usize = 3 * FOLDED + 1;

    fn random(count: usize) -> Vec<Fr> {
        fresh(count).expect("the system has randomness")
    }

    fn transcript() -> KeccakTranscript {
        KeccakTranscript::new([7; 32])
    }

    #[test]
    fn openings_of_every_number_of_variables_are_accepted_and_no_other() {
        let setup = Setup::insecure(VARS as u32).expect("it is small");
        for vars in 0..=VARS {
            let (polynomial, point) = (random(1 << vars), random(vars));
            let value: Fr = eq_table(&point).iter().zip(&polynomial).map(|(eq, entry)| *eq * entry).sum();
            let commitment = commit_full(&setup, &polynomial, Fr::zero()).expect("the set-up is long enough");
            let opening = open(&setup, polynomial, &point, &mut transcript()).expect("the set-up is long enough");
            assert_eq!((opening.folds.len(), opening.evaluations.len()), (folds(vars), evaluations(vars)));

            let verified = |value: Fr, opening: &Opening| {
                verify(&setup.key, &commitment, &point, &value, opening, &mut transcript(), &mut Strict)
            };
            assert_eq!(verified(value, &opening), Ok(()), "{vars} variables");
            assert_eq!(verified(value + Fr::ONE, &opening), Err(Rejection { check: Check::OpeningValue }));
            for i in 0..opening.evaluations.len() {
                let mut other = opening.clone();
                other.evaluations[i] += Fr::ONE;
                assert_eq!(verified(value, &other), Err(Rejection { check: Check::OpeningValue }), "evaluation {i}");
            }
            for i in 0..opening.folds.len() {
                let mut other = opening.clone();
                other.folds[i] = G1Affine::generator();
                assert!(verified(value, &other).is_err(), "fold {i}");
            }
            let changes: [fn(&mut Opening) -> &mut G1Affine; 2] = [|o| &mut o.quotient, |o| &mut o.shifted_quotient];
            for change in changes {
                let mut other = opening.clone();
                *change(&mut other) = G1Affine::generator();
                assert_eq!(verified(value, &other), Err(Rejection { check: Check::OpeningPairing }));
            }
        }
    }

    /// `P = quotient · modulus + remainder`, at a point, for polynomials longer and shorter than the modulus.
    #[test]
    fn division_by_a_modulus() {
        for (width, length) in [(2, 1), (2, 2), (2, 8), (4, 2), (4, 4), (4, 16), (8, 64)] {
            let (polynomial, x) = (random(length), random(1)[0]);
            let modulus = Modulus { width, constant: random(1)[0] };
            let mut quotient = vec![Fr::zero(); length];
            modulus.add_quotient(&mut quotient, &polynomial, Fr::ONE);
            let remainder = modulus.remainder(&polynomial);
            assert_eq!(remainder.len(), width);
            let product = evaluate(&quotient, x) * modulus.at(x);
            assert_eq!(evaluate(&polynomial, x), product + evaluate(&remainder, x));
        }
    }
}
