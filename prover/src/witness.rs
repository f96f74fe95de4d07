//! Every committed tensor of a proof, in integers, padded to powers of two.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::network::arithmetic::{round_shift, split_limbs};
use gradproof_circuits::network::trace::{NO_LABEL, Parameters, SegmentTrace};
use gradproof_circuits::program::{
    Claimed, End, Evaluation, Form, Output, Parameter, Program, Round, RowFunction, Spread, Table, Tensor,
};
use gradproof_circuits::relations::{PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Relations, Tree, parameter_limbs};
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
    /// The trace does not have the shape of the architecture.
    #[error("the trace does not fit the architecture")]
    Shape,
    /// A tensor that the relations name is not there.
    #[error("the witness has no {tensor:?} of 2^{vars} entries of its width")]
    Missing {
        /// The tensor.
        tensor: Tensor,
        /// Its variables.
        vars: usize,
    },
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

/// True if the tensors of a trace have the shapes of the program's.
fn fits(program: &Program, architecture: &Architecture, trace: &SegmentTrace) -> bool {
    let samples = architecture.samples();
    let parameters = |parameters: &Parameters| {
        let lists = parameters.weights.iter().zip(&parameters.biases).flat_map(|(weights, biases)| [weights, biases]);
        parameters.weights.len() == parameters.biases.len()
            && lists.map(Vec::len).eq(program.parameters.iter().map(|p| p.rows.unwrap_or(1) * p.columns))
    };
    let sums = trace.forward.iter().chain(&trace.backward).map(Vec::len);
    parameters(&trace.first)
        && parameters(&trace.last)
        && trace.input.len() == samples * architecture.widths[0]
        && trace.labels.len() == samples
        && sums.eq(program.sums.iter().map(|sum| samples * sum.columns))
}

/// The padded parameters of one end of a segment.
pub fn parameter_values(program: &Program, parameters: &Parameters, end: End) -> Vec<(Tensor, Values)> {
    let values = parameters.weights.iter().zip(&parameters.biases).flat_map(|(weights, biases)| [weights, biases]);
    let pad = |(parameter, values): (&Parameter, &Vec<i64>)| {
        let [rows, columns] = [parameter.row_vars(), parameter.column_vars()].map(|vars| 1 << vars);
        (parameter.ends[end as usize], Values::Wide(padded(values, parameter.columns, rows, columns, |value| value)))
    };
    program.parameters.iter().zip(values).map(pad).collect()
}

/// The padded input and one-hot labels of one position.
pub fn data_values(architecture: &Architecture, input: &[i16], labels: &[u16]) -> Vec<(Tensor, Values)> {
    let samples = architecture.samples();
    let classes = architecture.padded_width(architecture.layers());
    let input = padded(input, architecture.widths[0], samples, architecture.padded_width(0), i32::from);
    let mut hot = vec![0i32; samples * classes];
    for (row, &label) in hot.chunks_mut(classes).zip(labels) {
        if let Some(entry) = row.get_mut(usize::from(label)).filter(|_| label != NO_LABEL) {
            *entry = 1;
        }
    }
    vec![(Tensor::input(), Values::Small(input)), (Tensor::labels(), Values::Small(hot))]
}

impl Witness {
    /// The small tensor, which must be there.
    pub fn small(&self, tensor: Tensor) -> &[i32] {
        match self.tensors.get(&tensor) {
            Some(Values::Small(values)) => values,
            // [`Self::require`] has looked.
            _ => {
                debug_assert!(false, "no small {tensor:?}");
                &[]
            }
        }
    }

