//! Hit counts as JSON, and as a stream of events.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, StreamExt};
use std::convert::Infallible;

use crate::error::ApiError;
use crate::hits::Hits;
use crate::state::Shared;

pub(super) async fn read(
    State(app): State<Shared>,
    Path(page): Path<String>,
) -> Result<Json<Hits>, ApiError> {
    Ok(Json(app.counts()?.read(&page).await?))
}

pub(super) async fn count(
    State(app): State<Shared>,
    Path(page): Path<String>,
) -> Result<Json<Hits>, ApiError> {
    Ok(Json(app.counts()?.count(&page).await?))
}

/// Server-sent events: `page=hits` for each count of any service on the same Redis.
pub(super) async fn watch(
    State(app): State<Shared>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let counted = app.counts()?.watch().await?;
    let events = counted.map(|text| Ok(Event::default().data(text)));
    Ok(Sse::new(events.take_until(app.stop.asked())))
}
