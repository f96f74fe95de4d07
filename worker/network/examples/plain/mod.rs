//! A plain QUIC stream of this machine, with the certificates of libp2p: what everything over loopback is compared with.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Instant};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Returns how fast ranges of a size travel, in MB/s.
pub async fn rate(ranges: u32, range_bytes: usize) -> Result<f64> {
    let key = libp2p_identity::Keypair::from(libp2p_identity::secp256k1::Keypair::from(
        libp2p_identity::secp256k1::SecretKey::try_from_bytes(&mut [1; 32])?,
    ));
    let local: SocketAddr = "127.0.0.1:0".parse()?;
    let server_config = QuicServerConfig::try_from(libp2p_tls::make_server_config(&key)?)?;
    let server = quinn::Endpoint::server(quinn::ServerConfig::with_crypto(Arc::new(server_config)), local)?;
    let address = server.local_addr()?;
    let serving = tokio::spawn(async move {
        let connection = server.accept().await.ok_or("the endpoint is closed")?.await?;
        let (mut send, _receive) = connection.accept_bi().await?;
        let range = vec![7; range_bytes];
        for _ in 0..ranges {
            send.write_all(&range).await?;
        }
        send.finish()?;
        send.stopped().await?;
        Result::Ok(())
    });
    let mut client = quinn::Endpoint::client(local)?;
    let client_config = QuicClientConfig::try_from(libp2p_tls::make_client_config(&key, None)?)?;
    client.set_default_client_config(quinn::ClientConfig::new(Arc::new(client_config)));
    let connection = client.connect(address, "l")?.await?;
    let started = Instant::now();
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(&[1]).await?;
    let (mut buffer, mut left) = (vec![0; 64 * 1024], ranges as usize * range_bytes);
    while let Some(read) = receive.read(&mut buffer).await? {
        left = left.saturating_sub(read);
    }
    let rate = f64::from(ranges) * range_bytes as f64 / started.elapsed().as_secs_f64() / 1e6;
    assert_eq!(left, 0, "bytes are missing");
    serving.await??;
    Ok(rate)
}
