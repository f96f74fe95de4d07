//! What a deployment says is what is there.

use gradproof_chain::market::Deployment;
use gradproof_chain::{Address, B256, ChainError};
use gradproof_tests::forge::wrapped;

use crate::scene::{Scene, code};

#[test]
fn a_deployment_is_checked_against_the_chain() {
    let Some(code) = code("a_deployment_is_checked_against_the_chain") else { return };
    let scene = Scene::new(code);
    let chain = &scene.provider.chain;
    let deployment = &scene.deployment;
    chain.wait(deployment.check(chain.client())).expect("it is what is there");
    let written = serde_json::to_vec(deployment).expect("it is JSON");
    assert_eq!(&serde_json::from_slice::<Deployment>(&written).expect("it is one"), deployment);
    let verifier = deployment.verifier(&wrapped().1.digest()).expect("it is deployed");
    assert_eq!((verifier.insecure_setup, verifier.setup), (true, wrapped().1.setup.digest().into()));
    assert_eq!(deployment.libraries.len(), 11, "{:?}", deployment.libraries.keys());

    let refused = |change: &dyn Fn(&mut Deployment)| {
        let mut changed = deployment.clone();
        change(&mut changed);
        match chain.wait(changed.check(chain.client())) {
            Err(ChainError::Deployment { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    type Change<'a> = &'a dyn Fn(&mut Deployment);
    let cases: [(&str, Change<'_>); 12] = [
        ("the version", &|d| d.version += 1),
        ("the id", &|d| d.chain += 1),
        // An address without code, and one with the code of another contract.
        ("the hash of the code of TrainingMarket", &|d| d.market.address = Address::repeat_byte(1)),
        ("the hash of the code of StakeVault", &|d| d.vault.address = d.nodes.address),
        ("the hash of the code of ComputeToken", &|d| d.token.code_hash = B256::ZERO),
        ("the hash of the code of Draws", &|d| {
            let other = d.libraries["Opening"].address;
            d.libraries.entry("Draws".into()).and_modify(|draws| draws.address = other);
        }),
        ("the hash of the code of Halo2Verifier", &|d| d.verifiers[0].halo2.address = d.token.address),
        // A contract that is there with its code, but that the market does not call.
        ("the market's token", &|d| d.token = d.nodes),
        ("the market's vault", &|d| d.vault = d.datasets),
        ("the verifier's key", &|d| d.verifiers[0].key = B256::ZERO),
        ("the verifier's set-up", &|d| d.verifiers[0].setup = B256::ZERO),
        ("whether the verifier's set-up is insecure", &|d| d.verifiers[0].insecure_setup = false),
    ];
    for (what, change) in cases {
        let got = refused(change);
        assert!(got.starts_with(what), "{what}: {got}");
    }
    // The sources made it, and nothing else.
    chain.wait(code.check(chain.client(), deployment)).expect("these sources made it");
    let of_key = code.verifier(&wrapped().1).expect("it compiles");
    chain.wait(of_key.check(chain.client(), verifier)).expect("these sources made it");
    let made = |change: &dyn Fn(&mut Deployment)| {
        let mut changed = deployment.clone();
        change(&mut changed);
        let checked = chain.wait(async {
            code.check(chain.client(), &changed).await?;
            of_key.check(chain.client(), &changed.verifiers[0]).await
        });
        checked.expect_err("it was made otherwise").to_string()
    };
    let other = |error: String| assert!(error.contains("the creation code of"), "{error}");
    other(made(&|d| d.token = d.nodes));
    other(made(&|d| d.market = d.token));
    other(made(&|d| d.verifiers[0].halo2 = d.verifiers[0].segment));
    other(made(&|d| d.verifiers[0].segment = d.verifiers[0].halo2));
    other(made(&|d| {
        let opening = d.libraries["Opening"];
        d.libraries.insert("Draws".into(), opening);
    }));
    let error = made(&|d| d.nodes.address = Address::repeat_byte(1));
    assert!(error.starts_with("what 0x"), "{error}");
    let error = made(&|d| d.libraries.retain(|name, _| name != "Draws"));
    assert_eq!(error, "the address of the library Draws is missing");

    // Code that was changed behind the deployment's back.
    scene.node.set_code(deployment.vault.address, "0x00");
    assert!(refused(&|_| ()).starts_with("the hash of the code of StakeVault"));
}
