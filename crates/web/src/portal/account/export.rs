//! A copy of one's data: the person, and what they bought and used.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use simurgh_app::App;
use simurgh_app::line::LineView;
use simurgh_app::ports::{Author, DayUsage, LineState, Mandate, TicketState};
use simurgh_app::subscriber::ExportRefusal;
use simurgh_commerce::{Document, DocumentKind, Order, OrderState};
use simurgh_subscriber::RiskyAction;
use simurgh_vocab::{CustomerId, Locale, Money};

use super::{fresh, logged_out, not_fresh};
use crate::frame::{Nav, Page, Refusal};
use crate::portal::detour::Detour;
use crate::portal::fields::Sent;
use crate::portal::words;
use crate::session::Holder;

const PATH: &str = "/account/export";
/// How far back the use of each day goes: as far as anybody's plans do.
const USAGE_DAYS: i64 = 3 * 366;

#[derive(Template)]
#[template(path = "portal/export.html")]
struct ExportPage {
    page: Page,
}

/// `GET /account/export`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    fresh(&app, who, RiskyAction::ExportData, PATH).await?;
    let page = page.at(Nav::Account);
    Ok(Page::answer(&ExportPage { page }))
}

/// `POST /account/export`: the file.
pub(super) async fn download(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    let person = match app.export_personal_data(who.session).await {
        Ok(data) => serde_json::to_value(data).map_err(|_| Refusal::Internal)?,
        Err(ExportRefusal::LoggedOut) => return Err(logged_out(PATH)),
        Err(ExportRefusal::NotFresh) => return Err(not_fresh(PATH)),
        Err(ExportRefusal::Fault(fault)) => return Err(fault.into()),
    };
    let file = json!({
        "made_at": page.now.to_string(),
        "person": person,
        "lines": lines(&app, who.customer).await?,
        "orders": app.orders_of(who.customer).await?.iter().map(|it| order(&page, it)).collect::<Vec<_>>(),
        "bills": app.documents_of(who.customer).await?.iter().map(|it| bill(&page, it)).collect::<Vec<_>>(),
        "payment_methods": app.stored_methods(who.customer).await?.iter().map(method).collect::<Vec<_>>(),
        "tickets": tickets(&app, who.customer).await?,
    });
    let text = serde_json::to_string_pretty(&file).map_err(|_| Refusal::Internal)?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"my-data.json\""),
        ),
    ];
    Ok((headers, text).into_response())
}

fn money(amount: Money) -> Value {
    json!({ "amount": amount.decimal(), "currency": amount.currency.code() })
}

fn order(page: &Page, order: &Order) -> Value {
    let state = match order.state {
        OrderState::AwaitingPayment => "awaiting_payment",
        OrderState::Fulfilled { .. } => "paid",
        OrderState::Closed { .. } => "closed",
        OrderState::Refunded { .. } => "refunded",
    };
    json!({
        "number": order.id.number(),
        "placed_at": order.placed_at.to_string(),
        "what": words::order(&page.t, order),
        "periods": order.periods,
        "promotions": order.promotions,
        "total": money(order.total),
        "tax": money(order.tax),
        "automatic": order.automatic,
        "state": state,
    })
}

fn bill(page: &Page, document: &Document) -> Value {
    let kind = match document.kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::CreditNote { .. } => "credit_note",
    };
    let rows = words::document_rows(&page.t, &document.lines);
    json!({
        "number": document.number.to_string(),
        "kind": kind,
        "issued_at": document.issued_at.to_string(),
        "order": document.order.number(),
        "lines": rows
            .iter()
            .map(|row| json!({ "what": row.label, "amount": money(row.amount) }))
            .collect::<Vec<_>>(),
        "total": money(document.total),
        "tax": money(document.tax),
    })
}

fn method(method: &Mandate) -> Value {
    json!({
        "kind": method.method.code(),
        "shown_as": method.display,
        "stored_at": method.created_at.to_string(),
        "ended_at": method.ended_at.map(|at| at.to_string()),
    })
}

async fn lines(app: &App, customer: CustomerId) -> Result<Vec<Value>, Detour> {
    let mut lines = Vec::new();
    for view in app.line_views(customer).await? {
        let used = app.usage_history(customer, view.line.id, USAGE_DAYS);
        lines.push(line(&view, &used.await?.used));
    }
    Ok(lines)
}

fn line(view: &LineView, used: &[DayUsage]) -> Value {
    let state = match view.line.state {
        LineState::Active => "active",
        LineState::Grace { .. } => "grace",
        LineState::Suspended { .. } => "suspended",
        LineState::Closed { .. } => "closed",
    };
    let plan = |index: usize| {
        let plans = view.plans.iter();
        let names = plans.filter_map(move |plan| plan.names.get(index));
        names.cloned().collect::<Vec<_>>()
    };
    // Names stand in the order of `Locale::ALL`.
    let plans: serde_json::Map<String, Value> = Locale::ALL
        .into_iter()
        .enumerate()
        .map(|(index, locale)| (locale.tag().to_owned(), json!(plan(index))))
        .collect();
    let left = view.standing.units.iter().map(|unit| {
        json!({
            "unit": unit.unit.code(),
            "granted": unit.granted,
            "used": unit.used,
            "in_use": unit.reserved,
            "left": unit.left,
        })
    });
    let used = used
        .iter()
        .map(|day| json!({ "day": date(day.day), "unit": day.unit.code(), "amount": day.amount }));
    json!({
        "number": view.line.id.number(),
        "opened_at": view.line.opened_at.to_string(),
        "state": state,
        "plans": plans,
        "balances": left.collect::<Vec<_>>(),
        "used_by_day": used.collect::<Vec<_>>(),
    })
}

/// A day, counted from 1970-01-01 UTC, as a date.
fn date(day: i64) -> String {
    let at = jiff::Timestamp::from_second(day.saturating_mul(86_400));
    let at = at.unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    at.date().to_string()
}

async fn tickets(app: &App, customer: CustomerId) -> Result<Vec<Value>, Detour> {
    let mut tickets = Vec::new();
    for ticket in app.tickets_of(customer).await? {
        let Some(talk) = app.conversation(customer, ticket.id).await? else {
            continue;
        };
        let said = talk.messages.iter().map(|message| {
            let by = match message.author {
                Author::Customer => "you",
                Author::Staff(_) => "us",
            };
            json!({ "at": message.at.to_string(), "by": by, "text": message.text })
        });
        let state = match ticket.state {
            TicketState::Open => "open",
            TicketState::Answered => "answered",
            TicketState::Closed { .. } => "closed",
        };
        tickets.push(json!({
            "number": ticket.id.number(),
            "opened_at": ticket.opened_at.to_string(),
            "subject": ticket.subject,
            "state": state,
            "messages": said.collect::<Vec<_>>(),
        }));
    }
    Ok(tickets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(20_717), "2026-09-21");
    }
}
