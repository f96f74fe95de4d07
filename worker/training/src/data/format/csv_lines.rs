//! What a CSV parser takes without a word, and a table must not have: a quote that runs on over lines, a line of very many values.

use gradproof_circuits::graph::MAX_WIDTH;

use crate::data::file::FileBytes;
use crate::data::{DataError, FilePlace};

/// The mark of the order of bytes that some programs write first.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a field a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first half of a quote that is meant.
    Quote,
}

/// Checks that every quote is closed on its line, and that no line has more values than a row may have.
///
/// # Errors
/// The first line that is otherwise.
pub(super) fn check(source: &FileBytes<'_>, delimiter: u8) -> Result<(), DataError> {
    let (mut line, mut fields, mut at) = (1u64, 1usize, At::Begin);
    let refused =
        |line, what: &str, expected: &str, got: &str| Err(source.malformed(FilePlace::Line(line), what, expected, got));
    let bytes = source.bytes.strip_prefix(MARK).unwrap_or(source.bytes);
    let open = "a quote is not closed on its line";
    for (i, &byte) in bytes.iter().enumerate() {
        match (byte, at) {
            (b'\n' | b'\r', At::Quoted) => return refused(line, "a value", "a sample on one line", open),
            (b'\n' | b'\r', _) => {
                // `\r\n` is one end of a line.
                line += u64::from(byte == b'\n' || bytes.get(i + 1) != Some(&b'\n'));
                (fields, at) = (1, At::Begin);
            }
            (b'"', At::Begin | At::Quote) => at = At::Quoted,
            (b'"', At::Quoted) => at = At::Quote,
            (_, At::Quoted) => (),
            (byte, _) if byte == delimiter => {
                (fields, at) = (fields + 1, At::Begin);
                if fields > MAX_WIDTH + 1 {
                    let expected = format!("at most {}", MAX_WIDTH + 1);
                    return refused(line, "the number of columns", &expected, "more");
                }
            }
            (_, At::Quote) => {
                let expected = "the end of a value after its closing quote: quotes inside of it are doubled";
                return refused(line, "a value", expected, "more text");
            }
            // Blanks before a quote do not matter to us, but they do to the parser.
            _ => at = At::Plain,
        }
    }
    if at == At::Quoted { refused(line, "a value", "a sample on one line", open) } else { Ok(()) }
}

/// The line of the record that begins at `offset`, or after the ends of lines there: a parser counts those it has passed.
pub(super) fn line_at(bytes: &[u8], offset: usize) -> FilePlace {
    let ends = bytes.iter().skip(offset).take_while(|byte| b"\r\n".contains(byte)).count();
    let before = bytes.get(..offset + ends).unwrap_or(bytes);
    let is_end = |(i, byte): (usize, &u8)| *byte == b'\n' || (*byte == b'\r' && before.get(i + 1) != Some(&b'\n'));
    FilePlace::Line(1 + before.iter().enumerate().filter(|end| is_end(*end)).count() as u64)
}
