//! What nodes ask each other, and what they answer: JSON of a bounded size, which the network enforces.

use std::fmt;
use std::marker::PhantomData;

use gradproof_chain::market::{MAX_LICENCE_BYTES, MAX_PATH, TrainingMarket};
use gradproof_chain::{Address, B256, SolValue, U256};
use serde::{Deserialize, Serialize, de};

use crate::dataset::DatasetFile;

/// Most wraps of one key: nodes of all parties of a job.
pub const MAX_WRAPS: usize = 64;
/// Longest reason, in bytes.
pub const MAX_REASON: usize = 512;
/// Longest encoded terms, in bytes: 16 rates, 16 members.
pub const MAX_TERMS: usize = 4096;
/// Longest encoded licence, in bytes: nine words, and a signature.
pub const MAX_LICENCE: usize = 1024;
/// Most words of a job that are told at once: of 300 bytes each, half of what an answer may have.
pub const MAX_WORDS_TOLD: usize = 512;
/// Most members of a committee: `COMMITTEE` of `contracts/src/market/Bounds.sol`.
pub const MAX_MEMBERS: usize = 16;
/// Most claims that a member is told, and most ends of segments that it tells: those of a batch.
pub const MAX_SHARE: usize = 64;

/// The path of an account in the list of those whom a licence admits; empty where there is no list.
pub type LicencePath = Few<B256, MAX_PATH>;

/// What a stranger may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Question {
    /// What the node offers.
    Card,
    /// At which price it would train a job.
    Quote {
        /// Who would post the job.
        requester: Address,
        /// The terms, as the market's ABI encodes them.
        terms: Bytes<MAX_TERMS>,
        /// The licence of the data, if they are a registered set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        licence: Option<GivenLicence>,
    },
    /// Which registered sets a data owner's node serves.
    Datasets,
    /// Of a node in the register: whether its addresses there can be reached from here. Nothing else is dialled.
    DialBack,
}

/// What a stranger is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Answer {
    /// What the node offers.
    Card(Card),
    /// A price.
    Quote(Quote),
    /// The sets that the node serves.
    Datasets(Vec<SetCard>),
    /// Which addresses of the asker were reached.
    Dialled(Vec<Dialled>),
    /// It does not answer that, and why.
    Refused(Reason),
}

/// What came of a connection that was tried out. Why there was none is not said: a registered address could be of somebody else, whose
/// ports are nobody's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialled {
    /// The address, as in the register.
    pub address: Reason,
    /// Whether the asker's peer answered there.
    pub reached: bool,
}

/// What a provider offers, to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The account that trains, and is paid.
    pub owner: Address,
    /// Keys of verifiers whose proofs it makes, with the milliseconds a segment takes, as it measured them.
    pub measured: Vec<Measured>,
    /// Jobs that it could take beside those that it has promised.
    pub free: u32,
    /// Least price of a segment, in the token's smallest unit.
    pub least_price: u128,
}

/// A registered set, and what a licence for it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCard {
    /// The set: root, rows, schema, owner.
    pub set: DatasetFile,
    /// What the node signs licences for, if it does.
    pub price: Option<LicencePrice>,
}

/// What a licence costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicencePrice {
    /// Paid at the start of the job, in the token's smallest unit.
    pub fee: u128,
    /// Least royalty of a segment, in the token's smallest unit.
    pub least_royalty: u128,
    /// Most segments of a job.
    pub most_segments: u32,
}

/// How long a segment of a shape takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Digest of the verifying key.
    pub key: B256,
    /// From training to the proof.
    pub segment_ms: u64,
}

/// A price that a provider promises for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Who promises.
    pub owner: Address,
    /// keccak256 of the requester and the terms.
    pub of: B256,
    /// Least price of a segment at which it accepts, in the token's smallest unit.
    pub price: u128,
    /// Until when, in seconds since 1970.
    pub expires: u64,
    /// Signature of the node's hot key or account over all that, 65 bytes.
    pub signature: Bytes<65>,
}

