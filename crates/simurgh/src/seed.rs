//! The demo's customers and their past: made by the use cases themselves, under a clock that
//! starts weeks ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context;
use simurgh_app::App;
use simurgh_app::line::UsageReport;
use simurgh_app::ports::Clock;
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_app::subscriber::{ImportRefusal, ImportedCustomer, Typed};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::{Outcome, Sandbox};
use simurgh_subscriber::{EmailContact, Marketing, Person};
use simurgh_vocab::{Currency, CustomerId, Duration, Locale, OrderId, PaymentId, Timestamp, Unit};

/// The password of the demo's customers. The demo listens on this machine only.
pub(crate) const PASSWORD: &str = "demo only, no secret";

/// The demo's customers: number, name, mailbox, language.
pub(crate) const CUSTOMERS: [(&str, &str, &str, Locale); 2] = [
    (
        "+8613800138000",
        "林小雨",
        "xiaoyu@example.com",
        Locale::ZhCn,
    ),
    (
        "+447400123456",
        "Anna Weber",
        "anna@example.com",
        Locale::En,
    ),
];

/// A clock that can be set.
pub(crate) struct PastClock(AtomicI64);

impl PastClock {
    pub(crate) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.as_micros())))
    }

    fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Gives a new demo its customers and five weeks of their past. `app` runs under `clock`; `bank`
/// is the sandbox that decides their payments. Does nothing the second time.
pub(crate) async fn customers(
    app: &App,
    clock: &PastClock,
    bank: &Sandbox,
    now: Timestamp,
) -> anyhow::Result<()> {
    let began = now.minus(Duration::days(35));
    clock.set(began);
    for (index, (phone, name, mailbox, locale)) in CUSTOMERS.into_iter().enumerate() {
        let person = Person {
            name: name.parse().map_err(|e| anyhow::anyhow!("{e}"))?,
            phone: phone.parse()?,
            email: Some(EmailContact {
                address: mailbox.parse()?,
                confirmed_at: Some(began),
            }),
            user_name: None,
            locale,
            time_zone: match locale {
                Locale::ZhCn => "Asia/Shanghai".parse()?,
                Locale::En => "Europe/Berlin".parse()?,
            },
            marketing: Marketing::NeverAsked,
        };
        let password = Some(Typed::new(PASSWORD.to_owned()));
        let imported = ImportedCustomer {
            person,
            password,
            since: began,
        };
        let customer = match app.import_customer(imported).await {
            Ok(customer) => customer,
            Err(ImportRefusal::Taken(_)) => return Ok(()),
            Err(other) => return Err(other).context("seeding the demo"),
        };
        let past = Past {
            app,
            clock,
            bank,
            customer,
        };
        if index == 0 {
            past.live(
                "offer:basic-asia-pacific",
                began,
                (Currency::Cny, MethodKind::Alipay),
            )
            .await?;
            past.live(
                "offer:premium-asia-pacific",
                now.minus(Duration::days(26)),
                (Currency::Cny, MethodKind::WechatPay),
            )
            .await?;
        } else {
            past.live(
                "offer:basic-europe",
                now.minus(Duration::days(20)),
                (Currency::Eur, MethodKind::Card),
            )
            .await?;
        }
    }
    clock.set(now);
    Ok(())
}

struct Past<'a> {
    app: &'a App,
    clock: &'a PastClock,
    bank: &'a Sandbox,
    customer: CustomerId,
}

impl Past<'_> {
    /// Buys a plan at `from` and uses some of it on the days after.
    async fn live(
        &self,
        selection: &str,
        from: Timestamp,
        (currency, method): (Currency, MethodKind),
    ) -> anyhow::Result<()> {
        self.clock.set(from);
        let views = self.app.line_views(self.customer).await?;
        let line = views.first().map(|view| view.line.id);
        let purchase = QuoteRequest {
            selection: selection.parse()?,
            periods: 1,
            currency,
            start: Start::Now,
            promotion_code: None,
        };
        let quote = self
            .app
            .quote(Some(self.customer), line, purchase.clone())
            .await?;
        let id = self.app.make(OrderId::from_parts, from);
        let request = OrderRequest {
            id,
            line,
            purchase,
            seen_total: quote.total,
        };
        let order = self.app.place_order(self.customer, request).await?;
        let id = self.app.make(PaymentId::from_parts, from);
        let with = PayWith::New {
            method,
            store: true,
        };
        let request = PayRequest {
            id,
            order: order.id,
            with,
            locale: Locale::En,
        };
        self.app.pay(self.customer, request).await?;
        self.bank.decide(id, Outcome::Success)?;
        self.app.query_payment(id).await?;
        while self.app.run_due_jobs().await? > 0 {}
        self.browse(from).await
    }

    async fn browse(&self, from: Timestamp) -> anyhow::Result<()> {
        let views = self.app.line_views(self.customer).await?;
        let Some(view) = views.first() else {
            return Ok(());
        };
        let Some(plan) = view.plans.first() else {
            return Ok(());
        };
        let zone = plan.subscription.zone.clone();
        // An ordinary month: more on some days, nothing on others.
        let days: [(u32, i64, i64, i64); 8] = [
            (0, 420_000_000, 180, 1),
            (1, 860_000_000, 420, 0),
            (2, 310_000_000, 0, 3),
            (3, 90_000_000, 600, 2),
            (4, 1_240_000_000, 0, 0),
            (6, 530_000_000, 240, 4),
            (7, 220_000_000, 60, 0),
            (8, 710_000_000, 300, 1),
        ];
        for (day, octets, seconds, messages) in days {
            self.clock
                .set(from.plus(Duration::days(day)).plus(Duration::hours(3)));
            let uses = [
                (Unit::Octets, octets),
                (Unit::Seconds, seconds),
                (Unit::Messages, messages),
            ];
            for (unit, amount) in uses.into_iter().filter(|(_, amount)| *amount > 0) {
                let reference = format!("demo:{}:{unit}", self.clock.now().as_micros());
                let line = view.line.id;
                let report = UsageReport {
                    line,
                    unit,
                    amount,
                    zone: zone.clone(),
                    reference,
                };
                self.app.record_usage(report).await?;
            }
        }
        while self.app.run_due_jobs().await? > 0 {}
        Ok(())
    }
}
