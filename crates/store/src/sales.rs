//! Orders, payments, refunds, stored methods and documents.

mod documents;
mod mandates;
mod orders;
mod payments;
mod refunds;

use simurgh_app::ports::{Mandate, Sales, SeenEvent, StoreFault};
use simurgh_commerce::{
    Document, DocumentNumber, LineKind, LocalText, Order, Payment, PromotionUse, Refund,
};
use simurgh_vocab::{
    Currency, CustomerId, InvoiceId, MandateId, Money, OrderId, PaymentId, RefundId, Timestamp,
};

use crate::db::Row;
use crate::tx::StoreTx;

impl Sales for StoreTx<'_> {
    fn insert_order(&mut self, order: &Order) -> Result<(), StoreFault> {
        orders::insert(self, order)
    }

    fn update_order(&mut self, order: &Order) -> Result<(), StoreFault> {
        orders::update(self, order)
    }

    fn read_order(&mut self, id: OrderId) -> Result<Option<Order>, StoreFault> {
        orders::read_one_of(self, id)
    }

    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreFault> {
        orders::one(self, id)
    }

    fn orders_of(&mut self, customer: CustomerId, limit: u32) -> Result<Vec<Order>, StoreFault> {
        orders::of_customer(self, customer, limit)
    }

    fn recent_orders(&mut self, limit: u32) -> Result<Vec<Order>, StoreFault> {
        orders::recent(self, limit)
    }

    fn promotion_uses(
        &mut self,
        customer: Option<CustomerId>,
        codes: &[String],
    ) -> Result<Vec<PromotionUse>, StoreFault> {
        orders::promotion_uses(self, customer, codes)
    }

    fn hold_promotions(&mut self, codes: &[String]) -> Result<(), StoreFault> {
        orders::hold_promotions(self, codes)
    }

    fn has_paid(&mut self, customer: CustomerId) -> Result<bool, StoreFault> {
        orders::has_paid(self, customer)
    }

    fn insert_payment(&mut self, payment: &Payment) -> Result<(), StoreFault> {
        payments::insert(self, payment)
    }

    fn update_payment(&mut self, payment: &Payment) -> Result<(), StoreFault> {
        payments::update(self, payment)
    }

    fn read_payment(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreFault> {
        payments::read_one_of(self, id)
    }

    fn payment(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreFault> {
        payments::one(self, id)
    }

    fn payments_of(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreFault> {
        payments::of_order(self, order)
    }

    fn remember_event(&mut self, event: &SeenEvent) -> Result<bool, StoreFault> {
        payments::remember_event(self, event)
    }

    fn events_of(&mut self, payment: PaymentId) -> Result<Vec<SeenEvent>, StoreFault> {
        payments::events_of(self, payment)
    }

    fn insert_refund(&mut self, refund: &Refund) -> Result<(), StoreFault> {
        refunds::insert(self, refund)
    }

    fn update_refund(&mut self, refund: &Refund) -> Result<(), StoreFault> {
        refunds::update(self, refund)
    }

    fn refund(&mut self, id: RefundId) -> Result<Option<Refund>, StoreFault> {
        refunds::one(self, id)
    }

    fn refunds_of(&mut self, order: OrderId) -> Result<Vec<Refund>, StoreFault> {
        refunds::of_order(self, order)
    }

    fn insert_mandate(&mut self, mandate: &Mandate) -> Result<(), StoreFault> {
        mandates::insert(self, mandate)
    }

    fn end_mandate(&mut self, id: MandateId, at: Timestamp) -> Result<(), StoreFault> {
        mandates::end(self, id, at)
    }

    fn mandate(&mut self, id: MandateId) -> Result<Option<Mandate>, StoreFault> {
        mandates::one(self, id)
    }

    fn mandates_of(&mut self, customer: CustomerId) -> Result<Vec<Mandate>, StoreFault> {
        mandates::of_customer(self, customer)
    }

    fn next_document_number(
        &mut self,
        series: &str,
        year: i16,
        credit: bool,
    ) -> Result<DocumentNumber, StoreFault> {
        documents::next_number(self, series, year, credit)
    }

    fn insert_document(&mut self, document: &Document) -> Result<(), StoreFault> {
        documents::insert(self, document)
    }

    fn document(&mut self, id: InvoiceId) -> Result<Option<Document>, StoreFault> {
        documents::one(self, id)
    }

    fn documents_of(
        &mut self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<Document>, StoreFault> {
        documents::of_customer(self, customer, limit)
    }

    fn documents_of_order(&mut self, order: OrderId) -> Result<Vec<Document>, StoreFault> {
        documents::of_order(self, order)
    }
}

/// A line of an order or a document; its currency is that of the whole.
struct LineRow {
    kind: LineKind,
    label: LocalText,
    quantity: i64,
    amount: i64,
}

impl LineRow {
    fn read(row: &mut Row) -> Result<Self, StoreFault> {
        Ok(Self {
            kind: row.code(LineKind::from_code)?,
            label: LocalText {
                zh_cn: row.text()?,
                en: row.text()?,
            },
            quantity: row.int()?,
            amount: row.int()?,
        })
    }
}

/// Refuses amounts in another currency than the one that is stored for all of them.
fn one_currency<'m>(
    currency: Currency,
    amounts: impl IntoIterator<Item = &'m Money>,
) -> Result<(), StoreFault> {
    if amounts.into_iter().all(|money| money.currency == currency) {
        return Ok(());
    }
    let why = format!("amounts that are not in {}", currency.code());
    Err(StoreFault::Corrupt(why))
}
