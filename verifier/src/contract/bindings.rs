//! The interfaces of the contracts that take proofs, as `contracts/src` has them; a test compares the two.

use alloy_sol_types::sol;

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
        error TableData();
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
        error NotOwner(address got, address owner);
        error UnknownJob(bytes32 job);
        error Finished(bytes32 job);

        function open(Terms calldata terms) external returns (bytes32 job);
        function submit(bytes32 job, bytes calldata proof) external;
        function next(bytes32 job) external view returns (Segment memory segment);
        function nonces(address opener) external view returns (uint256);
    }
}
