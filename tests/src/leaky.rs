//! The circuit once more, with a check left out or with challenges that are chosen, and what it is made of.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use gradproof_circuits::argument::transcript::{Ask, Party};
use gradproof_circuits::argument::{self, Reduced};
use gradproof_circuits::field::algebra::Algebra;
use gradproof_circuits::field::check::{Check, Rejection};
use gradproof_circuits::field::poseidon::WIDTH;
use gradproof_circuits::program::Publics;
use gradproof_circuits::relations::{Relations, Subject};
use gradproof_circuits::wrap::cells::{Cells, Element};
use gradproof_circuits::wrap::circuit::{NUMBERS, WrapCircuit, instances};
use gradproof_circuits::wrap::convert::to_halo2;
use halo2_axiom::dev::MockProver;

use crate::forge::fixture;

/// Cells, of which some requirements are not made.
#[derive(Default)]
pub struct Leaky {
    cells: Cells,
    /// The check that is left out.
    pub without: Option<Check>,
    /// Outputs of the first permutations, in place of the true ones.
    pub chosen: Vec<Fr>,
    permutations: usize,
    /// Equations that require something of cells which are determined without them.
    pub required: usize,
    /// Witnesses that no message and no public input is.
    pub free: usize,
}

impl Algebra for Leaky {
    type Element = Element;
    type Error = Rejection;

    fn constant(&mut self, value: Fr) -> Element {
        self.cells.constant(value)
    }

    fn add(&mut self, a: &Element, b: &Element) -> Element {
        self.cells.add(a, b)
    }

    fn sub(&mut self, a: &Element, b: &Element) -> Element {
        self.cells.sub(a, b)
    }

    fn mul(&mut self, a: &Element, b: &Element) -> Element {
        self.cells.mul(a, b)
    }

    fn permute(&mut self, state: &mut [Element; WIDTH]) {
        self.cells.permute(state);
        if let Some(&output) = self.chosen.get(self.permutations) {
            state[1] = self.cells.witness(output);
        }
        self.permutations += 1;
    }

    fn require_zero(&mut self, check: Check, value: &Element) -> Result<(), Rejection> {
        if self.without == Some(check) {
            return Ok(());
        }
        self.required += 1;
        self.cells.require_zero(check, value)
    }

    fn require_nonzero(&mut self, check: Check, value: &Element) -> Result<(), Rejection> {
        if self.without == Some(check) {
            return Ok(());
        }
        self.required += 1;
        self.free += 1;
        self.cells.require_nonzero(check, value)
    }

    fn bits(&mut self, value: &Element, count: usize) -> Result<Vec<Element>, Rejection> {
        if self.without == Some(Check::PublicRange) {
            let number = self.cells.value(value).into_bigint();
            return Ok((0..count).rev().map(|i| self.cells.witness(Fr::from(number.get_bit(i)))).collect());
        }
        // Each is zero or one, and the sum is the value.
        self.required += count + 1;
        self.free += count;
        self.cells.bits(value, count)
    }

    fn eq_round(&mut self, claim: &Element, w: &Element, sent: &[Element; 2], r: &Element) -> Element {
        self.cells.eq_round(claim, w, sent, r)
    }

    fn plain_round(&mut self, claim: &Element, sent: &[Element], r: &Element) -> Element {
        self.cells.plain_round(claim, sent, r)
    }
}

/// The rows of a table by gate, when a part of the argument began.
pub type Snapshot = (&'static str, WrapCircuit);

/// Messages of the argument, which are zero after the last, and the parts that they belong to.
struct Messages<'a> {
    rest: &'a [Fr],
    parts: Option<Vec<Snapshot>>,
}

fn part(ask: &Ask<'_, Element>) -> Option<&'static str> {
    match ask {
        Ask::LookupRoot { .. } => Some("look-ups"),
        Ask::Pointwise { .. } => Some("pointwise relations"),
        Ask::AddendEvaluations { .. } => Some("matrix products"),
        Ask::ParameterEvaluations => Some("weight updates"),
        Ask::Merge { .. } => Some("merging of claims"),
        Ask::ColumnEvaluations { .. } => Some("evaluations of columns"),
        _ => None,
    }
}

impl Party<Leaky> for Messages<'_> {
    fn answer(&mut self, leaky: &mut Leaky, ask: Ask<'_, Element>, count: usize) -> Result<Vec<Element>, Rejection> {
        if let (Some(parts), Some(name)) = (&mut self.parts, part(&ask)) {
            parts.push((name, WrapCircuit::of_table(leaky.cells.table.clone())));
        }
        let (now, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        let values = now.iter().copied().chain(std::iter::repeat(Fr::from(0))).take(count);
        Ok(values.map(|value| leaky.cells.witness(value)).collect())
    }
}

/// A circuit and its public inputs.
pub struct Built {
    /// The circuit.
    pub circuit: WrapCircuit,
    /// Its public inputs.
    pub instances: Vec<Fr>,
    /// The table as it was when each part of the argument began, if asked for.
    pub parts: Vec<Snapshot>,
}

impl Leaky {
    /// Builds the circuit as [`WrapCircuit`] does, but for what is left out.
    pub fn build(&mut self, relations: &Relations, publics: &Publics<Fr>, messages: &[Fr], parts: bool) -> Built {
        self.cells.reserve_publics(NUMBERS + relations.layout.column_vars);
        let Publics { digest, rate, position, live_steps, live_rows } = publics;
        let given = [digest[0], digest[1], *rate, *position, *live_steps, *live_rows];
        let given = given.map(|value| self.cells.witness(value));
        let [high, low, rate, position, live_steps, live_rows] = given;
        let of_cells = Publics { digest: [high, low], rate, position, live_steps, live_rows };
        let mut party = Messages { rest: messages, parts: parts.then(Vec::new) };
        let Reduced { point, combine, value } =
            argument::verify(self, &mut party, relations, &of_cells).expect("cells never refuse");
        for (i, element) in given.iter().chain([&combine, &value]).chain(&point).enumerate() {
            self.cells.publish(i, element);
        }
        let reduced = Reduced {
            point: point.iter().map(|x| self.cells.value(x)).collect(),
            combine: self.cells.value(&combine),
            value: self.cells.value(&value),
        };
        Built {
            circuit: WrapCircuit::of_table(self.cells.table.clone()),
            instances: instances(publics, &reduced),
            parts: party.parts.unwrap_or_default(),
        }
    }
}

/// The circuit of the fixture about `subject` with these messages, and its public inputs.
pub fn circuit(subject: Subject, publics: &Publics<Fr>, messages: &[Fr]) -> (WrapCircuit, Vec<Fr>) {
    let relations = fixture().key.relations(subject);
    let (circuit, reduced) = WrapCircuit::new(relations, publics, messages).expect("there are enough messages");
    (circuit, instances(publics, &reduced))
}

/// True if the circuit is satisfied with these public inputs.
pub fn satisfied(circuit: &WrapCircuit, instances: &[Fr]) -> bool {
    let instances = instances.iter().copied().map(to_halo2).collect();
    MockProver::run(circuit.size_bits(), circuit, vec![instances]).expect("it fits").verify().is_ok()
}
