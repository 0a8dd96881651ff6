//! Names of the things the shop deals with, for a reader.

use simurgh_app::line::PlanView;
use simurgh_commerce::{
    Dedicated, DocumentLine, LineKind, MethodKind, Order, PromotionRefusal, QuoteLine,
    QuoteRefusal, Selection, StartRefusal, Tier,
};
use simurgh_vocab::{Allowance, Locale, Messages, Money, Octets, Seconds, Unit};

use crate::i18n::{Text, key};

/// The name of a tier.
pub(super) fn tier(t: &Text, tier: Tier) -> String {
    t.msg(match tier {
        Tier::Basic => key("shop-tier-basic"),
        Tier::Premium => key("shop-tier-premium"),
        Tier::Deluxe => key("shop-tier-deluxe"),
    })
}

/// The name of a way to pay.
pub(super) fn method(t: &Text, kind: MethodKind) -> String {
    t.msg(match kind {
        MethodKind::Card => key("shop-method-card"),
        MethodKind::Alipay => key("shop-method-alipay"),
        MethodKind::WechatPay => key("shop-method-wechat"),
    })
}

/// A quantity with its unit.
pub(super) fn quantity(t: &Text, unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Octets => t.data(Octets::new(amount).unwrap_or(Octets::ZERO)),
        Unit::Seconds => t.voice(Seconds::new(amount).unwrap_or(Seconds::ZERO)),
        Unit::Messages => t.sms(Messages::new(amount).unwrap_or(Messages::ZERO)),
    }
    .to_string()
}

/// One service of an allowance in words: `200 minutes of calls`.
pub(super) fn service(t: &Text, unit: Unit, amount: i64) -> String {
    let amount = quantity(t, unit, amount);
    let key = match unit {
        Unit::Octets => key("shop-of-data"),
        Unit::Seconds => key("shop-of-voice"),
        Unit::Messages => key("shop-of-sms"),
    };
    t.with(key, "amount", amount).to_string()
}

/// The services of an allowance in words, those that are none left out.
pub(super) fn services(t: &Text, allowance: &Allowance) -> Vec<String> {
    Unit::ALL
        .into_iter()
        .filter(|unit| allowance.of(*unit) > 0)
        .map(|unit| service(t, unit, allowance.of(unit)))
        .collect()
}

/// What a plan gives for some uses only: `5 GB for video`.
pub(super) fn dedicated(t: &Text, dedicated: &[Dedicated]) -> Vec<String> {
    let each = dedicated.iter().map(|it| {
        let name = it.name.of(t.locale());
        let amount = quantity(t, Unit::Octets, it.data.count());
        let text = t.with("shop-of-dedicated", "amount", amount);
        text.and("name", name).to_string()
    });
    each.collect()
}

/// A mix in one line: `10 GB + 60 min`.
pub(super) fn mix(t: &Text, allowance: &Allowance) -> String {
    Unit::ALL
        .into_iter()
        .filter(|unit| allowance.of(*unit) > 0)
        .map(|unit| quantity(t, unit, allowance.of(unit)))
        .collect::<Vec<_>>()
        .join(" + ")
}

/// What an order is for, in the words of the catalogue it was made from.
pub(super) fn order(t: &Text, order: &Order) -> String {
    match &order.selection {
        Selection::Mix(chosen) => mix(t, &chosen.allowance),
        Selection::Offer(code) | Selection::AddOn(code) => {
            let label = order.lines.first().map(|line| line.label.of(t.locale()));
            let label = label.filter(|label| !label.is_empty());
            label.map_or_else(|| code.clone(), str::to_owned)
        }
    }
}

/// The name of a plan of a line.
pub(super) fn plan(t: &Text, plan: &PlanView) -> String {
    let [zh_cn, en] = &plan.names;
    match t.locale() {
        Locale::ZhCn => zh_cn.clone(),
        Locale::En => en.clone(),
    }
}

