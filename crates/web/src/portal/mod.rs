//! The portal for customers: the shop, orders and bills, and the line.

pub(crate) mod account;
mod add_ons;
mod bills;
mod builder;
mod checkout;
mod choice;
mod country;
mod currency;
pub(crate) mod detour;
pub(crate) mod entry;
mod esim;
pub(crate) mod fields;
pub(crate) mod fuzz;
pub(crate) mod identity;
mod line;
mod local;
mod methods;
mod orders;
mod pdf;
mod pending;
mod phone;
mod plans;
mod purchase;
mod qr;
mod refusals;
mod renewal;
mod shopper;
pub mod support;
mod words;
mod zones;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::state::WebState;

/// The pages of the shop and of the customer's line, orders and bills.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(plans::start))
        .route("/plans", get(plans::list))
        .route("/plans/{offer}", get(purchase::offer))
        .route("/purchase/price", get(purchase::preview))
        .route("/builder", get(builder::build))
        .route("/builder/price", get(builder::preview))
        .route("/builder/plan", get(builder::plan))
        .route("/add-ons", get(add_ons::list))
        .route("/checkout", get(checkout::review).post(checkout::pay))
        .route("/orders", get(orders::list))
        .route("/orders/{number}", get(orders::show))
        .route("/orders/{number}/pay", post(orders::pay))
        .route("/orders/{number}/cancel", post(orders::cancel))
        .route(
            "/orders/{number}/give-back",
            get(orders::ask_give_back).post(orders::give_back),
        )
        .route("/bills", get(bills::list))
        .route("/bills.csv", get(bills::export))
        .route("/bills/{document}", get(bills::show))
        .route("/methods", get(methods::list))
        .route(
            "/methods/{id}/remove",
            get(methods::ask_remove).post(methods::remove),
        )
        .route("/renewal", get(renewal::show).post(renewal::turn_on))
        .route("/renewal/off", post(renewal::turn_off))
        .route("/line", get(line::show))
        .route("/line/usage", get(line::usage))
        .route("/line/esim", get(esim::show))
        .route("/line/esim/update", post(esim::update))
        .route("/line/esim/new", get(esim::ask_new).post(esim::issue_new))
        .layer(DefaultBodyLimit::max(fields::FORM_OCTETS_MAX))
        .merge(identity::routes())
}
