//! Which tensors, look-ups and pointwise relations make up each of the three proofs.

use ark_bn254::Fr;

use crate::algebra::Algebra;
use crate::architecture::Architecture;
use crate::lookup::{Expression, LookUp, Spread, Table, Tree};
use crate::multilinear::{at_most, at_most_index, eq, less_than, power_of_two};
use crate::tensor::{End, Group, Layout, Tensor, data_tensors, parameter_tensors};

/// What a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The steps of one segment were done right.
    Segment,
    /// The data of one position of an epoch are in range, padded with zeros and labelled one-hot.
    Data,
    /// The first parameters are in range and padded with zeros.
    Parameters,
}

/// Bits of each limb of a registered parameter.
pub const PARAMETER_LIMB_BITS: u32 = 16;
/// Limbs of a registered parameter: it lies in `[-2^47, 2^47)`.
pub const PARAMETER_LIMBS: usize = 3;

/// The public numbers of a proof that its relations use.
#[derive(Clone, Debug)]
pub struct Publics<E> {
    /// Digest of statement and commitments, high and low 128 bits.
    pub digest: [E; 2],
    /// Learning rate over batch, in units of `2^-k`.
    pub rate: E,
    /// Position in the epoch, bound through the digest and the leaves of the data.
    pub position: E,
    /// Live steps.
    pub live_steps: E,
    /// Rows of the last live step.
    pub live_rows: E,
}

/// The live counts as bits of `T' - 1` and `B' - 1`, most significant first.
#[derive(Clone, Debug)]
pub struct LiveBits<E> {
    last_step: Vec<E>,
    last_row: Vec<E>,
}

impl<E: Clone> LiveBits<E> {
    /// Decomposes the public counts.
    ///
    /// # Errors
    /// If a count is out of range.
    pub fn new<A: Algebra<Element = E>>(
        algebra: &mut A,
        architecture: &Architecture,
        publics: &Publics<E>,
    ) -> Result<Self, A::Error> {
        let one = algebra.constant(Fr::from(1));
        let step = algebra.sub(&publics.live_steps, &one);
        let row = algebra.sub(&publics.live_rows, &one);
        Ok(Self {
            last_step: algebra.bits(&step, architecture.step_vars())?,
            last_row: algebra.bits(&row, architecture.row_vars())?,
        })
    }
}

/// A public multilinear polynomial over (sample, column) that a pointwise relation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// `μ`: one on live samples.
    Live,
    /// `κ`: one on columns below the bound.
    Columns(usize),
    /// One on the first so many rows.
    Rows(usize),
}

impl Mask {
    /// The mask at a field point over (row, column), the column of `column_vars` variables.
    pub fn evaluate<A: Algebra>(
        &self,
        algebra: &mut A,
        architecture: &Architecture,
        live: &LiveBits<A::Element>,
        point: &[A::Element],
        column_vars: usize,
    ) -> A::Element {
        let (rows, columns) = point.split_at(point.len() - column_vars);
        match self {
            Self::Columns(count) => at_most_index(algebra, columns, count - 1),
            Self::Rows(count) => at_most_index(algebra, rows, count - 1),
            Self::Live => {
                let (step, row) = rows.split_at(architecture.step_vars());
                let before = less_than(algebra, step, &live.last_step);
                let full = at_most_index(algebra, row, architecture.batch - 1);
                let last = eq(algebra, step, &live.last_step);
                let part = at_most(algebra, row, &live.last_row);
                let last = algebra.mul(&last, &part);
                algebra.mul_add(&before, &full, &last)
            }
        }
    }
}

/// Relations that hold at every entry of (sample, column), of degree two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointwise {
    /// `m_l ⊙ V_l`, whose claim comes from the rounding of `G_l`.
    MaskedProduct(usize),
    /// The relations of the softmax and of the last gradient.
    Softmax,
    /// A padded neuron of a hidden layer has the derivative zero: so it is off, and its gradient is zero.
    NeuronPadding(usize),
    /// The input is zero on padded rows and columns.
    InputPadding,
    /// Labels are bits, zero on padded classes.
    LabelBits,
    /// `W_l` is zero on padded rows and columns.
    WeightPadding(usize),
    /// `b_l` is zero on padded columns.
    BiasPadding(usize),
}

