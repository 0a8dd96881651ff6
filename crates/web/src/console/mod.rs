//! The console for staff: an address of its own, where nobody is known until they logged in with
//! password and authenticator app.

mod audit;
mod catalogue;
mod customers;
mod esim;
mod identity;
mod jobs;
mod log_in;
mod messages;
mod orders;
mod overview;
mod payments;
mod reason;
mod session;
mod tickets;
mod words;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::assets;
use crate::frame::observe::name_route;
use crate::frame::{Refusal, Takes, dress, gate};
use crate::state::WebState;

/// The largest form of the console, in octets: an answer of 4,000 characters, of up to 12 octets
/// each once encoded, and a few short fields.
const FORM_OCTETS_MAX: usize = 64 * 1024;

/// The whole console. Everything but the log-in page and the assets asks for a session.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .merge(desk())
        .route_layer(from_fn(session::require))
        .route("/login", get(log_in::ask).post(log_in::log_in))
        .route("/logout", post(log_in::log_out))
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .fallback(async || Refusal::NotFound)
        .layer(from_fn_with_state(state.clone(), session::watch))
        .layer(from_fn_with_state(Takes::Forms, gate))
        .layer(from_fn(name_route));
    Router::new()
        .merge(assets::routes())
        // The portal's worker keeps pages for offline; nothing of the console may be kept.
        .layer(from_fn(session::without_worker))
        .fallback_service(pages.with_state(state.clone()))
        .layer(from_fn_with_state(state.frames.clone(), dress))
        .with_state(state)
}

fn desk() -> Router<WebState> {
    Router::new()
        .route("/", get(overview::show))
        .route("/proof", get(log_in::ask_proof).post(log_in::prove))
        .route("/customers", get(customers::ask).post(customers::search))
        .route("/customers/{number}", get(customers::show))
        .route("/customers/{number}/reveal", post(customers::reveal))
        .route("/esim", get(esim::list).post(esim::search))
        .route("/esim/{number}", get(esim::show))
        .route("/esim/{number}/{deed}", get(esim::ask).post(esim::change))
        .route("/orders", get(orders::list))
        .route("/orders/{number}", get(orders::show))
        .route(
            "/orders/{number}/refund",
            get(orders::ask_refund).post(orders::refund),
        )
        .route("/payments", get(payments::show))
        .route(
            "/refunds/{number}/settle",
            get(payments::ask_settle).post(payments::settle),
        )
        .route("/refunds/{number}/resend", post(payments::resend))
        .route("/tickets", get(tickets::list))
        .route(
            "/tickets/{number}",
            get(tickets::show).post(tickets::answer),
        )
        .route("/tickets/{number}/close", post(tickets::close))
        .route("/messages", get(messages::list))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{number}/retry", post(jobs::retry))
        .route("/catalogue", get(catalogue::show))
        .route("/audit", get(audit::show))
        .route("/audit/check", post(audit::check))
        .route("/identity", get(identity::list))
        .route(
            "/identity/{case}/documents/{position}",
            get(identity::document),
        )
        .route("/identity/{case}", post(identity::decide))
}
