//! A workshop that stands in for training and proving: everything it makes is a hash of the job and a number.
//!
//! Its proofs are those that the stand-in verifier takes (`contracts/test/mocks`), which only the local chain has.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use alloy::primitives::keccak256;
use gradproof_chain::market::{Deployment, TrainingMarket};
use gradproof_chain::{Address, B256, Segment, SolValue};
use gradproof_node::workshop::{Claim, PARCEL, PRIVATE, Work, WorkError, Workshop};
use gradproof_verifier::protocol::statement::Domain;

/// Segments of a job.
pub const SEGMENTS: u64 = 6;
/// Rows of a step, as the stand-in verifier says.
pub const BATCH: u32 = 10;
/// Steps of a segment, as the stand-in verifier says.
pub const STEPS: u32 = 4;
/// Rows of the data: an epoch is the whole job.
pub const ROWS: u64 = SEGMENTS * BATCH as u64 * STEPS as u64;
/// Learning rate.
pub const RATE: u32 = 7;
/// Digest of the first parameters.
pub const FIRST: B256 = B256::repeat_byte(0xf1);
/// Root of the data.
pub const DATA: B256 = B256::repeat_byte(0xda);
/// How long a proof takes, unless a test says otherwise.
const PROVE: Duration = Duration::from_millis(20);
/// Bytes of the data: three ranges, the last one not whole.
const DATA_BYTES: usize = (5 << 20) / 2;
/// Bytes of the weights: fewer than the terms allow.
const WEIGHTS_BYTES: usize = 1_000_000;
/// Where the weights of the one wrong delivery differ.
const WRONG_PLACE: usize = WEIGHTS_BYTES - 7;

/// A point that work passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    Begin,
    Train,
    Repeat,
    Prove(u64),
    Weights(u64),
    Open(u64),
}

/// Which points are closed, and where work waits.
#[derive(Debug, Default)]
struct Gates {
    closed: BTreeSet<Point>,
    waiting: BTreeSet<Point>,
    passed: Vec<Point>,
}

/// The stand-in for a workshop, and the gates on its way.
#[derive(Debug, Default)]
pub struct StandIn {
    gates: Mutex<Gates>,
    changed: Condvar,
    wrong_after: Mutex<Option<u64>>,
    wrong_segment: Mutex<Option<u64>>,
    always_wrong: Mutex<Option<u64>>,
    segments: Mutex<Option<u64>>,
    prove: Mutex<Option<Duration>>,
}

/// Work on a job.
struct Job {
    shop: Arc<StandIn>,
    folder: PathBuf,
    domain: Domain,
    /// What the first training came to.
    ends: Vec<B256>,
}

/// What a node is given: the stand-in, which the test keeps.
#[derive(Debug)]
pub struct Shop(pub Arc<StandIn>);

impl StandIn {
    /// Work does not pass this point until it is opened.
    pub fn hold(&self, point: Point) {
        self.gates.lock().expect("no test panicked").closed.insert(point);
    }

    /// Work passes this point again.
    pub fn release(&self, point: Point) {
        self.gates.lock().expect("no test panicked").closed.remove(&point);
        self.changed.notify_all();
    }

    /// Work passes all points again.
    pub fn release_all(&self) {
        self.gates.lock().expect("no test panicked").closed.clear();
        self.changed.notify_all();
    }

    /// Whether work waits at this point.
    pub fn waits(&self, point: Point) -> bool {
        self.gates.lock().expect("no test panicked").waiting.contains(&point)
    }

    /// How often work passed this point.
    pub fn passed(&self, point: Point) -> usize {
        self.gates.lock().expect("no test panicked").passed.iter().filter(|other| **other == point).count()
    }

    /// The weights after so many segments are wrong at one place from now on.
    pub fn spoil(&self, segments: u64) {
        *self.wrong_after.lock().expect("no test panicked") = Some(segments);
    }

    /// The next training of this segment comes to a wrong end: once.
    pub fn miscompute(&self, segment: u64) {
        *self.wrong_segment.lock().expect("no test panicked") = Some(segment);
    }

    /// Each training of this segment comes to the same wrong end from now on.
    pub fn misunderstand(&self, segment: u64) {
        *self.always_wrong.lock().expect("no test panicked") = Some(segment);
    }

    /// Jobs have so many segments from now on, and a proof takes so long.
    pub fn measure(&self, segments: u64, prove: Duration) {
        *self.segments.lock().expect("no test panicked") = Some(segments);
        *self.prove.lock().expect("no test panicked") = Some(prove);
    }

    /// Whether a wrong end is still to come.
    pub fn will_miscompute(&self) -> bool {
        self.wrong_segment.lock().expect("no test panicked").is_some()
    }

    /// Where the training of these segments comes to.
    fn ends(&self, job: B256, segments: Range<u64>) -> Vec<B256> {
        let mut wrong = self.wrong_segment.lock().expect("no test panicked");
        let always = *self.always_wrong.lock().expect("no test panicked");
        let mut end = |index: u64| {
            let fault = u8::from(wrong.take_if(|segment| *segment == index).is_some() || always == Some(index));
            digest(job, index + 1) ^ B256::repeat_byte(fault)
        };
        segments.map(&mut end).collect()
    }

    fn pass(&self, point: Point) {
        let mut gates = self.gates.lock().expect("no test panicked");
        while gates.closed.contains(&point) {
            gates.waiting.insert(point);
            gates = self.changed.wait(gates).expect("no test panicked");
        }
        gates.waiting.remove(&point);
        gates.passed.push(point);
    }
}

