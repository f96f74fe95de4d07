//! The circuit row by row, before halo2 sees it.

use ark_bn254::Fr;

use super::columns::{ADVICE, CONSTANTS};
use super::gate::Gate;

/// A value of the circuit, wherever its cells stand: all of them are tied by copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variable(usize);

/// What stands in an advice cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing that a gate reads.
    Unused,
    /// A witness that appears nowhere else.
    Own(Fr),
    /// A variable, tied to its other cells.
    Shared(Variable),
    /// A cell of a variable that holds another value than the others.
    #[cfg(test)]
    Forged(Variable, Fr),
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its gate.
    pub gate: Gate,
    /// Coefficients of the gate.
    pub constants: [Fr; CONSTANTS],
    /// Advice.
    pub cells: [Cell; ADVICE],
}

impl Row {
    /// A row without coefficients.
    pub fn new(gate: Gate, cells: [Cell; ADVICE]) -> Self {
        Self { gate, constants: [Fr::from(0); CONSTANTS], cells }
    }
}

/// All rows: the instance's first, rounds of sumchecks last, where each stands beside the next.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Rows in the order of the argument.
    rows: Vec<Row>,
    /// Rounds of sumchecks, whose gates read the next row.
    rounds: Vec<Row>,
    values: Vec<Fr>,
}

impl Rows {
    /// A new variable; it has no cell yet.
    pub fn variable(&mut self, value: Fr) -> Variable {
        self.values.push(value);
        Variable(self.values.len() - 1)
    }

    /// Its value.
    pub fn value(&self, variable: Variable) -> Fr {
        self.values[variable.0]
    }

    /// The value of a cell, and the variable that it belongs to.
    pub fn cell(&self, cell: Cell) -> (Fr, Option<Variable>) {
        match cell {
            Cell::Unused => (Fr::from(0), None),
            Cell::Own(value) => (value, None),
            Cell::Shared(variable) => (self.value(variable), Some(variable)),
            #[cfg(test)]
            Cell::Forged(variable, value) => (value, Some(variable)),
        }
    }

    /// Appends a row.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Puts a variable into the given cell of a row that [`Self::push`] appended.
    pub fn set(&mut self, row: usize, column: usize, variable: Variable) {
        self.rows[row].cells[column] = Cell::Shared(variable);
    }

    /// Appends a round whose gate makes `next` of its cells, where the first cell is the claim.
    ///
    /// A round that takes up the claim of the round before stands right after it.
    pub fn push_round(&mut self, row: Row, next: Variable) {
        if self.rounds.last().is_some_and(|last| last.cells[0] == row.cells[0]) {
            self.rounds.pop();
        }
        self.rounds.push(row);
        let mut after = Row::new(Gate::None, [Cell::Unused; ADVICE]);
        after.cells[0] = Cell::Shared(next);
        self.rounds.push(after);
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.rounds)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() + self.rounds.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of variables.
    pub fn variables(&self) -> usize {
        self.values.len()
    }

    /// Number of a variable, below [`Self::variables`].
    pub fn index(variable: Variable) -> usize {
        variable.0
    }

    /// Gives the variable of that number another value, in all of its cells.
    #[cfg(test)]
    pub(super) fn overwrite(&mut self, index: usize, value: impl Fn(Fr) -> Fr) {
        self.values[index] = value(self.values[index]);
    }

    /// Puts another value into one cell, as a cheat would.
    #[cfg(test)]
    pub(super) fn corrupt(&mut self, row: usize, column: usize) {
        let first = self.rows.len();
        let cell = if row < first { &mut self.rows[row] } else { &mut self.rounds[row - first] };
        let cell = &mut cell.cells[column];
        *cell = match *cell {
            Cell::Unused | Cell::Forged(..) => *cell,
            Cell::Own(value) => Cell::Own(value + Fr::from(1)),
            Cell::Shared(variable) => Cell::Forged(variable, self.values[variable.0] + Fr::from(1)),
        };
    }
}
