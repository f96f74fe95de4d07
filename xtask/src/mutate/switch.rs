//! All mutants in one build: each site asks whether it is the one that is out.
//!
//! The number of the mutant is the address to which a block's fees go, which forge takes from its settings and no contract
//! of ours reads.

use std::cmp::Reverse;
use std::fs;
use std::path::Path;

use eyre::{Result, bail};

use super::condition::{Comparison, comparison};
use super::site::{Kind, Site};

/// The environment variable in which forge is told the number.
pub const VARIABLE: &str = "FOUNDRY_BLOCK_COINBASE";

/// The library that says which mutant is on. A pure function may ask as well: the compiler is told that the question is pure.
const LIBRARY: &str = r#"// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

library Mutant {
    function on(uint256 number) internal pure returns (bool) {
        return pure_(coinbase)() == number;
    }

    function coinbase() private view returns (uint256) {
        return uint160(address(block.coinbase));
    }

    function pure_(function() view returns (uint256) ask) private pure returns (function() pure returns (uint256) same) {
        assembly {
            same := ask
        }
    }
}
"#;

/// What stands for OpenZeppelin's modifier and can be switched off: a change of ours cannot reach into the package.
const NON_REENTRANT: &str = "
    bool private transient entered;

    modifier nonReentrantUnless(uint256 mutant) {
        if (!Mutant.on(mutant)) {
            if (entered) revert ReentrancyGuardReentrantCall();
            entered = true;
        }
        _;
        if (!Mutant.on(mutant)) entered = false;
    }
";
/// The beginning of our own modifier, and of the one that can be switched off.
const ONLY_MARKET: (&str, &str) = (
    "modifier onlyMarket() {\n        if (",
    "modifier onlyMarketUnless(uint256 mutant) {\n        if (!Mutant.on(mutant) && ",
);

/// The number as an address.
pub fn address(mutant: usize) -> String {
    format!("{mutant:#042x}")
}

/// Writes the files of the sites into a copy of the contracts, with a switch at each; the first has the number 1.
pub fn write(contracts: &Path, copy: &Path, sites: &[Site]) -> Result<()> {
    fs::write(copy.join("src/Mutant.sol"), LIBRARY)?;
    let numbered: Vec<(usize, &Site)> = (1..).zip(sites).collect();
    for sites in numbered.chunk_by(|a, b| a.1.file == b.1.file) {
        let file = &sites[0].1.file;
        fs::write(copy.join(file.strip_prefix(contracts)?), with_switches(sites)?)?;
    }
    Ok(())
}

/// The text of a file with a switch at each of its sites.
fn with_switches(sites: &[(usize, &Site)]) -> Result<String> {
    // What goes around a site goes around the sites in it as well: where several begin, the longest begins first, and ends last.
    let mut ordered: Vec<_> = sites.iter().collect();
    ordered.sort_by_key(|(_, site)| (site.bytes.start, Reverse(site.bytes.end)));
    let mut pieces = Vec::new();
    for (depth, (number, site)) in (0i64..).zip(ordered) {
        let (before, after) = around(*number, site)?;
        pieces.push((site.bytes.start, 1, depth, before));
        pieces.push((site.bytes.end, 0, -depth, after));
    }
    pieces.sort();
    let mut text = sites[0].1.text.to_string();
    for (at, _, _, piece) in pieces.into_iter().rev() {
        text.insert_str(at, &piece);
    }
    text = text.replace(ONLY_MARKET.0, ONLY_MARKET.1);
    if text.contains("nonReentrantUnless(") {
        match text.find("\ncontract ").and_then(|at| Some(at + text[at..].find('{')? + 1)) {
            Some(body) => text.insert_str(body, NON_REENTRANT),
            None => bail!("a guard against reentrancy outside of a contract"),
        }
    }
    let imports = text.find("\npragma ").and_then(|at| Some(at + text[at + 1..].find('\n')? + 1));
    match imports {
        Some(at) => text.insert_str(at, "\nimport {Mutant} from \"src/Mutant.sol\";"),
        None => bail!("a file without a pragma"),
    }
    Ok(text)
}

/// What goes before and after a site.
fn around(number: usize, site: &Site) -> Result<(String, String)> {
    let on = format!("Mutant.on({number})");
    Ok(match &site.kind {
        Kind::Statement => (format!("{{ if (!{on}) {{ "), " } }".into()),
        Kind::Answer(answer) => (format!("({on} ? {answer} : "), ")".into()),
        Kind::Modifier => (String::new(), format!("Unless({number})")),
        Kind::Operand("true") => (format!("({on} || ("), "))".into()),
        Kind::Operand(_) => (format!("(!{on} && ("), "))".into()),
        Kind::Bound => match comparison(site.here()) {
            Some(Comparison { left, right, holds_at_the_bound: true, .. }) => {
                ("((".into(), format!(") && !({on} && ({left}) == ({right})))"))
            }
            Some(Comparison { left, right, .. }) => ("((".into(), format!(") || ({on} && ({left}) == ({right})))")),
            None => bail!("not a comparison: {}", site.place()),
        },
        Kind::Fault(_) => bail!("assembly has no switch: {}", site.place()),
    })
}
