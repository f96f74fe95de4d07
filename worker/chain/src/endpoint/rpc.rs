//! JSON-RPC over HTTP, with bounds on time and size.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy::primitives::U256;
use alloy::rpc::json_rpc::ErrorPayload;
use alloy::transports::http::reqwest::{Client, Response, Url};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::{ChainError, http};

/// How long a connection may take. Around the world and back is a third of a second, and a handshake takes three of these.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, its transfer included: nodes give up on a call of their own after five seconds or so.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read: the logs of a full block are below 5 MB.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// Characters of an endpoint's own words that are repeated in an error.
const MAX_WORDS: usize = 300;

/// Requests to one address.
#[derive(Debug)]
pub(super) struct Rpc {
    http: Client,
    url: Url,
    name: String,
    asked: AtomicU64,
}

/// A number as nodes write it: in hexadecimal, with at least one digit. `0x` alone would be read as 0 elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<N>(pub(super) N);

impl<'de, N: TryFrom<U256>> Deserialize<'de> for Number<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty() && !digits.contains('_'));
        let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
        let number = number.and_then(|number| N::try_from(number).ok());
        number.map(Self).ok_or_else(|| D::Error::custom(format!("{text:?} is no number that fits")))
    }
}

/// An answer: one of both.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<ErrorPayload>,
}

impl Rpc {
    /// Requests to `url`; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::Url`].
    pub(super) fn new(url: &str) -> Result<Self, ChainError> {
        let parsed = http::address(url)?;
        let http = http::connections(&parsed, |builder| builder.connect_timeout(CONNECT).timeout(ANSWER))?;
        Ok(Self { http, name: http::name(&parsed), url: parsed, asked: AtomicU64::new(0) })
    }

    /// The address without what may be a secret.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The address in its one spelling, without a user's name.
    pub(super) fn address(&self) -> String {
        let mut url = self.url.clone();
        // Fails for addresses without a host, which have no user either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string().trim_end_matches('/').to_owned()
    }

    /// How many requests were sent.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] if a contract refuses; [`ChainError::Endpoint`].
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> Result<T, ChainError> {
        let id = self.asked.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
        let sent = self.http.post(self.url.clone()).json(&request).send().await;
        let response = sent.map_err(|error| self.wrong(method, &http::words(&error)))?;
        let status = response.status();
        let body = self.body(method, response).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
            let said = if status.is_success() { format!("no JSON-RPC: {error}") } else { format!("HTTP {status}") };
            self.wrong(method, &said)
        })?;
        if let Some(error) = answer.error {
            return Err(self.refused(method, &error));
        }
        serde_json::from_value(answer.result).map_err(|error| self.wrong(method, &format!("not understood: {error}")))
    }

    async fn body(&self, method: &str, mut response: Response) -> Result<Vec<u8>, ChainError> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| self.wrong(method, &http::words(&error)))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(self.wrong(method, &format!("an answer of more than {MAX_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
    }

    fn refused(&self, method: &str, error: &ErrorPayload) -> ChainError {
        // Nodes say 3 for a call that reverts, with or without data; older ones say it in words only.
        match error.as_revert_data() {
            Some(data) => ChainError::Reverted { data },
            None if error.code == 3 || error.message.starts_with("execution reverted") => {
                ChainError::Reverted { data: Default::default() }
            }
            None => self.wrong(method, &error.message),
        }
    }

    /// An error of this endpoint.
    pub(super) fn wrong(&self, what: &str, message: &str) -> ChainError {
        let message: String = message.chars().take(MAX_WORDS).collect();
        ChainError::Endpoint { endpoint: self.name.clone(), what: what.to_owned(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_without_its_secrets() {
        let rpc = Rpc::new("https://me:secret@node.example:8545/v2/key?token=1").expect("an address");
        assert_eq!(rpc.name(), "https://node.example:8545");
        assert_eq!(rpc.address(), "https://node.example:8545/v2/key?token=1");
        assert!(!rpc.wrong("eth_call", "gone").to_string().contains("secret"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["nowhere", "ftp://node.example", "http://", ""] {
            let error = Rpc::new(url).expect_err("no address").to_string();
            assert!(error.starts_with(&format!("{url} is not the address of a node: ")), "{error}");
        }
    }

    #[test]
    fn a_number_has_digits_and_fits() {
        let read = |text: &str| serde_json::from_value::<Number<u64>>(json!(text)).ok().map(|number| number.0);
        assert_eq!((read("0x0"), read("0x1F"), read("0xffffffffffffffff")), (Some(0), Some(31), Some(u64::MAX)));
        for text in ["0x", "", "7", "0x10000000000000000", "0xg", "0x1_0", "-0x1", "0x 1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_revert_is_told_from_a_failure() {
        let rpc = Rpc::new("http://127.0.0.1:1").expect("an address");
        let said = |code, message: &'static str| {
            rpc.refused("eth_call", &ErrorPayload { code, message: message.into(), data: None })
        };
        assert!(matches!(said(3, "execution reverted"), ChainError::Reverted { .. }));
        assert!(matches!(said(-32000, "execution reverted"), ChainError::Reverted { .. }));
        assert!(matches!(said(-32000, "header not found"), ChainError::Endpoint { .. }));
    }
}
