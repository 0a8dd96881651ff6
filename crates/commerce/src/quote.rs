//! The quote: a dry run of a purchase. What it says is what an order made from it executes.

use simurgh_vocab::{Allowance, Currency, Duration, Money, Period, Timestamp, ZoneCode};

use crate::promotion::Occasion;
use crate::schedule::{Wish, plan};
use crate::{
    Activation, AddOn, Builder, BuilderStep, Catalogue, Dedicated, LocalText, Mix, Order,
    Promotion, PromotionRefusal, PromotionUse, Running, Schedule, Selection, Start, StartRefusal,
    Term, Tier,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteRequest {
    /// The plan, mix or add-on.
    pub selection: Selection,
    /// How many periods; 1 for an add-on.
    pub periods: u32,
    /// The currency to pay in.
    pub currency: Currency,
    /// When it is to start; ignored for an add-on, which starts at once.
    pub start: Start,
    /// The promotion code the customer typed, if any.
    pub promotion_code: Option<String>,
}

/// What the quote depends on besides the request.
#[derive(Debug, Clone)]
pub struct QuoteContext<'a> {
    /// The catalogue in force.
    pub catalogue: &'a Catalogue,
    /// The time of the quote.
    pub now: Timestamp,
    /// The plan the line has, if any.
    pub running: Option<&'a Running>,
    /// Whether the customer has never paid for anything.
    pub first_purchase: bool,
    /// How often the promotions of the catalogue were used.
    pub uses: &'a [PromotionUse],
}

/// What a line of a quote, an order or a bill is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A ready-made plan.
    Plan,
    /// The base price of an own mix.
    MixBase,
    /// The data of an own mix.
    MixData,
    /// The voice of an own mix.
    MixVoice,
    /// The SMS of an own mix.
    MixSms,
    /// Extra data.
    AddOn,
    /// What a longer term saves.
    TermDiscount,
    /// What a promotion saves.
    Promotion,
}

impl LineKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Plan,
        Self::MixBase,
        Self::MixData,
        Self::MixVoice,
        Self::MixSms,
        Self::AddOn,
        Self::TermDiscount,
        Self::Promotion,
    ];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::MixBase => "mix-base",
            Self::MixData => "mix-data",
            Self::MixVoice => "mix-voice",
            Self::MixSms => "mix-sms",
            Self::AddOn => "add-on",
            Self::TermDiscount => "term-discount",
            Self::Promotion => "promotion",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A line of a quote. The lines sum to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteLine {
    /// What it is about.
    pub kind: LineKind,
    /// The catalogue's name of it (a zone for [`LineKind::MixBase`], empty for the other parts of a mix).
    pub label: LocalText,
    /// How much of it: periods, or the octets, seconds or messages of a mix.
    pub quantity: i64,
    /// The amount, tax included; negative for a discount.
    pub amount: Money,
}

/// A priced, dated purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The request it answers.
    pub request: QuoteRequest,
    /// The version of the catalogue it was made from.
    pub catalogue_version: u32,
    /// The lines.
    pub lines: Vec<QuoteLine>,
    /// What is to be paid, tax included. Always more than nothing.
    pub total: Money,
    /// The tax inside the total.
    pub tax: Money,
    /// The tax rate in basis points.
    pub tax_rate_basis_points: u32,
    /// The codes of the promotions it uses.
    pub promotions: Vec<String>,
    /// What each period gives.
    pub allowance: Allowance,
    /// Where it holds.
    pub zone: ZoneCode,
    /// When.
    pub schedule: Schedule,
}

/// Why there is no price. Precedence as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    /// The catalogue does not have it (any more), or not in this combination.
    #[error("this is not in the catalogue")]
    NotInCatalogue,
    /// A mix of nothing.
    #[error("choose some data, voice or SMS")]
    EmptyMix,
    /// It is not sold in this currency.
    #[error("this is not sold in that currency")]
    NotInCurrency,
    /// It is not sold in this term.
    #[error("this is not sold for that term")]
    NotForTerm,
    /// It cannot start as wished.
    #[error(transparent)]
    Start(#[from] StartRefusal),
    /// The promotion code is refused.
    #[error(transparent)]
    Promotion(#[from] PromotionRefusal),
    /// The amounts do not fit.
    #[error("the price is too large")]
    TooLarge,
}

/// What a selection is in the catalogue, as far as a quote needs it.
struct Item<'a> {
    lines: Vec<QuoteLine>,
    tier: Option<Tier>,
    zone: ZoneCode,
    allowance: Allowance,
    validity_days: u32,
    activations: &'a [Activation],
    terms: &'a [Term],
}

