//! The source of the contract, section by section.

use ark_ff::{BigInteger, PrimeField};
use gradproof_verifier::protocol::hex;
use gradproof_verifier::protocol::keccak::keccak256;
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;

use super::constraints::constraints;
use super::error::GenerateError;
use super::graph::{Graph, Id, Writer};
use super::opening::Openings;
use super::shape::{Shape, name};
use super::source::{Memory, SourceText, WORD, factor, number, product};

/// Errors of `IHalo2Verifier` that assembly reverts with.
const ERRORS: [(&str, &str); 6] = [
    ("NON_CANONICAL_SCALAR", "NonCanonicalScalar()"),
    ("NON_CANONICAL_COORDINATE", "NonCanonicalCoordinate()"),
    ("POINT_AT_INFINITY", "PointAtInfinity()"),
    ("POINT_NOT_ON_CURVE", "PointNotOnCurve()"),
    ("ZERO_DENOMINATOR", "ZeroDenominator()"),
    ("PRECOMPILE_FAILED", "PrecompileFailed()"),
];

const FUNCTIONS: &str = r"
// Reverts with an error that has no arguments.
function refuse(selector) {
    mstore(0, shl(224, selector))
    revert(0, 4)
}
// Every scalar is below the order of the group.
function check_scalars(at, end) {
    let canonical := 1
    for { } lt(at, end) { at := add(at, 0x20) } {
        canonical := and(canonical, lt(mload(at), R))
    }
    if iszero(canonical) { refuse(NON_CANONICAL_SCALAR) }
}
// Every point is a point of the curve, in its only encoding.
function check_points(at, end) {
    for { } lt(at, end) { at := add(at, 0x40) } {
        let x := mload(at)
        let y := mload(add(at, 0x20))
        if iszero(and(lt(x, P), lt(y, P))) { refuse(NON_CANONICAL_COORDINATE) }
        // Zeros, which stand for infinity, are not on the curve.
        if iszero(eq(mulmod(y, y, P), addmod(mulmod(mulmod(x, x, P), x, P), 3, P))) {
            if iszero(or(x, y)) { refuse(POINT_AT_INFINITY) }
            refuse(POINT_NOT_ON_CURVE)
        }
    }
}
// The digest of the words from `at` to `end`, the first of which is the digest before.
function squeeze(at, end) -> state {
    state := keccak256(at, sub(end, at))
}
// Adds a multiple of the point in POINT to the sum.
function add_multiple(scalar) {
    mstore(SCALAR, scalar)
    if iszero(staticcall(gas(), 0x07, POINT, 0x60, POINT, 0x40)) { refuse(PRECOMPILE_FAILED) }
    if iszero(staticcall(gas(), 0x06, SUM, 0x80, SUM, 0x40)) { refuse(PRECOMPILE_FAILED) }
}
";

/// Writes the contract of a shape.
pub(super) fn write(shape: &Shape) -> Result<String, GenerateError> {
    let openings = Openings::new(shape)?;
    let mut graph = Graph::default();
    let constraints = constraints(shape, &mut graph)?;
    let mut memory = Memory::new();
    let mut body = SourceText::new(3);

    let proof = messages(shape, &mut memory, &mut body);
    challenges(&mut memory, &mut body);
    denominators(shape, &openings, &mut memory, &mut body);
    lagrange(shape, &mut memory, &mut body);

    body.section("The constraints at x, combined by powers of y, over the vanishing polynomial");
    body.line("{");
    body.lines("let r := mload(MODULUS)\n let y := mload(Y)\n let combined := 0");
    let roots: Vec<Id> = constraints.iter().map(|constraint| constraint.value).collect();
    let mut writer = Writer::new(&graph, &roots);
    for constraint in &constraints {
        body.line(format!("// {}", constraint.title));
        let value = writer.expression(constraint.value, &mut memory, &mut body);
        body.line(format!("combined := addmod(mulmod(combined, y, r), {value}, r)"));
    }
    memory.place("QUOTIENT", 1);
    body.line("mstore(QUOTIENT, mulmod(combined, mload(VANISHING_INVERSE), r))");
    body.line("}");

    openings.place_scales(&mut memory);
    for (name, words) in [("SUM", 2), ("POINT", 2), ("SCALAR", 1)] {
        memory.place(name, words);
    }
    body.section("The combined evaluation");
    body.line("let negated");
    body.line("{");
    body.lines("let r := mload(MODULUS)\n let y := mload(OPENING_Y)\n let v := mload(OPENING_V)\n let power := 1");
    openings.evaluation(&mut body);
    body.line("negated := sub(r, evaluation)");
    body.line("}");

    body.section("The combined commitment");
    body.line("{");
    body.lines("let r := mload(MODULUS)\n let y := mload(OPENING_Y)\n let xn := mload(XN)");
    openings.commitments(&mut body);
    body.lines(
        "// The evaluation, on the generator
        mstore(POINT, 1)
        mstore(add(POINT, 0x20), 2)
        add_multiple(negated)
        // The two quotients of the opening
        mcopy(POINT, OPENING_POINT_0, 0x40)",
    );
    body.line(format!("add_multiple(sub(r, {}))", openings.vanishing()));
    body.lines(
        "mcopy(POINT, OPENING_POINT_1, 0x40)
        add_multiple(mload(U))
        }
        leftX := mload(SUM)
        leftY := mload(add(SUM, 0x20))
        rightX := mload(OPENING_POINT_1)
        rightY := mload(add(OPENING_POINT_1, 0x20))",
    );
    Ok(assemble(shape, &memory, proof, &body.finish()))
}

