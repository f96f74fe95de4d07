//! A request to a peer: a stream is opened, the request written, the answer read.

use std::time::Duration;

use libp2p::{PeerId, Stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    Error,
    commands::Command,
    frame::{Answer, FrameError, read_answer, write_request},
    limits::MAX_WITHIN,
    protocol::Wire,
    streams::{Open, OpenError},
};

/// Returns a peer's answer to a request.
pub(crate) async fn ask(
    commands: &mpsc::Sender<Command>,
    peer: PeerId,
    wire: Wire,
    request: &[u8],
    within: Duration,
) -> Result<Answer, Error> {
    if request.len() > wire.request_limit() {
        return Err(Error::TooLong { what: "the request", got: request.len(), limit: wire.request_limit() });
    }
    let after = within.min(MAX_WITHIN);
    let asking = async {
        let mut stream = open(commands, peer, wire).await?;
        converse(&mut stream, request, wire.answer_limit()).await.map_err(|error| failed(peer, &error))
    };
    timeout(after, asking).await.map_err(|_| Error::TimedOut { peer, after })?
}

async fn open(commands: &mpsc::Sender<Command>, peer: PeerId, wire: Wire) -> Result<Stream, Error> {
    let (reply, opened) = oneshot::channel();
    let (failed, failure) = oneshot::channel();
    let open = Open { wire, reply };
    commands.send(Command::Open { peer, open, failed }).await.map_err(|_| Error::Stopped)?;
    match opened.await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(OpenError::NoCommonVersion(theirs))) => Err(Error::NoCommonVersion { peer, ours: wire.id(), theirs }),
        Ok(Err(OpenError::TimedOut)) => Err(Error::TimedOut { peer, after: crate::limits::NEGOTIATION }),
        Ok(Err(OpenError::Busy)) => Err(Error::Waiting { peer }),
        Ok(Err(OpenError::Failed(reason))) => Err(Error::Unanswered { peer, reason }),
        // The task says why it did not open the stream; when it says nothing, the connection is gone.
        Err(_) => {
            let gone = || Error::Unanswered { peer, reason: "the connection was closed".to_owned() };
            Err(failure.await.unwrap_or_else(|_| if commands.is_closed() { Error::Stopped } else { gone() }))
        }
    }
}

/// Writes the request and reads the answer. A peer may answer without reading: its refusal counts then.
async fn converse(stream: &mut Stream, request: &[u8], limit: usize) -> Result<Answer, FrameError> {
    let written = write_request(stream, request).await;
    match (written, read_answer(stream, limit).await) {
        (_, Ok(answer)) => Ok(answer),
        (Err(error), Err(read)) if !read.is_malformed() => Err(error),
        (_, Err(error)) => Err(error),
    }
}

fn failed(peer: PeerId, error: &FrameError) -> Error {
    let reason = error.to_string();
    match error {
        FrameError::Stalled => Error::TimedOut { peer, after: crate::limits::STALL },
        error if error.is_malformed() => Error::Malformed { peer, reason },
        _ => Error::Unanswered { peer, reason },
    }
}
