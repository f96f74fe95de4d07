//! A team: a lead trains, claims and closes; members train as well, prove a part, and are paid for it.

use std::time::{Duration, Instant};

use gradproof_chain::market::{State, TrainingMarket, terms};
use gradproof_chain::{Address, B256, Reader, U256};
use gradproof_node::config::MemberConfig;
use gradproof_node::facts::Opened;
use gradproof_node::team::TeamCall;

use crate::member::Member;
use crate::scene::{Balance, EVERY, FORTUNE, PRICE, STAKE, Scene, tokens};
use crate::trade::paid_out;
use crate::workshop::{BATCH, Point, SEGMENTS, STEPS, digest};

/// What a member is paid for a proof, in tokens.
pub const PAY: u64 = 20;
/// Bond of a seat, in tokens: that of four takes.
const SEAT_BOND: u64 = 4 * PRICE;
/// How long a proof takes where somebody else is to have a part.
pub const SLOW: Duration = Duration::from_millis(2500);

/// A provider that joins the teams of a lead.
pub fn member(scene: &Scene, seed: u8, lead: Address) -> Member {
    let mut member = Member::provider(scene, seed).with(|config| {
        let provider = config.provider.as_mut().expect("it is a provider");
        let (least_pay, most_seat_bond) = (tokens(PAY).to(), tokens(SEAT_BOND).to());
        provider.member = Some(MemberConfig { leads: vec![lead], least_pay, most_seat_bond, jobs: 1 });
    });
    // It leads no job itself.
    member.take_for(PRICE + 1);
    member
}

/// Lets a lead call for these members.
pub fn call(lead: &Member, members: &[&Member]) {
    let call = TeamCall {
        pay: tokens(PAY).to(),
        bond: tokens(SEAT_BOND).to(),
        until: u32::MAX.into(),
        members: members.iter().map(|member| member.account()).collect(),
    };
    call.write(lead.folder()).expect("it is written");
}

/// What the market has of the team of a job.
pub fn seats(scene: &Scene, job: B256) -> Vec<TrainingMarket::Seat> {
    let seat = |number: u8| {
        let call = TrainingMarket::seatOfCall { id: job, number: U256::from(number) };
        scene.chain.wait(async { scene.chain.client().at_head().await?.ask(scene.market(), &call).await })
    };
    (1..=scene.job(job).seats).map(|number| seat(number).expect("it answers")).collect()
}

/// Who is paid for the proofs of a batch: accounts, by segments.
pub fn holders(scene: &Scene, job: B256, batch: u64) -> Vec<Address> {
    let (seats, lead) = (seats(scene, job), scene.job(job).owner);
    let record = scene.ask(scene.market(), &TrainingMarket::batchOfCall { id: job, batch: U256::from(batch) });
    let holder = |at: u64| {
        let seat: u64 = ((record.record.holders >> (4 * at)) & U256::from(15)).to();
        seat.checked_sub(1).map_or(lead, |place| seats[place as usize].owner)
    };
    (0..u64::from(EVERY)).map(holder).collect()
}

/// A market with a requester, a lead, and members.
struct Team {
    scene: Scene,
    requester: Member,
    lead: Member,
    members: Vec<Member>,
}

impl Team {
    /// All are in the register; requester and lead run, members do not yet. `None`, and it is said, where the tools are not installed.
    fn start(test: &str, members: u8) -> Option<Self> {
        let scene = Scene::start(test)?;
        let (mut requester, mut lead) = (Member::requester(&scene, 0x11), Member::provider(&scene, 0x21));
        let members: Vec<Member> = (0..members).map(|at| member(&scene, 0x31 + at, lead.account())).collect();
        call(&lead, &members.iter().collect::<Vec<_>>());
        lead.take_for(STAKE / MANY);
        requester.start(&scene);
        lead.start(&scene);
        Some(Self { scene, requester, lead, members })
    }

    /// The same, with all members, whose proofs take some time.
    fn with_all(test: &str, members: u8) -> Option<Self> {
        let mut team = Self::start(test, members)?;
        team.measure(SEGMENTS, SLOW);
        team.members.iter_mut().for_each(|member| member.start(&team.scene));
        Some(team)
    }

    /// Jobs have so many segments, and a proof takes so long.
    fn measure(&self, segments: u64, prove: Duration) {
        self.lead.shop.measure(segments, prove);
        self.members.iter().for_each(|member| member.shop.measure(segments, prove));
    }

