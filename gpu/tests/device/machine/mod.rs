//! A device that interprets PTX, thread by thread, and reports what a card would do silently.
//!
//! A block's threads run one after the other up to their next barrier. That is one of the orders that a card may choose; since
//! every access of two threads to one address without a barrier between is an error, no other order gives another result.

mod arithmetic;
pub mod memory;
mod thread;

use std::collections::{BTreeSet, HashMap};

use self::memory::{Access, Memory, Visitor};
use self::thread::{Thread, calculate};
use crate::ptx::{Instruction, Kernel, Operand, Operation, Space, Type};

/// Bytes between two allocations: no small mistake leads from one to another.
pub const STRIDE: u64 = 1 << 36;
/// Threads that load and store together.
const WARP: u32 = 32;

/// What a card would do silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    OutOfBounds,
    Misaligned,
    /// Memory is read that nobody wrote.
    Unwritten,
    /// Two threads touch an address, at least one writes, and nothing puts them in an order.
    Race,
    /// Threads of a block wait at different barriers, or some have ended.
    DivergentBarrier,
    UndefinedRegister,
    /// The flag is read where no instruction of the same straight line wrote it.
    UndefinedCarry,
    /// More instructions than the launch may take.
    Endless,
    /// The launch does not fit the kernel: arguments, threads.
    WrongLaunch,
}

/// A problem and the instruction at which it showed.
#[derive(Clone, Debug)]
pub struct Fault {
    pub problem: Problem,
    pub at: String,
}

/// In which order blocks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Forward,
    Backward,
    /// Every block of an odd number, then the others.
    OddFirst,
}

/// What a launch did.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Instructions of all threads that a device has to execute: the two halves of a wide multiplication are one, names are none.
    pub instructions: u64,
    /// Multiplications of 32 by 32 bits to 64.
    pub wide: u64,
    /// Sectors of 32 bytes that the loads of each warp touch, each once a turn of a loop.
    pub sectors_read: u64,
    /// Bytes that they ask for, each once a turn.
    pub bytes_read: u64,
}

/// Memory of the device, and what runs on it.
pub struct Machine {
    pub allocations: Vec<Option<Memory>>,
    pub order: Order,
    /// Steps that a launch may take.
    pub limit: u64,
    steps: u64,
    /// How often each instruction of the launch was executed.
    executed: Vec<u64>,
    /// Registers of threads that have ended, for others, and how many threads there were.
    files: Vec<Vec<(u64, u64)>>,
    lives: u64,
    pub counts: Counts,
}

/// Addresses and sizes of the loads of a warp, by how often the thread has come to the instruction: loads of one turn of a loop find
/// each other's sectors in the cache.
type Traffic = HashMap<u32, BTreeSet<(u64, u64)>>;

impl Machine {
    pub fn new() -> Self {
        Self {
            allocations: vec![],
            order: Order::Forward,
            limit: 1_000_000_000,
            steps: 0,
            executed: vec![],
            files: vec![],
            lives: 0,
            counts: Counts::default(),
        }
    }

    /// Runs every block of a grid of `blocks` with `threads` each.
    pub fn launch(
        &mut self,
        kernel: &Kernel,
        blocks: [u32; 3],
        threads: u32,
        arguments: &[(Type, u64)],
    ) -> Result<(), Fault> {
        let types: Vec<u32> = arguments.iter().map(|(of, _)| of.bits).collect();
        let expected: Vec<u32> = kernel.parameters.iter().map(|of| of.bits).collect();
        if types != expected || kernel.block != Some(threads) || blocks.contains(&0) {
            return Err(Fault { problem: Problem::WrongLaunch, at: kernel.name.clone() });
        }
        for memory in self.allocations.iter_mut().flatten() {
            memory.begin_launch();
        }
        self.counts = Counts::default();
        self.steps = 0;
        self.executed = vec![0; kernel.code.len()];
        let count = blocks.iter().product::<u32>();
        let numbers: Vec<u32> = match self.order {
            Order::Forward => (0..count).collect(),
            Order::Backward => (0..count).rev().collect(),
            Order::OddFirst => (0..count).filter(|n| n % 2 == 1).chain((0..count).filter(|n| n % 2 == 0)).collect(),
        };
        for number in numbers {
            self.block(kernel, number, blocks, threads, arguments)?;
        }
        for (code, times) in kernel.code.iter().zip(&self.executed) {
            self.counts.instructions += if code.second_half || code.is_name() { 0 } else { *times };
            self.counts.wide += if code.is_wide() { *times } else { 0 };
        }
        Ok(())
    }

