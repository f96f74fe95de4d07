//! One process that is requester and provider: what the demonstration does.

use gradproof_chain::market::{Money, State, Trade, TrainingMarket};
use gradproof_chain::{Chain, ChainError, Settlement};
use gradproof_tests::forge::wrapped;

use crate::node::Node;
use crate::scene::{code, tokens};
use crate::trained::{SEGMENTS, Trained};

#[test]
fn a_job_is_traded_to_its_payment() {
    let Some(code) = code("a_job_is_traded_to_its_payment") else { return };
    let node = Node::start();
    let requester = Chain::connect(node.url(), node.signer()).expect("the node answers");
    let provider = Chain::connect(node.url(), node.other_signer()).expect("the node answers");
    let verifier = code.verifier(&wrapped().1).expect("the verifiers compile");
    let deploy = async {
        let client = requester.client();
        let deployment = code.deploy(client, Money::Own(client.sender())).await?;
        let verifier = verifier.deploy(client).await?;
        Trade::new(deployment, verifier, client.clone(), provider.client().clone()).await
    };
    let trade = requester.wait(deploy).expect("the market deploys");
    let trained = Trained::new();
    let domain = requester.wait(trade.open(&trained.statement)).expect("the terms are right");
    let early = requester.wait(trade.withdraw(&domain)).expect_err("nothing is proven");
    assert!(matches!(early, ChainError::Unsettled { settled: 0, total: 3 }), "{early}");
    for index in 0..SEGMENTS {
        let (first, proof) = trained.proof(index, domain);
        let sent = requester.wait(trade.submit(&domain, &first, &proof)).expect("the proof is right");
        // An estimate is of a moment that is over when the transaction is in a block.
        assert!(sent.gas_limit >= sent.gas + sent.gas / 4, "{} of {} gas", sent.gas, sent.gas_limit);
    }
    let market = trade.deployment().market.address;
    let job = requester.call(market, &TrainingMarket::jobOfCall { id: domain.job.into() }).expect("it answers");
    assert_eq!((job.state, usize::from(job.settled)), (State::Completed as u8, SEGMENTS));
    let outcome = requester.wait(trade.withdraw(&domain)).expect("it is over");
    // Of four hand-backs that did not happen the fee comes back: a hundredth of a batch of two segments each.
    assert_eq!((outcome.paid, outcome.returned), (tokens(300), tokens(8)));
}
