//! What a customer sees of past purchases.

use simurgh_charging::Subscription;
use simurgh_commerce::{Document, Order, Payment, Refund};
use simurgh_vocab::{CustomerId, InvoiceId, OrderId};

use crate::ports::StoreExt;
use crate::sales::{GiveBack, give_back};
use crate::{App, Fault};

/// An order with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct OrderDetails {
    /// The order.
    pub order: Order,
    /// Its payment attempts, oldest first.
    pub payments: Vec<Payment>,
    /// Its refunds.
    pub refunds: Vec<Refund>,
    /// Its invoice and credit notes.
    pub documents: Vec<Document>,
    /// What it granted, once paid.
    pub subscription: Option<Subscription>,
    /// Whether it can be given back now.
    pub give_back: GiveBack,
}

/// Orders or documents on one page of a listing.
const PAGE: u32 = 200;

impl App {
    /// A customer's orders, newest first, at most 200.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn orders_of(&self, customer: CustomerId) -> Result<Vec<Order>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.orders_of(customer, PAGE)?))
            .await
    }

    /// An order of `customer` (of anybody for staff) with everything that belongs to it.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn order_details(
        &self,
        customer: Option<CustomerId>,
        id: OrderId,
    ) -> Result<Option<OrderDetails>, Fault> {
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                let order = tx.order(id)?;
                let order =
                    order.filter(|o| customer.is_none_or(|customer| o.customer == customer));
                let Some(order) = order else { return Ok(None) };
                let give_back = give_back(tx, &order, now)?;
                Ok(Some(OrderDetails {
                    give_back,
                    payments: tx.payments_of(id)?,
                    refunds: tx.refunds_of(id)?,
                    documents: tx.documents_of_order(id)?,
                    subscription: tx.subscription_of_order(id)?,
                    order,
                }))
            })
            .await
    }

    /// A customer's invoices and credit notes, newest first, at most 200.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn documents_of(&self, customer: CustomerId) -> Result<Vec<Document>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.documents_of(customer, PAGE)?))
            .await
    }

    /// A document of `customer` (of anybody for staff).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn document(
        &self,
        customer: Option<CustomerId>,
        id: InvoiceId,
    ) -> Result<Option<Document>, Fault> {
        self.store
            .snapshot(move |tx| {
                let document = tx.document(id)?;
                Ok(document.filter(|d| customer.is_none_or(|customer| d.customer == customer)))
            })
            .await
    }
}
