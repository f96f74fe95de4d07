//! Memory that knows what was written, and which thread touched a word last.

use super::Problem;

/// Who touches memory: thread and block by number, and how many barriers the block has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    pub thread: u32,
    pub block: u32,
    pub interval: u32,
}

impl Visitor {
    /// Whether nothing puts the two in an order: another block, or another thread between the same barriers.
    fn is_unordered(self, other: Self) -> bool {
        self.block != other.block || (self.thread != other.thread && self.interval == other.interval)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Atomic,
}

/// Who touched four bytes in this launch.
#[derive(Clone, Copy, Default)]
struct Word {
    writer: Option<(Visitor, bool)>,
    reader: Option<Visitor>,
    second: Option<Visitor>,
    read_by_blocks: bool,
}

/// A piece of memory with bounds.
#[derive(Default)]
pub struct Memory {
    pub bytes: Vec<u8>,
    written: Vec<bool>,
    words: Vec<Word>,
}

impl Memory {
    /// Memory that nobody has written.
    pub fn new(bytes: usize) -> Self {
        let mut memory = Self { bytes: vec![0xa5; bytes], written: vec![false; bytes], words: vec![] };
        memory.begin_launch();
        memory
    }

    pub fn begin_launch(&mut self) {
        self.words.clear();
        self.words.resize(self.bytes.len().div_ceil(4), Word::default());
    }

    /// The range at `offset`, if it lies inside and is a multiple of its size.
    fn range(&self, offset: u64, size: u64) -> Result<std::ops::Range<usize>, Problem> {
        let end = offset.checked_add(size).filter(|end| *end <= self.bytes.len() as u64);
        let end = end.ok_or(Problem::OutOfBounds)?;
        if offset.is_multiple_of(size) { Ok(offset as usize..end as usize) } else { Err(Problem::Misaligned) }
    }

    /// What stands at `offset`, of `size` bytes, at most 8.
    pub fn read(&mut self, offset: u64, size: u64, visitor: Visitor) -> Result<u64, Problem> {
        let range = self.range(offset, size)?;
        if self.written[range.clone()].contains(&false) {
            return Err(Problem::Unwritten);
        }
        self.visit(range.clone(), visitor, Access::Read)?;
        let mut value = [0; 8];
        value[..range.len()].copy_from_slice(&self.bytes[range]);
        Ok(u64::from_le_bytes(value))
    }

    pub fn write(
        &mut self,
        offset: u64,
        size: u64,
        value: u64,
        visitor: Visitor,
        access: Access,
    ) -> Result<(), Problem> {
        let range = self.range(offset, size)?;
        self.visit(range.clone(), visitor, access)?;
        self.written[range.clone()].fill(true);
        let count = range.len();
        self.bytes[range].copy_from_slice(&value.to_le_bytes()[..count]);
        Ok(())
    }

    /// What stands at `offset`, for an atomic operation that then writes it.
    pub fn read_atomic(&self, offset: u64, size: u64) -> Result<u64, Problem> {
        let range = self.range(offset, size)?;
        if self.written[range.clone()].contains(&false) {
            return Err(Problem::Unwritten);
        }
        let mut value = [0; 8];
        value[..range.len()].copy_from_slice(&self.bytes[range]);
        Ok(u64::from_le_bytes(value))
    }

    fn visit(&mut self, range: std::ops::Range<usize>, visitor: Visitor, access: Access) -> Result<(), Problem> {
        for word in &mut self.words[range.start / 4..range.end.div_ceil(4)] {
            if let Some((writer, atomic)) = word.writer
                && writer.is_unordered(visitor)
                && !(atomic && access == Access::Atomic)
            {
                return Err(Problem::Race);
            }
            if access == Access::Read {
                match word.reader {
                    Some(reader) if reader.is_unordered(visitor) => {
                        word.read_by_blocks |= reader.block != visitor.block;
                        word.second = Some(visitor);
                    }
                    _ => (word.reader, word.second) = (Some(visitor), None),
                }
            } else {
                let read = [word.reader, word.second].into_iter().flatten().any(|reader| reader.is_unordered(visitor));
                if read || word.read_by_blocks {
                    return Err(Problem::Race);
                }
                word.writer = Some((visitor, access == Access::Atomic));
            }
        }
        Ok(())
    }

    /// The host writes at `offset`.
    pub fn upload(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Problem> {
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= self.bytes.len()).ok_or(Problem::OutOfBounds)?;
        self.bytes[offset..end].copy_from_slice(bytes);
        self.written[offset..end].fill(true);
        Ok(())
    }

    /// The host reads at `offset` what has been written.
    pub fn download(&self, offset: usize, bytes: &mut [u8]) -> Result<(), Problem> {
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= self.bytes.len()).ok_or(Problem::OutOfBounds)?;
        if self.written[offset..end].contains(&false) {
            return Err(Problem::Unwritten);
        }
        bytes.copy_from_slice(&self.bytes[offset..end]);
        Ok(())
    }
}
