//! Customers: search, and everything about one of them.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{CustomerFile, Happening, Occurrence, RevealedContact};
use simurgh_app::line::LineView;
use simurgh_app::ports::{HeardNotification, Mandate};
use simurgh_charging::UnitStanding;
use simurgh_commerce::Refund;
use simurgh_subscriber::{Customer, Marketing, Person, Profile};
use simurgh_vocab::{CustomerId, Locale, Money, Timestamp};

use super::esim::ProfileRow;
use super::messages::MessageRow;
use super::orders::{DocumentRow, OrderRow, RefundRow};
use super::reason::given;
use super::session::Staff;
use super::tickets::TicketRow;
use super::words::{self, Mark, failed};
use crate::frame::{Balance, Form, Nav, Page, Refusal, Tone};
use crate::i18n::Text;
use crate::portal::fields::Sent;

/// The fewest characters to search for.
const QUERY_CHARS_MIN: usize = 2;
/// The most events of a timeline.
const EVENTS: usize = 100;

/// A customer in a table.
struct FoundRow {
    number: String,
    name: String,
    phone: String,
    email: String,
    mark: Mark,
    registered_at: Timestamp,
}

impl FoundRow {
    fn of(t: &Text, customer: &Customer) -> Self {
        let person = customer.person();
        let email = person.and_then(|person| person.email.as_ref());
        Self {
            number: customer.id.number(),
            name: person
                .map(|person| person.name.as_str().to_owned())
                .unwrap_or_default(),
            phone: person
                .map(|person| person.phone.masked())
                .unwrap_or_default(),
            email: email
                .map(|email| email.address.masked())
                .unwrap_or_default(),
            mark: words::customer(t, &customer.state),
            registered_at: customer.registered_at,
        }
    }
}

#[derive(Template)]
#[template(path = "console/customers.html")]
struct CustomersPage {
    page: Page,
    form: Form,
    searched: bool,
    rows: Vec<FoundRow>,
}

/// `GET /customers`: asks whom to look for.
pub(super) async fn ask(page: Page) -> Response {
    Page::answer(&CustomersPage {
        form: Form::new(),
        searched: false,
        rows: Vec::new(),
        page: page.at(Nav::Customers),
    })
}

/// `POST /customers`: a number, a mailbox or a name is personal and belongs into no address.
pub(super) async fn search(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let text = fields.text("q");
    let mut form = Form::new().fill("q", text);
    if text.chars().count() < QUERY_CHARS_MIN {
        form.refuse("q", page.t.msg("desk-search-short"));
        let mut response = Page::answer(&CustomersPage {
            form,
            searched: false,
            rows: Vec::new(),
            page: page.at(Nav::Customers),
        });
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    let found = app.search_customers(staff.0.staff, text.to_owned()).await;
    let found = found.map_err(|fault| failed(&fault))?;
    Ok(Page::answer(&CustomersPage {
        form,
        searched: true,
        rows: found
            .iter()
            .map(|customer| FoundRow::of(&page.t, customer))
            .collect(),
        page: page.at(Nav::Customers),
    }))
}

/// `GET /customers/{number}`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let file = open(&app, &staff, &number).await?;
    Ok(Page::answer(&customer_page(page, Form::new(), &file, None)))
}

/// `POST /customers/{number}/reveal`: the same page with the contacts in clear, for a reason.
pub(super) async fn reveal(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let file = open(&app, &staff, &number).await?;
    let reason = match given(&page, &fields) {
        Ok(reason) => reason,
        Err(text) => {
            let mut form = Form::new().fill("reason", fields.text("reason"));
            form.refuse("reason", text);
            let mut response = Page::answer(&customer_page(page, form, &file, None));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
    };
    let contact = app
        .reveal_contact(staff.0.staff, file.customer.id, reason)
        .await;
    let contact = contact
        .map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)?;
    Ok(Page::answer(&customer_page(
        page,
        Form::new(),
        &file,
        Some(&contact),
    )))
}

async fn open(app: &App, staff: &Staff, number: &str) -> Result<CustomerFile, Refusal> {
    let id = CustomerId::from_number(number).ok_or(Refusal::NotFound)?;
    let file = app.customer_file(staff.0.staff, id).await;
    file.map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)
}

/// The person as staff sees them.
struct PersonCard {
    name: String,
    phone: String,
    email: String,
    email_confirmed: bool,
    user_name: String,
    language: &'static str,
    time_zone: String,
    marketing: bool,
}

