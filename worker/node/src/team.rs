//! The team that shares the proving of a job: what its lead calls for, who joins it, and which claims each member proves.
//!
//! Everybody trains the whole job, which costs a small part of the proving; so nobody waits for anybody, and each compares what the others
//! claim with what it trained itself. Who proves which claim the lead proposes, by the speeds that members tell. A proposal is no promise:
//! it ends when its member is silent, and what the market pays for is the take of a claim, which a member makes when its proof is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gradproof_chain::market::MAX_SEATS;
use gradproof_chain::{Address, B256};
use gradproof_terminal::atomic;
use gradproof_verifier::protocol::keccak::keccak256;
use serde::{Deserialize, Serialize};

use crate::NodeError;
use crate::message::SignedSeat;

/// Name of the file with a lead's call for members: in the folder of a job for that job, in the node's folder for all of them.
pub const TEAM_FILE: &str = "team.json";
/// Most that a member may differ from its speed before its silence counts, in segments.
const SILENT_SEGMENTS: u64 = 3;
/// The least silence after which the claims of a member go to others, in seconds.
const SILENT_SECS: u64 = 60;
/// How long a member may keep a claim beside the time of its proof until it has taken it on the chain, in seconds: proofs wait for each other,
/// and a take for its block.
const KEEP_SECS: u64 = 900;
/// How often a member may keep a claim for longer: then it gets no more.
const MOST_LATE: u32 = 3;
/// A proof takes a member so many times as long as the lead at most, whatever it says.
const MOST_SLOWER: u64 = 8;
/// Seconds of a proof where nobody measured one.
const UNKNOWN_SECS: u64 = 3600;
/// Most claims that a member has at a time: those ahead, and those whose proofs it has and has not brought.
const MOST_KEPT: usize = 16;
/// Milliseconds for which a member has work beside the proof that it makes: twice what passes until it asks again.
const AHEAD_MS: u64 = 6000;
/// Most claims that a member has not proven, at a time.
const MOST_AHEAD: u64 = 8;

/// What a lead calls for: who may join its team, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamCall {
    /// Paid for each proof of a claim that the member took, in the token's smallest unit.
    pub pay: u128,
    /// Bond of a seat, in the token's smallest unit: `challengeBond` of the terms is held of it for each claim that the member has taken.
    pub bond: u128,
    /// The last second in which it is answered, in seconds since 1970.
    pub until: u64,
    /// The accounts that get a seat.
    pub members: BTreeSet<Address>,
}

impl TeamCall {
    /// Reads the call for the team of a job: the one in the job's folder goes before the one in the node's; `None` where neither is.
    ///
    /// # Errors
    /// A file cannot be read, or is no call.
    pub fn read(job: &Path, home: &Path) -> Result<Option<Self>, NodeError> {
        for path in [job, home].map(|folder| folder.join(TEAM_FILE)) {
            match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
                Err(error) => return Err(NodeError::file(&path)(error)),
                Ok(bytes) => {
                    let call = serde_json::from_slice(&bytes).map_err(std::io::Error::from);
                    return call.map(Some).map_err(NodeError::file(&path));
                }
            }
        }
        Ok(None)
    }

    /// Writes the call into a folder, in one piece, over another one; the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, NodeError> {
        let path = folder.join(TEAM_FILE);
        atomic::write(&path, |file| serde_json::to_writer_pretty(file, self).map_err(Into::into))
            .map_err(NodeError::file(&path))?;
        Ok(path)
    }

    /// The nonce of the seat that a member gets for this call in a job: whoever asks twice gets the same one, and the market gives one.
    pub fn nonce(&self, job: B256, member: Address) -> B256 {
        let amounts = [self.pay.to_be_bytes(), self.bond.to_be_bytes()].concat();
        keccak256(&[b"gradproof seat", job.as_slice(), member.as_slice(), &amounts]).into()
    }
}

