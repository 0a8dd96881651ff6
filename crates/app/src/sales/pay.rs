//! Starting a payment attempt: recorded first, then opened at the provider.

use simurgh_commerce::{MethodKind, Order, OrderTransition, Payment, PaymentState};
use simurgh_vocab::{CustomerId, Duration, Locale, MandateId, OrderId, PaymentId};

use crate::ports::{
    ChargeRequest, Mandate, OpenRequest, PaymentProvider, ProviderFault, StoreExt, StoreFault,
    Task, Tx,
};
use crate::sales::Word;
use crate::{App, Fault};

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayWith {
    /// A method entered at the provider.
    New {
        /// Which.
        method: MethodKind,
        /// Whether it is to be stored for later.
        store: bool,
    },
    /// A stored method.
    Stored(MandateId),
}

/// A payment attempt as the customer starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayRequest {
    /// The attempt's id, made when the page was shown: the idempotency key.
    pub id: PaymentId,
    /// The order.
    pub order: OrderId,
    /// How.
    pub with: PayWith,
    /// The customer's language.
    pub locale: Locale,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayStarted {
    /// The customer goes to the provider's page.
    Redirect(String),
    /// The order's page tells what became of it.
    SeeOrder,
}

/// Why no attempt was started. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayRefusal {
    /// The order is not this customer's.
    #[error("no such order")]
    NoSuchOrder,
    /// The order takes no payment.
    #[error(transparent)]
    Order(#[from] OrderTransition),
    /// No provider offers the method, or the stored method has ended.
    #[error("this way to pay is not available")]
    NoSuchMethod,
    /// An attempt whose outcome is not known might still take the money.
    #[error("an earlier payment is still being confirmed")]
    EarlierAttemptUnknown,
    /// The order was tried to be paid [`Payment::ATTEMPTS_MAX`] times; the order stays until it is
    /// called off or closed.
    #[error("this order was tried to be paid too often")]
    TooManyAttempts,
    /// The provider cannot be reached now; the order stays.
    #[error("the payment provider cannot be reached")]
    ProviderUnreachable,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for PayRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// After how long an attempt is asked about for the first time.
pub(crate) const FIRST_QUERY: Duration = Duration::seconds(30);

impl App {
    /// Starts a payment attempt. The same request again gives the same answer and no second
    /// attempt.
    ///
    /// # Errors
    /// [`PayRefusal`].
    pub async fn pay(
        &self,
        customer: CustomerId,
        request: PayRequest,
    ) -> Result<PayStarted, PayRefusal> {
        let app = self.clone();
        let now = self.now();
        let asked = request.clone();
        let (order, payment, mandate) = self
            .store
            .transact(move |tx| app.record_attempt(tx, customer, &asked, now))
            .await?;
        if let PaymentState::ActionRequired { redirect_url } = payment.state {
            return Ok(PayStarted::Redirect(redirect_url));
        }
        if !matches!(payment.state, PaymentState::Created) {
            return Ok(PayStarted::SeeOrder);
        }
        let provider = self
            .provider(&payment.provider)
            .ok_or(PayRefusal::NoSuchMethod)?;
        match mandate {
            Some(mandate) => {
                self.charge(provider.as_ref(), &payment, &mandate).await?;
                Ok(PayStarted::SeeOrder)
            }
            None => {
                self.open(provider.as_ref(), &order, &payment, request.locale)
                    .await
            }
        }
    }

    fn record_attempt(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        request: &PayRequest,
        now: simurgh_vocab::Timestamp,
    ) -> Result<(Order, Payment, Option<Mandate>), PayRefusal> {
        let order = tx
            .order(request.order)?
            .filter(|order| order.customer == customer);
        let order = order.ok_or(PayRefusal::NoSuchOrder)?;
        let earlier = tx.payments_of(order.id)?;
        if let Some(payment) = earlier.iter().find(|payment| payment.id == request.id) {
            let mandate = payment
                .mandate
                .map(|id| tx.mandate(id))
                .transpose()?
                .flatten();
            return Ok((order, payment.clone(), mandate));
        }
        order.payable()?;
        if earlier.iter().any(may_take_money_unseen) {
            return Err(PayRefusal::EarlierAttemptUnknown);
        }
        if earlier.len() >= Payment::ATTEMPTS_MAX {
            return Err(PayRefusal::TooManyAttempts);
        }
        let (provider, method, mandate, store_method) = match request.with {
            PayWith::Stored(id) => {
                let mandate = tx.mandate(id)?;
                let mandate = mandate.filter(|m| m.customer == customer && m.ended_at.is_none());
                let mandate = mandate.ok_or(PayRefusal::NoSuchMethod)?;
                (
                    mandate.provider.clone(),
                    mandate.method,
                    Some(mandate),
                    false,
                )
            }
            PayWith::New { method, store } => {
                let provider = self.provider_for(method).ok_or(PayRefusal::NoSuchMethod)?;
                let store = store && provider.can_store(method);
                (provider.code().to_owned(), method, None, store)
            }
        };
        let payment = Payment {
            id: request.id,
            order: order.id,
            provider,
            method,
            mandate: mandate.as_ref().map(|mandate| mandate.id),
            store_method,
            amount: order.total,
            state: PaymentState::Created,
            created_at: now,
            queries: 0,
        };
        tx.insert_payment(&payment)?;
        let key = format!("query:{}", payment.id);
        self.enqueue(
            tx,
            Task::QueryPayment(payment.id),
            key,
            now.plus(FIRST_QUERY),
        )?;
        Ok((order, payment, mandate))
    }

    async fn open(
        &self,
        provider: &dyn PaymentProvider,
        order: &Order,
        payment: &Payment,
        locale: Locale,
    ) -> Result<PayStarted, PayRefusal> {
        let request = OpenRequest {
            payment: payment.id,
            method: payment.method,
            amount: payment.amount,
            description: format!("{} {}", self.settings.brand, order.id),
            store_method: payment.store_method,
            return_url: format!("{}/orders/{}", self.settings.portal_url, order.id),
            locale,
        };
        let next = match provider.open(request).await {
            Ok(opened) => PaymentState::ActionRequired {
                redirect_url: opened.redirect_url,
            },
            Err(ProviderFault::Refused(reason)) => {
                tracing::warn!(payment = %payment.id, reason, "the provider refused to open a payment");
                PaymentState::Closed { at: self.now() }
            }
            Err(ProviderFault::Unknown(reason)) => {
                tracing::warn!(payment = %payment.id, reason, "a payment may or may not be open");
                return Err(PayRefusal::ProviderUnreachable);
            }
        };
        let started = match &next {
            PaymentState::ActionRequired { redirect_url } => {
                PayStarted::Redirect(redirect_url.clone())
            }
            PaymentState::Created
            | PaymentState::Processing
            | PaymentState::Unknown
            | PaymentState::Captured { .. }
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => PayStarted::SeeOrder,
        };
        let id = payment.id;
        self.store
            .transact(move |tx| -> Result<(), PayRefusal> {
                let Some(mut payment) = tx.payment(id)? else {
                    return Ok(());
                };
                if matches!(payment.state, PaymentState::Created) {
                    payment.state = next.clone();
                    tx.update_payment(&payment)?;
                }
                Ok(())
            })
            .await?;
        Ok(started)
    }

    /// Charges a stored method and records what the provider says; when it says nothing, the
    /// attempt is unknown and the outbox goes on asking.
    pub(crate) async fn charge(
        &self,
        provider: &dyn PaymentProvider,
        payment: &Payment,
        mandate: &Mandate,
    ) -> Result<(), Fault> {
        let request = ChargeRequest {
            payment: payment.id,
            token: self.open_token(mandate)?,
            method: payment.method,
            amount: payment.amount,
            description: format!("{} {}", self.settings.brand, payment.order),
        };
        let word = match provider.charge(request).await {
            Ok(report) => Word::Says(report),
            Err(ProviderFault::Refused(reason)) => {
                tracing::warn!(payment = %payment.id, reason, "the provider refused a charge");
                Word::NotFound
            }
            Err(ProviderFault::Unknown(reason)) => {
                tracing::warn!(payment = %payment.id, reason, "the outcome of a charge is not known");
                Word::Silent
            }
        };
        self.settle(payment.id, word, None).await?;
        Ok(())
    }

    fn provider_for(&self, method: MethodKind) -> Option<&dyn PaymentProvider> {
        self.providers
            .iter()
            .find(|provider| provider.methods().contains(&method))
            .map(|provider| provider.as_ref())
    }
}

/// Whether an attempt may take the money without anybody doing anything more. One that has only
/// been made needs its payer, unless a stored method is being charged.
const fn may_take_money_unseen(payment: &Payment) -> bool {
    match payment.state {
        PaymentState::Unknown | PaymentState::Processing => true,
        PaymentState::Created => payment.mandate.is_some(),
        PaymentState::ActionRequired { .. }
        | PaymentState::Captured { .. }
        | PaymentState::Failed { .. }
        | PaymentState::Closed { .. } => false,
    }
}
