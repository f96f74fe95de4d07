//! The sender's transactions in the node's store.

use std::sync::Arc;

use gradproof_chain::{Address, Book, ChainError, Change, Journal, Record};

use crate::NodeError;
use crate::store::Store;

/// A journal in the store.
#[derive(Debug)]
pub struct StoreJournal {
    store: Arc<Store>,
}

impl StoreJournal {
    /// The journal in this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

fn floor_key(account: Address) -> String {
    format!("sender/{account}/floor")
}

fn prefix(account: Address) -> String {
    format!("sender/{account}/intent/")
}

fn failed(error: NodeError) -> ChainError {
    ChainError::Journal(error.to_string())
}

impl Journal for StoreJournal {
    fn load(&self, account: Address) -> Result<Book, ChainError> {
        let floor = self.store.record(&floor_key(account)).map_err(failed)?;
        let floor = match floor.as_deref().map(<[u8; 8]>::try_from) {
            None => 0,
            Some(Ok(bytes)) => u64::from_be_bytes(bytes),
            Some(Err(_)) => {
                return Err(ChainError::Journal("the floor of an account's nonces has another length".into()));
            }
        };
        let records = self.store.records(&prefix(account)).map_err(failed)?;
        let records = records.iter().map(|(_, bytes)| Record::decode(bytes)).collect::<Result<_, _>>()?;
        Ok(Book { floor, records })
    }

    fn store(&self, account: Address, change: &Change) -> Result<(), ChainError> {
        let key = |id: &str| format!("{}{id}", prefix(account));
        let mut records = vec![(floor_key(account), Some(change.floor.to_be_bytes().to_vec()))];
        for record in &change.put {
            records.push((key(&record.intent.id), Some(record.encode()?)));
        }
        records.extend(change.gone.iter().map(|id| (key(id), None)));
        self.store.put_all(&records).map_err(failed)
    }
}
