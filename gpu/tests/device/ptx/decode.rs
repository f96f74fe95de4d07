//! One instruction.

use super::{Carry, Compare, Instruction, Names, Operand, Operation, Part, Simple, Space, Type};

const SPECIAL: [&str; 8] =
    ["%tid.x", "%ntid.x", "%ctaid.x", "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z"];

pub fn of_type(name: &str) -> Result<Type, String> {
    let (signed, bits) = match name {
        "pred" => (false, 1),
        _ => (name.starts_with('s'), name[1..].parse().map_err(|_| format!("type {name}"))?),
    };
    if !name.starts_with(['u', 's', 'b', 'p']) {
        return Err(format!("type {name}"));
    }
    Ok(Type { bits, signed })
}

fn register(name: &str, names: &Names) -> Result<u32, String> {
    let digits = name.find(|c: char| c.is_ascii_digit()).ok_or(name)?;
    let (first, count) = names.registers.get(&name[..digits]).ok_or(name)?;
    let number: u32 = name[digits..].parse().map_err(|_| name)?;
    if number < *count { Ok(first + number) } else { Err(format!("{name} is not declared")) }
}

fn operand(name: &str, names: &Names) -> Result<Operand, String> {
    if let Some(special) = SPECIAL.iter().position(|special| *special == name) {
        return Ok(Operand::Special(special));
    }
    if name.starts_with('%') {
        return register(name, names).map(Operand::Register);
    }
    if let Some(address) = names.shared.get(name) {
        return Ok(Operand::Value(*address));
    }
    if let Some(hexadecimal) = name.strip_prefix("0x") {
        return u64::from_str_radix(hexadecimal.trim_end_matches('U'), 16).map(Operand::Value).map_err(|_| name.into());
    }
    let value: i128 = name.parse().map_err(|_| format!("operand {name}"))?;
    Ok(Operand::Value(value as u64))
}

/// `[register + offset]`, or a name of shared memory in place of the register.
fn address(text: &str, names: &Names) -> Result<(Operand, i64), String> {
    let text = text.trim_start_matches('[').trim_end_matches(']');
    let (base, offset) = text.split_once('+').unwrap_or((text, "0"));
    Ok((operand(base, names)?, offset.parse().map_err(|_| format!("offset {offset}"))?))
}

fn list(text: &str) -> Vec<&str> {
    text.trim_start_matches('{').trim_end_matches('}').split(',').map(str::trim).collect()
}

/// The operands, cut at the commas outside of braces.
fn operands(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut parts) = (0, 0, vec![]);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

