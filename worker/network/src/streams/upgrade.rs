use std::convert::Infallible;

use futures::future::{Ready, ready};
use libp2p::{
    Stream,
    core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
};

use crate::protocol::Wire;

/// Agrees on one of several protocols, and hands over the bare stream.
#[derive(Debug, Clone)]
pub(crate) struct Upgrade(pub(super) Vec<Wire>);

impl UpgradeInfo for Upgrade {
    type Info = Wire;
    type InfoIter = std::vec::IntoIter<Wire>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Upgrade {
    type Output = (Stream, Wire);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, wire: Wire) -> Self::Future {
        ready(Ok((stream, wire)))
    }
}

impl OutboundUpgrade<Stream> for Upgrade {
    type Output = (Stream, Wire);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, wire: Wire) -> Self::Future {
        ready(Ok((stream, wire)))
    }
}
