//! All endpoints of a chain.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::agreement::agrees;
use super::member::{HEAD, Member};
use super::rest::Slow;
use super::{Agreement, Common, Endpoint, HttpEndpoint, Said, gather, numbered};
use crate::{At, ChainError, Header, LOCAL_CHAIN};

/// Endpoints of a node: two are required, a third replaces one that is gone, and more ask the same of more strangers.
const MAX_ENDPOINTS: usize = 8;
/// Endpoints that must give the same answer.
const AGREEING: usize = 2;
/// How long a read of one endpoint may take that is needed, with all its requests: a job with eight batches takes some dozens.
const READ: Duration = Duration::from_secs(30);

/// The endpoints of one chain, and how many of them must agree.
#[derive(Debug)]
pub struct Endpoints {
    pub(super) chain: u64,
    pub(super) members: Vec<Member>,
    pub(super) needed: usize,
}

impl Endpoints {
    /// Connects to all of `urls`, which must be of `chain`. One that does not answer is asked again later.
    ///
    /// # Errors
    /// [`ChainError::NoEndpoint`], [`ChainError::TooManyEndpoints`], [`ChainError::SameEndpoint`], [`ChainError::OtherChain`]; if none
    /// answers.
    pub async fn connect(urls: &[String], chain: u64) -> Result<Self, ChainError> {
        let mut addresses: Vec<String> = vec![];
        let mut endpoints: Vec<Arc<dyn Endpoint>> = vec![];
        for url in urls {
            let endpoint = HttpEndpoint::new(url)?;
            if addresses.contains(&endpoint.address()) {
                return Err(ChainError::SameEndpoint { endpoint: endpoint.name().to_owned() });
            }
            addresses.push(endpoint.address());
            endpoints.push(Arc::new(endpoint));
        }
        Self::of(endpoints, chain).await
    }

    /// The same of endpoints that are there.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn of(endpoints: Vec<Arc<dyn Endpoint>>, chain: u64) -> Result<Self, ChainError> {
        if endpoints.is_empty() {
            return Err(ChainError::NoEndpoint);
        }
        if endpoints.len() > MAX_ENDPOINTS {
            return Err(ChainError::TooManyEndpoints { got: endpoints.len(), most: MAX_ENDPOINTS });
        }
        // A chain of this machine may have one node; where two are named, two must agree, as anywhere.
        let needed = if chain == LOCAL_CHAIN { AGREEING.min(endpoints.len()) } else { AGREEING };
        let members = endpoints.into_iter().map(Member::new);
        let set = Self { chain, members: members.collect(), needed };
        let mut silent = None;
        for checked in join_all(set.members.iter().map(|member| member.check(chain))).await {
            match checked {
                Err(error @ ChainError::OtherChain { .. }) => return Err(error),
                Err(error) => silent = Some(error),
                Ok(()) => (),
            }
        }
        match silent {
            Some(error) if !set.members.iter().any(|member| member.is_known()) => Err(error),
            _ => Ok(set),
        }
    }

    /// The chain id.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// How many must give the same answer.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// All of them, in the order they were named in.
    pub fn each(&self) -> impl Iterator<Item = &Arc<dyn Endpoint>> {
        self.members.iter().map(|member| &member.endpoint)
    }

    /// Those that are slow, and not waited for now, not just by chance: their names, in the order they were named in.
    pub fn slow(&self) -> Vec<String> {
        self.members.iter().filter(|member| member.is_slow()).map(|member| member.endpoint.name().to_owned()).collect()
    }

    /// Reads the same from each endpoint at `common`, all at the same time, and compares.
    ///
    /// Once as many as must agree have answered the same, the others have a grace, and count as not answering. Who was not waited for is
    /// asked after all where those that were do not agree.
    ///
    /// # Errors
    /// If no endpoint answered: the first one's error. [`ChainError::Reverted`] if it is agreed that the contract refuses.
    ///
    /// # Soundness
    /// What is agreed on never takes fewer than must agree. Who is fast gains nothing by it: a liar that is alone stands against one that
    /// is honest, and then the slow one decides.
    pub async fn read<T, F, R>(&self, common: &Common, read: F) -> Result<Agreement<T>, ChainError>
    where
        T: PartialEq,
        F: Fn(At) -> R,
        R: Future<Output = Result<T, ChainError>>,
    {
        let readable = self.awake(common.readable());
        let member = |at: usize| self.members.get(at);
        let reading = |member: &Member, header| read(At::new(member.endpoint.clone(), header));
        let reads = readable.iter().filter_map(|(at, header)| {
            let member = member(*at)?;
            Some(said(member, *header, reading(member, *header)))
        });
        let agree = |answers: &[Option<Said<T>>]| common.agreed().is_some() && agrees(answers, self.needed);
        let mut answers = gather(&mut numbered(reads.collect()), agree).await;
        for ((at, _), answer) in readable.iter().zip(&answers) {
            if let Some(member) = member(*at) {
                keep_pace(member, answer.as_ref());
            }
        }
        if let Some(header) = common.agreed()
            && !agrees(&answers, self.needed)
        {
            let asked = |at: usize| readable.iter().any(|(other, _)| *other == at);
            let others = self.members.iter().enumerate().filter(|(at, _)| !asked(*at)).map(|(_, member)| member);
            let others = others.filter(|member| member.is_known() && member.slow() == Some(Slow::Outrun));
            let late = join_all(others.map(|member| said_after_all(member, header, reading(member, header)))).await;
            answers.extend(late.into_iter().map(Some));
        }
        Agreement::of(common, answers.into_iter().flatten().collect(), self.needed)
    }

    /// Those of `readable` that are waited for; all of them, if all are slow.
    pub(crate) fn awake(&self, readable: Vec<(usize, Header)>) -> Vec<(usize, Header)> {
        let is_awake = |at: &usize| self.members.get(*at).is_some_and(|member| member.slow().is_none());
        match readable.iter().any(|(at, _)| is_awake(at)) {
            true => readable.into_iter().filter(|(at, _)| is_awake(at)).collect(),
            false => readable,
        }
    }

    /// Notes that an endpoint was not waited for.
    pub(crate) fn outrun(&self, at: usize) {
        if let Some(member) = self.members.get(at) {
            member.was(Slow::Outrun);
        }
    }

    /// Whether an endpoint is waited for.
    pub(crate) fn is_awake(&self, at: usize) -> bool {
        self.members.get(at).is_some_and(|member| member.slow().is_none())
    }
}