/// Decodes the text of one instruction; an empty text does nothing.
pub fn instruction(text: &str, names: &Names) -> Result<Instruction, String> {
    let mut rest = text;
    let mut guard = None;
    if let Some(guarded) = text.strip_prefix('@') {
        let (predicate, after) = guarded.split_once(' ').ok_or("no instruction")?;
        guard = Some((register(predicate.trim_start_matches('!'), names)?, predicate.starts_with('!')));
        rest = after;
    }
    let (opcode, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
    let words: Vec<&str> = opcode.split('.').collect();
    let arguments = operands(arguments);
    let argument = |i: usize| arguments.get(i).copied().ok_or("too few operands");
    let last = words.last().copied().unwrap_or_default();
    let (mut to, mut from) = (vec![], vec![]);
    let operation = match words[..] {
        [""] => Operation::Nothing,
        ["bra"] | ["bra", "uni"] => {
            let label = argument(0)?;
            Operation::Branch(*names.labels.get(label).ok_or(format!("no label {label}"))?)
        }
        ["bar", "sync"] if arguments == ["0"] => Operation::Barrier,
        ["ret"] => Operation::Return,
        ["ld", "param", _] => {
            let name = argument(1)?.trim_start_matches('[').trim_end_matches(']');
            to.push(register(argument(0)?, names)?);
            Operation::Parameter(*names.parameters.get(name).ok_or(format!("no parameter {name}"))?)
        }
        ["ld", space, ..] => {
            let registers = list(argument(0)?);
            for name in &registers {
                to.push(register(name, names)?);
            }
            let (base, offset) = address(argument(1)?, names)?;
            from.push(base);
            Operation::Load { space: space_of(space)?, of: of_type(last)?, count: registers.len(), offset }
        }
        ["st", space, ..] => {
            let (base, offset) = address(argument(0)?, names)?;
            from.push(base);
            let values = list(argument(1)?);
            for name in &values {
                from.push(operand(name, names)?);
            }
            Operation::Store { space: space_of(space)?, of: of_type(last)?, count: values.len(), offset }
        }
        ["red", "global", action @ ("add" | "min"), of] => {
            let (base, offset) = address(argument(0)?, names)?;
            from.extend([base, operand(argument(1)?, names)?]);
            let of = of_type(of)?;
            if action == "add" { Operation::AtomicAdd { of, offset } } else { Operation::AtomicMinimum { of, offset } }
        }
        _ => {
            to.push(register(argument(0)?, names)?);
            for name in &arguments[1..] {
                from.push(operand(name, names)?);
            }
            let (operation, takes) = arithmetic(&words, of_type(last)?)?;
            if from.len() != takes {
                return Err(format!("{} operands, {takes} expected", from.len()));
            }
            operation
        }
    };
    let text = text.to_owned();
    Ok(Instruction { guard, operation, to, from, labelled: false, second_half: false, text })
}

fn space_of(name: &str) -> Result<Space, String> {
    match name {
        "global" => Ok(Space::Global),
        "shared" => Ok(Space::Shared),
        _ => Err(format!("space {name}")),
    }
}

/// The operation of an opcode, and how many operands it takes.
fn arithmetic(words: &[&str], of: Type) -> Result<(Operation, usize), String> {
    let carry = |reads: bool| Carry { reads, writes: words.contains(&"cc") };
    let part = || match words[1] {
        "lo" => Ok(Part::Low),
        "hi" => Ok(Part::High),
        "wide" => Ok(Part::Wide),
        other => Err(format!("part {other}")),
    };
    let simple = |simple| Operation::Simple(simple, of);
    Ok(match words[0] {
        "mov" | "cvta" => (simple(Simple::Move), 1),
        "add" => (Operation::Add(of, carry(false)), 2),
        "addc" => (Operation::Add(of, carry(true)), 2),
        "sub" => (Operation::Subtract(of, carry(false)), 2),
        "subc" => (Operation::Subtract(of, carry(true)), 2),
        "mul" => (Operation::Multiply(of, part()?), 2),
        "mad" => (Operation::MultiplyAdd(of, part()?, carry(false)), 3),
        "madc" => (Operation::MultiplyAdd(of, part()?, carry(true)), 3),
        "div" => (simple(Simple::Divide), 2),
        "rem" => (simple(Simple::Remainder), 2),
        "min" => (simple(Simple::Minimum), 2),
        "max" => (simple(Simple::Maximum), 2),
        "abs" => (simple(Simple::Absolute), 1),
        "neg" => (simple(Simple::Negate), 1),
        "and" => (simple(Simple::And), 2),
        "or" => (simple(Simple::Or), 2),
        "xor" => (simple(Simple::Xor), 2),
        "not" => (simple(Simple::Not), 1),
        "shl" => (simple(Simple::ShiftLeft), 2),
        "shr" => (simple(Simple::ShiftRight), 2),
        "selp" => (simple(Simple::Select), 3),
        "bfi" => (simple(Simple::BitInsert), 4),
        "cvt" if words.len() == 3 => (Operation::Convert { to: of_type(words[1])?, from: of }, 1),
        "setp" if words.len() == 3 => {
            let compare = match words[1] {
                "eq" => Compare::Equal,
                "ne" => Compare::NotEqual,
                "lt" => Compare::Less,
                "le" => Compare::LessOrEqual,
                "gt" => Compare::Greater,
                "ge" => Compare::GreaterOrEqual,
                other => return Err(format!("comparison {other}")),
            };
            (Operation::Set(compare, of), 2)
        }
        other => return Err(format!("opcode {other}")),
    })
}
