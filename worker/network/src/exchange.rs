//! How two peers bring their address books together: pages of records, by key.

use libp2p::PeerId;

use crate::{
    AddressBook, Error, SignedRecord,
    identity::public_key_of,
    limits::{MAX_PAGE_BYTES, MAX_RECORD_BYTES},
};

/// Returns the request for the page that follows a peer; for the first page if there is none.
pub(crate) fn encode_page_request(after: Option<&PeerId>) -> Vec<u8> {
    after.and_then(public_key_of).map(|key| key.to_vec()).unwrap_or_default()
}

/// Returns the page that a request asks for; `None` for bytes that are no request.
///
/// A page has records that have not expired, each with its length in two bytes. The page behind the last record is empty.
pub(crate) fn page(book: &AddressBook, request: &[u8], now_secs: u64) -> Option<Vec<u8>> {
    let after = if request.is_empty() { None } else { Some(request.try_into().ok()?) };
    let mut page = Vec::new();
    for record in book.records_after(after).filter(|record| record.expires_secs() > now_secs) {
        let bytes = record.bytes();
        if page.len() + 2 + bytes.len() > MAX_PAGE_BYTES {
            break;
        }
        page.extend((bytes.len() as u16).to_be_bytes());
        page.extend(bytes);
    }
    Some(page)
}

/// Returns the records of a page.
///
/// # Errors
///
/// The page or a record of it is not as it should be.
pub(crate) fn decode_page(mut page: &[u8]) -> Result<Vec<SignedRecord>, Error> {
    if page.len() > MAX_PAGE_BYTES {
        return Err(Error::Record { reason: "the page is too long" });
    }
    let mut records: Vec<SignedRecord> = Vec::new();
    while !page.is_empty() {
        let short = Error::Record { reason: "the page ends within a record" };
        let (length, rest) = page.split_first_chunk::<2>().ok_or(short.clone())?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_RECORD_BYTES {
            return Err(Error::Record { reason: "the page has a record that is too long" });
        }
        let (record, rest) = rest.split_at_checked(length).ok_or(short)?;
        let record = SignedRecord::decode(record)?;
        // So that asking for the page behind the last record always gets further.
        if records.last().is_some_and(|before| before.key() >= record.key()) {
            return Err(Error::Record { reason: "the records of the page are not in order" });
        }
        records.push(record);
        page = rest;
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    const NOW: u64 = 1_000_000;

    fn book(peers: u8) -> AddressBook {
        let mut book = AddressBook::new();
        for number in 1..=peers {
            let address = format!("/ip4/10.0.0.{number}/tcp/1").parse().unwrap();
            let identity = Identity::from_secret([number; 32]).unwrap();
            let record = SignedRecord::sign(&identity, 1, NOW + 10 + u64::from(number), vec![address]).unwrap();
            book.insert(record, NOW, |_| true).unwrap();
        }
        book
    }

    #[test]
    fn pages_bring_all_records_that_have_not_expired() {
        let book = book(5);
        let first = decode_page(&page(&book, &encode_page_request(None), NOW + 12).unwrap()).unwrap();
        assert_eq!(first.len(), 3);
        let last = first.last().unwrap().peer();
        assert!(page(&book, &encode_page_request(Some(&last)), NOW).unwrap().is_empty());
    }

    #[test]
    fn a_page_out_of_order_or_cut_off_is_refused() {
        let whole = page(&book(3), &[], NOW).unwrap();
        assert!(decode_page(&whole[..whole.len() - 1]).is_err());
        assert!(decode_page(&whole[..whole.len() + 1 - 2].repeat(2)).is_err());
        assert_eq!(
            decode_page(&whole.repeat(2)),
            Err(Error::Record { reason: "the records of the page are not in order" })
        );
    }

    #[test]
    fn any_bytes_as_a_page_or_its_request_never_panic() {
        let book = book(3);
        bolero::check!().for_each(|bytes: &[u8]| {
            let _ = decode_page(bytes);
            let _ = page(&book, bytes, NOW);
        });
    }
}
