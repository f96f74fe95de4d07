//! What is said to a program with a device, and what it answers.
//!
//! A frame is its length (8 bytes, little-endian) and its content. The program says [`GREETING`] when it is ready, then
//! answers every request with one frame. A scalar is 32 bytes, big-endian and canonical.

use std::io::{self, Read, Write};

use ark_bn254::Fr;
use gradproof_circuits::wrap::columns::ADVICE;
use gradproof_verifier::protocol::points::{SCALAR_BYTES, decode_scalar, encode_scalar};

/// First frame of a program: its protocol and version.
pub const GREETING: &[u8] = b"gradproof device 1";
/// Most bytes of a frame; the keys of the largest circuit have less than a fifth of that.
const MAX_BYTES: u64 = 2 << 30;

/// First byte of a request to load keys.
const LOAD: u8 = 1;
/// First byte of a request to prove.
const PROVE: u8 = 2;
/// First byte of an answer that is one.
const DONE: u8 = 0;
/// First byte of an answer that says why there is none.
const REFUSED: u8 = 1;

/// What a program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Keep keys: reference string and proving key, as `Wrapper::keys` writes them. They are numbered from zero.
    Load(Vec<u8>),
    /// Prove under the keys of that number.
    Prove {
        /// Number of the keys.
        keys: u32,
        /// Public inputs.
        instances: Vec<Fr>,
        /// The witness, row by row.
        advice: Vec<[Fr; ADVICE]>,
    },
}

impl Request {
    /// The content of its frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Load(keys) => [&[LOAD], &keys[..]].concat(),
            Self::Prove { keys, instances, advice } => {
                let mut bytes = vec![PROVE];
                bytes.extend(keys.to_le_bytes());
                bytes.extend((instances.len() as u32).to_le_bytes());
                bytes.extend(instances.iter().chain(advice.as_flattened()).flat_map(encode_scalar));
                bytes
            }
        }
    }

    /// What [`Self::to_bytes`] gave.
    ///
    /// # Errors
    /// The bytes are no request.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        match bytes.split_first() {
            Some((&LOAD, keys)) => Ok(Self::Load(keys.to_vec())),
            Some((&PROVE, rest)) => prove_request(rest).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }
}

fn prove_request(bytes: &[u8]) -> Option<Request> {
    let (keys, bytes) = bytes.split_first_chunk()?;
    let (count, bytes) = bytes.split_first_chunk()?;
    let (scalars, []) = bytes.as_chunks::<SCALAR_BYTES>() else { return None };
    let scalars = scalars.iter().map(|bytes| decode_scalar(bytes).ok()).collect::<Option<Vec<Fr>>>()?;
    let (instances, advice) = scalars.split_at_checked(u32::from_le_bytes(*count) as usize)?;
    let (advice, []) = advice.as_chunks() else { return None };
    Some(Request::Prove { keys: u32::from_le_bytes(*keys), instances: instances.to_vec(), advice: advice.to_vec() })
}

/// The content of the frame with an answer, or with the reason that there is none.
pub fn answer_to_bytes(answer: &Result<Vec<u8>, String>) -> Vec<u8> {
    match answer {
        Ok(answer) => [&[DONE], &answer[..]].concat(),
        Err(reason) => [&[REFUSED], reason.as_bytes()].concat(),
    }
}

/// What [`answer_to_bytes`] was given.
///
/// # Errors
/// The bytes are no answer.
pub fn answer_from_bytes(bytes: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
    match bytes.split_first() {
        Some((&DONE, answer)) => Ok(Ok(answer.to_vec())),
        Some((&REFUSED, reason)) => Ok(Err(String::from_utf8_lossy(reason).into_owned())),
        _ => Err(invalid()),
    }
}

/// Writes a frame.
///
/// # Errors
/// Those of `stream`.
pub fn write_frame(stream: &mut impl Write, content: &[u8]) -> io::Result<()> {
    stream.write_all(&(content.len() as u64).to_le_bytes())?;
    stream.write_all(content)?;
    stream.flush()
}

/// Reads a frame; memory grows with what arrives, not with what is announced.
///
/// # Errors
/// Those of `stream`; it ends within the frame; the frame is too long.
pub fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_BYTES {
        return Err(invalid());
    }
    let mut content = Vec::new();
    stream.take(length).read_to_end(&mut content)?;
    if content.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(content)
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a frame of this protocol")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn scalar() -> impl Strategy<Value = Fr> {
        any::<u64>().prop_map(|x| -Fr::from(x))
    }

    fn request() -> impl Strategy<Value = Request> {
        let prove = (any::<u32>(), vec(scalar(), 0..4), vec([(); ADVICE].map(|()| scalar()), 0..4))
            .prop_map(|(keys, instances, advice)| Request::Prove { keys, instances, advice });
        prop_oneof![vec(any::<u8>(), 0..9).prop_map(Request::Load), prove]
    }

    proptest! {
        #[test]
        fn requests_are_read_as_they_were_written(request in request()) {
            let mut stream = Vec::new();
            write_frame(&mut stream, &request.to_bytes()).expect("memory takes it");
            let content = read_frame(&mut &stream[..]).expect("it is whole");
            prop_assert_eq!(Request::from_bytes(&content).expect("it is one"), request);
            prop_assert!(read_frame(&mut &stream[..stream.len() - 1]).is_err());
        }

        #[test]
        fn any_bytes_are_a_request_in_one_form_or_none(bytes in vec(any::<u8>(), 0..400)) {
            if let Ok(request) = Request::from_bytes(&bytes) {
                prop_assert_eq!(request.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn answers_are_read_as_they_were_written() {
        for answer in [Ok(vec![1, 2, 3]), Ok(vec![]), Err("no memory".to_owned())] {
            assert_eq!(answer_from_bytes(&answer_to_bytes(&answer)).expect("it is one"), answer);
        }
        assert!(answer_from_bytes(&[]).is_err() && answer_from_bytes(&[7]).is_err());
    }

    #[test]
    fn a_frame_that_announces_too_much_is_refused() {
        assert!(read_frame(&mut &[0xff; 64][..]).is_err());
    }
}
