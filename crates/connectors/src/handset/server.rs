//! The phones' own HTTP server: their pages, and what is pressed on them.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use simurgh_euicc::lpa::Consent;
use simurgh_rsp::activation_code::ActivationCode;
use simurgh_rsp::identity::Iccid;
use simurgh_vocab::Locale;

use super::html::{self, HOUSE, View};
use super::phone::{Act, Break, Busy, Download, Label, Phone, Wish};
use super::shelf::{HandsetFault, NAME_CHARACTERS_MAX, Shelf};
use crate::sandbox::BODY_BYTES_MAX;
use crate::sandbox::html::say;
use crate::sandbox::page::{
    Choice, Language, document, is_same_origin, language, see_other, unreadable,
};

/// The phones' server.
pub struct HandsetServer {
    shelf: Shelf,
}

type Here = State<Shelf>;
type Pressed<T> = Result<Form<T>, FormRejection>;

impl HandsetServer {
    /// A server for the phones of a shelf.
    #[must_use]
    pub const fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Its pages.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(shelf))
            .route("/scan", get(scan))
            .route("/style.css", get(style))
            .route("/phone.js", get(script))
            .route("/phones", post(buy))
            .route("/phones/{id}", get(phone))
            .route("/phones/{id}/add", get(add))
            .route("/phones/{id}/download", get(progress).post(download))
            .route("/phones/{id}/find", post(find))
            .route("/phones/{id}/answer", post(answer))
            .route("/phones/{id}/airplane", post(airplane))
            .route("/phones/{id}/break", post(break_next))
            .route("/phones/{id}/tell", post(tell))
            .route("/phones/{id}/esims/{iccid}/{act}", post(act))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.shelf.clone())
    }

    /// What runs while the phones are switched on. When it is dropped, questions that wait for their owners
    /// end, so that nothing holds up the end of the program.
    pub fn power(&self) -> impl Future<Output = Infallible> + Send + 'static {
        let held = Held(self.shelf.clone());
        async move {
            let _held = held;
            pending().await
        }
    }
}

/// Lets go when it is dropped.
struct Held(Shelf);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// What a link brings: a scanned code, under our name or the one that links of phone makers use.
#[derive(Deserialize)]
struct Scanned {
    code: Option<String>,
    carddata: Option<String>,
    lang: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
    lang: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    value: String,
    confirmation_code: Option<String>,
    lang: Option<String>,
}

async fn shelf(State(shelf): Here, Query(query): Query<Language>, headers: HeaderMap) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    shelf_page(&shelf, None, locale)
}

async fn scan(State(shelf): Here, Query(query): Query<Scanned>, headers: HeaderMap) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let code = query.code.or(query.carddata).unwrap_or_default();
    shelf_page(&shelf, Some(code.trim()), locale)
}

fn shelf_page(shelf: &Shelf, code: Option<&str>, locale: Locale) -> Response {
    let phones: Vec<_> = shelf
        .phones()
        .iter()
        .map(|phone| (phone.id.clone(), html::label(phone, locale), phone.look()))
        .collect();
    shown(html::shelf_page(&phones, code, locale))
}

async fn buy(State(shelf): Here, headers: HeaderMap, form: Pressed<Choice>) -> Response {
    let (choice, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let name = choice.value.unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
        return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST);
    }
    let bought = tokio::task::spawn_blocking(move || shelf.add(Label::Named(name))).await;
    match bought {
        Ok(Ok(phone)) => see_other(&format!("/phones/{}?lang={locale}", phone.id)),
        Ok(Err(fault @ HandsetFault::Full)) => {
            message(locale, StatusCode::CONFLICT, &fault.to_string())
        }
        Ok(Err(fault @ (HandsetFault::File(_) | HandsetFault::Chip(_)))) => {
            tracing::error!(%fault, "a demo phone cannot be made");
            message(
                locale,
                StatusCode::INTERNAL_SERVER_ERROR,
                &fault.to_string(),
            )
        }
        Err(error) => message(
            locale,
            StatusCode::INTERNAL_SERVER_ERROR,
            &error.to_string(),
        ),
    }
}

