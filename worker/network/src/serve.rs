//! Streams that peers opened: let in or refused, read, answered.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::{PeerId, Stream};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use crate::{
    AddressBook, Event, Reply,
    commands::{locked, now_secs},
    exchange,
    frame::{Answer, read_request, write_answer},
    gate::{Denial, Gate, Pass, Standing},
    limits::{ANSWER, REPLY, REQUEST},
    protocol::{Wire, decode_range_request},
};

/// Serves streams, each by a task of its own. Dropping it ends them all.
pub(crate) struct Server {
    gate: Arc<Mutex<Gate>>,
    book: Arc<Mutex<AddressBook>>,
    events: mpsc::Sender<Event>,
    /// As many as the gate lets in, and the refusals.
    tasks: Mutex<JoinSet<()>>,
}

impl Server {
    pub(crate) fn new(gate: Arc<Mutex<Gate>>, book: Arc<Mutex<AddressBook>>, events: mpsc::Sender<Event>) -> Arc<Self> {
        Arc::new(Self { gate, book, events, tasks: Mutex::default() })
    }

    /// Takes a stream. The gate decides before a byte of it is read.
    pub(crate) fn accept(&self, peer: PeerId, wire: Wire, stream: Stream) {
        let entered = locked(&self.gate).enter(peer, wire, Instant::now());
        let mut tasks = locked(&self.tasks);
        // Tasks that are done leave their place.
        while tasks.try_join_next().is_some() {}
        match entered {
            Ok(pass) => {
                let inside = Inside { gate: self.gate.clone(), pass };
                let serving = Serving { book: self.book.clone(), events: self.events.clone(), peer, wire };
                tasks.spawn(async move { serving.serve(stream, inside).await });
            }
            Err(denial) => {
                tracing::debug!(%peer, protocol = wire.id(), ?denial, "a request is refused");
                if locked(&self.gate).refuse() {
                    let refusing = Refusing { gate: self.gate.clone() };
                    tasks.spawn(async move { refuse(stream, denial, refusing).await });
                }
            }
        }
    }

    /// Ends all tasks.
    pub(crate) fn stop(&self) {
        locked(&self.tasks).abort_all();
    }
}

/// A pass that is given back when it is dropped.
struct Inside {
    gate: Arc<Mutex<Gate>>,
    pass: Pass,
}

impl Drop for Inside {
    fn drop(&mut self) {
        locked(&self.gate).leave(&self.pass);
    }
}

/// A refusal that is counted until it is dropped.
struct Refusing {
    gate: Arc<Mutex<Gate>>,
}

impl Drop for Refusing {
    fn drop(&mut self) {
        locked(&self.gate).refused();
    }
}

async fn refuse(mut stream: impl AsyncWrite + Unpin, denial: Denial, refusing: Refusing) {
    let answer = denial.reason().map_or(Answer::Busy, Answer::Refused);
    // A peer that does not take its refusal gets none.
    let _ = write_answer(&mut stream, &answer).await;
    drop(refusing);
}

struct Serving {
    book: Arc<Mutex<AddressBook>>,
    events: mpsc::Sender<Event>,
    peer: PeerId,
    wire: Wire,
}

