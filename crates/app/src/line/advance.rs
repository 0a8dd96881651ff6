//! What time does to a line. One use case looks at everything about the line, does what is due,
//! and makes the next appointment; running it again changes nothing.

use simurgh_charging::{BucketBalance, Subscription, SubscriptionState, expire};
use simurgh_commerce::{AutoRenewal, notice_at};
use simurgh_ledger::{Account, Entry, EntryError, Posting, Source, post};
use simurgh_vocab::{Duration, EntryId, LineId, Period, Timestamp};

use crate::message::{Notice, Template};
use crate::ports::{Contact, Line, LineState, StoreExt, Task, Tx};
use crate::sales::net_of_tax;
use crate::{App, Fault, text};

/// Days before the end on which a reminder goes out.
const REMIND_DAYS: [u32; 3] = [7, 3, 1];
/// How long a line is kept in service without a plan.
const GRACE: Duration = Duration::days(3);

impl App {
    /// Does what time asks of a line: starts a plan that waited too long, books what ran out,
    /// earns revenue, warns, announces and starts renewals, suspends.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn advance_line(&self, id: LineId) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.advance_in(tx, id, now))
            .await?;
        self.wake_runner();
        Ok(())
    }

    fn advance_in(&self, tx: &mut dyn Tx, id: LineId, now: Timestamp) -> Result<(), Fault> {
        let Some(mut line) = tx.line(id)? else {
            return Ok(());
        };
        // One that was given up is told nothing more, but what was bought still ends and is earned.
        let is_closed = matches!(line.state, LineState::Closed { .. });
        self.start_waiting_plans(tx, &line, now, |activate_by| activate_by <= now)?;
        let state_before = line.state;
        let expired = self.expire_buckets(tx, &line, now)?;
        let mut subscriptions = tx.subscriptions_of(id)?;
        for plan in &mut subscriptions {
            self.advance_plan(tx, plan, now)?;
        }
        let alive: Vec<_> = subscriptions
            .iter()
            .filter(|plan| plan.is_alive(now))
            .collect();
        let end = last_end(&alive).filter(|_| !is_closed);
        let renewal = tx.auto_renewal(id)?;
        if let Some(end) = end {
            match &renewal {
                Some(renewal) => self.announce_renewal(tx, &line, renewal, end, now)?,
                None => self.remind(tx, &line, &alive, end, now)?,
            }
        }
        if alive.is_empty() && !is_closed {
            let ended = subscriptions.iter().filter_map(Subscription::ends_at).max();
            self.wind_down(tx, &mut line, ended.unwrap_or(now), now)?;
        }
        if expired || line.state != state_before {
            self.tell_sessions(tx, id, now)?;
        }
        let next = next_appointment(&line, &alive, renewal.as_ref(), now);
        if let Some(due) = next {
            let key = format!("advance:{id}:{}", due.as_micros());
            self.enqueue(tx, Task::AdvanceLine(id), key, due)?;
        }
        Ok(())
    }

    fn expire_buckets(&self, tx: &mut dyn Tx, line: &Line, now: Timestamp) -> Result<bool, Fault> {
        let balances: Vec<BucketBalance> = tx.open_buckets(line.id)?;
        let source = format!("{}:{}", line.id, now.as_micros());
        if let Some(entry) = expire(&balances, now, &source)? {
            post(tx, self.make(EntryId::from_parts, now), now, entry)?;
        }
        let over: Vec<_> = balances
            .iter()
            .filter(|balance| balance.bucket.ends_at().is_some_and(|end| end <= now))
            .map(|balance| balance.bucket.id)
            .collect();
        if !over.is_empty() {
            tx.close_buckets(&over)?;
        }
        Ok(!over.is_empty())
    }

    /// Ends a plan whose time is over, and earns what was paid for the periods that are over.
    fn advance_plan(
        &self,
        tx: &mut dyn Tx,
        plan: &mut Subscription,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let SubscriptionState::Scheduled { period } = plan.state else {
            return Ok(());
        };
        if now >= period.end {
            self.earn(tx, plan, 1, 1, now)?;
            plan.state = SubscriptionState::Ended { at: period.end };
            tx.update_subscription(plan)?;
            return Ok(());
        }
        let Some(order) = tx.read_order(plan.order)? else {
            return Ok(());
        };
        if order.periods > 1 {
            let over = elapsed_periods(period, order.periods, now);
            self.earn(tx, plan, over, order.periods, now)?;
        }
        Ok(())
    }

    /// Books `parts` of `of` equal parts of what a plan cost, before tax, as earned; what was
    /// booked earlier counts.
    pub(crate) fn earn(
        &self,
        tx: &mut dyn Tx,
        plan: &Subscription,
        parts: u32,
        of: u32,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let missing = || Fault::Invariant(format!("subscription {} has no order", plan.id));
        // Read only: its price never changes, and a refund of it needs the line, which is held.
        let order = tx.read_order(plan.order)?.ok_or_else(missing)?;
        let net = net_of_tax(&order)?;
        let asset = simurgh_ledger::Asset::Money(net.currency);
        let account = Account::DeferredRevenue(plan.id);
        let deferred = tx
            .balances(&[(account, asset)])?
            .first()
            .copied()
            .unwrap_or(0);
        let earned_before = net.minor.saturating_add(deferred);
        let target = net
            .portion(i64::from(parts), i64::from(of))
            .map_err(|e| Fault::Invariant(e.to_string()))?;
        let amount = simurgh_vocab::Money::new(target.minor - earned_before, net.currency);
        if amount.minor <= 0 {
            return Ok(());
        }
        let postings = vec![
            Posting::debit(account, amount),
            Posting::credit(Account::Revenue, amount),
        ];
        let source = Source::new("earn", format!("{}:{parts}/{of}", plan.id));
        match Entry::new(source, postings) {
            Ok(entry) => {
                post(tx, self.make(EntryId::from_parts, now), now, entry)?;
                Ok(())
            }
            Err(EntryError::Empty) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn remind(
        &self,
        tx: &mut dyn Tx,
        line: &Line,
        alive: &[&Subscription],
        end: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let due = reminder_days(alive, end)
            .into_iter()
            .filter(|days| end.minus(Duration::days(*days)) <= now)
            .min();
        let Some(days) = due else { return Ok(()) };
        let key = format!("ends-soon:{}:{}:{days}", line.id, end.as_micros());
        let url = self.renew_url();
        // A reminder that goes out late, after an outage, names the days that are left.
        let day = Duration::days(1).as_micros();
        let left = (end.since(now).as_micros() + day - 1).div_euclid(day);
        let left = left.clamp(1, i64::from(days));
        let arguments = move |contact: &Contact| {
            vec![
                ("days", left.to_string()),
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
                template: Template::EndsSoon,
                key,
            },
            arguments,
            now,
        )
    }

    /// Moves a line without a plan to grace and on to suspension.
    fn wind_down(
        &self,
        tx: &mut dyn Tx,
        line: &mut Line,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let url = self.renew_url();
        if let LineState::Active = line.state {
            let until = ended.plus(GRACE).max(now);
            line.state = LineState::Grace { until };
            tx.update_line(line)?;
            let key = format!("ended:{}:{}", line.id, ended.as_micros());
            let url = url.clone();
            let arguments = move |contact: &Contact| {
                let until = text::date_time(until, &contact.time_zone, contact.locale);
                vec![("until", until), ("url", url)]
            };
            self.tell_customer(
                tx,
                Notice {
                    customer: line.customer,
                    template: Template::Ended,
                    key,
                },
                arguments,
                now,
            )?;
        }
        if let LineState::Grace { until } = line.state
            && until <= now
        {
            line.state = LineState::Suspended { since: now };
            tx.update_line(line)?;
            let key = format!("suspended:{}:{}", line.id, ended.as_micros());
            let arguments = move |_: &Contact| vec![("url", url)];
            self.tell_customer(
                tx,
                Notice {
                    customer: line.customer,
                    template: Template::Suspended,
                    key,
                },
                arguments,
                now,
            )?;
        }
        Ok(())
    }

    pub(crate) fn renew_url(&self) -> String {
        format!("{}/plans", self.settings.portal_url)
    }
}

/// When every plan that is not over has ended; none while one waits for first use.
fn last_end(alive: &[&Subscription]) -> Option<Timestamp> {
    let plans: Vec<_> = alive
        .iter()
        .filter(|plan| !plan.add_on)
        .map(|plan| plan.ends_at())
        .collect();
    let ends: Option<Vec<_>> = plans.into_iter().collect();
    ends.and_then(|ends| ends.into_iter().max())
}

/// The reminders a plan gets: not those that would come within a day of its start.
fn reminder_days(alive: &[&Subscription], end: Timestamp) -> Vec<u32> {
    let started = alive
        .iter()
        .filter_map(|plan| match plan.state {
            SubscriptionState::Scheduled { period } if period.end == end => Some(period.start),
            SubscriptionState::Scheduled { .. }
            | SubscriptionState::AwaitingFirstUse { .. }
            | SubscriptionState::Ended { .. }
            | SubscriptionState::Revoked { .. } => None,
        })
        .min();
    let earliest = started.map(|start| start.plus(Duration::days(1)));
    REMIND_DAYS
        .into_iter()
        .filter(|days| earliest.is_none_or(|earliest| end.minus(Duration::days(*days)) >= earliest))
        .collect()
}

fn elapsed_periods(period: Period, periods: u32, now: Timestamp) -> u32 {
    let whole = period.end.since(period.start).as_micros() / i64::from(periods.max(1));
    let elapsed = now.since(period.start).as_micros();
    u32::try_from(elapsed / whole.max(1))
        .unwrap_or(periods)
        .min(periods)
}

/// The next of a line's daily looks. Each line has its own time of day, so that they do not all
/// come at once; and it is the same however often one asks, so that they stay one appointment.
fn next_daily_look(line: LineId, now: Timestamp) -> Timestamp {
    let day = Duration::days(1).as_micros();
    let [.., high, low] = *line.as_bytes();
    let share = i64::from(u16::from_be_bytes([high, low]));
    let offset = day / (i64::from(u16::MAX) + 1) * share;
    let days_over = (now.as_micros() - offset).div_euclid(day);
    Timestamp::from_micros((days_over + 1) * day + offset)
}

/// The next time at which something is to be done about a line.
fn next_appointment(
    line: &Line,
    alive: &[&Subscription],
    renewal: Option<&AutoRenewal>,
    now: Timestamp,
) -> Option<Timestamp> {
    let mut times = Vec::new();
    for plan in alive {
        match plan.state {
            SubscriptionState::AwaitingFirstUse { activate_by, .. } => times.push(activate_by),
            SubscriptionState::Scheduled { period } => times.extend([period.start, period.end]),
            SubscriptionState::Ended { .. } | SubscriptionState::Revoked { .. } => {}
        }
    }
    if let Some(end) = last_end(alive) {
        times.extend(
            reminder_days(alive, end)
                .into_iter()
                .map(|days| end.minus(Duration::days(days))),
        );
        if renewal.is_some() {
            times.push(notice_at(end));
        }
    }
    if let LineState::Grace { until } = line.state {
        times.push(until);
    }
    // Long terms earn and expire period by period: look at least once a day while one runs.
    if !alive.is_empty() {
        times.push(next_daily_look(line.id, now));
    }
    times.into_iter().filter(|time| *time > now).min()
}