async fn phone(
    State(shelf): Here,
    Path(id): Path<String>,
    Query(query): Query<Language>,
    headers: HeaderMap,
) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    let look = phone.look();
    let number = look
        .subscription
        .as_ref()
        .and_then(|one| one.number.as_ref());
    let messages = number.map(|number| shelf.messages().sent_to(number));
    let view = View {
        phone: &phone,
        look: &look,
        locale,
    };
    shown(html::phone_page(&view, &messages.unwrap_or_default()))
}

async fn add(
    State(shelf): Here,
    Path(id): Path<String>,
    Query(query): Query<Scanned>,
    headers: HeaderMap,
) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    // A question that waits for its answer comes first.
    if phone.look().download.is_under_way() {
        return see_other(&format!("/phones/{id}/download?lang={locale}"));
    }
    phone.put_aside();
    let code = query.code.unwrap_or_default();
    shown(add_page(&phone, &code, false, locale))
}

fn add_page(phone: &Phone, code: &str, is_refused: bool, locale: Locale) -> String {
    let look = phone.look();
    let view = View {
        phone,
        look: &look,
        locale,
    };
    html::add_page(&view, code, is_refused)
}

async fn download(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Code>,
) -> Response {
    let (form, locale) = match pressed(form, &headers, |form: &Code| form.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    // People copy a space or a line's end with it.
    let text: String = form.code.split_whitespace().collect();
    match text.parse::<ActivationCode>() {
        Ok(code) => begin(&shelf, &phone, (Some(text), Wish::Code(code)), locale),
        Err(_) => {
            let body = add_page(&phone, &form.code, true, locale);
            with_own_policy(document(StatusCode::UNPROCESSABLE_ENTITY, body, None))
        }
    }
}

async fn find(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Choice>,
) -> Response {
    let (_, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    match shelf.find(&id) {
        Some(phone) => begin(&shelf, &phone, (None, Wish::Anything), locale),
        None => lost(locale),
    }
}

/// Begins a download, which goes on while pages are shown. One that is under way is shown instead.
fn begin(
    shelf: &Shelf,
    phone: &Arc<Phone>,
    (code, wish): (Option<String>, Wish),
    locale: Locale,
) -> Response {
    if phone.begin(code).is_ok() {
        let (phone, radio) = (Arc::clone(phone), Arc::clone(shelf.radio()));
        // Nobody waits for it: the phone's page tells how it ends.
        drop(tokio::task::spawn_blocking(move || {
            phone.download(&wish, &radio)
        }));
    }
    see_other(&format!("/phones/{}/download?lang={locale}", phone.id))
}

async fn progress(
    State(shelf): Here,
    Path(id): Path<String>,
    Query(query): Query<Language>,
    headers: HeaderMap,
) -> Response {
    let locale = language(query.lang.as_deref(), &headers);
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    let look = phone.look();
    let view = View {
        phone: &phone,
        look: &look,
        locale,
    };
    let mut response = shown(html::download_page(&view));
    if matches!(look.download, Download::Working(_)) {
        // For browsers without script; the script is faster.
        let again = HeaderValue::from_static("2");
        response.headers_mut().insert(header::REFRESH, again);
    }
    response
}

async fn answer(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Answer>,
) -> Response {
    let (form, locale) = match pressed(form, &headers, |form: &Answer| form.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    let consent = match form.value.as_str() {
        "yes" => Consent::Yes {
            confirmation_code: form.confirmation_code.map(|code| code.trim().to_owned()),
        },
        "later" => Consent::Later,
        "no" => Consent::No,
        _ => return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST),
    };
    // A second press finds nobody who asks; the page shows how it goes.
    let _answered = phone.answer(consent);
    see_other(&format!("/phones/{id}/download?lang={locale}"))
}

async fn airplane(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Choice>,
) -> Response {
    let (choice, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let on = match choice.value.as_deref() {
        Some("on") => true,
        Some("off") => false,
        Some(_) | None => return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST),
    };
    let Some(phone) = shelf.find(&id) else {
        return lost(locale);
    };
    phone.set_airplane_mode(on);
    if on {
        return home(&id, locale);
    }
    // The network is back: what waits is told. A busy phone tells it when it is done.
    let _told = done(&shelf, &phone, Act::Tell).await;
    home(&id, locale)
}

async fn break_next(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Choice>,
) -> Response {
    let (choice, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let at = match choice.value.as_deref() {
        Some("never") => Some(Break::Never),
        Some("package") => Some(Break::Package),
        Some(piece) => piece.parse().ok().filter(|one| *one > 0).map(Break::Piece),
        None => None,
    };
    match (shelf.find(&id), at) {
        (Some(phone), Some(at)) => {
            phone.break_next(at);
            home(&id, locale)
        }
        (Some(_), None) => unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST),
        (None, _) => lost(locale),
    }
}

async fn tell(
    State(shelf): Here,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Pressed<Choice>,
) -> Response {
    let (_, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    carry_out(&shelf, &id, Act::Tell, locale).await
}

async fn act(
    State(shelf): Here,
    Path((id, iccid, act)): Path<(String, String, String)>,
    headers: HeaderMap,
    form: Pressed<Choice>,
) -> Response {
    let (choice, locale) = match pressed(form, &headers, |choice: &Choice| choice.lang.clone()) {
        Ok(pressed) => pressed,
        Err((locale, status)) => return unreadable(&HOUSE, locale, status),
    };
    let Ok(iccid) = iccid.parse::<Iccid>() else {
        return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST);
    };
    let act = match (act.as_str(), choice.value) {
        ("enable", _) => Act::Enable(iccid),
        ("disable", _) => Act::Disable(iccid),
        ("delete", _) => Act::Delete(iccid),
        ("rename", Some(name)) => Act::Rename(iccid, name.trim().to_owned()),
        _ => return unreadable(&HOUSE, locale, StatusCode::BAD_REQUEST),
    };
    carry_out(&shelf, &id, act, locale).await
}

async fn carry_out(shelf: &Shelf, id: &str, act: Act, locale: Locale) -> Response {
    let Some(phone) = shelf.find(id) else {
        return lost(locale);
    };
    match done(shelf, &phone, act).await {
        Ok(()) => home(id, locale),
        Err(Busy) => message(
            locale,
            StatusCode::CONFLICT,
            say(
                locale,
                "手机正在忙。请等它完成后再试。",
                "The phone is busy. Wait until it is done and try again.",
            ),
        ),
    }
}

async fn done(shelf: &Shelf, phone: &Arc<Phone>, act: Act) -> Result<(), Busy> {
    let (phone, radio) = (Arc::clone(phone), Arc::clone(shelf.radio()));
    tokio::task::spawn_blocking(move || phone.act(&act, &radio))
        .await
        .unwrap_or(Err(Busy))
}

/// What was pressed and in which language, if it was pressed on a page of ours; else how it is refused.
fn pressed<T>(
    form: Pressed<T>,
    headers: &HeaderMap,
    lang: impl FnOnce(&T) -> Option<String>,
) -> Result<(T, Locale), (Locale, StatusCode)> {
    let Ok(Form(form)) = form else {
        return Err((language(None, headers), StatusCode::BAD_REQUEST));
    };
    let locale = language(lang(&form).as_deref(), headers);
    if is_same_origin(headers) {
        Ok((form, locale))
    } else {
        Err((locale, StatusCode::FORBIDDEN))
    }
}

fn home(id: &str, locale: Locale) -> Response {
    see_other(&format!("/phones/{id}?lang={locale}"))
}

fn lost(locale: Locale) -> Response {
    let what = say(
        locale,
        "没有这部手机。请回到手机列表。",
        "There is no such phone. Go back to the list.",
    );
    message(locale, StatusCode::NOT_FOUND, what)
}

fn message(locale: Locale, status: StatusCode, what: &str) -> Response {
    document(status, HOUSE.message(locale, what), None)
}

fn shown(body: String) -> Response {
    with_own_policy(document(StatusCode::OK, body, None))
}

/// The pages have a script of their own, which asks this server only.
fn with_own_policy(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn style() -> Response {
    let css = concat!(
        include_str!("../sandbox/style.css"),
        include_str!("phone.css")
    );
    file("text/css; charset=utf-8", css)
}

async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("phone.js"))
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let kind = (header::CONTENT_TYPE, kind);
    let keep = (header::CACHE_CONTROL, "max-age=300");
    let as_said = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    ([kind, keep, as_said], content).into_response()
}
