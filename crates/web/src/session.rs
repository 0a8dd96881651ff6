//! Who is asking: the session cookie, the visitor's cookie, and the token of forms.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_app::subscriber::{NewSession, Origin, SessionToken};
use simurgh_subscriber::Network;
use simurgh_vocab::{CustomerId, SessionId};

use crate::frame::{AccountLocale, Flash, Page, Refusal, Visitor};
use crate::portal::detour::Done;
use crate::state::{SignedIn, WebState};

/// The cookie of a signed-in browser.
const SESSION: &str = "__Host-simurgh";
/// The cookie of a browser without a session, to which the token of its forms is bound.
const VISIT: &str = "__Host-simurgh-visit";
/// The cookie that carries what was just done to the next page.
const DONE: &str = "__Host-simurgh-done";
/// How long the next page may take to come.
const DONE_SECONDS: u32 = 120;
/// How long the session cookie is kept; the session itself ends by its own rules.
const SESSION_SECONDS: u32 = 90 * 24 * 3600;

/// The address of whoever asks: what the operator's proxy says in its header (the last entry, which
/// the proxy itself wrote), else the other end of the connection. The header of anybody but the
/// proxy does not come this far ([`Proxies`](crate::frame::observe::Proxies)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<WebState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let told = state
            .proxy_header
            .as_ref()
            .and_then(|name| parts.headers.get(name)?.to_str().ok())
            .and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        let address = told.or(peer).unwrap_or(IpAddr::from([127, 0, 0, 1]));
        Ok(Self(address))
    }
}

/// Puts [`SignedIn`] and [`Visitor`] into every request.
pub async fn know(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let app = &state.app;
    let shown = cookie(request.headers(), SESSION).and_then(|text| SessionToken::shown(&text));
    let resumed = match &shown {
        Some(token) => match app.resume(token).await {
            Ok(resumed) => resumed,
            Err(fault) => {
                tracing::error!(%fault, "a session cannot be read");
                None
            }
        },
        None => None,
    };
    let mut new_visit = None;
    let mut visitor = Visitor::default();
    match (&resumed, &shown) {
        (Some(resumed), Some(token)) => {
            visitor.csrf = app.csrf_token(token.reveal());
            visitor.name = Some(resumed.person.name.as_str().to_owned());
            visitor.locale = Some(resumed.person.locale);
            visitor.zone = Some(resumed.person.time_zone.zone());
            let (session, customer) = (resumed.session.id, resumed.session.customer);
            request.extensions_mut().insert(SignedIn { customer });
            request
                .extensions_mut()
                .insert(Holder { customer, session });
        }
        (Some(_) | None, _) => {
            let visit = cookie(request.headers(), VISIT);
            let visit = visit.unwrap_or_else(|| {
                let fresh = app.visitor_cookie();
                new_visit = Some(fresh.clone());
                fresh
            });
            visitor.csrf = app.csrf_token(&visit);
        }
    }
    let locale = visitor.locale;
    let done = cookie(request.headers(), DONE).and_then(|code| Done::from_code(&code));
    request.extensions_mut().insert(visitor.clone());
    if let Some(done) = done {
        request = tell(&state, request, visitor, done).await;
    }
    let mut response = next.run(request).await;
    if done.is_some() && is_page(&response) {
        set_cookie(response.headers_mut(), DONE, "", Some(0));
    }
    if let Some(locale) = locale {
        response.extensions_mut().insert(AccountLocale(locale));
    }
    if let Some(visit) = new_visit {
        set_cookie(response.headers_mut(), VISIT, &visit, None);
    }
    response
}

/// Puts what was just done into the request, in the words of whoever reads it.
async fn tell(state: &WebState, request: Request, mut visitor: Visitor, done: Done) -> Request {
    let (mut parts, body) = request.into_parts();
    let Ok(page) = Page::from_request_parts(&mut parts, state).await;
    visitor.flash = Some(Flash {
        tone: done.tone(),
        text: page.t.msg(done.key()),
    });
    parts.extensions.insert(visitor);
    Request::from_parts(parts, body)
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Tells on the next page what was done.
pub(crate) fn tell_next(response: &mut Response, done: Done) {
    let headers = response.headers_mut();
    set_cookie(headers, DONE, done.code(), Some(DONE_SECONDS));
}

/// The session that asks. A handler that takes it sends everybody else to the log-in page and
/// back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    /// Who is signed in.
    pub(crate) customer: CustomerId,
    /// By which session.
    pub(crate) session: SessionId,
}

impl<S: Send + Sync> FromRequestParts<S> for Holder {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        // Whoever is signed in is so by a session.
        SignedIn::from_request_parts(parts, state).await?;
        let holder = parts.extensions.get::<Self>().copied();
        holder.ok_or_else(|| Refusal::Internal.into_response())
    }
}

/// Where a log-in comes from: the network, the device, the session the browser had.
pub(crate) struct Caller(pub(crate) Origin);

impl FromRequestParts<WebState> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let headers = &parts.headers;
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        Ok(Self(Origin {
            network: Network::of(address),
            device: device(agent.unwrap_or_default()),
            previous: cookie(headers, SESSION).and_then(|text| SessionToken::shown(&text)),
        }))
    }
}

/// Signs a browser in.
pub fn begin(response: &mut Response, session: &NewSession) {
    let token = session.token.reveal().to_owned();
    set_cookie(
        response.headers_mut(),
        SESSION,
        &token,
        Some(SESSION_SECONDS),
    );
}

/// Signs a browser out and forgets what it kept of the account.
///
/// # Errors
/// [`simurgh_app::Fault`].
pub async fn end(
    app: &App,
    headers: &HeaderMap,
    response: &mut Response,
) -> Result<(), simurgh_app::Fault> {
    if let Some(token) = cookie(headers, SESSION).and_then(|text| SessionToken::shown(&text)) {
        app.log_out(&token).await?;
    }
    set_cookie(response.headers_mut(), SESSION, "", Some(0));
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", clear);
    Ok(())
}

/// The value of a cookie; none when it is empty.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Sets a cookie for this host alone, out of reach of scripts; for so many seconds, or as long as
/// the browser runs.
pub(crate) fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str, seconds: Option<u32>) {
    let age = seconds
        .map(|seconds| format!("; Max-Age={seconds}"))
        .unwrap_or_default();
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}");
    if let Ok(line) = HeaderValue::from_str(&text) {
        headers.append(header::SET_COOKIE, line);
    }
}

/// A device as its holder may recognise it: browser and system, from what the browser says.
fn device(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    let browser = first(&[
        ("MicroMessenger", "WeChat"),
        ("AlipayClient", "Alipay"),
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    format!("{} · {}", browser.unwrap_or("?"), system.unwrap_or("?"))
}
