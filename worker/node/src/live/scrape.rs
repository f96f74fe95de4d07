//! Answers Prometheus: one page of text over plain HTTP, to few at a time. Nothing else can be asked or done here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gradproof_chain::market::State;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::metrics::Present;
use super::room;
use super::shared::Shared;
use super::trouble::blocking;
use crate::NodeError;

/// Bytes of a request that are read, with all its headers: scrapers send some 300.
const MAX_REQUEST: usize = 4096;
/// How long one connection may take, from the first byte to the last.
const WITHIN: Duration = Duration::from_secs(10);
/// Connections at a time: one scraper, and somebody who looks. Others wait in the system's queue.
const MAX_CONNECTIONS: usize = 4;
/// Pause after the system refused a connection: it may have no more files.
const PAUSE: Duration = Duration::from_secs(1);
/// The type of the text: OpenMetrics.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens at an address.
///
/// # Errors
/// The address is taken, or is none of this machine.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, NodeError> {
    let refused = |error: std::io::Error| NodeError::Listen { what: "metrics", address, message: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    if !address.ip().is_loopback() {
        warn!("metrics at {address} are for whoever reaches that address: jobs, fees and the disk of this node");
    }
    info!("metrics: http://{address}/metrics");
    Ok(listener)
}

/// Answers, for ever.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // Nobody closes it.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!("a connection for the metrics is not taken: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let page = || async { blocking(move || page(&shared)).await.ok()? };
            // Whoever is too slow gets nothing.
            let _ = timeout(WITHIN, answer(stream, page)).await;
            drop(place);
        });
    }
}

/// What Prometheus gets; `None` if the store cannot be read.
fn page(shared: &Shared) -> Option<String> {
    let state = |id| shared.view(id).and_then(|view| view.job.state());
    let name = |state: Option<State>| state.map_or_else(|| "Unknown".to_owned(), |state| State::name(state as u8));
    let present = Present {
        jobs: shared.store.jobs().ok()?.into_iter().map(|(id, _)| name(state(id))).collect(),
        endpoints: shared.endpoints.each().map(|each| (each.name().to_owned(), each.requests())).collect(),
        blobs: shared.blobs.used_bytes(),
        free: room::unpromised(shared).ok()?,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    shared.metrics.encoded(&present, now)
}

/// Reads a request, and answers it.
async fn answer<F: Future<Output = Option<String>>>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    page: impl FnOnce() -> F,
) -> std::io::Result<()> {
    let (status, body) = match request(&mut stream).await? {
        None => ("431 Request Header Fields Too Large", format!("at most {MAX_REQUEST} bytes\n")),
        Some((method, _)) if method != "GET" => ("405 Method Not Allowed", "GET only\n".to_owned()),
        Some((_, path)) if path != "/metrics" => ("404 Not Found", "there is /metrics\n".to_owned()),
        Some(_) => match page().await {
            Some(page) => ("200 OK", page),
            None => ("500 Internal Server Error", "the store cannot be read\n".to_owned()),
        },
    };
    let kind = if status.starts_with("200") { TYPE } else { "text/plain" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Method and path of a request; `None` if it is too long.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<(String, String)>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if bytes.len() > MAX_REQUEST {
            return Ok(None);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_ascii_whitespace().map(ToOwned::to_owned);
    Ok(Some((words.next().unwrap_or_default(), words.next().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is answered to these bytes, of which the last are followed by nothing.
    async fn said(request: &[u8]) -> String {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        client.write_all(request).await.expect("it is taken");
        let answering = tokio::spawn(async move {
            let page = || async { Some("page".to_owned()) };
            timeout(WITHIN, answer(server, page)).await.is_ok()
        });
        let mut said = String::new();
        let _ = client.read_to_string(&mut said).await;
        assert!(answering.await.expect("it does not panic") || said.is_empty());
        said
    }

    #[tokio::test(start_paused = true)]
    async fn one_page_is_answered_and_nothing_else() {
        let page = said(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(
            page.starts_with("HTTP/1.1 200 OK\r\n")
                && page.ends_with("\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage"),
            "{page}"
        );
        assert!(said(b"GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
        assert!(said(b"POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
        assert!(said(b"\xff\xfe\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_none(headed: bool, raw: Vec<u8>) {
            let bytes = if headed { [&b"GET /metrics "[..], &raw, b"\r\n\r\n"].concat() } else { raw };
            let threads = tokio::runtime::Builder::new_current_thread().build().expect("a thread");
            match threads.block_on(request(&mut &bytes[..])) {
                Ok(Some((method, path))) if headed => prop_assert_eq!((&*method, &*path), ("GET", "/metrics")),
                Ok(Some((method, path))) => prop_assert!(method.len() + path.len() <= 3 * bytes.len()),
                Ok(None) => prop_assert!(bytes.len() > MAX_REQUEST),
                Err(error) => prop_assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_too_much_or_stays_silent_is_given_up() {
        assert!(said(&[b'x'; MAX_REQUEST + 1]).await.starts_with("HTTP/1.1 431 "));
        assert_eq!(said(b"GET /metrics HTTP/1.1\r\n").await, "", "after {WITHIN:?}");
    }
}
