use std::collections::{BTreeMap, HashMap};

use libp2p::{Multiaddr, PeerId};

use crate::{
    Error, SignedRecord,
    identity::public_key_of,
    limits::{MAX_ADDRESSES, MAX_ADMITTED, MAX_RECORD_LIFE_SECS, MAX_RECORDS},
    record::is_dialable,
};

/// What became of a record that the book took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is the first of its peer, or newer than the one before.
    Newer,
    /// The book had it already.
    Already,
}

/// Where peers are: what they signed, and what the chain says. Without IO and without a clock.
#[derive(Debug, Default)]
pub struct AddressBook {
    /// By key, so that pages of it have an order.
    records: BTreeMap<[u8; 33], SignedRecord>,
    chain: HashMap<PeerId, Vec<Multiaddr>>,
}

impl AddressBook {
    /// Returns an empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a record if it is the newest of its peer.
    ///
    /// When the book is full, the record of a peer that is `known` takes the place of one that is not.
    ///
    /// # Units
    ///
    /// `now_secs` are seconds since 1970.
    ///
    /// # Errors
    ///
    /// The record has expired or lives too long; it is not newer, or as new but different; the book is full.
    pub fn insert(
        &mut self,
        record: SignedRecord,
        now_secs: u64,
        known: impl Fn(&PeerId) -> bool,
    ) -> Result<Inserted, Error> {
        let (peer, expires_secs) = (record.peer(), record.expires_secs());
        if expires_secs <= now_secs || expires_secs > now_secs.saturating_add(MAX_RECORD_LIFE_SECS) {
            return Err(Error::Expiry { peer, expires_secs, now_secs });
        }
        if let Some(before) = self.records.get(record.key()) {
            if *before == record {
                return Ok(Inserted::Already);
            }
            if before.sequence() >= record.sequence() {
                return Err(Error::OldRecord { peer, got: record.sequence(), known: before.sequence() });
            }
        } else if self.records.len() >= MAX_RECORDS {
            self.make_room(&peer, now_secs, known)?;
        }
        self.records.insert(*record.key(), record);
        Ok(Inserted::Newer)
    }

    /// Sets the addresses of a peer's entry on the chain. None takes the entry out.
    ///
    /// # Errors
    ///
    /// There are too many addresses, one cannot be dialled, or too many peers have an entry.
    pub fn set_chain(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        if addresses.is_empty() {
            self.chain.remove(&peer);
            return Ok(());
        }
        if addresses.len() > MAX_ADDRESSES {
            return Err(Error::TooLong { what: "the list of addresses", got: addresses.len(), limit: MAX_ADDRESSES });
        }
        if let Some(address) = addresses.iter().find(|address| !is_dialable(address)) {
            return Err(Error::Address { address: address.clone() });
        }
        if !self.chain.contains_key(&peer) && self.chain.len() >= MAX_ADMITTED {
            return Err(Error::Full { what: "the list of entries of the chain", limit: MAX_ADMITTED });
        }
        self.chain.insert(peer, addresses);
        Ok(())
    }

    /// Returns where a peer may be: the addresses of its record, then those of its entry on the chain, each once.
    pub fn addresses(&self, peer: &PeerId, now_secs: u64) -> Vec<Multiaddr> {
        let record = self.record(peer).filter(|record| record.expires_secs() > now_secs);
        let mut addresses = record.map(|record| record.addresses().to_vec()).unwrap_or_default();
        for address in self.chain.get(peer).into_iter().flatten() {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses
    }

    /// Returns the newest record of a peer.
    pub fn record(&self, peer: &PeerId) -> Option<&SignedRecord> {
        self.records.get(&public_key_of(peer)?)
    }

    /// Returns all records, by key.
    pub fn records(&self) -> impl Iterator<Item = &SignedRecord> {
        self.records.values()
    }

    /// Returns the records whose keys follow `after`, by key.
    pub fn records_after(&self, after: Option<[u8; 33]>) -> impl Iterator<Item = &SignedRecord> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.records.range((after.map_or(Unbounded, Excluded), Unbounded)).map(|(_, record)| record)
    }

    /// Forgets the records that have expired.
    pub fn expire(&mut self, now_secs: u64) {
        self.records.retain(|_, record| record.expires_secs() > now_secs);
    }

