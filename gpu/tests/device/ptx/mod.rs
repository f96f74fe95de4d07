//! The subset of PTX that our kernels are made of: a text becomes kernels of decoded instructions. What is not known is an error.
//!
//! Source: NVIDIA, "Parallel Thread Execution ISA", version 8.4.

mod decode;
mod registers;

use std::collections::HashMap;

pub use decode::instruction;

/// A type of registers and memory: how many bits, and whether the highest is a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    pub bits: u32,
    pub signed: bool,
}

impl Type {
    pub fn bytes(self) -> u64 {
        u64::from(self.bits / 8)
    }

    /// The low bits of a value.
    pub fn cut(self, value: u64) -> u64 {
        if self.bits == 64 { value } else { value & ((1 << self.bits) - 1) }
    }

    /// A value of this type as a number.
    pub fn number(self, value: u64) -> i128 {
        let value = self.cut(value);
        if self.signed && self.bits > 1 && value >> (self.bits - 1) & 1 == 1 {
            i128::from(value) - (1 << self.bits)
        } else {
            i128::from(value)
        }
    }
}

/// What an instruction reads.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    Register(u32),
    Value(u64),
    /// Of `%tid.x`, `%ntid.x`, `%ctaid.xyz`, `%nctaid.xyz`, the place in this list.
    Special(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Low,
    High,
    Wide,
}

/// Whether an instruction reads and writes the carry flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carry {
    pub reads: bool,
    pub writes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Global,
    Shared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simple {
    Move,
    Divide,
    Remainder,
    Minimum,
    Maximum,
    Absolute,
    Negate,
    And,
    Or,
    Xor,
    Not,
    ShiftLeft,
    ShiftRight,
    Select,
    BitInsert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Simple(Simple, Type),
    Add(Type, Carry),
    Subtract(Type, Carry),
    Multiply(Type, Part),
    MultiplyAdd(Type, Part, Carry),
    Convert {
        to: Type,
        from: Type,
    },
    Set(Compare, Type),
    Parameter(usize),
    Load {
        space: Space,
        of: Type,
        count: usize,
        offset: i64,
    },
    Store {
        space: Space,
        of: Type,
        count: usize,
        offset: i64,
    },
    AtomicAdd {
        of: Type,
        offset: i64,
    },
    AtomicMinimum {
        of: Type,
        offset: i64,
    },
    Branch(usize),
    Barrier,
    Return,
    /// A label before a directive.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Instruction {
    /// The predicate, and whether it has to be false.
    pub guard: Option<(u32, bool)>,
    pub operation: Operation,
    pub to: Vec<u32>,
    pub from: Vec<Operand>,
    /// A label stands before it: control may come from elsewhere, and the flag is lost.
    pub labelled: bool,
    /// The second half of a wide multiplication: `madc.hi` after the `mad.lo` of the same factors. A device makes both in one.
    pub second_half: bool,
    pub text: String,
}

impl Instruction {
    /// Whether it is a multiplication of 32 by 32 bits to 64, counted once.
    pub fn is_wide(&self) -> bool {
        self.second_half || matches!(self.operation, Operation::Multiply(_, Part::Wide))
    }

    /// Whether it gives a constant, a register or a half of one another name: a device needs no instruction for that.
    pub fn is_name(&self) -> bool {
        match self.operation {
            Operation::Nothing | Operation::Simple(Simple::Move, _) => true,
            Operation::Convert { to, from } => !to.signed && !from.signed,
            Operation::Simple(Simple::ShiftRight, of) => of.bits == 64 && matches!(self.from[1], Operand::Value(32)),
            _ => false,
        }
    }

    pub fn carry(&self) -> Carry {
        match self.operation {
            Operation::Add(_, carry) | Operation::Subtract(_, carry) | Operation::MultiplyAdd(_, _, carry) => carry,
            _ => Carry { reads: false, writes: false },
        }
    }
}

#[derive(Clone, Debug)]
pub struct Kernel {
    pub name: String,
    pub parameters: Vec<Type>,
    /// `.maxntid`: the product of its three numbers.
    pub block: Option<u32>,
    pub registers: usize,
    pub shared_bytes: usize,
    pub code: Vec<Instruction>,
}

/// Names of a kernel on the way to numbers.
#[derive(Default)]
pub struct Names {
    registers: HashMap<String, (u32, u32)>,
    parameters: HashMap<String, usize>,
    shared: HashMap<String, u64>,
    labels: HashMap<String, usize>,
}

