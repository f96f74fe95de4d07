//! Gates and permutation argument: what must vanish on every row, as arithmetic over the evaluations.

use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::{Field, PrimeField};
use halo2_axiom::plonk::{Any, Expression};

use super::error::GenerateError;
use super::graph::{Graph, Id};
use super::shape::{Shape, name};

/// One constraint: what it is called, and its value.
pub(super) struct Constraint {
    /// For a comment.
    pub title: String,
    /// Its value, which is a multiple of that of the vanishing polynomial.
    pub value: Id,
}

/// All constraints, in the order in which halo2 combines them.
pub(super) fn constraints(shape: &Shape, graph: &mut Graph) -> Result<Vec<Constraint>, GenerateError> {
    let mut constraints = Vec::new();
    for gate in shape.key.cs().gates() {
        for (index, polynomial) in gate.polynomials().iter().enumerate() {
            // The name ends in a comment of the source: on one line, whatever it says.
            let title = gate.name().replace(|letter: char| letter.is_control() || !letter.is_ascii(), " ");
            let value = translate(polynomial, graph)?;
            constraints.push(Constraint { title: format!("Gate {title}, {index}"), value });
        }
    }
    permutation(shape, graph, &mut constraints);
    Ok(constraints)
}

fn translate(expression: &Expression<Fr>, graph: &mut Graph) -> Result<Id, GenerateError> {
    Ok(match expression {
        Expression::Constant(value) => graph.constant(*value),
        Expression::Fixed(query) => graph.word(name("FIXED", query.column_index(), query.rotation().0)),
        Expression::Advice(query) => graph.word(name("ADVICE", query.column_index(), query.rotation().0)),
        Expression::Instance(query) => graph.word(name("INSTANCE", query.column_index(), query.rotation().0)),
        Expression::Negated(a) => {
            let a = translate(a, graph)?;
            graph.negate(a)
        }
        Expression::Sum(a, b) => {
            let (a, b) = (translate(a, graph)?, translate(b, graph)?);
            graph.add(a, b)
        }
        Expression::Product(a, b) => {
            let (a, b) = (translate(a, graph)?, translate(b, graph)?);
            graph.multiply(a, b)
        }
        Expression::Scaled(a, value) => {
            let (a, value) = (translate(a, graph)?, graph.constant(*value));
            graph.multiply(a, value)
        }
        Expression::Selector(_) => return Err(GenerateError::Unsupported { feature: "selectors" }),
        Expression::Challenge(_) => return Err(GenerateError::Unsupported { feature: "challenges" }),
    })
}

fn permutation(shape: &Shape, graph: &mut Graph, constraints: &mut Vec<Constraint>) {
    if shape.products == 0 {
        return;
    }
    let [beta, gamma, x] = ["BETA", "GAMMA", "X"].map(|challenge| graph.word(challenge));
    let [first, last, blind] = ["L_FIRST", "L_LAST", "L_BLIND"].map(|polynomial| graph.word(polynomial));
    let one = graph.constant(Fr::ONE);
    let product = |graph: &mut Graph, index, rotation| graph.word(name("PRODUCT", index, rotation));

    let begin = product(graph, 0, 0);
    let difference = graph.subtract(one, begin);
    let value = graph.multiply(first, difference);
    constraints.push(Constraint { title: String::from("The first product begins with one"), value });

    let end = product(graph, shape.products - 1, 0);
    let square = graph.multiply(end, end);
    let difference = graph.subtract(square, end);
    let value = graph.multiply(last, difference);
    constraints.push(Constraint { title: String::from("The last product ends with zero or one"), value });

    for index in 1..shape.products {
        let (next, before) = (product(graph, index, 0), product(graph, index - 1, shape.last()));
        let difference = graph.subtract(next, before);
        let value = graph.multiply(first, difference);
        constraints.push(Constraint { title: format!("Product {index} goes on where the one before ended"), value });
    }

    let inactive = graph.add(last, blind);
    let active = graph.subtract(one, inactive);
    let identity = graph.multiply(beta, x);
    let mut delta = Fr::ONE;
    for (index, columns) in shape.permuted.chunks(shape.chunk).enumerate() {
        let (mut left, mut right) = (product(graph, index, 1), product(graph, index, 0));
        for (offset, column) in columns.iter().enumerate() {
            let kind = match column.column_type() {
                Any::Advice(_) => "ADVICE",
                Any::Fixed => "FIXED",
                Any::Instance => "INSTANCE",
            };
            let value = graph.word(name(kind, column.index(), 0));
            let value = graph.add(value, gamma);
            let sigma = graph.word(name("SIGMA", index * shape.chunk + offset, 0));
            let permuted = graph.multiply(beta, sigma);
            let permuted = graph.add(value, permuted);
            left = graph.multiply(left, permuted);
            let coset = graph.constant(delta);
            let own = graph.multiply(identity, coset);
            let own = graph.add(value, own);
            right = graph.multiply(right, own);
            delta *= Fr::DELTA;
        }
        let difference = graph.subtract(left, right);
        let value = graph.multiply(active, difference);
        constraints.push(Constraint { title: format!("Product {index}, row by row"), value });
    }
}
