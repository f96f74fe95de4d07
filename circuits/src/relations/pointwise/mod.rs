//! Relations that hold entry by entry: one file a relation, and the enumeration that names them.

mod label_bits;
mod masked_product;
mod padding;
mod relation;
mod softmax;

use super::mask::Mask;
use super::tensor::{End, Tensor};
use crate::field::algebra::Algebra;
use crate::field::check::{Check, Rejection};
use crate::network::architecture::Architecture;
use label_bits::LabelBits;
use masked_product::MaskedProduct;
use padding::{ColumnPadding, Padding};
use relation::Relation;
use softmax::Softmax;

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

/// What a relation is between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointwiseShape {
    /// Variables of (sample, column).
    pub vars: usize,
    /// Variables of the column alone.
    pub column_vars: usize,
    /// Its tensors; true for one that has a value a sample.
    pub tensors: Vec<(Tensor, bool)>,
    /// Its public masks.
    pub masks: Vec<Mask>,
    /// Its polynomials, each with a power of the combining challenge.
    pub count: usize,
}

impl Pointwise {
    /// What the relation is between.
    pub fn shape(&self, architecture: &Architecture) -> PointwiseShape {
        match *self {
            Self::MaskedProduct(layer) => shape(&MaskedProduct { layer }, architecture),
            Self::Softmax => shape(&Softmax, architecture),
            Self::LabelBits => shape(&LabelBits, architecture),
            Self::NeuronPadding(layer) => shape(&neuron_padding(architecture, layer), architecture),
            Self::BiasPadding(layer) => shape(&bias_padding(layer), architecture),
            Self::InputPadding => shape(&input_padding(architecture), architecture),
            Self::WeightPadding(layer) => shape(&weight_padding(architecture, layer), architecture),
        }
    }

    /// The values of its polynomials from those of the tensors and masks of [`Self::shape`] at any point.
    ///
    /// # Errors
    /// Another number of tensors or masks.
    pub fn values<A: Algebra>(
        &self,
        algebra: &mut A,
        architecture: &Architecture,
        tensors: &[A::Element],
        masks: &[A::Element],
    ) -> Result<Vec<A::Element>, Rejection> {
        match *self {
            Self::MaskedProduct(layer) => values(&MaskedProduct { layer }, algebra, architecture, tensors, masks),
            Self::Softmax => values(&Softmax, algebra, architecture, tensors, masks),
            Self::LabelBits => values(&LabelBits, algebra, architecture, tensors, masks),
            Self::NeuronPadding(layer) => {
                values(&neuron_padding(architecture, layer), algebra, architecture, tensors, masks)
            }
            Self::BiasPadding(layer) => values(&bias_padding(layer), algebra, architecture, tensors, masks),
            Self::InputPadding => values(&input_padding(architecture), algebra, architecture, tensors, masks),
            Self::WeightPadding(layer) => {
                values(&weight_padding(architecture, layer), algebra, architecture, tensors, masks)
            }
        }
    }
}

fn neuron_padding(architecture: &Architecture, layer: usize) -> ColumnPadding {
    ColumnPadding { tensor: Tensor::Derivative(layer), row_vars: architecture.sample_vars(), layer }
}

fn bias_padding(layer: usize) -> ColumnPadding {
    ColumnPadding { tensor: Tensor::Bias(End::First, layer), row_vars: 0, layer }
}

fn input_padding(architecture: &Architecture) -> Padding {
    let columns = ColumnPadding { tensor: Tensor::Input, row_vars: architecture.sample_vars(), layer: 0 };
    Padding { columns, rows: Mask::Live }
}

fn weight_padding(architecture: &Architecture, layer: usize) -> Padding {
    let before = layer.saturating_sub(1);
    let (tensor, row_vars) = (Tensor::Weight(End::First, layer), architecture.width_vars(before));
    Padding { columns: ColumnPadding { tensor, row_vars, layer }, rows: Mask::Rows(architecture.widths[before]) }
}

fn shape<const T: usize, const M: usize, const N: usize>(
    relation: &impl Relation<T, M, N>,
    architecture: &Architecture,
) -> PointwiseShape {
    let (vars, column_vars) = relation.vars(architecture);
    let (tensors, masks) = (relation.tensors(architecture).into(), relation.masks(architecture).into());
    PointwiseShape { vars, column_vars, tensors, masks, count: N }
}

fn values<A: Algebra, const T: usize, const M: usize, const N: usize>(
    relation: &impl Relation<T, M, N>,
    algebra: &mut A,
    architecture: &Architecture,
    tensors: &[A::Element],
    masks: &[A::Element],
) -> Result<Vec<A::Element>, Rejection> {
    match (tensors.try_into(), masks.try_into()) {
        (Ok(tensors), Ok(masks)) => Ok(relation.values(algebra, architecture, tensors, masks).into()),
        _ => Err(Rejection { check: Check::Length }),
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::field::algebra::Native;
    use crate::field::check::Strict;
    use crate::network::precision::Precision;

    const ALL: [Pointwise; 7] = [
        Pointwise::MaskedProduct(1),
        Pointwise::Softmax,
        Pointwise::NeuronPadding(1),
        Pointwise::InputPadding,
        Pointwise::LabelBits,
        Pointwise::WeightPadding(1),
        Pointwise::BiasPadding(1),
    ];

    #[test]
    fn a_relation_takes_the_tensors_of_its_shape_and_no_others() {
        let architecture =
            Architecture { widths: vec![3, 5, 3], batch: 3, steps: 4, precision: Precision::of_classes(3) };
        for relation in ALL {
            let shape = relation.shape(&architecture);
            let [tensors, masks] = [shape.tensors.len(), shape.masks.len()].map(|count| vec![Fr::from(1); count]);
            let values = |tensors: &[Fr], masks: &[Fr]| {
                relation.values(&mut Native { judge: Strict }, &architecture, tensors, masks)
            };
            assert_eq!(values(&tensors, &masks).map(|values| values.len()), Ok(shape.count), "{relation:?}");
            let refused = Err(Rejection { check: Check::Length });
            assert_eq!(values(&tensors[1..], &masks), refused, "{relation:?}");
            assert_eq!(values(&tensors, &[&masks[..], &[Fr::from(1)]].concat()), refused, "{relation:?}");
        }
    }
}
