//! `node register`: the node's entry in the register, under which others find it.

use eyre::{Result, ensure, eyre};
use gradproof_chain::market::NodeRegistry;
use gradproof_chain::market::account::{Node, register, registration, roles};
use gradproof_chain::{Address, B256, Chain, Intent, PrivateKeySigner, SolCall, U256};
use gradproof_node::facts::Role;
use gradproof_node::home::Accounts;
use gradproof_node::live::{encryption_public_key, peer_id};
use gradproof_terminal::{Outcome, print};

use super::elsewhere::Elsewhere;
use super::options::{HomeOption, Opened, PasswordOption};

/// Enters the node in the register, or changes its entry.
#[derive(clap::Args, Clone, Debug)]
pub struct Register {
    /// The folder.
    #[command(flatten)]
    pub home: HomeOption,
    /// The password.
    #[command(flatten)]
    pub password: PasswordOption,
    /// Print the entry as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Register {
    /// Runs `node register`.
    ///
    /// # Errors
    /// The configuration says no address that others could use, or the register refuses.
    pub fn run(&self) -> Result<Outcome> {
        let opened = self.home.opened(None)?;
        let accounts = opened.accounts(&self.password)?;
        let Some(key) = accounts.account() else { return self.to_sign(&opened, &accounts) };
        let chain = opened.chain(key.clone())?;
        let Entered { wanted, changed } = enter(&opened, &chain, accounts.hot.address())?;
        self.say(&wanted, accounts.owner(), changed);
        Ok(Outcome::Done)
    }

    fn say(&self, Wanted { peer, hot, addresses, .. }: &Wanted, owner: Address, changed: bool) {
        let peer = peer.address();
        if self.json {
            let json = serde_json::json!({
                "peer": peer, "owner": owner, "hot": hot, "addresses": addresses, "changed": changed,
            });
            print(&json.to_string());
        } else {
            let said = if changed { "stands in the register" } else { "is as it was" };
            print(&format!("node {peer} of {owner} {said}: {addresses}"));
        }
    }

    /// Says what an account whose key is elsewhere is to sign, and send.
    fn to_sign(&self, opened: &Opened, accounts: &Accounts) -> Result<Outcome> {
        let (owner, nodes) = (accounts.owner(), opened.deployment.nodes.address);
        // Nothing is sent, so that any key will do.
        let chain = opened.chain(PrivateKeySigner::random())?;
        let wanted = Wanted::of(opened, accounts.hot.address())?;
        if !wanted.is_other(opened, &chain, owner)? {
            self.say(&wanted, owner, false);
            return Ok(Outcome::Done);
        }
        let call = chain.wait(registration(chain.client(), &opened.deployment, owner, &wanted.node()))?;
        let input = call.abi_encode().into();
        let intent = Intent { id: "register".into(), to: nodes, input, value: U256::ZERO, until: None };
        let transaction = Elsewhere::of(opened, owner)?.to_sign(&intent)?;
        let transaction = transaction.map_err(|reason| eyre!("the register refuses: {reason}"))?;
        if self.json {
            print(
                &serde_json::json!({ "peer": wanted.peer.address(), "owner": owner, "sign": transaction }).to_string(),
            );
        } else {
            print(&format!("{owner} is to sign this, and send it; then `node register` says that nothing changes"));
            print(&serde_json::to_string_pretty(&transaction)?);
        }
        Ok(Outcome::Done)
    }
}

/// What the entry of a node is to say.
pub(super) struct Wanted {
    /// The peer key, which signs the entry.
    pub peer: PrivateKeySigner,
    /// The hot key.
    pub hot: Address,
    /// Bits of [`roles`].
    pub roles: u8,
    /// What others encrypt to.
    pub encryption_key: B256,
    /// Where others reach it.
    pub addresses: String,
}

/// An entry that stands in the register.
pub(super) struct Entered {
    /// What it says.
    pub wanted: Wanted,
    /// Whether it said something else before.
    pub changed: bool,
}

impl Wanted {
    /// What the entry of this node with this hot key is to say.
    ///
    /// # Errors
    /// A key is missing, or the configuration says no address that others could use.
    pub fn of(opened: &Opened, hot: Address) -> Result<Self> {
        let roles = match opened.config.role {
            Role::Requester => roles::REQUESTER,
            Role::Provider => roles::PROVIDER,
            Role::DataOwner => roles::DATA_OWNER,
            Role::Validator => roles::VALIDATOR,
        };
        let peer = PrivateKeySigner::from_bytes(&opened.home.peer_key()?)?;
        let encryption_key = encryption_public_key(&opened.home)?;
        Ok(Self { peer, hot, roles, encryption_key, addresses: addresses(opened)? })
    }

    /// The entry, for the register.
    fn node(&self) -> Node<'_> {
        let Self { peer, hot, roles, encryption_key, addresses } = self;
        Node { peer, hot: *hot, roles: *roles, encryption_key: *encryption_key, addresses }
    }

    /// Whether the register says something else of this node of `owner`.
    fn is_other(&self, opened: &Opened, chain: &Chain, owner: Address) -> Result<bool> {
        let call = NodeRegistry::nodeCall { peer: self.peer.address() };
        let held = chain.call(opened.deployment.nodes.address, &call)?;
        Ok(self.differs(&held, owner).is_some())
    }

    /// What of an entry of `owner` is not so; nothing if all is.
    pub fn differs(&self, held: &NodeRegistry::Node, owner: Address) -> Option<&'static str> {
        let parts = [
            (held.owner == owner, "the owner"),
            (held.hot == self.hot, "the hot key"),
            (held.roles == self.roles, "the roles"),
            (held.encryptionKey == self.encryption_key, "the encryption key"),
            (held.addresses == self.addresses, "the addresses"),
        ];
        parts.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
    }
}

/// Enters the node of the chain's account with this hot key, unless its entry says all that already.
///
/// # Errors
/// As [`Wanted::of`]; the register refuses.
pub(super) fn enter(opened: &Opened, chain: &Chain, hot: Address) -> Result<Entered> {
    let wanted = Wanted::of(opened, hot)?;
    let changed = wanted.is_other(opened, chain, chain.sender())?;
    if changed {
        chain.wait(register(chain.client(), &opened.deployment, &wanted.node()))?;
    }
    Ok(Entered { wanted, changed })
}

/// Where others reach the node: what it announces, or else where it listens, with its peer id.
fn addresses(opened: &Opened) -> Result<String> {
    let config = &opened.config;
    let named = if config.announce.is_empty() { &config.listen } else { &config.announce };
    for address in named {
        ensure!(
            !address.contains("/0.0.0.0/")
                && !address.contains("/ip6/::/")
                && !address.contains("/udp/0/")
                && !address.ends_with("/tcp/0"),
            "{address} is no address that others can use: name one under `announce` in {}",
            opened.home.path().join("config.toml").display()
        );
    }
    let peer = peer_id(&opened.home)?;
    Ok(named.iter().map(|address| format!("{address}/p2p/{peer}")).collect::<Vec<_>>().join(" "))
}
