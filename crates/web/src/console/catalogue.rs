//! The catalogue in force, as read from the reviewed file.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_commerce::{
    Activation, Builder, BuilderStep, Catalogue, Offer, Prices, Promotion, Reduction, Term, Tier,
};
use simurgh_vocab::{Allowance, Messages, Octets, Seconds, Timestamp, Unit};

use super::words::{Mark, failed};
use crate::frame::{Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};

struct ZoneRow {
    code: String,
    name: String,
    countries: String,
    roaming: bool,
    identity: String,
}

struct OfferRow {
    code: String,
    name: String,
    tier: String,
    zone: String,
    allowance: String,
    days: u32,
    activations: String,
    terms: String,
    prices: String,
}

struct AddOnRow {
    code: String,
    name: String,
    data: String,
    prices: String,
}

struct StepRow {
    amount: String,
    prices: String,
}

struct BuilderZoneRow {
    zone: String,
    base: String,
    factor: String,
}

struct PromotionRow {
    code: String,
    name: String,
    mark: Mark,
    reduction: String,
    start: Timestamp,
    end: Timestamp,
    rules: String,
}

struct TaxRow {
    currency: &'static str,
    name: String,
    rate: String,
}

#[derive(Template)]
#[template(path = "console/catalogue.html")]
struct CataloguePage {
    page: Page,
    version: u32,
    applied_at: Timestamp,
    applied_by: String,
    zones: Vec<ZoneRow>,
    offers: Vec<OfferRow>,
    add_ons: Vec<AddOnRow>,
    builder_zones: Vec<BuilderZoneRow>,
    steps: Vec<StepRow>,
    builder_terms: String,
    promotions: Vec<PromotionRow>,
    taxes: Vec<TaxRow>,
}

/// `GET /catalogue`.
pub(super) async fn show(State(app): State<App>, page: Page) -> Result<Response, Refusal> {
    let found = app
        .catalogue_in_force()
        .await
        .map_err(|fault| failed(&fault))?;
    let catalogue = &found.catalogue;
    let (t, now) = (&page.t, page.now);
    let builder = &catalogue.builder;
    let promotions = catalogue.promotions.iter();
    Ok(Page::answer(&CataloguePage {
        version: catalogue.version,
        applied_at: found.applied_at,
        applied_by: found.applied_by.clone(),
        zones: zones(t, catalogue),
        offers: catalogue
            .offers
            .iter()
            .map(|offer| offer_row(t, offer))
            .collect(),
        add_ons: add_ons(t, catalogue),
        builder_zones: builder_zones(t, builder),
        steps: steps(t, builder),
        builder_terms: terms(t, &builder.terms),
        promotions: promotions.map(|one| promotion_row(t, one, now)).collect(),
        taxes: taxes(t, catalogue),
        page: page.at(Nav::Catalogue),
    }))
}

fn zones(t: &Text, catalogue: &Catalogue) -> Vec<ZoneRow> {
    let row = |zone: &simurgh_commerce::Zone| {
        let countries: Vec<&str> = zone
            .countries
            .iter()
            .map(|country| country.as_str())
            .collect();
        let rule = catalogue.identity_rule(&zone.code);
        ZoneRow {
            code: zone.code.to_string(),
            name: zone.name.of(t.locale()).to_owned(),
            countries: countries.join(" "),
            roaming: zone.roaming,
            identity: rule
                .map(|rule| rule.reason.of(t.locale()).to_owned())
                .unwrap_or_default(),
        }
    };
    catalogue.zones.iter().map(row).collect()
}

fn offer_row(t: &Text, offer: &Offer) -> OfferRow {
    let activations: Vec<String> = offer
        .activations
        .iter()
        .map(|one| activation(t, *one))
        .collect();
    OfferRow {
        code: offer.code.clone(),
        name: offer.name.of(t.locale()).to_owned(),
        tier: tier(t, offer.tier),
        zone: offer.zone.to_string(),
        allowance: offer_contents(t, offer),
        days: offer.validity_days,
        activations: activations.join(", "),
        terms: terms(t, &offer.terms),
        prices: prices(t, &offer.prices),
    }
}

fn add_ons(t: &Text, catalogue: &Catalogue) -> Vec<AddOnRow> {
    let row = |add_on: &simurgh_commerce::AddOn| AddOnRow {
        code: add_on.code.clone(),
        name: add_on.name.of(t.locale()).to_owned(),
        data: t.data(add_on.data).to_string(),
        prices: prices(t, &add_on.prices),
    };
    catalogue.add_ons.iter().map(row).collect()
}

fn builder_zones(t: &Text, builder: &Builder) -> Vec<BuilderZoneRow> {
    let row = |zone: &simurgh_commerce::BuilderZone| BuilderZoneRow {
        zone: zone.zone.to_string(),
        base: prices(t, &zone.base),
        factor: t.percent(zone.data_factor_basis_points),
    };
    builder.zones.iter().map(row).collect()
}

