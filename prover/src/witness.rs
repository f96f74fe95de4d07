//! Every committed tensor of a proof, in integers, padded to powers of two.

use std::collections::BTreeMap;

use gradproof_circuits::architecture::Architecture;
use gradproof_circuits::field::check::{Check, Rejection};
use gradproof_circuits::network::arithmetic::{round_shift, split_limbs};
use gradproof_circuits::program::{
    Claimed, Computation, End, Form, Parameter, Program, Round, Spread, Table, Tensor, fill,
};
use gradproof_circuits::relations::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Relations, Tree, parameter_limbs};
use gradproof_circuits::trace::{NO_LABEL, Parameters, SegmentTrace};
use rayon::prelude::*;

/// Entries of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Up to 32 bits.
    Small(Vec<i32>),
    /// Parameters and products.
    Wide(Vec<i64>),
}

impl Values {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Small(values) => values.len(),
            Self::Wide(values) => values.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry `index`, or zero past the end.
    pub fn get(&self, index: usize) -> i64 {
        match self {
            Self::Small(values) => values.get(index).map_or(0, |&v| i64::from(v)),
            Self::Wide(values) => values.get(index).copied().unwrap_or(0),
        }
    }
}

/// Tensors by name. An honest one comes from a [`SegmentTrace`]; tests make others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The tensors, each of `2^vars` entries.
    pub tensors: BTreeMap<Tensor, Values>,
}

/// Why there is no witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A looked-up tuple is not in its table.
    #[error("{tensor:?} holds a value that is not in its table, at entry {entry}: key {key}")]
    OutOfTable {
        /// First tensor of the tuple.
        tensor: Tensor,
        /// Which entry.
        entry: usize,
        /// The key that the table lacks.
        key: i64,
    },
    /// The trace or the parameters do not have the shape of the architecture.
    #[error("the tensors do not fit the architecture")]
    Shape,
    /// A tensor that the relations name is not there.
    #[error("the witness has no {tensor:?} of its width{}", vars.map_or(String::new(), |vars| format!(" and 2^{vars} entries")))]
    Missing {
        /// The tensor.
        tensor: Tensor,
        /// Its variables, if these are why.
        vars: Option<usize>,
    },
}

/// The argument asks for what the relations name.
impl From<WitnessError> for Rejection {
    fn from(_: WitnessError) -> Self {
        Self { check: Check::Length }
    }
}

/// A row-major matrix of `rows × width` padded to `padded_rows × padded_width`.
fn padded<T: Copy + Sync, U: Copy + Default + Send>(
    values: &[T],
    width: usize,
    padded_rows: usize,
    padded_width: usize,
    map: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let mut out = vec![U::default(); padded_rows * padded_width];
    out.par_chunks_mut(padded_width).zip(values.par_chunks(width)).for_each(|(to, from)| {
        for (to, from) in to.iter_mut().zip(from) {
            *to = map(*from);
        }
    });
    out
}

/// The padded parameters of one end of a segment.
fn parameter_values(program: &Program, parameters: &Parameters, end: End) -> Vec<(Tensor, Values)> {
    let pad = |(parameter, values): (&Parameter, &Vec<i64>)| {
        let [rows, columns] = [parameter.row_vars(), parameter.column_vars()].map(|vars| 1 << vars);
        (parameter.ends[end as usize], Values::Wide(padded(values, parameter.columns, rows, columns, |value| value)))
    };
    program.parameters.iter().zip(parameters.tensors()).map(pad).collect()
}

/// The padded input and one-hot labels of one position. A label that is no class is not refused: its row is not one-hot.
pub fn data_values(architecture: &Architecture, input: &[i16], labels: &[u16]) -> Vec<(Tensor, Values)> {
    let samples = architecture.samples();
    let [width, classes] = [architecture.inputs(), architecture.classes()].map(usize::next_power_of_two);
    let input = padded(input, architecture.inputs(), samples, width, i32::from);
    let mut hot = vec![0i32; samples * classes];
    for (row, &label) in hot.chunks_mut(classes).zip(labels) {
        if let Some(entry) = row.get_mut(usize::from(label)).filter(|_| label != NO_LABEL) {
            *entry = 1;
        }
    }
    vec![(Tensor::input(), Values::Small(input)), (Tensor::labels(), Values::Small(hot))]
}

impl Witness {
    /// A tensor of up to 32 bits.
    ///
    /// # Errors
    /// [`WitnessError::Missing`].
    pub fn small(&self, tensor: Tensor) -> Result<&[i32], WitnessError> {
        match self.tensors.get(&tensor) {
            Some(Values::Small(values)) => Ok(values),
            _ => Err(WitnessError::Missing { tensor, vars: None }),
        }
    }

