//! The command line: serve, drive, demo.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use service::config::{ServeArgs, Stores};
use service::drive::{self, DriveArgs};
use service::server::Server;
use service::shutdown;
use tracing_subscriber::EnvFilter;

/// A small service: notes over HTTP, WebSocket, gRPC and a line protocol.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// What to log, as in `info,tower_http=debug`.
    #[arg(long, env = "SERVICE_LOG", default_value = "warn", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the service; SIGTERM or SIGINT ends it after the requests it has accepted.
    Serve(ServeArgs),
    /// Drives every route of a running service and says what it saw.
    Drive(DriveArgs),
    /// Starts the service on free ports, drives every route, and ends it.
    Demo(Stores),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("service: {why:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything was as it should be, or why it could not be tried.
async fn run(cli: Cli) -> anyhow::Result<bool> {
    let filter = EnvFilter::try_new(&cli.log).context("--log")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match cli.command {
        Command::Serve(args) => serve(args).await,
        Command::Drive(args) => Ok(drive::run(&args).await?.print()),
        Command::Demo(stores) => demo(stores).await,
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<bool> {
    // Before anything is announced, so that no signal finds the default action.
    let asked_to_stop = shutdown::signals().context("cannot listen for signals")?;
    let drain = args.drain();
    let server = Server::start(args).await?;
    say(&server.addresses().to_string())?;
    asked_to_stop.await;
    let app = Arc::clone(server.app());
    let ended = server.stop(drain).await;
    say(&format!("served {} requests\n", app.accepted()))?;
    ended?;
    Ok(true)
}

async fn demo(stores: Stores) -> anyhow::Result<bool> {
    let args = ServeArgs::on_free_ports(stores);
    let drain = args.drain();
    let server = Server::start(args).await?;
    println!("{} on {}", env!("CARGO_PKG_NAME"), drive::runtime_name());
    print!("{}", server.addresses());
    let good = drive::run(&DriveArgs::of(&server)).await?.print();
    server.stop(drain).await?;
    println!("stopped");
    Ok(good)
}

/// Writes at once, also where standard output is a pipe.
fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
