//! What data lose when they are rounded to fixed point.

/// Data that lose their meaning: values that become zero, and columns that become the same everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Values that are not zero in the file.
    pub nonzero: usize,
    /// Of these, inputs that are zero.
    pub zeroed: usize,
    /// Columns that have different values in the file and the same in every input.
    pub flat: usize,
    /// The first of them, with their values, in words.
    pub examples: String,
}

/// Looks at every value of a data set.
pub(super) struct Watch {
    columns: Vec<Seen>,
    next: usize,
    nonzero: usize,
    zeroed: usize,
}

/// The least and largest value of a column, in the file and as an input.
#[derive(Clone, Copy)]
struct Seen {
    values: [f64; 2],
    inputs: [i16; 2],
}

impl Seen {
    const NOTHING: Self = Self { values: [f64::INFINITY, f64::NEG_INFINITY], inputs: [i16::MAX, i16::MIN] };

    fn is_flat(&self) -> bool {
        self.values[0] < self.values[1] && self.inputs[0] == self.inputs[1]
    }
}

impl Watch {
    /// For rows of `width` values.
    pub fn new(width: usize) -> Self {
        Self { columns: vec![Seen::NOTHING; width.max(1)], next: 0, nonzero: 0, zeroed: 0 }
    }

    /// Takes note of the next value, row by row, and of the input that it became.
    pub fn see(&mut self, value: f64, input: i16) {
        self.nonzero += usize::from(value != 0.0);
        self.zeroed += usize::from(value != 0.0 && input == 0);
        let [least, most] = &mut self.columns[self.next].values;
        (*least, *most) = (least.min(value), most.max(value));
        let [least, most] = &mut self.columns[self.next].inputs;
        (*least, *most) = ((*least).min(input), (*most).max(input));
        self.next = (self.next + 1) % self.columns.len();
    }

    /// What was lost; `called` says what a column is called.
    pub fn losses(&self, called: impl Fn(usize) -> String) -> Losses {
        const SHOWN: usize = 3;
        let flat: Vec<usize> = (0..self.columns.len()).filter(|&column| self.columns[column].is_flat()).collect();
        let shown = |&column: &usize| {
            let [least, most] = self.columns[column].values;
            format!("column {} ({least} to {most})", called(column))
        };
        let mut examples: Vec<String> = flat.iter().take(SHOWN).map(shown).collect();
        if flat.len() > SHOWN {
            examples.push("…".into());
        }
        Losses { nonzero: self.nonzero, zeroed: self.zeroed, flat: flat.len(), examples: examples.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_values_and_columns_are_counted() {
        let mut watch = Watch::new(3);
        for (value, input) in
            [(0.0, 0), (0.001, 0), (1.0, 256), (0.0, 0), (0.0015, 0), (1.0, 256), (0.0, 0), (0.0, 0), (1.0, 256)]
        {
            watch.see(value, input);
        }
        let losses = watch.losses(|column| format!("{}", 10 * column));
        assert_eq!((losses.nonzero, losses.zeroed, losses.flat), (5, 2, 1));
        assert_eq!(losses.examples, "column 10 (0 to 0.0015)");
    }
}