    fn block(
        &mut self,
        kernel: &Kernel,
        number: u32,
        blocks: [u32; 3],
        count: u32,
        arguments: &[(Type, u64)],
    ) -> Result<(), Fault> {
        let place = [number % blocks[0], number / blocks[0] % blocks[1], number / blocks[0] / blocks[1]];
        let [x, y, z] = place.map(u64::from);
        let [width, height, depth] = blocks.map(u64::from);
        let mut threads = vec![];
        for t in 0..count {
            let mut registers = self.files.pop().unwrap_or_default();
            registers.resize(registers.len().max(kernel.registers), (0, 0));
            self.lives += 1;
            threads.push(Thread {
                registers,
                life: self.lives,
                carry: None,
                at: 0,
                ended: false,
                special: [u64::from(t), u64::from(count), x, y, z, width, height, depth],
                visitor: Visitor { thread: t, block: number, interval: 0 },
                loads: HashMap::new(),
            });
        }
        let mut shared = Memory::new(kernel.shared_bytes);
        let mut traffic: Vec<Traffic> = vec![];
        traffic.resize_with(count.div_ceil(WARP) as usize, Traffic::new);
        loop {
            let mut places = BTreeSet::new();
            for thread in &mut threads {
                let warp = &mut traffic[(thread.visitor.thread / WARP) as usize];
                if !thread.ended {
                    self.run(kernel, thread, &mut shared, arguments, warp).map_err(|(problem, at)| Fault {
                        problem,
                        at: format!("{}: {}", kernel.name, kernel.code.get(at).map_or("the end", |code| &code.text)),
                    })?;
                }
                places.insert(if thread.ended { usize::MAX } else { thread.at });
                thread.visitor.interval += 1;
            }
            if places.len() > 1 {
                return Err(Fault { problem: Problem::DivergentBarrier, at: kernel.name.clone() });
            }
            if places.contains(&usize::MAX) {
                break;
            }
        }
        self.files.extend(threads.into_iter().map(|thread| thread.registers));
        for accesses in traffic.iter().flat_map(Traffic::values) {
            let sectors: BTreeSet<u64> = accesses.iter().map(|(address, _)| address / 32).collect();
            self.counts.sectors_read += sectors.len() as u64;
            self.counts.bytes_read += accesses.iter().map(|(_, size)| size).sum::<u64>();
        }
        Ok(())
    }

    /// Runs a thread past its next barrier, or to its end.
    fn run(
        &mut self,
        kernel: &Kernel,
        thread: &mut Thread,
        shared: &mut Memory,
        arguments: &[(Type, u64)],
        traffic: &mut Traffic,
    ) -> Result<(), (Problem, usize)> {
        loop {
            let at = thread.at;
            let Some(code) = kernel.code.get(at) else { return Err((Problem::OutOfBounds, at)) };
            thread.at += 1;
            if code.labelled {
                thread.carry = None;
            }
            if let Some((predicate, negated)) = code.guard {
                let holds = thread.value(Operand::Register(predicate)).map_err(|problem| (problem, at))? == 1;
                if holds == negated {
                    thread.carry = None;
                    continue;
                }
            }
            self.executed[at] += 1;
            self.steps += 1;
            if self.steps > self.limit {
                return Err((Problem::Endless, at));
            }
            match code.operation {
                Operation::Nothing => {}
                Operation::Barrier => return Ok(()),
                Operation::Return => {
                    thread.ended = true;
                    return Ok(());
                }
                Operation::Branch(to) => (thread.at, thread.carry) = (to, None),
                Operation::Parameter(which) => thread.set(code.to[0], arguments[which].1),
                Operation::Load { .. }
                | Operation::Store { .. }
                | Operation::AtomicAdd { .. }
                | Operation::AtomicMinimum { .. } => {
                    self.touch(code, at, thread, shared, traffic).map_err(|problem| (problem, at))?;
                }
                _ => calculate(code, thread).map_err(|problem| (problem, at))?,
            }
        }
    }

    fn touch(
        &mut self,
        code: &Instruction,
        at: usize,
        thread: &mut Thread,
        shared: &mut Memory,
        traffic: &mut Traffic,
    ) -> Result<(), Problem> {
        let (space, of, count, offset) = match code.operation {
            Operation::Load { space, of, count, offset } | Operation::Store { space, of, count, offset } => {
                (space, of, count as u64, offset)
            }
            Operation::AtomicAdd { of, offset } | Operation::AtomicMinimum { of, offset } => {
                (Space::Global, of, 1, offset)
            }
            _ => return Ok(()),
        };
        let address = thread.value(code.from[0])?.wrapping_add_signed(offset);
        let size = of.bytes();
        if !address.is_multiple_of(size * count) {
            return Err(Problem::Misaligned);
        }
        let visitor = thread.visitor;
        let (memory, offset) = match space {
            Space::Shared => (shared, address),
            Space::Global => {
                let number = (address / STRIDE).checked_sub(1).ok_or(Problem::OutOfBounds)?;
                let memory = self.allocations.get_mut(number as usize).and_then(Option::as_mut);
                (memory.ok_or(Problem::OutOfBounds)?, address % STRIDE)
            }
        };
        match code.operation {
            Operation::Load { .. } => {
                if space == Space::Global {
                    let times = thread.loads.entry(at).or_default();
                    *times += 1;
                    let accesses = traffic.entry(*times).or_default();
                    (0..count).for_each(|i| _ = accesses.insert((address + i * size, size)));
                }
                for (i, register) in (0..count).zip(&code.to) {
                    let value = memory.read(offset + i * size, size, visitor)?;
                    // A load extends to the width of its register.
                    thread.set(*register, of.number(value) as u64);
                }
            }
            Operation::Store { .. } => {
                for (i, from) in (0..count).zip(&code.from[1..]) {
                    memory.write(offset + i * size, size, thread.value(*from)?, visitor, Access::Write)?;
                }
            }
            operation => {
                let (old, operand) = (memory.read_atomic(offset, size)?, thread.value(code.from[1])?);
                let is_sum = matches!(operation, Operation::AtomicAdd { .. });
                let smaller = if of.number(old) < of.number(operand) { old } else { operand };
                let new = if is_sum { of.cut(old.wrapping_add(operand)) } else { smaller };
                memory.write(offset, size, new, visitor, Access::Atomic)?;
            }
        }
        Ok(())
    }
}