impl Workshop for Shop {
    fn begin(&self, folder: &Path, domain: Domain) -> Result<Box<dyn Work>, WorkError> {
        self.0.pass(Point::Begin);
        for (path, expected) in parcel() {
            let path = folder.join(path);
            let got = fs::read(&path).map_err(|error| WorkError::Failed(format!("{}: {error}", path.display())))?;
            if got != expected {
                return Err(WorkError::Impossible(format!("{} is not what was committed to", path.display())));
            }
        }
        Ok(Box::new(Job { shop: self.0.clone(), folder: folder.to_owned(), domain, ends: vec![] }))
    }

    fn is_of(&self, _: &Path, _: &TrainingMarket::Terms, _: &Deployment) -> Result<(), WorkError> {
        Ok(())
    }

    fn opening(&self, _: &Path, domain: Domain, segments: u64) -> Result<B256, WorkError> {
        Ok(opening(domain.job.into(), segments))
    }

    fn open(&self, folder: &Path, domain: Domain, claim: Claim, weights: &Path) -> Result<PathBuf, WorkError> {
        self.0.pass(Point::Open(claim.segments));
        let job = B256::from(domain.job);
        if claim.last != digest(job, claim.segments) {
            return Err(WorkError::Impossible("the claim is another one".into()));
        }
        let got = fs::read(weights).map_err(|error| WorkError::Failed(error.to_string()))?;
        let expected = weights_after(job, claim.segments);
        if let Some(place) = got.iter().zip(&expected).position(|(got, expected)| got != expected) {
            return Err(WorkError::Impossible(format!("the weights differ from the claim at byte {place}")));
        }
        if got.len() != expected.len() {
            return Err(WorkError::Impossible("the weights have another length".into()));
        }
        let path = folder.join(format!("opened-{}", claim.segments));
        fs::write(&path, got).map_err(|error| WorkError::Failed(error.to_string()))?;
        Ok(path)
    }
}

impl Work for Job {
    fn train(&mut self, segments: u64) -> Result<Vec<B256>, WorkError> {
        self.shop.pass(Point::Train);
        let more = self.shop.ends(self.job(), self.ends.len() as u64..segments);
        self.ends.extend(more);
        Ok(self.ends.clone())
    }

    fn repeat(&mut self, segments: Range<u64>) -> Result<Vec<B256>, WorkError> {
        self.shop.pass(Point::Repeat);
        Ok(self.shop.ends(self.job(), segments))
    }

    fn prove(&mut self, index: u64) -> Result<Vec<u8>, WorkError> {
        self.shop.pass(Point::Prove(index));
        // A prover of a fixed time: nothing waits for it to be over.
        thread::sleep(self.shop.prove.lock().expect("no test panicked").unwrap_or(PROVE));
        if self.ends.get(index as usize).is_some_and(|end| *end != digest(self.job(), index + 1)) {
            return Err(WorkError::Differs(format!("the proof of segment {index} leads elsewhere than the training")));
        }
        let first = if index == 0 { FIRST } else { digest(self.job(), index) };
        let segment = Segment {
            job: self.job(),
            owner: Address::from(self.domain.owner),
            index,
            dataRoot: DATA,
            epochSegments: self.shop.segments.lock().expect("no test panicked").unwrap_or(SEGMENTS),
            position: index,
            liveSteps: STEPS,
            liveRows: BATCH,
            rate: RATE,
            first,
        };
        Ok((keccak256(segment.abi_encode()), digest(self.job(), index + 1)).abi_encode())
    }

    fn committed(&mut self, segments: u64, said: B256) -> Result<B256, WorkError> {
        let end = digest(self.job(), segments);
        Ok(if said == opening(self.job(), segments) { end } else { keccak256((end, said).abi_encode()) })
    }

    fn weights(&mut self, segments: u64) -> Result<PathBuf, WorkError> {
        self.shop.pass(Point::Weights(segments));
        let path = self.folder.join(format!("weights-{segments}"));
        let mut weights = weights_after(self.job(), segments);
        if *self.shop.wrong_after.lock().expect("no test panicked") == Some(segments) {
            weights[WRONG_PLACE] ^= 1;
        }
        fs::write(&path, weights).map_err(|error| WorkError::Failed(error.to_string()))?;
        Ok(path)
    }
}

impl Job {
    fn job(&self) -> B256 {
        B256::from(self.domain.job)
    }
}

/// Digest of the parameters after so many segments.
pub fn digest(job: B256, segments: u64) -> B256 {
    keccak256(("parameters", job, segments).abi_encode())
}

/// What opens the digest after so many segments.
pub fn opening(job: B256, segments: u64) -> B256 {
    keccak256(("opening", job, segments).abi_encode())
}

/// The weights after so many segments.
pub fn weights_after(job: B256, segments: u64) -> Vec<u8> {
    stream(digest(job, segments), WEIGHTS_BYTES)
}

/// What a requester hands over: paths in a job's folder, and contents.
pub fn parcel() -> [(PathBuf, Vec<u8>); 3] {
    let inside = |folder: &str, name: &str| Path::new(folder).join(name);
    [
        (inside(PARCEL, "rows.safetensors"), stream(DATA, DATA_BYTES)),
        (inside(PARCEL, "statement.json"), b"{}\n".to_vec()),
        (inside(PRIVATE, "openings.json"), b"{ \"seeds\": [] }\n".to_vec()),
    ]
}

/// So many bytes that follow from a seed.
fn stream(seed: B256, bytes: usize) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes + 32);
    let mut word = seed;
    while made.len() < bytes {
        word = keccak256(word);
        made.extend_from_slice(word.as_slice());
    }
    made.truncate(bytes);
    made
}
