//! What tests of commands share.

use gradproof_chain::market::{CompilerUsed, Contract, Deployment, VERSION};
use gradproof_chain::{Address, B256};

/// A deployment of a market that is nowhere, whose token has no digits behind the point.
pub fn deployment() -> Deployment {
    let contract = Contract { address: Address::ZERO, code_hash: B256::ZERO, transaction: B256::ZERO };
    let compiler = CompilerUsed { version: String::new(), market: Default::default(), verifiers: Default::default() };
    Deployment {
        version: VERSION,
        chain: 1,
        block: 0,
        compiler,
        token: contract,
        decimals: 0,
        nodes: contract,
        datasets: contract,
        market: contract,
        vault: contract,
        libraries: Default::default(),
        verifiers: vec![],
    }
}
