//! What the endpoints say of the newest block, and the newest that enough of them have.

use crate::{B256, ChainError, Header};

/// What one endpoint said of its newest block.
#[derive(Debug)]
pub struct Seen {
    /// Its name.
    pub endpoint: String,
    /// Its newest block, or why it said none.
    pub head: Result<Header, ChainError>,
    /// Blocks that it lacks beside the furthest of all; `None` if it said nothing.
    pub behind: Option<u64>,
}

/// What each endpoint said of its newest block, in the order of the endpoints.
#[derive(Debug)]
pub struct Heads {
    /// One for each endpoint.
    pub each: Vec<Seen>,
}

impl Heads {
    /// Puts the answers beside each other.
    pub(super) fn new(answers: Vec<(String, Result<Header, ChainError>)>) -> Self {
        let furthest = answers.iter().filter_map(|(_, head)| head.as_ref().ok()).map(|head| head.number).max();
        let each = answers.into_iter().map(|(endpoint, head)| {
            let behind = head.as_ref().ok().zip(furthest).map(|(head, furthest)| furthest - head.number);
            Seen { endpoint, head, behind }
        });
        Self { each: each.collect() }
    }

    /// The endpoints that answered, by their place, with their newest blocks: the furthest first.
    pub fn answered(&self) -> Vec<(usize, Header)> {
        let heads = self.each.iter().enumerate();
        let mut answered: Vec<_> = heads.filter_map(|(at, seen)| Some((at, *seen.head.as_ref().ok()?))).collect();
        answered.sort_by_key(|(at, head)| (u64::MAX - head.number, *at));
        answered
    }
}

/// Where endpoints are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Common {
    /// At the newest block that as many have as must agree.
    Block {
        /// The block.
        header: Header,
        /// The endpoints that have it, by their place.
        knowing: Vec<usize>,
    },
    /// Fewer answered than must agree: each at its own newest block. Mostly it is one.
    Alone {
        /// The endpoint, by its place.
        endpoint: usize,
        /// Its newest block.
        header: Header,
    },
    /// Enough answered, and have no block in common that is new enough: they are on different forks, or one lags too far, or is a
    /// liar. Each is read at its own newest block, and nothing is agreed on.
    Apart {
        /// The endpoints, by their place, with their newest blocks: the furthest first.
        heads: Vec<(usize, Header)>,
    },
}

impl Common {
    /// The endpoints to read, by their place, and where.
    pub fn readable(&self) -> Vec<(usize, Header)> {
        match self {
            Self::Block { header, knowing } => knowing.iter().map(|at| (*at, *header)).collect(),
            Self::Alone { endpoint, header } => vec![(*endpoint, *header)],
            Self::Apart { heads } => heads.clone(),
        }
    }

    /// The block that is agreed on.
    pub fn agreed(&self) -> Option<Header> {
        match self {
            Self::Block { header, .. } => Some(*header),
            _ => None,
        }
    }

    /// The block that is agreed on, or else the earliest of the heads: the time that has passed by every endpoint's word.
    pub fn earliest(&self) -> Header {
        self.readable().into_iter().map(|(_, head)| head).min_by_key(in_time).unwrap_or(NOTHING)
    }

    /// The block that is agreed on, or else the latest of the heads. Who must not be late goes by this time: an endpoint that is stuck,
    /// or lies, must not hide that a deadline is near.
    pub fn latest(&self) -> Header {
        self.readable().into_iter().map(|(_, head)| head).max_by_key(in_time).unwrap_or(NOTHING)
    }
}

/// The block of no endpoint.
const NOTHING: Header = Header { number: 0, hash: B256::ZERO, parent: B256::ZERO, time: 0, base: 0 };

fn in_time(head: &Header) -> (u64, u64) {
    (head.time, head.number)
}

/// One look at all endpoints: what each said, and where they are read until the next look.
#[derive(Debug)]
pub struct Sight {
    /// What each said of its newest block.
    pub heads: Heads,
    /// Where they are read.
    pub common: Common,
}
