//! Checks of what stands on PostgreSQL and Redis. Where they are not configured, that is what the
//! service must say.

use anyhow::{Context, ensure};
use futures_util::{StreamExt, future};
use reqwest::{Response, StatusCode};
use serde_json::json;

use super::{Seen, Target};
use crate::hits::Hits;
use crate::ledger::{Account, Transfer};

/// Moves money to and fro, many at once: none is made, none is lost.
pub async fn ledger(target: &Target) -> Seen {
    // Names of its own, since the database may be that of others too.
    let [left, right] = ["left", "right"].map(|side| format!("{side}-{}", unique()));
    let deposit = async |name: &str, cents: i64| {
        let request = target.client.post(target.url(&format!("/ledger/{name}")));
        request.json(&json!({ "cents": cents })).send().await
    };
    let Some(first) = unless_missing(deposit(&left, 1000).await?).await? else {
        return Ok("not configured, and it says so".into());
    };
    let first: Account = first.error_for_status()?.json().await?;
    ensure!(first.cents == 1000, "a deposit of 1000 answers {first:?}");
    deposit(&right, 1000).await?.error_for_status()?;

    let transfer = async |n: usize| {
        let (from, to) = if n.is_multiple_of(2) { (&left, &right) } else { (&right, &left) };
        let transfer = Transfer { from: from.clone(), to: to.clone(), cents: 10 };
        target.client.post(target.url("/ledger/transfer")).json(&transfer).send().await
    };
    for response in future::try_join_all((0..40).map(transfer)).await? {
        response.error_for_status()?;
    }
    let too_much = Transfer { from: left.clone(), to: right.clone(), cents: 1001 };
    let request = target.client.post(target.url("/ledger/transfer")).json(&too_much);
    let refused = request.send().await?.status();
    ensure!(refused == StatusCode::CONFLICT, "too much is answered with {refused}");

    for name in [&left, &right] {
        let url = target.url(&format!("/ledger/{name}"));
        let account: Account = target.client.get(url).send().await?.json().await?;
        ensure!(account.cents == 1000, "{account:?} after as much to as fro");
    }
    Ok("40 transfers at once, one refused, balance kept".into())
}

/// Counts, and hears of it.
pub async fn hits(target: &Target) -> Seen {
    let page = format!("page-{}", unique());
    let url = target.url(&format!("/hits/{page}"));
    let Some(first) = unless_missing(target.client.get(&url).send().await?).await? else {
        return Ok("not configured, and it says so".into());
    };
    let first: Hits = first.error_for_status()?.json().await?;
    ensure!(first.hits == 0, "{first:?} before any");

    let watched = target.client.get(target.url("/hits/watch")).send().await?;
    let mut events = watched.error_for_status()?.bytes_stream();
    let count = async || target.client.post(&url).send().await?.error_for_status()?.json().await;
    let counted: Vec<Hits> = future::try_join_all((0..50).map(|_| count())).await?;
    let mut seen: Vec<u64> = counted.iter().map(|hits| hits.hits).collect();
    seen.sort_unstable();
    ensure!(seen.iter().copied().eq(1..=50), "counted {seen:?}");

    let last = format!("{page}=50\n");
    let mut heard = String::new();
    while !heard.contains(&last) {
        heard.push_str(&String::from_utf8_lossy(&events.next().await.context("no events")??));
    }
    Ok("50 counted at once, each heard of".into())
}

/// `None` if the service says that it runs without the store.
async fn unless_missing(response: Response) -> anyhow::Result<Option<Response>> {
    if response.status() != StatusCode::SERVICE_UNAVAILABLE {
        return Ok(Some(response));
    }
    let said = response.text().await?;
    ensure!(said.contains("this service runs without"), "503: {said}");
    Ok(None)
}

fn unique() -> String {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!("{:x}-{:x}", std::process::id(), time.map_or(0, |time| time.as_nanos()))
}