/// Copies instances and proof into memory, each message after the state with which it is hashed; checks them; draws the
/// challenges. The answer is the length of a proof.
fn messages(shape: &Shape, memory: &mut Memory, body: &mut SourceText) -> usize {
    let instances: usize = shape.instances.iter().sum();
    let advice = shape.key.cs().num_advice_columns();
    memory.place("STATE_0", 1);
    memory.place("KEY", 1);
    let start = memory.place("INSTANCES", 0);
    for (column, length) in shape.instances.iter().enumerate() {
        memory.place(format!("INSTANCES_{column}"), *length);
    }
    let mut points: Vec<(usize, usize)> = Vec::new();
    let mut segment = |memory: &mut Memory, names: Vec<String>| {
        let from = memory.end();
        for name in names {
            memory.place(name, 2);
        }
        points.push((from, memory.end()));
    };
    let numbered = |kind: &str, count| (0..count).map(|index| format!("{kind}_POINT_{index}")).collect::<Vec<_>>();
    segment(memory, numbered("ADVICE", advice));
    memory.place("STATE_1", 1);
    let products = numbered("PRODUCT", shape.products).into_iter().chain([String::from("RANDOM_POINT")]).collect();
    segment(memory, products);
    memory.place("STATE_2", 1);
    segment(memory, numbered("QUOTIENT", shape.pieces));
    memory.place("STATE_3", 1);
    let scalars = memory.end();
    for name in shape.evaluations() {
        memory.place(name, 1);
    }
    let scalars = (scalars, memory.end());
    memory.place("STATE_4", 1);
    segment(memory, numbered("OPENING", 2));

    body.section("Messages");
    body.line("mstore(STATE_0, 0)");
    body.line(format!("mstore(KEY, {})", number(&shape.key.transcript_repr())));
    let mut proof = 0;
    if instances > 0 {
        body.line(format!("calldatacopy(INSTANCES, instances.offset, {:#x})", instances * WORD));
        body.line(format!("check_scalars(INSTANCES, {:#x})", start + instances * WORD));
    }
    let parts = [points.first(), points.get(1), points.get(2), Some(&scalars), points.get(3)];
    for (from, to) in parts.into_iter().flatten().copied() {
        body.line(format!("calldatacopy({from:#x}, add(proof.offset, {proof:#x}), {:#x})", to - from));
        body.line(format!("check_{}({from:#x}, {to:#x})", if (from, to) == scalars { "scalars" } else { "points" }));
        proof += to - from;
    }
    proof
}