/// What one says, within its time. A question that fails after long was not answered, whatever ended it.
async fn said<T>(member: &Member, header: Header, reading: impl Future<Output = Result<T, ChainError>>) -> Said<T> {
    let (endpoint, begin) = (member.endpoint.name().to_owned(), Instant::now());
    let late = |within| ChainError::Late { endpoint: endpoint.clone(), within };
    let value = match timeout(READ, reading).await {
        Err(_) => Err(late(READ)),
        Ok(Err(ChainError::Endpoint { .. })) if begin.elapsed() >= HEAD => {
            Err(late(Duration::from_secs(begin.elapsed().as_secs())))
        }
        Ok(value) => value,
    };
    Said { endpoint, header, value }
}

/// The same of one that was not waited for. It may lack the block, about which some answer with nothing.
async fn said_after_all<T>(
    member: &Member,
    header: Header,
    reading: impl Future<Output = Result<T, ChainError>>,
) -> Said<T> {
    let has = timeout(HEAD, member.endpoint.header_by_number(header.number)).await;
    if !matches!(has, Ok(Ok(Some(other))) if other == header) {
        let endpoint = member.endpoint.name().to_owned();
        let value = Err(ChainError::NoBlock { endpoint: endpoint.clone(), block: header.hash });
        return Said { endpoint, header, value };
    }
    let said = said(member, header, reading).await;
    if matches!(said.value, Err(ChainError::Late { .. })) {
        member.was(Slow::Late);
    }
    said
}

/// Notes how an endpoint kept up that was asked; no answer is one that was not waited for.
fn keep_pace<T>(member: &Member, answer: Option<&Said<T>>) {
    match answer {
        None => member.was(Slow::Outrun),
        Some(Said { value: Err(ChainError::Late { .. }), .. }) => member.was(Slow::Late),
        Some(_) => member.was_in_time(),
    }
}
