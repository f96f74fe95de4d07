//! Connections to nodes of a chain, with and without TLS.

use std::error::Error;

use alloy::transports::http::reqwest::{self, Client, ClientBuilder, Url, redirect};

use super::ChainError;

/// What rustls says of a certificate that no authority of its list signed.
const UNKNOWN_AUTHORITY: &str = "invalid peer certificate: UnknownIssuer";
/// What follows from it.
const SIGNED_BY_NOBODY: &str =
    "no authority that this system trusts signed the certificate; docs/nodes.md says how one is added";

/// An address of a node as its one type.
///
/// # Errors
/// [`ChainError::Url`] if it has no host, or begins neither with `http` nor with `https`.
pub(crate) fn address(url: &str) -> Result<Url, ChainError> {
    let parsed: Url = url.parse().map_err(|error| refused(url, &error))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(refused(url, &"it begins neither with http:// nor with https://"));
    }
    Ok(parsed)
}

/// Connections to `url`, which follow nobody elsewhere. A certificate is checked with the authorities that the system trusts.
///
/// # Errors
/// [`ChainError::Tls`] if there is no list of authorities for an address that needs one.
pub(crate) fn connections(url: &Url, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, ChainError> {
    let mut builder = Client::builder().redirect(redirect::Policy::none());
    // The list takes milliseconds to read, and may be missing.
    if url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    set(builder).build().map_err(|error| ChainError::Tls { endpoint: name(url), message: words(&error) })
}

/// Scheme, host and port: an address without what may be a secret, since many providers put the key into the path.
pub(crate) fn name(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// An error and what caused it, in one line, and what it means if that is known. No address in it has a secret.
pub(crate) fn words(error: &(dyn Error + 'static)) -> String {
    let (mut line, mut address, mut cause) = (String::new(), None, Some(error));
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors repeat what caused them.
        if !line.ends_with(&said) {
            line = if line.is_empty() { said } else { format!("{line}: {said}") };
        }
        address = address.or_else(|| error.downcast_ref::<reqwest::Error>()?.url());
        cause = error.source();
    }
    if let Some(address) = address {
        line = line.replace(address.as_str(), &name(address));
    }
    if line.contains(UNKNOWN_AUTHORITY) { format!("{line}: {SIGNED_BY_NOBODY}") } else { line }
}

fn refused(url: &str, message: &dyn ToString) -> ChainError {
    ChainError::Url { url: url.to_owned(), message: message.to_string() }
}
