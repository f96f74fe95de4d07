//! Why a piece of work has no result yet, and threads that it may block.

use gradproof_blobs::BlobError;
use gradproof_handover::HandoverError;

use crate::NodeError;

/// Why a piece of work has no result yet, in words. It is tried again.
#[derive(Debug)]
pub(super) struct Trouble(pub String);

/// Runs something on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(run).await.map_err(|error| Trouble(format!("it broke: {error}")))
}

impl From<NodeError> for Trouble {
    fn from(error: NodeError) -> Self {
        Self(error.to_string())
    }
}

impl From<BlobError> for Trouble {
    fn from(error: BlobError) -> Self {
        Self(error.to_string())
    }
}

impl From<HandoverError> for Trouble {
    fn from(error: HandoverError) -> Self {
        Self(error.to_string())
    }
}