    /// A parameter or a product.
    ///
    /// # Errors
    /// [`WitnessError::Missing`].
    pub fn wide(&self, tensor: Tensor) -> Result<&[i64], WitnessError> {
        match self.tensors.get(&tensor) {
            Some(Values::Wide(values)) => Ok(values),
            _ => Err(WitnessError::Missing { tensor, vars: None }),
        }
    }

    /// Checks that every tensor that `relations` name is there, with as many entries as they give it.
    ///
    /// # Errors
    /// [`WitnessError::Missing`] with the first that is not.
    pub fn require(&self, relations: &Relations) -> Result<(), WitnessError> {
        let committed = relations.layout.places().map(|(tensor, place)| (tensor, place.vars));
        let pointwise = relations.pointwise.iter().flat_map(|relation| {
            let vars = |per_sample: bool| relation.vars - if per_sample { relation.column_vars } else { 0 };
            relation.tensors.iter().map(move |&(tensor, per_sample)| (tensor, vars(per_sample)))
        });
        for (tensor, vars) in committed.chain(pointwise) {
            let wide = relations.is_wide(tensor);
            let fits = match self.tensors.get(&tensor) {
                Some(Values::Small(values)) => !wide && values.len() == 1 << vars,
                Some(Values::Wide(values)) => wide && values.len() == 1 << vars,
                None => false,
            };
            if !fits {
                return Err(WitnessError::Missing { tensor, vars: Some(vars) });
            }
        }
        Ok(())
    }

    fn put(&mut self, tensor: Tensor, values: Vec<i32>) {
        self.tensors.insert(tensor, Values::Small(values));
    }

    /// The witness of an honest segment, but for the multiplicities: see [`Self::count_lookups`].
    ///
    /// # Errors
    /// [`WitnessError::Shape`].
    pub fn of_segment(architecture: &Architecture, trace: &SegmentTrace) -> Result<Self, WitnessError> {
        if !trace.fits(architecture) {
            return Err(WitnessError::Shape);
        }
        let program = architecture.program();
        let mut witness = Self::default();
        witness.tensors.extend(data_values(architecture, &trace.input, &trace.labels));
        witness.tensors.extend(parameter_values(program, &trace.first, End::First));
        witness.tensors.extend(parameter_values(program, &trace.last, End::Last));
        let products = trace.forward.iter().chain(&trace.backward);
        let sums: BTreeMap<Tensor, &[i64]> =
            program.sums.iter().zip(products).map(|(sum, values)| (sum.tensor, &values[..])).collect();
        for computation in &program.computations {
            witness.compute(architecture, &sums, computation)?;
        }
        for sum in program.sums.iter().filter(|sum| sum.claimed == Claimed::Operand) {
            let values = sums.get(&sum.tensor).ok_or(WitnessError::Shape)?;
            let values = padded(values, sum.columns, architecture.samples(), 1 << sum.column_vars(), |v| v);
            witness.tensors.insert(sum.tensor, Values::Wide(values));
        }
        for lookup in &program.lookups {
            if let Some(column) = lookup.table.column() {
                let values = lookup.table.column_values(architecture.precision());
                witness.put(column, values.into_iter().map(i32::from).collect());
            }
        }
        // What was rounded on the way to what is committed.
        for computation in &program.computations {
            if let Computation::Round(Round { quotient, .. }) = computation
                && !program.committed.iter().any(|(tensor, _)| tensor == quotient)
            {
                witness.tensors.remove(quotient);
            }
        }
        Ok(witness)
    }

    fn compute(
        &mut self,
        architecture: &Architecture,
        sums: &BTreeMap<Tensor, &[i64]>,
        computation: &Computation,
    ) -> Result<(), WitnessError> {
        let samples = architecture.samples();
        match computation {
            // They are in the trace.
            Computation::Sum(_) => {}
            Computation::Round(Round { sum, mask, shift, columns, quotient, limbs }) => {
                let products = sums.get(sum).ok_or(WitnessError::Shape)?;
                let padded_width = columns.next_power_of_two();
                let masked: Vec<i64>;
                let products = match mask {
                    None => *products,
                    Some(mask) => {
                        let bits = self.small(*mask)?.par_chunks(padded_width).flat_map_iter(|row| &row[..*columns]);
                        masked = products
                            .par_iter()
                            .zip(bits.collect::<Vec<_>>())
                            .map(|(&v, &m)| v * i64::from(m))
                            .collect();
                        &masked
                    }
                };
                let widths: Vec<u32> = limbs.iter().map(|(_, bits)| *bits).collect();
                for (i, (limb, _)) in limbs.iter().enumerate() {
                    let values = padded(products, *columns, samples, padded_width, |u| {
                        split_limbs(round_shift(u, *shift).1, &widths).nth(i).unwrap_or(0) as i32
                    });
                    self.put(*limb, values);
                }
                let rounded = padded(products, *columns, samples, padded_width, |u| round_shift(u, *shift).0 as i32);
                self.put(*quotient, rounded);
            }
            Computation::Rows { function, inputs, outputs } => {
                let inputs =
                    inputs.iter().map(|(form, columns)| Ok((form.evaluate(|tensor| self.small(tensor))?, *columns)));
                let inputs = inputs.collect::<Result<Vec<_>, WitnessError>>()?;
                let filled = fill(samples, &**function, &inputs, outputs, usize::next_power_of_two);
                self.tensors.extend(filled.into_iter().map(|(tensor, values)| (tensor, Values::Small(values))));
            }
        }
        Ok(())
    }

