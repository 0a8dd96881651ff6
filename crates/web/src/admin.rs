//! The admin address: health, readiness and metrics, for machines of the operator only.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Whether this node can serve; an error says why not.
pub type Ready = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// The metrics of this node, gathered when they are asked for.
pub type Metrics = Pin<Box<dyn Future<Output = String> + Send>>;

/// What the admin pages ask.
#[derive(Clone)]
pub struct Probes {
    /// Whether the store answers.
    pub ready: Arc<dyn Fn() -> Ready + Send + Sync>,
    /// The metrics in the Prometheus text format 0.0.4.
    pub metrics: Arc<dyn Fn() -> Metrics + Send + Sync>,
}

/// `/healthz` (the process lives), `/readyz` (it can serve: its store answers and it is not
/// stopping), `/metrics`.
pub fn router(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

async fn ready(State(probes): State<Probes>) -> Response {
    match (probes.ready)().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {why}\n"),
        )
            .into_response(),
    }
}

async fn metrics(State(probes): State<Probes>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, (probes.metrics)().await).into_response()
}