impl Serving {
    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin, inside: Inside) {
        let (peer, protocol) = (self.peer, self.wire.id());
        let request = match timeout(REQUEST, read_request(&mut stream, self.wire.request_limit())).await {
            Ok(Ok(request)) => request,
            Ok(Err(error)) => return tracing::debug!(%peer, protocol, %error, "a request cannot be read"),
            Err(_) => return tracing::debug!(%peer, protocol, "a request took too long"),
        };
        // Without an answer the stream is dropped, and the peer learns that.
        let Some(answer) = self.answer(request, inside.pass.standing).await else {
            return tracing::debug!(%peer, protocol, "a request stays without an answer");
        };
        match timeout(ANSWER, write_answer(&mut stream, &answer)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%peer, protocol, %error, "an answer cannot be sent"),
            Err(_) => tracing::debug!(%peer, protocol, "an answer took too long"),
        }
        drop(inside);
    }

    async fn answer(&self, request: Vec<u8>, standing: Standing) -> Option<Answer> {
        let (sender, receiver) = oneshot::channel();
        let (peer, reply) = (self.peer, Reply { sender, limit: self.wire.answer_limit() });
        let event = match self.wire {
            Wire::Request(protocol) => Event::Request { peer, standing, protocol, bytes: request, reply },
            Wire::Blob => {
                let (root, index) = decode_range_request(&request)?;
                Event::Range { peer, root, index, reply }
            }
            Wire::Records => {
                return exchange::page(&locked(&self.book), &request, now_secs()).map(Answer::Bytes);
            }
        };
        match self.events.try_send(event) {
            Ok(()) => timeout(REPLY, receiver).await.ok()?.ok(),
            Err(mpsc::error::TrySendError::Full(_)) => Some(Answer::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll, ready},
        time::Duration,
    };

    use tokio::time::{Sleep, sleep};

    use super::*;
    use crate::{
        Identity, Protocol,
        limits::{MAX_RANGE_BYTES, MAX_SERVED_PER_OWNER, STALL},
    };

    const OPEN: Wire = Wire::Request(Protocol::Open);

    /// Below the time after which a stream stands still, even twice.
    const PAUSE: Duration = Duration::from_secs(4);

    /// A stream that takes and gives some bytes after each pause.
    struct Slow {
        /// What it gives; afterwards it ends.
        gives: Vec<u8>,
        step: usize,
        taken: Arc<Mutex<usize>>,
        next: Pin<Box<Sleep>>,
    }

    impl Slow {
        fn new(gives: Vec<u8>, step: usize) -> Self {
            Self { gives, step, taken: Arc::default(), next: Box::pin(sleep(PAUSE)) }
        }

        fn wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            ready!(self.next.as_mut().poll(cx));
            self.next = Box::pin(sleep(PAUSE));
            Poll::Ready(())
        }
    }

    impl AsyncRead for Slow {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
            if self.gives.is_empty() {
                return Poll::Ready(Ok(0));
            }
            ready!(self.wait(cx));
            let read = self.step.min(out.len()).min(self.gives.len());
            out[..read].copy_from_slice(&self.gives.drain(..read).collect::<Vec<_>>());
            Poll::Ready(Ok(read))
        }
    }

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            ready!(self.wait(cx));
            let written = self.step.min(bytes.len());
            *locked(&self.taken) += written;
            Poll::Ready(Ok(written))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    struct Fixture {
        serving: Serving,
        inside: Inside,
        gate: Arc<Mutex<Gate>>,
        events: mpsc::Receiver<Event>,
    }

    fn fixture(wire: Wire) -> Fixture {
        let gate = Arc::new(Mutex::new(Gate::default()));
        let peer = Identity::from_secret([1; 32]).unwrap().peer_id();
        locked(&gate).admit(peer, [1; 20]).unwrap();
        locked(&gate).set_parties([[1; 20]].into());
        let (sender, events) = mpsc::channel(1);
        let pass = locked(&gate).enter(peer, wire, Instant::now()).unwrap();
        let inside = Inside { gate: gate.clone(), pass };
        Fixture { serving: Serving { book: Arc::default(), events: sender, peer, wire }, inside, gate, events }
    }

    /// Returns whether all places of a peer are free.
    fn has_left(gate: &Mutex<Gate>, peer: PeerId, wire: Wire) -> bool {
        (0..MAX_SERVED_PER_OWNER).all(|_| locked(gate).enter(peer, wire, Instant::now()).is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_trickles_in_is_given_up_and_its_place_is_free() {
        let Fixture { serving, inside, gate, mut events } = fixture(OPEN);
        let (peer, started) = (serving.peer, tokio::time::Instant::now());
        serving.serve(Slow::new([&[0, 0, 0, 100][..], &[7; 100]].concat(), 4), inside).await;
        assert_eq!(started.elapsed(), REQUEST);
        assert!(events.try_recv().is_err());
        assert!(has_left(&gate, peer, OPEN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_never_replies_does_not_hold_a_place_for_ever() {
        let Fixture { serving, inside, gate, mut events } = fixture(OPEN);
        let (peer, started) = (serving.peer, tokio::time::Instant::now());
        let stream = Slow::new(vec![0; 4], 4);
        let taken = stream.taken.clone();
        serving.serve(stream, inside).await;
        assert_eq!(started.elapsed(), PAUSE + REPLY);
        assert!(matches!(events.try_recv(), Ok(Event::Request { .. })));
        assert_eq!(*locked(&taken), 0);
        assert!(has_left(&gate, peer, OPEN));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_trickles_out_is_given_up() {
        let Fixture { serving, inside, gate, mut events } = fixture(Wire::Blob);
        let peer = serving.peer;
        let replying = tokio::spawn(async move {
            let Some(Event::Range { reply, .. }) = events.recv().await else { panic!("expected a range") };
            reply.answer(vec![7; MAX_RANGE_BYTES]).unwrap();
            tokio::time::Instant::now()
        });
        let stream = Slow::new([&[0, 0, 0, 36][..], &[1; 36]].concat(), 32 * 1024);
        let taken = stream.taken.clone();
        serving.serve(stream, inside).await;
        assert_eq!(replying.await.unwrap().elapsed(), ANSWER);
        assert!(*locked(&taken) < MAX_RANGE_BYTES);
        assert!(has_left(&gate, peer, Wire::Blob));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_nobody_takes_is_given_up_and_counted_until_then() {
        let gate = Arc::new(Mutex::new(Gate::default()));
        while locked(&gate).refuse() {}
        let started = tokio::time::Instant::now();
        refuse(Slow::new(vec![], 1), Denial::Rate(Standing::Stranger), Refusing { gate: gate.clone() }).await;
        assert_eq!(started.elapsed(), STALL);
        assert!(locked(&gate).refuse());
    }
}