    fn post(&self) -> B256 {
        self.post_with(self.scene.terms())
    }

    /// Posts a job, which the lead has begun to prove when all have joined.
    fn begin(&self) -> B256 {
        self.lead.shop.hold(Point::Prove(1));
        let job = self.post();
        self.all_joined(job);
        self.lead.shop.release(Point::Prove(1));
        job
    }

    fn post_with(&self, terms: TrainingMarket::Terms) -> B256 {
        self.requester.allow(&self.scene, &terms);
        self.requester.post(&self.scene, terms)
    }

    /// What the market has of the team.
    fn seats(&self, job: B256) -> Vec<TrainingMarket::Seat> {
        seats(&self.scene, job)
    }

    /// Waits until all members have a seat.
    fn all_joined(&self, job: B256) {
        self.scene.until("all have joined", || self.seats(job).len() == self.members.len());
    }

    /// Who is paid for the proofs of a batch: accounts, by segments.
    fn holders(&self, job: B256, batch: u64) -> Vec<Address> {
        holders(&self.scene, job, batch)
    }

    /// Compares what everybody has in the end: each member its pay for so many proofs, the lead the rest of the price.
    #[track_caller]
    fn balances(&self, proofs: &[u64], paid: u64) {
        let pay: u64 = proofs.iter().map(|count| count * PAY).sum();
        let mut all = vec![
            Balance { who: "requester", account: self.requester.account(), tokens: FORTUNE - paid, stake: 0 },
            Balance { who: "lead", account: self.lead.account(), tokens: FORTUNE - STAKE + paid - pay, stake: STAKE },
        ];
        let members = self.members.iter().zip(proofs);
        all.extend(members.map(|(member, count)| Balance {
            who: "member",
            account: member.account(),
            tokens: FORTUNE - STAKE + count * PAY,
            stake: STAKE,
        }));
        self.scene.balances(&all, 0);
    }

    /// Everybody.
    fn all(&self) -> Vec<&Member> {
        [&self.requester, &self.lead].into_iter().chain(&self.members).collect()
    }

    /// Waits until all seats are given up: their bonds are free.
    fn all_quit(&self, job: B256) {
        self.scene.until("all seats are given up", || self.seats(job).iter().all(|seat| seat.gone));
    }
}

#[test]
fn a_team_shares_the_proving_and_each_is_paid_for_what_it_proved() {
    let Some(team) = Team::with_all("a_team_shares_the_proving", 2) else { return };
    // The first claims wait for the members.
    team.lead.shop.hold(Point::Repeat);
    let job = team.post();
    team.all_joined(job);
    team.lead.shop.release_all();
    paid_out(&team.scene, job, State::Completed, &team.all());
    team.all_quit(job);
    let holders: Vec<Address> = (0..2).flat_map(|batch| team.holders(job, batch)).collect();
    let proofs =
        team.members.iter().map(|member| holders.iter().filter(|holder| **holder == member.account()).count() as u64);
    let proofs: Vec<u64> = proofs.collect();
    println!("proofs that members are paid for: {proofs:?} of {SEGMENTS}");
    assert!(proofs.iter().any(|count| *count > 0), "members prove some: {proofs:?}");
    let proved =
        |member: &Member| (0..SEGMENTS).map(|index| member.shop.passed(Point::Prove(index)) as u64).sum::<u64>();
    let made: u64 = team.members.iter().chain([&team.lead]).map(proved).sum();
    assert!(made <= SEGMENTS + 2, "{made} proofs were made of {SEGMENTS}");
    team.balances(&proofs, SEGMENTS * PRICE);
}

#[test]
fn a_member_joins_at_any_boundary() {
    let Some(mut team) = Team::start("a_member_joins_at_any_boundary", 1) else { return };
    // The lead begins alone.
    team.measure(SEGMENTS, 2 * SLOW);
    let job = team.post();
    team.scene.until("two segments are claimed", || team.scene.job(job).claimed >= 2);
    team.members[0].start(&team.scene);
    team.all_joined(job);
    paid_out(&team.scene, job, State::Completed, &team.all());
    team.all_quit(job);
    let holders: Vec<Address> = (0..2).flat_map(|batch| team.holders(job, batch)).collect();
    let (before, after) = holders.split_at(2);
    assert!(before.iter().all(|holder| *holder == team.lead.account()), "{holders:?}");
    let proofs = after.iter().filter(|holder| **holder == team.members[0].account()).count() as u64;
    assert!(proofs > 0, "it proves a part of what came after it");
    team.balances(&[proofs], SEGMENTS * PRICE);
}

