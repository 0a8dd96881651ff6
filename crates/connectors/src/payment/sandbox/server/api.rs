//! The API for the merchant. Every request is signed, and so is every answer to a signed request.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;
use simurgh_app::ports::ProviderReport;

use super::super::book::Refusal;
use super::super::desk::{Sandbox, SandboxFault};
use super::super::direct::page_url;
use super::super::outcome::Outcome;
use super::super::wire::{
    self, BookBody, ChargeBody, OpenBody, OpenedBody, OutcomeBody, PaymentBody, RefundBody,
    RefundedBody, Unreadable,
};
use super::{Site, blocking};
use crate::sandbox::gate::{error, guard, json};

type Here = State<Arc<Site>>;

pub(super) fn router(site: &Site) -> Router<Arc<Site>> {
    Router::new()
        .route("/v1/payments", post(open))
        .route("/v1/payments/{number}", get(status))
        .route("/v1/payments/{number}/outcome", post(decide))
        .route("/v1/charges", post(charge))
        .route("/v1/refunds", post(refund))
        .route("/v1/book", get(book))
        .route_layer(from_fn_with_state(Arc::clone(&site.gate), guard))
}

/// Why the API does not do as asked.
enum ApiRefusal {
    Unreadable(Unreadable),
    Fault(SandboxFault),
    /// The outcome chosen for the payment is that nobody answers.
    NoAnswer,
}

impl From<Unreadable> for ApiRefusal {
    fn from(reason: Unreadable) -> Self {
        Self::Unreadable(reason)
    }
}

impl From<SandboxFault> for ApiRefusal {
    fn from(fault: SandboxFault) -> Self {
        Self::Fault(fault)
    }
}

async fn open(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<OpenBody>(&body).and_then(OpenBody::read) {
        Ok(request) => request,
        Err(reason) => return refused(ApiRefusal::Unreadable(reason)),
    };
    let page = blocking(&site, |sandbox| sandbox.open(request)).await;
    answer(page.map_err(ApiRefusal::from).map(|page| OpenedBody {
        redirect_url: page_url(&site.settings, &page),
    }))
}

async fn status(State(site): Here, Path(number): Path<String>) -> Response {
    let known = wire::payment_id(&number)
        .map_err(ApiRefusal::from)
        .and_then(|payment| Ok(site.sandbox.status(payment)?));
    answer(known.and_then(|report| said(&site, report)))
}

async fn charge(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<ChargeBody>(&body).and_then(ChargeBody::read) {
        Ok(request) => request,
        Err(reason) => return refused(ApiRefusal::Unreadable(reason)),
    };
    let report = blocking(&site, |sandbox| sandbox.charge(request)).await;
    answer(
        report
            .map_err(ApiRefusal::from)
            .and_then(|report| said(&site, report)),
    )
}

async fn refund(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<RefundBody>(&body).and_then(|body| body.read()) {
        Ok(request) => request,
        Err(reason) => return refused(ApiRefusal::Unreadable(reason)),
    };
    let id = request.refund;
    let status = blocking(&site, |sandbox| sandbox.refund(request)).await;
    answer(
        status
            .map_err(ApiRefusal::from)
            .map(|status| RefundedBody::new(id, status)),
    )
}

async fn decide(State(site): Here, Path(number): Path<String>, body: Bytes) -> Response {
    let decision = wire::payment_id(&number).and_then(|payment| {
        let outcome = wire::read::<OutcomeBody>(&body)?.outcome;
        Ok((
            payment,
            Outcome::from_code(&outcome).ok_or("unknown outcome")?,
        ))
    });
    let (payment, outcome) = match decision {
        Ok(decision) => decision,
        Err(reason) => return refused(ApiRefusal::Unreadable(reason)),
    };
    let decided = blocking(&site, move |sandbox| sandbox.decide(payment, outcome)).await;
    answer(
        decided
            .map_err(ApiRefusal::from)
            .map(|()| serde_json::Map::new()),
    )
}

async fn book(State(site): Here) -> Response {
    answer(Ok(BookBody::new(&site.sandbox.book())))
}

fn said(site: &Site, report: Option<ProviderReport>) -> Result<PaymentBody, ApiRefusal> {
    report
        .map(|report| PaymentBody::new(&report, site.settings.merchant()))
        .ok_or(ApiRefusal::NoAnswer)
}

fn answer<T: Serialize>(result: Result<T, ApiRefusal>) -> Response {
    match result {
        Ok(body) => json(StatusCode::OK, wire::write(&body)),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: ApiRefusal) -> Response {
    match refusal {
        ApiRefusal::Unreadable(reason) => error(StatusCode::BAD_REQUEST, "unreadable", reason),
        ApiRefusal::NoAnswer => error(StatusCode::GATEWAY_TIMEOUT, "no-answer", "no answer"),
        ApiRefusal::Fault(SandboxFault::Refused(refusal)) => {
            error(status_of(refusal), refusal.code(), &refusal.to_string())
        }
        ApiRefusal::Fault(fault) => {
            tracing::error!(%fault, "the sandbox provider failed");
            error(StatusCode::INTERNAL_SERVER_ERROR, "fault", "a fault inside")
        }
    }
}

const fn status_of(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::PaymentUnknown => StatusCode::NOT_FOUND,
        Refusal::ContextInconsistent | Refusal::AlreadyDecided => StatusCode::CONFLICT,
        Refusal::AmountInvalid | Refusal::ReturnUrlInvalid | Refusal::DescriptionInvalid => {
            StatusCode::BAD_REQUEST
        }
        Refusal::NoPayer
        | Refusal::NotCaptured
        | Refusal::ExceedsCaptured
        | Refusal::MandateUnknown => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The book without a signature, for a person with a browser or an auditor's script. It names no
/// tokens.
pub(super) async fn book_json(State(site): Here) -> Response {
    json(
        StatusCode::OK,
        wire::write(&BookBody::new(&Sandbox::book(&site.sandbox))),
    )
}
