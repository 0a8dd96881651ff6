//! Orders, payments, refunds, stored methods and documents in the store.

use simurgh_commerce::{
    Document, DocumentNumber, MethodKind, Order, Payment, PromotionUse, Refund,
};
use simurgh_vocab::{CustomerId, InvoiceId, MandateId, OrderId, PaymentId, RefundId, Timestamp};

use super::StoreFault;

/// A stored payment method.
#[derive(Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The provider's code.
    pub provider: String,
    /// The way to pay.
    pub method: MethodKind,
    /// The provider's token, sealed by the keyring.
    pub sealed_token: Vec<u8>,
    /// How the payer recognises it.
    pub display: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Whether it was removed or has ended.
    pub ended_at: Option<Timestamp>,
}

/// A notification as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenEvent {
    /// The provider's code.
    pub provider: String,
    /// What tells its notifications apart.
    pub event_id: String,
    /// The attempt it was about.
    pub payment: PaymentId,
    /// What it did: `fulfilled`, `moved`, `ignored`, `returned`, `mismatch`, `unknown-payment`.
    pub effect: &'static str,
    /// When it came.
    pub at: Timestamp,
}

/// Orders, payments, refunds, stored methods and documents.
pub trait Sales {
    /// Stores a new order with its lines.
    fn insert_order(&mut self, order: &Order) -> Result<(), StoreFault>;
    /// Stores an order's changed state (and its line, once it has one).
    fn update_order(&mut self, order: &Order) -> Result<(), StoreFault>;
    /// An order as it stands, not locked: for what cannot change in it, or is decided elsewhere.
    fn read_order(&mut self, id: OrderId) -> Result<Option<Order>, StoreFault>;
    /// An order, locked until the transaction ends; before its payments and its line.
    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreFault>;
    /// A customer's orders, newest first.
    fn orders_of(&mut self, customer: CustomerId, limit: u32) -> Result<Vec<Order>, StoreFault>;
    /// The newest orders of everybody.
    fn recent_orders(&mut self, limit: u32) -> Result<Vec<Order>, StoreFault>;
    /// Uses of these promotions by orders that are paid or await payment.
    fn promotion_uses(
        &mut self,
        customer: Option<CustomerId>,
        codes: &[String],
    ) -> Result<Vec<PromotionUse>, StoreFault>;
    /// Waits until no other transaction counts uses of these promotions, and keeps them until this
    /// one ends: what [`promotion_uses`](Self::promotion_uses) says after that stays true.
    fn hold_promotions(&mut self, codes: &[String]) -> Result<(), StoreFault>;
    /// Whether the customer has ever paid an order (refunded ones count).
    fn has_paid(&mut self, customer: CustomerId) -> Result<bool, StoreFault>;

    /// Stores a new attempt.
    fn insert_payment(&mut self, payment: &Payment) -> Result<(), StoreFault>;
    /// Stores an attempt's changed state.
    fn update_payment(&mut self, payment: &Payment) -> Result<(), StoreFault>;
    /// An attempt as it stands, not locked.
    fn read_payment(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreFault>;
    /// An attempt, locked until the transaction ends; after its order.
    fn payment(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreFault>;
    /// The attempts of an order, oldest first.
    fn payments_of(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreFault>;
    /// Remembers a notification; false if it was seen before.
    fn remember_event(&mut self, event: &SeenEvent) -> Result<bool, StoreFault>;
    /// The notifications about an attempt, oldest first.
    fn events_of(&mut self, payment: PaymentId) -> Result<Vec<SeenEvent>, StoreFault>;

    /// Stores a new refund.
    fn insert_refund(&mut self, refund: &Refund) -> Result<(), StoreFault>;
    /// Stores a refund's changed state.
    fn update_refund(&mut self, refund: &Refund) -> Result<(), StoreFault>;
    /// A refund, locked until the transaction ends.
    fn refund(&mut self, id: RefundId) -> Result<Option<Refund>, StoreFault>;
    /// The refunds of an order, oldest first.
    fn refunds_of(&mut self, order: OrderId) -> Result<Vec<Refund>, StoreFault>;

    /// Stores a method.
    fn insert_mandate(&mut self, mandate: &Mandate) -> Result<(), StoreFault>;
    /// Marks a method as ended.
    fn end_mandate(&mut self, id: MandateId, at: Timestamp) -> Result<(), StoreFault>;
    /// A method.
    fn mandate(&mut self, id: MandateId) -> Result<Option<Mandate>, StoreFault>;
    /// A customer's methods that have not ended, newest first.
    fn mandates_of(&mut self, customer: CustomerId) -> Result<Vec<Mandate>, StoreFault>;

    /// Takes the next number of a series. Called last in a transaction: the counter's row is
    /// locked until it ends, and whoever issues a document waits for it, and a rolled back transaction gives its number back.
    fn next_document_number(
        &mut self,
        series: &str,
        year: i16,
        credit: bool,
    ) -> Result<DocumentNumber, StoreFault>;
    /// Stores a document with its lines.
    fn insert_document(&mut self, document: &Document) -> Result<(), StoreFault>;
    /// A document.
    fn document(&mut self, id: InvoiceId) -> Result<Option<Document>, StoreFault>;
    /// A customer's documents, newest first.
    fn documents_of(
        &mut self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<Document>, StoreFault>;
    /// The documents of an order, oldest first.
    fn documents_of_order(&mut self, order: OrderId) -> Result<Vec<Document>, StoreFault>;
}
