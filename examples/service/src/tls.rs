//! TLS: certificates, and a listener whose connections are ready to be read when they come out.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::shutdown::Stop;

const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// A certificate chain and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// What a client is to trust where this was made here.
    pem: Option<String>,
}

impl Identity {
    /// From PEM files.
    pub fn read(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        let in_file = |path: &Path| format!("in {}", path.display());
        let certificates = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .with_context(|| in_file(chain))?;
        let key = PrivateKeyDer::from_pem_file(key).with_context(|| in_file(key))?;
        Ok(Self { chain: certificates, key, pem: None })
    }

    /// A new one for `localhost` and the loopback addresses, signed by itself.
    pub fn make() -> anyhow::Result<Self> {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let made = rcgen::generate_simple_self_signed(names).context("no certificate")?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Ok(Self { pem: Some(made.cert.pem()), chain: vec![made.cert.into()], key: key.into() })
    }

    /// What a client is to trust, as PEM, where this was made here.
    pub fn pem(&self) -> Option<&str> {
        self.pem.as_deref()
    }

    /// What a server shows; HTTP/1.1 is what it speaks.
    pub fn acceptor(self) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A client that trusts the certificates in `pem`, and nothing else.
pub fn client(pem: &str) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Handshakes go on side by side; one that is slow holds up nobody else.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Accepts until the service ends.
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor, stop: &Stop) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        let stop_of_task = stop.clone();
        stop.spawn(async move {
            let mut asked = std::pin::pin!(stop_of_task.asked());
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = &mut asked => return,
                };
                let Ok((socket, peer)) = accepted else {
                    // No descriptor is free, say; that passes.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                let asked = stop_of_task.asked();
                stop_of_task.spawn(async move {
                    tokio::select! {
                        () = shake_hands(socket, peer, acceptor, sender) => {}
                        () = asked => {}
                    }
                });
            }
        });
        Ok(Self { ready, address })
    }
}

async fn shake_hands(
    socket: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    // Without it, an answer in two packets waits for an acknowledgement in between.
    let _ = socket.set_nodelay(true);
    match timeout(HANDSHAKE_MAX, acceptor.accept(socket)).await {
        // Nobody takes it where the service has ended meanwhile.
        Ok(Ok(stream)) => drop(ready.send((stream, peer)).await),
        Ok(Err(error)) => tracing::debug!("{peer}: {error}"),
        Err(_) => tracing::debug!("{peer}: no handshake within {HANDSHAKE_MAX:?}"),
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The service ends; `axum::serve` hears of it by itself.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
