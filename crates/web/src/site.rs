//! The sites put together: which routes, in which layers.

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::frame::{Takes, dress, gate};
use crate::state::WebState;
use crate::{notification, portal, routes, session, styleguide};

/// The portal. `extra` are routes of the demo only, such as its inbox.
pub fn portal(state: WebState, extra: Router<WebState>) -> Router {
    Router::new()
        .merge(routes())
        .merge(portal::routes())
        .merge(portal::entry::routes())
        .merge(portal::account::routes())
        .merge(portal::support::routes())
        .merge(extra)
        .layer(from_fn_with_state(state.clone(), session::know))
        .layer(from_fn_with_state(Takes::Forms, gate))
        .merge(notification::routes())
        .layer(from_fn_with_state(state.frames.clone(), dress))
        .with_state(state)
}

/// The address of the demo's phones, laid over the portal as an extension: the page of an eSIM hands them its code.
/// Never part of a production portal.
#[derive(Debug, Clone)]
pub struct DemoPhones(pub String);

/// Routes that only the demo has: the style guide.
pub fn demo_routes() -> Router<WebState> {
    styleguide::routes()
}
