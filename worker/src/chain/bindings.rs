//! The contracts' interfaces, as `contracts/src` has them; a test compares the two.

use std::fmt::Debug;

use alloy::primitives::Bytes;
use alloy::sol;
use alloy::sol_types::{Revert, SolError, SolInterface};

use super::market::{
    ComputeToken, DatasetRegistry, LEVELS, NodeRegistry, STATES, StakeVault, TERMS, TrainingMarket, name,
};

sol! {
    /// What the settling contract knows of a segment.
    #[derive(Debug, PartialEq, Eq)]
    struct Segment {
        bytes32 job;
        address owner;
        uint64 index;
        bytes32 dataRoot;
        uint64 epochSegments;
        uint64 position;
        uint32 liveSteps;
        uint32 liveRows;
        uint32 rate;
        bytes32 first;
    }

    /// What a verifying key fixes: the argument of the verifier's constructor.
    #[derive(Debug)]
    struct SegmentKey {
        address halo2;
        bytes32 key;
        bool insecure;
        uint256[4] tauG2;
        bytes architecture;
        uint8 columnVars;
        uint16 dataColumns;
        uint16 parameterColumns;
        uint16 traceColumns;
        uint256[2][] tables;
    }

    /// What a job is.
    #[derive(Debug, PartialEq, Eq)]
    struct Terms {
        address verifier;
        address owner;
        bytes32 dataRoot;
        uint64 epochSegments;
        uint64 segments;
        uint32 lastSteps;
        uint32 lastRows;
        uint32 rate;
        bytes32 first;
    }

    /// Verifier of the proof of one segment.
    #[derive(Debug, PartialEq, Eq)]
    interface ISegmentVerifier {
        error ProofTooShort(uint256 least, uint256 got);
        error LiveSteps(uint256 got, uint256 most);
        error LiveRows(uint256 got, uint256 most);
        error Position(uint256 got, uint256 below);
        error Rate();
        error FirstCommitments(bytes32 expected, bytes32 got);
        error DataLeaf(uint256 column);
        error ScalarNotReduced(uint256 offset);
        error PointNotOnCurve(uint256 offset);
        error PointAtInfinity(uint256 offset);
        error Halo2Answer();
        error OpeningValue();
        error Pairing();
        // Of the constructor.
        error Halo2Missing();
        error Architecture();
        error ColumnVars(uint256 got);
        error Columns();
        error TablePoint(uint256 index);
        error TauPoint();
        error TrivialTau();
        error SetupKind();
        // Of the one challenge in 2^250 that has no inverse.
        error NotInvertible();

        function verify(Segment calldata segment, bytes calldata proof) external view returns (bytes32 last);
        function key() external view returns (bytes32);
        function setup() external view returns (bytes32);
        function insecureSetup() external view returns (bool);
        function shape() external view returns (uint32 batch, uint32 steps);
        function halo2() external view returns (address);
        function columnVars() external view returns (uint256);
        function dataColumns() external view returns (uint256);
        function parameterColumns() external view returns (uint256);
        function traceColumns() external view returns (uint256);
    }

    /// Verifier of the proofs of one circuit.
    #[derive(Debug, PartialEq, Eq)]
    interface IHalo2Verifier {
        error WrongNumberOfInstances();
        error WrongProofLength();
        error NonCanonicalScalar();
        error NonCanonicalCoordinate();
        error PointAtInfinity();
        error PointNotOnCurve();
        error ZeroDenominator();
        error PrecompileFailed();

        function accumulate(uint256[] calldata instances, bytes calldata proof)
            external
            view
            returns (uint256 leftX, uint256 leftY, uint256 rightX, uint256 rightY);
    }

    /// Jobs whose segments are proved one after the other.
    #[derive(Debug, PartialEq, Eq)]
    interface ISegmentLedger {
        event Opened(bytes32 indexed job, address indexed opener, uint256 nonce, Terms terms);
        event Proven(bytes32 indexed job, uint64 indexed index, bytes32 last);

        error NoOwner();
        error NoSegments();
        error NoEpoch();
        error NoRate();
        error NoVerifier();
        error InsecureSetup();
        error LastSteps(uint256 got, uint256 most);
        error LastRows(uint256 got, uint256 most);
        error UnknownJob(bytes32 job);
        error Finished(bytes32 job);

        function open(Terms calldata terms) external returns (bytes32 job);
        function submit(bytes32 job, bytes calldata proof) external;
        function next(bytes32 job) external view returns (Segment memory segment);
        function nonces(address opener) external view returns (uint256);
    }
}

/// The error that a contract reverted with, in words: its name and arguments, or the bytes if nobody here knows it.
pub fn reason(data: &Bytes) -> String {
    let known: [fn(&Bytes) -> Option<String>; 9] = [
        decode::<ISegmentVerifier::ISegmentVerifierErrors>,
        decode::<IHalo2Verifier::IHalo2VerifierErrors>,
        decode::<ISegmentLedger::ISegmentLedgerErrors>,
        market_reason,
        decode::<StakeVault::StakeVaultErrors>,
        decode::<NodeRegistry::NodeRegistryErrors>,
        decode::<DatasetRegistry::DatasetRegistryErrors>,
        decode::<ComputeToken::ComputeTokenErrors>,
        |data| Some(Revert::abi_decode(data).ok()?.reason),
    ];
    let reason = known.iter().find_map(|decode| decode(data));
    reason.unwrap_or_else(|| format!("an error of another contract, {data}"))
}

/// An error of one contract, if `data` is one: name and arguments.
fn decode<E: SolInterface + Debug>(data: &Bytes) -> Option<String> {
    E::abi_decode(data).ok().map(|error| plain(&format!("{error:?}")))
}

/// `Variant(Error { … })` without the variant, which has the error's name.
fn plain(debug: &str) -> String {
    let inner = debug.split_once('(').map_or(debug, |(_, rest)| rest);
    inner.strip_suffix(')').unwrap_or(inner).to_owned()
}

/// An error of the market, with the names of states and terms instead of their numbers.
fn market_reason(data: &Bytes) -> Option<String> {
    use TrainingMarket::TrainingMarketErrors as Error;
    Some(match Error::abi_decode(data).ok()? {
        Error::WrongState(error) => {
            format!("WrongState {{ job: {}, state: {} }}", error.job, name(&STATES, error.state))
        }
        Error::WrongLevel(error) => format!("WrongLevel {{ level: {} }}", name(&LEVELS, error.level)),
        Error::BadTerm(error) => format!("BadTerm {{ term: {} }}", name(&TERMS, error.term)),
        error => plain(&format!("{error:?}")),
    })
}
