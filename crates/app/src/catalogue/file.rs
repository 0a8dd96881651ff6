//! The form of `catalogue.toml`.

use serde::Deserialize;
use simurgh_commerce::{
    Activation, AddOn, Builder, BuilderStep, BuilderZone, Catalogue, CatalogueError, Dedicated,
    IdentityRule, LocalText, Offer, Prices, Promotion, Reduction, Tax, Term, Tier, Zone,
};
use simurgh_vocab::{Allowance, Currency, Messages, Money, Octets, Period, Seconds, Timestamp};

/// A file that is no catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueFileError {
    /// It is not TOML of the expected form.
    #[error("the catalogue cannot be read: {0}")]
    Form(String),
    /// A value is out of its range.
    #[error("{place}: {problem}")]
    Value {
        /// The entry.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The document contradicts itself.
    #[error("{}", list(.0))]
    Rules(Vec<CatalogueError>),
}

fn list(errors: &[CatalogueError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    zone: Vec<ZoneRow>,
    offer: Vec<OfferRow>,
    #[serde(default)]
    add_on: Vec<AddOnRow>,
    builder: BuilderRow,
    #[serde(default)]
    promotion: Vec<PromotionRow>,
    tax: Vec<TaxRow>,
    #[serde(default)]
    identity_rule: Vec<IdentityRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextRow {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneRow {
    code: String,
    name: TextRow,
    countries: Vec<String>,
    roaming: bool,
}

/// Decimal prices per currency, e.g. `{ CNY = "39.00", USD = "5.90" }`.
type PriceRow = std::collections::BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermRow {
    periods: u32,
    #[serde(default)]
    discount_percent: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferRow {
    code: String,
    tier: String,
    name: TextRow,
    summary: TextRow,
    zone: String,
    data_mb: i64,
    voice_minutes: i64,
    sms: i64,
    #[serde(default)]
    dedicated: Vec<DedicatedRow>,
    validity_days: u32,
    activations: Vec<String>,
    price: PriceRow,
    terms: Vec<TermRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DedicatedRow {
    name: TextRow,
    data_mb: i64,
    rating_groups: Vec<u32>,
    #[serde(default = "usual_priority")]
    priority: u8,
}

const fn usual_priority() -> u8 {
    simurgh_charging::BucketTerms::USUAL_PRIORITY
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddOnRow {
    code: String,
    name: TextRow,
    data_mb: i64,
    price: PriceRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuilderRow {
    validity_days: u32,
    activations: Vec<String>,
    terms: Vec<TermRow>,
    zone: Vec<BuilderZoneRow>,
    data: Vec<DataStepRow>,
    voice: Vec<VoiceStepRow>,
    sms: Vec<SmsStepRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuilderZoneRow {
    zone: String,
    base: PriceRow,
    data_factor_percent: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataStepRow {
    mb: i64,
    #[serde(default)]
    price: PriceRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoiceStepRow {
    minutes: i64,
    #[serde(default)]
    price: PriceRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmsStepRow {
    messages: i64,
    #[serde(default)]
    price: PriceRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromotionRow {
    code: String,
    name: TextRow,
    #[serde(default)]
    automatic: bool,
    percent: Option<u32>,
    amount: Option<PriceRow>,
    from: String,
    until: String,
    limit_per_customer: Option<u32>,
    limit_total: Option<u32>,
    #[serde(default)]
    stacks: bool,
    #[serde(default)]
    tiers: Vec<String>,
    #[serde(default = "one")]
    min_periods: u32,
    #[serde(default)]
    first_purchase_only: bool,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxRow {
    currency: String,
    percent: u32,
    name: TextRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityRow {
    zone: String,
    reason: TextRow,
}

/// Octets in the megabyte of price lists.
const OCTETS_PER_MB: i64 = 1_000_000;

/// Reads and checks a catalogue document.
///
/// # Errors
/// [`CatalogueFileError`], which names the entry.
pub fn parse(body: &str, version: u32) -> Result<Catalogue, CatalogueFileError> {
    let file: File = toml::from_str(body).map_err(|e| CatalogueFileError::Form(e.to_string()))?;
    let catalogue = Catalogue {
        version,
        zones: file.zone.into_iter().map(zone).collect::<Result<_, _>>()?,
        offers: file
            .offer
            .into_iter()
            .map(offer)
            .collect::<Result<_, _>>()?,
        add_ons: file
            .add_on
            .into_iter()
            .map(add_on)
            .collect::<Result<_, _>>()?,
        builder: builder(file.builder)?,
        promotions: file
            .promotion
            .into_iter()
            .map(promotion)
            .collect::<Result<_, _>>()?,
        taxes: file.tax.into_iter().map(tax).collect::<Result<_, _>>()?,
        identity_rules: file
            .identity_rule
            .into_iter()
            .map(identity)
            .collect::<Result<_, _>>()?,
    };
    catalogue.checked().map_err(CatalogueFileError::Rules)
}

fn text(row: TextRow) -> LocalText {
    LocalText {
        zh_cn: row.zh,
        en: row.en,
    }
}

fn wrong(place: &str, problem: impl ToString) -> CatalogueFileError {
    CatalogueFileError::Value {
        place: place.to_owned(),
        problem: problem.to_string(),
    }
}

fn zone(row: ZoneRow) -> Result<Zone, CatalogueFileError> {
    let place = row.code;
    let countries = row
        .countries
        .iter()
        .map(|country| country.parse().map_err(|e| wrong(&place, e)));
    Ok(Zone {
        code: place.parse().map_err(|e| wrong(&place, e))?,
        name: text(row.name),
        countries: countries.collect::<Result<_, _>>()?,
        roaming: row.roaming,
    })
}

fn prices(place: &str, row: PriceRow) -> Result<Prices, CatalogueFileError> {
    let price = |(currency, amount): (String, String)| {
        let currency: Currency = currency.parse().map_err(|e| wrong(place, e))?;
        Money::parse(&amount, currency).map_err(|e| wrong(place, e))
    };
    Ok(Prices::new(
        row.into_iter().map(price).collect::<Result<_, _>>()?,
    ))
}

fn terms(rows: Vec<TermRow>) -> Vec<Term> {
    rows.into_iter()
        .map(|row| Term {
            periods: row.periods,
            discount_basis_points: row.discount_percent.saturating_mul(100),
        })
        .collect()
}

fn activations(place: &str, codes: &[String]) -> Result<Vec<Activation>, CatalogueFileError> {
    let unknown = || wrong(place, "an activation is now, first-use or on-date");
    codes
        .iter()
        .map(|code| Activation::from_code(code).ok_or_else(unknown))
        .collect()
}

fn scaled(place: &str, count: i64, scale: i64) -> Result<i64, CatalogueFileError> {
    let amount = count.checked_mul(scale).filter(|amount| *amount >= 0);
    amount.ok_or_else(|| wrong(place, "an allowance is zero or more"))
}

fn allowance(
    place: &str,
    mb: i64,
    minutes: i64,
    sms: i64,
) -> Result<Allowance, CatalogueFileError> {
    Ok(Allowance {
        data: Octets::new(scaled(place, mb, OCTETS_PER_MB)?).unwrap_or_default(),
        voice: Seconds::new(scaled(place, minutes, 60)?).unwrap_or_default(),
        sms: Messages::new(scaled(place, sms, 1)?).unwrap_or_default(),
    })
}

fn tier(place: &str, code: &str) -> Result<Tier, CatalogueFileError> {
    Tier::from_code(code).ok_or_else(|| wrong(place, "a tier is basic, premium or deluxe"))
}

fn offer(row: OfferRow) -> Result<Offer, CatalogueFileError> {
    let place = row.code;
    Ok(Offer {
        tier: tier(&place, &row.tier)?,
        name: text(row.name),
        summary: text(row.summary),
        zone: row.zone.parse().map_err(|e| wrong(&place, e))?,
        allowance: allowance(&place, row.data_mb, row.voice_minutes, row.sms)?,
        dedicated: row
            .dedicated
            .into_iter()
            .map(|row| dedicated(&place, row))
            .collect::<Result<_, _>>()?,
        validity_days: row.validity_days,
        activations: activations(&place, &row.activations)?,
        prices: prices(&place, row.price)?,
        terms: terms(row.terms),
        code: place,
    })
}

fn dedicated(place: &str, row: DedicatedRow) -> Result<Dedicated, CatalogueFileError> {
    Ok(Dedicated {
        name: text(row.name),
        data: allowance(place, row.data_mb, 0, 0)?.data,
        rating_groups: row.rating_groups,
        priority: row.priority,
    })
}

fn add_on(row: AddOnRow) -> Result<AddOn, CatalogueFileError> {
    let place = row.code;
    Ok(AddOn {
        name: text(row.name),
        data: allowance(&place, row.data_mb, 0, 0)?.data,
        prices: prices(&place, row.price)?,
        code: place,
    })
}

fn builder(row: BuilderRow) -> Result<Builder, CatalogueFileError> {
    const PLACE: &str = "builder";
    let step = |amount, price| {
        Ok(BuilderStep {
            amount,
            prices: prices(&format!("{PLACE} step {amount}"), price)?,
        })
    };
    let zone = |row: BuilderZoneRow| {
        Ok(BuilderZone {
            zone: row.zone.parse().map_err(|e| wrong(PLACE, e))?,
            base: prices(PLACE, row.base)?,
            data_factor_basis_points: row.data_factor_percent.saturating_mul(100),
        })
    };
    let data = |row: DataStepRow| step(scaled(PLACE, row.mb, OCTETS_PER_MB)?, row.price);
    let voice = |row: VoiceStepRow| step(scaled(PLACE, row.minutes, 60)?, row.price);
    Ok(Builder {
        zones: row.zone.into_iter().map(zone).collect::<Result<_, _>>()?,
        data: row.data.into_iter().map(data).collect::<Result<_, _>>()?,
        voice: row.voice.into_iter().map(voice).collect::<Result<_, _>>()?,
        sms: row
            .sms
            .into_iter()
            .map(|row| step(row.messages, row.price))
            .collect::<Result<_, _>>()?,
        validity_days: row.validity_days,
        activations: activations(PLACE, &row.activations)?,
        terms: terms(row.terms),
    })
}

fn promotion(row: PromotionRow) -> Result<Promotion, CatalogueFileError> {
    let place = row.code;
    let reduction = match (row.percent, row.amount) {
        (Some(percent), None) => Reduction::Share(percent.saturating_mul(100)),
        (None, Some(amount)) => Reduction::Amount(prices(&place, amount)?),
        (None, None) | (Some(_), Some(_)) => {
            return Err(wrong(&place, "give either percent or amount"));
        }
    };
    let tiers = row
        .tiers
        .iter()
        .map(|code| tier(&place, code))
        .collect::<Result<_, _>>()?;
    Ok(Promotion {
        name: text(row.name),
        automatic: row.automatic,
        reduction,
        window: Period {
            start: instant(&place, &row.from)?,
            end: instant(&place, &row.until)?,
        },
        limit_per_customer: row.limit_per_customer,
        limit_total: row.limit_total,
        stacks: row.stacks,
        tiers,
        min_periods: row.min_periods,
        first_purchase_only: row.first_purchase_only,
        code: place,
    })
}

fn instant(place: &str, text: &str) -> Result<Timestamp, CatalogueFileError> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(|time| Timestamp::from_micros(time.as_microsecond()))
        .map_err(|_| wrong(place, "a time is written like 2026-11-01T00:00:00+08:00"))
}

fn tax(row: TaxRow) -> Result<Tax, CatalogueFileError> {
    Ok(Tax {
        currency: row.currency.parse().map_err(|e| wrong(&row.currency, e))?,
        rate_basis_points: row.percent.saturating_mul(100),
        name: text(row.name),
    })
}

fn identity(row: IdentityRow) -> Result<IdentityRule, CatalogueFileError> {
    let zone = row.zone.parse().map_err(|e| wrong(&row.zone, e))?;
    Ok(IdentityRule {
        zone,
        reason: text(row.reason),
    })
}

/// What differs between two catalogues, a line per entry.
pub(super) fn differences(old: Option<&Catalogue>, new: &Catalogue) -> Vec<String> {
    let empty = Vec::new;
    let mut lines = Vec::new();
    let entries = |catalogue: Option<&Catalogue>| -> Vec<(String, String)> {
        catalogue.map_or_else(empty, |catalogue| {
            let zones = catalogue
                .zones
                .iter()
                .map(|z| (format!("zone {}", z.code), format!("{z:?}")));
            let offers = catalogue
                .offers
                .iter()
                .map(|o| (format!("offer {}", o.code), format!("{o:?}")));
            let add_ons = catalogue
                .add_ons
                .iter()
                .map(|a| (format!("add-on {}", a.code), format!("{a:?}")));
            let promotions = catalogue
                .promotions
                .iter()
                .map(|p| (format!("promotion {}", p.code), format!("{p:?}")));
            let taxes = catalogue
                .taxes
                .iter()
                .map(|t| (format!("tax {}", t.currency), format!("{t:?}")));
            let rules = catalogue
                .identity_rules
                .iter()
                .map(|r| (format!("identity rule {}", r.zone), format!("{r:?}")));
            let builder = [("builder".to_owned(), format!("{:?}", catalogue.builder))];
            zones
                .chain(offers)
                .chain(add_ons)
                .chain(promotions)
                .chain(taxes)
                .chain(rules)
                .chain(builder)
                .collect()
        })
    };
    let (before, after) = (entries(old), entries(Some(new)));
    for (name, body) in &after {
        match before.iter().find(|(known, _)| known == name) {
            None => lines.push(format!("+ {name}")),
            Some((_, old_body)) if old_body != body => lines.push(format!("~ {name}")),
            Some(_) => {}
        }
    }
    let gone = before
        .iter()
        .filter(|(name, _)| !after.iter().any(|(kept, _)| kept == name));
    lines.extend(gone.map(|(name, _)| format!("- {name}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::{CatalogueFileError, parse};

    const SMALL: &str = include_str!("../../../../fuzz/corpus/catalogue/small.toml");

    /// The small catalogue with dedicated data in its offer.
    fn with_dedicated(rows: &str) -> String {
        let dedicated =
            format!("[[offer.dedicated]]\nname = {{ zh = \"视频\", en = \"video\" }}\n{rows}");
        SMALL.replacen("[[add_on]]", &format!("{dedicated}\n\n[[add_on]]"), 1)
    }

    #[test]
    fn an_offer_may_hold_data_for_some_rating_groups() {
        let cases = [
            ("data_mb = 20\nrating_groups = [7, 8]\npriority = 50", 50),
            ("data_mb = 20\nrating_groups = [7, 8]", 100),
        ];
        for (rows, priority) in cases {
            let catalogue = parse(&with_dedicated(rows), 1);
            let offer = catalogue.as_ref().ok().and_then(|it| it.offers.first());
            let dedicated = offer.and_then(|it| it.dedicated.first());
            let found =
                dedicated.map(|it| (it.data.count(), it.rating_groups.clone(), it.priority));
            assert_eq!(found, Some((20_000_000, vec![7, 8], priority)), "{rows}");
        }
        // Catalogues from before have none.
        let before = parse(SMALL, 1);
        assert!(before.is_ok_and(|it| it.offers.iter().all(|it| it.dedicated.is_empty())));
    }

    #[test]
    fn dedicated_data_without_data_or_rating_group_is_refused() {
        for rows in [
            "data_mb = 0\nrating_groups = [7]",
            "data_mb = 20\nrating_groups = []",
        ] {
            let refused = parse(&with_dedicated(rows), 1);
            assert!(
                matches!(refused, Err(CatalogueFileError::Rules(_))),
                "{rows}"
            );
        }
    }
}
