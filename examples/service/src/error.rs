//! What can go wrong with a request, and how a client is told.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not answered as it asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The request makes sense, but not now.
    #[error("{0}")]
    Conflict(String),
    /// A server behind this one is not configured.
    #[error("this service runs without {0}")]
    NotConfigured(&'static str),
    /// The database in the process failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] sqlx::Error),
    /// The ledger's server failed.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// The hit counts' server failed.
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
}

impl ApiError {
    /// The status for HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotConfigured(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Sqlite(_) | Self::Postgres(_) | Self::Redis(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        // What a database says is for the log, not for whoever asked.
        let said = if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!("{self}");
            "internal error".to_string()
        } else {
            self.to_string()
        };
        (status, Json(json!({ "error": said }))).into_response()
    }
}

impl From<ApiError> for tonic::Status {
    fn from(error: ApiError) -> Self {
        match error.status() {
            StatusCode::NOT_FOUND => Self::not_found(error.to_string()),
            StatusCode::UNPROCESSABLE_ENTITY => Self::invalid_argument(error.to_string()),
            StatusCode::CONFLICT => Self::failed_precondition(error.to_string()),
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(error.to_string()),
            _ => {
                tracing::error!("{error}");
                Self::internal("internal error")
            }
        }
    }
}