#[test]
fn a_dead_members_share_goes_to_the_others() {
    let Some(mut team) = Team::with_all("a_dead_members_share_goes_to_the_others", 1) else { return };
    team.lead.shop.hold(Point::Repeat);
    // It never comes to an end with any proof.
    (0..SEGMENTS).for_each(|index| team.members[0].shop.hold(Point::Prove(index)));
    let job = team.post();
    team.all_joined(job);
    team.lead.shop.release_all();
    let proves = |member: &Member| (0..SEGMENTS).any(|index| member.shop.waits(Point::Prove(index)));
    team.scene.until("it proves something", || proves(&team.members[0]));
    team.members[0].shop.release_all();
    team.members[0].kill();
    paid_out(&team.scene, job, State::Completed, &[&team.requester, &team.lead]);
    let holders: Vec<Address> = (0..2).flat_map(|batch| team.holders(job, batch)).collect();
    assert!(holders.iter().all(|holder| *holder == team.lead.account()), "{holders:?}");
    // It comes back, and its bond is free.
    team.members[0].start(&team.scene);
    team.all_quit(job);
    team.balances(&[0], SEGMENTS * PRICE);
}

#[test]
fn a_member_with_a_wrong_weight_is_named_and_gets_no_work() {
    let Some(team) = Team::with_all("a_member_with_a_wrong_weight", 1) else { return };
    team.members[0].shop.misunderstand(1);
    team.lead.shop.hold(Point::Repeat);
    let job = team.post();
    team.all_joined(job);
    team.lead.shop.release_all();
    paid_out(&team.scene, job, State::Completed, &team.all());
    let facts = team.lead.facts(job).expect("it has the job");
    assert_eq!(facts.sharing.wrong, [(1, 1)].into(), "seat 1 differs at segment 1");
    let said = team.lead.shared().said_of(&format!("member {} of job {job}", team.members[0].account()));
    assert_eq!(said.as_deref(), Some("1"), "it is named");
    let proved = (0..SEGMENTS).map(|index| team.members[0].shop.passed(Point::Prove(index))).sum::<usize>();
    assert_eq!(proved, 0, "it had no work");
    team.all_quit(job);
    team.balances(&[0], SEGMENTS * PRICE);
}

#[test]
fn members_prove_nothing_of_a_lead_that_claims_what_they_did_not_train_to() {
    let Some(team) = Team::with_all("members_prove_nothing_of_a_lead", 1) else { return };
    team.lead.shop.misunderstand(2);
    let job = team.begin();
    let member = &team.members[0];
    team.scene.until("the lead claims", || team.scene.job(job).claimed > 2);
    let differs = || member.shared().said_of(&format!("claims of job {job}"));
    team.scene.until("the member says that the lead is wrong", || differs().is_some());
    assert_eq!(differs().as_deref(), Some("the claim of segment 2 is not what this node trained to"));
    let proved = (0..SEGMENTS).map(|index| member.shop.passed(Point::Prove(index))).sum::<usize>();
    assert_eq!(proved, 0, "it has compared all claims of the batch before its first proof");
    assert!(member.facts(job).expect("it has the job").agreed > 2, "it trained twice");
}