fn challenges(memory: &mut Memory, body: &mut SourceText) {
    for challenge in ["BETA", "GAMMA", "Y", "X", "XN", "OPENING_Y", "OPENING_V", "U", "MODULUS"] {
        memory.place(challenge, 1);
    }
    body.section("Challenges");
    // Read from memory, so that the compiler keeps the modulus on the stack, where a use takes one byte and not 33.
    body.lines(
        "mstore(MODULUS, R)
        {
        // The first challenge would be for look-ups: it is drawn, and not used.
        mstore(STATE_1, squeeze(STATE_0, STATE_1))
        mstore(STATE_1, squeeze(STATE_1, add(STATE_1, 0x20)))
        mstore(BETA, mod(mload(STATE_1), R))
        mstore(STATE_1, squeeze(STATE_1, add(STATE_1, 0x20)))
        mstore(GAMMA, mod(mload(STATE_1), R))
        mstore(STATE_2, squeeze(STATE_1, STATE_2))
        mstore(Y, mod(mload(STATE_2), R))
        mstore(STATE_3, squeeze(STATE_2, STATE_3))
        mstore(X, mod(mload(STATE_3), R))
        mstore(STATE_4, squeeze(STATE_3, STATE_4))
        mstore(OPENING_Y, mod(mload(STATE_4), R))
        mstore(STATE_4, squeeze(STATE_4, add(STATE_4, 0x20)))
        mstore(OPENING_V, mod(mload(STATE_4), R))
        mstore(U, mod(squeeze(STATE_4, OPENING_POINT_1), R))
        let xn := mload(X)
        for { let i := 0 } lt(i, K) { i := add(i, 1) } { xn := mulmod(xn, xn, R) }
        mstore(XN, xn)
        }",
    );
}

/// Everything that is divided by, inverted with one exponentiation.
fn denominators(shape: &Shape, openings: &Openings, memory: &mut Memory, body: &mut SourceText) {
    openings.place(memory);
    let (low, high) = shape.lagrange();
    let count = (high - low) as usize;
    let from = memory.place("LAGRANGE", count);
    let lagrange_end = memory.end();
    memory.name("LAGRANGE_END", lagrange_end);
    memory.place("VANISHING_INVERSE", 1);
    if openings.inverts_x() {
        memory.place("X_INVERSE", 1);
    }
    let first = openings.denominator();
    if first.is_some() {
        memory.place("FIRST_INVERSE", 1);
    }
    let end = memory.end();
    memory.name("DENOMINATORS_END", end);
    memory.place("PREFIXES", (end - from) / WORD);
    memory.place("EXPONENTIATION", 6);

    body.section("Denominators, inverted all at once");
    body.lines("{\n let r := mload(MODULUS)\n let x := mload(X)\n let u := mload(U)");
    openings.differences(body);
    body.line(format!("let root := {}", number(&shape.root(low))));
    body.lines(
        "for { let at := LAGRANGE } lt(at, LAGRANGE_END) { at := add(at, 0x20) } {
            mstore(at, addmod(x, sub(r, root), r))
            root := mulmod(root, OMEGA, r)
        }
        mstore(VANISHING_INVERSE, addmod(mload(XN), sub(r, 1), r))",
    );
    if openings.inverts_x() {
        body.line("mstore(X_INVERSE, x)");
    }
    if let Some(first) = first {
        body.line(format!("mstore(FIRST_INVERSE, {first})"));
    }
    body.line("let inverse := 1");
    body.line(format!("let shift := {:#x}", end - from));
    body.lines(
        "for { let at := LAGRANGE } lt(at, DENOMINATORS_END) { at := add(at, 0x20) } {
            mstore(add(at, shift), inverse)
            inverse := mulmod(inverse, mload(at), r)
        }
        if iszero(inverse) { refuse(ZERO_DENOMINATOR) }
        mstore(EXPONENTIATION, 0x20)
        mstore(add(EXPONENTIATION, 0x20), 0x20)
        mstore(add(EXPONENTIATION, 0x40), 0x20)
        mstore(add(EXPONENTIATION, 0x60), inverse)
        mstore(add(EXPONENTIATION, 0x80), sub(r, 2))
        mstore(add(EXPONENTIATION, 0xa0), r)
        if iszero(staticcall(gas(), 0x05, EXPONENTIATION, 0xc0, EXPONENTIATION, 0x20)) { refuse(PRECOMPILE_FAILED) }
        inverse := mload(EXPONENTIATION)
        for { let at := DENOMINATORS_END } gt(at, LAGRANGE) { } {
            at := sub(at, 0x20)
            let denominator := mload(at)
            mstore(at, mulmod(inverse, mload(add(at, shift)), r))
            inverse := mulmod(inverse, denominator, r)
        }
        }",
    );
}

