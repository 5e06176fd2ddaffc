//! Starts everything, and ends it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;

use crate::config::ServeArgs;
use crate::state::{App, Shared};
use crate::tls::{Identity, TlsListener};
use crate::{grpc, lines, routes};

/// A service that runs. Dropped without [`Server::stop`] it goes on until the runtime ends.
pub struct Server {
    app: Shared,
    addresses: Addresses,
    pem: Option<String>,
}

/// Where the service listens, with the ports that it was given.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The JSON API.
    pub http: SocketAddr,
    /// The same over TLS.
    pub https: Option<SocketAddr>,
    /// gRPC.
    pub grpc: Option<SocketAddr>,
    /// The line protocol.
    pub lines: Option<SocketAddr>,
}

/// One line each: a name and a URL.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "http http://{}", self.http)?;
        if let Some(address) = self.https {
            writeln!(f, "https https://{address}")?;
        }
        if let Some(address) = self.grpc {
            writeln!(f, "grpc http://{address}")?;
        }
        if let Some(address) = self.lines {
            writeln!(f, "lines {address}")?;
        }
        writeln!(f, "ready")
    }
}

impl Server {
    /// Opens the stores, listens everywhere, and only then answers.
    pub async fn start(args: ServeArgs) -> anyhow::Result<Self> {
        let app = App::open(&args.stores).await?;
        let http = listen(args.http, "--http").await?;
        let https = listen_if(args.https, "--https").await?;
        let grpc = listen_if(args.grpc, "--grpc").await?;
        let lines = listen_if(args.lines, "--lines").await?;
        let addresses = Addresses {
            http: http.local_addr()?,
            https: https.as_ref().map(TcpListener::local_addr).transpose()?,
            grpc: grpc.as_ref().map(TcpListener::local_addr).transpose()?,
            lines: lines.as_ref().map(TcpListener::local_addr).transpose()?,
        };

        let router = routes::router(Arc::clone(&app), args.requests_max);
        let plain = http.tap_io(|socket| drop(socket.set_nodelay(true)));
        let served = axum::serve(plain, router.clone()).with_graceful_shutdown(app.stop.asked());
        watch(&app, "http", served.into_future());
        let mut pem = None;
        if let Some(listener) = https {
            let identity = identity(&args)?;
            pem = identity.pem().map(String::from);
            let listener = TlsListener::new(listener, identity.acceptor()?, &app.stop)?;
            let served = axum::serve(listener, router).with_graceful_shutdown(app.stop.asked());
            watch(&app, "https", served.into_future());
        }
        if let Some(listener) = grpc {
            let accepted = TcpListenerStream::new(listener)
                .map(|socket| socket.and_then(|socket| socket.set_nodelay(true).map(|()| socket)));
            let calls = tonic::transport::Server::builder().add_service(grpc::service(app.clone()));
            let served = calls.serve_with_incoming_shutdown(accepted, app.stop.asked());
            watch(&app, "grpc", served);
        }
        if let Some(listener) = lines {
            app.stop.spawn(lines::serve(listener, app.clone()));
        }
        Ok(Self { app, addresses, pem })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The certificate that was made at the start, as PEM.
    pub fn pem(&self) -> Option<&str> {
        self.pem.as_deref()
    }

    /// What its requests reach.
    pub fn app(&self) -> &Shared {
        &self.app
    }

    /// Accepts nothing more, answers what was accepted, and ends; an error if that takes longer
    /// than `drain`.
    pub async fn stop(self, drain: Duration) -> anyhow::Result<()> {
        self.app.stop.ask();
        let ended = tokio::time::timeout(drain, self.app.stop.ended()).await;
        if ended.is_err() {
            bail!("{} connections did not end within {drain:?}", self.app.stop.running());
        }
        self.app.notes.close().await;
        Ok(())
    }
}

async fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{flag}: cannot listen on {address}"))
}

async fn listen_if(address: Option<SocketAddr>, flag: &str) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => Ok(Some(listen(address, flag).await?)),
        None => Ok(None),
    }
}

fn identity(args: &ServeArgs) -> anyhow::Result<Identity> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        return Identity::read(cert, key);
    }
    let made = Identity::make()?;
    if let (Some(path), Some(pem)) = (&args.cert_out, made.pem()) {
        std::fs::write(path, pem).with_context(|| format!("--cert-out {}", path.display()))?;
    }
    Ok(made)
}

/// Runs a server until it has ended, which the end of the service waits for.
fn watch<E: fmt::Display>(
    app: &Shared,
    name: &'static str,
    served: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    app.stop.spawn(async move {
        if let Err(error) = served.await {
            tracing::error!("{name}: {error}");
        }
    });
}
