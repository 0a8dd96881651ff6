//! Automatic renewal: announced before each charge, off with one press, honest when it fails.

use simurgh_commerce::{
    AutoRenewal, CloseReason, Failure, MethodKind, Order, OrderState, Payment, PaymentState,
    QuoteRequest, RenewalStep, Selection, Start, next_charge, notice_at, retry_after, retry_lost,
};
use simurgh_vocab::{
    Currency, CustomerId, LineId, MandateId, Money, OrderId, PaymentId, Timestamp,
};

use crate::message::{Notice, Template};
use crate::ports::{Contact, Line, Mandate, StoreExt, StoreFault, Task, Tx};
use crate::sales::{QuoteError, running};
use crate::{App, Fault, text};

/// What a customer chooses when turning automatic renewal on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalChoice {
    /// The line.
    pub line: LineId,
    /// The stored method to charge.
    pub mandate: MandateId,
    /// What to buy each time: a plan or a mix.
    pub selection: Selection,
    /// For how many periods.
    pub periods: u32,
    /// In which currency.
    pub currency: Currency,
}

/// Why automatic renewal was not turned on. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewalRefusal {
    /// The line is not this customer's.
    #[error("no such line")]
    NoSuchLine,
    /// The stored method has ended or is not this customer's.
    #[error("no such stored payment method")]
    NoSuchMethod,
    /// This cannot be bought again and again.
    #[error(transparent)]
    Quote(QuoteError),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for RenewalRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Turns automatic renewal on, or changes it.
    ///
    /// # Errors
    /// [`RenewalRefusal`].
    pub async fn turn_renewal_on(
        &self,
        customer: CustomerId,
        choice: RenewalChoice,
    ) -> Result<(), RenewalRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), RenewalRefusal> {
                let line = tx
                    .line(choice.line)?
                    .filter(|line| line.customer == customer);
                let line = line.ok_or(RenewalRefusal::NoSuchLine)?;
                let mandate = tx.mandate(choice.mandate)?;
                mandate
                    .filter(|m| m.customer == customer && m.ended_at.is_none())
                    .ok_or(RenewalRefusal::NoSuchMethod)?;
                app.renewal_quote(tx, &line, &renewal_of(&choice), now)
                    .map_err(|e| match e {
                        QuoteError::Fault(fault) => RenewalRefusal::Fault(fault),
                        QuoteError::Refused(_) | QuoteError::NoSuchLine => RenewalRefusal::Quote(e),
                    })?;
                tx.put_auto_renewal(&renewal_of(&choice))?;
                let key = format!("advance:{}:renewal:{}", line.id, now.as_micros());
                Ok(app.enqueue(tx, Task::AdvanceLine(line.id), key, now)?)
            })
            .await?;
        self.wake_runner();
        Ok(())
    }

    /// Turns automatic renewal off. False if the line is not this customer's.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn turn_renewal_off(&self, customer: CustomerId, id: LineId) -> Result<bool, Fault> {
        let app = self.clone();
        let now = self.now();
        let found = self
            .store
            .transact(move |tx| -> Result<bool, Fault> {
                if tx.line(id)?.is_none_or(|line| line.customer != customer) {
                    return Ok(false);
                }
                tx.remove_auto_renewal(id)?;
                let key = format!("advance:{id}:renewal:{}", now.as_micros());
                app.enqueue(tx, Task::AdvanceLine(id), key, now)?;
                Ok(true)
            })
            .await?;
        Ok(found)
    }

    /// Announces the charge that will renew a plan that ends at `end`, and makes the appointment.
    pub(crate) fn announce_renewal(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        renewal: &AutoRenewal,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if now < notice_at(end) || renewal.announced_for == Some(end) {
            return Ok(());
        }
        let quote = match self.renewal_quote(tx, line, renewal, now) {
            Ok(quote) => quote,
            Err(QuoteError::Fault(fault)) => return Err(fault),
            Err(QuoteError::Refused(refusal)) => {
                tracing::warn!(line = %line.id, %refusal, "a renewal can no longer be bought");
                return self.tell_renewal_failed(tx, line, Failure::MethodUnsupported, end, now);
            }
            Err(QuoteError::NoSuchLine) => return Ok(()),
        };
        let mandate = tx.mandate(renewal.mandate)?;
        let charge_at = next_charge(end, now);
        tx.put_auto_renewal(&AutoRenewal {
            announced_for: Some(end),
            announced_total: Some(quote.total),
            failures: 0,
            ..renewal.clone()
        })?;
        // Once per end and price.
        let what = format!("{}:{}:{}", line.id, end.as_micros(), quote.total);
        let key = format!("renew:{what}");
        self.enqueue(tx, Task::RenewLine(line.id), key, charge_at)?;
        let key = format!("renewal-notice:{what}");
        let url = format!("{}/renewal", self.settings.portal_url);
        let arguments = move |contact: &Contact| {
            let method = mandate.map_or_else(String::new, |mandate| mandate.display);
            vec![
                ("total", text::money(quote.total)),
                ("method", method),
                (
                    "date",
                    text::date_time(charge_at, &contact.time_zone, contact.locale),
                ),
                (
                    "end",
                    text::date_time(end, &contact.time_zone, contact.locale),
                ),
                ("url", url),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: line.customer,
                template: Template::RenewalNotice,
                key,
            },
            arguments,
            now,
        )
    }

    /// Places the order of an announced renewal and makes its charge a job. False if an earlier
    /// charge is still undecided.
    pub(crate) async fn renew_line(&self, id: LineId) -> Result<bool, Fault> {
        let app = self.clone();
        let now = self.now();
        let done = self
            .store
            .transact(move |tx| app.renew_in(tx, id, now))
            .await?;
        self.wake_runner();
        Ok(done)
    }

    fn renew_in(&self, tx: &mut dyn Tx, id: LineId, now: Timestamp) -> Result<bool, Fault> {
        let (Some(line), Some(renewal)) = (tx.line(id)?, tx.auto_renewal(id)?) else {
            return Ok(true);
        };
        let Some(announced) = renewal.announced_for else {
            return Ok(true);
        };
        let subscriptions = tx.subscriptions_of(id)?;
        let last = subscriptions
            .iter()
            .filter(|p| !p.add_on)
            .filter_map(|p| p.ends_at())
            .max();
        if last != Some(announced) {
            return Ok(true);
        }
        let earlier = tx.orders_of(line.customer, 20)?;
        let waiting = |order: &&Order| {
            order.automatic && order.line == Some(id) && order.state == OrderState::AwaitingPayment
        };
        for order in earlier.iter().filter(waiting) {
            if tx.payments_of(order.id)?.iter().any(Payment::is_open) {
                return Ok(false);
            }
        }
        let request = renewal_request(tx, &renewal, now)?;
        let quote = self.binding_quote_in(tx, line.customer, Some(id), &request, now);
        let quote = match quote {
            Ok(quote) => quote,
            Err(QuoteError::Fault(fault)) => return Err(fault),
            Err(QuoteError::Refused(_) | QuoteError::NoSuchLine) => {
                self.tell_renewal_failed(tx, &line, Failure::MethodUnsupported, announced, now)?;
                return Ok(true);
            }
        };
        let is_more = |told: Money| quote.total.minor > told.minor;
        if renewal.announced_total.is_some_and(is_more) {
            // Nobody is charged more than they were told: the new price has its own notice.
            let renewal = AutoRenewal {
                announced_for: None,
                ..renewal
            };
            self.announce_renewal(tx, &line, &renewal, announced, now)?;
            return Ok(true);
        }
        let mandate = tx
            .mandate(renewal.mandate)?
            .filter(|mandate| mandate.ended_at.is_none());
        let Some(mandate) = mandate else {
            self.tell_renewal_failed(tx, &line, Failure::MandateEnded, announced, now)?;
            return Ok(true);
        };
        let order_id = self.make(OrderId::from_parts, now);
        let mut order = crate::sales::accepted(quote, order_id, Some(id), line.customer, now);
        order.automatic = true;
        tx.insert_order(&order)?;
        let key = format!("close:{}", order.id);
        self.enqueue(tx, Task::CloseOrder(order.id), key, order.expires_at)?;
        self.insert_renewal_payment(
            tx,
            &order,
            (mandate.id, mandate.method),
            mandate.provider,
            now,
        )?;
        Ok(true)
    }

    fn insert_renewal_payment(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        (mandate, method): (MandateId, MethodKind),
        provider: String,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let payment = Payment {
            id: self.make(PaymentId::from_parts, now),
            order: order.id,
            provider,
            method,
            mandate: Some(mandate),
            store_method: false,
            amount: order.total,
            state: PaymentState::Created,
            created_at: now,
            queries: 0,
        };
        tx.insert_payment(&payment)?;
        let key = format!("charge:{}", payment.id);
        Ok(self.enqueue(tx, Task::ChargeMandate(payment.id), key, now)?)
    }

    /// Charges the stored method of a renewal. Repeating it is safe: the provider knows the
    /// attempt by its id.
    pub(crate) async fn charge_renewal(&self, id: PaymentId) -> Result<(), Fault> {
        let (app, now) = (self.clone(), self.now());
        let found = self
            .store
            .transact(move |tx| app.still_to_charge(tx, id, now))
            .await?;
        let Some((payment, mandate)) = found else {
            return Ok(());
        };
        let Some(provider) = self.provider(&payment.provider) else {
            return Err(Fault::Invariant(format!(
                "no provider {}",
                payment.provider
            )));
        };
        self.charge(provider.as_ref(), &payment, &mandate).await?;
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| match tx.payment(id)?.filter(Payment::is_open) {
                Some(mut payment) => app.ask_again(tx, &mut payment, now),
                None => Ok(()),
            })
            .await
    }

    /// An attempt that is still to be charged. Much may have happened since its job was made: one
    /// whose order is closed, whose renewal was turned off or whose method was removed is closed.
    fn still_to_charge(
        &self,
        tx: &mut dyn Tx,
        id: PaymentId,
        now: Timestamp,
    ) -> Result<Option<(Payment, Mandate)>, Fault> {
        let Some(seen) = tx.read_payment(id)? else {
            return Ok(None);
        };
        let order = tx.order(seen.order)?;
        let (Some(order), Some(mut payment)) = (order, tx.payment(id)?) else {
            return Ok(None);
        };
        if !payment.is_open() {
            return Ok(None);
        }
        let is_on = match order.line {
            Some(line) => tx.line(line)?.is_some() && tx.auto_renewal(line)?.is_some(),
            None => false,
        };
        let mandate = match payment.mandate {
            Some(mandate) => tx.mandate(mandate)?.filter(|m| m.ended_at.is_none()),
            None => None,
        };
        let is_lost = match mandate.filter(|_| is_on) {
            Some(mandate) if order.payable().is_ok() => return Ok(Some((payment, mandate))),
            Some(_) => true,
            None => false,
        };
        // One that may be at the provider already is asked about, not given up.
        if payment.state == PaymentState::Created {
            payment.state = PaymentState::Closed { at: now };
            tx.update_payment(&payment)?;
            if let Ok(closed) = order.clone().close(now, CloseReason::Cancelled) {
                tx.update_order(&closed)?;
            } else if is_lost {
                self.renewal_not_charged(tx, &order, now)?;
            }
        }
        Ok(None)
    }

    /// Plans the next charge after one that never reached the provider; the customer is told only
    /// when there will be none.
    pub(crate) fn renewal_not_charged(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(id) = order.line else { return Ok(()) };
        let (Some(line), Some(mut renewal)) = (tx.line(id)?, tx.auto_renewal(id)?) else {
            return Ok(());
        };
        let end = renewal.announced_for.unwrap_or(now);
        renewal.failures = renewal.failures.saturating_add(1);
        tx.put_auto_renewal(&renewal)?;
        match retry_lost(renewal.failures, now) {
            RenewalStep::RetryAt(at) => {
                let key = format!("renew:{id}:{}:{}", end.as_micros(), renewal.failures);
                Ok(self.enqueue(tx, Task::RenewLine(id), key, at)?)
            }
            RenewalStep::GiveUp => {
                self.tell_renewal_failed(tx, &line, Failure::Abandoned, end, now)
            }
        }
    }

    /// Plans the next charge after a failure, or gives up; the customer is told either way.
    pub(crate) fn renewal_failed(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(id) = order.line else { return Ok(()) };
        let (Some(line), Some(mut renewal)) = (tx.line(id)?, tx.auto_renewal(id)?) else {
            return Ok(());
        };
        let end = renewal.announced_for.unwrap_or(now);
        renewal.failures = renewal.failures.saturating_add(1);
        tx.put_auto_renewal(&renewal)?;
        match retry_after(failure, renewal.failures, now) {
            RenewalStep::RetryAt(at) => {
                let key = format!("renew:{id}:{}:{}", end.as_micros(), renewal.failures);
                self.enqueue(tx, Task::RenewLine(id), key, at)?;
            }
            RenewalStep::GiveUp => {}
        }
        self.tell_renewal_failed(tx, &line, failure, end, now)
    }

    /// Tells the customer, once per end and reason, that a renewal failed and what to do.
    fn tell_renewal_failed(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        failure: Failure,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let key = format!(
            "renewal-failed:{}:{}:{}",
            line.id,
            end.as_micros(),
            failure.code()
        );
        let url = self.renew_url();
        let arguments = move |contact: &Contact| {
            vec![
                (
                    "reason",
                    crate::sales::reason(failure, contact.locale).to_owned(),
                ),
                (
                    "end",
                    text::date_time(end, &contact.time_zone, contact.locale),
                ),
                ("url", url),
            ]
        };
        self.tell_customer(
            tx,
            Notice {
                customer: line.customer,
                template: Template::RenewalFailed,
                key,
            },
            arguments,
            now,
        )
    }

    /// What the next automatic purchase would be: after the plans bought so far, or now.
    fn renewal_quote(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        renewal: &AutoRenewal,
        now: Timestamp,
    ) -> Result<simurgh_commerce::Quote, QuoteError> {
        let request = renewal_request(tx, renewal, now)?;
        self.quote_in(tx, Some(line.customer), Some(line.id), &request, now)
    }
}

fn renewal_request(
    tx: &mut dyn Tx,
    renewal: &AutoRenewal,
    now: Timestamp,
) -> Result<QuoteRequest, StoreFault> {
    let running = running(&tx.subscriptions_of(renewal.line)?, now);
    Ok(QuoteRequest {
        selection: renewal.selection.clone(),
        periods: renewal.periods,
        currency: renewal.currency,
        start: if running.is_some() {
            Start::Queue
        } else {
            Start::Now
        },
        promotion_code: None,
    })
}

fn renewal_of(choice: &RenewalChoice) -> AutoRenewal {
    AutoRenewal {
        line: choice.line,
        mandate: choice.mandate,
        selection: choice.selection.clone(),
        periods: choice.periods,
        currency: choice.currency,
        announced_for: None,
        announced_total: None,
        failures: 0,
    }
}
