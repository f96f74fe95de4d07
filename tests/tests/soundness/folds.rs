//! Why the opening divides by moduli with all roots: with one root fewer a fold is changed unseen, and any value claimed.

use std::collections::BTreeSet;

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, FftField, Field};
use gradproof_circuits::field::check::Check;
use gradproof_prover::commit::commit_full;
use gradproof_prover::randomness::fresh;
use gradproof_tests::judges::Recorder;
use gradproof_verifier::protocol::hyperkzg::{FOLDED, Opening, evaluate, fold, folding_order, remainder, verify};
use gradproof_verifier::protocol::keccak::KeccakTranscript;
use gradproof_verifier::protocol::powers::Setup;

/// All of these are whole steps of this width.
const STEPS: usize = 3;
const WIDTH: usize = 1 << FOLDED;

fn random(count: usize) -> Vec<Fr> {
    fresh(count).expect("the system has randomness")
}

/// The roots of `X^WIDTH - x^WIDTH`, the first of them `x`.
fn roots(x: Fr) -> impl Iterator<Item = Fr> {
    let omega = Fr::get_root_of_unity(WIDTH as u64).expect("the order is a small power of two");
    std::iter::successors(Some(x), move |root| Some(*root * omega)).take(WIDTH)
}

fn product(one: &[Fr], two: &[Fr]) -> Vec<Fr> {
    let mut product = vec![Fr::ZERO; one.len() + two.len() - 1];
    for (i, a) in one.iter().enumerate() {
        product[i..].iter_mut().zip(two).for_each(|(sum, b)| *sum += *a * b);
    }
    product
}

/// The fold of a whole polynomial.
fn folded(layer: &[Fr], step: &[Fr]) -> Vec<Fr> {
    layer.chunks(WIDTH).map(|parts| fold(parts, step)).collect()
}

/// A remainder in the place of the right one of step `i`, at `x`.
type Bend<'a> = &'a dyn Fn(usize, Fr, Vec<Fr>) -> Vec<Fr>;

/// What is refused of an opening with these polynomials behind commitment and folds, to the value that they end in, and at
/// which roots its remainders are not those of the polynomials: (step, root). A quotient by the roots that are not named
/// exists, so that a verifier who asks for no others accepts.
fn refused(layers: &[Vec<Fr>], point: &[Fr], bend: Bend<'_>) -> (BTreeSet<Check>, Vec<(usize, usize)>) {
    let setup = Setup::insecure((STEPS * FOLDED) as u32).expect("it is small");
    let commit = |layer: &Vec<Fr>| commit_full(&setup, layer, Fr::ZERO).expect("the set-up is long enough");
    let points: Vec<G1Affine> = layers.iter().map(commit).collect();
    let variables = folding_order(point);
    let value = folded(&layers[STEPS - 1], &variables[(STEPS - 1) * FOLDED..])[0];

    let mut begin = KeccakTranscript::new([0; 32]);
    begin.absorb_point(&points[0]);
    begin.absorb_scalars(&[point, &[value]].concat());
    let mut transcript = begin.clone();
    transcript.absorb_points(&points[1..]);
    let mut x = transcript.challenge();
    let mut p = evaluate(&layers[0], x);
    let (mut evaluations, mut unlike) = (vec![p], vec![]);
    for (i, (layer, step)) in layers.iter().zip(variables.chunks(FOLDED)).enumerate() {
        let constant = x.pow([WIDTH as u64]);
        let part = |j| evaluate(&layer.iter().skip(j).step_by(WIDTH).copied().collect::<Vec<_>>(), constant);
        let sent = bend(i, x, (0..WIDTH).map(part).collect()).split_off(1);
        let claimed = remainder(p, x, &sent);
        let differs = |root: &(usize, Fr)| evaluate(layer, root.1) != evaluate(&claimed, root.1);
        unlike.extend(roots(x).enumerate().filter(differs).map(|(root, _)| (i, root)));
        evaluations.extend(sent);
        p = fold(&claimed, step);
        x = constant;
    }
    let generator = G1Affine::generator();
    let opening =
        Opening { folds: points[1..].to_vec(), evaluations, quotient: generator, shifted_quotient: generator };
    let mut recorder = Recorder::default();
    verify(&setup.key, &points[0], point, &value, &opening, &mut begin, &mut recorder).expect("it has the right form");
    (recorder.failed, unlike)
}

