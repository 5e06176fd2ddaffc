//! Checks of the JSON API and of the streams.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::{StreamExt, future};
use reqwest::{Body, Response, StatusCode};
use serde_json::{Value, json};

use super::{Seen, Target};
use crate::notes::Note;

/// `/plaintext`, `/json`, `/health`.
pub async fn answers(target: &Target) -> Seen {
    let text = get(target, "/plaintext").await?.text().await?;
    ensure!(text == "Hello, World!", "plaintext is {text:?}");
    let json: Value = get(target, "/json").await?.json().await?;
    ensure!(json == json!({ "message": "Hello, World!" }), "json is {json}");
    let response = get(target, "/health").await?;
    ensure!(response.headers().contains_key("x-request-id"), "an answer without its number");
    let health: Value = response.json().await?;
    ensure!(health["status"] == "ok", "health is {health}");
    Ok(format!("it runs on {}", health["runtime"].as_str().unwrap_or("?")))
}

/// Adds, reads, lists and removes notes, several at once.
pub async fn notes(target: &Target) -> Seen {
    let added = future::try_join_all((0..20).map(|n| add(target, format!("note {n}")))).await?;
    for (n, note) in added.iter().enumerate() {
        let found: Note = get(target, &format!("/notes/{}", note.id)).await?.json().await?;
        ensure!(found == *note && found.text == format!("note {n}"), "{found:?}, not {note:?}");
    }
    let first = added.iter().map(|note| note.id).min().context("no note")?;
    let url = format!("/notes?after={}&limit=20", first - 1);
    let page: Vec<Note> = get(target, &url).await?.json().await?;
    ensure!(page.len() == 20 && page.is_sorted_by_key(|note| note.id), "a page of {}", page.len());

    let gone = target.url(&format!("/notes/{first}"));
    let removed = target.client.delete(&gone).send().await?.status();
    ensure!(removed == StatusCode::NO_CONTENT, "removing answers {removed}");
    let missing = target.client.get(&gone).send().await?.status();
    ensure!(missing == StatusCode::NOT_FOUND, "a removed note answers {missing}");
    Ok("20 added at once, read, listed; one removed".into())
}

/// What must not be answered with 200.
pub async fn refusals(target: &Target) -> Seen {
    let post = |body: String| {
        let request = target.client.post(target.url("/notes"));
        request.header("content-type", "application/json").body(body).send()
    };
    let long = "x".repeat(5000);
    // Nobody reads it to its end: the connection is closed, perhaps before its client has written
    // all and looks for an answer.
    let huge = target.client.post(target.url("/notes")).header("connection", "close");
    let huge = huge.header("content-type", "application/json").body("x".repeat(2 << 20));
    if let Ok(response) = huge.send().await {
        ensure!(response.status() == 413, "a huge body is answered with {}", response.status());
    }
    let cases = [
        ("no text", post(json!({ "text": "" }).to_string()).await?, 422),
        ("a long text", post(json!({ "text": long }).to_string()).await?, 422),
        ("no JSON", post("{".into()).await?, 400),
        ("another JSON", post("{}".into()).await?, 422),
        ("no number", target.client.get(target.url("/notes/one")).send().await?, 400),
        ("no route", target.client.get(target.url("/nothing")).send().await?, 404),
        ("no method", target.client.put(target.url("/notes")).send().await?, 405),
    ];
    let count = cases.len();
    for (what, response, expected) in cases {
        let status = response.status();
        ensure!(status == expected, "{what} is answered with {status}, not {expected}");
    }
    Ok(format!("{count} bad requests, each with its status"))
}

/// Reads all notes as a stream.
pub async fn export(target: &Target) -> Seen {
    future::try_join_all((0..10).map(|n| add(target, format!("exported {n}")))).await?;
    let mut pieces = 0;
    let lines = lines(get(target, "/notes/export").await?, |_| pieces += 1).await?;
    let mut last = 0;
    for line in &lines {
        let note: Note = serde_json::from_str(line)?;
        ensure!(note.id > last, "note {} after {last}", note.id);
        last = note.id;
    }
    ensure!(lines.len() >= 10, "{} notes", lines.len());
    Ok(format!("{} notes in {pieces} pieces", lines.len()))
}