/// What a provider knows of a job in whose team it is, or wants to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Whose team it is.
    pub lead: Address,
    /// The seat that it brings.
    #[serde(default)]
    pub offer: Option<SignedSeat>,
    /// The claims that the lead proposes that this node proves.
    #[serde(default)]
    pub share: BTreeSet<u64>,
    /// When proofs were made, in seconds since 1970.
    #[serde(default)]
    pub made_at: BTreeMap<u64, u64>,
    /// Since when the lead does not answer, in seconds since 1970.
    #[serde(default)]
    pub missed: Option<u64>,
}

impl Membership {
    /// It wants to be in the team of this lead.
    pub fn of(lead: Address) -> Self {
        Self { lead, offer: None, share: BTreeSet::new(), made_at: BTreeMap::new(), missed: None }
    }
}

/// A claim that a lead proposed to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The member's seat.
    pub seat: u64,
    /// Whether its proof is made, as the member says.
    pub made: bool,
    /// Since when the member has it, in seconds since 1970.
    pub since: u64,
}

/// What a lead knows of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// Milliseconds of a proof there, as it says, within bounds; `None` before the first one.
    pub segment_ms: Option<u64>,
    /// Seconds of a proof there, as far as anybody knows.
    pub proof_secs: u64,
    /// When it asked last, in seconds since 1970.
    pub at: u64,
}

/// How a lead shares the proving of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// What is proposed, by segments.
    #[serde(default)]
    pub shares: BTreeMap<u64, Share>,
    /// The members that asked, by their seats.
    #[serde(default)]
    pub members: BTreeMap<u64, Heard>,
    /// The members whose training is not this node's, by their seats, and at which segment: they get no work.
    #[serde(default)]
    pub wrong: BTreeMap<u64, u64>,
    /// How often members kept a claim for too long, by their seats.
    #[serde(default)]
    pub late: BTreeMap<u64, u32>,
}

/// What a member says when it asks which claims it is to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its seat.
    pub seat: u64,
    /// Milliseconds of a proof there, as measured.
    pub segment_ms: Option<u64>,
    /// The segment that it is proving.
    pub making: Option<u64>,
    /// The segments whose proofs it has.
    pub made: BTreeSet<u64>,
    /// When, in seconds since 1970.
    pub now: u64,
}

/// The claims that are to be proven, and what the lead does about them itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// All that are claimed and not proven on the chain, ascending.
    pub claims: Vec<u64>,
    /// Those of them whose proofs the lead has.
    pub made: BTreeSet<u64>,
    /// Those of them that members have taken, with their seats.
    pub taken: BTreeMap<u64, u64>,
    /// Milliseconds of a proof of the lead, if that was measured.
    pub segment_ms: Option<u64>,
}

impl Sharing {
    /// Whether a member is to be waited for at `now`, in seconds since 1970: it asked within the time of some segments.
    pub fn is_heard(&self, seat: u64, now: u64) -> bool {
        self.members.get(&seat).is_some_and(|member| member.at.saturating_add(silence(member.proof_secs)) >= now)
    }

    /// The member that was proposed a claim and is not silent; of a proof that is made, too.
    pub fn holder(&self, segment: u64, now: u64) -> Option<u64> {
        let share = self.shares.get(&segment)?;
        (self.is_heard(share.seat, now) && !self.is_out(share.seat) && !self.is_late(share, now)).then_some(share.seat)
    }

    /// Whether a member gets no work: it trained to something else, or kept claims for too long, too often.
    fn is_out(&self, seat: u64) -> bool {
        self.wrong.contains_key(&seat) || self.late.get(&seat).is_some_and(|times| *times >= MOST_LATE)
    }

    /// Whether a member keeps a claim for too long.
    fn is_late(&self, share: &Share, now: u64) -> bool {
        let proof = self.members.get(&share.seat).map_or(UNKNOWN_SECS, |member| member.proof_secs);
        share.since.saturating_add(KEEP_SECS).saturating_add(proof.saturating_mul(SILENT_SEGMENTS)) < now
    }

