use crate::limits::{MAX_OPEN_BYTES, MAX_PAGE_BYTES, MAX_PARTY_BYTES, MAX_RANGE_BYTES};

/// A protocol of requests and answers. Each has a version in its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// For everybody: cards and quotes, at most [`MAX_OPEN_BYTES`] each way. Strangers are limited.
    Open,
    /// For peers that are admitted: at most [`MAX_PARTY_BYTES`] each way.
    Party,
}

/// Whatever travels on a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    /// Requests and answers of the program.
    Request(Protocol),
    /// A range of a blob: the request is a root and an index.
    Blob,
    /// A page of address records: the request is the key after which it begins.
    Records,
}

/// All that this program speaks.
pub(crate) const WIRES: [Wire; 4] =
    [Wire::Request(Protocol::Open), Wire::Request(Protocol::Party), Wire::Blob, Wire::Records];

/// What the ids of all protocols begin with.
pub(crate) const PREFIX: &str = "/gradproof/";

/// Bytes of a request for a range: the root and the index.
pub(crate) const RANGE_REQUEST_BYTES: usize = 32 + 4;

/// Bytes of a request for a page of records: a compressed key, or none for the first page.
const RECORDS_REQUEST_BYTES: usize = 33;

impl Wire {
    /// Returns the id, with its version.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Request(Protocol::Open) => "/gradproof/open/1",
            Self::Request(Protocol::Party) => "/gradproof/party/1",
            Self::Blob => "/gradproof/blob/1",
            Self::Records => "/gradproof/records/1",
        }
    }

    /// Returns how many bytes a request has at most.
    pub(crate) fn request_limit(self) -> usize {
        match self {
            Self::Request(Protocol::Open) => MAX_OPEN_BYTES,
            Self::Request(Protocol::Party) => MAX_PARTY_BYTES,
            Self::Blob => RANGE_REQUEST_BYTES,
            Self::Records => RECORDS_REQUEST_BYTES,
        }
    }

    /// Returns how many bytes an answer has at most.
    pub(crate) fn answer_limit(self) -> usize {
        match self {
            Self::Request(_) => self.request_limit(),
            Self::Blob => MAX_RANGE_BYTES,
            Self::Records => MAX_PAGE_BYTES,
        }
    }
}

impl AsRef<str> for Wire {
    fn as_ref(&self) -> &str {
        self.id()
    }
}

/// Returns the request for a range.
pub(crate) fn encode_range_request(root: &[u8; 32], index: u32) -> Vec<u8> {
    [root.as_slice(), &index.to_be_bytes()].concat()
}

/// Returns the root and the index of a request for a range; `None` for bytes that are none.
pub(crate) fn decode_range_request(bytes: &[u8]) -> Option<([u8; 32], u32)> {
    let (root, index) = bytes.split_first_chunk::<32>()?;
    Some((*root, u32::from_be_bytes(index.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_a_range_decodes_to_what_was_encoded() {
        bolero::check!().with_type::<([u8; 32], u32)>().for_each(|(root, index)| {
            assert_eq!(decode_range_request(&encode_range_request(root, *index)), Some((*root, *index)));
        });
    }

    #[test]
    fn any_bytes_as_a_request_for_a_range_never_panic_and_have_one_encoding() {
        bolero::check!().for_each(|bytes: &[u8]| {
            if let Some((root, index)) = decode_range_request(bytes) {
                assert_eq!(encode_range_request(&root, index), bytes);
            }
        });
    }
}