/// What a party of a job may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum PartyQuestion {
    /// Whether a provider takes the job of an offer, which is of the account that asks.
    Offer(SignedOffer),
    /// A licence for a job of so many segments on a registered set, for the account that asks.
    Licence {
        /// The set.
        dataset: B256,
        /// Segments of the job.
        segments: u32,
    },
    /// The rows of the registered set that a job is on.
    Rows {
        /// The job.
        job: B256,
    },
    /// Whether a validator sits in the committee of a job, which is of the account that asks.
    Consent {
        /// The terms, as the market's ABI encodes them.
        terms: Bytes<MAX_TERMS>,
        /// The requester's nonce.
        nonce: B256,
        /// The licence of the data, with the validator's path, if they are a registered set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        licence: Option<GivenLicence>,
    },
    /// What shows the market that the account that asks may see the data of a licensed job, of the requester's node.
    LicencePath {
        /// The job.
        job: B256,
    },
    /// The parcel of a job.
    Parcel {
        /// The job.
        job: B256,
    },
    /// The weights at the end of a batch.
    Delivery {
        /// The job.
        job: B256,
        /// The batch.
        batch: u64,
    },
    /// What opens the claim at the end of a segment.
    Opening {
        /// The job.
        job: B256,
        /// The segment.
        segment: u64,
    },
    /// The words about complaints of a job that the node has: its own, and those of others.
    Words {
        /// The job.
        job: B256,
    },
    /// A seat in the team of a job, for the account that asks.
    TeamSeat {
        /// The job.
        job: B256,
    },
    /// Which claims of a job the member that asks is to prove.
    Share(ShareQuestion),
}

/// What a member tells its lead when it asks what it is to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareQuestion {
    /// The job.
    pub job: B256,
    /// Milliseconds of a proof, if one was made.
    pub segment_ms: Option<u64>,
    /// The segment that it is proving.
    pub making: Option<u64>,
    /// The segments whose proofs it has, and the market has not.
    pub made: Few<u64, MAX_SHARE>,
    /// The first segment of `ends`.
    pub from: u64,
    /// The digests at the ends of segments, as it trained them.
    pub ends: Few<B256, MAX_SHARE>,
    /// Signature of the node's hot key over job, `from` and `ends`, 65 bytes.
    pub signature: Bytes<65>,
}

/// An offer to the provider that is asked, with the requester's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOffer {
    /// The terms, as the market's ABI encodes them.
    pub terms: Bytes<MAX_TERMS>,
    /// The requester's nonce.
    pub nonce: B256,
    /// The last second in which the market takes it, in seconds since 1970.
    pub expiry: u64,
    /// Signature of the requester's account (EIP-712), 65 bytes.
    pub signature: Bytes<65>,
    /// Consents of the committee's members, in their order.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub consents: Few<SignedConsent, MAX_MEMBERS>,
    /// The licence of the data, if they are a registered set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<GivenLicence>,
}

/// A data owner's licence, as a requester shows it to a provider or a validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenLicence {
    /// The licence with its signature, as the market's ABI encodes it.
    pub licence: Bytes<MAX_LICENCE>,
    /// That one's path in the tree of those whom it admits, 32 bytes a node; empty where there is no tree.
    pub path: Bytes<{ 32 * MAX_PATH }>,
}

/// A validator's consent to its place in the committee of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedConsent {
    /// Key of its words.
    pub key: Address,
    /// The last second in which the job can be posted with it, in seconds since 1970.
    pub expiry: u64,
    /// Signature of its account (EIP-712), 65 bytes.
    pub signature: Bytes<65>,
    /// Its path in the licence of the data, which the requester fills in.
    #[serde(default, skip_serializing_if = "Few::is_empty")]
    pub path: LicencePath,
}

/// A word of a member of a committee about a complaint, as it signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedWord {
    /// The member's account.
    pub member: Address,
    /// The batch.
    pub batch: u64,
    /// The claim at its end.
    pub last: B256,
    /// Whether the opening of the claim was handed over, as the member says.
    pub yes: bool,
    /// Signature of the key of its words, or of its account (EIP-712), 65 bytes.
    pub signature: Bytes<65>,
}