impl PersonCard {
    fn of(person: &Person, revealed: Option<&RevealedContact>) -> Self {
        let email = person.email.as_ref();
        let masked = || email.map(|email| email.address.masked());
        let clear = |contact: &RevealedContact| {
            let email = contact.email.as_ref();
            email.map(|address| address.as_str().to_owned())
        };
        Self {
            name: person.name.as_str().to_owned(),
            phone: revealed.map_or_else(
                || person.phone.masked(),
                |contact| contact.phone.as_str().to_owned(),
            ),
            email: revealed.map_or_else(masked, clear).unwrap_or_default(),
            email_confirmed: email.is_some_and(|email| email.confirmed_at.is_some()),
            user_name: person
                .user_name
                .as_ref()
                .map(|name| name.as_str().to_owned())
                .unwrap_or_default(),
            language: match person.locale {
                Locale::ZhCn => "中文",
                Locale::En => "English",
            },
            time_zone: person.time_zone.as_str().to_owned(),
            marketing: match person.marketing {
                Marketing::Given { .. } => true,
                Marketing::NeverAsked | Marketing::Withdrawn { .. } => false,
            },
        }
    }
}

/// A line as staff sees it.
struct LineCard {
    number: String,
    mark: Mark,
    opened_at: Timestamp,
    plans: Vec<(String, String)>,
    balances: Vec<Balance>,
    renews: bool,
    profiles: Vec<ProfileRow>,
}

impl LineCard {
    fn of(t: &Text, view: &LineView, file: &CustomerFile) -> Self {
        let balance =
            |unit: &UnitStanding| Balance::new(unit.unit, unit.granted, unit.used, unit.reserved);
        let plans = view.plans.iter().map(|plan| {
            let [zh_cn, en] = &plan.names;
            let name = match t.locale() {
                Locale::ZhCn => zh_cn,
                Locale::En => en,
            };
            (
                name.clone(),
                words::subscription(t, plan.subscription.state),
            )
        });
        Self {
            number: view.line.id.number(),
            mark: words::line(t, view.line.state),
            opened_at: view.line.opened_at,
            plans: plans.collect(),
            balances: view.standing.units.iter().map(balance).collect(),
            renews: view.renewal.is_some(),
            profiles: file
                .profiles
                .iter()
                .map(|(profile, _)| profile)
                .filter(|profile| profile.line == Some(view.line.id))
                .map(|profile| ProfileRow::of(t, profile, None))
                .collect(),
        }
    }
}

/// A payment attempt in a table.
struct PaymentRow {
    number: String,
    order: String,
    provider: String,
    method: String,
    mark: Mark,
    failure: String,
    amount: Money,
    created_at: Timestamp,
}

struct MandateRow {
    method: String,
    display: String,
    created_at: Timestamp,
}

struct CaseRow {
    rule: String,
    mark: Mark,
}

struct EventRow {
    at: Timestamp,
    tone: Tone,
    title: String,
    note: String,
    /// The page that tells more; empty when there is none.
    href: String,
}

#[derive(Template)]
#[template(path = "console/customer.html")]
struct CustomerPage {
    page: Page,
    form: Form,
    number: String,
    mark: Mark,
    registered_at: Timestamp,
    person: Option<PersonCard>,
    revealed: bool,
    lines: Vec<LineCard>,
    orders: Vec<OrderRow>,
    payments: Vec<PaymentRow>,
    refunds: Vec<RefundRow>,
    documents: Vec<DocumentRow>,
    mandates: Vec<MandateRow>,
    messages: Vec<MessageRow>,
    tickets: Vec<TicketRow>,
    cases: Vec<CaseRow>,
    events: Vec<EventRow>,
}

fn customer_page(
    page: Page,
    form: Form,
    file: &CustomerFile,
    revealed: Option<&RevealedContact>,
) -> CustomerPage {
    let t = &page.t;
    let person = file.customer.person();
    let mandate = |mandate: &Mandate| MandateRow {
        method: words::method(t, mandate.method),
        display: mandate.display.clone(),
        created_at: mandate.created_at,
    };
    let timeline = file.timeline(EVENTS);
    CustomerPage {
        form,
        number: file.customer.id.number(),
        mark: words::customer(t, &file.customer.state),
        registered_at: file.customer.registered_at,
        person: person.map(|person| PersonCard::of(person, revealed)),
        revealed: revealed.is_some(),
        lines: file
            .lines
            .iter()
            .map(|view| LineCard::of(t, view, file))
            .collect(),
        orders: file
            .orders
            .iter()
            .map(|named| OrderRow::of(t, named))
            .collect(),
        payments: payment_rows(t, file),
        refunds: file
            .refunds
            .iter()
            .map(|refund| RefundRow::of(t, refund))
            .collect(),
        documents: file
            .documents
            .iter()
            .map(|one| DocumentRow::of(t, one))
            .collect(),
        mandates: file.mandates.iter().map(mandate).collect(),
        messages: file
            .messages
            .iter()
            .map(|one| MessageRow::of(t, one))
            .collect(),
        tickets: file
            .tickets
            .iter()
            .map(|ticket| TicketRow::of(t, ticket))
            .collect(),
        cases: file
            .cases
            .iter()
            .map(|case| CaseRow {
                rule: case.rule.clone(),
                mark: words::identity(t, &case.state),
            })
            .collect(),
        events: timeline.iter().map(|one| event_row(t, file, one)).collect(),
        page: page.at(Nav::Customers),
    }
}

