//! The circuit for halo2.

use ark_bn254::Fr;
use halo2_axiom::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_axiom::halo2curves::bn256;
use halo2_axiom::plonk::{Circuit, ConstraintSystem, Error};

use super::cells::{Cells, Element};
use super::columns::{ADVICE, Columns, selector};
use super::convert::to_halo2;
use super::gate::Gate;
use super::rows::{Cell, Row, Rows};
use super::{arithmetic, poseidon, rounds};
use crate::argument::transcript::{Ask, Party};
use crate::argument::{self, Reduced};
use crate::field::check::{Check, Rejection};
use crate::network::epoch::Live;
use crate::program::Publics;
use crate::relations::Relations;

/// Most rows of a circuit, as a power of two.
pub const MAX_SIZE_BITS: u32 = 18;
/// Most columns that a circuit takes evaluations of; each costs some sixteen rows.
pub const MAX_COLUMNS: usize = 1 << (MAX_SIZE_BITS - 4);

/// Public inputs before the point: digest (2), rate, position, live steps, live rows, ρ, v.
pub const NUMBERS: usize = 8;

/// The public inputs in their order: `digest_hi, digest_lo, c, position, T', B', ρ, v, r*`.
///
/// # Soundness
/// Whoever verifies a proof requires exactly so many of them: one that came after would be added to a row of the argument
/// ([`super::arithmetic`]).
pub fn instances(publics: &Publics<Fr>, reduced: &Reduced<Fr>) -> Vec<Fr> {
    let Publics { digest: [high, low], rate, position, live_steps, live_rows } = publics;
    let mut instances = vec![*high, *low, *rate, *position, *live_steps, *live_rows, reduced.combine, reduced.value];
    instances.extend_from_slice(&reduced.point);
    instances
}

/// The field-side verifier of one shape as a circuit.
///
/// # Shapes
/// The rows depend on the relations alone: the same for every position, data set, learning rate, live count and job.
#[derive(Clone, Debug)]
pub struct WrapCircuit {
    table: Rows,
}

/// Messages that are already cells, in protocol order.
struct Messages<'a> {
    /// What is left; none for a circuit without witness, where every message is zero.
    rest: Option<&'a [Fr]>,
}

impl Party<Cells> for Messages<'_> {
    fn answer(&mut self, cells: &mut Cells, _: Ask<'_, Element>, count: usize) -> Result<Vec<Element>, Rejection> {
        let answer = match self.rest {
            Some(rest) => {
                let (answer, rest) = rest.split_at_checked(count).ok_or(Rejection { check: Check::Length })?;
                self.rest = Some(rest);
                answer.to_vec()
            }
            None => vec![Fr::from(0); count],
        };
        Ok(answer.into_iter().map(|value| cells.witness(value)).collect())
    }
}

impl WrapCircuit {
    /// The circuit of `relations`, without a witness.
    ///
    /// # Errors
    /// [`Check::Length`], for more than [`MAX_COLUMNS`] columns.
    pub fn blank(relations: &Relations) -> Result<Self, Rejection> {
        let zero = Fr::from(0);
        let live = Live { steps: 1, last_rows: 1 };
        let publics = Publics {
            digest: [zero; 2],
            rate: zero,
            position: zero,
            live_steps: Fr::from(live.steps as u64),
            live_rows: Fr::from(live.last_rows as u64),
        };
        Ok(Self::build(relations, &publics, Messages { rest: None })?.0)
    }

    /// The circuit with the messages of an argument as its witness, and what the argument comes down to. Messages that
    /// fail a check make a circuit that has no proof.
    ///
    /// # Errors
    /// [`Check::Length`], for another number of messages than the argument has, or more than [`MAX_COLUMNS`] columns.
    pub fn new(
        relations: &Relations,
        publics: &Publics<Fr>,
        messages: &[Fr],
    ) -> Result<(Self, Reduced<Fr>), Rejection> {
        Self::build(relations, publics, Messages { rest: Some(messages) })
    }

