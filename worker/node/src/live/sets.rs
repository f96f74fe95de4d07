//! The registered sets that a data owner's node serves.

use std::path::PathBuf;

use gradproof_chain::B256;

use super::desk::Desk;
use super::quotes::busy;
use crate::config::LicencePolicy;
use crate::dataset::DatasetFile;
use crate::message::{LicencePrice, Reason, SetCard};

/// A set that is served.
pub(super) struct Served {
    /// The folder that `dataset register` wrote.
    pub folder: PathBuf,
    /// Which set it is.
    pub set: DatasetFile,
    /// For what licences are signed, if they are.
    pub policy: Option<LicencePolicy>,
}

/// The sets of the configuration, as their folders have them now; those of another market are left out.
fn served(shared: &Desk) -> Result<Vec<Served>, Reason> {
    let config = shared.config.data_owner.as_ref().ok_or_else(no_data)?;
    let mut all = Vec::new();
    for set in &config.sets {
        let found = DatasetFile::in_folder(&set.folder).map_err(busy)?;
        if let Some(found) = found.filter(|found| found.is_here(&shared.deployment, shared.me)) {
            all.push(Served { folder: set.folder.clone(), set: found, policy: set.licence.clone() });
        }
    }
    Ok(all)
}

/// Why a node of another role answers no question about sets.
pub(super) fn no_data() -> Reason {
    Reason::new("this node owns no data")
}

/// A set that is served.
pub(super) fn find(shared: &Desk, dataset: B256) -> Result<Served, Reason> {
    let found = served(shared)?.into_iter().find(|served| served.set.dataset == dataset);
    found.ok_or_else(|| Reason::new(format!("this node does not serve data set {dataset}")))
}

/// What whoever asks is told of the sets.
pub(super) fn cards(shared: &Desk) -> Result<Vec<SetCard>, Reason> {
    let card =
        |Served { set, policy, .. }| {
            let price = policy.map(|LicencePolicy { fee, least_royalty, most_segments, .. }: LicencePolicy| {
                LicencePrice { fee, least_royalty, most_segments }
            });
            SetCard { set, price }
        };
    Ok(served(shared)?.into_iter().map(card).collect())
}
