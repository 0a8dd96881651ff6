//! The provider's own HTTP server: an API for the merchant, a page for the payer, a page over the
//! book, and the courier that brings notifications to the merchant.

mod api;
mod html;
mod pages;
mod text;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use super::desk::{Sandbox, SandboxFault};
use super::verify;
use crate::sandbox::courier::{self, Courier};
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
        let http = courier::client().map_err(|error| SandboxFault::Http(error.to_string()))?;
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

    /// Its pages and API. Notifications leave only while the [`courier`](Self::courier) runs.
    pub fn router(&self) -> Router {
        api::router(&self.site)
            .merge(pages::router())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&self.site))
    }

    /// What brings notifications to the merchant while it runs; it never ends by itself.
    pub fn courier(&self) -> impl Future<Output = Infallible> + Send + 'static {
        Courier {
            desk: self.site.sandbox.desk().clone(),
            http: self.http.clone(),
            gate: Arc::clone(&self.site.gate),
            notify_url: self.site.settings.notify_url().to_owned(),
            account: self.site.settings.merchant().to_owned(),
            body: verify::letter,
        }
        .run()
    }
}

/// Runs a call that may write to the journal where it may block.
async fn blocking<T: Send + 'static>(
    site: &Arc<Site>,
    call: impl FnOnce(&Sandbox) -> Result<T, SandboxFault> + Send + 'static,
) -> Result<T, SandboxFault> {
    desk::blocking(site.sandbox.clone(), call).await
}
