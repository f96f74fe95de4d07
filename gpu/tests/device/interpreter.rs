//! The interpreter itself: arithmetic against Rust's, and every problem that it is there to report.

use proptest::prelude::*;

use crate::machine::memory::Memory;
use crate::machine::{Fault, Machine, Order, Problem, STRIDE};
use crate::ptx::{self, Kernel, Type};

const ADDRESS: Type = Type { bits: 64, signed: false };

/// A kernel of `threads` threads with the parameters `buffer` (in `%rd1`), `%r1` the thread, `%r2` the block, `%rd2` the address of the
/// thread's own word, and 64 bytes of shared memory.
fn kernel(threads: u32, code: &str) -> Kernel {
    let text = format!(
        ".version 8.4\n.target sm_75\n.address_size 64\n.visible .entry k(\n.param .u64 p0\n)\n.maxntid {threads}, 1, 1\n{{\n\
        .reg .pred %p<9>;\n.reg .b32 %r<20>;\n.reg .b64 %rd<20>;\n.shared .align 16 .b8 s[64];\n\
        ld.param.u64 %rd1, [p0];\nmov.u32 %r1, %tid.x;\nmov.u32 %r2, %ctaid.x;\nmul.wide.u32 %rd3, %r1, 4;\nadd.s64 %rd2, %rd1, %rd3;\n\
        {code}\nret;\n}}\n"
    );
    ptx::parse(&text).expect("PTX").remove("k").expect("a kernel")
}

/// The first 32 bytes of memory after a launch, of which the host has written the first 16.
fn run(threads: u32, blocks: u32, code: &str) -> Result<Vec<u8>, Problem> {
    let mut machine = Machine::new();
    machine.limit = 10_000;
    let mut memory = Memory::new(32);
    memory.upload(0, &[0; 16]).expect("it fits");
    machine.allocations.push(Some(memory));
    machine.order = Order::Backward;
    let launched = machine.launch(&kernel(threads, code), [blocks, 1, 1], threads, &[(ADDRESS, STRIDE)]);
    launched.map_err(|Fault { problem, at }| {
        println!("{problem:?} at {at}");
        problem
    })?;
    Ok(machine.allocations[0].as_ref().expect("memory").bytes.clone())
}

fn problem(threads: u32, blocks: u32, code: &str) -> Problem {
    run(threads, blocks, code).expect_err("a problem")
}

#[test]
fn accesses_are_held_to_their_memory() {
    assert_eq!(problem(1, 1, "ld.global.u32 %r3, [%rd1+32];"), Problem::OutOfBounds);
    assert_eq!(problem(1, 1, "ld.global.u32 %r3, [%rd1+-4];"), Problem::OutOfBounds);
    assert_eq!(problem(1, 1, "mov.u32 %r3, 0;\nst.global.u32 [%rd1+32], %r3;"), Problem::OutOfBounds);
    assert_eq!(problem(1, 1, "mov.u32 %r3, 0;\nst.shared.u32 [s+64], %r3;"), Problem::OutOfBounds);
    assert_eq!(problem(1, 1, "mov.u64 %rd4, 8;\nld.global.u32 %r3, [%rd4];"), Problem::OutOfBounds, "no address");
    assert_eq!(problem(1, 1, "ld.global.u32 %r3, [%rd1+2];"), Problem::Misaligned);
    assert_eq!(problem(1, 1, "ld.global.v2.u32 {%r3, %r4}, [%rd1+4];"), Problem::Misaligned);
    assert_eq!(problem(1, 1, "ld.global.u32 %r3, [%rd1+16];"), Problem::Unwritten);
    assert_eq!(problem(1, 1, "ld.shared.u32 %r3, [s];"), Problem::Unwritten);
    assert_eq!(problem(1, 1, "mov.u64 %rd4, 1;\nred.global.add.u64 [%rd1+16], %rd4;"), Problem::Unwritten);
    assert!(
        run(1, 1, "ld.global.v4.u32 {%r3, %r4, %r5, %r6}, [%rd1];\nst.global.v4.u32 [%rd1+16], {%r3, %r4, %r5, %r6};")
            .is_ok()
    );
}