fn steps(t: &Text, builder: &Builder) -> Vec<StepRow> {
    let of = |unit: Unit, steps: &[BuilderStep]| -> Vec<StepRow> {
        let row = |step: &BuilderStep| StepRow {
            amount: quantity(t, unit, step.amount),
            prices: prices(t, &step.prices),
        };
        steps
            .iter()
            .filter(|step| step.amount > 0)
            .map(row)
            .collect()
    };
    let mut rows = of(Unit::Octets, &builder.data);
    rows.extend(of(Unit::Seconds, &builder.voice));
    rows.extend(of(Unit::Messages, &builder.sms));
    rows
}

fn promotion_row(t: &Text, promotion: &Promotion, now: Timestamp) -> PromotionRow {
    let window = promotion.window;
    let (tone, state) = if now < window.start {
        (Tone::Info, key("desk-promotion-to-come"))
    } else if now < window.end {
        (Tone::Success, key("desk-promotion-runs"))
    } else {
        (Tone::Muted, key("desk-promotion-over"))
    };
    PromotionRow {
        code: promotion.code.clone(),
        name: promotion.name.of(t.locale()).to_owned(),
        mark: Mark {
            tone,
            text: t.msg(state),
        },
        reduction: match &promotion.reduction {
            Reduction::Share(basis_points) => t.percent(*basis_points),
            Reduction::Amount(amounts) => prices(t, amounts),
        },
        start: window.start,
        end: window.end,
        rules: rules(t, promotion),
    }
}

fn rules(t: &Text, promotion: &Promotion) -> String {
    let mut rules = vec![if promotion.automatic {
        t.msg("desk-promotion-automatic")
    } else {
        t.msg("desk-promotion-by-code")
    }];
    if let Some(limit) = promotion.limit_per_customer {
        rules.push(
            t.with("desk-promotion-per-customer", "count", limit)
                .to_string(),
        );
    }
    if let Some(limit) = promotion.limit_total {
        rules.push(t.with("desk-promotion-total", "count", limit).to_string());
    }
    if promotion.min_periods > 1 {
        rules.push(
            t.with("desk-promotion-periods", "count", promotion.min_periods)
                .to_string(),
        );
    }
    if promotion.first_purchase_only {
        rules.push(t.msg("desk-promotion-first"));
    }
    if promotion.stacks {
        rules.push(t.msg("desk-promotion-stacks"));
    }
    rules.extend(promotion.tiers.iter().map(|one| tier(t, *one)));
    rules.join(" · ")
}

fn taxes(t: &Text, catalogue: &Catalogue) -> Vec<TaxRow> {
    let row = |tax: &simurgh_commerce::Tax| TaxRow {
        currency: tax.currency.code(),
        name: tax.name.of(t.locale()).to_owned(),
        rate: t.percent(tax.rate_basis_points),
    };
    catalogue.taxes.iter().map(row).collect()
}

fn prices(t: &Text, prices: &Prices) -> String {
    let each: Vec<String> = prices.all().iter().map(|price| t.money(*price)).collect();
    each.join(" · ")
}

fn terms(t: &Text, terms: &[Term]) -> String {
    let each: Vec<String> = terms
        .iter()
        .map(|term| match term.discount_basis_points {
            0 => format!("{}×", term.periods),
            off => format!("{}× −{}", term.periods, t.percent(off)),
        })
        .collect();
    each.join(" · ")
}

fn tier(t: &Text, tier: Tier) -> String {
    t.msg(match tier {
        Tier::Basic => key("desk-tier-basic"),
        Tier::Premium => key("desk-tier-premium"),
        Tier::Deluxe => key("desk-tier-deluxe"),
    })
}

fn activation(t: &Text, activation: Activation) -> String {
    t.msg(match activation {
        Activation::Now => key("desk-activation-now"),
        Activation::FirstUse => key("desk-activation-first-use"),
        Activation::OnDate => key("desk-activation-date"),
    })
}

/// What an offer gives, with what is for some rating groups only: `10 GB + 5 GB (Video: 7, 8; 100)`.
fn offer_contents(t: &Text, offer: &Offer) -> String {
    let mut contents = allowance(t, &offer.allowance);
    for it in &offer.dedicated {
        let groups: Vec<_> = it.rating_groups.iter().map(ToString::to_string).collect();
        let data = quantity(t, Unit::Octets, it.data.count());
        let text = t.with("desk-dedicated", "amount", data);
        let text = text.and("name", it.name.of(t.locale()));
        let text = text.and("groups", groups.join(", "));
        contents.push_str(&format!(
            " + {}",
            text.and("priority", it.priority.to_string())
        ));
    }
    contents
}

fn allowance(t: &Text, allowance: &Allowance) -> String {
    let each: Vec<String> = Unit::ALL
        .into_iter()
        .filter(|unit| allowance.of(*unit) > 0)
        .map(|unit| quantity(t, unit, allowance.of(unit)))
        .collect();
    each.join(" + ")
}

fn quantity(t: &Text, unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Octets => t.data(Octets::new(amount).unwrap_or_default()),
        Unit::Seconds => t.voice(Seconds::new(amount).unwrap_or_default()),
        Unit::Messages => t.sms(Messages::new(amount).unwrap_or_default()),
    }
    .to_string()
}