    fn build(
        relations: &Relations,
        publics: &Publics<Fr>,
        mut messages: Messages<'_>,
    ) -> Result<(Self, Reduced<Fr>), Rejection> {
        if relations.layout.columns() > MAX_COLUMNS {
            return Err(Rejection { check: Check::Length });
        }
        let mut cells = Cells::default();
        cells.reserve_publics(NUMBERS + relations.layout.column_vars);
        let Publics { digest, rate, position, live_steps, live_rows } = publics;
        let given = [digest[0], digest[1], *rate, *position, *live_steps, *live_rows].map(|x| cells.witness(x));
        let [high, low, rate, position, live_steps, live_rows] = given;
        let publics = Publics { digest: [high, low], rate, position, live_steps, live_rows };
        let reduced = argument::verify(&mut cells, &mut messages, relations, &publics)?;
        if messages.rest.is_some_and(|rest| !rest.is_empty()) {
            return Err(Rejection { check: Check::Length });
        }
        // A row that is reserved and not used would leave its public input free.
        debug_assert_eq!(reduced.point.len(), relations.layout.column_vars, "one public input a coordinate");
        let outputs = given.iter().chain([&reduced.combine, &reduced.value]).chain(&reduced.point);
        for (index, element) in outputs.enumerate() {
            cells.publish(index, element);
        }
        let reduced = Reduced {
            point: reduced.point.iter().map(|x| cells.value(x)).collect(),
            combine: cells.value(&reduced.combine),
            value: cells.value(&reduced.value),
        };
        Ok((Self { table: cells.table }, reduced))
    }

    /// The circuit of any table of rows.
    ///
    /// # Soundness
    /// A circuit says what its table says: only those of [`Self::new`] and [`Self::blank`] are the verifier's.
    pub fn of_table(table: Rows) -> Self {
        Self { table }
    }

    /// A circuit that has nothing but a witness: the advice of [`Self::advice`], without gates, coefficients and copies.
    ///
    /// A prover takes all else from the proving key, so that this is the whole circuit to it, wherever it runs.
    pub fn of_advice(rows: impl IntoIterator<Item = [Fr; ADVICE]>) -> Self {
        let mut table = Rows::default();
        for row in rows {
            table.push(Row::new(Gate::None, row.map(Cell::Own)));
        }
        Self { table }
    }

    /// Its advice row by row; an unused cell is zero.
    pub fn advice(&self) -> impl Iterator<Item = [Fr; ADVICE]> {
        self.table.rows().map(|row| row.cells.map(|cell| self.table.cell(cell).0))
    }

    /// Its rows, with the witness.
    pub fn table(&self) -> &Rows {
        &self.table
    }

    /// Rows in use.
    pub fn rows(&self) -> usize {
        self.table.len()
    }

    /// Rows in use of each gate, in the order of first use.
    pub fn rows_by_gate(&self) -> Vec<(Gate, usize)> {
        let mut counts: Vec<(Gate, usize)> = Vec::new();
        for row in self.table.rows() {
            match counts.iter_mut().find(|(gate, _)| *gate == row.gate) {
                Some((_, count)) => *count += 1,
                None => counts.push((row.gate, 1)),
            }
        }
        counts
    }

    /// `k`: the circuit has `2^k` rows, those that blind its columns included.
    pub fn size_bits(&self) -> u32 {
        let mut system = ConstraintSystem::default();
        Self::configure(&mut system);
        (self.rows() + system.minimum_rows()).next_power_of_two().trailing_zeros()
    }
}