/// Prices and dates a purchase without making it.
///
/// # Errors
/// [`QuoteRefusal`].
pub fn quote(request: &QuoteRequest, context: &QuoteContext<'_>) -> Result<Quote, QuoteRefusal> {
    match &request.selection {
        Selection::AddOn(code) => quote_add_on(code, request, context),
        Selection::Offer(code) => quote_plan(offer_item(code, request, context)?, request, context),
        Selection::Mix(mix) => quote_plan(mix_item(mix, request, context)?, request, context),
    }
}

fn quote_plan(
    item: Item<'_>,
    request: &QuoteRequest,
    context: &QuoteContext<'_>,
) -> Result<Quote, QuoteRefusal> {
    let term = item
        .terms
        .iter()
        .find(|term| term.periods == request.periods);
    let term = *term.ok_or(QuoteRefusal::NotForTerm)?;
    let wish = Wish {
        selection: &request.selection.to_string(),
        start: request.start,
        periods: request.periods,
        validity_days: item.validity_days,
        activations: item.activations,
    };
    let schedule = plan(&wish, context.running, context.now)?;
    let mut lines = item.lines;
    for line in &mut lines {
        line.amount = times(line.amount, i64::from(term.periods))?;
    }
    let full = sum(&lines, request.currency)?;
    if term.discount_basis_points > 0 {
        let off = full
            .portion(i64::from(term.discount_basis_points), 10_000)
            .map_err(too_large)?;
        lines.push(QuoteLine {
            kind: LineKind::TermDiscount,
            label: LocalText::default(),
            quantity: i64::from(term.periods),
            amount: times(off, -1)?,
        });
    }
    let occasion = Occasion {
        now: context.now,
        tier: item.tier,
        periods: request.periods,
        first_purchase: context.first_purchase,
        uses: context.uses,
    };
    let used = promotions(&occasion, request, context.catalogue)?;
    let mut price = sum(&lines, request.currency)?;
    for promotion in &used {
        let Some(off) = promotion.off(price).filter(|off| off.minor > 0) else {
            continue;
        };
        lines.push(QuoteLine {
            kind: LineKind::Promotion,
            label: promotion.name.clone(),
            quantity: 1,
            amount: times(off, -1)?,
        });
        price = price.minus(off).map_err(too_large)?;
    }
    let codes = used
        .iter()
        .map(|promotion| promotion.code.clone())
        .collect();
    let placed = Placed {
        lines,
        promotions: codes,
        allowance: item.allowance,
        zone: item.zone,
        schedule,
    };
    finish(placed, request, context)
}

fn quote_add_on(
    code: &str,
    request: &QuoteRequest,
    context: &QuoteContext<'_>,
) -> Result<Quote, QuoteRefusal> {
    let add_on: &AddOn = context
        .catalogue
        .add_on(code)
        .ok_or(QuoteRefusal::NotInCatalogue)?;
    let price = add_on
        .prices
        .in_currency(request.currency)
        .ok_or(QuoteRefusal::NotInCurrency)?;
    if request.periods != 1 {
        return Err(QuoteRefusal::NotForTerm);
    }
    if request.promotion_code.is_some() {
        return Err(PromotionRefusal::NotForThisPlan.into());
    }
    let running = context.running.ok_or(StartRefusal::NothingRunning)?;
    let end = running
        .ends_at
        .filter(|end| *end > context.now)
        .ok_or(StartRefusal::NothingRunning)?;
    let zone = running_zone(running, context.catalogue).ok_or(QuoteRefusal::NotInCatalogue)?;
    let placed = Placed {
        lines: vec![QuoteLine {
            kind: LineKind::AddOn,
            label: add_on.name.clone(),
            quantity: 1,
            amount: price,
        }],
        promotions: Vec::new(),
        allowance: Allowance {
            data: add_on.data,
            ..Allowance::default()
        },
        zone,
        schedule: Schedule::Fixed {
            periods: vec![Period {
                start: context.now,
                end,
            }],
        },
    };
    finish(placed, request, context)
}

struct Placed {
    lines: Vec<QuoteLine>,
    promotions: Vec<String>,
    allowance: Allowance,
    zone: ZoneCode,
    schedule: Schedule,
}

fn finish(
    placed: Placed,
    request: &QuoteRequest,
    context: &QuoteContext<'_>,
) -> Result<Quote, QuoteRefusal> {
    let total = sum(&placed.lines, request.currency)?;
    let rate = context.catalogue.tax_rate(request.currency);
    Ok(Quote {
        request: request.clone(),
        catalogue_version: context.catalogue.version,
        total,
        tax: total.included_tax(rate).map_err(too_large)?,
        tax_rate_basis_points: rate,
        lines: placed.lines,
        promotions: placed.promotions,
        allowance: placed.allowance,
        zone: placed.zone,
        schedule: placed.schedule,
    })
}

