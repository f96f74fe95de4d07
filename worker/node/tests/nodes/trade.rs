//! A requester and providers, and the way of a job that all of them go.

use gradproof_chain::market::State;
use gradproof_chain::{B256, U256};

use crate::member::Member;
use crate::scene::{Balance, FORTUNE, PRICE, STAKE, Scene};
use crate::workshop::SEGMENTS;

/// Transactions of a requester's hot key in a job of two batches: two acknowledgements, and what comes back.
const REQUESTER_SENDS: u64 = 2 + 1;
/// Of a provider's: start, six claims with their proofs, two closes, and what it is owed.
pub const PROVIDER_SENDS: u64 = 1 + SEGMENTS + 2 + 1;

/// A market with a requester and one provider.
pub struct Trade {
    pub scene: Scene,
    pub requester: Member,
    pub provider: Member,
}

impl Trade {
    /// Both are in the register, and run; `None`, and it is said, where the tools are not installed.
    pub fn start(test: &str) -> Option<Self> {
        let scene = Scene::start(test)?;
        let (mut requester, mut provider) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
        requester.start(&scene);
        provider.start(&scene);
        Some(Self { scene, requester, provider })
    }

    /// Posts the stand-in's job: its id.
    pub fn post(&self) -> B256 {
        let terms = self.scene.terms();
        self.requester.allow(&self.scene, &terms);
        self.requester.post(&self.scene, terms)
    }

    /// Waits until the job is completed, and everybody has what it gets; then compares balances, and counts transactions: none was
    /// made twice.
    #[track_caller]
    pub fn completes(&self, job: B256) {
        let Self { scene, requester, provider } = self;
        paid_out(scene, job, State::Completed, &[requester, provider]);
        scene.balances(&completed(requester, provider), 0);
        // Where the later batch was acknowledged first, somebody has to settle it.
        let settles = provider.shared().said_of(&format!("settle of job {job}")).is_some();
        let sends = PROVIDER_SENDS + u64::from(settles);
        assert_eq!(scene.sent_by(provider.hot()), sends, "transactions of the provider's hot key");
        assert_eq!(scene.sent_by(requester.hot()), REQUESTER_SENDS, "transactions of the requester's hot key");
    }
}

/// Waits until a job has ended so, and nothing is owed to these.
#[track_caller]
pub fn paid_out(scene: &Scene, job: B256, state: State, members: &[&Member]) {
    scene.until(&format!("the job is {state:?}"), || scene.is(job, state));
    let is_paid = |account| scene.owed(account) == U256::ZERO && scene.owed_bonds(account) == U256::ZERO;
    let all_paid = || members.iter().all(|member| is_paid(member.account()));
    scene.until("everybody is paid", all_paid);
}

/// What both have when all is trained and paid.
pub fn completed(requester: &Member, provider: &Member) -> [Balance; 2] {
    let price = SEGMENTS * PRICE;
    [
        Balance { who: "requester", account: requester.account(), tokens: FORTUNE - price, stake: 0 },
        Balance { who: "provider", account: provider.account(), tokens: FORTUNE - STAKE + price, stake: STAKE },
    ]
}
