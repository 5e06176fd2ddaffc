//! Notes as JSON.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::error::ApiError;
use crate::notes::Note;
use crate::state::Shared;

const PAGE_MAX: u32 = 1000;

#[derive(Deserialize)]
pub(super) struct New {
    text: String,
}

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: i64,
    #[serde(default = "page_limit")]
    limit: u32,
}

fn page_limit() -> u32 {
    100
}

pub(super) async fn add(
    State(app): State<Shared>,
    Json(new): Json<New>,
) -> Result<impl IntoResponse, ApiError> {
    let note = app.notes.add(&new.text).await?;
    let place = [(header::LOCATION, format!("/notes/{}", note.id))];
    Ok((StatusCode::CREATED, place, Json(note)))
}

pub(super) async fn page(
    State(app): State<Shared>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Note>>, ApiError> {
    Ok(Json(app.notes.page(page.after, page.limit.min(PAGE_MAX)).await?))
}

pub(super) async fn find(
    State(app): State<Shared>,
    Path(id): Path<i64>,
) -> Result<Json<Note>, ApiError> {
    Ok(Json(app.notes.find(id).await?))
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.notes.remove(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