#[test]
fn threads_without_an_order_do_not_touch_the_same_word() {
    let write = "st.global.u32 [%rd1], %r1;";
    assert_eq!(problem(2, 1, write), Problem::Race, "two threads write");
    assert_eq!(problem(1, 2, write), Problem::Race, "two blocks write");
    assert_eq!(
        problem(2, 1, "st.global.u32 [%rd2], %r1;\nld.global.u32 %r3, [%rd1];"),
        Problem::Race,
        "one reads, one writes"
    );
    assert_eq!(problem(1, 2, "ld.global.u32 %r3, [%rd1];\nst.global.u32 [%rd1], %r3;"), Problem::Race, "two blocks");
    let read =
        "ld.global.u32 %r3, [%rd1];\nsetp.ne.s32 %p1, %r1, 2;\n@%p1 bra $L_end;\nst.global.u32 [%rd1], %r3;\n$L_end:";
    assert_eq!(problem(3, 1, read), Problem::Race, "two read, then one writes");
    let shared = "st.shared.u32 [s], %r1;\nbar.sync 0;\nld.shared.u32 %r3, [s];";
    assert_eq!(problem(2, 1, shared), Problem::Race, "two threads write shared memory");
    let other = "mul.wide.u32 %rd4, %r1, 4;\nmov.u64 %rd5, s;\nadd.s64 %rd6, %rd5, %rd4;\nst.shared.u32 [%rd6], %r1;\n";
    let next =
        "xor.b32 %r4, %r1, 1;\nmul.wide.u32 %rd7, %r4, 4;\nadd.s64 %rd8, %rd5, %rd7;\nld.shared.u32 %r3, [%rd8];\n";
    assert!(run(2, 1, &format!("{other}bar.sync 0;\n{next}")).is_ok());
    let backwards = format!("{other}setp.eq.s32 %p1, %r1, 0;\n@%p1 bra $L_end;\n{next}$L_end:");
    assert_eq!(problem(2, 1, &backwards), Problem::Race, "no barrier");
    let atomic = "mov.u64 %rd4, 3;\nred.global.add.u64 [%rd1], %rd4;";
    assert_eq!(run(3, 2, atomic).expect("sums in any order")[..8], 18u64.to_le_bytes());
    assert_eq!(problem(2, 1, &format!("{atomic}\nld.global.u32 %r3, [%rd1];")), Problem::Race, "a sum that is read");
}

#[test]
fn barriers_are_for_all_threads() {
    let some = "setp.eq.s32 %p1, %r1, 0;\n@%p1 bra $L_end;\nbar.sync 0;\n$L_end:";
    assert_eq!(problem(2, 1, some), Problem::DivergentBarrier, "one has ended");
    let two = "setp.eq.s32 %p1, %r1, 0;\n@%p1 bra $L_b;\nbar.sync 0;\nbra.uni $L_end;\n$L_b:\nbar.sync 0;\n$L_end:";
    assert_eq!(problem(2, 1, two), Problem::DivergentBarrier, "two barriers");
    assert!(run(2, 1, "bar.sync 0;\nbar.sync 0;").is_ok());
}

#[test]
fn the_flag_lives_in_a_straight_line() {
    assert_eq!(problem(1, 1, "addc.u32 %r3, %r1, 1;"), Problem::UndefinedCarry);
    assert_eq!(
        problem(1, 1, "add.cc.u32 %r3, %r1, 1;\nbra.uni $L_a;\n$L_a:\naddc.u32 %r3, %r1, 1;"),
        Problem::UndefinedCarry
    );
    assert_eq!(problem(1, 1, "add.cc.u32 %r3, %r1, 1;\n$L_a:\naddc.u32 %r3, %r1, 1;"), Problem::UndefinedCarry);
    assert_eq!(problem(1, 1, "add.s32 %r3, %r9, 1;"), Problem::UndefinedRegister);
    assert_eq!(problem(1, 1, "$L_a:\nbra.uni $L_a;"), Problem::Endless);
}

#[test]
fn launches_fit_their_kernel() {
    let wrong = |threads: u32, arguments: &[(Type, u64)]| {
        let fault = Machine::new().launch(&kernel(1, ""), [1; 3], threads, arguments).expect_err("a problem");
        assert_eq!(fault.problem, Problem::WrongLaunch);
    };
    wrong(2, &[(ADDRESS, STRIDE)]);
    wrong(1, &[]);
    wrong(1, &[(Type { bits: 32, signed: false }, 1)]);
}

#[test]
fn what_is_not_known_is_refused() {
    let text = |code: &str| {
        format!(
            ".version 8.4\n.visible .entry k(\n.param .u64 p0\n)\n.maxntid 1, 1, 1\n{{\n.reg .f32 %f<9>;\n.reg .b32 %r<9>;\n.reg .b64 %rd<9>;\n{code}\n}}"
        )
    };
    assert!(ptx::parse(&text("ret;")).is_ok());
    for code in [
        "add.f32 %f1, %f2, %f3;",
        "mul.rn.f32 %f1, %f2, %f3;",
        "red.global.max.u64 [%rd1], %rd2;",
        "red.global.add.f32 [%rd1], %f1;",
        "shfl.sync.down.b32 %r1, %r2, %r3, %r4;",
        "bar.sync 1;",
        "ld.local.u32 %r1, [%rd1];",
        "add.s32 %r1, %r2, %r9;",
        "bra $L_nowhere;",
    ] {
        assert!(ptx::parse(&text(code)).is_err(), "{code}");
    }
    assert!(ptx::parse(&format!(".global .align 4 .b8 table[4];\n{}", text("ret;"))).is_err(), "memory of the module");
}

