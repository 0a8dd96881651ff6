//! Quotes, orders and payments: one case a line where a table can say it, properties for the rest.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use simurgh_commerce::{
    Activation, AddOn, Builder, BuilderStep, BuilderZone, Catalogue, CatalogueError, CloseReason,
    Failure, LineKind, LocalText, MethodKind, Mix, Observation, Offer, Order, OrderState,
    OrderTransition, Payment, PaymentState, Prices, Promotion, PromotionRefusal, PromotionUse,
    ProviderStatus, Quote, QuoteContext, QuoteRefusal, QuoteRequest, Reduction, RenewalStep,
    Running, Schedule, Selection, Settlement, Start, StartRefusal, Tax, Term, Tier, Zone, execute,
    next_charge, quote, retry_after, settle,
};
use simurgh_vocab::{
    Allowance, Currency, CustomerId, Duration, Messages, Money, Octets, OrderId, PaymentId, Period,
    Seconds, Timestamp,
};

const DAY: i64 = 86_400_000_000;
const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

fn yuan(fen: i64) -> Prices {
    Prices::new(vec![
        Money::new(fen, Currency::Cny),
        Money::new(fen / 7, Currency::Usd),
    ])
}

fn name(text: &str) -> LocalText {
    LocalText {
        zh_cn: text.to_owned(),
        en: text.to_owned(),
    }
}

fn promotion(code: &str, reduction: Reduction) -> Promotion {
    Promotion {
        code: code.to_owned(),
        name: name(code),
        automatic: false,
        reduction,
        window: Period {
            start: NOW.minus(Duration::days(1)),
            end: NOW.plus(Duration::days(1)),
        },
        limit_per_customer: Some(1),
        limit_total: Some(10),
        stacks: false,
        tiers: vec![],
        min_periods: 1,
        first_purchase_only: false,
    }
}

fn catalogue() -> Catalogue {
    let zone = |code: &str, roaming| Zone {
        code: code.parse().unwrap(),
        name: name(code),
        countries: vec!["CN".parse().unwrap()],
        roaming,
    };
    let terms = || {
        [(1, 0), (3, 500), (12, 2_000)]
            .map(|(periods, discount_basis_points)| Term {
                periods,
                discount_basis_points,
            })
            .to_vec()
    };
    let step = |amount, fen| BuilderStep {
        amount,
        prices: yuan(fen),
    };
    Catalogue {
        version: 1,
        zones: vec![zone("home", false), zone("world", true)],
        offers: vec![Offer {
            code: "basic".to_owned(),
            tier: Tier::Basic,
            name: name("basic"),
            summary: name("basic"),
            zone: "home".parse().unwrap(),
            allowance: Allowance {
                data: Octets::new(10).unwrap(),
                voice: Seconds::new(60).unwrap(),
                sms: Messages::new(5).unwrap(),
            },
            dedicated: Vec::new(),
            validity_days: 30,
            activations: Activation::ALL.to_vec(),
            prices: yuan(3_900),
            terms: terms(),
        }],
        add_ons: vec![AddOn {
            code: "extra".to_owned(),
            name: name("extra"),
            data: Octets::new(7).unwrap(),
            prices: yuan(1_000),
        }],
        builder: Builder {
            zones: vec![BuilderZone {
                zone: "world".parse().unwrap(),
                base: yuan(2_000),
                data_factor_basis_points: 25_000,
            }],
            data: vec![step(0, 0), step(1_000, 500)],
            voice: vec![step(0, 0), step(60, 300)],
            sms: vec![step(0, 0), step(10, 100)],
            validity_days: 30,
            activations: vec![Activation::Now],
            terms: terms(),
        },
        promotions: vec![promotion("half", Reduction::Share(5_000))],
        taxes: vec![Tax {
            currency: Currency::Cny,
            rate_basis_points: 600,
            name: name("VAT"),
        }],
        identity_rules: vec![],
    }
}

fn request(start: Start) -> QuoteRequest {
    QuoteRequest {
        selection: Selection::Offer("basic".to_owned()),
        periods: 1,
        currency: Currency::Cny,
        start,
        promotion_code: None,
    }
}