#[test]
fn members_prove_close_and_deliver_what_is_claimed_when_the_lead_is_gone() {
    let Some(mut team) = Team::with_all("members_prove_close_and_deliver", 2) else { return };
    // It claims a batch, and is gone before it closes that.
    team.lead.shop.hold(Point::Weights(3));
    let job = team.begin();
    team.scene.until("a batch is claimed", || team.scene.job(job).claimed == 3);
    team.lead.shop.release_all();
    team.lead.kill();
    let is_missed = |member: &Member| {
        let facts = member.facts(job).expect("it has the job");
        facts.member.is_some_and(|member| member.missed.is_some())
    };
    team.scene.until("the members miss their lead", || team.members.iter().all(is_missed));
    team.scene.pass(team.scene.terms().times.closeSecs.max(700));
    team.scene.until("a member closes the batch", || team.scene.job(job).closed == 3);
    let opened = || team.requester.facts(job).and_then(|facts| facts.opened.get(&0).cloned());
    team.scene.until("the requester has the weights", || matches!(opened(), Some(Opened::Right(_))));
    team.scene.until("the batch is paid", || team.scene.job(job).settled == 3);
    let proofs: Vec<u64> = team
        .members
        .iter()
        .map(|member| team.holders(job, 0).iter().filter(|holder| **holder == member.account()).count() as u64)
        .collect();
    assert!(proofs.iter().sum::<u64>() > 0, "the members proved what the lead had not: {proofs:?}");
    assert_eq!(opened(), Some(Opened::Right(digest(job, 3))));
    // The rest is never trained: the requester ends it, and the lead's bond pays for leaving.
    team.scene.pass(team.scene.terms().times.batchSecs + 1);
    team.scene.until("the job has ended", || team.scene.is(job, State::Left));
    team.all_quit(job);
    let members: Vec<&Member> = team.members.iter().collect();
    paid_out(&team.scene, job, State::Left, &members);
    for (member, count) in team.members.iter().zip(proofs) {
        let held = gradproof_chain::market::ComputeToken::balanceOfCall { account: member.account() };
        let held = team.scene.ask(team.scene.deployment.token.address, &held);
        assert_eq!(held, tokens(FORTUNE - STAKE + count * PAY), "what the member has");
    }
}

/// Segments of the measured job, all in one batch.
const MANY: u64 = 32;

/// Of the measured job: how long a proof takes, in milliseconds. The variable is for the measure of `docs/nodes.md`.
fn prove_time() -> Duration {
    Duration::from_millis(std::env::var("GRADPROOF_PROVER_MS").map_or(2000, |ms| ms.parse().expect("milliseconds")))
}

/// A team of four with a job of many segments, all of which are claimed and none proven.
fn with_many(test: &str) -> Option<(Team, B256)> {
    let mut team = Team::start(test, 3)?;
    team.measure(MANY, prove_time());
    team.members.iter_mut().for_each(|member| member.start(&team.scene));
    let mut training = team.scene.terms().training;
    (training.segments, training.rows) = (MANY as u32, MANY * u64::from(BATCH) * u64::from(STEPS));
    // All in one batch, whose price is the most that this lead has for a bond.
    let terms = terms(training, tokens(STAKE / MANY).to(), u8::try_from(MANY).expect("few"));
    team.lead.shop.hold(Point::Repeat);
    let job = team.post_with(terms);
    team.all_joined(job);
    team.lead.shop.release_all();
    team.scene.until("all is claimed", || u64::from(team.scene.job(job).claimed) == MANY);
    Some((team, job))
}

impl Team {
    /// How many segments of the first batch are proven.
    fn proven(&self, job: B256) -> u64 {
        let call = TrainingMarket::batchOfCall { id: job, batch: U256::ZERO };
        self.scene.ask(self.scene.market(), &call).record.proven.count_ones().into()
    }

    /// Waits until all is proven, and says how long it took beside provers that never wait.
    #[track_caller]
    fn proves_many(&self, job: B256, begin: Instant, ideal: Duration) {
        let alone = prove_time() * MANY as u32;
        self.scene.until_within("all is proven", alone, || self.proven(job) == MANY);
        let took = begin.elapsed();
        let ratio = took.as_secs_f64() / ideal.as_secs_f64();
        println!("{MANY} proofs of {:?}: {took:?}, ideal {ideal:?}, ratio {ratio:.2}", prove_time());
        // Blocks until a take counts, and looks, are a fixed time; and other tests run beside this one.
        assert!(took < alone, "one prover needs {alone:?}");
    }

    /// Transactions of all hot keys.
    fn sent(&self) -> u64 {
        self.all().iter().map(|party| self.scene.sent_by(party.hot())).sum()
    }
}

/// From the first take to the last proof that the market took, by four provers of a fixed time; and the transactions of a batch.
#[test]
fn a_team_of_four_takes_little_more_than_a_quarter_of_the_time() {
    let Some((team, job)) = with_many("a_team_of_four") else { return };
    let (before, begin) = (team.sent(), Instant::now());
    team.proves_many(job, begin, prove_time() * (MANY as u32) / 4);
    paid_out(&team.scene, job, State::Completed, &team.all());
    // With the one that claimed.
    let transactions = team.sent() - before + 1;
    println!("{transactions} transactions of a batch of {MANY}");
    assert!(transactions <= MANY + 8, "{transactions} transactions");
}
