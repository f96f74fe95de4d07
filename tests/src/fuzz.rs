//! What all definitions of fuzzing share: bytes that are near to real encodings, and a bound on what a decoder allocates.
//!
//! A definition is a test that runs a few hundred inputs. `cargo bolero test -p PACKAGE TEST` fuzzes it for as long as one likes.

/// Texts that decoders of texts may trip over.
const WORDS: [&[u8]; 12] = [
    b"0",
    b"-1",
    b"18446744073709551616",
    b"1e400",
    b"nan",
    b"null",
    b"\"\"",
    b"[",
    b"{",
    b"\xff",
    b"\n",
    b"9999999999999999",
];

/// The bytes that a fuzzer's `script` stands for: itself, or one of `seeds` with up to eight edits.
pub fn near(seeds: &[Vec<u8>], script: &[u8]) -> Vec<u8> {
    let mut script = script.iter().copied();
    let choice = usize::from(script.next().unwrap_or_default());
    let Some(seed) = seeds.get(choice % (seeds.len() + 1)) else { return script.collect() };
    let mut bytes = seed.clone();
    for _ in 0..script.next().unwrap_or_default() % 9 {
        let mut next = || usize::from(script.next().unwrap_or_default());
        let (edit, value) = (next(), next());
        // Half of all edits are near the beginning, where the headers are.
        let far = (next() << 16 | next() << 8 | next()) % (bytes.len() + 1);
        let at = if edit & 1 == 0 { far } else { far % 64.min(bytes.len() + 1) };
        let rest = &mut bytes[at..];
        match edit >> 1 & 7 {
            0 => bytes.truncate(at),
            1 => bytes.extend(std::iter::repeat_n(value as u8, 1 + value)),
            2 => drop(bytes.splice(at..at, WORDS[value % WORDS.len()].iter().copied())),
            3 => drop(bytes.drain(at..(at + 1 + value % 40).min(bytes.len()).max(at))),
            4 => rest.iter_mut().take(1 << (value % 6)).for_each(|byte| *byte = if value & 64 == 0 { 0 } else { 0xff }),
            5 => rest.iter_mut().take(1).for_each(|byte| *byte ^= 1 << (value % 8)),
            6 => rest.iter_mut().take(1).for_each(|byte| *byte = byte.wrapping_add(1)),
            _ => rest.iter_mut().take(1).for_each(|byte| *byte = value as u8),
        }
    }
    bytes
}

/// What `decode` says of `bytes`.
///
/// # Panics
/// If it holds at any time more than `fixed` bytes of memory and `factor` for each of `bytes`.
pub fn bounded<'a, T>(bytes: &'a [u8], fixed: u64, factor: u64, decode: impl FnOnce(&'a [u8]) -> T) -> T {
    let mut decoded = None;
    let used = allocation_counter::measure(|| decoded = Some(decode(bytes)));
    let most = fixed + factor * bytes.len() as u64;
    assert!(used.bytes_max <= most, "{} bytes of memory for {} of input, at most {most}", used.bytes_max, bytes.len());
    decoded.expect("the decoder has run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_choose_among_seeds_and_raw_bytes() {
        let seeds = [vec![1, 2, 3], vec![4]];
        assert_eq!(near(&seeds, &[]), [1, 2, 3]);
        assert_eq!(near(&seeds, &[1]), [4]);
        assert_eq!(near(&seeds, &[2, 9, 9]), [9, 9]);
        assert_eq!(near(&seeds, &[0, 1, 0, 7, 0, 0, 2]), [1, 2]);
        assert_eq!(near(&seeds, &[0, 1, 14, 7, 0, 0, 2]), [1, 2, 7]);
    }

    #[test]
    #[should_panic(expected = "of input")]
    fn what_allocates_more_than_it_may_is_found() {
        bounded(&[0; 4], 100, 8, |_| vec![0u8; 1000]);
    }
}
