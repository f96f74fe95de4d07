//! What a validator found out about deliveries, and what it says of them: each word is stored before it is signed, and never changed. And
//! what members of a committee said, as others keep it.

use std::collections::BTreeSet;

use gradproof_chain::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::message::{Bytes, Few, MAX_WORDS_TOLD, SignedWord};

/// Most words of a job that are kept, and most deliveries that were judged: 4096 batches, of which each may be claimed anew where blocks were
/// replaced.
pub const MAX_WORDS: usize = 8192;

/// Seconds between two attempts that both count.
const MISS_SECS: u64 = 600;

/// Attempts to get something that were in vain, while other nodes answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misses {
    /// How many.
    pub times: u32,
    /// When the last one was counted, in seconds since 1970.
    pub last_at: u64,
}

impl Misses {
    /// Another one at `now`, in seconds since 1970. Attempts that follow each other at once are one: whoever is gone for a moment, at either
    /// end, has not refused.
    pub fn miss(&mut self, now: u64) {
        if self.times == 0 || now >= self.last_at.saturating_add(MISS_SECS) {
            (self.times, self.last_at) = (self.times.saturating_add(1), now);
        }
    }
}

/// An answer to the question about a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The batch.
    pub batch: u64,
    /// The claim at its end. Another one in its place is another question.
    pub last: B256,
    /// Whether the opening of the claim was handed over.
    pub yes: bool,
    /// The signature of the word, once it is signed.
    #[serde(default)]
    pub signature: Option<Bytes<65>>,
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The batch.
    pub batch: u64,
    /// The delivery's root.
    pub root: B256,
    /// The claim that it was compared with.
    pub last: B256,
    /// How often it could not be had, while other nodes answered.
    #[serde(default)]
    pub missed: u32,
    /// When that was counted last, in seconds since 1970.
    #[serde(default)]
    pub missed_at: u64,
    /// Whether its weights open the claim; `None` if it was not had yet.
    #[serde(default)]
    pub right: Option<bool>,
    /// Why not.
    #[serde(default)]
    pub why: String,
}

impl Judged {
    /// It could not be had at `now`, in seconds since 1970.
    pub fn miss(&mut self, now: u64) {
        let mut misses = Misses { times: self.missed, last_at: self.missed_at };
        misses.miss(now);
        (self.missed, self.missed_at) = (misses.times, misses.last_at);
    }
}

/// What the provider said of a claim that is not what this node trained to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// The segment.
    pub segment: u64,
    /// The claim.
    pub claim: B256,
    /// How often the provider did not say what opens it, while other nodes answered.
    #[serde(default)]
    pub missed: u32,
    /// Whether what it said opens the claim to this node's weights; `None` if it said nothing yet.
    #[serde(default)]
    pub opens: Option<bool>,
}

/// The answer to a question, if there is one.
pub fn word(words: &[Word], batch: u64, last: B256) -> Option<&Word> {
    words.iter().find(|word| word.batch == batch && word.last == last)
}

/// The answer to a question, given now unless it was given before: whoever asks again gets the same.
///
/// `None` if there is no room for another word.
pub fn answer(words: &mut Vec<Word>, batch: u64, last: B256, yes: bool) -> Option<bool> {
    if let Some(word) = word(words, batch, last) {
        return Some(word.yes);
    }
    if words.len() >= MAX_WORDS {
        return None;
    }
    words.push(Word { batch, last, yes, signature: None });
    Some(yes)
}

/// Notes a question that was put. There are as many as batches, but for those that are claimed anew where blocks were replaced.
pub fn put(asked: &mut BTreeSet<(u64, B256)>, question: (u64, B256)) {
    if asked.len() < MAX_WORDS {
        asked.insert(question);
    }
}

/// Keeps a word that the chain told until its signature is looked at.
pub fn attest(attested: &mut Vec<SignedWord>, word: SignedWord) {
    if attested.len() < MAX_WORDS {
        attested.push(word);
    }
}

/// What the account `me` tells others: its own words, as far as they are signed, and those that it heard; the newest first.
pub fn told(me: Address, own: &[Word], heard: &[SignedWord]) -> Few<SignedWord, MAX_WORDS_TOLD> {
    let signed = |word: &Word| {
        let (batch, last, yes, signature) = (word.batch, word.last, word.yes, word.signature.clone()?);
        Some(SignedWord { member: me, batch, last, yes, signature })
    };
    let all = own.iter().rev().filter_map(signed).chain(heard.iter().rev().cloned());
    Few::new(all.take(MAX_WORDS_TOLD).collect()).unwrap_or_default()
}

/// A word that a member gave, if it is known.
pub fn said(heard: &[SignedWord], member: Address, batch: u64, last: B256, yes: bool) -> Option<&SignedWord> {
    let is_meant = |word: &&SignedWord| (word.member, word.batch, word.last, word.yes) == (member, batch, last, yes);
    heard.iter().find(is_meant)
}

/// Whether a word is to be kept: it answers a question that was put, and none of the same member says the same. So of each member and question
/// one yes and one no are kept, however many are told.
pub fn is_new(heard: &[SignedWord], asked: &BTreeSet<(u64, B256)>, word: &SignedWord) -> bool {
    let SignedWord { member, batch, last, yes, .. } = *word;
    heard.len() < MAX_WORDS && asked.contains(&(batch, last)) && said(heard, member, batch, last, yes).is_none()
}

