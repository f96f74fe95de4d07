//! Who is admitted: anybody, one account, or those of a list, which terms and licences name by the root of its tree.

use alloy::primitives::keccak256;
use alloy::sol_types::SolValue;

use crate::{Address, B256};

/// Most accounts of a list.
pub const MAX_ACCOUNTS: usize = 256;
/// Longest path in a tree that is looked at: some lists are of other programs.
pub const MAX_PATH: usize = 32;

/// Accounts that are admitted, ascending; if there is none, all are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Address>);

impl Accounts {
    /// These accounts, in any order; `None` if they are too many.
    pub fn new(mut accounts: Vec<Address>) -> Option<Self> {
        accounts.sort_unstable();
        accounts.dedup();
        (accounts.len() <= MAX_ACCOUNTS).then_some(Self(accounts))
    }

    /// The accounts, ascending.
    pub fn as_slice(&self) -> &[Address] {
        &self.0
    }

    /// What the market is told: zero for all, an address, or the root of the tree.
    pub fn root(&self) -> B256 {
        match self.0[..] {
            [] => B256::ZERO,
            [account] => account.into_word(),
            _ => self.layers().last().and_then(|top| top.first()).copied().unwrap_or_default(),
        }
    }

    /// What shows the market that an account is admitted: its path in the tree, which is empty where there is none. `None` if it is not
    /// admitted.
    pub fn path(&self, account: Address) -> Option<Vec<B256>> {
        if self.0.is_empty() {
            return Some(vec![]);
        }
        let mut place = self.0.binary_search(&account).ok()?;
        let mut path = Vec::new();
        for layer in self.layers() {
            path.extend(layer.get(place ^ 1));
            place /= 2;
        }
        Some(path)
    }

    /// The tree from its leaves to its root. What has no neighbour goes up as it is.
    fn layers(&self) -> Vec<Vec<B256>> {
        let mut layers = vec![self.0.iter().map(|account| leaf(*account)).collect::<Vec<_>>()];
        while let Some(below) = layers.last().filter(|layer| layer.len() > 1) {
            let above = below.chunks(2).map(|pair| match *pair {
                [a, b] => parent(a, b),
                _ => pair.first().copied().unwrap_or_default(),
            });
            layers.push(above.collect());
        }
        layers
    }
}

/// Whether `providers`, of terms or of a licence, are the root of a list: who is in it brings a path.
pub fn is_list(providers: B256) -> bool {
    const PADDING: usize = 12;
    providers[..PADDING] != [0; PADDING]
}

/// Whether `providers`, of terms or of a licence, admit an account that brings a path: as `Guards.admitted` of the market.
pub fn admits(providers: B256, account: Address, path: &[B256]) -> bool {
    if !is_list(providers) {
        return providers.is_zero() || providers == account.into_word();
    }
    path.len() <= MAX_PATH && path.iter().fold(leaf(account), |at, other| parent(at, *other)) == providers
}

/// Twice, so that no leaf is a node.
fn leaf(account: Address) -> B256 {
    keccak256(keccak256(account.abi_encode()))
}

fn parent(a: B256, b: B256) -> B256 {
    keccak256(if a < b { [a.0, b.0] } else { [b.0, a.0] }.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> Address {
        Address::with_last_byte(number as u8)
    }

    #[test]
    fn those_of_a_list_are_admitted_and_nobody_else() {
        for count in [0, 1, 2, 3, 5, 8, 13] {
            let accounts = Accounts::new((1..=count).rev().map(account).collect()).expect("they are few");
            let root = accounts.root();
            assert_eq!(is_list(root), count > 1, "of {count}");
            for number in 1..=count {
                let path = accounts.path(account(number)).expect("it is in the list");
                assert!(admits(root, account(number), &path), "{number} of {count}");
                assert_eq!(admits(root, account(200), &path), count == 0, "{number} of {count}");
            }
            assert_eq!(accounts.path(account(200)).is_some(), count == 0);
        }
        let pair = Accounts::new(vec![account(1), account(2), account(1)]).expect("they are few");
        assert_eq!(pair.as_slice().len(), 2);
        assert!(!admits(pair.root(), account(1), &[]), "without its path");
        assert!(!admits(pair.root(), account(1), &[B256::ZERO; MAX_PATH + 1]));
        let many = (0..=MAX_ACCOUNTS).map(|number| Address::left_padding_from(&number.to_be_bytes()));
        assert_eq!(Accounts::new(many.collect()), None);
    }
}