/// Lagrange polynomials and instances at `x`.
fn lagrange(shape: &Shape, memory: &mut Memory, body: &mut SourceText) {
    let (low, _) = shape.lagrange();
    let word = |index: i64| format!("add(LAGRANGE, {:#x})", (index - low) as usize * WORD);
    for name in ["L_FIRST", "L_LAST", "L_BLIND"] {
        memory.place(name, 1);
    }
    body.section("Lagrange polynomials and instances at x");
    body.lines("{\n let r := mload(MODULUS)");
    let rows = Fr::from(shape.key.get_domain().get_n());
    // Powers of two are not zero.
    let weight = shape.root(low) * rows.invert().unwrap_or(Fr::ONE);
    let vanishing = String::from("addmod(mload(XN), sub(r, 1), r)");
    let weight = product([vanishing].into_iter().chain(factor(&weight))).unwrap_or_default();
    body.line(format!("let weight := {weight}"));
    body.lines(
        "for { let at := LAGRANGE } lt(at, LAGRANGE_END) { at := add(at, 0x20) } {
            mstore(at, mulmod(mload(at), weight, r))
            weight := mulmod(weight, OMEGA, r)
        }",
    );
    let last = i64::from(shape.last());
    body.line(format!("mstore(L_FIRST, mload({}))", word(0)));
    body.line(format!("mstore(L_LAST, mload({}))", word(last)));
    body.line("let sum := 0");
    for index in last + 1..0 {
        body.line(format!("sum := addmod(sum, mload({}), r)", word(index)));
    }
    body.line("mstore(L_BLIND, sum)");
    for (column, rotation) in &shape.instance_queries {
        let name = name("INSTANCE", *column, *rotation);
        memory.place(name.as_str(), 1);
        let bytes = shape.instances.get(*column).map_or(0, |length| length * WORD);
        body.line("sum := 0");
        body.line(format!("for {{ let at := 0 }} lt(at, {bytes:#x}) {{ at := add(at, 0x20) }} {{"));
        let polynomial = format!("mload(add({}, at))", word(-i64::from(*rotation)));
        body.line(format!("sum := addmod(sum, mulmod(mload(add(INSTANCES_{column}, at)), {polynomial}, r), r)"));
        body.line("}");
        body.line(format!("mstore({name}, sum)"));
    }
    body.line("}");
}

/// The modulus of a field as a number of Solidity.
fn modulus<F: PrimeField>() -> String {
    hex::encode(&F::MODULUS.to_bytes_be())
}

fn assemble(shape: &Shape, memory: &Memory, proof: usize, body: &str) -> String {
    let instances: usize = shape.instances.iter().sum();
    let errors: String = ERRORS
        .iter()
        .map(|(name, signature)| {
            let [a, b, c, d, ..] = keccak256(&[signature.as_bytes()]);
            let selector = u32::from_be_bytes([a, b, c, d]);
            format!("    // {signature}\n    uint256 private constant {name} = {selector:#010x};\n")
        })
        .collect();
    let mut functions = SourceText::new(3);
    functions.lines(FUNCTIONS);
    let functions = functions.finish();
    let order = modulus::<ark_bn254::Fr>();
    let base = modulus::<ark_bn254::Fq>();
    let omega = number(&shape.root(1));
    let k = shape.key.get_domain().k();
    let constants = memory.constants();
    let start = super::source::MEMORY;
    format!(
        r#"// SPDX-License-Identifier: MIT OR Apache-2.0
// Written by gradproof from a verifying key: change the circuit, not this file.
pragma solidity 0.8.37;

import {{IHalo2Verifier}} from "./interfaces/IHalo2Verifier.sol";

/// @title Verifier of one halo2 circuit, up to the pairing
/// @notice The verifying key is part of the code. The caller checks the pairing: see `IHalo2Verifier`.
/// @dev Everything has its fixed word of memory: the constants below. State and messages lie as they are hashed.
contract Halo2Verifier is IHalo2Verifier {{
    /// The order of the group.
    uint256 private constant R = {order};
    /// The modulus of the base field.
    uint256 private constant P = {base};
    /// The circuit has 2^K rows.
    uint256 private constant K = {k};
    /// The generator of the domain.
    uint256 private constant OMEGA = {omega};

    // Selectors of the errors.
{errors}
    // Addresses in memory.
{constants}
    /// @inheritdoc IHalo2Verifier
    function accumulate(uint256[] calldata instances, bytes calldata proof)
        external
        view
        returns (uint256 leftX, uint256 leftY, uint256 rightX, uint256 rightY)
    {{
        if (instances.length != {instances}) revert WrongNumberOfInstances();
        if (proof.length != {proof}) revert WrongProofLength();
        assembly ("memory-safe") {{
{functions}
            // The compiler has taken no memory that is used here.
            if gt(mload(0x40), {start:#x}) {{ revert(0, 0) }}
{body}        }}
    }}
}}
"#
    )
}