fn offer_item<'a>(
    code: &str,
    request: &QuoteRequest,
    context: &QuoteContext<'a>,
) -> Result<Item<'a>, QuoteRefusal> {
    let offer = context
        .catalogue
        .offer(code)
        .ok_or(QuoteRefusal::NotInCatalogue)?;
    let price = offer
        .prices
        .in_currency(request.currency)
        .ok_or(QuoteRefusal::NotInCurrency)?;
    Ok(Item {
        lines: vec![QuoteLine {
            kind: LineKind::Plan,
            label: offer.name.clone(),
            quantity: i64::from(request.periods),
            amount: price,
        }],
        tier: Some(offer.tier),
        zone: offer.zone.clone(),
        allowance: offer.allowance,
        validity_days: offer.validity_days,
        activations: &offer.activations,
        terms: &offer.terms,
    })
}

fn mix_item<'a>(
    mix: &Mix,
    request: &QuoteRequest,
    context: &QuoteContext<'a>,
) -> Result<Item<'a>, QuoteRefusal> {
    let builder: &Builder = &context.catalogue.builder;
    let zone = builder.zones.iter().find(|zone| zone.zone == mix.zone);
    let zone = zone.ok_or(QuoteRefusal::NotInCatalogue)?;
    if mix.allowance.is_empty() {
        return Err(QuoteRefusal::EmptyMix);
    }
    let currency = request.currency;
    let base = zone
        .base
        .in_currency(currency)
        .ok_or(QuoteRefusal::NotInCurrency)?;
    let zone_name = context
        .catalogue
        .zone(&mix.zone)
        .map(|zone| zone.name.clone());
    let mut lines = vec![QuoteLine {
        kind: LineKind::MixBase,
        label: zone_name.ok_or(QuoteRefusal::NotInCatalogue)?,
        quantity: i64::from(request.periods),
        amount: base,
    }];
    let parts = [
        (
            LineKind::MixData,
            mix.allowance.data.count(),
            &builder.data,
            zone.data_factor_basis_points,
        ),
        (
            LineKind::MixVoice,
            mix.allowance.voice.count(),
            &builder.voice,
            10_000,
        ),
        (
            LineKind::MixSms,
            mix.allowance.sms.count(),
            &builder.sms,
            10_000,
        ),
    ];
    for (kind, quantity, steps, factor) in parts {
        if quantity > 0 {
            let price = step_price(steps, quantity, currency)?;
            let amount = price
                .portion(i64::from(factor), 10_000)
                .map_err(too_large)?;
            lines.push(QuoteLine {
                kind,
                label: LocalText::default(),
                quantity,
                amount,
            });
        }
    }
    Ok(Item {
        lines,
        tier: None,
        zone: mix.zone.clone(),
        allowance: mix.allowance,
        validity_days: builder.validity_days,
        activations: &builder.activations,
        terms: &builder.terms,
    })
}

fn step_price(
    steps: &[BuilderStep],
    amount: i64,
    currency: Currency,
) -> Result<Money, QuoteRefusal> {
    let step = steps.iter().find(|step| step.amount == amount);
    step.ok_or(QuoteRefusal::NotInCatalogue)?
        .prices
        .in_currency(currency)
        .ok_or(QuoteRefusal::NotInCurrency)
}

/// The promotions that apply: the typed one (which must be admitted), and automatic ones. Those
/// that stack are combined in the order of the catalogue; one that does not stack stands alone,
/// and the typed one wins over automatic ones.
fn promotions<'a>(
    occasion: &Occasion<'_>,
    request: &QuoteRequest,
    catalogue: &'a Catalogue,
) -> Result<Vec<&'a Promotion>, PromotionRefusal> {
    let typed = match request
        .promotion_code
        .as_deref()
        .map(str::trim)
        .filter(|code| !code.is_empty())
    {
        None => None,
        Some(code) => {
            let known = catalogue
                .promotions
                .iter()
                .find(|promotion| !promotion.automatic && promotion.code.eq_ignore_ascii_case(code))
                .ok_or(PromotionRefusal::Unknown)?;
            known.admit(occasion)?;
            Some(known)
        }
    };
    let automatic = catalogue
        .promotions
        .iter()
        .filter(|promotion| promotion.automatic && promotion.admit(occasion).is_ok());
    Ok(match typed {
        Some(typed) if !typed.stacks => vec![typed],
        Some(typed) => automatic
            .filter(|promotion| promotion.stacks)
            .chain([typed])
            .collect(),
        None => {
            let all: Vec<_> = automatic.collect();
            match all.iter().find(|promotion| !promotion.stacks) {
                Some(alone) => vec![*alone],
                None => all,
            }
        }
    })
}