/// What a party is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum PartyAnswer {
    /// Where it is, and the key of it for each node.
    Sealed(Sealed),
    /// A licence, as its file has it.
    Licence(Bytes<MAX_LICENCE_BYTES>),
    /// It takes the job of an offer, in a transaction of its own.
    Takes {
        /// The job.
        job: B256,
    },
    /// It sits in the committee.
    Consents(SignedConsent),
    /// The path of the account that asks.
    LicencePath(LicencePath),
    /// What opens a claim, beside the weights.
    Opening {
        /// The seed of the blindings.
        secret: B256,
    },
    /// A seat in the team.
    TeamSeat(SignedSeat),
    /// The claims that the member is to prove.
    Share(Few<u64, MAX_SHARE>),
    /// Words of members of the committee, the newest first.
    Words(Few<SignedWord, MAX_WORDS_TOLD>),
    /// Not yet, or not for who asks.
    Refused(Reason),
}

/// A seat that a lead signed, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedSeat {
    /// Paid for each proof, in the token's smallest unit.
    pub pay: u128,
    /// Bond, in the token's smallest unit.
    pub bond: u128,
    /// The lead's nonce.
    pub nonce: B256,
    /// The last second in which it can be brought, in seconds since 1970.
    pub expiry: u64,
    /// Signature of the lead's account (EIP-712), 65 bytes.
    pub signature: Bytes<65>,
}

impl SignedSeat {
    /// As the market takes it.
    pub fn to_market(&self) -> TrainingMarket::SeatOffer {
        TrainingMarket::SeatOffer {
            pay: self.pay,
            bond: self.bond,
            nonce: U256::from_be_bytes(self.nonce.0),
            expiry: U256::from(self.expiry),
            signature: self.signature.as_slice().to_vec().into(),
        }
    }
}

/// A manifest that is sealed, and its key for each node that may open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The manifest's address.
    pub root: B256,
    /// Its bytes.
    pub size: u64,
    /// The recipients' encryption keys, ascending, each with its wrap.
    pub wraps: Vec<(B256, Bytes<80>)>,
}

impl GivenLicence {
    /// A licence with the path of the account that is told; `None` if it is longer than a message may have it.
    pub fn new(licence: &TrainingMarket::Licence, path: &[B256]) -> Option<Self> {
        Some(Self {
            licence: Bytes::new(licence.abi_encode())?,
            path: Bytes::new(path.iter().flat_map(|node| node.0).collect())?,
        })
    }

    /// The licence, and the path.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn read(&self) -> Result<(TrainingMarket::Licence, Vec<B256>), Reason> {
        let licence = TrainingMarket::Licence::abi_decode_validate(self.licence.as_slice())
            .map_err(|error| Reason::new(format!("the licence cannot be read: {error}")))?;
        let (nodes, rest) = self.path.as_slice().as_chunks::<32>();
        if !rest.is_empty() {
            return Err(Reason::new("the path of the licence is no row of 32 bytes each"));
        }
        Ok((licence, nodes.iter().map(B256::from).collect()))
    }
}

/// A sentence of bounded length: why something is refused, say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason(String);

impl Reason {
    /// A reason, cut where it is too long.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        let mut end = text.len().min(MAX_REASON);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        Self(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_REASON {
            return Err(de::Error::custom(format!("a reason has {} bytes, expected at most {MAX_REASON}", text.len())));
        }
        Ok(Self(text))
    }
}

/// A list of at most `MOST` entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Few<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<T, const MOST: usize> Few<T, MOST> {
    /// The list, unless it is too long.
    pub fn new(entries: Vec<T>) -> Option<Self> {
        (entries.len() <= MOST).then_some(Self(entries))
    }

    /// The list.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> de::Visitor<'de> for Entries<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} entries")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element()? {
                    // Before it takes room.
                    if entries.len() == MOST {
                        return Err(de::Error::custom(format!("expected at most {MOST} entries")));
                    }
                    entries.push(entry);
                }
                Ok(Few(entries))
            }
        }
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// At most `MOST` bytes, as lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes<const MOST: usize>(Vec<u8>);

