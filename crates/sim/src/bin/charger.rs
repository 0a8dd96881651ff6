//! A node that charges, as a process that tests kill: `charger STORE` says where it listens.

use std::process::ExitCode;
use std::sync::Arc;

use simurgh_sim::{charging_app, serve_gateways};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("charger: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let url = std::env::args().nth(1).ok_or("expected: STORE")?;
    let url: DatabaseUrl = url.parse().map_err(|error| format!("{error:?}"))?;
    let workers = match url {
        DatabaseUrl::Sqlite(_) => 1,
        DatabaseUrl::Postgres(_) => 4,
    };
    let store = Database::open(&url, DatabaseOptions::default());
    let store = Arc::new(store.map_err(|fault| fault.to_string())?);
    let app = charging_app(store).await?;
    println!("{}", serve_gateways(app, workers).await?);
    std::future::pending().await
}
