//! What needs no store: the benchmark's two answers, health, and ways to be slow and to fail.

use std::time::Duration;

use axum::Json;
use axum::extract::Query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;

const SLOW_MS_MAX: u64 = 60_000;

/// The answer of `/json`.
#[derive(Serialize)]
pub(super) struct Message {
    message: &'static str,
}

pub(super) async fn plaintext() -> &'static str {
    "Hello, World!"
}

pub(super) async fn json() -> Json<Message> {
    Json(Message { message: "Hello, World!" })
}

pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok", "runtime": crate::drive::runtime_name() }))
}

#[derive(Deserialize)]
pub(super) struct Slow {
    ms: u64,
}

/// Answers after `ms` milliseconds.
pub(super) async fn slow(Query(slow): Query<Slow>) -> Result<String, ApiError> {
    if slow.ms > SLOW_MS_MAX {
        return Err(ApiError::Invalid(format!("ms is at most {SLOW_MS_MAX}")));
    }
    tokio::time::sleep(Duration::from_millis(slow.ms)).await;
    Ok(format!("waited {} ms\n", slow.ms))
}

/// A handler with a bug: its client gets 500, nobody else notices.
pub(super) async fn panic() -> &'static str {
    panic!("this handler always panics")
}

pub(super) async fn nothing() -> ApiError {
    ApiError::NotFound("such route".into())
}