fn running_zone(running: &Running, catalogue: &Catalogue) -> Option<ZoneCode> {
    match running.selection.parse().ok()? {
        Selection::Offer(code) => catalogue.offer(&code).map(|offer| offer.zone.clone()),
        Selection::Mix(mix) => Some(mix.zone),
        Selection::AddOn(_) => None,
    }
}

fn sum(lines: &[QuoteLine], currency: Currency) -> Result<Money, QuoteRefusal> {
    lines
        .iter()
        .try_fold(Money::zero(currency), |total, line| total.plus(line.amount))
        .map_err(too_large)
}

fn times(amount: Money, count: i64) -> Result<Money, QuoteRefusal> {
    amount.times(count).map_err(too_large)
}

fn too_large(_: simurgh_vocab::MoneyError) -> QuoteRefusal {
    QuoteRefusal::TooLarge
}

impl Quote {
    /// How long one period of an own mix or plan lasts, if the schedule says so.
    #[must_use]
    pub fn validity(&self) -> Option<Duration> {
        match &self.schedule {
            Schedule::Fixed { periods } => {
                periods.first().map(|period| period.end.since(period.start))
            }
            Schedule::Extended { .. } => None,
            Schedule::OnFirstUse { validity, .. } => Some(*validity),
        }
    }
}

/// What a paid order grants, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// What each period gives.
    pub allowance: Allowance,
    /// What each period gives beside it for some rating groups only.
    pub dedicated: Vec<Dedicated>,
    /// When.
    pub schedule: Schedule,
    /// The start it was given, which differs from the one ordered if the line changed meanwhile.
    pub start: Start,
}

/// How long extra data holds that was paid for when its plan had just ended.
const STRANDED_ADD_ON: Duration = Duration::days(30);

/// Executes a paid order against the line as it is now. While the line has not changed since the
/// quote this gives the quote's own schedule. A paid order is always executed: where the line has
/// changed, it starts in the nearest way that loses nothing (added becomes queued, queued becomes
/// now, first use becomes queued).
///
/// # Errors
/// [`QuoteRefusal::NotInCatalogue`] if the order was not made from this catalogue: a defect.
pub fn execute(
    order: &Order,
    catalogue: &Catalogue,
    running: Option<&Running>,
    from: Timestamp,
) -> Result<Execution, QuoteRefusal> {
    let request = QuoteRequest {
        selection: order.selection.clone(),
        periods: order.periods,
        currency: order.total.currency,
        start: order.start,
        promotion_code: None,
    };
    let context = QuoteContext {
        catalogue,
        now: from,
        running,
        first_purchase: false,
        uses: &[],
    };
    let item = match &order.selection {
        Selection::Offer(code) => offer_item(code, &request, &context)?,
        Selection::Mix(mix) => mix_item(mix, &request, &context)?,
        Selection::AddOn(code) => {
            let add_on = catalogue.add_on(code).ok_or(QuoteRefusal::NotInCatalogue)?;
            let end = running
                .and_then(|running| running.ends_at)
                .filter(|end| *end > from);
            let end = end.unwrap_or_else(|| from.plus(STRANDED_ADD_ON));
            return Ok(Execution {
                allowance: Allowance {
                    data: add_on.data,
                    ..Allowance::default()
                },
                dedicated: Vec::new(),
                schedule: Schedule::Fixed {
                    periods: vec![Period { start: from, end }],
                },
                start: Start::Now,
            });
        }
    };
    let dedicated = match &order.selection {
        Selection::Offer(code) => catalogue.offer(code).map(|offer| offer.dedicated.clone()),
        Selection::Mix(_) | Selection::AddOn(_) => None,
    };
    let dedicated = dedicated.unwrap_or_default();
    let selection = order.selection.to_string();
    let everywhere = Activation::ALL;
    let wish = |start| Wish {
        selection: &selection,
        start,
        periods: order.periods,
        validity_days: item.validity_days,
        activations: &everywhere,
    };
    let (mut start, mut tried) = (order.start, plan(&wish(order.start), running, from));
    for fallback in [Start::Queue, Start::Now] {
        if tried.is_err() {
            (start, tried) = (fallback, plan(&wish(fallback), running, from));
        }
    }
    Ok(Execution {
        allowance: item.allowance,
        dedicated,
        schedule: tried?,
        start,
    })
}