/// Random layers that are folds of one another, and the point.
fn honest() -> (Vec<Vec<Fr>>, Vec<Fr>) {
    let point = random(STEPS * FOLDED);
    let mut layers = vec![random(1 << point.len())];
    for step in folding_order(&point).chunks(FOLDED).take(STEPS - 1) {
        layers.push(folded(&layers[layers.len() - 1], step));
    }
    (layers, point)
}

/// The quotients are made up, so that the pairing says so; nothing else does.
#[test]
fn folds_of_one_another_are_like_their_remainders_at_all_roots() {
    let (layers, point) = honest();
    assert_eq!(refused(&layers, &point, &|_, _, parts| parts), ([Check::OpeningPairing].into(), vec![]));
}

/// Any polynomial at all in the place of the first fold: the remainder is taken to its value by what is zero at the others.
#[test]
fn without_one_of_the_other_roots_any_polynomial_is_a_fold() {
    let (honest, point) = honest();
    let variables = folding_order(&point);
    let mut layers = vec![honest[0].clone(), random(honest[1].len())];
    layers.push(folded(&layers[1], &variables[FOLDED..2 * FOLDED]));
    for missing in 1..WIDTH {
        let bend = |i: usize, x: Fr, mut parts: Vec<Fr>| {
            if i == 0 {
                let others = roots(x).enumerate().filter(|(root, _)| *root != missing);
                let zero = others.fold(vec![Fr::ONE], |zero, (_, root)| product(&zero, &[-root, Fr::ONE]));
                let step = &variables[..FOLDED];
                let wanted = evaluate(&layers[1], x.pow([WIDTH as u64]));
                let factor = (wanted - fold(&parts, step)) * fold(&zero, step).inverse().expect("x is random");
                parts.iter_mut().zip(&zero).for_each(|(part, zero)| *part += factor * zero);
            }
            parts
        };
        assert_eq!(refused(&layers, &point, &bend), ([Check::OpeningPairing].into(), vec![(0, missing)]));
    }
}

/// The polynomial `D` of `verifier/src/protocol/hyperkzg.rs`, added to the first fold.
#[test]
fn without_the_root_that_the_chain_goes_through_a_fold_is_changed() {
    let (mut layers, point) = honest();
    let variables = folding_order(&point);
    let step = &variables[FOLDED..2 * FOLDED];
    // X^w·g(ω^j·X): the weights of the fold, backwards.
    let unit = |k: usize| -> Vec<Fr> { (0..WIDTH).map(|j| Fr::from(u64::from(j == k))).collect() };
    let factors = roots(Fr::ONE).map(|root| {
        let inverse = root.inverse().expect("a root of unity");
        let mut factor = vec![Fr::ZERO; WIDTH + 1];
        (0..WIDTH).for_each(|k| factor[WIDTH - k] = fold(&unit(k), step) * inverse.pow([k as u64]));
        factor
    });
    let factors: Vec<Vec<Fr>> = factors.collect();
    let added = factors[1..].iter().fold(vec![Fr::ONE], |product_so_far, factor| product(&product_so_far, factor));
    let fraction = Fr::from(WIDTH as u64).inverse().expect("it is not zero");
    // -1/w·D·g, in which only powers of X^w are left.
    let shift: Vec<Fr> = product(&added, &factors[0])[WIDTH..].iter().map(|c| -*c * fraction).collect();
    assert!(shift.iter().enumerate().all(|(i, c)| i % WIDTH == 0 || *c == Fr::ZERO));

    let right = folded(&layers[2], &variables[2 * FOLDED..])[0];
    layers[1].iter_mut().zip(&added).for_each(|(entry, d)| *entry += d);
    layers[2] = folded(&layers[1], step);
    layers[2].iter_mut().zip(shift.iter().step_by(WIDTH)).for_each(|(entry, s)| *entry += s);
    assert_ne!(folded(&layers[2], &variables[2 * FOLDED..])[0], right, "the value is false");

    let bend = |i: usize, x: Fr, mut parts: Vec<Fr>| {
        if i == 1 {
            let (change, inverse) = (evaluate(&added, x) * fraction, x.inverse().expect("x is random"));
            parts.iter_mut().enumerate().for_each(|(j, part)| *part -= change * inverse.pow([j as u64]));
        }
        parts
    };
    assert_eq!(refused(&layers, &point, &bend), ([Check::OpeningPairing].into(), vec![(1, 0)]));
}
