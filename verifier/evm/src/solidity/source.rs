//! Lines, names and numbers of the source.

use std::fmt::Write as _;

use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::PrimeField;

/// Where the contract's memory begins: above what the compiler puts there, values that do not fit on the stack. The contract
/// checks that it is, and refuses every proof if it is not.
pub(super) const MEMORY: usize = 0x1800;
/// Bytes of a word.
pub(super) const WORD: usize = 0x20;

/// The words of memory that have names, in their order.
pub(super) struct Memory {
    next: usize,
    constants: Vec<(String, usize)>,
}

impl Memory {
    /// Nothing placed yet.
    pub fn new() -> Self {
        Self { next: MEMORY, constants: Vec::new() }
    }

    /// Names the next `words` words; the answer is their address.
    pub fn place(&mut self, name: impl Into<String>, words: usize) -> usize {
        let address = self.next;
        self.constants.push((name.into(), address));
        self.next += words * WORD;
        address
    }

    /// Names an address, most often the end of what was placed before.
    pub fn name(&mut self, name: impl Into<String>, address: usize) {
        self.constants.push((name.into(), address));
    }

    /// The first address that is not taken.
    pub fn end(&self) -> usize {
        self.next
    }

    /// The names as constants of the contract.
    pub fn constants(&self) -> String {
        self.constants.iter().fold(String::new(), |mut text, (name, address)| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "    uint256 private constant {name} = {address:#x};");
            text
        })
    }
}

/// Source that grows line by line.
pub(super) struct SourceText {
    text: String,
    indent: usize,
}

impl SourceText {
    /// Nothing, indented by so many blocks.
    pub fn new(indent: usize) -> Self {
        Self { text: String::new(), indent }
    }

    /// A line; one that begins with a closing brace ends a block, one that ends with an opening brace begins one.
    pub fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if line.starts_with('}') {
            self.indent = self.indent.saturating_sub(1);
        }
        let _ = writeln!(self.text, "{:width$}{line}", "", width = 4 * self.indent);
        if line.ends_with('{') {
            self.indent += 1;
        }
    }

    /// Lines, one after the other.
    pub fn lines(&mut self, lines: &str) {
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| self.line(line));
    }

    /// The head of a section.
    pub fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.line(format!("// == {title}"));
    }

    /// All lines.
    pub fn finish(self) -> String {
        self.text
    }
}

/// A field element, of either field, as a number of the source.
pub(super) fn number<F: PrimeField>(value: &F) -> String {
    let digits = value.to_repr().as_ref().iter().rev().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}

/// The product of factors; `None` are ones.
pub(super) fn product(factors: impl IntoIterator<Item = String>) -> Option<String> {
    factors.into_iter().reduce(|left, right| format!("mulmod({left}, {right}, r)"))
}

/// A number of the scalar field that is not one, or `None`.
pub(super) fn factor(value: &Fr) -> Option<String> {
    (*value != Fr::from(1)).then(|| number(value))
}
