//! Gets a blob from several peers at once, each range checked before it is written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gradproof_blobs::{Ask, BlobError, Root, Schedule};
use gradproof_network::PeerId;
use gradproof_network::limits::MAX_WITHIN;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant as Alarm, sleep_until};
use tracing::warn;

use super::failed::Failed;
use super::shared::Shared;
use super::trouble::blocking;

/// How long a download may take, beside what its bytes take at [`LEAST_RATE`]: whoever sends a range now and then keeps nobody for ever.
const MAX_PASS: Duration = Duration::from_secs(600);
/// Bytes a second that come at least, on average.
const LEAST_RATE: u64 = 32 << 10;
/// How long a download goes on without a new range before it is given up for now. What is there stays.
const STUCK: Duration = Duration::from_secs(120);
/// How long to wait where the schedule has nothing to wait for.
const IDLE: Duration = Duration::from_secs(1);

/// What came of one request.
struct Came {
    ask: Ask<PeerId>,
    result: Result<Vec<u8>, gradproof_network::Error>,
}

/// How long the download of so many bytes may take.
fn longest(bytes: u64) -> Duration {
    MAX_PASS.saturating_add(Duration::from_secs(bytes / LEAST_RATE))
}

/// Gets the blob of `root`, unless it is whole already, from peers of which no one is named twice. Where they are more than can be asked, one
/// that fails or is silent makes room for the next.
///
/// # Errors
/// The store has no room, no peer has it, nothing came for a while, or all of it takes too long.
pub(super) async fn blob(shared: &Arc<Shared>, root: Root, size: u64, peers: Vec<PeerId>) -> Result<(), Failed> {
    shared.blobs.begin(root, size)?;
    let missing = shared.blobs.missing(root)?;
    let mut schedule = Schedule::new(size, missing)?;
    let mut waiting = VecDeque::from(peers);
    let (begin, mut last) = (Instant::now(), Instant::now());
    let mut running = JoinSet::new();
    let mut handles: BTreeMap<Ask<PeerId>, AbortHandle> = BTreeMap::new();
    while !schedule.is_done() {
        while let Some(peer) = waiting.pop_front() {
            if !schedule.joined(peer) {
                waiting.push_front(peer);
                break;
            }
        }
        for ask in schedule.next(begin.elapsed()) {
            let network = shared.network.clone();
            let asked = running.spawn(async move {
                let result = network.range(ask.peer, *root.bytes(), ask.range, MAX_WITHIN).await;
                Came { ask, result }
            });
            handles.insert(ask, asked);
        }
        let wake = schedule.wake(begin.elapsed()).map_or_else(|| Instant::now() + IDLE, |wake| begin + wake);
        tokio::select! {
            Some(came) = running.join_next(), if !running.is_empty() => {
                // What was aborted has nothing to say.
                let Ok(came) = came else { continue };
                handles.remove(&came.ask);
                let peer = came.ask.peer;
                match take(shared, (root, size), came, &mut schedule, begin, &mut handles).await? {
                    true => last = Instant::now(),
                    false => make_way(&mut schedule, &mut waiting, peer),
                }
            }
            () = sleep_until(Alarm::from_std(wake)) => {}
        }
        for ask in schedule.timed_out(begin.elapsed()) {
            if let Some(handle) = handles.remove(&ask) {
                handle.abort();
            }
            make_way(&mut schedule, &mut waiting, ask.peer);
        }
        let nobody = waiting.is_empty() && schedule.conduct().all(|(_, conduct)| conduct.standing == 0);
        if last.elapsed() > STUCK || begin.elapsed() > longest(size) || nobody {
            return Err(Failed::Theirs(format!(
                "{} ranges of the blob {root} are missing, and no peer sends them in time",
                schedule.left_to_get()
            )));
        }
    }
    Ok(())
}

/// A peer that did not send what it was asked for makes way for one that waits, if any does.
fn make_way(schedule: &mut Schedule<PeerId>, waiting: &mut VecDeque<PeerId>, peer: PeerId) {
    let is_asked = schedule.conduct().any(|(other, conduct)| *other == peer && conduct.standing > 0);
    if is_asked && !waiting.is_empty() {
        schedule.left(&peer);
        waiting.push_back(peer);
    }
}

/// Writes what came; whether it was a range.
async fn take(
    shared: &Arc<Shared>,
    (root, size): (Root, u64),
    came: Came,
    schedule: &mut Schedule<PeerId>,
    begin: Instant,
    handles: &mut BTreeMap<Ask<PeerId>, AbortHandle>,
) -> Result<bool, Failed> {
    let Came { ask, result } = came;
    let bytes = match result {
        Ok(bytes) => bytes,
        Err(_) => {
            schedule.failed(begin.elapsed(), &ask.peer, ask.range);
            return Ok(false);
        }
    };
    let blobs = shared.blobs.clone();
    match blocking(move || blobs.write_range(root, ask.range, &bytes)).await? {
        Ok(_) => {
            for other in schedule.got(begin.elapsed(), &ask.peer, ask.range) {
                if let Some(handle) = handles.remove(&Ask { peer: other, range: ask.range }) {
                    handle.abort();
                }
            }
            Ok(true)
        }
        Err(_) if shared.blobs.size(root).ok() != Some(size) => {
            Err(Failed::Own(format!("another job named blob {root} with another size, or let it go")))
        }
        Err(BlobError::Wrong { .. }) => {
            warn!("{} sends wrong ranges of {root}: nothing more is asked of it", ask.peer);
            schedule.wrong(&ask.peer);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
