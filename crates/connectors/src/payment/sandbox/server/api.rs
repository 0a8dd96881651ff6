//! The API for the merchant. Every request is signed, and so is every answer to a signed request.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use simurgh_app::ports::ProviderReport;

use super::super::book::Refusal;
use super::super::desk::Sandbox;
use super::super::direct::page_url;
use super::super::outcome::Outcome;
use super::super::wire::{
    self, BookBody, ChargeBody, OpenBody, OpenedBody, OutcomeBody, PaymentBody, RefundBody,
    RefundedBody,
};
use super::{Site, blocking};
use crate::sandbox::Refused;
use crate::sandbox::gate::{ApiRefusal, answer, guard, json};

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

async fn open(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<OpenBody>(&body).and_then(OpenBody::read) {
        Ok(request) => request,
        Err(reason) => return answer::<(), Refusal>(Err(reason.into())),
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
        Err(reason) => return answer::<(), Refusal>(Err(reason.into())),
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
        Err(reason) => return answer::<(), Refusal>(Err(reason.into())),
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
        Err(reason) => return answer::<(), Refusal>(Err(reason.into())),
    };
    let decided = blocking(&site, move |sandbox| sandbox.decide(payment, outcome)).await;
    answer(
        decided
            .map_err(ApiRefusal::from)
            .map(|()| serde_json::Map::new()),
    )
}

async fn book(State(site): Here) -> Response {
    answer::<_, Refusal>(Ok(BookBody::new(&site.sandbox.book())))
}

fn said(site: &Site, report: Option<ProviderReport>) -> Result<PaymentBody, ApiRefusal<Refusal>> {
    report
        .map(|report| PaymentBody::new(&report, site.settings.merchant()))
        .ok_or(ApiRefusal::NoAnswer)
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        Self::code(*self)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::PaymentUnknown => StatusCode::NOT_FOUND,
            Self::ContextInconsistent | Self::AlreadyDecided => StatusCode::CONFLICT,
            Self::AmountInvalid | Self::ReturnUrlInvalid | Self::DescriptionInvalid => {
                StatusCode::BAD_REQUEST
            }
            Self::NoPayer | Self::NotCaptured | Self::ExceedsCaptured | Self::MandateUnknown => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        }
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
