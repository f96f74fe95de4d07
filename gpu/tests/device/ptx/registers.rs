//! Fewer registers: the compiler names a new one for every result, thousands a kernel, and most live for a few instructions.

use std::collections::HashMap;

use super::{Instruction, Kernel, Operand, Operation};

/// Gives the registers that live within one straight line the places of others that have died. All others get a place of their own, so
/// that one that is read before it was written is still found.
pub fn pack(kernel: &mut Kernel) {
    let lines = straight_lines(&kernel.code);
    // Where each register is first and last named, and the line if it is only one.
    let mut lives: HashMap<u32, Life> = HashMap::new();
    for (at, (instruction, line)) in kernel.code.iter().zip(&lines).enumerate() {
        for register in read(instruction) {
            lives.entry(register).or_insert(Life { line: None, last: at }).name(at, *line);
        }
        for register in &instruction.to {
            let line_of_first = (instruction.guard.is_none()).then_some(*line);
            lives.entry(*register).or_insert(Life { line: line_of_first, last: at }).name(at, *line);
        }
    }
    let mut places: HashMap<u32, u32> = HashMap::new();
    let mut lasting: Vec<u32> = lives.iter().filter(|(_, life)| life.line.is_none()).map(|(name, _)| *name).collect();
    lasting.sort_unstable();
    for register in lasting {
        places.insert(register, places.len() as u32);
    }
    let (mut count, mut free) = (places.len() as u32, vec![]);
    for (at, instruction) in kernel.code.iter_mut().enumerate() {
        let named: Vec<u32> = read(instruction).chain(instruction.to.iter().copied()).collect();
        for register in &named {
            if !places.contains_key(register) {
                let place = free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                });
                places.insert(*register, place);
            }
        }
        let place = |register: u32| places[&register];
        instruction.guard = instruction.guard.map(|(register, negated)| (place(register), negated));
        instruction.to.iter_mut().for_each(|register| *register = place(*register));
        for operand in &mut instruction.from {
            if let Operand::Register(register) = operand {
                *register = place(*register);
            }
        }
        // Dead after this instruction: all of them at once, so that a result never takes the place of an operand beside it.
        for register in named {
            if lives[&register].line.is_some() && lives[&register].last == at {
                free.extend(places.remove(&register));
            }
        }
    }
    kernel.registers = count as usize;
}

struct Life {
    line: Option<usize>,
    last: usize,
}

impl Life {
    fn name(&mut self, at: usize, line: usize) {
        self.last = at;
        self.line = self.line.filter(|known| *known == line);
    }
}

/// Registers that an instruction reads.
fn read(instruction: &Instruction) -> impl Iterator<Item = u32> + '_ {
    let operands = instruction.from.iter().filter_map(|operand| match operand {
        Operand::Register(register) => Some(*register),
        _ => None,
    });
    instruction.guard.map(|(register, _)| register).into_iter().chain(operands)
}

/// For each instruction the number of its straight line: into which nothing jumps, and out of which only its last instruction does.
fn straight_lines(code: &[Instruction]) -> Vec<usize> {
    let mut line = 0;
    let mut lines = vec![];
    for instruction in code {
        line += usize::from(instruction.labelled);
        lines.push(line);
        line += usize::from(matches!(instruction.operation, Operation::Branch(_) | Operation::Return));
    }
    lines
}