    /// The witness of a registration of the data of one position, but for the multiplicities.
    pub fn of_data(architecture: &Architecture, input: &[i16], labels: &[u16]) -> Self {
        Self { tensors: data_values(architecture, input, labels).into_iter().collect() }
    }

    /// The witness of a registration of first parameters, but for the multiplicities.
    ///
    /// # Errors
    /// [`WitnessError::Shape`].
    pub fn of_parameters(architecture: &Architecture, parameters: &Parameters) -> Result<Self, WitnessError> {
        let program = architecture.program();
        if !parameters.fits(program) {
            return Err(WitnessError::Shape);
        }
        let mut witness = Self::default();
        let widths = [PARAMETER_LIMB_BITS; PARAMETER_LIMBS];
        for (tensor, values) in parameter_values(program, parameters, End::First) {
            if let Values::Wide(numbers) = &values {
                for (i, limb) in parameter_limbs(tensor).enumerate() {
                    let values = numbers.par_iter().map(|&w| split_limbs(w, &widths).nth(i).unwrap_or(0) as i32);
                    witness.put(limb, values.collect());
                }
            }
            witness.tensors.insert(tensor, values);
        }
        Ok(witness)
    }

    /// Counts how often each key is looked up, and stores it as the multiplicities.
    ///
    /// # Errors
    /// [`WitnessError::OutOfTable`] with the first entry whose key is not in the table.
    pub fn count_lookups(&mut self, tree: &Tree) -> Result<(), WitnessError> {
        for (table, _) in &tree.tables {
            let mut counts = vec![0i32; 1 << table.vars()];
            for (lookup, _) in tree.lookups.iter().filter(|(lookup, _)| lookup.table == *table) {
                let key = Linear::new(self, &lookup.tuple[0], lookup.column_vars)?;
                for entry in 0..1usize << lookup.vars {
                    let key = key.at(entry);
                    let count = usize::try_from(key).ok().and_then(|key| counts.get_mut(key));
                    let tensor = lookup.tuple[0].terms[0].0;
                    *count.ok_or(WitnessError::OutOfTable { tensor, entry, key })? += 1;
                }
            }
            self.put(Tensor::multiplicity(*table), counts);
        }
        Ok(())
    }

    /// Values of `table` beside the key, for each key.
    ///
    /// # Errors
    /// The witness lacks the table's column.
    pub fn table_values(&self, table: Table, key: usize) -> Result<Vec<i64>, WitnessError> {
        match table.column() {
            Some(column) => {
                let value = self.small(column)?.get(key).copied();
                Ok(vec![value.ok_or(WitnessError::Missing { tensor: column, vars: Some(table.vars()) })?.into()])
            }
            None => Ok(table.values(key)),
        }
    }
}

/// A form over the witness, entry by entry.
pub struct Linear<'a> {
    terms: Vec<(&'a [i32], i64, Spread)>,
    constant: i64,
    column_vars: usize,
}

impl<'a> Linear<'a> {
    /// The form, of so many variables of the column.
    ///
    /// # Errors
    /// The witness lacks a tensor.
    pub fn new(witness: &'a Witness, form: &Form, column_vars: usize) -> Result<Self, WitnessError> {
        let term = |(tensor, factor, spread): &(Tensor, i64, Spread)| Ok((witness.small(*tensor)?, *factor, *spread));
        let terms = form.terms.iter().map(term).collect::<Result<_, WitnessError>>()?;
        Ok(Self { terms, constant: form.constant, column_vars })
    }

    /// Its value at `entry` of (sample, column).
    pub fn at(&self, entry: usize) -> i64 {
        self.terms.iter().fold(self.constant, |sum, (values, factor, spread)| {
            let value = match spread {
                Spread::Entry => values[entry],
                Spread::Sample { columns } => {
                    let column = entry & ((1 << self.column_vars) - 1);
                    if column < *columns { values[entry >> self.column_vars] } else { 0 }
                }
            };
            sum + factor * i64::from(value)
        })
    }
}
