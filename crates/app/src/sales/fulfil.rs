//! Recording a payment and granting what it paid for: one transaction, once.

use simurgh_charging::{
    BucketTerms, BucketWindow, Dedicated, GrantRequest, Issue, Subscription, SubscriptionState,
    grant, supersede,
};
use simurgh_commerce::{
    Document, DocumentKind, DocumentLine, Execution, Order, Payment, PaymentState, Schedule,
    Selection, Start, execute,
};
use simurgh_ledger::{Account, Entry, Posting, Source, post};
use simurgh_vocab::{
    BucketId, EntryId, InvoiceId, LineId, Money, Period, SubscriptionId, Timestamp, Unit,
};

use crate::ports::{Line, LineState, Task, Tx};
use crate::sales::quote::running;
use crate::{App, Fault};

impl App {
    /// Records the payment of an open order and grants it: money, allowance, invoice, messages
    /// and the line's next appointment, all in the transaction of the caller.
    pub(crate) fn fulfil(
        &self,
        tx: &mut dyn Tx,
        order: Order,
        mut payment: Payment,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let from = order.effective_from(now);
        let mut order = order
            .fulfil(now)
            .map_err(|e| Fault::Invariant(e.to_string()))?;
        payment.state = PaymentState::Captured { at: now };
        tx.update_payment(&payment)?;

        let mut line = self.line_of(tx, &order, now)?;
        order.line = Some(line.id);
        let subscriptions = tx.subscriptions_of(line.id)?;
        let catalogue = self.catalogue_in(tx, order.catalogue_version)?;
        let execution = execute(
            &order,
            &catalogue,
            running(&subscriptions, from).as_ref(),
            from,
        )
        .map_err(|e| Fault::Invariant(e.to_string()))?;
        let subscription = self.make(SubscriptionId::from_parts, now);
        self.book_capture(tx, &order, &payment, subscription, now)?;
        self.make_room(tx, &order, &execution, &subscriptions, now)?;
        let granted = self.grant(tx, &order, execution, (line.id, subscription), now)?;

        if line.state != LineState::Active {
            line.state = LineState::Active;
            tx.update_line(&line)?;
        }
        tx.update_order(&order)?;
        self.tell_sessions(tx, line.id, now)?;
        let key = format!("advance:{}:{}", line.id, order.id);
        self.enqueue(tx, Task::AdvanceLine(line.id), key, now)?;
        self.tell_order_confirmed(tx, &order, granted, now)?;
        self.issue_invoice(tx, &order, now)
    }

    fn line_of(&self, tx: &mut dyn Tx, order: &Order, now: Timestamp) -> Result<Line, Fault> {
        if let Some(id) = order.line {
            let missing = || Fault::Invariant(format!("order {} names no line", order.id));
            return tx.line(id)?.ok_or_else(missing);
        }
        let line = Line {
            id: self.make(LineId::from_parts, now),
            customer: order.customer,
            state: LineState::Active,
            opened_at: now,
        };
        tx.insert_line(&line)?;
        self.order_profile(tx, line.id, now)?;
        Ok(line)
    }

    fn book_capture(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        subscription: SubscriptionId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let net = net_of_tax(order)?;
        let postings = vec![
            Posting::debit(Account::Clearing, order.total),
            Posting::credit(Account::DeferredRevenue(subscription), net),
            Posting::credit(Account::TaxPayable, order.tax),
        ];
        let entry = Entry::new(Source::new("capture", payment.id), postings)?;
        post(tx, self.make(EntryId::from_parts, now), now, entry)?;
        Ok(())
    }

    /// Ends the running plan when the new one replaces it, or moves its end when the new one is
    /// added to it.
    fn make_room(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        execution: &Execution,
        subscriptions: &[Subscription],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let is_plan = !matches!(order.selection, Selection::AddOn(_));
        match (&execution.schedule, execution.start) {
            (Schedule::Extended { period }, _) => self.extend(tx, subscriptions, period.end, now),
            (Schedule::Fixed { .. }, Start::Now) if is_plan => {
                let replaced = subscriptions.iter().filter(|plan| plan.is_current(now));
                for plan in replaced {
                    let balances = tx.buckets_of(plan.id)?;
                    if let Some(entry) = supersede(&balances, &plan.id.number())? {
                        post(tx, self.make(EntryId::from_parts, now), now, entry)?;
                    }
                    let ids: Vec<_> = balances.iter().map(|balance| balance.bucket.id).collect();
                    tx.close_buckets(&ids)?;
                    self.earn(tx, plan, 1, 1, now)?;
                    let mut plan = plan.clone();
                    plan.state = SubscriptionState::Ended { at: now };
                    tx.update_subscription(&plan)?;
                }
                Ok(())
            }
            (Schedule::Fixed { .. } | Schedule::OnFirstUse { .. }, _) => Ok(()),
        }
    }

