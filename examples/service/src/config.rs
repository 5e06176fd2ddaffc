//! What can be set, by the command line or by the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Where the service listens and what it stands on.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// The JSON API, WebSocket and streams; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// The same over TLS.
    #[arg(long)]
    pub https: Option<SocketAddr>,
    /// gRPC.
    #[arg(long)]
    pub grpc: Option<SocketAddr>,
    /// The line protocol.
    #[arg(long)]
    pub lines: Option<SocketAddr>,
    /// The certificate chain for --https, as PEM; without it one is made at each start.
    #[arg(long, requires = "key")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert, as PEM.
    #[arg(long, requires = "cert")]
    pub key: Option<PathBuf>,
    /// Writes the certificate that was made at the start to this file, for clients to trust.
    #[arg(long, conflicts_with = "cert")]
    pub cert_out: Option<PathBuf>,
    /// How many seconds open requests have to end after SIGTERM.
    #[arg(long, default_value_t = 10)]
    pub drain_s: u64,
    /// How many requests are worked on at once; more are refused with 503.
    #[arg(long, default_value_t = 10_000)]
    pub requests_max: usize,
    #[command(flatten)]
    pub stores: Stores,
}

/// Where things are kept.
#[derive(Clone, Debug, Default, Args)]
pub struct Stores {
    /// The file of the SQLite database; without it a temporary one.
    #[arg(long)]
    pub sqlite: Option<PathBuf>,
    /// A PostgreSQL server for the ledger, as in `postgres://user@127.0.0.1/db`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub postgres: Option<String>,
    /// A Redis server for the hit counts, as in `redis://127.0.0.1/`.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis: Option<String>,
}

impl ServeArgs {
    /// Everything, on loopback and free ports.
    pub fn on_free_ports(stores: Stores) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            http: any,
            https: Some(any),
            grpc: Some(any),
            lines: Some(any),
            cert: None,
            key: None,
            cert_out: None,
            drain_s: 10,
            requests_max: 10_000,
            stores,
        }
    }

    /// How long open requests may take to end.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_s)
    }
}