/// Listens to server-sent events while notes are added.
pub async fn events(target: &Target) -> Seen {
    let response = get(target, "/events").await?;
    let mut pieces = response.bytes_stream();
    let mut seen = Vec::new();
    for n in 0..5 {
        // The answer's head has come, so the service listens: nothing that is added now is missed.
        let note = add(target, format!("event {n}")).await?;
        let expected = format!("data: {}", serde_json::to_string(&note)?);
        while !String::from_utf8_lossy(&seen).contains(&expected) {
            seen.extend(pieces.next().await.context("the events ended")??);
        }
    }
    Ok("5 notes, each heard of as it was added".into())
}

/// A long answer at once, and a short one in its own time.
pub async fn numbers(target: &Target) -> Seen {
    let quick = lines(get(target, "/numbers?count=100000").await?, |_| {}).await?;
    ensure!(quick.len() == 100_000, "{} lines of 100,000", quick.len());
    for (n, line) in quick.iter().enumerate() {
        ensure!(line.parse() == Ok(n), "line {n} is {line}");
    }
    let before = Instant::now();
    let mut pieces = 0;
    let slow = lines(get(target, "/numbers?count=6&every_ms=20").await?, |_| pieces += 1).await?;
    let took = before.elapsed();
    ensure!(slow.len() == 6, "{} lines of 6", slow.len());
    // The first comes at once.
    ensure!(took >= Duration::from_millis(100), "5 intervals of 20 ms took {took:?}");
    Ok(format!("100,000 lines; 6 slow ones in {pieces} pieces"))
}

/// Sends a body in pieces, whose length is not known before.
pub async fn measure(target: &Target) -> Seen {
    let pieces = futures_util::stream::iter(0..64).then(async |n| {
        tokio::task::yield_now().await;
        let mut piece = vec![b'a'; 4096 + n];
        piece.push(b'\n');
        Ok::<_, std::io::Error>(Bytes::from(piece))
    });
    let request = target.client.post(target.url("/measure"));
    let response = request.body(Body::wrap_stream(pieces)).send().await?.error_for_status()?;
    let measured: Value = response.json().await?;
    let bytes: usize = (0..64).map(|n| 4096 + n + 1).sum();
    ensure!(measured["bytes"] == bytes && measured["lines"] == 64, "{bytes} bytes, not {measured}");
    Ok(format!("{bytes} bytes in {} pieces", measured["pieces"]))
}

/// Many that wait at once take as long as one.
pub async fn slow(target: &Target) -> Seen {
    let wait = async || anyhow::Ok(get(target, "/slow?ms=100").await?.text().await?);
    let before = Instant::now();
    let answers: Vec<String> = future::try_join_all((0..50).map(|_| wait())).await?;
    let took = before.elapsed();
    ensure!(answers.iter().all(|answer| answer == "waited 100 ms\n"), "{answers:?}");
    ensure!(took >= Duration::from_millis(100), "100 ms took {took:?}");
    Ok(format!("50 of 100 ms took {} ms", took.as_millis()))
}

/// A handler that panics is its own client's problem only.
pub async fn panic(target: &Target) -> Seen {
    let status = target.client.get(target.url("/panic")).send().await?.status();
    ensure!(status == StatusCode::INTERNAL_SERVER_ERROR, "a panic answers {status}");
    get(target, "/plaintext").await?;
    Ok("500, and the next request is answered".into())
}

/// Adds a note.
pub async fn add(target: &Target, text: String) -> anyhow::Result<Note> {
    let request = target.client.post(target.url("/notes")).json(&json!({ "text": text }));
    let response = request.send().await?;
    let status = response.status();
    ensure!(status == StatusCode::CREATED, "adding answers {status}: {}", response.text().await?);
    let place = response.headers().get("location").cloned();
    let note: Note = response.json().await?;
    let expected = format!("/notes/{}", note.id);
    ensure!(place.is_some_and(|place| place == *expected), "not at {expected}");
    Ok(note)
}

async fn get(target: &Target, path: &str) -> anyhow::Result<Response> {
    Ok(target.client.get(target.url(path)).send().await?.error_for_status()?)
}

/// The lines of an answer; `each` is told of the pieces as they come.
async fn lines(response: Response, mut each: impl FnMut(&Bytes)) -> anyhow::Result<Vec<String>> {
    let mut text = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        each(&piece);
        text.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(text)?.lines().map(String::from).collect())
}
