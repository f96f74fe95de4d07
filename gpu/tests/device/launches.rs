//! What stands in the PTX without running it: launches fit the device, the carry flag is kept, nothing but integers.

use std::collections::{BTreeMap, HashMap};

use ark_bn254::Fr;
use gradproof_gpu::{Columns, Device, Kernel, Shape, Weights};

use crate::emulated::{Emulated, TEXT, device};
use crate::ptx::{self, Instruction};
use crate::samples::bases;

/// A device's registers for a block, and the shared memory that needs no asking.
const REGISTERS: u32 = 65_536;
const SHARED_BYTES: usize = 48 << 10;

fn kernels() -> HashMap<String, ptx::Kernel> {
    ptx::parse(&TEXT).expect("every instruction is known: integers, and sums and minima alone are atomic")
}

/// Registers of each kernel on each architecture, as `cargo xtask gpu-kernels` has measured them.
fn resources() -> BTreeMap<(String, String), [u32; 4]> {
    let table = include_str!("../../kernels/resources.txt").lines().filter(|line| !line.starts_with('#'));
    table
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |i: usize| words[i].parse().expect("a number");
            ((words[0].to_owned(), words[1].to_owned()), [number(2), number(3), number(4), number(5)])
        })
        .collect()
}

#[test]
fn launches_fit_every_device() {
    let kernels = kernels();
    assert_eq!(kernels.len(), Kernel::ALL.len());
    let resources = resources();
    for kernel in Kernel::ALL {
        let (name, parsed) = (kernel.name(), &kernels[kernel.name()]);
        assert_eq!(parsed.block, Some(kernel.threads()), "{name}: .maxntid");
        assert_eq!(parsed.shared_bytes, kernel.shared_bytes(), "{name}: shared memory");
        assert!(kernel.shared_bytes() <= SHARED_BYTES, "{name}");
        for architecture in ["sm_75", "sm_80", "sm_90", "sm_100"] {
            let [registers, spilled, shared, code] = resources[&(name.to_owned(), architecture.to_owned())];
            assert_eq!(spilled, 0, "{name}, {architecture}: bytes spilled");
            assert!(
                shared as usize >= kernel.shared_bytes() && shared as usize <= SHARED_BYTES,
                "{name}, {architecture}"
            );
            // Registers are given out eight a thread.
            assert!(registers.next_multiple_of(8) * kernel.threads() <= REGISTERS, "{name}, {architecture}");
            assert!(code > 0, "{name}, {architecture}");
        }
    }
    assert_eq!(resources.len(), 4 * Kernel::ALL.len());
}

#[test]
fn a_driver_from_550_on_takes_the_kernels() {
    let version = TEXT.lines().find_map(|line| line.strip_prefix(".version ")).expect("a version");
    assert_eq!(version, "8.4");
    assert!(TEXT.contains(".target sm_75\n"));
}

/// The first place at which the carry flag could be lost: it is written and read in a straight line, and no other writes between.
fn lost_carry(code: &[Instruction]) -> Option<&str> {
    let mut written: Option<&Instruction> = None;
    for instruction in code {
        let carry = instruction.carry();
        let branches = instruction.labelled || instruction.text.contains("bra") || instruction.text == "ret";
        if let Some(writer) = written
            && (branches || (carry.writes && !carry.reads))
        {
            return Some(&writer.text);
        }
        if carry.reads {
            if written.is_none() {
                return Some(&instruction.text);
            }
            written = None;
        }
        if carry.writes {
            if instruction.guard.is_some() {
                return Some(&instruction.text);
            }
            written = Some(instruction);
        }
    }
    written.map(|writer| writer.text.as_str())
}

