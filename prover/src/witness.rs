//! Every committed tensor of a proof, in integers, padded to powers of two.

use std::collections::BTreeMap;

use gradproof_circuits::network::architecture::Architecture;
use gradproof_circuits::network::arithmetic::{exponential_table, relu, round_shift, softmax_row, split_limbs};
use gradproof_circuits::network::trace::{NO_LABEL, Parameters, SegmentTrace};
use gradproof_circuits::relations::{
    End, PARAMETER_LIMB_BITS, PARAMETER_LIMBS, Relations, Spread, Table, Tensor, Tree,
};
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

/// The padded parameters of one end of a segment.
pub fn parameter_values(architecture: &Architecture, parameters: &Parameters, end: End) -> Vec<(Tensor, Values)> {
    (1..=architecture.layers())
        .flat_map(|l| {
            let (rows, columns) = (architecture.padded_width(l - 1), architecture.padded_width(l));
            let width = architecture.widths[l];
            let weights = padded(&parameters.weights[l - 1], width, rows, columns, |w| w);
            let biases = padded(&parameters.biases[l - 1], width, 1, columns, |b| b);
            [(Tensor::Weight(end, l), Values::Wide(weights)), (Tensor::Bias(end, l), Values::Wide(biases))]
        })
        .collect()
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
    vec![(Tensor::Input, Values::Small(input)), (Tensor::Labels, Values::Small(hot))]
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
            let shape = relation.shape(&relations.architecture);
            let vars = move |per_sample| shape.vars - if per_sample { shape.column_vars } else { 0 };
            shape.tensors.into_iter().map(move |(tensor, per_sample)| (tensor, vars(per_sample)))
        });
        for (tensor, vars) in committed.chain(pointwise) {
            let wide = matches!(tensor, Tensor::Weight(..) | Tensor::Bias(..) | Tensor::BackwardProduct(_));
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
    pub fn of_segment(architecture: &Architecture, trace: &SegmentTrace) -> Result<Self, WitnessError> {
        if !trace.fits(architecture) {
            return Err(WitnessError::Shape);
        }
        let mut witness = Self::default();
        witness.tensors.extend(data_values(architecture, &trace.input, &trace.labels));
        witness.tensors.extend(parameter_values(architecture, &trace.first, End::First));
        witness.tensors.extend(parameter_values(architecture, &trace.last, End::Last));
        for l in 1..architecture.layers() {
            witness.hidden(architecture, trace, l);
        }
        witness.output(architecture, trace);
        Ok(witness)
    }

    /// Quotients and limbs of the remainders of products divided by `2^F`.
    fn rounded(
        &mut self,
        architecture: &Architecture,
        products: &[i64],
        width: usize,
        padded_width: usize,
        limb: impl Fn(usize) -> Tensor,
    ) -> Vec<i32> {
        let bits = architecture.precision.weight_bits();
        let widths = architecture.precision.limb_bits();
        let samples = architecture.samples();
        for i in 0..widths.len() {
            let values = padded(products, width, samples, padded_width, |u| {
                split_limbs(round_shift(u, bits).1, &widths).nth(i).unwrap_or(0) as i32
            });
            self.put(limb(i), values);
        }
        padded(products, width, samples, padded_width, |u| round_shift(u, bits).0 as i32)
    }

    fn hidden(&mut self, architecture: &Architecture, trace: &SegmentTrace, l: usize) {
        let (width, padded_width) = (architecture.widths[l], architecture.padded_width(l));
        let pre_activation =
            self.rounded(architecture, &trace.forward[l - 1], width, padded_width, |i| Tensor::ForwardLimb(l, i));
        let derivative: Vec<i32> = pre_activation.par_iter().map(|&h| i32::from(relu(h as i16).1)).collect();
        self.put(Tensor::Activation(l), pre_activation.par_iter().map(|&h| h.max(0)).collect());
        self.put(Tensor::Negative(l), pre_activation.par_iter().map(|&h| (-h).max(0)).collect());
        let product = padded(&trace.backward[l - 1], width, architecture.samples(), padded_width, |v| v);
        let masked: Vec<i64> = product.par_iter().zip(&derivative).map(|(&v, &m)| v * i64::from(m)).collect();
        let gradient = self.rounded(architecture, &masked, padded_width, padded_width, |i| Tensor::BackwardLimb(l, i));
        self.put(Tensor::Gradient(l), gradient);
        self.put(Tensor::Derivative(l), derivative);
        self.tensors.insert(Tensor::BackwardProduct(l), Values::Wide(product));
    }

    fn output(&mut self, architecture: &Architecture, trace: &SegmentTrace) {
        let last = architecture.layers();
        let (width, padded_width) = (architecture.widths[last], architecture.padded_width(last));
        let logits =
            self.rounded(architecture, &trace.forward[last - 1], width, padded_width, |i| Tensor::ForwardLimb(last, i));
        let precision = &architecture.precision;
        let table = exponential_table(precision);
        let rows: Vec<_> = logits
            .par_chunks(padded_width)
            .map(|row| {
                let row: Vec<i16> = row[..width].iter().map(|&h| h as i16).collect();
                softmax_row(&row, &table, precision.gradient_bits)
            })
            .collect();
        let samples = architecture.samples();
        let mut spread = |tensor: Tensor, fill: i32, value: &dyn Fn(usize, usize) -> i32| {
            let mut values = vec![fill; samples * padded_width];
            for (n, row) in values.chunks_mut(padded_width).enumerate() {
                for (j, entry) in row[..width].iter_mut().enumerate() {
                    *entry = value(n, j);
                }
            }
            self.put(tensor, values);
        };
        spread(Tensor::Selector, 0, &|n, j| i32::from(rows[n].selected == j));
        // Padded classes look up key zero.
        spread(Tensor::Exponential, i32::from(table[0]), &|n, j| i32::from(rows[n].exponentials[j]));
        spread(Tensor::Probability, 0, &|n, j| i32::from(rows[n].probabilities[j]));
        spread(Tensor::Remainder, 0, &|n, j| rows[n].remainders[j] as i32);
        spread(Tensor::Gradient(last), 0, &|n, j| {
            let label = trace.labels[n];
            let target = i32::from(usize::from(label) == j) << precision.gradient_bits;
            if label == NO_LABEL { 0 } else { i32::from(rows[n].probabilities[j]) - target }
        });
        self.put(Tensor::Maximum, rows.iter().map(|row| i32::from(row.maximum)).collect());
        self.put(Tensor::Sum, rows.iter().map(|row| row.sum as i32).collect());
        self.put(Tensor::Logit, logits);
        self.put(Tensor::ExponentialTable, table.iter().map(|&e| i32::from(e)).collect());
    }

    /// The witness of a registration of the data of one position, but for the multiplicities.
    pub fn of_data(architecture: &Architecture, input: &[i16], labels: &[u16]) -> Self {
        Self { tensors: data_values(architecture, input, labels).into_iter().collect() }
    }

    /// The witness of a registration of first parameters, but for the multiplicities.
    pub fn of_parameters(architecture: &Architecture, parameters: &Parameters) -> Self {
        let mut witness = Self::default();
        for (tensor, values) in parameter_values(architecture, parameters, End::First) {
            if let Values::Wide(numbers) = &values {
                for i in 0..PARAMETER_LIMBS {
                    let limb = match tensor {
                        Tensor::Bias(_, l) => Tensor::BiasLimb(l, i),
                        Tensor::Weight(_, l) => Tensor::WeightLimb(l, i),
                        _ => continue,
                    };
                    let widths = [PARAMETER_LIMB_BITS; PARAMETER_LIMBS];
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
            self.put(Tensor::Multiplicity(*table), counts);
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

/// A linear expression over the witness, entry by entry.
pub struct Linear<'a> {
    terms: Vec<(&'a [i32], i64, Spread)>,
    constant: i64,
    column_vars: usize,
}

impl<'a> Linear<'a> {
    /// The expression `constant + Σ factor · tensor`.
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