    fn extend(
        &self,
        tx: &mut dyn Tx,
        subscriptions: &[Subscription],
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        for plan in subscriptions.iter().filter(|plan| plan.is_current(now)) {
            let SubscriptionState::Scheduled { period } = plan.state else {
                continue;
            };
            let mut plan = plan.clone();
            plan.state = SubscriptionState::Scheduled {
                period: Period { end, ..period },
            };
            tx.update_subscription(&plan)?;
            for balance in tx.buckets_of(plan.id)? {
                let mut bucket = balance.bucket;
                if let BucketWindow::Fixed(window) = bucket.window
                    && bucket.is_open(now)
                {
                    bucket.window = BucketWindow::Fixed(Period { end, ..window });
                    tx.update_bucket(&bucket)?;
                }
            }
        }
        Ok(())
    }

    fn grant(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        execution: Execution,
        (line, subscription): (LineId, SubscriptionId),
        now: Timestamp,
    ) -> Result<SubscriptionState, Fault> {
        let (issue, sets) = match execution.schedule {
            Schedule::Fixed { periods } => (Issue::Periods(periods), 1),
            Schedule::Extended { period } => (Issue::Periods(vec![period]), order.periods),
            Schedule::OnFirstUse {
                activate_by,
                periods,
                validity,
            } => (
                Issue::OnFirstUse {
                    activate_by,
                    periods,
                    validity,
                },
                1,
            ),
        };
        let dedicated = execution.dedicated.into_iter().map(|it| Dedicated {
            unit: Unit::Octets,
            amount: it.data.count(),
            terms: BucketTerms {
                rating_groups: it.rating_groups,
                priority: it.priority,
            },
        });
        let request = GrantRequest {
            subscription,
            line,
            order: order.id,
            zone: order.zone.clone(),
            allowance: execution.allowance,
            dedicated: dedicated.collect(),
            credit: None,
            sets,
            issue,
        };
        let granted = grant(&request, || self.make(BucketId::from_parts, now))?;
        tx.insert_subscription(&Subscription {
            id: subscription,
            line,
            order: order.id,
            selection: order.selection.to_string(),
            catalogue_version: order.catalogue_version,
            zone: order.zone.clone(),
            add_on: matches!(order.selection, Selection::AddOn(_)),
            state: granted.state,
        })?;
        for bucket in &granted.buckets {
            tx.insert_bucket(bucket)?;
        }
        post(tx, self.make(EntryId::from_parts, now), now, granted.entry)?;
        Ok(granted.state)
    }

    /// Issues the invoice, last in the transaction: the number's counter is locked from here on.
    fn issue_invoice(&self, tx: &mut dyn Tx, order: &Order, now: Timestamp) -> Result<(), Fault> {
        let lines = order
            .lines
            .iter()
            .map(|line| DocumentLine {
                kind: line.kind,
                label: line.label.clone(),
                quantity: line.quantity,
                amount: line.amount,
            })
            .collect();
        self.issue(tx, order, DocumentKind::Invoice, lines, now)
    }

    pub(crate) fn issue(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        kind: DocumentKind,
        lines: Vec<DocumentLine>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (credit, sign) = match kind {
            DocumentKind::Invoice => (false, 1),
            DocumentKind::CreditNote { .. } => (true, -1),
        };
        let signed = |money: Money| Money::new(sign * money.minor, money.currency);
        let year = jiff::Timestamp::from_microsecond(now.as_micros())
            .map_err(|e| Fault::Invariant(e.to_string()))?
            .to_zoned(self.settings.entity_time_zone.zone())
            .year();
        let number = tx.next_document_number(&self.settings.document_series, year, credit)?;
        tx.insert_document(&Document {
            id: self.make(InvoiceId::from_parts, now),
            kind,
            number,
            customer: order.customer,
            order: order.id,
            issued_at: now,
            lines,
            total: signed(order.total),
            tax: signed(order.tax),
            tax_rate_basis_points: order.tax_rate_basis_points,
        })?;
        Ok(())
    }
}

/// What an order earns before tax.
pub(crate) fn net_of_tax(order: &Order) -> Result<Money, Fault> {
    order
        .total
        .minus(order.tax)
        .map_err(|e| Fault::Invariant(e.to_string()))
}