/// Keeps a word whose signature is right, if it [is to be kept](is_new).
pub fn hear(heard: &mut Vec<SignedWord>, asked: &BTreeSet<(u64, B256)>, word: SignedWord) {
    if is_new(heard, asked, &word) {
        heard.push(word);
    }
}

/// The first question to which a member gave both answers.
pub fn contradiction(heard: &[SignedWord], member: Address) -> Option<(u64, B256)> {
    let question = |word: &SignedWord| (word.batch, word.last);
    let of = |yes: bool| heard.iter().filter(move |word| word.member == member && word.yes == yes).map(question);
    let denied: BTreeSet<_> = of(false).collect();
    of(true).find(|question| denied.contains(question))
}

/// Changes what is known of a delivery.
pub fn judge(judged: &mut Vec<Judged>, batch: u64, root: B256, last: B256, change: impl FnOnce(&mut Judged)) {
    let of = |one: &&mut Judged| (one.batch, one.root, one.last) == (batch, root, last);
    if let Some(one) = judged.iter_mut().find(of) {
        change(one);
    } else if judged.len() < MAX_WORDS {
        let mut one = Judged { batch, root, last, missed: 0, missed_at: 0, right: None, why: String::new() };
        change(&mut one);
        judged.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_question_has_two_answers() {
        let (mut words, last) = (vec![], B256::repeat_byte(1));
        assert_eq!(answer(&mut words, 3, last, false), Some(false));
        assert_eq!(answer(&mut words, 3, last, true), Some(false), "it was given before");
        assert_eq!(answer(&mut words, 3, B256::ZERO, true), Some(true), "another claim is another question");
        assert_eq!(answer(&mut words, 4, last, true), Some(true));
        assert_eq!((words.len(), word(&words, 3, last).map(|word| word.yes)), (3, Some(false)));
        words.resize(MAX_WORDS, words[0].clone());
        assert_eq!(answer(&mut words, 5, last, true), None, "bounded");
    }

    #[test]
    fn one_yes_and_one_no_of_each_member_are_kept_to_questions_that_were_put() {
        let (one, other, last) = (Address::repeat_byte(1), Address::repeat_byte(2), B256::repeat_byte(3));
        let word = |member, batch, last, yes, byte| {
            let signature = Bytes::new(vec![byte; 65]).expect("65 bytes");
            SignedWord { member, batch, last, yes, signature }
        };
        let (mut heard, asked) = (vec![], BTreeSet::from([(0, last), (1, last)]));
        for told in [
            word(one, 0, last, true, 1),
            word(one, 0, last, true, 2),
            word(one, 2, last, false, 3),
            word(one, 0, B256::ZERO, false, 4),
            word(other, 0, last, false, 5),
            word(one, 1, last, false, 6),
        ] {
            hear(&mut heard, &asked, told);
        }
        let kept: Vec<u8> = heard.iter().map(|word| word.signature.as_slice()[0]).collect();
        assert_eq!(kept, [1, 5, 6], "the first of each, and none to another question");
        assert_eq!(contradiction(&heard, one), None, "these are two questions");
        hear(&mut heard, &asked, word(one, 1, last, true, 7));
        assert_eq!((contradiction(&heard, one), contradiction(&heard, other)), (Some((1, last)), None));
        assert_eq!(said(&heard, one, 1, last, true).map(|word| word.signature.as_slice()[0]), Some(7));
        heard.resize(MAX_WORDS, heard[0].clone());
        hear(&mut heard, &asked, word(other, 1, last, true, 8));
        assert_eq!(heard.len(), MAX_WORDS, "bounded");
    }

    #[test]
    fn questions_words_that_wait_and_words_that_are_told_are_bounded() {
        let mut asked: BTreeSet<_> = (0..MAX_WORDS as u64).map(|batch| (batch, B256::ZERO)).collect();
        put(&mut asked, (0, B256::repeat_byte(1)));
        assert_eq!(asked.len(), MAX_WORDS);
        let signature = Bytes::new(vec![7; 65]).expect("65 bytes");
        let (member, last) = (Address::repeat_byte(1), B256::ZERO);
        let word = SignedWord { member, batch: 0, last, yes: true, signature: signature.clone() };
        let mut attested = vec![word.clone(); MAX_WORDS];
        attest(&mut attested, word);
        assert_eq!(attested.len(), MAX_WORDS);
        let own = [1, 2].map(|batch| Word { batch, last, yes: false, signature: Some(signature.clone()) });
        let me = Address::repeat_byte(2);
        let told = told(me, &own, &attested);
        let first: Vec<_> = told.as_slice().iter().take(3).map(|word| (word.member, word.batch)).collect();
        assert_eq!(first, [(me, 2), (me, 1), (member, 0)]);
        assert_eq!(told.as_slice().len(), MAX_WORDS_TOLD);
    }

    #[test]
    fn what_is_known_of_a_delivery_is_of_one_claim() {
        let (mut judged, root, last) = (vec![], B256::repeat_byte(1), B256::repeat_byte(2));
        for now in [5, 6, 5 + MISS_SECS - 1, 5 + MISS_SECS, 6 + MISS_SECS] {
            judge(&mut judged, 0, root, last, |one| one.miss(now));
        }
        judge(&mut judged, 0, root, B256::ZERO, |one| one.right = Some(true));
        assert_eq!((judged.len(), judged[0].missed, judged[0].right), (2, 2, None));
        judged.resize(MAX_WORDS, judged[0].clone());
        judge(&mut judged, 1, root, last, |_| ());
        assert_eq!(judged.len(), MAX_WORDS, "bounded");
    }
}