fn ask(
    catalogue: &Catalogue,
    request: &QuoteRequest,
    running: Option<&Running>,
) -> Result<Quote, QuoteRefusal> {
    quote(
        request,
        &QuoteContext {
            catalogue,
            now: NOW,
            running,
            first_purchase: true,
            uses: &[],
        },
    )
}

fn running(days: u32) -> Running {
    let end = NOW.plus(Duration::days(days));
    Running {
        selection: "offer:basic".to_owned(),
        ends_at: Some(end),
        last_end: Some(end),
    }
}

fn order(quote: &Quote) -> Order {
    Order {
        id: OrderId::from_parts(1, &[1; 10]),
        customer: CustomerId::from_parts(1, &[2; 10]),
        line: None,
        selection: quote.request.selection.clone(),
        periods: quote.request.periods,
        start: quote.request.start,
        catalogue_version: 1,
        zone: quote.zone.clone(),
        lines: quote.lines.clone(),
        promotions: quote.promotions.clone(),
        total: quote.total,
        tax: quote.tax,
        tax_rate_basis_points: quote.tax_rate_basis_points,
        placed_at: NOW,
        expires_at: NOW.plus(Order::PAY_WITHIN),
        quoted_end: quote.schedule.ends_at(),
        automatic: false,
        state: OrderState::AwaitingPayment,
    }
}

fn payment(order: &Order, state: PaymentState) -> Payment {
    Payment {
        id: PaymentId::from_parts(1, &[3; 10]),
        order: order.id,
        provider: "test".to_owned(),
        method: MethodKind::Alipay,
        mandate: None,
        store_method: false,
        amount: order.total,
        state,
        created_at: NOW,
        queries: 0,
    }
}

#[test]
fn a_longer_term_and_a_promotion_are_lines_of_their_own() {
    let catalogue = catalogue();
    let wish = QuoteRequest {
        periods: 3,
        promotion_code: Some(" HALF ".to_owned()),
        ..request(Start::Now)
    };
    let quote = ask(&catalogue, &wish, None).unwrap();
    let lines: Vec<_> = quote
        .lines
        .iter()
        .map(|line| (line.kind, line.amount.minor))
        .collect();
    assert_eq!(
        lines,
        [
            (LineKind::Plan, 11_700),
            (LineKind::TermDiscount, -585),
            (LineKind::Promotion, -5_558)
        ]
    );
    assert_eq!((quote.total.minor, quote.tax.minor), (5_557, 315));
    assert_eq!(quote.promotions, ["half"]);
}

#[test]
fn roaming_data_costs_its_zone_factor() {
    let catalogue = catalogue();
    let allowance = Allowance {
        data: Octets::new(1_000).unwrap(),
        ..Allowance::default()
    };
    let mix = Mix {
        zone: "world".parse().unwrap(),
        allowance,
    };
    let wish = QuoteRequest {
        selection: Selection::Mix(mix),
        ..request(Start::Now)
    };
    let quote = ask(&catalogue, &wish, None).unwrap();
    let lines: Vec<_> = quote
        .lines
        .iter()
        .map(|line| (line.kind, line.amount.minor))
        .collect();
    assert_eq!(
        lines,
        [(LineKind::MixBase, 2_000), (LineKind::MixData, 1_250)]
    );
}

