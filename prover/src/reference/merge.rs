//! The merging of all claims: a weight for every entry of every column, and no fold.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use gradproof_circuits::argument::Claim;
use gradproof_circuits::relations::{Layout, Place};

use super::cube;
use super::sumcheck::Sumcheck;
use crate::witness::Witness;

/// Column and entry where entry `index` of a tensor stands.
fn stands(layout: &Layout, place: &Place, index: usize) -> (usize, usize) {
    if place.vars >= layout.column_vars {
        (place.column + (index >> layout.column_vars), index % (1 << layout.column_vars))
    } else {
        (place.column, (place.slot << place.vars) + index)
    }
}

/// All columns, each tensor written entry by entry to where it stands.
pub fn columns(layout: &Layout, witness: &Witness) -> Vec<Vec<Fr>> {
    let mut columns = vec![vec![Fr::zero(); 1 << layout.column_vars]; layout.columns()];
    for (tensor, place) in layout.places() {
        for (index, value) in cube::tensor(witness, tensor, place.vars).into_iter().enumerate() {
            let (column, entry) = stands(layout, &place, index);
            columns[column][entry] = value;
        }
    }
    columns
}

/// The sumcheck `Σ_x Σ_c E_c(x)·P_c(x)`, where entry `e` of a tensor of claim `k` has the weight `combine^k·factor·eq(point_k, e)`.
///
/// Its tables are those of the weights, then the columns. Claims on tensors that are not committed are left out.
pub fn merge(layout: &Layout, witness: &Witness, claims: &[Claim<Fr>], combine: Fr) -> Sumcheck<'static> {
    let count = layout.columns();
    let mut tables = vec![vec![Fr::zero(); 1 << layout.column_vars]; count];
    for (k, claim) in claims.iter().enumerate() {
        for (tensor, factor) in &claim.terms {
            let Some(place) = layout.place(*tensor) else { continue };
            let power = combine.pow([k as u64]) * Fr::from(*factor);
            for index in 0..1usize << place.vars {
                let (column, entry) = stands(layout, &place, index);
                tables[column][entry] += power * cube::eq(&claim.point, index);
            }
        }
    }
    tables.extend(columns(layout, witness));
    Sumcheck::plain(tables, 2, move |row| {
        let (weights, columns) = row.split_at(count);
        weights.iter().zip(columns).map(|(weight, column)| *weight * column).sum()
    })
}

/// The columns' values at `point`, each the sum over all of its entries.
pub fn evaluations(layout: &Layout, witness: &Witness, point: &[Fr]) -> Vec<Fr> {
    columns(layout, witness).iter().map(|column| cube::extension(column, point)).collect()
}