    /// The wide tensor, which must be there.
    pub fn wide(&self, tensor: Tensor) -> &[i64] {
        match self.tensors.get(&tensor) {
            Some(Values::Wide(values)) => values,
            _ => {
                debug_assert!(false, "no wide {tensor:?}");
                &[]
            }
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
                return Err(WitnessError::Missing { tensor, vars });
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
    pub fn of_segment(
        program: &Program,
        architecture: &Architecture,
        trace: &SegmentTrace,
    ) -> Result<Self, WitnessError> {
        if !fits(program, architecture, trace) {
            return Err(WitnessError::Shape);
        }
        let mut witness = Self::default();
        witness.tensors.extend(data_values(architecture, &trace.input, &trace.labels));
        witness.tensors.extend(parameter_values(program, &trace.first, End::First));
        witness.tensors.extend(parameter_values(program, &trace.last, End::Last));
        let products = trace.forward.iter().chain(&trace.backward);
        let sums: BTreeMap<Tensor, &[i64]> =
            program.sums.iter().zip(products).map(|(sum, values)| (sum.tensor, &values[..])).collect();
        for evaluation in &program.evaluations {
            witness.evaluate(architecture, &sums, evaluation)?;
        }
        for sum in program.sums.iter().filter(|sum| sum.claimed == Claimed::Operand) {
            let values = sums.get(&sum.tensor).ok_or(WitnessError::Shape)?;
            let values = padded(values, sum.columns, architecture.samples(), 1 << sum.column_vars(), |v| v);
            witness.tensors.insert(sum.tensor, Values::Wide(values));
        }
        for lookup in &program.lookups {
            if let Some(column) = lookup.table.column() {
                let values = lookup.table.column_values(&architecture.precision);
                witness.put(column, values.into_iter().map(i32::from).collect());
            }
        }
        // What was rounded on the way to what is committed.
        for evaluation in &program.evaluations {
            if let Evaluation::Round(Round { quotient, .. }) = evaluation
                && !program.committed.iter().any(|(tensor, _)| tensor == quotient)
            {
                witness.tensors.remove(quotient);
            }
        }
        Ok(witness)
    }

    fn evaluate(
        &mut self,
        architecture: &Architecture,
        sums: &BTreeMap<Tensor, &[i64]>,
        evaluation: &Evaluation,
    ) -> Result<(), WitnessError> {
        let samples = architecture.samples();
        match evaluation {
            // They are in the trace.
            Evaluation::Sum(_) => {}
            Evaluation::Round(Round { sum, mask, shift, columns, quotient, limbs }) => {
                let products = sums.get(sum).ok_or(WitnessError::Shape)?;
                let padded_width = columns.next_power_of_two();
                let masked: Vec<i64>;
                let products = match mask {
                    None => *products,
                    Some(mask) => {
                        let bits = self.small(*mask).par_chunks(padded_width).flat_map_iter(|row| &row[..*columns]);
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
            Evaluation::Rows { function, inputs, outputs } => {
                let filled = self.rows(samples, &**function, inputs, outputs);
                self.tensors.extend(filled);
            }
        }
        Ok(())
    }

    /// The outputs of a function of rows.
    fn rows(
        &self,
        samples: usize,
        function: &dyn RowFunction,
        inputs: &[(Form, usize)],
        outputs: &[Output],
    ) -> Vec<(Tensor, Values)> {
        let width = |output: &Output| output.columns.map_or(1, usize::next_power_of_two);
        let mut filled: Vec<Vec<i32>> =
            outputs.iter().map(|output| vec![output.fill; samples * width(output)]).collect();
        let mut rows: Vec<Vec<&mut [i32]>> = (0..samples).map(|_| Vec::with_capacity(outputs.len())).collect();
        for (values, output) in filled.iter_mut().zip(outputs) {
            for (row, values) in rows.iter_mut().zip(values.chunks_mut(width(output))) {
                row.push(&mut values[..output.columns.unwrap_or(1)]);
            }
        }
        rows.par_iter_mut().enumerate().for_each(|(row, outputs)| {
            let inputs: Vec<Cow<'_, [i32]>> =
                inputs.iter().map(|(form, columns)| self.row(form, row, *columns)).collect();
            let inputs: Vec<&[i32]> = inputs.iter().map(|values| &values[..]).collect();
            function.apply(&inputs, outputs);
        });
        outputs.iter().map(|output| output.tensor).zip(filled.into_iter().map(Values::Small)).collect()
    }

    /// A row of a form, without its padding.
    fn row(&self, form: &Form, row: usize, columns: usize) -> Cow<'_, [i32]> {
        let of = |tensor: Tensor| &self.small(tensor)[row * columns.next_power_of_two()..][..columns];
        if let Some(tensor) = form.tensor() {
            return Cow::Borrowed(of(tensor));
        }
        let mut sum = vec![form.constant as i32; columns];
        for &(tensor, factor, _) in &form.terms {
            sum.iter_mut().zip(of(tensor)).for_each(|(sum, value)| *sum += factor as i32 * value);
        }
        Cow::Owned(sum)
    }

    /// The witness of a registration of the data of one position, but for the multiplicities.
    pub fn of_data(architecture: &Architecture, input: &[i16], labels: &[u16]) -> Self {
        Self { tensors: data_values(architecture, input, labels).into_iter().collect() }
    }

    /// The witness of a registration of first parameters, but for the multiplicities.
    pub fn of_parameters(program: &Program, parameters: &Parameters) -> Self {
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
        witness
    }

    /// Counts how often each key is looked up, and stores it as the multiplicities.
    ///
    /// # Errors
    /// [`WitnessError::OutOfTable`] with the first entry whose key is not in the table.
    pub fn count_lookups(&mut self, tree: &Tree) -> Result<(), WitnessError> {
        for (table, _) in &tree.tables {
            let mut counts = vec![0i32; 1 << table.vars()];
            for (lookup, _) in tree.lookups.iter().filter(|(lookup, _)| lookup.table == *table) {
                let key = Linear::new(self, &lookup.tuple[0].terms, lookup.tuple[0].constant, lookup.column_vars);
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
    pub fn table_values(&self, table: Table, key: usize) -> Vec<i64> {
        match table.column() {
            Some(column) => vec![self.tensors.get(&column).map_or(0, |values| values.get(key))],
            None => table.values(key),
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
    /// The form `constant + Σ factor · tensor`.
    pub fn new(witness: &'a Witness, terms: &[(Tensor, i64, Spread)], constant: i64, column_vars: usize) -> Self {
        let terms = terms.iter().map(|(tensor, factor, spread)| (witness.small(*tensor), *factor, *spread)).collect();
        Self { terms, constant, column_vars }
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
