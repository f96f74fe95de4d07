//! Kernels with a fault in them: the tests of each kernel find every one.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::emulated::{TEXT, with_kernel};
use crate::{field, product, ptx, table};

/// Which occurrence of a text is changed.
#[derive(Clone, Copy, Debug)]
enum Where {
    First,
    Middle,
    Last,
}
use Where::{First, Last, Middle};

/// A kernel, a text in it, which of its occurrences, and what comes in its place.
type Fault = (&'static str, &'static str, Where, &'static str);

const FAULTS: [Fault; 71] = [
    // A lost carry.
    ("fr_product", "madc.lo.cc.u32", First, "mad.lo.cc.u32"),
    ("fr_product", "madc.lo.cc.u32", Middle, "mad.lo.cc.u32"),
    ("fr_product", "madc.lo.cc.u32", Last, "mad.lo.cc.u32"),
    ("fr_product", "madc.hi.cc.u32", Middle, "mad.hi.cc.u32"),
    ("fr_product", "madc.hi.u32", Middle, "mad.hi.u32"),
    ("fr_product", "addc.cc.u32", First, "add.cc.u32"),
    ("fr_product", "addc.cc.u32", Last, "add.cc.u32"),
    ("fr_product", "addc.u32", First, "add.u32"),
    ("fr_product", "addc.u32", Middle, "add.u32"),
    ("fr_product", "addc.u32", Last, "add.u32"),
    ("fr_product", "subc.cc.u32", First, "sub.cc.u32"),
    ("fr_product", "subc.u32", Last, "sub.u32"),
    ("fq_product", "madc.lo.cc.u32", Middle, "mad.lo.cc.u32"),
    ("fq_product", "addc.cc.u32", Middle, "add.cc.u32"),
    ("fq_product", "subc.cc.u32", Last, "sub.cc.u32"),
    ("fr_sums", "addc.cc.u32", First, "add.cc.u32"),
    ("fr_sums", "addc.cc.u32", Last, "add.cc.u32"),
    ("fr_sums", "subc.cc.u32", Middle, "sub.cc.u32"),
    ("fr_sums", "subc.u32", First, "sub.u32"),
    ("fq_sums", "addc.cc.u32", Middle, "add.cc.u32"),
    ("fq_sums", "subc.cc.u32", Last, "sub.cc.u32"),
    ("fr_fold", "madc.lo.cc.u32", Middle, "mad.lo.cc.u32"),
    ("fr_fold", "addc.cc.u32", Last, "add.cc.u32"),
    ("table_build", "madc.lo.cc.u32", Middle, "mad.lo.cc.u32"),
    ("table_build", "subc.cc.u32", Middle, "sub.cc.u32"),
    ("table_commit_i16", "madc.lo.cc.u32", First, "mad.lo.cc.u32"),
    ("table_commit_i16", "madc.lo.cc.u32", Last, "mad.lo.cc.u32"),
    ("table_commit_i64", "subc.cc.u32", Last, "sub.cc.u32"),
    ("column_sum", "madc.lo.cc.u32", Middle, "mad.lo.cc.u32"),
    ("column_sum", "addc.cc.u32", Last, "add.cc.u32"),
    ("column_sum", "subc.cc.u32", Last, "sub.cc.u32"),
    ("column_sum", "subc.cc.u32", Middle, "sub.cc.u32"),
    ("table_commit_i16", "subc.cc.u32", First, "sub.cc.u32"),
    ("table_commit_i16", "subc.cc.u32", Middle, "sub.cc.u32"),
    // One past the end, or one short of it.
    ("fr_product", "setp.ge.u32", First, "setp.gt.u32"),
    ("fq_product", "setp.ge.u32", First, "setp.gt.u32"),
    ("fr_sums", "setp.ge.u32", First, "setp.gt.u32"),
    ("fq_sums", "setp.ge.u32", First, "setp.gt.u32"),
    ("fr_fold", "setp.ge.u32", First, "setp.gt.u32"),
    ("table_build", "setp.ge.u32", First, "setp.gt.u32"),
    ("table_commit_i16", "setp.ge.u32", First, "setp.gt.u32"),
    ("table_commit_i64", "setp.ge.u32", First, "setp.gt.u32"),
    ("table_commit_i16", "setp.lt.u32", Last, "setp.le.u32"),
    ("table_commit_i64", "min.u32", Last, "max.u32"),
    ("product_narrow", "setp.ge.u32", First, "setp.gt.u32"),
    ("product_narrow", "setp.ge.u32", Last, "setp.gt.u32"),
    ("product_wide", "setp.ge.u32", Middle, "setp.gt.u32"),
    // A missing barrier.
    ("product_narrow", "bar.sync 0;", First, ""),
    ("product_narrow", "bar.sync 0;", Last, ""),
    ("product_wide", "bar.sync 0;", First, ""),
    ("product_wide", "bar.sync 0;", Last, ""),
    ("column_sum", "bar.sync 0;", First, ""),
    // A barrier that some threads do not reach.
    ("column_sum", "bar.sync 0;", First, "@%p2 bar.sync 0;"),
    // A swapped sign.
    ("table_commit_i16", "setp.gt.s64", First, "setp.lt.s64"),
    ("table_commit_i64", "setp.gt.s64", First, "setp.lt.s64"),
    ("table_commit_i16", "abs.s64", First, "neg.s64"),
    ("product_narrow", "mul.wide.s32", Last, "mul.wide.u32"),
    ("product_narrow", "ld.global.s16", First, "ld.global.u16"),
    ("product_wide", "ld.global.s16", Last, "ld.global.u16"),
    ("table_commit_i16", "ld.global.s16", First, "ld.global.u16"),
    // A sum that one thread overwrites for another.
    ("product_narrow", "red.global.add.u64", First, "st.global.u64"),
    ("product_wide", "red.global.add.u64", Last, "st.global.u64"),
    ("table_commit_i64", "red.global.min.u64", First, "st.global.u64"),
    // A wrong place.
    ("fr_product", "+16]", First, "+8]"),
    ("fr_fold", "+48]", First, "+32]"),
    ("table_commit_i16", "+-48]", First, "+-32]"),
    ("table_commit_i64", "+-64]", First, "]"),
    ("column_sum", "+112]", First, "+96]"),
    ("table_build", "+32]", Last, "]"),
    // A wrong constant: a word of the modulus.
    ("fr_product", "-1202698826", Middle, "-1202698825"),
    ("column_sum", "-1202698826", Last, "-1202698825"),
];

/// The tests of a kernel, the quickest first.
fn tests(kernel: &str) -> Vec<fn()> {
    match kernel {
        "fr_product" | "fq_product" => {
            vec![field::extremes_have_the_products_of_the_cpu, field::lengths_beside_a_block_are_computed_to_the_end]
        }
        "fr_sums" | "fq_sums" => {
            vec![field::extremes_have_the_sums_of_the_cpu, field::lengths_beside_a_block_are_computed_to_the_end]
        }
        "fr_fold" => vec![field::a_fold_binds_the_first_variable],
        "table_build" => vec![table::a_table_holds_every_multiple],
        "column_sum" => vec![table::sums_of_partial_sums, table::sums_of_many_equal_points],
        "table_commit_i16" | "table_commit_i64" => vec![
            table::a_value_without_digits_is_named,
            table::equal_and_opposite_points,
            table::doublings_of_many_points,
            table::digits_at_the_edges_of_16_bits,
            table::digits_at_the_edges_of_64_bits,
            table::numbers_of_columns_and_bases_beside_a_block,
        ],
        _ => vec![product::sides_beside_a_tile_are_computed_to_the_end, product::parts_are_added_in_any_order],
    }
}

/// The text of a kernel with the fault in it.
fn with_fault((kernel, text, place, replacement): Fault) -> String {
    let begin = TEXT.find(&format!(".visible .entry {kernel}(")).expect("the kernel is there");
    let end = TEXT[begin..].find("\n}").map_or(TEXT.len(), |end| begin + end + 2);
    let body = &TEXT[begin..end].replace('\t', "");
    // Whole words: `addc.u32` is no part of another opcode.
    let places: Vec<usize> = body
        .match_indices(text)
        .map(|(at, _)| at)
        .filter(|at| {
            !text.starts_with(char::is_alphabetic) || !body[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '.')
        })
        .collect();
    assert!(!places.is_empty(), "{kernel} has no {text}");
    let at = match place {
        First => places[0],
        Middle => places[places.len() / 2],
        Last => places[places.len() - 1],
    };
    format!("{}{replacement}{}", &body[..at], &body[at + text.len()..])
}

thread_local! {
    static EXPECTS_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// Runs the tests of every fault in the kernels whose names begin so.
fn find(prefix: &str) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        // What fails on this thread is what should.
        std::panic::set_hook(Box::new(move |panic| {
            if !EXPECTS_PANICS.get() {
                report(panic);
            }
        }));
    });
    let faults: Vec<Fault> = FAULTS.into_iter().filter(|(kernel, ..)| kernel.starts_with(prefix)).collect();
    let mut missed = vec![];
    for fault in &faults {
        let mut kernels = ptx::parse(&with_fault(*fault)).expect("still PTX");
        let kernel = kernels.remove(fault.0).expect("the kernel");
        EXPECTS_PANICS.set(true);
        let fails = |test: fn()| catch_unwind(AssertUnwindSafe(test)).is_err();
        let found = with_kernel(kernel, || tests(fault.0).into_iter().any(fails));
        EXPECTS_PANICS.set(false);
        if !found {
            missed.push(fault);
        }
    }
    assert!(!faults.is_empty() && missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn every_fault_in_arithmetic_is_found() {
    find("f");
}

#[test]
fn every_fault_in_tables_is_found() {
    find("table_build");
    find("column_sum");
}

#[test]
fn every_fault_in_commitments_is_found() {
    find("table_commit");
}

#[test]
fn every_fault_in_matrix_products_is_found() {
    find("product");
}