impl<const MOST: usize> Default for Bytes<MOST> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<const MOST: usize> Bytes<MOST> {
    /// The bytes, unless they are too many.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MOST).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MOST: usize> Serialize for Bytes<MOST> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&gradproof_verifier::protocol::hex::encode(&self.0))
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Bytes<MOST> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| de::Error::custom("bytes begin with 0x"))?;
        let lower = digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
        if !lower || digits.len() % 2 != 0 || digits.len() / 2 > MOST {
            return Err(de::Error::custom(format!("expected at most {MOST} bytes in lower-case hexadecimal")));
        }
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        bytes.map(Self).ok_or_else(|| de::Error::custom("expected bytes in hexadecimal"))
    }
}

/// Reads a message; what is not of this version is refused whole.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read<T: de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Reason> {
    serde_json::from_slice(bytes).map_err(|error| Reason::new(format!("not a message of this version: {error}")))
}

/// The bytes of a message.
pub fn written<T: Serialize>(message: &T) -> Vec<u8> {
    // Maps have strings as keys, and nothing else can fail.
    serde_json::to_vec(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use gradproof_chain::market::no_licence;
    use proptest::prelude::*;

    use super::*;

    fn consent() -> SignedConsent {
        let signature = Bytes::new(vec![11; 65]).expect("65 bytes");
        let path = Few::new(vec![B256::repeat_byte(14)]).expect("one");
        SignedConsent { key: Address::repeat_byte(12), expiry: 13, signature, path }
    }

    fn word() -> SignedWord {
        let signature = Bytes::new(vec![14; 65]).expect("65 bytes");
        SignedWord {
            member: Address::repeat_byte(15),
            batch: u64::MAX,
            last: B256::repeat_byte(255),
            yes: false,
            signature,
        }
    }

    fn messages() -> Vec<Vec<u8>> {
        let quote = Quote {
            owner: Address::repeat_byte(1),
            of: B256::repeat_byte(2),
            price: u128::MAX,
            expires: 7,
            signature: Bytes::new(vec![3; 65]).expect("65 bytes"),
        };
        let wraps = vec![(B256::repeat_byte(4), Bytes::new(vec![5; 80]).expect("80 bytes"))];
        let offer = SignedOffer {
            terms: Bytes::new(vec![7; 9]).expect("few"),
            nonce: B256::repeat_byte(8),
            expiry: 9,
            signature: Bytes::new(vec![10; 65]).expect("65 bytes"),
            licence: GivenLicence::new(&no_licence(), &[B256::repeat_byte(11); 2]),
            consents: Few::new(vec![consent()]).expect("one"),
        };
        vec![
            written(&PartyQuestion::Consent {
                terms: Bytes::new(vec![6; 9]).expect("few"),
                nonce: B256::ZERO,
                licence: GivenLicence::new(&no_licence(), &[B256::ZERO]),
            }),
            written(&PartyQuestion::LicencePath { job: B256::ZERO }),
            written(&PartyAnswer::LicencePath(Few::new(vec![B256::ZERO; 2]).expect("two"))),
            written(&PartyAnswer::Consents(consent())),
            written(&PartyQuestion::Opening { job: B256::ZERO, segment: 3 }),
            written(&PartyAnswer::Opening { secret: B256::ZERO }),
            written(&PartyQuestion::TeamSeat { job: B256::ZERO }),
            written(&PartyAnswer::TeamSeat(SignedSeat {
                pay: 1,
                bond: 2,
                nonce: B256::ZERO,
                expiry: 3,
                signature: Bytes::new(vec![4; 65]).expect("65 bytes"),
            })),
            written(&PartyQuestion::Share(ShareQuestion {
                job: B256::ZERO,
                segment_ms: Some(1),
                making: None,
                made: Few::new(vec![1, 2]).expect("two"),
                from: 3,
                ends: Few::new(vec![B256::ZERO]).expect("one"),
                signature: Bytes::new(vec![4; 65]).expect("65 bytes"),
            })),
            written(&PartyAnswer::Share(Few::new(vec![5]).expect("one"))),
            written(&PartyQuestion::Words { job: B256::ZERO }),
            written(&PartyAnswer::Words(Few::new(vec![word()]).expect("one"))),
            written(&PartyQuestion::Offer(offer)),
            written(&PartyAnswer::Takes { job: B256::ZERO }),
            written(&PartyQuestion::Licence { dataset: B256::ZERO, segments: 4 }),
            written(&PartyQuestion::Rows { job: B256::ZERO }),
            written(&PartyAnswer::Licence(Bytes::new(vec![1; 4]).expect("few"))),
            written(&Question::Datasets),
            written(&Question::Card),
            written(&Question::Quote {
                requester: Address::ZERO,
                terms: Bytes::new(vec![6; 9]).expect("few"),
                licence: None,
            }),
            written(&Answer::Quote(quote)),
            written(&Answer::Refused(Reason::new("no"))),
            written(&Answer::Dialled(vec![Dialled { address: Reason::new("/ip4/1.2.3.4/tcp/1"), reached: true }])),
            written(&PartyQuestion::Delivery { job: B256::ZERO, batch: 1 }),
            written(&PartyAnswer::Sealed(Sealed { root: B256::ZERO, size: 1, wraps })),
        ]
    }

    /// What is read is written again as it was; whatever it is.
    fn same<T: Serialize + de::DeserializeOwned + PartialEq + fmt::Debug>(bytes: &[u8]) {
        if let Ok(message) = read::<T>(bytes) {
            assert_eq!(read::<T>(&written(&message)).expect("it is one"), message);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_messages_or_refused(
            near: bool, which in 0..messages().len(), edits in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), raw: Vec<u8>,
        ) {
            let good = messages()[which].clone();
            let mut bytes = if near { good } else { raw };
            for (at, byte) in edits.iter().filter(|_| near) {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            same::<Question>(&bytes);
            same::<Answer>(&bytes);
            same::<PartyQuestion>(&bytes);
            same::<PartyAnswer>(&bytes);
        }
    }

    #[test]
    fn a_licence_is_read_as_it_was_given_and_none_from_other_bytes() {
        let path = [B256::repeat_byte(1), B256::repeat_byte(2)];
        let given = GivenLicence::new(&no_licence(), &path).expect("it is short");
        assert_eq!(given.read(), Ok((no_licence(), path.to_vec())));
        assert_eq!(GivenLicence::new(&no_licence(), &[B256::ZERO; MAX_PATH + 1]), None);
        let half = GivenLicence { path: Bytes::new(vec![0; 31]).expect("few"), ..given.clone() };
        assert!(half.read().is_err());
        let other = GivenLicence { licence: Bytes::new(vec![0xff; 64]).expect("few"), ..given };
        assert!(other.read().is_err());
    }

    #[test]
    fn an_answer_with_the_most_words_is_one_that_the_network_carries() {
        let most = written(&PartyAnswer::Words(Few::new(vec![word(); MAX_WORDS_TOLD]).expect("so many")));
        assert!(most.len() <= gradproof_network::limits::MAX_PARTY_BYTES, "{}", most.len());
        assert_eq!(Few::<SignedWord, MAX_WORDS_TOLD>::new(vec![word(); MAX_WORDS_TOLD + 1]), None);
    }

    #[test]
    fn what_is_too_long_or_spelled_otherwise_is_refused() {
        assert_eq!(Bytes::<2>::new(vec![0; 3]), None);
        let refused = |text: &str| serde_json::from_str::<Bytes<2>>(text).is_err();
        for text in ["\"0x000000\"", "\"0x0\"", "\"00\"", "\"0xAA\"", "\"0xgg\"", "\"0x\u{e9}\"", "7"] {
            assert!(refused(text), "{text}");
        }
        assert!(!refused("\"0x\"") && !refused("\"0xaa01\""));
        assert!(serde_json::from_value::<Reason>("x".repeat(MAX_REASON + 1).into()).is_err());
        assert_eq!(Reason::new("é".repeat(MAX_REASON)).to_string().len(), MAX_REASON);
        assert_eq!(Few::<u8, 2>::new(vec![0; 3]), None);
        assert!(serde_json::from_str::<Few<u8, 2>>("[1,2,3]").is_err());
        assert_eq!(serde_json::from_str::<Few<u8, 2>>("[1,2]").expect("two").as_slice(), [1, 2]);
        assert!(read::<Question>(b"{\"card\":1}").is_err() && read::<Question>(b"\"other\"").is_err());
    }
}
