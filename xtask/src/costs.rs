//! What the gas of a job costs, from the stored figures and given prices: the table of `docs/chains.md`.

use std::collections::BTreeMap;
use std::fs;

use eyre::{OptionExt, Result, ensure};

use crate::contracts_folder;

/// Of a job, and what a unit of gas costs.
#[derive(clap::Args, Clone, Debug)]
pub struct Costs {
    /// Segments of the job.
    #[arg(long, default_value_t = 60)]
    segments: u64,
    /// Segments of a batch.
    #[arg(long, default_value_t = 12)]
    batch: u64,
    /// Segments of a batch that are proven, where not all are.
    #[arg(long, default_value_t = 3)]
    draws: u64,
    /// Gas of a proof that is not the market's: `verifier key` prints the whole of `prove` for a key, from which 68,000 are taken
    /// off. That of 784-128-128-10 with 64 steps a segment, unless given.
    #[arg(long, default_value_t = 685_000)]
    verifier_gas: u64,
    /// Prices of gas in units of 10^-9 of the chain's coin, with commas.
    #[arg(long, value_delimiter = ',', default_values_t = [0.005, 0.1, 1.0, 10.0])]
    gwei: Vec<f64>,
    /// Price of the chain's coin in dollars.
    #[arg(long, default_value_t = 3000.0)]
    coin: f64,
}

/// Gas by the name of the call.
type Figures = BTreeMap<String, u64>;

/// Who pays how much gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bill {
    requester: u64,
    provider: u64,
}

/// Prints the table.
pub fn print(costs: &Costs) -> Result<()> {
    println!("{}", table(costs, &stored()?)?);
    Ok(())
}

/// What was measured.
fn stored() -> Result<Figures> {
    let text = fs::read_to_string(contracts_folder().join("snapshots/market.json"))?;
    let stored: BTreeMap<String, String> = serde_json::from_str(&text)?;
    Ok(stored.into_iter().filter_map(|(call, gas)| Some((call, gas.parse().ok()?))).collect())
}

fn table(costs: &Costs, figures: &Figures) -> Result<String> {
    let Costs { segments, batch, draws, .. } = *costs;
    ensure!((1..=64).contains(&batch) && batch <= segments, "--batch {batch}: from 1 to 64, and at most --segments");
    ensure!((1..batch).contains(&draws), "--draws {draws}: from 1 to one less than --batch");
    let prices: Vec<String> = costs.gwei.iter().map(|gwei| format!("{gwei} gwei")).collect();
    let mut lines = vec![
        format!("| {segments} segments in batches of {batch} | who pays | M gas | {} |", prices.join(" | ")),
        format!("|---|---|{}", "---:|".repeat(prices.len() + 1)),
    ];
    let shown = [("all proven".to_owned(), costs.whole(figures)?), (format!("{draws} drawn"), costs.drawn(figures)?)];
    for (what, Bill { requester, provider }) in shown {
        for (who, gas) in [("provider", provider), ("requester", requester)] {
            let dollars = |gwei: &f64| format!("${:.2}", gas as f64 * gwei * 1e-9 * costs.coin);
            let dollars: Vec<String> = costs.gwei.iter().map(dollars).collect();
            lines.push(format!("| {what} | {who} | {:.1} | {} |", gas as f64 / 1e6, dollars.join(" | ")));
        }
    }
    Ok(lines.join("\n"))
}

impl Costs {
    fn batches(&self) -> u64 {
        self.segments.div_ceil(self.batch)
    }

    /// Each batch is acknowledged; the last one ends the job.
    fn acknowledged(&self, figures: &Figures) -> Result<u64> {
        let last = of(figures, "acknowledge, ends the job")?;
        Ok((self.batches() - 1) * of(figures, "acknowledge, pays a batch")? + last)
    }

    /// Each segment claimed and proven in one call.
    fn whole(&self, figures: &Figures) -> Result<Bill> {
        let gas = |call| of(figures, call);
        let once = gas("accept")? + gas("start")? + gas("withdraw")?;
        let proofs = self.segments * (gas("claimProven")? + self.verifier_gas);
        Ok(Bill {
            requester: gas("open, no committee")? + self.acknowledged(figures)?,
            provider: once + proofs + self.batches() * gas("close, all proven")?,
        })
    }

    /// Claims in one call a batch, a draw, and the proofs of what is drawn.
    fn drawn(&self, figures: &Figures) -> Result<Bill> {
        let gas = |call| of(figures, call);
        let once = gas("accept")? + gas("start")? + gas("withdraw")?;
        let (few, many) = (gas("claim, 12")?, gas("claim, 64")?);
        let claim = many.saturating_sub(few) / (64 - 12);
        let claims = self.batches() * few.saturating_sub(12 * claim) + self.segments * claim;
        // The last batch may be shorter, and then fewer are drawn.
        let last = self.segments - (self.batches() - 1) * self.batch;
        let drawn = (self.batches() - 1) * self.draws + (self.draws * last).div_ceil(self.batch);
        let proofs = drawn * (gas("prove")? + self.verifier_gas);
        Ok(Bill {
            requester: gas("open, committee of 3")? + self.batches() * gas("reveal")? + self.acknowledged(figures)?,
            provider: once + claims + proofs + self.batches() * gas("close, draws")?,
        })
    }
}

fn of(figures: &Figures, call: &str) -> Result<u64> {
    figures.get(call).copied().ok_or_eyre(format!("contracts/snapshots/market.json has no `{call}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_the_task_prints() {
        let costs = Costs {
            segments: 60,
            batch: 12,
            draws: 3,
            verifier_gas: 685_000,
            gwei: vec![0.005, 0.1, 1.0, 10.0],
            coin: 3000.0,
        };
        let table = table(&costs, &stored().expect("it is there")).expect("all is there");
        let page = fs::read_to_string(crate::root().join("docs/chains.md")).expect("it is there");
        assert!(page.contains(&table), "docs/chains.md lacks what `cargo xtask job-costs` prints:\n{table}");
    }

    #[test]
    fn every_call_is_counted() {
        let calls = [
            ("open, no committee", 1),
            ("open, committee of 3", 2),
            ("accept", 10),
            ("start", 20),
            ("withdraw", 30),
            ("claimProven", 100),
            ("prove", 200),
            ("claim, 12", 1_012),
            ("claim, 64", 1_064),
            ("close, all proven", 10_000),
            ("close, draws", 20_000),
            ("reveal", 100_000),
            ("acknowledge, pays a batch", 1_000_000),
            ("acknowledge, ends the job", 5_000_000),
        ];
        let figures: Figures = calls.map(|(call, gas)| (call.to_owned(), gas)).into();
        let costs = Costs { segments: 5, batch: 2, draws: 1, verifier_gas: 7_000, gwei: vec![1.0], coin: 1000.0 };
        let whole = costs.whole(&figures).expect("all is there");
        assert_eq!(whole, Bill { requester: 1 + 7_000_000, provider: 60 + 5 * 7_100 + 30_000 });
        let drawn = costs.drawn(&figures).expect("all is there");
        let claims = 3 * 1_000 + 5;
        assert_eq!(drawn, Bill { requester: 2 + 300_000 + 7_000_000, provider: 60 + claims + 3 * 7_200 + 60_000 });
        let table = table(&costs, &figures).expect("all is there");
        assert!(table.contains("| all proven | provider | 0.1 | $0.07 |"), "{table}");
        let none = of(&Figures::new(), "open").expect_err("there is none").to_string();
        assert!(none.contains("has no `open`"), "{none}");
    }
}