#[test]
fn wishes_that_cannot_be_met_say_why() {
    let catalogue = catalogue();
    let base = request(Start::Now);
    let mix = |data, zone: &str| {
        Selection::Mix(Mix {
            zone: zone.parse().unwrap(),
            allowance: Allowance {
                data: Octets::new(data).unwrap(),
                ..Allowance::default()
            },
        })
    };
    let runs = running(10);
    let other = Running {
        selection: "offer:other".to_owned(),
        ..running(10)
    };
    let cases = [
        (
            QuoteRequest {
                selection: Selection::Offer("gone".to_owned()),
                ..base.clone()
            },
            None,
            QuoteRefusal::NotInCatalogue,
        ),
        (
            QuoteRequest {
                selection: mix(0, "world"),
                ..base.clone()
            },
            None,
            QuoteRefusal::EmptyMix,
        ),
        (
            QuoteRequest {
                selection: mix(7, "world"),
                ..base.clone()
            },
            None,
            QuoteRefusal::NotInCatalogue,
        ),
        (
            QuoteRequest {
                selection: mix(1_000, "home"),
                ..base.clone()
            },
            None,
            QuoteRefusal::NotInCatalogue,
        ),
        (
            QuoteRequest {
                currency: Currency::Eur,
                ..base.clone()
            },
            None,
            QuoteRefusal::NotInCurrency,
        ),
        (
            QuoteRequest {
                periods: 2,
                ..base.clone()
            },
            None,
            QuoteRefusal::NotForTerm,
        ),
        (
            request(Start::Add),
            None,
            StartRefusal::NothingRunning.into(),
        ),
        (
            request(Start::Queue),
            None,
            StartRefusal::NothingRunning.into(),
        ),
        (
            request(Start::Add),
            Some(&other),
            StartRefusal::DifferentPlan.into(),
        ),
        (
            request(Start::FirstUse),
            Some(&runs),
            StartRefusal::AlreadyRunning.into(),
        ),
        (
            request(Start::On(NOW.minus(Duration::days(2)))),
            None,
            StartRefusal::DateOutOfRange.into(),
        ),
        (
            request(Start::On(NOW.plus(Duration::days(181)))),
            None,
            StartRefusal::DateOutOfRange.into(),
        ),
        (
            QuoteRequest {
                selection: Selection::AddOn("extra".to_owned()),
                ..base.clone()
            },
            None,
            StartRefusal::NothingRunning.into(),
        ),
        (
            QuoteRequest {
                promotion_code: Some("none".to_owned()),
                ..base
            },
            None,
            PromotionRefusal::Unknown.into(),
        ),
    ];
    for (wish, running, refusal) in cases {
        assert_eq!(ask(&catalogue, &wish, running), Err(refusal), "{wish:?}");
    }
}

#[test]
fn a_promotion_is_refused_for_its_first_reason() {
    let base = promotion("p", Reduction::Share(1_000));
    let later = Period {
        start: NOW.plus(Duration::days(1)),
        end: NOW.plus(Duration::days(2)),
    };
    let past = Period {
        start: NOW.minus(Duration::days(2)),
        end: NOW,
    };
    let used = |by_customer, total| {
        vec![PromotionUse {
            code: "p".to_owned(),
            by_customer,
            total,
        }]
    };
    let cases = [
        (
            Promotion {
                window: later,
                ..base.clone()
            },
            vec![],
            PromotionRefusal::NotYet,
        ),
        (
            Promotion {
                window: past,
                ..base.clone()
            },
            vec![],
            PromotionRefusal::Over,
        ),
        (
            Promotion {
                tiers: vec![Tier::Deluxe],
                ..base.clone()
            },
            vec![],
            PromotionRefusal::NotForThisPlan,
        ),
        (
            Promotion {
                min_periods: 3,
                ..base.clone()
            },
            vec![],
            PromotionRefusal::TermTooShort,
        ),
        (
            Promotion {
                first_purchase_only: true,
                ..base.clone()
            },
            vec![],
            PromotionRefusal::NotFirstPurchase,
        ),
        (base.clone(), used(1, 1), PromotionRefusal::UsedByCustomer),
        (base, used(0, 10), PromotionRefusal::UsedUp),
    ];
    for (promotion, uses, refusal) in cases {
        let catalogue = Catalogue {
            promotions: vec![promotion],
            ..catalogue()
        };
        let wish = QuoteRequest {
            promotion_code: Some("p".to_owned()),
            ..request(Start::Now)
        };
        let context = QuoteContext {
            catalogue: &catalogue,
            now: NOW,
            running: None,
            first_purchase: false,
            uses: &uses,
        };
        assert_eq!(quote(&wish, &context), Err(refusal.into()));
    }
}

