//! The catalogue: a versioned document. A new version never changes an old one, so whoever bought
//! under an old version keeps its terms.

use simurgh_vocab::{Allowance, CountryCode, Currency, Locale, Money, Octets, ZoneCode};

use crate::{Activation, Promotion};

/// A text in every language of the product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalText {
    /// Simplified Chinese.
    pub zh_cn: String,
    /// English.
    pub en: String,
}

impl LocalText {
    /// The text in `locale`.
    #[must_use]
    pub fn of(&self, locale: Locale) -> &str {
        match locale {
            Locale::ZhCn => &self.zh_cn,
            Locale::En => &self.en,
        }
    }
}

/// The three tiers of ready-made plans, by rising value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// 基础版.
    Basic,
    /// 高级版.
    Premium,
    /// 豪华版.
    Deluxe,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::Basic, Self::Premium, Self::Deluxe];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Premium => "premium",
            Self::Deluxe => "deluxe",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.code() == code)
    }
}

/// A set of countries with one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its code.
    pub code: ZoneCode,
    /// Its name.
    pub name: LocalText,
    /// The countries in it.
    pub countries: Vec<CountryCode>,
    /// Whether using it means roaming.
    pub roaming: bool,
}

/// Tax-inclusive prices, one per currency in which a thing is sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices(Vec<Money>);

impl Prices {
    /// The prices; the first of a currency counts.
    #[must_use]
    pub fn new(prices: Vec<Money>) -> Self {
        Self(prices)
    }

    /// The price in `currency`, if the thing is sold in it.
    #[must_use]
    pub fn in_currency(&self, currency: Currency) -> Option<Money> {
        self.0
            .iter()
            .copied()
            .find(|price| price.currency == currency)
    }

    /// Every price.
    #[must_use]
    pub fn all(&self) -> &[Money] {
        &self.0
    }
}

/// A term: how many periods are bought at once, and what that saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// How many periods.
    pub periods: u32,
    /// The discount in basis points (1000 is 10 %).
    pub discount_basis_points: u32,
}

/// Data of a plan that pays for some rating groups only, e.g. video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedicated {
    /// What it is for.
    pub name: LocalText,
    /// How much one period gives.
    pub data: Octets,
    /// The rating groups. Source: `RFC 8506 §8.29`.
    pub rating_groups: Vec<u32>,
    /// Its turn among what pays; the lowest number pays first, the plan's own allowance at 100.
    pub priority: u8,
}

/// A ready-made plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its code, stable over versions.
    pub code: String,
    /// Its tier.
    pub tier: Tier,
    /// Its name.
    pub name: LocalText,
    /// One line about it.
    pub summary: LocalText,
    /// Where it holds.
    pub zone: ZoneCode,
    /// What one period gives.
    pub allowance: Allowance,
    /// What one period gives beside it for some rating groups only.
    pub dedicated: Vec<Dedicated>,
    /// How long one period lasts, in days of 24 hours.
    pub validity_days: u32,
    /// How it may be started when the line has no running plan.
    pub activations: Vec<Activation>,
    /// The price of one period.
    pub prices: Prices,
    /// The terms in which it is sold.
    pub terms: Vec<Term>,
}

/// Extra data on a running plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddOn {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: LocalText,
    /// The extra data; it ends with the running plan.
    pub data: Octets,
    /// Its price.
    pub prices: Prices,
}

/// One choice of the plan builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuilderStep {
    /// How much: octets, seconds or messages.
    pub amount: i64,
    /// What it adds to the price of one period.
    pub prices: Prices,
}

/// A zone in the plan builder, with what it does to the price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuilderZone {
    /// The zone.
    pub zone: ZoneCode,
    /// The price of having a line there at all, for one period.
    pub base: Prices,
    /// Data costs this many basis points of the home price (10000 is the same).
    pub data_factor_basis_points: u32,
}

/// The plan builder: one's own mix of data, voice and SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// The zones to choose from.
    pub zones: Vec<BuilderZone>,
    /// Steps of data, in octets.
    pub data: Vec<BuilderStep>,
    /// Steps of voice, in seconds.
    pub voice: Vec<BuilderStep>,
    /// Steps of SMS, in messages.
    pub sms: Vec<BuilderStep>,
    /// How long one period lasts, in days of 24 hours.
    pub validity_days: u32,
    /// How a mix may be started.
    pub activations: Vec<Activation>,
    /// The terms in which a mix is sold.
    pub terms: Vec<Term>,
}