impl Pointwise {
    /// Variables of (sample, column) and of the column alone.
    pub fn vars(&self, architecture: &Architecture) -> (usize, usize) {
        let samples = architecture.sample_vars();
        let (rows, column) = match self {
            Self::MaskedProduct(l) | Self::NeuronPadding(l) => (samples, *l),
            Self::Softmax | Self::LabelBits => (samples, architecture.layers()),
            Self::InputPadding => (samples, 0),
            Self::WeightPadding(l) => (architecture.width_vars(l - 1), *l),
            Self::BiasPadding(l) => (0, *l),
        };
        let column_vars = architecture.width_vars(column);
        (rows + column_vars, column_vars)
    }

    /// Its tensors; true for one that has a value a sample.
    pub fn tensors(&self, architecture: &Architecture) -> Vec<(Tensor, bool)> {
        match self {
            Self::MaskedProduct(l) => vec![(Tensor::Derivative(*l), false), (Tensor::BackwardProduct(*l), false)],
            Self::Softmax => vec![
                (Tensor::Selector, false),
                (Tensor::Logit, false),
                (Tensor::Exponential, false),
                (Tensor::Probability, false),
                (Tensor::Remainder, false),
                (Tensor::Labels, false),
                (Tensor::Maximum, true),
                (Tensor::Sum, true),
                (Tensor::Gradient(architecture.layers()), false),
            ],
            Self::NeuronPadding(l) => vec![(Tensor::Derivative(*l), false)],
            Self::InputPadding => vec![(Tensor::Input, false)],
            Self::LabelBits => vec![(Tensor::Labels, false)],
            Self::WeightPadding(l) => vec![(Tensor::Weight(End::First, *l), false)],
            Self::BiasPadding(l) => vec![(Tensor::Bias(End::First, *l), false)],
        }
    }

    /// Its public masks.
    pub fn masks(&self, architecture: &Architecture) -> Vec<Mask> {
        let widths = &architecture.widths;
        match self {
            Self::MaskedProduct(_) => vec![],
            Self::Softmax => vec![Mask::Columns(architecture.classes()), Mask::Live],
            Self::LabelBits => vec![Mask::Columns(architecture.classes())],
            Self::InputPadding => vec![Mask::Columns(widths[0]), Mask::Live],
            Self::WeightPadding(l) => {
                vec![Mask::Columns(widths[*l]), Mask::Rows(widths[l - 1])]
            }
            Self::NeuronPadding(l) | Self::BiasPadding(l) => vec![Mask::Columns(widths[*l])],
        }
    }

    /// Number of relations, each with a power of the combining challenge.
    pub fn count(&self) -> usize {
        match self {
            Self::Softmax => 8,
            Self::LabelBits => 2,
            _ => 1,
        }
    }

    /// The relations' values from the values of [`Self::tensors`] and [`Self::masks`] at any point.
    ///
    /// Softmax, with `κ` the classes, `μ` the live samples, `y` the labels:
    ///
    /// ```text
    /// s² - s                              s is a bit
    /// (1 - κ)·s                           no padded class is selected
    /// s·(M - h)                           M is the selected logit
    /// (1 - κ)·h                           a padded class has the logit zero: its e is exp(0)
    /// κ·(2^(fg+1)·e + S) - 2·S·p - ρ      p = e / S to the nearest
    /// y² - y                              y is a bit
    /// (1 - κ)·y                           no padded class is a label
    /// G - μ·(p - 2^fg·y)                  the gradient of the cross-entropy
    /// ```
    ///
    /// # Soundness
    /// With the mean of the labels, the relations about padding make a segment mean the same whatever labels were committed to,
    /// and whatever stands in its first parameters for padded neurons and classes: nobody who sees one needs the registrations
    /// for that. That padded inputs are zero, and with them the weights of padded inputs of no effect, only these say.
    pub fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        architecture: &Architecture,
        tensors: &[A::Element],
        masks: &[A::Element],
    ) -> Vec<A::Element> {
        let gradient_bits = i64::from(architecture.precision.gradient_bits);
        match (self, tensors, masks) {
            (Self::MaskedProduct(_), [derivative, product], _) => vec![algebra.mul(derivative, product)],
            (Self::Softmax, [s, h, e, p, remainder, y, maximum, sum, gradient], [classes, live]) => {
                let selector = [bit(algebra, s), outside(algebra, classes, s)];
                let below = algebra.sub(maximum, h);
                let selected = algebra.mul(s, &below);
                let padded = outside(algebra, classes, h);
                let scaled = algebra.scale(e, power_of_two(gradient_bits + 1));
                let scaled = algebra.add(&scaled, sum);
                let left = algebra.mul(classes, &scaled);
                let twice = algebra.add(sum, sum);
                let right = algebra.mul_add(&twice, p, remainder);
                let division = algebra.sub(&left, &right);
                let label = [bit(algebra, y), outside(algebra, classes, y)];
                let target = algebra.scale(y, power_of_two(gradient_bits));
                let error = algebra.sub(p, &target);
                let error = algebra.mul(live, &error);
                let loss = algebra.sub(gradient, &error);
                [&selector[..], &[selected, padded, division], &label, &[loss]].concat()
            }
            (Self::LabelBits, [y], [classes]) => vec![bit(algebra, y), outside(algebra, classes, y)],
            (Self::NeuronPadding(_) | Self::BiasPadding(_), [x], [columns]) => vec![outside(algebra, columns, x)],
            (Self::InputPadding | Self::WeightPadding(_), [x], [columns, rows]) => {
                let mask = algebra.mul(columns, rows);
                vec![outside(algebra, &mask, x)]
            }
            _ => vec![],
        }
    }
}

