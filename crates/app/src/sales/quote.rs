//! A quote: what a purchase would cost and when it would run.

use simurgh_charging::{Subscription, SubscriptionState};
use simurgh_commerce::{
    Catalogue, Quote, QuoteContext, QuoteRefusal, QuoteRequest, Running, quote as commerce_quote,
};
use simurgh_vocab::{CustomerId, LineId, Timestamp};

use crate::ports::{StoreExt, StoreFault, Tx};
use crate::{App, Fault};

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The wish cannot be met.
    #[error(transparent)]
    Refused(#[from] QuoteRefusal),
    /// The line is not this customer's.
    #[error("no such line")]
    NoSuchLine,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for QuoteError {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Prices and dates a purchase for a line, or for a new line, or for a visitor.
    ///
    /// # Errors
    /// [`QuoteError`].
    pub async fn quote(
        &self,
        customer: Option<CustomerId>,
        line: Option<LineId>,
        request: QuoteRequest,
    ) -> Result<Quote, QuoteError> {
        let app = self.clone();
        let now = self.now();
        self.store
            .snapshot(move |tx| app.quote_in(tx, customer, line, &request, now))
            .await
    }

    /// As [`quote_in`](Self::quote_in), for an order placed in this transaction: nobody else can use
    /// up a limited promotion of it before the transaction ends.
    pub(crate) fn binding_quote_in(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        line: Option<LineId>,
        request: &QuoteRequest,
        now: Timestamp,
    ) -> Result<Quote, QuoteError> {
        let catalogue = self.current_catalogue(tx)?;
        let mut held: Vec<String> = Vec::new();
        loop {
            let quote = quote_from(tx, &catalogue, (Some(customer), line), request, now)?;
            let is_limited = |code: &String| {
                let mut promotions = catalogue.promotions.iter();
                promotions.any(|p| p.code == *code && p.is_limited())
            };
            let mut free = quote.promotions.clone();
            free.retain(|code| is_limited(code) && !held.contains(code));
            if free.is_empty() {
                return Ok(quote);
            }
            // Others may have used them while this transaction waited: the quote is made again.
            tx.hold_promotions(&free)?;
            held.extend(free);
        }
    }

    pub(crate) fn quote_in(
        &self,
        tx: &mut dyn Tx,
        customer: Option<CustomerId>,
        line: Option<LineId>,
        request: &QuoteRequest,
        now: Timestamp,
    ) -> Result<Quote, QuoteError> {
        let catalogue = self.current_catalogue(tx)?;
        quote_from(tx, &catalogue, (customer, line), request, now)
    }
}

fn quote_from(
    tx: &mut dyn Tx,
    catalogue: &Catalogue,
    (customer, line): (Option<CustomerId>, Option<LineId>),
    request: &QuoteRequest,
    now: Timestamp,
) -> Result<Quote, QuoteError> {
    let running = match line {
        None => None,
        Some(id) => {
            let line = tx.line(id)?.filter(|line| Some(line.customer) == customer);
            let line = line.ok_or(QuoteError::NoSuchLine)?;
            running(&tx.subscriptions_of(line.id)?, now)
        }
    };
    let codes: Vec<_> = catalogue
        .promotions
        .iter()
        .map(|p| p.code.clone())
        .collect();
    let uses = tx.promotion_uses(customer, &codes)?;
    let first_purchase = match customer {
        Some(customer) => !tx.has_paid(customer)?,
        None => true,
    };
    let context = QuoteContext {
        catalogue,
        now,
        running: running.as_ref(),
        first_purchase,
        uses: &uses,
    };
    Ok(commerce_quote(request, &context)?)
}

/// What a line's subscriptions mean for starting another one.
pub(crate) fn running(subscriptions: &[Subscription], now: Timestamp) -> Option<Running> {
    let plans: Vec<_> = subscriptions
        .iter()
        .filter(|s| !s.add_on && s.is_alive(now))
        .collect();
    let first = plans
        .iter()
        .filter(|plan| plan.is_current(now))
        .min_by_key(|plan| plan.id)
        .or_else(|| plans.first())?;
    let waits = |plan: &&&Subscription| match plan.state {
        SubscriptionState::AwaitingFirstUse { .. } => true,
        SubscriptionState::Scheduled { .. }
        | SubscriptionState::Ended { .. }
        | SubscriptionState::Revoked { .. } => false,
    };
    let all_ends: Option<Vec<_>> = if plans.iter().any(|plan| waits(&plan)) {
        None
    } else {
        plans.iter().map(|p| p.ends_at()).collect()
    };
    Some(Running {
        selection: first.selection.clone(),
        ends_at: plans
            .iter()
            .filter(|plan| plan.is_current(now) && plan.selection == first.selection)
            .map(|plan| plan.ends_at())
            .max()
            .flatten(),
        last_end: all_ends.and_then(|ends| ends.into_iter().max()),
    })
}
