//! A node, until it is told to end.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eyre::{Result, WrapErr};
use gradproof_chain::B256;
use gradproof_node::NodeError;
use gradproof_node::live::{Node, Setup, Shared};
use gradproof_verifier::protocol::kind::ProofKind;
use tracing_subscriber::EnvFilter;

use super::options::{Opened, PasswordOption};
use crate::keys::KeyOptions;
use crate::workshop::LocalWorkshop;

/// The record of the store with the path of the set-up that the node runs with.
pub(super) const SETUP: &str = "setup";
/// Says what is logged where nothing else does.
const LOG_VARIABLE: &str = "GRADPROOF_LOG";
/// What is logged otherwise: of this program what begins and ends, of the rest what is wrong.
const LOG: &str = "warn,gradproof_node=info,gradproof_network=info";

/// Set-up and cache of proofs.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ProvingOptions {
    /// Powers of tau from a public ceremony (`.ptau` of snarkjs, BN254); without it the set-up is INSECURE.
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Folder that keeps the proving keys of the wrap circuits [default: `gradproof` in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub key_cache: Option<PathBuf>,
}

impl ProvingOptions {
    /// The keys of wrapped proofs, which alone a market takes.
    pub fn keys(&self) -> KeyOptions {
        let Self { setup, key_cache } = self.clone();
        KeyOptions { proof: Some(ProofKind::Wrapped), setup, key_cache, ..KeyOptions::default() }
    }
}

/// Runs a node until a signal, or until these jobs are over.
///
/// # Errors
/// The node cannot be started, or cannot go on.
pub fn follow(
    opened: Opened,
    password: &PasswordOption,
    proving: &ProvingOptions,
    jobs: Option<Vec<B256>>,
) -> Result<()> {
    follow_until(opened, password, proving, jobs, |_| std::future::pending())
}

/// Runs a node until a signal, until these jobs are over, or until what `until` makes of the running node is ready.
///
/// # Errors
/// The node cannot be started, or cannot go on.
pub fn follow_until<F: Future<Output = ()>>(
    opened: Opened,
    password: &PasswordOption,
    proving: &ProvingOptions,
    jobs: Option<Vec<B256>>,
    until: impl FnOnce(Arc<Shared>) -> F,
) -> Result<()> {
    let setup = proving.setup.as_deref().map(set_up).transpose()?;
    with_node(opened, password, proving, |node| async {
        // For `doctor`, which is not told.
        let record = setup.map(|path| path.to_string_lossy().into_owned().into_bytes());
        node.shared().store.put(SETUP, record.as_deref())?;
        let ready = until(node.shared().clone());
        let ends = async {
            tokio::select! {
                () = stopped() => (),
                () = ready => (),
            }
        };
        node.run(ends, jobs).await
    })
}

/// The whole path of a set-up that can be read: without it each job would be taken, and none trained.
///
/// # Errors
/// It cannot be read.
fn set_up(path: &Path) -> Result<PathBuf> {
    let wrong = || format!("--setup {}: the set-up cannot be read", path.display());
    std::fs::File::open(path).wrap_err_with(wrong)?;
    std::path::absolute(path).wrap_err_with(wrong)
}

/// Starts a node, and does something with it.
///
/// # Errors
/// The node cannot be started, or what is done fails.
pub fn with_node<T, F: Future<Output = Result<T, NodeError>>>(
    opened: Opened,
    password: &PasswordOption,
    proving: &ProvingOptions,
    act: impl FnOnce(Node) -> F,
) -> Result<T> {
    let accounts = opened.accounts(password)?;
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(LOG));
    // A second node of the same process logs as the first one does.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().wrap_err("no threads")?;
    let Opened { home, config, deployment } = opened;
    let workshop = Arc::new(LocalWorkshop { keys: proving.keys() });
    let setup = Setup { home, config, deployment, accounts, workshop };
    let ran = runtime.block_on(async { act(Node::start(setup).await?).await });
    // Work that computes does not wait to be told: it ends with the process.
    runtime.shutdown_background();
    Ok(ran?)
}

/// Ready when somebody wants the process to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => (),
                _ = tokio::signal::ctrl_c() => (),
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
