//! The pages: the payer's, and the one over the book. Plain forms, no script.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use simurgh_vocab::{Locale, PaymentId};

use super::super::book::{Entry, Origin, Refusal};
use super::super::desk::{Sandbox, SandboxFault};
use super::super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::html::{self, HOUSE};
use super::{Site, api, blocking};
use crate::sandbox::html::say;
use crate::sandbox::page::{
    Choice, Language, document, failed, is_same_origin, language, see_other, style, unreadable,
};

type Here = State<Arc<Site>>;

pub(super) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(book))
        .route("/book.json", get(api::book_json))
        .route("/style.css", get(style))
        .route("/pay/{page}", get(pay).post(pressed))
        .route("/book/{number}/{action}", post(act))
}

/// A button of the payer's page.
#[derive(Deserialize)]
struct Press {
    outcome: String,
    behaviour: Option<String>,
}

/// What the handlers of the payer's page need of its payment.
struct Visit {
    payment: PaymentId,
    stores_method: bool,
    return_url: String,
    locale: Locale,
}

async fn pay(State(site): Here, Path(page): Path<String>) -> Response {
    let shown = site.sandbox.read(|book, _| {
        book.entry_of_page(&page).and_then(|entry| {
            let visit = visit(entry)?;
            let body = html::payer_page(entry, site.settings.merchant(), &visit.return_url);
            Some((visit, body))
        })
    });
    match shown {
        Some((visit, body)) => document(StatusCode::OK, body, Some(&visit.return_url)),
        None => lost(Locale::ZhCn),
    }
}

async fn pressed(
    State(site): Here,
    Path(page): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Press>, FormRejection>,
) -> Response {
    let visit = site
        .sandbox
        .read(|book, _| book.entry_of_page(&page).and_then(visit));
    let Some(visit) = visit else {
        return lost(Locale::ZhCn);
    };
    let Some((outcome, behaviour)) = form.ok().and_then(|Form(press)| press.read()) else {
        return unreadable(&HOUSE, visit.locale, StatusCode::BAD_REQUEST);
    };
    if !is_same_origin(&headers) {
        return unreadable(&HOUSE, visit.locale, StatusCode::FORBIDDEN);
    }
    let (payment, stores_method) = (visit.payment, visit.stores_method);
    let decided = blocking(&site, move |sandbox| {
        if let Some(behaviour) = behaviour.filter(|_| stores_method) {
            sandbox.behave(payment, behaviour)?;
        }
        sandbox.decide(payment, outcome)
    });
    match decided.await {
        Ok(()) if outcome == Outcome::NeedsBank => see_other(&format!("/pay/{page}")),
        // A second press on a page that was left open: what was decided stands.
        Ok(()) | Err(SandboxFault::Refused(Refusal::AlreadyDecided)) => {
            see_other(&visit.return_url)
        }
        Err(fault) => failed(&HOUSE, visit.locale, &fault),
    }
}

async fn book(State(site): Here, Query(query): Query<Language>, headers: HeaderMap) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let body = site
        .sandbox
        .read(|book, now| html::book_page(book, locale, now));
    document(StatusCode::OK, body, None)
}

async fn act(
    State(site): Here,
    Path((number, action)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Form<Choice>, FormRejection>,
) -> Response {
    let Ok(Form(choice)) = form else {
        return unreadable(&HOUSE, language(None, &headers), StatusCode::BAD_REQUEST);
    };
    let locale = language(choice.lang.as_deref(), &headers);
    if !is_same_origin(&headers) {
        return unreadable(&HOUSE, locale, StatusCode::FORBIDDEN);
    }
    let chosen = choice.value.as_deref().unwrap_or_default();
    let Some((payment, act)) = PaymentId::from_number(&number).zip(Act::read(&action, chosen))
    else {
        return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST);
    };
    match blocking(&site, move |sandbox| act.carry_out(sandbox, payment)).await {
        Ok(()) | Err(SandboxFault::Refused(Refusal::AlreadyDecided)) => {
            see_other(&format!("/?lang={locale}#p{number}"))
        }
        Err(fault) => failed(&HOUSE, locale, &fault),
    }
}

/// What can be done on the page over the book.
#[derive(Clone, Copy)]
enum Act {
    Decide(Outcome),
    Behave(Behaviour),
    BehaveRefunds(RefundBehaviour),
    SendAgain,
}

impl Act {
    fn read(action: &str, value: &str) -> Option<Self> {
        match action {
            "outcome" => Outcome::from_code(value).map(Self::Decide),
            "behaviour" => Behaviour::from_code(value).map(Self::Behave),
            "refunds" => RefundBehaviour::from_code(value).map(Self::BehaveRefunds),
            "send-again" => Some(Self::SendAgain),
            _ => None,
        }
    }

    fn carry_out(self, sandbox: &Sandbox, payment: PaymentId) -> Result<(), SandboxFault> {
        match self {
            Self::Decide(outcome) => sandbox.decide(payment, outcome),
            Self::Behave(behaviour) => sandbox.behave(payment, behaviour),
            Self::BehaveRefunds(behaviour) => sandbox.behave_refunds(payment, behaviour),
            Self::SendAgain => sandbox.send_again(payment),
        }
    }
}

impl Press {
    fn read(self) -> Option<(Outcome, Option<Behaviour>)> {
        let outcome = Outcome::from_code(&self.outcome)?;
        match self.behaviour {
            None => Some((outcome, None)),
            Some(code) => Behaviour::from_code(&code).map(|behaviour| (outcome, Some(behaviour))),
        }
    }
}

fn visit(entry: &Entry) -> Option<Visit> {
    match &entry.origin {
        Origin::Page {
            return_url, locale, ..
        } => Some(Visit {
            payment: entry.payment,
            stores_method: entry.stores_method(),
            return_url: return_url.clone(),
            locale: *locale,
        }),
        Origin::Charge { .. } => None,
    }
}

fn lost(locale: Locale) -> Response {
    let what = say(
        locale,
        "没有这笔付款。请回到商户页面重新开始。 / There is no such payment.",
        "There is no such payment. Go back to the shop and start again.",
    );
    document(StatusCode::NOT_FOUND, HOUSE.message(locale, what), None)
}