/// The kernels of a text by name; an error names what is not known.
pub fn parse(text: &str) -> Result<HashMap<String, Kernel>, String> {
    let text: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut parts = text.split(".visible .entry ");
    let head = parts.next().unwrap_or_default();
    for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let known = [".version", ".target", ".address_size"];
        if !known.iter().any(|word| line.starts_with(word)) {
            return Err(format!("before the kernels: {line}"));
        }
    }
    parts.map(|part| kernel(part).map(|kernel| (kernel.name.clone(), kernel))).collect()
}

fn kernel(text: &str) -> Result<Kernel, String> {
    let (name, rest) = text.split_once('(').ok_or("no parameters")?;
    let (parameters, rest) = rest.split_once(')').ok_or("no end of parameters")?;
    let (directives, rest) = rest.split_once("\n{").ok_or("no body")?;
    let (body, after) = rest.split_once("\n}").ok_or("no end of a body")?;
    if !after.trim().is_empty() {
        return Err(format!("{name}: after the body: {}", after.trim()));
    }
    let mut names = Names::default();
    let mut kernel = Kernel {
        name: name.trim().into(),
        parameters: vec![],
        block: None,
        registers: 0,
        shared_bytes: 0,
        code: vec![],
    };
    for (i, parameter) in parameters.split(',').enumerate() {
        let words: Vec<&str> = parameter.split_whitespace().collect();
        let [".param", of, name] = words[..] else { return Err(format!("parameter: {parameter}")) };
        kernel.parameters.push(decode::of_type(of.trim_start_matches('.'))?);
        names.parameters.insert(name.into(), i);
    }
    for directive in directives.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match directive.split_once(' ') {
            Some((".maxntid", threads)) => {
                let threads: Result<Vec<u32>, _> = threads.split(',').map(|n| n.trim().parse()).collect();
                kernel.block = Some(threads.map_err(|error| format!("{name}: {error}"))?.iter().product());
            }
            Some((".minnctapersm", _)) => {}
            _ => return Err(format!("{name}: {directive}")),
        }
    }
    let mut statements = vec![];
    for statement in body.split(';') {
        let mut statement = statement.trim();
        let mut labelled = false;
        while let Some((label, rest)) = statement.strip_prefix('$').and_then(|rest| rest.split_once(':')) {
            names.labels.insert(format!("${label}"), statements.len());
            (statement, labelled) = (rest.trim(), true);
        }
        if statement.starts_with('.') {
            declare(statement, &mut kernel, &mut names)?;
            if labelled {
                // A directive between a label and its instruction.
                statements.push((String::new(), true));
            }
        } else if !statement.is_empty() {
            statements.push((statement.split_whitespace().collect::<Vec<_>>().join(" "), labelled));
        }
    }
    for (text, labelled) in statements {
        let mut instruction = instruction(&text, &names).map_err(|error| format!("{name}: {text}: {error}"))?;
        instruction.labelled = labelled;
        instruction.second_half = kernel.code.last().is_some_and(|last| makes_wide(last, &instruction));
        kernel.code.push(instruction);
    }
    registers::pack(&mut kernel);
    Ok(kernel)
}

/// Registers, shared memory, hints.
fn declare(statement: &str, kernel: &mut Kernel, names: &mut Names) -> Result<(), String> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    match words[..] {
        [".reg", _, range] => {
            let (prefix, count) = range.trim_end_matches('>').split_once('<').ok_or(statement)?;
            let count: u32 = count.parse().map_err(|_| statement)?;
            names.registers.insert(prefix.into(), (kernel.registers as u32, count));
            kernel.registers += count as usize;
        }
        [".shared", ".align", align, ".b8", array] => {
            let (name, size) = array.trim_end_matches(']').split_once('[').ok_or(statement)?;
            let (align, size): (usize, usize) =
                (align.parse().map_err(|_| statement)?, size.parse().map_err(|_| statement)?);
            let at = kernel.shared_bytes.next_multiple_of(align);
            names.shared.insert(name.into(), at as u64);
            kernel.shared_bytes = at + size;
        }
        [".pragma", ..] => {}
        _ => return Err(format!("{}: {statement}", kernel.name)),
    }
    Ok(())
}

fn makes_wide(first: &Instruction, second: &Instruction) -> bool {
    let (Operation::MultiplyAdd(_, Part::Low, low), Operation::MultiplyAdd(_, Part::High, high)) =
        (first.operation, second.operation)
    else {
        return false;
    };
    let factors = |instruction: &Instruction| format!("{:?}", &instruction.from[..2]);
    low.writes && high.reads && factors(first) == factors(second)
}
