//! Endpoints over TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use gradproof_chain::{Client, Endpoint, HttpEndpoint, LOCAL_CHAIN, PrivateKeySigner};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Names the list of authorities that a process trusts, instead of the system's.
const AUTHORITIES: &str = "SSL_CERT_FILE";
/// Names a server to the process that trusts its authority.
const SERVER: &str = "GRADPROOF_TEST_SERVER";

/// A server at 127.0.0.1, which says that it is of the local chain, with a certificate of an authority of its own.
struct Server {
    port: u16,
    /// The authority's certificate, as PEM.
    authority: String,
}

impl Server {
    fn start() -> Self {
        let key = || KeyPair::generate().expect("a key");
        let (authority_key, server_key) = (key(), key());
        let mut authority = CertificateParams::new(vec![]).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = authority.self_signed(&authority_key).expect("it is signed");
        let server = CertificateParams::new(vec!["127.0.0.1".into()]).expect("an address");
        let server = server.signed_by(&server_key, &authority, &authority_key).expect("it is signed");
        let secret = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![server.der().clone()], secret));
        let config = Arc::new(config.expect("key and certificate belong together"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let config = config.clone();
                // A client that refuses the certificate leaves.
                thread::spawn(move || serve(stream, config).ok());
            }
        });
        Self { port, authority: authority.pem() }
    }

    /// Its address, by this name of the host.
    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/secret", self.port)
    }
}

/// Answers one request with the chain's id.
fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let (mut length, mut line) = (0, String::new());
    while stream.read_line(&mut line)? > 2 {
        if let Some(("content-length", value)) = line.to_lowercase().split_once(':') {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let request: serde_json::Value = serde_json::from_slice(&body)?;
    let answer = serde_json::json!({ "jsonrpc": "2.0", "id": request["id"], "result": format!("{LOCAL_CHAIN:#x}") });
    let answer = answer.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
    stream.get_mut().write_all(format!("{head}{answer}").as_bytes())?;
    stream.get_mut().conn.send_close_notify();
    stream.get_mut().flush()
}

/// What both clients say of the chain at `url`, or why not.
async fn asked(url: &str) -> [Result<u64, String>; 2] {
    let endpoint = match HttpEndpoint::new(url) {
        Ok(endpoint) => endpoint.chain_id().await,
        Err(error) => Err(error),
    };
    let client = Client::connect(url, PrivateKeySigner::random()).await;
    [endpoint, client.map(|client| client.id())].map(|said| said.map_err(|error| error.to_string()))
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_in_words_that_help() {
    let server = Server::start();
    for refused in asked(&server.url("127.0.0.1")).await {
        let error = refused.expect_err("nobody trusts it");
        assert!(
            error.ends_with(
                "no authority that this system trusts signed the certificate; docs/nodes.md says how one is added"
            ),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
}

/// Runs in a process of its own, since the list of authorities is the process's.
#[tokio::test]
async fn an_authority_that_the_system_trusts_is_enough_and_the_name_must_be_right() {
    if let Ok(port) = std::env::var(SERVER) {
        let server = Server { port: port.parse().expect("a port"), authority: String::new() };
        assert_eq!(asked(&server.url("127.0.0.1")).await, [Ok(LOCAL_CHAIN), Ok(LOCAL_CHAIN)]);
        for refused in asked(&server.url("localhost")).await {
            let error = refused.expect_err("the certificate is not for this name");
            assert!(error.contains("invalid peer certificate") && error.contains("localhost"), "{error}");
        }
        return;
    }
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let child = |authorities: &str| {
        let list = folder.path().join("authorities.pem");
        std::fs::write(&list, authorities).expect("it is written");
        let test = "tls::an_authority_that_the_system_trusts_is_enough_and_the_name_must_be_right";
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        // The folder that a system may name beside the file has other authorities.
        child.env_remove("SSL_CERT_DIR").env(AUTHORITIES, list).env(SERVER, server.port.to_string());
        child.args([test, "--exact"]);
        child.output().expect("it starts")
    };
    let done = child(&server.authority);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    // Without a list of authorities there is an error, and no panic.
    let done = child("");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("cannot be reached over TLS: "), "{said}");
}
