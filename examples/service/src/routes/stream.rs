//! Answers that come in pieces, and a request that does.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{BroadcastStream, IntervalStream};

use crate::error::ApiError;
use crate::state::Shared;

const NUMBERS_MAX: usize = 1_000_000;

/// All notes, a JSON object a line, while they are read from the database.
pub(super) async fn export(State(app): State<Shared>) -> Response {
    let lines = app.notes.all().map(|note| {
        let mut line = serde_json::to_vec(&note?).map_err(std::io::Error::other)?;
        line.push(b'\n');
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(line)
    });
    ndjson(Body::from_stream(lines))
}

/// Server-sent events: each note that is added from now on, until the service ends.
pub(super) async fn events(
    State(app): State<Shared>,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let events = BroadcastStream::new(app.notes.listen()).map(|note| match note {
        Ok(note) => Event::default().event("note").json_data(note),
        Err(BroadcastStreamRecvError::Lagged(missed)) => {
            Ok(Event::default().event("missed").data(missed.to_string()))
        }
    });
    // An open end: without this the service would wait for its listeners.
    Sse::new(events.take_until(app.stop.asked())).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
pub(super) struct Numbers {
    count: usize,
    #[serde(default)]
    every_ms: u64,
}

/// The first `count` numbers, a line each, one each `every_ms` milliseconds.
pub(super) async fn numbers(Query(numbers): Query<Numbers>) -> Result<Response, ApiError> {
    if numbers.count > NUMBERS_MAX {
        return Err(ApiError::Invalid(format!("count is at most {NUMBERS_MAX}")));
    }
    let lines = tokio_stream::iter(0..numbers.count).map(|n| format!("{n}\n"));
    let body = match numbers.every_ms {
        0 => Body::from_stream(lines.map(Ok::<_, std::convert::Infallible>)),
        ms => {
            let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(ms)));
            let lines = lines.zip(ticks).map(|(line, _)| Ok::<_, std::convert::Infallible>(line));
            Body::from_stream(lines)
        }
    };
    Ok(ndjson(body))
}

#[derive(Serialize)]
pub(super) struct Measured {
    bytes: u64,
    pieces: u64,
    lines: usize,
}

/// Counts what is sent, without keeping it.
pub(super) async fn measure(body: Body) -> Result<Json<Measured>, ApiError> {
    let mut measured = Measured { bytes: 0, pieces: 0, lines: 0 };
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| ApiError::Invalid(error.to_string()))?;
        measured.bytes += piece.len() as u64;
        measured.pieces += 1;
        measured.lines += piece.iter().filter(|&&byte| byte == b'\n').count();
    }
    Ok(Json(measured))
}

fn ndjson(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}
