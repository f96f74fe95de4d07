//! A key and a statement as the contract takes them.

use alloy_primitives::{Address, U256};
use gradproof_circuits::relations::{Group, Subject};
use gradproof_verifier::protocol::key::{VerifyingKey, graph_digest};
use gradproof_verifier::protocol::points::{encode_g1, encode_g2};
use gradproof_verifier::protocol::statement::Statement;

use crate::bindings::{Segment, SegmentKey};

/// What the constructor of the segments' verifier is given for `key`.
pub fn segment_key(key: &VerifyingKey, halo2: Address) -> SegmentKey {
    let layout = &key.relations(Subject::Segment).layout;
    let architecture = key.architecture();
    let columns = |group| layout.group(group).len() as u16;
    SegmentKey {
        halo2,
        key: key.digest().into(),
        insecure: key.setup.is_insecure(),
        tauG2: words(&encode_g2(&key.setup.tau_g2)),
        graph: graph_digest(architecture.graph()).into(),
        batch: architecture.batch() as u32,
        steps: architecture.steps() as u32,
        columnVars: key.column_vars as u8,
        dataColumns: columns(Group::Data),
        parameterColumns: columns(Group::First),
        traceColumns: columns(Group::Trace),
        tables: key.tables.iter().map(|point| words(&encode_g1(point))).collect(),
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [U256; N] {
    std::array::from_fn(|i| bytes.chunks(32).nth(i).map_or(U256::ZERO, U256::from_be_slice))
}

/// What the settling contract must know of the segment that `statement` is about.
pub fn segment(statement: &Statement) -> Segment {
    Segment {
        job: statement.domain.job.into(),
        owner: statement.domain.owner.into(),
        index: statement.segment,
        dataRoot: statement.data_root.into(),
        epochSegments: statement.epoch_segments,
        position: statement.position,
        liveSteps: statement.live.steps as u32,
        liveRows: statement.live.last_rows as u32,
        rate: statement.rate,
        first: statement.first.into(),
    }
}
