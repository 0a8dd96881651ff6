//! The outside company's own HTTP server: an API for the operator, a page for the person, a page
//! over the book, and the courier that brings notifications to the operator.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use simurgh_vocab::Locale;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::book::{Command, LetterId, Refusal};
use super::desk::{Sandbox, SandboxFault};
use super::html;
use super::outcome::Outcome;
use super::wire::{self, CheckBody, StartBody, StartedBody, Unreadable};
use crate::sandbox::courier::{self, AT_ONCE, bring, next_try};
use crate::sandbox::desk::blocking;
use crate::sandbox::gate::{Gate, error, guard, json};
use crate::sandbox::html::say;
use crate::sandbox::page::{
    Choice, Language, document, is_same_origin, language, see_other, style,
};
use crate::sandbox::queue::Delivery;
use crate::sandbox::signature::Signer;
use crate::sandbox::{BODY_BYTES_MAX, Fault, SandboxSettings};

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

    /// Its pages and API. Notifications leave only while [`serve`](Self::serve) runs.
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
            never = carry(&self.site, &self.http) => match never {},
        }
    }
}

/// Why the API does not do as asked.
enum ApiRefusal {
    Unreadable(Unreadable),
    Fault(SandboxFault),
    /// The outcome chosen for the check is that nobody answers.
    NoAnswer,
}

async fn start(State(site): Here, body: Bytes) -> Response {
    let request = match wire::read::<StartBody>(&body).and_then(StartBody::read) {
        Ok(request) => request,
        Err(reason) => return refused(ApiRefusal::Unreadable(reason)),
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
        ApiRefusal::Fault(Fault::Refused(refusal)) => {
            error(status_of(refusal), refusal.code(), &refusal.to_string())
        }
        ApiRefusal::Fault(fault) => {
            tracing::error!(%fault, "the sandbox identity check failed");
            error(StatusCode::INTERNAL_SERVER_ERROR, "fault", "a fault inside")
        }
    }
}

const fn status_of(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::CheckUnknown => StatusCode::NOT_FOUND,
        Refusal::ContextInconsistent | Refusal::AlreadyDecided => StatusCode::CONFLICT,
        Refusal::RuleInvalid | Refusal::ReturnUrlInvalid => StatusCode::BAD_REQUEST,
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
        return unreadable(visit.locale, StatusCode::BAD_REQUEST);
    };
    if !is_same_origin(&headers) {
        return unreadable(visit.locale, StatusCode::FORBIDDEN);
    }
    let reference = visit.reference;
    let decided = blocking(site.sandbox.clone(), move |sandbox| {
        sandbox.decide(&reference, outcome)
    });
    match decided.await {
        // A second press on a page that was left open: what was decided stands.
        Ok(()) | Err(Fault::Refused(Refusal::AlreadyDecided)) => see_other(&visit.return_url),
        Err(fault) => failed(visit.locale, &fault),
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
        return unreadable(language(None, &headers), StatusCode::BAD_REQUEST);
    };
    let locale = language(choice.lang.as_deref(), &headers);
    if !is_same_origin(&headers) {
        return unreadable(locale, StatusCode::FORBIDDEN);
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
        _ => return unreadable(locale, StatusCode::BAD_REQUEST),
    };
    match done {
        Ok(()) | Err(Fault::Refused(Refusal::AlreadyDecided)) => {
            see_other(&format!("/?lang={locale}#{told}"))
        }
        Err(fault) => failed(locale, &fault),
    }
}

fn lost() -> Response {
    let what =
        "没有这次核验，请回到原页面重新开始。 / There is no such check. Go back and start again.";
    let body = html::message_page(Locale::ZhCn, what);
    document(StatusCode::NOT_FOUND, body, None)
}

fn unreadable(locale: Locale, status: StatusCode) -> Response {
    let what = say(
        locale,
        "无法识别此请求。请回到上一页重试。",
        "This request cannot be read. Go back and try again.",
    );
    document(status, html::message_page(locale, what), None)
}

fn failed(locale: Locale, fault: &SandboxFault) -> Response {
    let status = match fault {
        Fault::Refused(Refusal::CheckUnknown) => StatusCode::NOT_FOUND,
        Fault::Refused(_) => StatusCode::CONFLICT,
        Fault::Journal(_) | Fault::Http(_) => {
            tracing::error!(%fault, "the sandbox identity check failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    document(status, html::message_page(locale, &fault.to_string()), None)
}

/// Brings notifications to the operator until they are taken.
async fn carry(site: &Arc<Site>, http: &reqwest::Client) -> Infallible {
    loop {
        let due = site.sandbox.read(|book, now| book.due(now, AT_ONCE));
        if due.is_empty() {
            let (next_due, now) = site.sandbox.read(|book, now| (book.next_due(), now));
            courier::wait(next_due, now, site.sandbox.desk().changed()).await;
            continue;
        }
        let mut under_way = JoinSet::new();
        for delivery in due {
            under_way.spawn(deliver(Arc::clone(site), http.clone(), delivery));
        }
        under_way.join_all().await;
    }
}

async fn deliver(site: Arc<Site>, http: reqwest::Client, delivery: Delivery<LetterId>) {
    let Some((event_id, report)) = site.sandbox.read(|book, _| book.letter(delivery.id)) else {
        return;
    };
    let body = wire::body(&event_id, &report, site.settings.merchant());
    let mut settled = bring(&http, &site.gate, site.settings.notify_url(), body).await;
    if settled {
        let written = blocking(site.sandbox.clone(), move |sandbox| {
            sandbox.write(&Command::Taken(delivery.id))
        });
        if let Err(fault) = written.await {
            tracing::error!(%fault, "a notification was taken, but that cannot be remembered");
            settled = false;
        }
    }
    if !settled {
        let desk = site.sandbox.desk();
        let due_at = next_try(delivery.attempts, desk.now());
        desk.adjust(|book| book.postpone(delivery.id, due_at));
    }
}
