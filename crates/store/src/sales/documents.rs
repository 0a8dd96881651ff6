//! Invoices and credit notes, and the counters of their numbers.

use simurgh_app::ports::StoreFault;
use simurgh_commerce::{Document, DocumentKind, DocumentLine, DocumentNumber};
use simurgh_vocab::{CustomerId, InvoiceId, Money, OrderId};

use super::{LineRow, one_currency};
use crate::db::Row;
use crate::params;
use crate::rows::{children, insert_rows, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_documents {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, invoice_id, series, year, credit, sequence, customer_id, order_id,
             issued_at, total, currency, tax, tax_rate_basis_points FROM document ",
            $rest
        )
    };
}

pub(super) fn next_number(
    tx: &mut StoreTx<'_>,
    series: &str,
    year: i16,
    credit: bool,
) -> Result<DocumentNumber, StoreFault> {
    tx.locks(Lock::DocumentCounter, &[])?;
    let sql = "INSERT INTO document_counter (series, year, credit, last) VALUES (?1, ?2, ?3, 1)
               ON CONFLICT (series, year, credit) DO UPDATE SET last = document_counter.last + 1
               RETURNING last";
    let mut row = tx.query_one(sql, &params![series, i32::from(year), credit])?;
    Ok(DocumentNumber {
        series: series.to_owned(),
        year,
        credit,
        sequence: row.int()?,
    })
}

pub(super) fn insert(tx: &mut StoreTx<'_>, document: &Document) -> Result<(), StoreFault> {
    let amounts = document.lines.iter().map(|line| &line.amount);
    one_currency(document.total.currency, amounts.chain([&document.tax]))?;
    let (kind, invoice) = kind_columns(document.kind);
    let sql = "INSERT INTO document (id, kind, invoice_id, series, year, credit, sequence,
               customer_id, order_id, issued_at, total, currency, tax, tax_rate_basis_points)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let params = params![
        document.id,
        kind,
        invoice,
        &document.number.series,
        i32::from(document.number.year),
        document.number.credit,
        document.number.sequence,
        document.customer,
        document.order,
        document.issued_at,
        document.total.minor,
        document.total.currency,
        document.tax.minor,
        document.tax_rate_basis_points,
    ];
    tx.execute(sql, &params)?;
    let lines: Vec<_> = (0i64..)
        .zip(&document.lines)
        .map(|(position, line)| {
            let (zh, en) = (&line.label.zh_cn, &line.label.en);
            let kind = line.kind.code();
            let amount = line.amount.minor;
            params![document.id, position, kind, zh, en, line.quantity, amount]
        })
        .collect();
    let sql = "INSERT INTO document_line
               (document_id, position, kind, label_zh, label_en, quantity, amount) VALUES";
    insert_rows(tx, sql, &lines, "")
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: InvoiceId) -> Result<Option<Document>, StoreFault> {
    let sql = select_documents!("WHERE id = ?1");
    let document = read_one(tx.query_one_or_none(sql, &params![id])?, read)?;
    Ok(complete(tx, document.into_iter().collect())?.pop())
}

pub(super) fn of_customer(
    tx: &mut StoreTx<'_>,
    customer: CustomerId,
    limit: u32,
) -> Result<Vec<Document>, StoreFault> {
    let sql = select_documents!("WHERE customer_id = ?1 ORDER BY issued_at DESC, id DESC LIMIT ?2");
    let documents = read_all(tx.query(sql, &params![customer, limit])?, read)?;
    complete(tx, documents)
}

pub(super) fn of_order(tx: &mut StoreTx<'_>, order: OrderId) -> Result<Vec<Document>, StoreFault> {
    let sql = select_documents!("WHERE order_id = ?1 ORDER BY issued_at, id");
    let documents = read_all(tx.query(sql, &params![order])?, read)?;
    complete(tx, documents)
}

/// Adds the lines to documents that were read without.
fn complete(
    tx: &mut StoreTx<'_>,
    mut documents: Vec<Document>,
) -> Result<Vec<Document>, StoreFault> {
    let ids: Vec<InvoiceId> = documents.iter().map(|document| document.id).collect();
    let select = "SELECT document_id, kind, label_zh, label_en, quantity, amount
                  FROM document_line WHERE document_id IN";
    let mut lines = children(tx, (select, "document_id, position"), &ids, LineRow::read)?;
    for document in &mut documents {
        let currency = document.total.currency;
        let rows = lines.remove(&document.id).unwrap_or_default();
        document.lines = rows
            .into_iter()
            .map(|row| DocumentLine {
                kind: row.kind,
                label: row.label,
                quantity: row.quantity,
                amount: Money::new(row.amount, currency),
            })
            .collect();
    }
    Ok(documents)
}

fn read(row: &mut Row) -> Result<Document, StoreFault> {
    let id = row.id()?;
    let kind = read_kind(row)?;
    let number = DocumentNumber {
        series: row.text()?,
        year: row.number()?,
        credit: row.boolean()?,
        sequence: row.int()?,
    };
    let (customer, order) = (row.id()?, row.id()?);
    let issued_at = row.timestamp()?;
    let total = row.money()?;
    Ok(Document {
        id,
        kind,
        number,
        customer,
        order,
        issued_at,
        lines: Vec::new(),
        total,
        tax: Money::new(row.int()?, total.currency),
        tax_rate_basis_points: row.number()?,
    })
}

const fn kind_columns(kind: DocumentKind) -> (&'static str, Option<InvoiceId>) {
    match kind {
        DocumentKind::Invoice => ("invoice", None),
        DocumentKind::CreditNote { invoice } => ("credit-note", Some(invoice)),
    }
}

fn read_kind(row: &mut Row) -> Result<DocumentKind, StoreFault> {
    match (row.text()?.as_str(), row.opt_id()?) {
        ("invoice", None) => Ok(DocumentKind::Invoice),
        ("credit-note", Some(invoice)) => Ok(DocumentKind::CreditNote { invoice }),
        _ => Err(row.behind("no kind of document")),
    }
}
