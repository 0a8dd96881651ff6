//! Invoices and credit notes.

use std::fmt;

use simurgh_vocab::{CustomerId, InvoiceId, Money, OrderId, Timestamp};

use crate::{LineKind, LocalText};

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// An invoice.
    Invoice,
    /// A credit note, which takes an invoice back.
    CreditNote {
        /// The invoice.
        invoice: InvoiceId,
    },
}

/// The number of a document: gapless per legal entity, kind and year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentNumber {
    /// The legal entity's short name, e.g. `SIM`.
    pub series: String,
    /// The year of issue in the entity's time zone.
    pub year: i16,
    /// Whether it is a credit note: these count on their own.
    pub credit: bool,
    /// Counts up from 1.
    pub sequence: i64,
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.credit { "C" } else { "" };
        write!(
            f,
            "{}-{}-{kind}{:06}",
            self.series, self.year, self.sequence
        )
    }
}

/// A line of a document. The lines sum to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLine {
    /// What it is about.
    pub kind: LineKind,
    /// The catalogue's name of it.
    pub label: LocalText,
    /// How much of it.
    pub quantity: i64,
    /// The amount, tax included.
    pub amount: Money,
}

/// An invoice or a credit note. Never changed once issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: InvoiceId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its number.
    pub number: DocumentNumber,
    /// Whose it is.
    pub customer: CustomerId,
    /// The order it is for.
    pub order: OrderId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The lines.
    pub lines: Vec<DocumentLine>,
    /// The total, tax included; negative on a credit note.
    pub total: Money,
    /// The tax inside the total.
    pub tax: Money,
    /// The tax rate in basis points.
    pub tax_rate_basis_points: u32,
}
