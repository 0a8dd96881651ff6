//! The server's process.

use std::sync::Arc;

use simurgh_sim::{charging_app, serve_gateways};

use super::open;

/// Serves until it is killed; says where.
pub(crate) async fn serve(url: &str) -> Result<(), String> {
    let app = charging_app(Arc::new(open(url)?)).await?;
    let workers = if url.starts_with("postgres") { 4 } else { 1 };
    println!("{}", serve_gateways(app, workers).await?);
    std::future::pending().await
}