    fn make_room(&mut self, peer: &PeerId, now_secs: u64, known: impl Fn(&PeerId) -> bool) -> Result<(), Error> {
        self.expire(now_secs);
        if self.records.len() < MAX_RECORDS {
            return Ok(());
        }
        let stranger = self.records.iter().filter(|(_, record)| !known(&record.peer()));
        let soonest = stranger.min_by_key(|(_, record)| record.expires_secs()).map(|(key, _)| *key);
        match soonest {
            Some(key) if known(peer) => {
                self.records.remove(&key);
                Ok(())
            }
            _ => Err(Error::Full { what: "the address book", limit: MAX_RECORDS }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    const NOW: u64 = 1_000_000;

    fn identity(number: u32) -> Identity {
        let mut secret = [1; 32];
        secret[28..].copy_from_slice(&number.to_be_bytes());
        Identity::from_secret(secret).unwrap()
    }

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap()
    }

    fn record(number: u32, sequence: u64, port: u16) -> SignedRecord {
        SignedRecord::sign(&identity(number), sequence, NOW + 100, vec![address(port)]).unwrap()
    }

    #[test]
    fn a_newer_record_replaces_an_older_and_an_older_does_not_replace_a_newer() {
        let (mut book, peer) = (AddressBook::new(), identity(1).peer_id());
        assert_eq!(book.insert(record(1, 5, 50), NOW, |_| true), Ok(Inserted::Newer));
        assert_eq!(book.insert(record(1, 6, 60), NOW, |_| true), Ok(Inserted::Newer));
        assert_eq!(book.insert(record(1, 6, 60), NOW, |_| true), Ok(Inserted::Already));
        for (sequence, port) in [(5, 50), (6, 61)] {
            let refused = Err(Error::OldRecord { peer, got: sequence, known: 6 });
            assert_eq!(book.insert(record(1, sequence, port), NOW, |_| true), refused);
        }
        assert_eq!(book.addresses(&peer, NOW), [address(60)]);
    }

    #[test]
    fn a_record_that_expired_or_lives_too_long_is_refused() {
        let mut book = AddressBook::new();
        for expires in [NOW, NOW + MAX_RECORD_LIFE_SECS + 1] {
            let record = SignedRecord::sign(&identity(1), 1, expires, vec![]).unwrap();
            assert!(matches!(book.insert(record, NOW, |_| true), Err(Error::Expiry { .. })));
        }
        let last = SignedRecord::sign(&identity(1), 1, NOW + MAX_RECORD_LIFE_SECS, vec![address(1)]).unwrap();
        assert_eq!(book.insert(last, NOW, |_| true), Ok(Inserted::Newer));
    }

    #[test]
    fn an_expired_record_gives_no_addresses_and_is_forgotten() {
        let (mut book, peer) = (AddressBook::new(), identity(1).peer_id());
        book.insert(record(1, 1, 10), NOW, |_| true).unwrap();
        assert_eq!(book.addresses(&peer, NOW + 100), []);
        book.expire(NOW + 100);
        assert_eq!(book.record(&peer), None);
    }

    #[test]
    fn addresses_of_the_record_come_before_those_of_the_chain_and_none_comes_twice() {
        let (mut book, peer) = (AddressBook::new(), identity(1).peer_id());
        book.set_chain(peer, vec![address(1), address(10)]).unwrap();
        assert_eq!(book.addresses(&peer, NOW), [address(1), address(10)]);
        book.insert(record(1, 1, 10), NOW, |_| true).unwrap();
        assert_eq!(book.addresses(&peer, NOW), [address(10), address(1)]);
        book.set_chain(peer, vec![]).unwrap();
        assert_eq!(book.addresses(&peer, NOW), [address(10)]);
    }

    #[test]
    fn entries_of_the_chain_are_bounded_and_can_be_dialled() {
        let (mut book, peer) = (AddressBook::new(), identity(1).peer_id());
        let many = (1..=MAX_ADDRESSES as u16 + 1).map(address).collect();
        assert!(matches!(book.set_chain(peer, many), Err(Error::TooLong { .. })));
        assert!(matches!(
            book.set_chain(peer, vec!["/ip4/0.0.0.0/tcp/1".parse().unwrap()]),
            Err(Error::Address { .. })
        ));
    }

    #[test]
    fn a_full_book_keeps_known_peers_and_gives_up_strangers() {
        let mut book = AddressBook::new();
        // Signing 4096 records would be the slowest test of all: the same one under different keys is as full.
        let stranger = record(1, 1, 10);
        for number in 0..MAX_RECORDS as u32 {
            let mut key = [0; 33];
            key[..4].copy_from_slice(&number.to_be_bytes());
            book.records.insert(key, stranger.clone());
        }
        let is_known = |peer: &PeerId| *peer == identity(2).peer_id();
        assert!(matches!(book.insert(record(3, 1, 30), NOW, is_known), Err(Error::Full { .. })));
        assert_eq!(book.insert(record(2, 1, 20), NOW, is_known), Ok(Inserted::Newer));
        assert_eq!(book.records().count(), MAX_RECORDS);
        assert!(matches!(book.insert(record(4, 1, 30), NOW, |_| true), Err(Error::Full { .. })));
    }

    #[test]
    fn records_come_by_key_from_any_key_on() {
        let mut book = AddressBook::new();
        for number in 1..6 {
            book.insert(record(number, 1, 10), NOW, |_| true).unwrap();
        }
        let all: Vec<_> = book.records_after(None).cloned().collect();
        assert_eq!(all.len(), 5);
        let rest: Vec<_> = book.records_after(Some(*all[2].key())).cloned().collect();
        assert_eq!(rest, all[3..]);
    }
}
