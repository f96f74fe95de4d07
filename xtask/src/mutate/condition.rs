//! Conditions on which something is refused, left out or decided: of what they are made, and where a comparison ends.

use std::ops::Range;

/// A condition in a file.
pub struct Condition {
    /// Where it stands.
    pub bytes: Range<usize>,
    /// What it is if it alone is to say nothing: only of an early exit, since a refusal is taken out as a statement.
    pub alone: Option<&'static str>,
}

/// The condition that begins on the line from `start`: of `if (…) revert …`, `require(…, …)`, an early exit (`if (…) return …`,
/// `break`, `continue`), the value of a `bool`, or what a function returns.
pub fn find(text: &str, start: usize) -> Option<Condition> {
    let line = text[start..].lines().next()?;
    if let Some(at) = line.find("if (") {
        let open = start + at + "if (".len();
        let close = open + closing(&text[open..])?;
        let then = text[close + 1..].trim_start().trim_start_matches('{').trim_start();
        let exits = ["return", "break", "continue"].iter().any(|exit| then.starts_with(exit));
        return (exits || then.starts_with("revert "))
            .then_some(Condition { bytes: open..close, alone: exits.then_some("false") });
    }
    if let Some(at) = line.find("require(") {
        let open = start + at + "require(".len();
        let close = open + closing(&text[open..])?;
        let condition = split(&text[open..close], ",").into_iter().next()?;
        return Some(Condition { bytes: open..open + condition.end, alone: None });
    }
    let code = line.trim_start();
    let value = match code.strip_prefix("bool ") {
        Some(value) => value.split_once(" = ")?.1,
        None => code.strip_prefix("return ")?,
    };
    let open = start + line.len() - value.len();
    let value = &text[open..open + text[open..].find(';')?];
    // What decides between two values.
    let condition = split(value, " ? ").into_iter().next()?;
    Some(Condition { bytes: open..open + condition.end, alone: None })
}

/// The operands of a condition, and what an operand is where it says nothing: `false` for those of `||`, `true` for those of
/// `&&`. A condition of one operand has no such word.
pub fn operands(condition: &str) -> (Vec<Range<usize>>, Option<&'static str>) {
    for (operator, neutral) in [(" || ", "false"), (" && ", "true")] {
        let operands = split(condition, operator);
        if operands.len() > 1 {
            return (operands, Some(neutral));
        }
    }
    (std::iter::once(0..condition.len()).collect(), None)
}

/// The same comparison with its bound on the other side, with its two terms: `a > b` becomes `a >= b`.
pub fn comparison(operand: &str) -> Option<Comparison<'_>> {
    for (operator, other) in [(" > ", " >= "), (" < ", " <= "), (" >= ", " > "), (" <= ", " < ")] {
        if let [left, right] = &split(operand, operator)[..] {
            let (left, right) = (&operand[left.clone()], &operand[right.clone()]);
            return Some(Comparison { left, right, other, holds_at_the_bound: operator.contains('=') });
        }
    }
    None
}

/// A comparison of two terms.
pub struct Comparison<'a> {
    /// What is compared.
    pub left: &'a str,
    /// With what.
    pub right: &'a str,
    /// The operator of the same comparison with its bound on the other side.
    pub other: &'static str,
    /// Whether the comparison holds for two equal terms.
    pub holds_at_the_bound: bool,
}

/// How much deeper what follows a byte is nested.
fn nesting(byte: u8) -> i32 {
    match byte {
        b'(' | b'[' => 1,
        b')' | b']' => -1,
        _ => 0,
    }
}

/// Where the parenthesis closes that is open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        depth += nesting(byte);
        depth == 0
    })
}

/// The parts of `text` between a separator that stands outside of parentheses.
fn split(text: &str, separator: &str) -> Vec<Range<usize>> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        depth += nesting(byte);
        if depth == 0 && text.as_bytes()[at..].starts_with(separator.as_bytes()) {
            parts.push(begin..at);
            begin = at + separator.len();
        }
    }
    parts.push(begin..text.len());
    parts
}
