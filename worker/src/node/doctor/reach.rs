//! Whether others reach the node: one of them dials it at the addresses of its entry in the register.

use std::time::Duration;

use eyre::Result;
use gradproof_node::facts::Role;
use gradproof_node::live::Reach;
use gradproof_node::store::Store;
use tokio::time::timeout;

use super::finding::Finding;
use crate::node::options::{HomeOption, PasswordOption};
use crate::node::run::{ProvingOptions, with_node};

/// How long all of it may take: the register is read from the market's first block on.
const WITHIN: Duration = Duration::from_secs(120);
/// What the lines are about.
const WHAT: &str = "reached by others";
/// What to do where a port is not reached.
const REMEDY: &str =
    "forward the port, open it in the firewall, or name the outer address under `announce`, then `node register`";

/// Starts the node where it listens, and lets another one dial it.
pub(super) fn all(home: &HomeOption, role: Role, password: &PasswordOption) -> Result<Vec<Finding>> {
    let opened = home.opened(Some(role))?;
    if Store::open_unless_taken(&opened.home.store_file())?.is_none() {
        let said = "a node runs on this folder, and has its ports";
        return Ok(vec![Finding::note(WHAT, said, "end it, and ask again, to have them tried out")]);
    }
    let said = with_node(opened, password, &ProvingOptions::default(), |mut node| async move {
        let reach = timeout(WITHIN, node.reach()).await;
        node.stop().await;
        Ok(reach.map(|reach| reach.map_err(|error| error.to_string())))
    });
    Ok(match said {
        Ok(Ok(Ok(reach))) => findings(reach),
        Ok(Ok(Err(error))) => vec![unknown(&error)],
        Ok(Err(_)) => vec![unknown(&format!("nobody answered within {} s", WITHIN.as_secs()))],
        // The port is taken, say.
        Err(error) => {
            vec![Finding::bad(WHAT, format!("{error:#}"), "end what has the port, or name another one under `listen`")]
        }
    })
}

/// It is not known, which is not bad: somebody has to be there first.
fn unknown(said: &str) -> Finding {
    Finding::note(WHAT, format!("not tried out: {said}"), "ask again when other nodes run")
}

/// A line for each address.
fn findings(reach: Option<Reach>) -> Vec<Finding> {
    let Some(Reach { by, addresses }) = reach else {
        return vec![unknown("no other node of the register answers")];
    };
    // It is the word of one node, which anyone may run: it keeps nobody from working.
    let finding = |(address, reached): &(String, bool)| match reached {
        true => Finding::good(WHAT, format!("{address} by a node of {by}")),
        false => Finding::note(WHAT, format!("{address} not by a node of {by}"), REMEDY),
    };
    match addresses.is_empty() {
        true => vec![unknown(&format!("a node of {by} knows no address of this node"))],
        false => addresses.iter().map(finding).collect(),
    }
}

#[cfg(test)]
mod tests {
    use gradproof_chain::Address;

    use super::*;
    use crate::node::doctor::finding::Grade;

    fn grades(reached: &[bool]) -> Vec<Grade> {
        let addresses = reached.iter().map(|reached| ("/ip4/1.2.3.4/tcp/1".to_owned(), *reached)).collect();
        findings(Some(Reach { by: Address::ZERO, addresses })).iter().map(|finding| finding.grade).collect()
    }

    #[test]
    fn one_node_s_word_is_said_and_keeps_nobody_from_working() {
        assert_eq!(findings(None)[0].grade, Grade::Note);
        assert_eq!(grades(&[true, true]), [Grade::Good, Grade::Good]);
        assert_eq!(grades(&[true, false]), [Grade::Good, Grade::Note]);
        assert_eq!(grades(&[false, false]), [Grade::Note, Grade::Note]);
        assert_eq!(grades(&[]), [Grade::Note]);
    }
}
