//! `provider accept`, from the outside: the account's key is on another machine than the node's folder.

use std::fs;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::{TxKind, hex};
use gradproof_chain::market::{ComputeToken, State, TrainingMarket, no_licence, terms};
use gradproof_chain::{Address, B256, Bytes, PrivateKeySigner, U256};
use serde_json::Value;

use crate::program::{Ran, run};
use crate::scene::{BATCH, PRICE, Scene, code, tokens};
use crate::trained::Trained;

/// Posts a job at this price a segment, without a committee: its id.
fn post(scene: &Scene, trained: &Trained, price: u64) -> B256 {
    let training = scene.terms(trained, BATCH, BATCH).training;
    let terms = terms(training, tokens(price).to(), BATCH);
    let (market, token) = (scene.market(), scene.deployment.token.address);
    let escrow = scene.ask(market, &TrainingMarket::escrowOfCall { terms: terms.clone(), licenceFee: 0 });
    let approve = ComputeToken::approveCall { spender: market, value: escrow };
    scene.requester.send(token, &approve).expect("the tokens are its own");
    let (requester, nonce) = (scene.requester.address(), U256::from(price));
    let id = scene.ask(market, &TrainingMarket::idOfCall { requester, nonce, terms: terms.clone() });
    let permit = TrainingMarket::Permit { value: U256::ZERO, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
    let open = TrainingMarket::openCall { terms, nonce, licence: no_licence(), consents: vec![], permit };
    scene.requester.send(market, &open).expect("the terms are right");
    id
}

/// What a wallet makes of what it is to sign.
fn signed(key: &PrivateKeySigner, sign: &Value) -> String {
    let text = |name: &str| sign[name].as_str().unwrap_or_else(|| panic!("no {name} in {sign}"));
    let number = |name: &str| u128::from_str_radix(text(name).trim_start_matches("0x"), 16).expect("a number");
    assert_eq!(text("type"), "0x2");
    let mut transaction = TxEip1559 {
        chain_id: number("chainId") as u64,
        nonce: number("nonce") as u64,
        gas_limit: number("gas") as u64,
        max_fee_per_gas: number("maxFeePerGas"),
        max_priority_fee_per_gas: number("maxPriorityFeePerGas"),
        to: TxKind::Call(text("to").parse().expect("an address")),
        value: U256::from(number("value")),
        input: text("data").parse::<Bytes>().expect("bytes"),
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut transaction).expect("it signs");
    hex::encode_prefixed(TxEnvelope::from(transaction.into_signed(signature)).encoded_2718())
}

#[test]
fn a_job_is_accepted_with_a_transaction_that_is_signed_elsewhere() {
    let Some(code) = code("a_job_is_accepted_with_a_transaction_that_is_signed_elsewhere") else { return };
    let scene = Scene::new(code);
    let trained = Trained::new();
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: &str| fs::write(at.join(name), text).expect("written");
    write("deployment.json", &scene.deployment.to_json());
    write("password", "a password\n");
    let provider = |line: &str| run(env!("CARGO_BIN_EXE_tested-provider"), at, None, line);
    let json = |Ran(code, out, error): Ran, expected: i32| -> Value {
        assert_eq!(code, Some(expected), "{out}{error}");
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}"))
    };
    let init = |home: &str, rest: &str| {
        let amounts = format!("--least-price {PRICE} --most-bond 1000 --password-file password --json {rest}");
        provider(&format!("init --home {home} --rpc {} --deployment deployment.json {amounts}", scene.node.url()))
    };
    let account = scene.provider.address();
    let made = json(init("home", &format!("--account {account}")), 0);
    let address = |text: &Value| text.as_str().and_then(|text| text.parse::<Address>().ok());
    assert_eq!(address(&made["account"]), Some(account));
    assert!(!at.join("home/keys/account.json").exists());
    json(init("own", ""), 0);
    let cheap = post(&scene, &trained, PRICE - 1);
    provider(&format!("accept {cheap} --home own")).refused("`provider run` accepts by itself");
    let said = json(provider(&format!("accept {cheap} --home home --json")), 1);
    assert!(said["said"].as_str().is_some_and(|said| said.contains("not taken")), "{said}");

    let job = post(&scene, &trained, PRICE);
    let accept = |rest: &str| provider(&format!("accept {job} --home home --json {rest}"));
    let sign = json(accept(""), 0)["sign"].clone();
    assert_eq!(address(&sign["from"]), Some(account));
    write("others.hex", &signed(&scene.partner.signer, &sign));
    accept("--transaction others.hex").refused("signed it, and not");
    let mut changed = sign.clone();
    changed["to"] = scene.deployment.token.address.to_string().into();
    write("changed.hex", &signed(&scene.provider.signer, &changed));
    accept("--transaction changed.hex").refused("it does something else");
    write("garbage.hex", "0xyz");
    accept("--transaction garbage.hex").refused("expected a signed transaction in hexadecimal");
    scene.in_state(job, State::Open);

    write("signed.hex", &format!("{}\n", signed(&scene.provider.signer, &sign)));
    assert_eq!(json(accept("--transaction signed.hex"), 0)["done"], true);
    scene.in_state(job, State::Assigned);
    assert_eq!(scene.job(job).owner, account);
    let said = json(accept("--transaction signed.hex"), 1);
    assert!(said["said"].as_str().is_some_and(|said| said.contains("by this account")), "{said}");
}