/// The tax inside the prices of a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tax {
    /// The currency.
    pub currency: Currency,
    /// The rate in basis points (600 is 6 %).
    pub rate_basis_points: u32,
    /// What the tax is called on a bill.
    pub name: LocalText,
}

/// Where a plan asks for an identity check before it is activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRule {
    /// The zone whose plans ask for it.
    pub zone: ZoneCode,
    /// Why, for the customer.
    pub reason: LocalText,
}

/// A whole catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Its version; versions count up from 1.
    pub version: u32,
    /// The zones.
    pub zones: Vec<Zone>,
    /// The ready-made plans.
    pub offers: Vec<Offer>,
    /// Extra data.
    pub add_ons: Vec<AddOn>,
    /// The plan builder.
    pub builder: Builder,
    /// Promotions.
    pub promotions: Vec<Promotion>,
    /// Taxes.
    pub taxes: Vec<Tax>,
    /// Identity rules: a zone not named here asks for nothing.
    pub identity_rules: Vec<IdentityRule>,
}

/// A document that is no catalogue. Each names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// A code is used twice or is no code.
    #[error("{0}: a code must be unique and made of 1 to 40 lower-case letters, digits or hyphens")]
    BadCode(String),
    /// Something names a zone that does not exist.
    #[error("{0}: unknown zone")]
    UnknownZone(String),
    /// A price is missing, zero or negative.
    #[error("{0}: a positive price in at least one currency is expected")]
    BadPrice(String),
    /// A term or validity is out of range.
    #[error("{0}: terms are 1 to 24 periods with a discount below 100 %, validity 1 to 366 days")]
    BadTerm(String),
    /// Dedicated data gives nothing, or names no rating group.
    #[error("{0}: dedicated data needs at least 1 MB and a rating group")]
    BadDedicated(String),
    /// A plan gives nothing, or cannot be started.
    #[error("{0}: a plan needs an allowance, a term and an activation")]
    EmptyPlan(String),
    /// A promotion reduces nothing, everything, or ends before it starts.
    #[error(
        "{0}: a promotion must reduce the price by less than all of it, in a window that is not empty"
    )]
    BadPromotion(String),
    /// A tax rate is missing or out of range.
    #[error("{0}: one tax entry per currency, at most 100 %")]
    BadTax(String),
}

