//! The chain that the endpoints agree on, followed block by block.

use super::{Common, Endpoints};
use crate::{ChainError, Ring, Step};

/// Blocks that are asked for until a head is connected: those of a ring, and once more if the chain changes meanwhile.
const MAX_ASKED: usize = 512;

impl Endpoints {
    /// Tells `ring` the block that is agreed on, and those before it that it asks for; what became of the blocks that it had. `None` if
    /// nothing is agreed on, or the endpoints changed their minds meanwhile: the next look decides.
    ///
    /// # Errors
    /// If no endpoint answered.
    ///
    /// # Cancel safety
    /// It can be dropped: the ring keeps what was connected.
    pub async fn advance(&self, ring: &mut Ring, common: &Common) -> Result<Option<Step>, ChainError> {
        let Some(head) = common.agreed() else { return Ok(None) };
        let mut step = ring.push(head);
        for _ in 0..MAX_ASKED {
            let Step::Need(number) = step else { return Ok(Some(step)) };
            let read = self.read(common, |at| async move { at.endpoint().header_by_number(number).await }).await?;
            let Some(Some(header)) = read.agreed() else { return Ok(None) };
            step = ring.push(header);
        }
        Ok(None)
    }
}
