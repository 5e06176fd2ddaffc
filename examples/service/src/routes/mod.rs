//! The HTTP side: which path leads where, and what stands before all of them.

mod basic;
mod hits;
mod ledger;
mod notes;
mod stream;
mod ws;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{BoxError, Json, Router, error_handling::HandleErrorLayer};
use serde_json::json;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::ServiceBuilderExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::state::Shared;

const BODY_BYTES_MAX: usize = 1 << 20;
/// For the head of an answer; what streams may go on for longer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// All routes. Beyond `requests_max` at once, requests are refused.
pub fn router(app: Shared, requests_max: usize) -> Router {
    let routes = Router::new()
        .route("/plaintext", get(basic::plaintext))
        .route("/json", get(basic::json))
        .route("/health", get(basic::health))
        .route("/slow", get(basic::slow))
        .route("/panic", get(basic::panic))
        .route("/notes", get(notes::page).post(notes::add))
        .route("/notes/{id}", get(notes::find).delete(notes::remove))
        .route("/notes/export", get(stream::export))
        .route("/events", get(stream::events))
        .route("/numbers", get(stream::numbers))
        .route("/measure", post(stream::measure))
        .route("/ws", get(ws::echo))
        .route("/room", get(ws::room))
        .route("/ledger/{name}", get(ledger::account).post(ledger::deposit))
        .route("/ledger/transfer", post(ledger::transfer))
        .route("/hits/{page}", get(hits::read).post(hits::count))
        .route("/hits/watch", get(hits::watch))
        .fallback(basic::nothing);
    let limits = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(overloaded))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(requests_max))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_MAX));
    let records = ServiceBuilder::new()
        .set_x_request_id(Count::default())
        .layer(TraceLayer::new_for_http())
        .propagate_x_request_id()
        .layer(CatchPanicLayer::new());
    // The last is the outermost: the first that sees a request.
    let routes = routes.layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX)).layer(limits);
    let accept = middleware::from_fn_with_state(app.clone(), accept);
    routes.layer(records).layer(accept).with_state(app)
}

/// Counts the request before anything can refuse it.
async fn accept(State(app): State<Shared>, request: Request, next: Next) -> Response {
    app.accept();
    next.run(request).await
}

async fn overloaded(error: BoxError) -> Response {
    let said = if error.is::<tower::load_shed::error::Overloaded>() {
        "too many requests at once".to_string()
    } else {
        tracing::error!("{error}");
        "internal error".to_string()
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": said }))).into_response()
}

/// Numbers the requests of this process.
#[derive(Clone, Debug, Default)]
struct Count(std::sync::Arc<AtomicU64>);

impl MakeRequestId for Count {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        Some(RequestId::new(HeaderValue::from(self.0.fetch_add(1, Relaxed))))
    }
}