/// `x² - x`: zero for bits.
fn bit<A: Algebra>(algebra: &mut A, x: &A::Element) -> A::Element {
    let square = algebra.mul(x, x);
    algebra.sub(&square, x)
}

/// `(1 - mask)·x`: what stands outside of the mask.
fn outside<A: Algebra>(algebra: &mut A, mask: &A::Element, x: &A::Element) -> A::Element {
    let kept = algebra.mul(mask, x);
    algebra.sub(x, &kept)
}

/// Everything that is fixed about a proof: its tensors and their columns, its look-ups, its pointwise relations.
#[derive(Clone, Debug)]
pub struct Relations {
    /// What is proved.
    pub subject: Subject,
    /// The shape.
    pub architecture: Architecture,
    /// Where the tensors stand.
    pub layout: Layout,
    /// The look-ups.
    pub tree: Tree,
    /// The pointwise relations, in the order of their challenges.
    pub pointwise: Vec<Pointwise>,
}

impl Relations {
    /// The relations of `subject` for an architecture, in columns of `2^column_vars` entries.
    pub fn new(subject: Subject, architecture: &Architecture, column_vars: usize) -> Self {
        let (lookups, pointwise, mut groups) = match subject {
            Subject::Segment => segment(architecture),
            Subject::Data => data(architecture),
            Subject::Parameters => parameters(architecture),
        };
        let tree = Tree::new(lookups);
        let known: Vec<Tensor> = groups.iter().flat_map(|(_, tensors)| tensors).map(|(tensor, _)| *tensor).collect();
        let new =
            tree.tensors.iter().map(|part| (part.tensor, part.vars)).filter(|(tensor, _)| !known.contains(tensor));
        let (tables, multiplicities): (Vec<_>, Vec<_>) =
            new.partition(|(tensor, _)| *tensor == Tensor::ExponentialTable);
        if let Some((_, trace)) = groups.iter_mut().find(|(group, _)| *group == Group::Trace) {
            trace.extend(multiplicities);
        }
        if !tables.is_empty() {
            groups.push((Group::Table, tables));
        }
        let layout = Layout::new(column_vars, &groups);
        Self { subject, architecture: architecture.clone(), layout, tree, pointwise }
    }
}

type Parts = (Vec<LookUp>, Vec<Pointwise>, Vec<(Group, Vec<(Tensor, usize)>)>);

fn range(tensor: Tensor, bits: u32, shift: i64, vars: usize) -> LookUp {
    LookUp { table: Table::Range(bits), vars, column_vars: 0, tuple: vec![Expression::shifted(tensor, shift)] }
}

/// The look-ups of a signed number's limbs: all but the last unsigned.
fn limbs(widths: &[u32], vars: usize, tensor: impl Fn(usize) -> Tensor) -> Vec<LookUp> {
    let last = widths.len() - 1;
    widths
        .iter()
        .enumerate()
        .map(|(i, &bits)| range(tensor(i), bits, if i == last { 1 << (bits - 1) } else { 0 }, vars))
        .collect()
}