#[test]
fn a_promotion_for_a_first_purchase_is_held_by_an_order_that_waits() {
    let once = Promotion {
        limit_per_customer: None,
        first_purchase_only: true,
        ..promotion("p", Reduction::Share(1_000))
    };
    let uses = [PromotionUse {
        code: "p".to_owned(),
        by_customer: 1,
        total: 1,
    }];
    let context = QuoteContext {
        catalogue: &Catalogue {
            promotions: vec![once],
            ..catalogue()
        },
        now: NOW,
        running: None,
        first_purchase: true,
        uses: &uses,
    };
    let wish = QuoteRequest {
        promotion_code: Some("p".to_owned()),
        ..request(Start::Now)
    };
    assert_eq!(
        quote(&wish, &context),
        Err(PromotionRefusal::UsedByCustomer.into())
    );
}

#[test]
fn promotions_stack_only_when_both_say_so() {
    let off = |code: &str, automatic, stacks| Promotion {
        automatic,
        stacks,
        limit_per_customer: None,
        ..promotion(code, Reduction::Share(1_000))
    };
    let cases = [
        (
            vec![off("auto", true, true), off("typed", false, true)],
            vec!["auto", "typed"],
        ),
        (
            vec![off("auto", true, true), off("typed", false, false)],
            vec!["typed"],
        ),
        (
            vec![off("auto", true, false), off("typed", false, true)],
            vec!["typed"],
        ),
    ];
    for (promotions, used) in cases {
        let catalogue = Catalogue {
            promotions,
            ..catalogue()
        };
        let wish = QuoteRequest {
            promotion_code: Some("typed".to_owned()),
            ..request(Start::Now)
        };
        assert_eq!(ask(&catalogue, &wish, None).unwrap().promotions, used);
    }
}

#[test]
fn a_fixed_reduction_never_makes_an_order_free() {
    let catalogue = Catalogue {
        promotions: vec![promotion("gift", Reduction::Amount(yuan(999_999)))],
        ..catalogue()
    };
    let wish = QuoteRequest {
        promotion_code: Some("gift".to_owned()),
        ..request(Start::Now)
    };
    assert_eq!(ask(&catalogue, &wish, None).unwrap().total.minor, 1);
}

#[test]
fn renewing_adds_queues_or_replaces() {
    let catalogue = catalogue();
    let runs = running(10);
    let end = |start| {
        ask(&catalogue, &request(start), Some(&runs))
            .unwrap()
            .schedule
            .ends_at()
            .unwrap()
    };
    assert_eq!(end(Start::Add).as_micros() - NOW.as_micros(), 40 * DAY);
    assert_eq!(end(Start::Queue).as_micros() - NOW.as_micros(), 40 * DAY);
    assert_eq!(end(Start::Now).as_micros() - NOW.as_micros(), 30 * DAY);
    let first_use = ask(&catalogue, &request(Start::FirstUse), None).unwrap();
    assert_eq!(first_use.schedule.ends_at(), None);
}

#[test]
fn a_slow_payment_costs_the_customer_no_days() {
    let order = order(&ask(&catalogue(), &request(Start::Now), None).unwrap());
    assert_eq!(order.effective_from(NOW.plus(Duration::minutes(30))), NOW);
    let late = NOW.plus(Duration::hours(5));
    assert_eq!(order.effective_from(late), late);
}

#[test]
fn a_paid_order_is_executed_even_if_the_line_has_changed() {
    let catalogue = catalogue();
    let runs = running(10);
    let waiting = Running {
        ends_at: None,
        last_end: None,
        ..running(1)
    };
    let cases = [
        (Start::Add, Some(&runs), None, Start::Now),
        (Start::Queue, Some(&runs), None, Start::Now),
        (Start::FirstUse, None, Some(&runs), Start::Queue),
        (Start::Add, Some(&runs), Some(&waiting), Start::Now),
    ];
    for (start, at_quote, at_payment, executed) in cases {
        let order = order(&ask(&catalogue, &request(start), at_quote).unwrap());
        let execution = execute(&order, &catalogue, at_payment, NOW).unwrap();
        assert_eq!(execution.start, executed, "{start:?}");
    }
}