/// The words that a thread computes from two words and stores.
fn compute(a: u32, b: u32, code: &str) -> [u32; 4] {
    let store = "st.global.v4.u32 [%rd1], {%r10, %r11, %r12, %r13};";
    let code = format!("mov.u32 %r3, {a};\nmov.u32 %r4, {b};\n{code}\n{store}");
    let bytes = run(1, 1, &code).expect("no problem");
    [0, 4, 8, 12].map(|at| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn carries_are_those_of_wide_integers(a: u64, b: u64, c: u64, edge in 0u8..4) {
        let (a, b) = match edge { 0 => (a, b), 1 => (a, !a), 2 => (u64::MAX, b), _ => (a, a) };
        let ([a0, a1], [b0, b1]) = ([a as u32, (a >> 32) as u32], [b as u32, (b >> 32) as u32]);
        let (sum, carry) = a.overflowing_add(b);
        let code = format!("mov.u32 %r5, {a1};\nmov.u32 %r6, {b1};\nmov.u32 %r13, 0;\nadd.cc.u32 %r10, %r3, %r4;\naddc.cc.u32 %r11, %r5, %r6;\naddc.u32 %r12, 0, 0;");
        prop_assert_eq!(compute(a0, b0, &code), [sum as u32, (sum >> 32) as u32, u32::from(carry), 0]);
        let (difference, borrow) = a.overflowing_sub(b);
        let code = format!("mov.u32 %r5, {a1};\nmov.u32 %r6, {b1};\nmov.u32 %r13, 0;\nsub.cc.u32 %r10, %r3, %r4;\nsubc.cc.u32 %r11, %r5, %r6;\nsubc.u32 %r12, 0, 0;");
        prop_assert_eq!(compute(a0, b0, &code), [difference as u32, (difference >> 32) as u32, if borrow { u32::MAX } else { 0 }, 0]);
        let wide = u128::from(a0) * u128::from(b0) + u128::from(c);
        let code = format!("mov.u32 %r5, {};\nmov.u32 %r6, {};\nmov.u32 %r13, 0;\nmad.lo.cc.u32 %r10, %r3, %r4, %r5;\nmadc.hi.cc.u32 %r11, %r3, %r4, %r6;\naddc.u32 %r12, 0, 0;", c as u32, (c >> 32) as u32);
        prop_assert_eq!(compute(a0, b0, &code), [wide as u32, (wide >> 32) as u32, (wide >> 64) as u32, 0]);
    }

    #[test]
    fn arithmetic_is_that_of_rust(a: u32, b: u32, s in 0u32..40) {
        let (x, y) = (a as i32, b as i32);
        let code = "mul.lo.s32 %r10, %r3, %r4;\nmul.hi.u32 %r11, %r3, %r4;\nmin.s32 %r12, %r3, %r4;\nmax.u32 %r13, %r3, %r4;";
        let high = (u64::from(a) * u64::from(b)) >> 32;
        prop_assert_eq!(compute(a, b, code), [a.wrapping_mul(b), high as u32, x.min(y) as u32, a.max(b)]);
        let code = "mul.wide.s32 %rd4, %r3, %r4;\ncvt.u32.u64 %r10, %rd4;\nshr.s64 %rd5, %rd4, 32;\ncvt.u32.u64 %r11, %rd5;\nneg.s32 %r12, %r3;\nabs.s32 %r13, %r4;";
        let wide = i64::from(x) * i64::from(y);
        prop_assert_eq!(compute(a, b, code), [wide as u32, (wide >> 32) as u32, x.wrapping_neg() as u32, y.unsigned_abs()]);
        let code = format!("shl.b32 %r10, %r3, {s};\nshr.u32 %r11, %r3, {s};\nshr.s32 %r12, %r3, {s};\nbfi.b32 %r13, %r3, %r4, 5, 7;");
        let inserted = b & !(0x7f << 5) | (a & 0x7f) << 5;
        prop_assert_eq!(compute(a, b, &code), [a.checked_shl(s).unwrap_or(0), a.checked_shr(s).unwrap_or(0), (x >> s.min(31)) as u32, inserted]);
        let code = "setp.lt.s32 %p1, %r3, %r4;\nselp.b32 %r10, 1, 2, %p1;\nsetp.ge.u32 %p2, %r3, %r4;\nselp.b32 %r11, 1, 2, %p2;\ncvt.s64.s32 %rd4, %r3;\nshr.u64 %rd5, %rd4, 32;\ncvt.u32.u64 %r12, %rd5;\ndiv.u32 %r13, %r3, %r4;";
        let sign = if x < 0 { u32::MAX } else { 0 };
        let divided = a.checked_div(b).unwrap_or(u32::MAX);
        prop_assert_eq!(compute(a, b, code), [if x < y { 1 } else { 2 }, if a >= b { 1 } else { 2 }, sign, divided]);
    }
}
