//! The provider's own HTTP server: an API for the merchant, a page for the payer, a page over the
//! book, and the courier that brings notifications to the merchant.

mod api;
mod courier;
mod html;
mod pages;
mod text;

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;

use super::desk::{Sandbox, SandboxFault};
use crate::sandbox::gate::Gate;
use crate::sandbox::signature::Signer;
use crate::sandbox::{BODY_BYTES_MAX, SandboxSettings, desk};

/// The provider's server.
pub struct SandboxServer {
    site: Arc<Site>,
    http: reqwest::Client,
}

/// What every handler needs.
struct Site {
    sandbox: Sandbox,
    settings: SandboxSettings,
    gate: Arc<Gate>,
}

impl SandboxServer {
    /// A server for `sandbox`. The settings' public address must lead to the listener it is given
    /// later.
    ///
    /// # Errors
    /// `SandboxFault::Http` when the client for notifications cannot be made.
    pub fn new(sandbox: Sandbox, settings: SandboxSettings) -> Result<Self, SandboxFault> {
        let http = crate::sandbox::courier::client()
            .map_err(|error| SandboxFault::Http(error.to_string()))?;
        let gate = Arc::new(Gate {
            signer: Signer::new(settings.key()),
            clock: sandbox.clock(),
        });
        Ok(Self {
            site: Arc::new(Site {
                sandbox,
                settings,
                gate,
            }),
            http,
        })
    }

    /// The provider behind it, to decide payments without a browser.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.site.sandbox
    }

    /// Its pages and API. Notifications leave only while [`serve`](Self::serve) runs.
    pub fn router(&self) -> Router {
        api::router(&self.site)
            .merge(pages::router())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&self.site))
    }

    /// Serves until `stop` completes, and sends notifications meanwhile.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let serving = axum::serve(listener, self.router()).with_graceful_shutdown(stop);
        tokio::select! {
            served = serving => served,
            never = courier::run(&self.site, &self.http) => match never {},
        }
    }
}

/// Runs a call that may write to the journal where it may block.
async fn blocking<T: Send + 'static>(
    site: &Arc<Site>,
    call: impl FnOnce(&Sandbox) -> Result<T, SandboxFault> + Send + 'static,
) -> Result<T, SandboxFault> {
    desk::blocking(site.sandbox.clone(), call).await
}
