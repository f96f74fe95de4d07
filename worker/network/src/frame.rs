//! What a stream carries: one request and one answer, each with its length in front, and nothing behind.

use std::{borrow::Cow, io};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::limits::{MAX_REASON_BYTES, STALL};

/// Bytes that are read or written at a time. Memory grows by this much only when as much has arrived.
const CHUNK_BYTES: usize = 64 * 1024;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Bytes(Vec<u8>),
    Busy,
    Refused(String),
    NotHere,
}

const BYTES: u8 = 0;
const BUSY: u8 = 1;
const REFUSED: u8 = 2;
const NOT_HERE: u8 = 3;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("nothing moved for {} s", STALL.as_secs())]
    Stalled,
    #[error("the stream ended early")]
    Early,
    #[error("{got} bytes are announced, of at most {limit}")]
    TooLong { got: usize, limit: usize },
    #[error("bytes follow the end")]
    Trailing,
    #[error("an answer of kind {0} is unknown")]
    Kind(u8),
    #[error("a reason that is no plain text")]
    Reason,
    #[error("an answer of kind {0} that has bytes")]
    Filled(u8),
}

impl FrameError {
    /// Whether the peer broke the protocol, rather than the stream.
    pub(crate) fn is_malformed(&self) -> bool {
        !matches!(self, Self::Io(_) | Self::Stalled | Self::Early)
    }
}

/// Writes a request, and says that nothing follows.
pub(crate) async fn write_request(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), FrameError> {
    write_bytes(io, &length(bytes)?).await?;
    write_bytes(io, bytes).await?;
    close(io).await
}

