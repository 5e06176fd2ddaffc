//! The ledger as JSON.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use crate::error::ApiError;
use crate::ledger::{Account, Transfer};
use crate::state::Shared;

#[derive(Deserialize)]
pub(super) struct Deposit {
    cents: i64,
}

pub(super) async fn account(
    State(app): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.ledger()?.account(&name).await?))
}

pub(super) async fn deposit(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Json(deposit): Json<Deposit>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.ledger()?.deposit(&name, deposit.cents).await?))
}

pub(super) async fn transfer(
    State(app): State<Shared>,
    Json(transfer): Json<Transfer>,
) -> Result<Json<[Account; 2]>, ApiError> {
    Ok(Json(app.ledger()?.transfer(&transfer).await?))
}
