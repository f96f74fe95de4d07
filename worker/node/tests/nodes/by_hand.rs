//! What a member does by hand, beside its node: stake, entries, calls, signatures.

use gradproof_chain::market::account::{Node as Entry, register, roles, stake};
use gradproof_chain::market::{ComputeToken, TrainingMarket};
use gradproof_chain::{Address, B256, PrivateKeySigner, SolCall, sign_digest};
use gradproof_node::facts::Role;

use crate::member::Member;
use crate::scene::{Scene, tokens};

impl Member {
    /// Puts tokens into the vault.
    pub fn stake(&self, scene: &Scene, count: u64) {
        let staked = stake(self.chain.client(), &scene.deployment, tokens(count));
        self.chain.wait(staked).expect("the tokens are its own");
    }

    /// Enters another peer as a node of this account.
    pub fn enter_other(&self, scene: &Scene, peer: &PrivateKeySigner, encryption_key: B256, addresses: &str) {
        let entry = Entry { peer, hot: Address::ZERO, roles: self.roles(), encryption_key, addresses };
        self.chain.wait(register(self.chain.client(), &scene.deployment, &entry)).expect("the register takes it");
    }

    /// What the entry of its node says that it does.
    pub fn roles(&self) -> u8 {
        match self.config.role {
            Role::Requester => roles::REQUESTER,
            Role::Provider => roles::PROVIDER,
            Role::Validator => roles::VALIDATOR,
            Role::DataOwner => roles::DATA_OWNER,
        }
    }

    /// Lets an account decide complaints about what this provider delivers, from its next start on.
    pub fn lets_decide(&mut self, validator: Address) {
        self.config.provider.as_mut().expect("it is a provider").validators.push(validator);
    }

    /// Sets the least price of a provider, in the token's smallest unit, before it starts.
    pub fn asks(&mut self, least_price: u128) {
        self.config.provider.as_mut().expect("it is a provider").least_price = least_price;
    }

    /// Allows the market the escrow of a job.
    pub fn allow(&self, scene: &Scene, terms: &TrainingMarket::Terms) {
        let market = scene.market();
        let escrow = scene.ask(market, &TrainingMarket::escrowOfCall { terms: terms.clone(), licenceFee: 0 });
        let approve = ComputeToken::approveCall { spender: market, value: escrow };
        self.chain.send(scene.deployment.token.address, &approve).expect("the tokens are its own");
    }

    /// Posts a job without a node: its id.
    pub fn post_alone(&self, scene: &Scene, terms: TrainingMarket::Terms) -> B256 {
        self.allow(scene, &terms);
        let (id, open) = self.prepare(scene, terms);
        self.chain.send(scene.market(), &open).expect("the terms are right");
        id
    }

    /// What its account signs.
    pub fn sign(&self, digest: B256) -> Vec<u8> {
        sign_digest(self.accounts.account().expect("it has its key"), digest).expect("it signs")
    }

    /// Asks a contract whether it would take a call of this account.
    pub fn tries<C: SolCall<Return: Send> + Sync>(&self, to: Address, call: &C) -> Result<(), String> {
        self.chain.call(to, call).map(drop).map_err(|error| error.to_string())
    }

    /// A call by this account, without a node.
    pub fn send<C: SolCall + Sync>(&self, to: Address, call: &C) {
        self.chain.send(to, call).expect("the contract takes it");
    }
}