fn payment_rows(t: &Text, file: &CustomerFile) -> Vec<PaymentRow> {
    let rows = file.payments.iter().map(|payment| PaymentRow {
        number: payment.id.number(),
        order: payment.order.number(),
        provider: payment.provider.clone(),
        method: words::method(t, payment.method),
        mark: words::payment(t, &payment.state),
        failure: words::failure(t, payment),
        amount: payment.amount,
        created_at: payment.created_at,
    });
    rows.collect()
}

/// The page of what an event is about, where it is not on the customer's own.
fn event_href(what: &Happening<'_>) -> String {
    match what {
        Happening::ProfileMade(profile) | Happening::Chip(profile, _) => {
            format!("/esim/{}", profile.id)
        }
        Happening::Account(_)
        | Happening::OrderPlaced(_)
        | Happening::OrderMoved(_)
        | Happening::PaymentBegun(_)
        | Happening::PaymentEnded(_)
        | Happening::RefundRequested(_)
        | Happening::RefundMoved(_)
        | Happening::Message(_)
        | Happening::TicketOpened(_)
        | Happening::TicketMoved(_)
        | Happening::Staff(_) => String::new(),
    }
}

fn event_row(t: &Text, file: &CustomerFile, occurrence: &Occurrence<'_>) -> EventRow {
    let href = event_href(&occurrence.what);
    let (tone, title, note) = match &occurrence.what {
        Happening::Account(kind) => (Tone::Muted, words::account_event(t, *kind), String::new()),
        Happening::OrderPlaced(named) => {
            let order = &named.order;
            let note = format!("{} · {}", named.name(t.locale()), t.money(order.total));
            (Tone::Info, t.msg("desk-happened-order-placed"), note)
        }
        Happening::OrderMoved(named) => {
            let mark = words::order(t, named.order.state);
            let title = t
                .with("desk-happened-order", "state", mark.text)
                .to_string();
            (mark.tone, title, named.name(t.locale()).to_owned())
        }
        Happening::PaymentBegun(payment) => {
            let note = format!("{} · {}", payment.provider, t.money(payment.amount));
            (Tone::Muted, t.msg("desk-happened-payment-begun"), note)
        }
        Happening::PaymentEnded(payment) => {
            let mark = words::payment(t, &payment.state);
            let title = t
                .with("desk-happened-payment", "state", mark.text)
                .to_string();
            (mark.tone, title, words::failure(t, payment))
        }
        Happening::RefundRequested(refund) => refund_asked(t, refund),
        Happening::RefundMoved(refund) => {
            let mark = words::refund(t, refund.state);
            let title = t
                .with("desk-happened-refund", "state", mark.text)
                .to_string();
            (mark.tone, title, t.money(refund.amount))
        }
        Happening::Message(message) => {
            let mark = words::message(t, &message.state);
            let what = words::template(t, &message.template);
            let title = t.with("desk-happened-message", "what", what).to_string();
            (mark.tone, title, mark.text)
        }
        Happening::ProfileMade(profile) => profile_made(t, profile),
        Happening::Chip(_, heard) => chip_said(t, heard),
        Happening::TicketOpened(ticket) => (
            Tone::Warning,
            t.msg("desk-happened-ticket-opened"),
            ticket.subject.clone(),
        ),
        Happening::TicketMoved(ticket) => {
            let mark = words::ticket(t, ticket.state);
            let title = t
                .with("desk-happened-ticket", "state", mark.text)
                .to_string();
            (mark.tone, title, ticket.subject.clone())
        }
        Happening::Staff(entry) => {
            let who = words::staff(t, &file.staff_names, entry.staff);
            let what = words::action(t, entry.action);
            let title = t.with("desk-happened-staff", "who", who).and("what", what);
            (Tone::Muted, title.to_string(), entry.detail.clone())
        }
    };
    EventRow {
        at: occurrence.at,
        tone,
        title,
        note,
        href,
    }
}

fn refund_asked(t: &Text, refund: &Refund) -> (Tone, String, String) {
    let why = words::refund_reason(t, refund.reason);
    let note = format!("{why} · {}", t.money(refund.amount));
    (Tone::Info, t.msg("desk-happened-refund-requested"), note)
}

fn profile_made(t: &Text, profile: &Profile) -> (Tone, String, String) {
    let title = t.msg("desk-happened-profile-made");
    (Tone::Info, title, profile.iccid.digits())
}

fn chip_said(t: &Text, heard: &HeardNotification) -> (Tone, String, String) {
    let mark = words::chip(t, heard);
    let title = t.with("desk-happened-chip", "what", mark.text).to_string();
    (mark.tone, title, words::chip_failure(t, heard))
}
