//! Bills: invoices and credit notes as pages, as PDF and as a table for spreadsheets.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_commerce::{Document, DocumentKind};
use simurgh_vocab::{CustomerId, InvoiceId, Money, Timestamp};

use super::pdf;
use super::shopper::failed;
use super::words::{self, Row};
use crate::frame::{Nav, Page, Refusal};
use crate::i18n::Text;
use crate::state::{SignedIn, WebState};

/// A bill in the list.
struct Entry {
    href: String,
    number: String,
    credit: bool,
    issued_at: Timestamp,
    items: String,
    total: Money,
}

#[derive(Template)]
#[template(path = "portal/bills.html")]
struct BillsPage {
    page: Page,
    entries: Vec<Entry>,
}

/// `/bills`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
) -> Result<Response, Refusal> {
    let documents = documents(&app, who.customer).await?;
    let t = &page.t;
    let entries = documents.iter().map(|document| Entry {
        href: format!("/bills/{}", document.id),
        number: document.number.to_string(),
        credit: is_credit(document),
        issued_at: document.issued_at,
        items: items(t, document),
        total: document.total,
    });
    Ok(Page::answer(&BillsPage {
        entries: entries.collect(),
        page: page.at(Nav::Bills),
    }))
}

async fn documents(app: &App, customer: CustomerId) -> Result<Vec<Document>, Refusal> {
    let documents = app.documents_of(customer).await;
    documents.map_err(|fault| failed(&fault))
}

const fn is_credit(document: &Document) -> bool {
    match document.kind {
        DocumentKind::Invoice => false,
        DocumentKind::CreditNote { .. } => true,
    }
}

/// What was bought, without what was taken off.
fn items(t: &Text, document: &Document) -> String {
    let rows = words::document_rows(t, &document.lines);
    let items = rows.into_iter().filter(|row| row.kind.is_empty());
    let items: Vec<_> = items.map(|row| row.label).collect();
    items.join(&t.msg("shop-list-comma"))
}

/// A bill as pages and PDF show it.
pub(super) struct Bill {
    /// Whether it takes an invoice back.
    pub(super) credit: bool,
    /// Its number.
    pub(super) number: String,
    /// When it was issued.
    pub(super) issued_at: Timestamp,
    /// The number of the order.
    pub(super) order: String,
    /// Who sells.
    pub(super) seller: String,
    /// How the seller is reached.
    pub(super) contact: String,
    /// Who bought.
    pub(super) buyer: String,
    /// The lines.
    pub(super) rows: Vec<Row>,
    /// What was paid, tax included; negative on a credit note.
    pub(super) total: Money,
    /// The same without tax.
    pub(super) net: Money,
    /// The tax.
    pub(super) tax: Money,
    /// Its rate: `6%`.
    pub(super) rate: String,
}

impl Bill {
    fn of(page: &Page, document: &Document) -> Result<Self, Refusal> {
        let t = &page.t;
        let brand = page.brand();
        let net = document.total.minus(document.tax);
        Ok(Self {
            credit: is_credit(document),
            number: document.number.to_string(),
            issued_at: document.issued_at,
            order: document.order.number(),
            seller: brand.legal_entity.clone(),
            contact: brand.support.email.clone(),
            buyer: page.name.clone().unwrap_or_default(),
            rows: words::document_rows(t, &document.lines),
            total: document.total,
            net: net.map_err(|_| Refusal::Internal)?,
            tax: document.tax,
            rate: t.percent(document.tax_rate_basis_points),
        })
    }
}

#[derive(Template)]
#[template(path = "portal/bill.html")]
struct BillPage {
    page: Page,
    bill: Bill,
    order_href: String,
    pdf_href: String,
}

/// `/bills/{id}`, and with `.pdf` behind it the same for printing.
pub(super) async fn show(
    State(state): State<WebState>,
    page: Page,
    who: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let (id, as_pdf) = match name.strip_suffix(".pdf") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    let id: InvoiceId = id.parse().map_err(|_| Refusal::NotFound)?;
    let document = state.app.document(Some(who.customer), id).await;
    let document = document.map_err(|fault| failed(&fault))?;
    let document = document.ok_or(Refusal::NotFound)?;
    let bill = Bill::of(&page, &document)?;
    if as_pdf {
        let name = format!("{}.pdf", bill.number);
        let file = pdf::write(&page.t, &bill);
        return Ok(attachment("application/pdf", &name, file));
    }
    Ok(Page::answer(&BillPage {
        bill,
        order_href: format!("/orders/{}", document.order),
        pdf_href: format!("/bills/{}.pdf", document.id),
        page: page.at(Nav::Bills),
    }))
}

/// `/bills.csv`: every line of every bill (RFC 4180, UTF-8 with a mark so that spreadsheets
/// recognise it).
pub(super) async fn export(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
) -> Result<Response, Refusal> {
    let documents = documents(&app, who.customer).await?;
    let file = csv(&page.t, &documents);
    Ok(attachment(
        "text/csv; charset=utf-8",
        "bills.csv",
        file.into_bytes(),
    ))
}

fn attachment(kind: &'static str, name: &str, body: Vec<u8>) -> Response {
    // Numbers of documents are letters, digits and hyphens.
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition);
    let headers: [(HeaderName, HeaderValue); 2] = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            CONTENT_DISPOSITION,
            disposition.unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, body).into_response()
}

fn csv(t: &Text, documents: &[Document]) -> String {
    let heads = [
        t.msg("bills-csv-date"),
        t.msg("bills-csv-number"),
        t.msg("bills-csv-kind"),
        t.msg("bills-csv-order"),
        t.msg("bills-csv-item"),
        t.msg("bills-csv-amount"),
        t.msg("bills-csv-currency"),
    ];
    let mut file = String::from("\u{feff}");
    file.push_str(&record(&heads));
    for document in documents {
        let kind = if is_credit(document) {
            t.msg("bills-credit-note")
        } else {
            t.msg("bills-invoice")
        };
        let date = t.stamp(document.issued_at);
        for row in words::document_rows(t, &document.lines) {
            let fields = [
                date.clone(),
                document.number.to_string(),
                kind.clone(),
                document.order.number(),
                safe(row.label),
                row.amount.decimal(),
                row.amount.currency.code().to_owned(),
            ];
            file.push_str(&record(&fields));
        }
    }
    file
}

/// One record of RFC 4180 §2.
fn record(fields: &[String]) -> String {
    let quoted: Vec<_> = fields
        .iter()
        .map(|field| {
            if field.contains(['"', ',', '\r', '\n']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field.clone()
            }
        })
        .collect();
    format!("{}\r\n", quoted.join(","))
}

/// A text that a spreadsheet will not take for a formula. Amounts are not texts.
fn safe(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_never_formulas() {
        let fields = [
            "a,b".to_owned(),
            "say \"hi\"".to_owned(),
            "plain".to_owned(),
        ];
        assert_eq!(record(&fields), "\"a,b\",\"say \"\"hi\"\"\",plain\r\n");
        assert_eq!(safe("=1+1".to_owned()), "'=1+1");
        assert_eq!(safe("@x".to_owned()), "'@x");
        assert_eq!(safe("流量 10 GB".to_owned()), "流量 10 GB");
    }
}