impl Catalogue {
    /// The zone with this code.
    #[must_use]
    pub fn zone(&self, code: &ZoneCode) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.code == *code)
    }

    /// The offer with this code.
    #[must_use]
    pub fn offer(&self, code: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.code == code)
    }

    /// The add-on with this code.
    #[must_use]
    pub fn add_on(&self, code: &str) -> Option<&AddOn> {
        self.add_ons.iter().find(|add_on| add_on.code == code)
    }

    /// The tax inside prices of `currency`, in basis points; none if the catalogue names none.
    #[must_use]
    pub fn tax_rate(&self, currency: Currency) -> u32 {
        self.taxes
            .iter()
            .find(|tax| tax.currency == currency)
            .map_or(0, |tax| tax.rate_basis_points)
    }

    /// The rule that asks for an identity check before plans of `zone` are activated, if any.
    #[must_use]
    pub fn identity_rule(&self, zone: &ZoneCode) -> Option<&IdentityRule> {
        self.identity_rules.iter().find(|rule| rule.zone == *zone)
    }

    /// Checks the document as a whole and gives it back.
    ///
    /// # Errors
    /// Every [`CatalogueError`] found, not only the first.
    pub fn checked(self) -> Result<Self, Vec<CatalogueError>> {
        let mut errors = Vec::new();
        self.check_codes(&mut errors);
        self.check_plans(&mut errors);
        self.check_builder(&mut errors);
        for promotion in &self.promotions {
            if !promotion.is_sound() {
                errors.push(CatalogueError::BadPromotion(promotion.code.clone()));
            }
        }
        for currency in Currency::ALL {
            let entries: Vec<_> = self
                .taxes
                .iter()
                .filter(|tax| tax.currency == currency)
                .collect();
            let sound =
                entries.len() <= 1 && entries.iter().all(|tax| tax.rate_basis_points <= 10_000);
            if !sound {
                errors.push(CatalogueError::BadTax(currency.code().to_owned()));
            }
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(errors)
        }
    }

    fn check_codes(&self, errors: &mut Vec<CatalogueError>) {
        let zones = self.zones.iter().map(|zone| zone.code.as_str());
        let things = self.offers.iter().map(|offer| offer.code.as_str());
        let add_ons = self.add_ons.iter().map(|add_on| add_on.code.as_str());
        let promotions = self
            .promotions
            .iter()
            .map(|promotion| promotion.code.as_str());
        for codes in [
            zones.collect::<Vec<_>>(),
            things.chain(add_ons).collect(),
            promotions.collect(),
        ] {
            for (index, code) in codes.iter().enumerate() {
                let repeated = codes.iter().take(index).any(|earlier| earlier == code);
                if repeated || !simurgh_vocab::is_code(code) {
                    errors.push(CatalogueError::BadCode((*code).to_owned()));
                }
            }
        }
    }

    fn check_plans(&self, errors: &mut Vec<CatalogueError>) {
        for offer in &self.offers {
            let name = || offer.code.clone();
            if self.zone(&offer.zone).is_none() {
                errors.push(CatalogueError::UnknownZone(name()));
            }
            if offer.allowance.is_empty() || offer.activations.is_empty() || offer.terms.is_empty()
            {
                errors.push(CatalogueError::EmptyPlan(name()));
            }
            let mut dedicated = offer.dedicated.iter();
            if dedicated.any(|it| it.data.count() == 0 || it.rating_groups.is_empty()) {
                errors.push(CatalogueError::BadDedicated(name()));
            }
            if !sound_prices(&offer.prices) {
                errors.push(CatalogueError::BadPrice(name()));
            }
            if !sound_terms(&offer.terms, offer.validity_days) {
                errors.push(CatalogueError::BadTerm(name()));
            }
        }
        for add_on in &self.add_ons {
            if !sound_prices(&add_on.prices) {
                errors.push(CatalogueError::BadPrice(add_on.code.clone()));
            }
            if add_on.data.count() == 0 {
                errors.push(CatalogueError::EmptyPlan(add_on.code.clone()));
            }
        }
        for rule in &self.identity_rules {
            if self.zone(&rule.zone).is_none() {
                errors.push(CatalogueError::UnknownZone(format!(
                    "identity rule {}",
                    rule.zone
                )));
            }
        }
    }

    fn check_builder(&self, errors: &mut Vec<CatalogueError>) {
        let builder = &self.builder;
        for zone in &builder.zones {
            if self.zone(&zone.zone).is_none() {
                errors.push(CatalogueError::UnknownZone(format!(
                    "builder {}",
                    zone.zone
                )));
            }
            if !sound_prices(&zone.base)
                || !(1..=1_000_000).contains(&zone.data_factor_basis_points)
            {
                errors.push(CatalogueError::BadPrice(format!("builder {}", zone.zone)));
            }
        }
        for (name, steps) in [
            ("data", &builder.data),
            ("voice", &builder.voice),
            ("sms", &builder.sms),
        ] {
            for step in steps {
                let free = step.amount == 0;
                if step.amount < 0 || (!free && !sound_prices(&step.prices)) {
                    errors.push(CatalogueError::BadPrice(format!(
                        "builder {name} {}",
                        step.amount
                    )));
                }
            }
        }
        if !builder.zones.is_empty() && !sound_terms(&builder.terms, builder.validity_days) {
            errors.push(CatalogueError::BadTerm("builder".to_owned()));
        }
    }
}

fn sound_prices(prices: &Prices) -> bool {
    !prices.all().is_empty() && prices.all().iter().all(|price| price.minor > 0)
}

fn sound_terms(terms: &[Term], validity_days: u32) -> bool {
    let sound =
        |term: &Term| (1..=24).contains(&term.periods) && term.discount_basis_points < 10_000;
    (1..=366).contains(&validity_days) && terms.iter().all(sound)
}
