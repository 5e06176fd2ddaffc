//! A client of every route. Each check is a function that answers what it saw, so that the tests
//! and the command line are the same client.

pub mod grpc;
pub mod http;
pub mod lines;
pub mod stores;
pub mod ws;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use rustls::ClientConfig;

use crate::server::Server;

/// A check that takes longer is one that failed.
const CHECK_MAX: Duration = Duration::from_secs(60);

/// What a check saw, or what was wrong.
pub type Seen = anyhow::Result<String>;

/// Which service to drive.
#[derive(Clone, Debug, Default, Args)]
pub struct DriveArgs {
    /// The JSON API, as in `http://127.0.0.1:8080`.
    #[arg(long)]
    pub http: Option<String>,
    /// The same over TLS, as in `https://127.0.0.1:8443`.
    #[arg(long, requires = "ca")]
    pub https: Option<String>,
    /// The certificates to trust for --https, as PEM.
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// gRPC, as in `http://127.0.0.1:50051`.
    #[arg(long)]
    pub grpc: Option<String>,
    /// The line protocol, as in `127.0.0.1:7000`.
    #[arg(long)]
    pub lines: Option<String>,
    /// In place of the file that `ca` names.
    #[arg(skip)]
    pub pem: Option<String>,
}

impl DriveArgs {
    /// All that this server offers.
    pub fn of(server: &Server) -> Self {
        let addresses = server.addresses();
        Self {
            http: Some(format!("http://{}", addresses.http)),
            https: addresses.https.map(|address| format!("https://{address}")),
            ca: None,
            grpc: addresses.grpc.map(|address| format!("http://{address}")),
            lines: addresses.lines.map(|address| address.to_string()),
            pem: server.pem().map(String::from),
        }
    }

    fn pem(&self) -> anyhow::Result<Option<String>> {
        match (&self.pem, &self.ca) {
            (Some(pem), _) => Ok(Some(pem.clone())),
            (None, Some(path)) => {
                let read = std::fs::read_to_string(path);
                Ok(Some(read.with_context(|| format!("--ca {}", path.display()))?))
            }
            (None, None) => Ok(None),
        }
    }
}

/// An HTTP service and how to reach it.
#[derive(Clone)]
pub struct Target {
    /// `http://` or `https://` with host and port, without a slash at the end.
    pub base: String,
    /// Keeps its connections; clones share them.
    pub client: reqwest::Client,
    /// For connections that are not the client's.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Reaches `base`, and trusts the certificates in `pem` there.
    pub fn new(base: &str, pem: Option<&str>) -> anyhow::Result<Self> {
        let tls = pem.map(crate::tls::client).transpose()?;
        let mut client = reqwest::Client::builder().no_proxy();
        if let Some(tls) = tls.clone() {
            client = client.tls_backend_preconfigured(tls);
        } else {
            // Nothing that the machine trusts: there is no certificate to be judged.
            client = client.tls_backend_preconfigured(crate::tls::client("")?);
        }
        let base = base.trim_end_matches('/').to_string();
        Ok(Self { base, client: client.build()?, tls: tls.map(Arc::new) })
    }

    /// The address of a route.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// What every check saw.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<(String, Seen, Duration)>,
}

impl Report {
    async fn check(&mut self, name: &str, check: impl Future<Output = Seen>) {
        let before = Instant::now();
        let seen = match tokio::time::timeout(CHECK_MAX, check).await {
            Ok(seen) => seen,
            Err(_) => Err(anyhow::anyhow!("nothing came within {CHECK_MAX:?}")),
        };
        self.checks.push((name.to_string(), seen, before.elapsed()));
    }

    /// Says it, a line each; true if all was well.
    pub fn print(&self) -> bool {
        for (name, seen, took) in &self.checks {
            let ms = took.as_secs_f64() * 1e3;
            match seen {
                Ok(seen) => println!("ok    {name:<24}{ms:>8.1} ms  {seen}"),
                Err(why) => println!("WRONG {name:<24}{ms:>8.1} ms  {why:#}"),
            }
        }
        let wrong = self.wrong();
        println!("{} checks, {wrong} wrong", self.checks.len());
        wrong == 0
    }

    /// How many checks saw what should not be.
    pub fn wrong(&self) -> usize {
        self.checks.iter().filter(|(_, seen, _)| seen.is_err()).count()
    }
}

/// Drives all that `args` names.
pub async fn run(args: &DriveArgs) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let pem = args.pem()?;
    if let Some(base) = &args.http {
        drive_http(&mut report, "http", &Target::new(base, None)?).await;
    }
    if let Some(base) = &args.https {
        drive_http(&mut report, "https", &Target::new(base, pem.as_deref())?).await;
    }
    if let Some(url) = &args.grpc {
        let client = grpc::connect(url).await.with_context(|| format!("--grpc {url}"))?;
        report.check("grpc add", grpc::add(client.clone())).await;
        report.check("grpc list", grpc::list(client.clone())).await;
        report.check("grpc add many", grpc::add_many(client.clone())).await;
        report.check("grpc add each", grpc::add_each(client)).await;
    }
    if let Some(address) = &args.lines {
        report.check("lines commands", lines::commands(address)).await;
        report.check("lines refusals", lines::refusals(address)).await;
    }
    Ok(report)
}

async fn drive_http(report: &mut Report, scheme: &str, target: &Target) {
    let name = |what: &str| format!("{scheme} {what}");
    report.check(&name("answers"), http::answers(target)).await;
    report.check(&name("notes"), http::notes(target)).await;
    report.check(&name("refusals"), http::refusals(target)).await;
    report.check(&name("export"), http::export(target)).await;
    report.check(&name("events"), http::events(target)).await;
    report.check(&name("numbers"), http::numbers(target)).await;
    report.check(&name("measure"), http::measure(target)).await;
    report.check(&name("slow"), http::slow(target)).await;
    report.check(&name("panic"), http::panic(target)).await;
    report.check(&name("ws echo"), ws::echo(target)).await;
    report.check(&name("ws room"), ws::room(target)).await;
    report.check(&name("ledger"), stores::ledger(target)).await;
    report.check(&name("hits"), stores::hits(target)).await;
}

/// The type that stands behind `tokio::runtime::Runtime` in this program.
pub fn runtime_name() -> &'static str {
    std::any::type_name::<tokio::runtime::Runtime>()
}