    /// Answers a member: the claims that it is to prove, those among them that it has proven already.
    ///
    /// Each member, and the lead, gets a part of what nobody has proven yet, by its speed; so all of them end at about one time. It gets no
    /// more of it than it can begin until it asks again: who takes on much and does nothing delays little. What it is proving stays with it,
    /// and the first claim that nobody has is the lead's, which is proving it.
    pub fn share(&mut self, open: &Open, asked: &Asked) -> BTreeSet<u64> {
        let Asked { seat, now, .. } = *asked;
        let most = open.segment_ms.map_or(UNKNOWN_SECS * 1000, |own| own.saturating_mul(MOST_SLOWER));
        let segment_ms = asked.segment_ms.map(|said| said.min(most));
        let proof_secs = segment_ms.or(open.segment_ms).map_or(UNKNOWN_SECS, |ms| ms.div_ceil(1000));
        self.members.insert(seat, Heard { segment_ms, proof_secs, at: now });
        self.forget(open, now);
        if self.is_out(seat) {
            self.shares.retain(|_, share| share.seat != seat);
            return BTreeSet::new();
        }
        // What the member says that it has or makes is its own, unless somebody else was faster.
        let said =
            asked.made.iter().map(|segment| (*segment, true)).chain(asked.making.map(|segment| (segment, false)));
        for (segment, made) in said.filter(|(segment, _)| open.claims.contains(segment)) {
            let others = self.shares.get(&segment).is_some_and(|share| share.seat != seat && (share.made || !made));
            let kept = self.shares.iter().filter(|(other, share)| share.seat == seat && **other != segment).count();
            if !others && !open.made.contains(&segment) && kept < MOST_KEPT {
                let since =
                    self.shares.get(&segment).filter(|share| share.seat == seat).map_or(now, |share| share.since);
                self.shares.insert(segment, Share { seat, made, since });
            }
        }
        let is_mine =
            |shares: &BTreeMap<u64, Share>, segment: &u64| shares.get(segment).is_some_and(|share| share.seat == seat);
        // What it has not begun is shared anew.
        self.shares.retain(|segment, share| share.seat != seat || share.made || asked.making == Some(*segment));
        let left = self.left(open);
        let mut free = left.iter().copied().filter(|segment| !self.shares.contains_key(segment));
        // The lead is at the first one.
        let leads = free.next();
        let busy = left.iter().filter(|segment| is_mine(&self.shares, segment)).count();
        let ahead = 1 + AHEAD_MS.div_ceil(segment_ms.unwrap_or(AHEAD_MS).max(1));
        let most = usize::try_from(ahead.min(MOST_AHEAD)).unwrap_or(usize::MAX);
        let kept = self.shares.values().filter(|share| share.seat == seat).count();
        let more = self.part(seat, open.segment_ms, left.len(), now).min(most).saturating_sub(busy);
        let more = more.min(MOST_KEPT.saturating_sub(kept));
        let new: Vec<u64> = free.filter(|segment| Some(*segment) != leads).take(more).collect();
        self.shares.extend(new.into_iter().map(|segment| (segment, Share { seat, made: false, since: now })));
        self.shares.iter().filter(|(_, share)| share.seat == seat).map(|(segment, _)| *segment).collect()
    }

    /// Lets go of what is proven or taken by another, and of what silent members have.
    fn forget(&mut self, open: &Open, now: u64) {
        let silent: BTreeSet<u64> =
            self.shares.values().map(|share| share.seat).filter(|seat| !self.is_heard(*seat, now)).collect();
        let is_late = |segment: &u64, share: &Share| {
            self.is_late(share, now) && open.claims.contains(segment) && open.taken.get(segment) != Some(&share.seat)
        };
        let late: BTreeMap<u64, u64> = self
            .shares
            .iter()
            .filter(|(segment, share)| is_late(segment, share))
            .map(|(segment, share)| (*segment, share.seat))
            .collect();
        self.shares.retain(|segment, _| !late.contains_key(segment));
        // Who brings proofs is not late any more.
        let proven = self.shares.iter().filter(|(segment, share)| share.made && !open.claims.contains(segment));
        for seat in proven.map(|(_, share)| share.seat).collect::<BTreeSet<u64>>() {
            self.late.remove(&seat);
        }
        // However many it kept, it is once.
        for seat in late.into_values().collect::<BTreeSet<u64>>() {
            *self.late.entry(seat).or_default() += 1;
        }
        self.shares.retain(|segment, share| {
            let taken = open.taken.get(segment).is_some_and(|seat| *seat != share.seat);
            open.claims.contains(segment) && !taken && !silent.contains(&share.seat)
        });
    }

