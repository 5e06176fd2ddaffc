//! Fetches many pages at once: with a limit on how many at a time, a timeout, retries, a progress
//! bar and a table.
//!
//! Without arguments it starts a server of its own, some of whose pages fail or hang, and fetches
//! from that. Read the files in this order: this one, `crawl` (many pages), `client` (one page).
//! What hyper asks of a runtime is in `shinkan_compat`.

mod args;
mod client;
mod crawl;
mod demo;
mod failure;
mod report;
mod tls;

use args::Args;
use clap::Parser;
use crawl::Target;
use std::process::ExitCode;
use std::time::Instant;

#[shinkan::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("fetch: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything went well, or why nothing could be started.
async fn run(args: &Args) -> Result<bool, String> {
    let connector = tls::connector(args.ca.as_deref())?;
    let targets = if args.urls.is_empty() {
        let server =
            demo::start().await.map_err(|error| format!("no server could be started: {error}"))?;
        println!("fetching {} pages from http://{}", server.pages.len(), server.address);
        server.pages
    } else {
        args.urls.iter().map(|url| Target::new(url.clone())).collect()
    };

    let start = Instant::now();
    let outcomes = crawl::crawl(targets, connector, args.limits()).await;
    report::print(&outcomes, start.elapsed());

    // In the demo the failures are part of the show: a page that fails as it was made to is as it
    // should be.
    Ok(outcomes.iter().all(|outcome| outcome.is_as_expected()))
}