impl Circuit<bn256::Fr> for WrapCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    #[cfg(feature = "circuit-params")]
    type Params = ();

    /// The circuit itself: its fixed cells and copies do not depend on the witness.
    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(system: &mut ConstraintSystem<bn256::Fr>) -> Columns {
        let columns = Columns::new(system);
        arithmetic::configure(&columns, system);
        rounds::configure(&columns, system);
        poseidon::configure(&columns, system);
        columns
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<bn256::Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "table",
            |mut region| {
                let mut homes = vec![None; self.table.variables()];
                for (offset, row) in self.table.rows().enumerate() {
                    for (column, constant) in columns.constants.iter().zip(&row.constants) {
                        region.assign_fixed(*column, offset, to_halo2(*constant));
                    }
                    let chosen = selector(row.gate);
                    for (i, column) in columns.selectors.iter().enumerate() {
                        let number = chosen.filter(|(at, _)| *at == i).map_or(0, |(_, number)| number);
                        region.assign_fixed(*column, offset, bn256::Fr::from(number));
                    }
                    for (column, cell) in columns.advice.iter().zip(&row.cells) {
                        let (value, variable) = self.table.cell(*cell);
                        let assigned = region.assign_advice(*column, offset, Value::known(to_halo2(value)));
                        if let Some(variable) = variable {
                            match &mut homes[Rows::index(variable)] {
                                Some(home) => region.constrain_equal(assigned.cell(), *home),
                                home => *home = Some(assigned.cell()),
                            }
                        }
                    }
                }
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::algebra::Algebra;
    use crate::field::poseidon::WIDTH;
    use crate::wrap::keys;
    use halo2_axiom::dev::MockProver;
    use halo2_axiom::halo2curves::bn256::{Bn256, G1Affine};
    use halo2_axiom::plonk::{create_proof, verify_proof};
    use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
    use halo2_axiom::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
    use halo2_axiom::poly::kzg::strategy::SingleStrategy;
    use halo2_axiom::transcript::{
        Blake2bRead, Blake2bWrite, Challenge255, TranscriptReadBuffer, TranscriptWriterBuffer,
    };

    /// A table with every gate: `x` and a number made of it by all that the algebra has.
    fn every_gate() -> (WrapCircuit, Vec<bn256::Fr>) {
        let mut cells = Cells::default();
        cells.reserve_publics(2);
        let x = cells.witness(Fr::from(5));
        let y = cells.witness(Fr::from(7));
        let product = cells.mul(&x, &y);
        let mut state: [Element; WIDTH] = [x, y, product, x, y];
        cells.permute(&mut state);
        let claim = cells.eq_round(&state[0], &x, &[y, state[1]], &state[2]);
        let claim = cells.plain_round(&claim, &[x, y], &state[3]);
        let claim = cells.plain_round(&claim, &[x, y, state[4]], &x);
        cells.require_nonzero(Check::LookupDenominator, &claim).expect("cells never refuse");
        let bits = cells.bits(&y, 4).expect("cells never refuse");
        let end = cells.mul_add(&claim, &bits[1], &bits[2]);
        cells.publish(0, &x);
        cells.publish(1, &end);
        let publics = [x, end].map(|element| to_halo2(cells.value(&element)));
        (WrapCircuit { table: cells.table }, publics.to_vec())
    }

    fn prove(
        params: &keys::Params,
        key: &keys::WrapProvingKey,
        circuit: WrapCircuit,
        publics: &[bn256::Fr],
    ) -> Vec<u8> {
        let mut transcript = Blake2bWrite::<_, G1Affine, Challenge255<_>>::init(vec![]);
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            params,
            key,
            &[circuit],
            &[&[publics]],
            rand_core::OsRng,
            &mut transcript,
        )
        .expect("the witness is good");
        transcript.finalize()
    }

    fn verifies(k: u32, key: &keys::WrapVerifyingKey, publics: &[bn256::Fr], proof: &[u8]) -> bool {
        let params = keys::verifier_params(k, &(ark_bn254::G2Affine::from(tau_g2())));
        let mut transcript = Blake2bRead::<_, G1Affine, Challenge255<_>>::init(proof);
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            &params,
            key,
            SingleStrategy::new(&params),
            &[&[publics]],
            &mut transcript,
        )
        .is_ok()
    }

    #[test]
    fn a_table_with_every_gate_is_proved_and_verified() {
        let (circuit, publics) = every_gate();
        let k = circuit.size_bits();
        assert_eq!(MockProver::run(k, &circuit, vec![publics.clone()]).expect("it fits").verify(), Ok(()));
        let params = keys::params_of_tau(k, Fr::from(12345));
        let key = keys::verifying_key(&params, &circuit).expect("it fits");
        let proving = keys::proving_key(&params, key.clone(), &circuit).expect("it fits");
        let proof = prove(&params, &proving, circuit, &publics);
        let verify = |publics: &[bn256::Fr]| verifies(k, &key, publics, &proof);
        assert!(verify(&publics));
        for i in 0..publics.len() {
            let mut other = publics.clone();
            other[i] += bn256::Fr::one();
            assert!(!verify(&other), "public input {i}");
        }
    }

    /// What a prover in another program gets is the witness of the circuit.
    #[test]
    fn a_circuit_of_advice_alone_is_proved_under_the_key() {
        let (circuit, publics) = every_gate();
        let k = circuit.size_bits();
        let params = keys::params_of_tau(k, Fr::from(12345));
        let key = keys::verifying_key(&params, &circuit).expect("it fits");
        let proving = keys::proving_key(&params, key.clone(), &circuit).expect("it fits");
        let alone = WrapCircuit::of_advice(circuit.advice());
        assert_eq!(alone.advice().collect::<Vec<_>>(), circuit.advice().collect::<Vec<_>>());
        assert!(verifies(k, &key, &publics, &prove(&params, &proving, alone, &publics)));
    }

    fn tau_g2() -> ark_bn254::G2Projective {
        use ark_ec::AffineRepr;
        ark_bn254::G2Affine::generator() * Fr::from(12345)
    }

    /// Nothing is chosen freely: a variable that has another value everywhere breaks a gate, too.
    #[test]
    fn no_variable_of_a_gate_is_free() {
        let (circuit, publics) = every_gate();
        let k = circuit.size_bits();
        for index in 0..circuit.table.variables() {
            let mut bad = circuit.clone();
            bad.table.overwrite(index, |value| value + Fr::from(1));
            let verdict = MockProver::run(k, &bad, vec![publics.clone()]).expect("it fits").verify();
            assert!(verdict.is_err(), "variable {index}");
        }
    }

    /// 7 = 8 - 4 + 2 + 1: the sum is right, and one bit is none.
    #[test]
    fn bits_are_zero_or_one() {
        for (high, satisfied) in [([0, 1], true), ([1, -1], false)] {
            let mut cells = Cells::default();
            cells.reserve_publics(1);
            let value = cells.witness(Fr::from(7));
            cells.publish(0, &value);
            let before = cells.table.variables();
            let bits = cells.bits(&value, 4).expect("cells never refuse");
            assert_eq!(bits.len(), 4);
            let mut circuit = WrapCircuit { table: cells.table };
            // The bits are the variables made next, the highest first.
            for (i, bit) in high.into_iter().enumerate() {
                circuit.table.overwrite(before + i, |_| Fr::from(bit));
            }
            let mock = MockProver::run(circuit.size_bits(), &circuit, vec![vec![bn256::Fr::from(7)]]);
            assert_eq!(mock.expect("it fits").verify().is_ok(), satisfied, "{high:?}");
        }
    }

    /// Why their number is part of the statement: one more makes up for what is missing in a row.
    #[test]
    fn a_public_input_after_the_last_would_be_added_to_a_row() {
        let mut cells = Cells::default();
        cells.reserve_publics(1);
        let x = cells.witness(Fr::from(5));
        cells.publish(0, &x);
        cells.require_zero(Check::Merge, &x).expect("cells never refuse");
        let circuit = WrapCircuit { table: cells.table };
        let verdict = |publics: &[i64]| {
            let publics = publics.iter().map(|&x| to_halo2(Fr::from(x))).collect();
            MockProver::run(circuit.size_bits(), &circuit, vec![publics]).expect("it fits").verify()
        };
        // Row 0 is the public input, row 1 the constant zero, row 2 says 5 + p = 0.
        assert!(verdict(&[5]).is_err());
        assert!(verdict(&[5, 0, -5]).is_ok());
    }

    /// Every cell that a gate reads is tied: a change of one that stands in a gate breaks the table.
    #[test]
    fn no_cell_of_a_gate_is_free() {
        let (circuit, publics) = every_gate();
        let k = circuit.size_bits();
        let rows: Vec<_> = circuit.table.rows().copied().collect();
        let mut changed = 0;
        for (i, row) in rows.iter().enumerate() {
            for (j, cell) in row.cells.iter().enumerate() {
                if *cell == Cell::Unused {
                    continue;
                }
                let mut bad = circuit.clone();
                bad.table.corrupt(i, j);
                let verdict = MockProver::run(k, &bad, vec![publics.clone()]).expect("it fits").verify();
                assert!(verdict.is_err(), "row {i} ({:?}), cell {j}", row.gate);
                changed += 1;
            }
        }
        assert!(changed > 130, "{changed} cells were changed");
    }
}