    /// The claims of which nobody has the proof.
    fn left(&self, open: &Open) -> Vec<u64> {
        let is_made = |segment: &u64| {
            open.made.contains(segment)
                || open.taken.contains_key(segment)
                || self.shares.get(segment).is_some_and(|share| share.made)
        };
        open.claims.iter().copied().filter(|segment| !is_made(segment)).collect()
    }

    /// How many of so many claims are a member's part at `now`, by the speeds of all that are heard, and the lead's.
    fn part(&self, seat: u64, leads_ms: Option<u64>, claims: usize, now: u64) -> usize {
        let heard = self.members.iter().filter(|(other, _)| self.is_heard(**other, now) && !self.is_out(**other));
        let heard: Vec<(u64, Option<u64>)> = heard.map(|(other, member)| (*other, member.segment_ms)).collect();
        // Whose speed is not known counts as one of those that are.
        let known = heard.iter().filter_map(|(_, ms)| *ms).chain(leads_ms).max().unwrap_or(1);
        let speed = |ms: Option<u64>| SPEED / u128::from(ms.unwrap_or(known).max(1));
        let all: u128 = heard.iter().map(|(_, ms)| speed(*ms)).sum::<u128>() + speed(leads_ms);
        let own = heard.iter().find(|(other, _)| *other == seat).map_or(0, |(_, ms)| speed(*ms));
        usize::try_from((claims as u128 * own).div_ceil(all.max(1))).unwrap_or(usize::MAX)
    }
}

/// Speeds are counted in so many millionths of a segment a millisecond: an hour a segment is not none.
const SPEED: u128 = 1_000_000_000_000;

/// How long a member may be silent whose proofs take so long, in seconds.
fn silence(proof_secs: u64) -> u64 {
    SILENT_SECS.max(proof_secs.saturating_mul(SILENT_SEGMENTS))
}

/// Whether a team has a seat left.
pub fn has_room(seats: u8) -> bool {
    seats < MAX_SEATS
}