#[test]
fn the_carry_flag_is_read_where_it_was_written() {
    let kernels = kernels();
    for kernel in kernels.values() {
        assert_eq!(lost_carry(&kernel.code), None, "{}", kernel.name);
    }
    // The test finds what it looks for.
    let code = &kernels["fr_sums"].code;
    let first = code.iter().position(|instruction| instruction.carry().writes).expect("there is one");
    let mut doubled = code.clone();
    doubled.insert(first, code[first].clone());
    assert!(lost_carry(&doubled).is_some(), "a writer after a writer");
    let mut without = code.clone();
    without.remove(first);
    assert!(lost_carry(&without).is_some(), "a reader without a writer");
    let mut cut = code.clone();
    cut[first + 1].labelled = true;
    assert!(lost_carry(&cut).is_some(), "a label between");
}

/// What a kernel does more in the second of two computations.
fn more(kernel: Kernel, computation: impl Fn(&mut Device<Emulated>, usize)) -> (u64, u64) {
    let counts = |size: usize| {
        let mut device = device();
        computation(&mut device, size);
        device.driver().counts[&kernel].clone()
    };
    let (one, two) = (counts(1), counts(2));
    (two.instructions - one.instructions, two.wide - one.wide)
}

#[test]
fn a_field_product_costs_what_was_counted() {
    let (instructions, wide) = more(Kernel::FrProduct, |device, times| {
        device.fr_products(&[Fr::from(3)], &[Fr::from(5)], times).expect("a product");
    });
    println!("a product: {instructions} instructions, {wide} of them wide multiplications");
    assert_eq!(wide, 128);
    // 185 and the loop.
    assert!(instructions <= 189, "{instructions}");
}

#[test]
fn a_committed_value_costs_two_additions_of_ten_products() {
    let bases = bases(1, 3);
    let (instructions, wide) = more(Kernel::TableCommitI16, |device, count| {
        let table = device.table(&bases[..count + 1], 8, 2).expect("a table");
        device.commit(&table, Columns::I16(&[12_345; 3][..count + 1]), 1).expect("a commitment");
    });
    println!("a committed value: {instructions} instructions, {wide} of them wide multiplications");
    assert!(wide <= 2 * 10 * 128 + 8, "{wide}");
}

#[test]
fn a_narrow_product_costs_one_multiplication() {
    let (instructions, wide) = more(Kernel::ProductNarrow, |device, size| {
        let shape = Shape { rows: 64, inputs: 16 * size, outputs: 64, parts: 1 };
        let (left, right) = (vec![1; 64 * shape.inputs], vec![1; 64 * shape.inputs]);
        device.product(&left, Weights::Narrow(&right), shape).expect("a product");
    });
    let terms = 64 * 64 * 16u32;
    println!("a term of a product: {:.2} instructions", instructions as f64 / f64::from(terms));
    // Addresses are the rest.
    assert!(wide <= u64::from(terms) * 11 / 10, "{wide}");
}

#[test]
fn loads_fetch_little_but_what_they_ask_for() {
    let mut device = device();
    let shape = Shape { rows: 64, inputs: 64, outputs: 64, parts: 1 };
    device.product(&[1; 64 * 64], Weights::Narrow(&[1; 64 * 64]), shape).expect("a product");
    device.product(&[1; 64 * 64], Weights::Wide(&[1; 64 * 64]), shape).expect("a product");
    device.fold(&[Fr::from(1); 512], Fr::from(2)).expect("a fold");
    device.fr_products(&[Fr::from(1); 128], &[Fr::from(1); 128], 1).expect("products");
    let table = device.table(&bases(2, 2), 3, 6).expect("a table");
    device.commit(&table, Columns::I16(&[-7; 128]), 64).expect("commitments");
    for kernel in [
        Kernel::ProductNarrow,
        Kernel::ProductWide,
        Kernel::FrFold,
        Kernel::FrProduct,
        Kernel::TableCommitI16,
        Kernel::ColumnSum,
    ] {
        let counts = &device.driver().counts[&kernel];
        let ratio = counts.sectors_read as f64 * 32.0 / counts.bytes_read as f64;
        println!("{}: {ratio:.2} sectors read for one needed", kernel.name());
        assert!(ratio <= 1.3, "{}: {ratio:.2}", kernel.name());
    }
}