/// Reads a request of at most `limit` bytes, and that nothing follows.
pub(crate) async fn read_request(io: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Vec<u8>, FrameError> {
    let bytes = read_bytes(io, limit).await?;
    end(io).await?;
    Ok(bytes)
}

/// Writes an answer, and says that nothing follows.
pub(crate) async fn write_answer(io: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> Result<(), FrameError> {
    let (kind, bytes) = match answer {
        Answer::Bytes(bytes) => (BYTES, Cow::Borrowed(bytes.as_slice())),
        Answer::Busy => (BUSY, Cow::default()),
        Answer::Refused(reason) => (REFUSED, Cow::Owned(plain(reason).into_bytes())),
        Answer::NotHere => (NOT_HERE, Cow::default()),
    };
    let [a, b, c, d] = length(&bytes)?;
    write_bytes(io, &[kind, a, b, c, d]).await?;
    write_bytes(io, &bytes).await?;
    close(io).await
}

/// Reads an answer of at most `limit` bytes, and that nothing follows.
pub(crate) async fn read_answer(io: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Answer, FrameError> {
    let [kind] = read_array(io).await?;
    let answer = match kind {
        BYTES => Answer::Bytes(read_bytes(io, limit).await?),
        REFUSED => Answer::Refused(decode_reason(read_bytes(io, MAX_REASON_BYTES).await?)?),
        BUSY | NOT_HERE => {
            if read_array::<4>(io).await? != [0; 4] {
                return Err(FrameError::Filled(kind));
            }
            if kind == BUSY { Answer::Busy } else { Answer::NotHere }
        }
        _ => return Err(FrameError::Kind(kind)),
    };
    end(io).await?;
    Ok(answer)
}

fn length(bytes: &[u8]) -> Result<[u8; 4], FrameError> {
    let length = u32::try_from(bytes.len());
    Ok(length.map_err(|_| FrameError::TooLong { got: bytes.len(), limit: u32::MAX as usize })?.to_be_bytes())
}

/// Returns as much of a reason as an answer may have, without what would move the cursor of a terminal.
fn plain(reason: &str) -> String {
    let end = (0..=MAX_REASON_BYTES.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    let cut = reason.get(..end.unwrap_or(0)).unwrap_or_default();
    cut.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect()
}

/// Returns the reason that a peer gave. It ends up in logs and on terminals.
fn decode_reason(bytes: Vec<u8>) -> Result<String, FrameError> {
    let reason = String::from_utf8(bytes).map_err(|_| FrameError::Reason)?;
    if reason.chars().all(is_plain) { Ok(reason) } else { Err(FrameError::Reason) }
}

fn is_plain(letter: char) -> bool {
    !letter.is_control()
}

/// Reads a length and as many bytes. The length is checked before anything is allocated for it.
async fn read_bytes(io: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Vec<u8>, FrameError> {
    let got = u32::from_be_bytes(read_array(io).await?) as usize;
    if got > limit {
        return Err(FrameError::TooLong { got, limit });
    }
    let mut bytes = Vec::new();
    while bytes.len() < got {
        let filled = bytes.len();
        bytes.resize(got.min(filled + CHUNK_BYTES.max(filled)), 0);
        read_full(io, bytes.get_mut(filled..).unwrap_or_default()).await?;
    }
    Ok(bytes)
}

async fn read_array<const N: usize>(io: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], FrameError> {
    let mut array = [0; N];
    read_full(io, &mut array).await?;
    Ok(array)
}

async fn read_full(io: &mut (impl AsyncRead + Unpin), mut buffer: &mut [u8]) -> Result<(), FrameError> {
    while !buffer.is_empty() {
        let read = timeout(STALL, io.read(buffer)).await.map_err(|_| FrameError::Stalled)??;
        if read == 0 {
            return Err(FrameError::Early);
        }
        buffer = buffer.get_mut(read..).unwrap_or_default();
    }
    Ok(())
}

async fn end(io: &mut (impl AsyncRead + Unpin)) -> Result<(), FrameError> {
    match timeout(STALL, io.read(&mut [0])).await.map_err(|_| FrameError::Stalled)?? {
        0 => Ok(()),
        _ => Err(FrameError::Trailing),
    }
}

async fn write_bytes(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), FrameError> {
    for chunk in bytes.chunks(CHUNK_BYTES) {
        timeout(STALL, io.write_all(chunk)).await.map_err(|_| FrameError::Stalled)??;
    }
    Ok(())
}

async fn close(io: &mut (impl AsyncWrite + Unpin)) -> Result<(), FrameError> {
    timeout(STALL, io.close()).await.map_err(|_| FrameError::Stalled)??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        panic::RefUnwindSafe,
        pin::Pin,
        task::{Context, Poll},
    };

    use futures::io::Cursor;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    fn written(answer: &Answer) -> Vec<u8> {
        let mut out = Vec::new();
        runtime().block_on(write_answer(&mut out, answer)).unwrap();
        out
    }

    fn read(bytes: &[u8], limit: usize) -> Result<Answer, FrameError> {
        runtime().block_on(read_answer(&mut Cursor::new(bytes), limit))
    }

    struct Runtime(tokio::runtime::Runtime);
    impl RefUnwindSafe for Runtime {}

    #[test]
    fn any_bytes_as_a_request_or_an_answer_never_panic_and_have_one_encoding() {
        let runtime = Runtime(runtime());
        bolero::check!().for_each(|bytes: &[u8]| {
            let runtime = &runtime;
            runtime.0.block_on(async {
                if let Ok(request) = read_request(&mut Cursor::new(bytes), 100).await {
                    let mut out = Vec::new();
                    write_request(&mut out, &request).await.unwrap();
                    assert_eq!(out, bytes);
                }
                if let Ok(answer) = read_answer(&mut Cursor::new(bytes), 100).await {
                    let mut out = Vec::new();
                    write_answer(&mut out, &answer).await.unwrap();
                    assert_eq!(out, bytes);
                }
            });
        });
    }

    #[test]
    fn an_answer_decodes_to_what_was_encoded() {
        for answer in [
            Answer::Bytes(vec![]),
            Answer::Bytes(vec![7; 3 * CHUNK_BYTES + 1]),
            Answer::Busy,
            Answer::NotHere,
            Answer::Refused("not admitted".to_owned()),
        ] {
            assert_eq!(read(&written(&answer), 4 * CHUNK_BYTES).unwrap(), answer);
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_a_byte_of_it_is_read() {
        // Four bytes of length and nothing else: were the body read or allocated first, the error would be another.
        let mut announced = Cursor::new(u32::MAX.to_be_bytes());
        let error = runtime().block_on(read_request(&mut announced, 16)).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { got, limit: 16 } if got == u32::MAX as usize), "{error}");
        let error = read(&[&[BYTES], u32::MAX.to_be_bytes().as_slice()].concat(), 16).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { limit: 16, .. }), "{error}");
    }

    #[test]
    fn bytes_behind_the_end_are_refused() {
        let mut bytes = written(&Answer::Bytes(vec![1, 2, 3]));
        bytes.push(0);
        assert!(matches!(read(&bytes, 16), Err(FrameError::Trailing)));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let reason = "ä".repeat(MAX_REASON_BYTES);
        let Answer::Refused(got) = read(&written(&Answer::Refused(format!("x{reason}"))), 0).unwrap() else {
            panic!("expected a refusal")
        };
        assert_eq!(got.len(), MAX_REASON_BYTES - 1);
    }

    #[test]
    fn a_reason_cannot_move_the_cursor_of_a_terminal() {
        let Answer::Refused(got) = read(&written(&Answer::Refused("no\n\u{1b}[2J".to_owned())), 0).unwrap() else {
            panic!("expected a refusal")
        };
        assert_eq!(got, "no??[2J");
        assert!(matches!(read(&[REFUSED, 0, 0, 0, 1, 0x1b], 0), Err(FrameError::Reason)));
    }

    /// A stream that gives some bytes, and then nothing without ending.
    struct Silent(Vec<u8>);

    impl AsyncRead for Silent {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
            let read = self.0.len().min(buffer.len());
            if read == 0 {
                return Poll::Pending;
            }
            buffer[..read].copy_from_slice(&self.0.drain(..read).collect::<Vec<_>>());
            Poll::Ready(Ok(read))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_stands_still_is_given_up_wherever_it_stops() {
        let mut whole = Vec::new();
        write_answer(&mut whole, &Answer::Bytes(vec![7; 2 * CHUNK_BYTES])).await.unwrap();
        for stop in [0, 1, 5, 100, whole.len()] {
            let error = read_answer(&mut Silent(whole[..stop].to_vec()), 4 * CHUNK_BYTES).await.unwrap_err();
            assert!(matches!(error, FrameError::Stalled), "after {stop} bytes: {error}");
        }
    }
}