/// What a member's hot key signs of what it trained: the digests at the ends of segments from `from` on.
pub fn ends_digest(chain: u64, market: Address, job: B256, from: u64, ends: &[B256]) -> B256 {
    let numbers = [chain.to_be_bytes(), from.to_be_bytes()].concat();
    keccak256(&[b"gradproof ends of segments", market.as_slice(), job.as_slice(), &numbers, ends.concat().as_slice()])
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims that are open, of which nobody has anything.
    fn open(claims: u64) -> Open {
        Open { claims: (0..claims).collect(), segment_ms: Some(1000), ..Open::default() }
    }

    fn asked(seat: u64, now: u64) -> Asked {
        Asked { seat, segment_ms: Some(1000), making: None, made: BTreeSet::new(), now }
    }

    fn list(part: &BTreeSet<u64>) -> Vec<u64> {
        part.iter().copied().collect()
    }

    #[test]
    fn each_gets_its_part_and_no_more_than_it_can_begin() {
        let (mut sharing, open) = (Sharing::default(), open(32));
        let ask = |sharing: &mut Sharing, seat, ms, now| {
            let made = BTreeSet::new();
            list(&sharing.share(&open, &Asked { seat, segment_ms: ms, making: None, made, now }))
        };
        // The first one is the lead's, which is proving it. Before its first proof a member has one, and one more.
        assert_eq!(ask(&mut sharing, 1, None, 0), [1, 2]);
        assert_eq!(ask(&mut sharing, 2, Some(6000), 0), [3, 4]);
        assert_eq!(
            ask(&mut sharing, 3, Some(1000), 0),
            [5, 6, 7, 8, 9, 10, 11],
            "six seconds of work beside the proof"
        );
        assert_eq!(ask(&mut sharing, 3, Some(1), 0).len(), 8);
        let all: BTreeSet<u64> = sharing.shares.keys().copied().collect();
        assert!(!all.contains(&0), "{all:?}");
        // Where less is left than that, each has its part by its speed, and the lead the rest.
        let few = Open { claims: (0..6).collect(), segment_ms: Some(1000), ..Open::default() };
        let mut sharing = Sharing::default();
        (1..=2).for_each(|seat| drop(sharing.share(&few, &asked(seat, 0))));
        let parts: Vec<usize> = (1..=2).map(|seat| sharing.share(&few, &asked(seat, 1)).len()).collect();
        assert_eq!(parts, [2, 2]);
        let slow = Asked { segment_ms: Some(2000), ..asked(2, 1) };
        assert_eq!(sharing.share(&few, &slow).len(), 2, "a fifth of six, rounded up");
        let slower = Asked { segment_ms: Some(10_000), ..asked(2, 1) };
        assert_eq!(sharing.share(&few, &slower).len(), 1);
    }

    #[test]
    fn what_is_made_or_being_made_stays_and_the_rest_is_shared_anew() {
        let (mut sharing, open) = (Sharing::default(), open(9));
        let first = list(&sharing.share(&open, &asked(1, 0)));
        assert_eq!(first, [1, 2, 3, 4, 5]);
        let busy = Asked { making: Some(2), made: [1].into(), ..asked(1, 1) };
        assert_eq!(list(&sharing.share(&open, &busy)), [1, 2, 3, 4, 5], "of eight that are left it has four");
        assert_eq!(list(&sharing.share(&open, &asked(2, 1))), [6, 7, 8]);
        assert_eq!(list(&sharing.share(&open, &busy)), [1, 2, 3, 4], "one that it has not begun is another's now");
        // Nobody gets what another one makes or has made.
        let thief = Asked { making: Some(2), made: [1].into(), ..asked(2, 1) };
        let got = sharing.share(&open, &thief);
        assert!(!got.contains(&1) && !got.contains(&2), "{got:?}");
        assert_eq!(sharing.holder(2, 1), Some(1));
    }

    #[test]
    fn who_keeps_claims_and_takes_none_gets_no_more() {
        let (mut sharing, mut open) = (Sharing::default(), open(9));
        let kept = KEEP_SECS + 3;
        let says = |now| Asked { made: [1].into(), ..asked(1, now) };
        drop(sharing.share(&open, &says(0)));
        drop(sharing.share(&open, &says(kept)));
        assert_eq!((sharing.holder(1, kept), sharing.late.len()), (Some(1), 0));
        assert_eq!(sharing.holder(1, kept + 1), None, "it says that it has the proof, and takes nothing");
        // What it took on the chain is not late: the market has the bond of that.
        open.taken.insert(1, 1);
        drop(sharing.share(&open, &says(kept + 1)));
        assert_eq!(sharing.late.get(&1), None);
        open.taken.clear();
        for times in 1..=MOST_LATE {
            drop(sharing.share(&open, &says(u64::from(times) * 2 * kept)));
            assert_eq!(sharing.late.get(&1), Some(&times));
        }
        assert_eq!(list(&sharing.share(&open, &asked(1, 8 * kept))), [0; 0]);
        assert!((0..9).all(|segment| sharing.holder(segment, 8 * kept).is_none()));
    }

    #[test]
    fn a_silent_member_has_nothing_and_a_slow_one_is_waited_for() {
        let (mut sharing, open) = (Sharing::default(), open(9));
        let part = sharing.share(&open, &asked(1, 0));
        let one = *part.first().expect("it has some");
        assert_eq!(sharing.holder(one, SILENT_SECS), Some(1));
        assert_eq!(sharing.holder(one, SILENT_SECS + 1), None);
        assert_eq!(sharing.share(&open, &asked(2, SILENT_SECS + 1)).len(), 5, "the silent one counts no more");
        let slow = Asked { segment_ms: Some(600_000), ..asked(1, 0) };
        let (mut sharing, open) = (Sharing::default(), Open { segment_ms: Some(100_000), ..open });
        let one = *sharing.share(&open, &slow).first().expect("it has one");
        assert_eq!(sharing.holder(one, 1800), Some(1), "three of its segments");
        assert_eq!(sharing.holder(one, 1801), None);
    }

    #[test]
    fn who_is_wrong_gets_nothing_and_what_is_proven_or_taken_is_nobodys() {
        let (mut sharing, mut open) = (Sharing::default(), open(6));
        let part = sharing.share(&open, &asked(1, 0));
        assert_eq!(list(&part), [1, 2, 3]);
        open.claims.retain(|segment| *segment != 1);
        open.taken.insert(2, 2);
        let part = sharing.share(&open, &asked(1, 0));
        assert!(!part.contains(&1) && !part.contains(&2), "{part:?}");
        sharing.wrong.insert(1, 0);
        assert_eq!(list(&sharing.share(&open, &asked(1, 0))), [0; 0]);
        assert!((0..6).all(|segment| sharing.holder(segment, 0).is_none()));
    }

    #[test]
    fn a_member_whose_speed_is_not_known_counts_as_one_of_the_others_and_zero_is_no_speed() {
        let mut sharing = Sharing::default();
        let unknown = Asked { segment_ms: None, ..asked(1, 0) };
        assert_eq!(sharing.share(&open(4), &unknown).len(), 2);
        let none = Open { segment_ms: None, ..open(2) };
        assert_eq!(Sharing::default().share(&none, &unknown).len(), 1);
        let endless = Asked { segment_ms: Some(0), ..asked(1, 0) };
        assert_eq!(Sharing::default().share(&open(8), &endless).len(), 7, "all but the lead's");
        let never = Asked { segment_ms: Some(u64::MAX), ..asked(1, 0) };
        assert_eq!(Sharing::default().share(&open(8), &never).len(), 1);
    }

    #[test]
    fn what_a_member_says_of_its_speed_is_bounded() {
        let (mut sharing, open) = (Sharing::default(), open(9));
        let never = Asked { segment_ms: Some(u64::MAX), made: (0..9).collect(), ..asked(1, 0) };
        drop(sharing.share(&open, &never));
        assert_eq!(sharing.members[&1].proof_secs, 8, "eight times as slow as the lead");
        assert_eq!(sharing.holder(1, SILENT_SECS + 1), None);
        let many = Open { claims: (0..64).collect(), ..open };
        let all = Asked { made: (0..64).collect(), ..asked(2, 0) };
        assert!(Sharing::default().share(&many, &all).len() <= MOST_KEPT);
    }

    #[test]
    fn a_call_of_the_job_goes_before_that_of_the_node() {
        let (job, home) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let read = || TeamCall::read(job.path(), home.path());
        assert_eq!(read().expect("there is none"), None);
        let call = TeamCall { pay: 1, bond: 2, until: 3, members: [Address::repeat_byte(4)].into() };
        call.write(home.path()).expect("it is written");
        assert_eq!(read().expect("it is read"), Some(call.clone()));
        let of_job = TeamCall { pay: 5, ..call.clone() };
        of_job.write(job.path()).expect("it is written");
        assert_eq!(read().expect("it is read"), Some(of_job.clone()));
        let (id, member) = (B256::repeat_byte(6), Address::repeat_byte(4));
        let nonces = [
            call.nonce(id, member),
            of_job.nonce(id, member),
            call.nonce(B256::ZERO, member),
            call.nonce(id, Address::ZERO),
        ];
        assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), 4);
        std::fs::write(job.path().join(TEAM_FILE), "{}").expect("it is written");
        assert!(read().expect_err("it is no call").to_string().contains(TEAM_FILE));
    }
}