#[test]
fn what_a_provider_says_decides_by_the_order_not_by_the_attempt() {
    let order = order(&ask(&catalogue(), &request(Start::Now), None).unwrap());
    let paid = order.clone().fulfil(NOW).unwrap();
    let closed = order.clone().close(NOW, CloseReason::Expired).unwrap();
    let seen = |status| Observation {
        status,
        amount: order.total,
        merchant_is_ours: true,
    };
    let captured = seen(ProviderStatus::Captured);
    let wrong = Observation {
        amount: Money::new(1, Currency::Cny),
        ..captured.clone()
    };
    let foreign = Observation {
        merchant_is_ours: false,
        ..captured.clone()
    };
    let failed = PaymentState::Failed {
        at: NOW,
        failure: Failure::BankRefused,
    };
    let failure = seen(ProviderStatus::Failed(Failure::BankRefused));
    let taken = PaymentState::Captured { at: NOW };
    let cases = [
        (&order, PaymentState::Created, &captured, Settlement::Fulfil),
        (&order, failed.clone(), &captured, Settlement::Fulfil),
        (
            &order,
            PaymentState::Closed { at: NOW },
            &captured,
            Settlement::Fulfil,
        ),
        (
            &paid,
            PaymentState::Processing,
            &captured,
            Settlement::ReturnMoney,
        ),
        (
            &closed,
            PaymentState::Unknown,
            &captured,
            Settlement::ReturnMoney,
        ),
        (&paid, taken.clone(), &captured, Settlement::Ignore),
        (&order, PaymentState::Created, &wrong, Settlement::Mismatch),
        (
            &order,
            PaymentState::Created,
            &foreign,
            Settlement::Mismatch,
        ),
        (
            &order,
            PaymentState::Processing,
            &failure,
            Settlement::Move(failed.clone()),
        ),
        (&paid, taken, &failure, Settlement::Ignore),
        (
            &order,
            PaymentState::Closed { at: NOW },
            &failure,
            Settlement::Ignore,
        ),
        (
            &order,
            PaymentState::Unknown,
            &seen(ProviderStatus::NotFound),
            Settlement::Move(PaymentState::Closed { at: NOW }),
        ),
        (
            &order,
            PaymentState::Processing,
            &seen(ProviderStatus::Pending),
            Settlement::Ignore,
        ),
    ];
    for (order, state, seen, settlement) in cases {
        let attempt = payment(order, state);
        assert_eq!(
            settle(&attempt, order, seen, NOW),
            settlement,
            "{:?} {seen:?}",
            attempt.state
        );
    }
}

#[test]
fn an_order_is_paid_closed_and_refunded_at_most_once() {
    let open = order(&ask(&catalogue(), &request(Start::Now), None).unwrap());
    let paid = open.clone().fulfil(NOW).unwrap();
    assert_eq!(paid.clone().fulfil(NOW), Err(OrderTransition::AlreadyPaid));
    assert_eq!(
        paid.clone().close(NOW, CloseReason::Cancelled),
        Err(OrderTransition::AlreadyPaid)
    );
    assert_eq!(open.clone().refund(NOW), Err(OrderTransition::NotPaid));
    let back = paid.refund(NOW).unwrap();
    assert_eq!(
        back.clone().refund(NOW),
        Err(OrderTransition::AlreadyRefunded)
    );
    let closed = open.close(NOW, CloseReason::Expired).unwrap();
    assert_eq!(closed.fulfil(NOW), Err(OrderTransition::Closed));
}

#[test]
fn charges_keep_their_distance_and_stop() {
    let end = NOW.plus(Duration::days(10));
    assert_eq!(
        next_charge(end, end.minus(Duration::days(3))),
        end.minus(Duration::days(1))
    );
    let late_notice = end.minus(Duration::hours(6));
    assert_eq!(
        next_charge(end, late_notice),
        late_notice.plus(Duration::days(1))
    );
    assert!(
        matches!(retry_after(Failure::InsufficientFunds, 1, NOW), RenewalStep::RetryAt(at) if at > NOW)
    );
    assert_eq!(
        retry_after(Failure::InsufficientFunds, 6, NOW),
        RenewalStep::GiveUp
    );
    for failure in [Failure::Expired, Failure::Risk, Failure::MandateEnded] {
        assert_eq!(retry_after(failure, 1, NOW), RenewalStep::GiveUp);
    }
}

