//! One thread: its registers, its flag, and the instructions that touch nothing else.

use std::collections::HashMap;

use super::Problem;
use super::arithmetic::{compare, multiply, simple};
use super::memory::Visitor;
use crate::ptx::{Instruction, Operand, Operation, Part, Type};

pub struct Thread {
    /// Value, and the life in which it was set: registers of earlier threads are undefined.
    pub registers: Vec<(u64, u64)>,
    pub life: u64,
    pub carry: Option<bool>,
    pub at: usize,
    pub ended: bool,
    pub special: [u64; 8],
    pub visitor: Visitor,
    pub loads: HashMap<usize, u32>,
}

impl Thread {
    pub fn value(&self, operand: Operand) -> Result<u64, Problem> {
        match operand {
            Operand::Value(value) => Ok(value),
            Operand::Special(which) => Ok(self.special[which]),
            Operand::Register(register) => {
                let (value, life) = self.registers[register as usize];
                if life == self.life { Ok(value) } else { Err(Problem::UndefinedRegister) }
            }
        }
    }

    pub fn set(&mut self, register: u32, value: u64) {
        self.registers[register as usize] = (value, self.life);
    }
}

/// An instruction from registers to a register.
pub fn calculate(code: &Instruction, thread: &mut Thread) -> Result<(), Problem> {
    let mut values = [0; 4];
    for (value, from) in values.iter_mut().zip(&code.from) {
        *value = thread.value(*from)?;
    }
    let [a, b, c, _] = values;
    let flag = |thread: &Thread| thread.carry.ok_or(Problem::UndefinedCarry).map(u64::from);
    let carry = code.carry();
    let carried = if carry.reads { flag(thread)? } else { 0 };
    let result = match code.operation {
        Operation::Simple(which, of) => simple(which, of, values),
        Operation::Convert { to, from } => to.cut(from.number(a) as u64),
        Operation::Set(how, of) => u64::from(compare(how, of.number(a), of.number(b))),
        Operation::Multiply(of, part) => multiply(of, part, a, b),
        Operation::Add(of, _) | Operation::MultiplyAdd(of, ..) | Operation::Subtract(of, _) => {
            let (of, first, second, minus) = match code.operation {
                Operation::MultiplyAdd(_, part, _) => {
                    let wide = if part == Part::Wide { Type { bits: 64, ..of } } else { of };
                    (wide, multiply(of, part, a, b), c, false)
                }
                Operation::Subtract(..) => (of, a, b, true),
                _ => (of, a, b, false),
            };
            let (first, second) = (of.cut(first), of.cut(second));
            // The flag of a subtraction is a borrow.
            let (half, over) = if minus { first.overflowing_sub(second) } else { first.overflowing_add(second) };
            let (sum, again) = if minus { half.overflowing_sub(carried) } else { half.overflowing_add(carried) };
            if carry.writes {
                thread.carry = Some(if of.bits == 64 { over || again } else { sum >> of.bits & 1 == 1 });
            }
            of.cut(sum)
        }
        _ => return Ok(()),
    };
    thread.set(code.to[0], result);
    Ok(())
}
