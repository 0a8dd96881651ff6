//! The outside company's own HTTP server: an API for the operator, a page for the person, a page
//! over the book, and the courier that brings notifications to the operator.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use simurgh_vocab::Locale;

use super::book::Refusal;
use super::desk::{Sandbox, SandboxFault};
use super::html::{self, HOUSE};
use super::outcome::Outcome;
use super::wire::{self, CheckBody, StartBody, StartedBody};
use crate::sandbox::courier::{self, Courier};
use crate::sandbox::desk::blocking;
use crate::sandbox::gate::{ApiRefusal, Gate, answer, guard};
use crate::sandbox::page::{
    Choice, Language, document, failed, is_same_origin, language, see_other, style, unreadable,
};
use crate::sandbox::signature::Signer;
use crate::sandbox::{BODY_BYTES_MAX, Fault, Refused, SandboxSettings};

/// The outside company's server.
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

type Here = State<Arc<Site>>;

impl SandboxServer {
    /// A server for `sandbox`. The settings' public address must lead to the listener it is given
    /// later.
    ///
    /// # Errors
    /// `SandboxFault::Http` when the client for notifications cannot be made.
    pub fn new(sandbox: Sandbox, settings: SandboxSettings) -> Result<Self, SandboxFault> {
        let http = courier::client().map_err(|error| Fault::Http(error.to_string()))?;
        let gate = Arc::new(Gate {
            signer: Signer::new(settings.key()),
            clock: sandbox.desk().clock(),
        });
        let site = Arc::new(Site {
            sandbox,
            settings,
            gate,
        });
        Ok(Self { site, http })
    }

    /// Its pages and API. Notifications leave only while the [`courier`](Self::courier) runs.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/v1/checks", post(start))
            .route("/v1/checks/{reference}", get(status))
            .route_layer(from_fn_with_state(Arc::clone(&self.site.gate), guard));
        Router::new()
            .route("/", get(book))
            .route("/style.css", get(style))
            .route("/check/{page}", get(person).post(pressed))
            .route("/book/{reference}/{action}", post(act))
            .merge(api)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&self.site))
    }

    /// What brings notifications to the operator while it runs; it never ends by itself.
    pub fn courier(&self) -> impl Future<Output = Infallible> + Send + 'static {
        Courier {
            desk: self.site.sandbox.desk().clone(),
            http: self.http.clone(),
            gate: Arc::clone(&self.site.gate),
            notify_url: self.site.settings.notify_url().to_owned(),
            account: self.site.settings.merchant().to_owned(),
            body: wire::letter,
        }
        .run()
    }
}

async fn start(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<StartBody>(&body).and_then(StartBody::read) {
        Ok(request) => request,
        Err(reason) => return answer::<(), Refusal>(Err(reason.into())),
    };
    let started = blocking(site.sandbox.clone(), |sandbox| sandbox.start(request)).await;
    answer(
        started
            .map_err(ApiRefusal::Fault)
            .map(|tokens| StartedBody {
                redirect_url: format!("{}/check/{}", site.settings.public_url(), tokens.page),
                reference: tokens.reference,
            }),
    )
}

async fn status(State(site): Here, Path(reference): Path<String>) -> Response {
    let known = site.sandbox.status(&reference);
    answer(match known {
        Ok(Some(report)) => Ok(CheckBody::new(&report, site.settings.merchant())),
        Ok(None) => Err(ApiRefusal::NoAnswer),
        Err(fault) => Err(ApiRefusal::Fault(fault)),
    })
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        Self::code(*self)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::CheckUnknown => StatusCode::NOT_FOUND,
            Self::ContextInconsistent | Self::AlreadyDecided => StatusCode::CONFLICT,
            Self::RuleInvalid | Self::ReturnUrlInvalid => StatusCode::BAD_REQUEST,
        }
    }
}

/// A button of the person's page.
#[derive(Deserialize)]
struct Press {
    outcome: String,
}

/// What the handlers of the person's page need of its check.
struct Visit {
    reference: String,
    return_url: String,
    locale: Locale,
}

async fn person(State(site): Here, Path(page): Path<String>) -> Response {
    let shown = site.sandbox.read(|book, _| {
        book.entry_of_page(&page).map(|entry| {
            let body = html::person_page(entry, site.settings.merchant());
            (body, entry.request.return_url.clone())
        })
    });
    match shown {
        Some((body, return_url)) => document(StatusCode::OK, body, Some(&return_url)),
        None => lost(),
    }
}

async fn pressed(
    State(site): Here,
    Path(page): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Press>, FormRejection>,
) -> Response {
    let visit = site.sandbox.read(|book, _| {
        book.entry_of_page(&page).map(|entry| Visit {
            reference: entry.tokens.reference.clone(),
            return_url: entry.request.return_url.clone(),
            locale: entry.request.locale,
        })
    });
    let Some(visit) = visit else {
        return lost();
    };
    let outcome = form
        .ok()
        .and_then(|Form(press)| Outcome::from_code(&press.outcome));
    let Some(outcome) = outcome else {
        return unreadable(&HOUSE, visit.locale, StatusCode::BAD_REQUEST);
    };
    if !is_same_origin(&headers) {
        return unreadable(&HOUSE, visit.locale, StatusCode::FORBIDDEN);
    }
    let reference = visit.reference;
    let decided = blocking(site.sandbox.clone(), move |sandbox| {
        sandbox.decide(&reference, outcome)
    });
    match decided.await {
        // A second press on a page that was left open: what was decided stands.
        Ok(()) | Err(Fault::Refused(Refusal::AlreadyDecided)) => see_other(&visit.return_url),
        Err(fault) => failed(&HOUSE, visit.locale, &fault),
    }
}

async fn book(State(site): Here, Query(query): Query<Language>, headers: HeaderMap) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let body = site.sandbox.read(|book, _| html::book_page(book, locale));
    document(StatusCode::OK, body, None)
}

async fn act(
    State(site): Here,
    Path((reference, action)): Path<(String, String)>,
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
    let outcome = choice.value.as_deref().and_then(Outcome::from_code);
    let told = reference.clone();
    let done = match (action.as_str(), outcome) {
        ("outcome", Some(outcome)) => {
            blocking(site.sandbox.clone(), move |sandbox| {
                sandbox.decide(&reference, outcome)
            })
            .await
        }
        ("send-again", _) => {
            blocking(site.sandbox.clone(), move |sandbox| {
                sandbox.send_again(&reference)
            })
            .await
        }
        _ => return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST),
    };
    match done {
        Ok(()) | Err(Fault::Refused(Refusal::AlreadyDecided)) => {
            see_other(&format!("/?lang={locale}#{told}"))
        }
        Err(fault) => failed(&HOUSE, locale, &fault),
    }
}

fn lost() -> Response {
    let what =
        "没有这次核验，请回到原页面重新开始。 / There is no such check. Go back and start again.";
    let body = HOUSE.message(Locale::ZhCn, what);
    document(StatusCode::NOT_FOUND, body, None)
}