/// A row of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What it is about.
    pub(super) label: String,
    /// How much of it, or nothing.
    pub(super) note: String,
    /// The amount, tax included.
    pub(super) amount: Money,
    /// `discount` for what is taken off.
    pub(super) kind: &'static str,
}

/// The rows of a quote or an order.
pub(super) fn quote_rows(t: &Text, lines: &[QuoteLine]) -> Vec<Row> {
    lines
        .iter()
        .map(|line| {
            let label = line.label.of(t.locale());
            row(t, line.kind, label, (line.quantity, line.amount))
        })
        .collect()
}

/// The rows of a bill.
pub(super) fn document_rows(t: &Text, lines: &[DocumentLine]) -> Vec<Row> {
    lines
        .iter()
        .map(|line| {
            let label = line.label.of(t.locale());
            row(t, line.kind, label, (line.quantity, line.amount))
        })
        .collect()
}

fn row(t: &Text, kind: LineKind, label: &str, (count, amount): (i64, Money)) -> Row {
    let times = || {
        if count > 1 {
            t.with("shop-row-times", "count", count).to_string()
        } else {
            String::new()
        }
    };
    let (label, note, class) = match kind {
        LineKind::Plan => (label.to_owned(), times(), ""),
        LineKind::AddOn => (label.to_owned(), String::new(), ""),
        LineKind::MixBase => {
            let label = t.with("shop-row-base", "zone", label).to_string();
            (label, times(), "")
        }
        LineKind::MixData => (service(t, Unit::Octets, count), String::new(), ""),
        LineKind::MixVoice => (service(t, Unit::Seconds, count), String::new(), ""),
        LineKind::MixSms => (service(t, Unit::Messages, count), String::new(), ""),
        LineKind::TermDiscount => {
            let label = t.with("shop-row-term", "count", count).to_string();
            (label, String::new(), "discount")
        }
        LineKind::Promotion => (label.to_owned(), String::new(), "discount"),
    };
    Row {
        label,
        note,
        amount,
        kind: class,
    }
}

/// Which field of the shop's forms a refusal is about, and what it says.
pub(super) fn refusal(t: &Text, refusal: QuoteRefusal) -> (&'static str, String) {
    let (field, key) = match refusal {
        QuoteRefusal::NotInCatalogue => ("item", key("shop-no-catalogue")),
        QuoteRefusal::EmptyMix => ("data", key("shop-no-empty")),
        QuoteRefusal::NotInCurrency => ("item", key("shop-no-currency")),
        QuoteRefusal::NotForTerm => ("item", key("shop-no-term")),
        QuoteRefusal::TooLarge => ("item", key("shop-no-large")),
        QuoteRefusal::Start(why) => match why {
            StartRefusal::NotOffered => ("start", key("shop-no-start")),
            StartRefusal::NothingRunning => ("start", key("shop-no-running")),
            StartRefusal::DifferentPlan => ("start", key("shop-no-different")),
            StartRefusal::AlreadyRunning => ("start", key("shop-no-already")),
            StartRefusal::DateOutOfRange => ("day", key("shop-no-day-range")),
        },
        QuoteRefusal::Promotion(why) => ("code", promotion_key(why)),
    };
    (field, t.msg(key))
}

const fn promotion_key(refusal: PromotionRefusal) -> &'static str {
    match refusal {
        PromotionRefusal::Unknown => key("shop-code-unknown"),
        PromotionRefusal::NotYet => key("shop-code-not-yet"),
        PromotionRefusal::Over => key("shop-code-over"),
        PromotionRefusal::NotForThisPlan => key("shop-code-plan"),
        PromotionRefusal::TermTooShort => key("shop-code-term"),
        PromotionRefusal::NotFirstPurchase => key("shop-code-first"),
        PromotionRefusal::UsedByCustomer => key("shop-code-used"),
        PromotionRefusal::UsedUp => key("shop-code-used-up"),
    }
}
