//! The portal for customers and the console for staff: HTML rendered here, forms that work without
//! script, two languages.

pub mod admin;
pub mod assets;
pub mod brand;
pub mod console;
pub mod frame;
#[doc(hidden)]
pub mod fuzz;
pub mod help;
pub mod i18n;
pub mod inbox;
pub mod notification;
pub mod portal;
pub mod server;
pub mod session;
pub mod site;
pub mod state;
pub mod styleguide;

mod talk;

use axum::Router;
use axum::extract::FromRef;

use crate::frame::Frames;

/// The routes that need nothing but the frame: assets, manifest, service worker, help centre,
/// legal texts and the page shown when offline.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Frames: FromRef<S>,
{
    Router::new().merge(assets::routes()).merge(help::routes())
}