#[test]
fn a_catalogue_that_contradicts_itself_names_every_place() {
    let mut broken = catalogue();
    broken.offers[0].zone = "nowhere".parse().unwrap();
    broken.offers[0].prices = Prices::default();
    broken.promotions.push(broken.promotions[0].clone());
    let errors = broken.checked().unwrap_err();
    assert_eq!(
        errors,
        [
            CatalogueError::BadCode("half".to_owned()),
            CatalogueError::UnknownZone("basic".to_owned()),
            CatalogueError::BadPrice("basic".to_owned()),
        ]
    );
    assert!(catalogue().checked().is_ok());
}

fn starts() -> impl Strategy<Value = Start> {
    prop_oneof![
        Just(Start::Now),
        Just(Start::Add),
        Just(Start::Queue),
        Just(Start::FirstUse),
        (0u32..180).prop_map(|days| Start::On(NOW.plus(Duration::days(days)))),
    ]
}

fn selections() -> impl Strategy<Value = Selection> {
    prop_oneof![
        Just(Selection::Offer("basic".to_owned())),
        Just(Selection::AddOn("extra".to_owned())),
        (prop::bool::ANY, prop::bool::ANY, prop::bool::ANY).prop_map(|(data, voice, sms)| {
            Selection::Mix(Mix {
                zone: "world".parse().unwrap(),
                allowance: Allowance {
                    data: Octets::new(if data { 1_000 } else { 0 }).unwrap(),
                    voice: Seconds::new(if voice { 60 } else { 0 }).unwrap(),
                    sms: Messages::new(if sms { 10 } else { 0 }).unwrap(),
                },
            })
        }),
    ]
}

proptest! {
    #[test]
    fn what_a_quote_says_is_what_is_executed(
        selection in selections(),
        start in starts(),
        periods in prop::sample::select(vec![1u32, 3, 12]),
        runs in prop::option::of(1u32..90),
        paid_after_seconds in 0u32..1_800,
        usd in prop::bool::ANY,
        code in prop::bool::ANY,
    ) {
        let catalogue = catalogue();
        let runs = runs.map(running);
        let wish = QuoteRequest {
            selection,
            periods,
            currency: if usd { Currency::Usd } else { Currency::Cny },
            start,
            promotion_code: code.then(|| "half".to_owned()),
        };
        if let Ok(quote) = ask(&catalogue, &wish, runs.as_ref()) {
            let lines: i64 = quote.lines.iter().map(|line| line.amount.minor).sum();
            prop_assert_eq!(lines, quote.total.minor, "the lines sum to the total");
            prop_assert!(quote.total.minor > 0);
            prop_assert!(quote.tax.minor >= 0 && quote.tax.minor < quote.total.minor);
            let order = order(&quote);
            let from = order.effective_from(NOW.plus(Duration::seconds(paid_after_seconds)));
            let execution = execute(&order, &catalogue, runs.as_ref(), from).unwrap();
            prop_assert_eq!(&execution.schedule, &quote.schedule);
            prop_assert_eq!(execution.allowance, quote.allowance);
            prop_assert_eq!(execution.schedule.ends_at(), order.quoted_end);
            if let Schedule::Fixed { periods } = execution.schedule {
                for pair in periods.windows(2) {
                    prop_assert_eq!(pair[0].end, pair[1].start, "no gap, no overlap");
                }
            }
        }
    }

    #[test]
    fn selections_and_starts_read_back(selection in selections(), start in starts()) {
        prop_assert_eq!(selection.to_string().parse(), Ok(selection));
        prop_assert_eq!(start.to_string().parse(), Ok(start));
    }

    #[test]
    fn no_text_breaks_the_parsers(text in "\\PC{0,60}") {
        let _ = text.parse::<Selection>();
        let _ = text.parse::<Start>();
    }
}
