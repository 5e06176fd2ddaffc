//! The command line.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

use crate::crawl::Limits;

/// Fetch many pages at once and say how it went.
///
/// Without a URL, fetches from a server of its own, some of whose pages fail or hang. Redirects are
/// not followed. Exit code: 0 if every page was fetched, 1 if one was not, 2 if nothing could be
/// started.
#[derive(Parser)]
#[command(name = "fetch")]
pub(crate) struct Args {
    /// What to fetch, http or https
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<String>,

    /// How many pages are fetched at the same time
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    parallel: u32,

    /// Seconds that one attempt may take [default: 10, without URLs 0.5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// How often a page is tried again after a failure that may pass
    #[arg(long, default_value_t = 2)]
    retries: u32,

    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

impl Args {
    pub(crate) fn limits(&self) -> Limits {
        let usual = Duration::from_millis(if self.urls.is_empty() { 500 } else { 10_000 });
        Limits {
            parallel: self.parallel as usize,
            timeout: self.timeout.unwrap_or(usual),
            retries: self.retries,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("must be more than 0 and not beyond all bounds".to_owned()),
    }
}