fn segment(architecture: &Architecture) -> Parts {
    let last = architecture.layers();
    let samples = architecture.sample_vars();
    let widths = architecture.precision.limb_bits();
    let (mut lookups, mut pointwise, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for l in 1..last {
        let vars = samples + architecture.width_vars(l);
        let pre_activation = Expression {
            terms: vec![(Tensor::Activation(l), 1, Spread::Entry), (Tensor::Negative(l), -1, Spread::Entry)],
            constant: 1 << 15,
        };
        let value = Expression::shifted(Tensor::Activation(l), 0);
        let derivative = Expression::shifted(Tensor::Derivative(l), 0);
        lookups.push(LookUp {
            table: Table::Relu,
            vars,
            column_vars: 0,
            tuple: vec![pre_activation, value, derivative],
        });
        lookups.extend(limbs(&widths, vars, |i| Tensor::ForwardLimb(l, i)));
        lookups.push(range(Tensor::Gradient(l), 16, 1 << 15, vars));
        lookups.extend(limbs(&widths, vars, |i| Tensor::BackwardLimb(l, i)));
        pointwise.push(Pointwise::MaskedProduct(l));
        if architecture.widths[l] < architecture.padded_width(l) {
            pointwise.push(Pointwise::NeuronPadding(l));
        }
    }
    let column_vars = architecture.width_vars(last);
    let vars = samples + column_vars;
    lookups.push(range(Tensor::Logit, 16, 1 << 15, vars));
    lookups.extend(limbs(&widths, vars, |i| Tensor::ForwardLimb(last, i)));
    let below = Expression {
        terms: vec![
            (Tensor::Maximum, 1, Spread::Sample { columns: architecture.classes() }),
            (Tensor::Logit, -1, Spread::Entry),
        ],
        constant: 0,
    };
    let exponential = Expression::shifted(Tensor::Exponential, 0);
    lookups.push(LookUp { table: Table::Exponential, vars, column_vars, tuple: vec![below, exponential] });
    lookups.push(range(Tensor::Probability, 16, 0, vars));
    lookups.push(range(Tensor::Remainder, 16, 0, vars));
    let all = 1 << column_vars;
    let complement = Expression {
        terms: vec![(Tensor::Sum, 2, Spread::Sample { columns: all }), (Tensor::Remainder, -1, Spread::Entry)],
        constant: -1,
    };
    lookups.push(LookUp { table: Table::Range(16), vars, column_vars, tuple: vec![complement] });
    pointwise.push(Pointwise::Softmax);

    for lookup in &lookups {
        for (tensor, _, spread) in lookup.tuple.iter().flat_map(|expression| &expression.terms) {
            let vars = if *spread == Spread::Entry { lookup.vars } else { samples };
            if !trace.contains(&(*tensor, vars)) {
                trace.push((*tensor, vars));
            }
        }
    }
    trace.extend([(Tensor::Selector, vars), (Tensor::Gradient(last), vars)]);
    let groups = vec![
        (Group::Data, data_tensors(architecture)),
        (Group::First, parameter_tensors(architecture, End::First)),
        (Group::Last, parameter_tensors(architecture, End::Last)),
        (Group::Trace, trace),
    ];
    (lookups, pointwise, groups)
}

fn data(architecture: &Architecture) -> Parts {
    let tensors = data_tensors(architecture);
    let lookups = vec![range(Tensor::Input, 16, 1 << 15, tensors[0].1)];
    (lookups, vec![Pointwise::InputPadding, Pointwise::LabelBits], vec![(Group::Data, tensors), (Group::Trace, vec![])])
}

fn parameters(architecture: &Architecture) -> Parts {
    let widths = [PARAMETER_LIMB_BITS; PARAMETER_LIMBS];
    let tensors = parameter_tensors(architecture, End::First);
    let (mut lookups, mut pointwise, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for (tensor, vars) in &tensors {
        let (limb, padding): (Box<dyn Fn(usize) -> Tensor>, _) = match *tensor {
            Tensor::Weight(_, l) => (Box::new(move |i| Tensor::WeightLimb(l, i)), Pointwise::WeightPadding(l)),
            Tensor::Bias(_, l) => (Box::new(move |i| Tensor::BiasLimb(l, i)), Pointwise::BiasPadding(l)),
            _ => continue,
        };
        lookups.extend(limbs(&widths, *vars, &limb));
        pointwise.push(padding);
        trace.extend((0..PARAMETER_LIMBS).map(|i| (limb(i), *vars)));
    }
    (lookups, pointwise, vec![(Group::First, tensors), (Group::Trace, trace)])
}

/// Column size that suits core proofs of a segment of this shape: short columns, cheap opening; a few hundred of them.
pub fn default_column_vars(architecture: &Architecture) -> usize {
    // About eight tensors for each hidden activation, and the input.
    let hidden: usize = (1..architecture.layers()).map(|l| architecture.padded_width(l)).sum();
    let entries = architecture.samples() * (8 * hidden + architecture.padded_width(0));
    (entries.ilog2() as usize).saturating_sub(9).clamp(10, 18)
}
