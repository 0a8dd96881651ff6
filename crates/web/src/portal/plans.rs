//! The start page and the list of plans.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_commerce::{Activation, Catalogue, Offer, Reduction, Selection, Term, Zone};
use simurgh_vocab::{CountryCode, Currency, Timestamp, Unit, ZoneCode};

use super::currency::{Link, Shown, links};
use super::fields::{Asked, Fields, href};
use super::shopper::{Shopper, catalogue};
use super::{country, words};
use crate::frame::{Nav, Page, Refusal};
use crate::i18n::{Text, key};
use crate::state::{SignedIn, WebState};

/// A plan in a row of plans.
struct Card {
    href: String,
    name: String,
    figure: String,
    price: String,
    period: String,
    features: Vec<String>,
    current: bool,
    marked: bool,
}

/// The plans of one zone.
struct Group {
    title: String,
    places: String,
    cards: Vec<Card>,
}

/// A country in the list of destinations.
struct Destination {
    code: String,
    name: String,
}

/// A promotion that can be used today.
struct Deal {
    name: String,
    code: String,
    condition: String,
    until: Timestamp,
}

#[derive(Template)]
#[template(path = "portal/start.html")]
struct StartPage {
    page: Page,
    destinations: Vec<Destination>,
    zones: Vec<Link>,
    currencies: Vec<Link>,
    group: Group,
    deals: Vec<Deal>,
}

/// `/`: what this is, where one wants to go, the three tiers, promotions.
pub(super) async fn start(
    State(state): State<WebState>,
    page: Page,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let catalogue = catalogue(&state.app).await?;
    let currency = shown.currency(page.t.locale());
    let zone = chosen_zone(&catalogue, &fields)?.or(catalogue.zones.first());
    let zone = zone.ok_or(Refusal::Unavailable)?;
    let shelf = Shelf {
        t: &page.t,
        catalogue: &catalogue,
        currency,
        running: None,
    };
    let response = Page::answer(&StartPage {
        zones: zone_links(&catalogue, &page.t, Some(&zone.code), "/"),
        currencies: links("/", &["zone"], &fields, currency),
        group: shelf.group(zone),
        deals: deals(&catalogue, &page),
        destinations: destinations(&catalogue, &page.t),
        page,
    });
    Ok(shown.remember(response))
}

#[derive(Template)]
#[template(path = "portal/plans.html")]
struct PlansPage {
    page: Page,
    destinations: Vec<Destination>,
    country: String,
    zones: Vec<Link>,
    currencies: Vec<Link>,
    groups: Vec<Group>,
    has_add_ons: bool,
}

/// `/plans`: the plans of a zone, or of every zone that holds in a country.
pub(super) async fn list(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let page = page.at(Nav::Plans);
    let catalogue = catalogue(&state.app).await?;
    let shopper = Shopper::of(&state.app, who).await?;
    let line = shopper.lines.first();
    let running = line.and_then(|line| line.running.as_ref());
    let running = running.and_then(|running| running.selection.parse().ok());
    let country: Option<CountryCode> = fields.read("country", |text| text.parse().ok())?;
    let zone = chosen_zone(&catalogue, &fields)?;
    let zones: Vec<&Zone> = match (&country, zone) {
        (Some(country), _) => covering(&catalogue, country),
        (None, Some(zone)) => vec![zone],
        (None, None) => usual_zone(&catalogue, running.as_ref())
            .into_iter()
            .collect(),
    };
    let currency = shown.currency(page.t.locale());
    let shelf = Shelf {
        t: &page.t,
        catalogue: &catalogue,
        currency,
        running: running.as_ref(),
    };
    let groups = zones.iter().map(|zone| shelf.group(zone));
    let groups: Vec<_> = groups.filter(|group| !group.cards.is_empty()).collect();
    let here = match (&country, zones.first()) {
        (None, Some(zone)) => Some(&zone.code),
        (Some(_), _) | (None, None) => None,
    };
    let response = Page::answer(&PlansPage {
        destinations: destinations(&catalogue, &page.t),
        country: country.map_or_else(String::new, |country| country.to_string()),
        zones: zone_links(&catalogue, &page.t, here, "/plans"),
        currencies: links("/plans", &["zone", "country"], &fields, currency),
        groups,
        has_add_ons: running.is_some() && !catalogue.add_ons.is_empty(),
        page,
    });
    Ok(shown.remember(response))
}

/// What plans are shown from, and how.
struct Shelf<'a> {
    t: &'a Text,
    catalogue: &'a Catalogue,
    currency: Currency,
    running: Option<&'a Selection>,
}

impl Shelf<'_> {
    fn group(&self, zone: &Zone) -> Group {
        let offers = self.catalogue.offers.iter();
        let mut offers: Vec<_> = offers.filter(|offer| offer.zone == zone.code).collect();
        offers.sort_by_key(|offer| (offer.tier, offer.code.as_str()));
        let mut cards: Vec<_> = offers
            .into_iter()
            .filter_map(|offer| self.card(offer, zone))
            .collect();
        // The middle one of three carries the strong button: a place to rest the eye.
        if let [_, middle, _] = cards.as_mut_slice() {
            middle.marked = true;
        }
        Group {
            title: zone.name.of(self.t.locale()).to_owned(),
            places: places(zone, self.t),
            cards,
        }
    }

    fn card(&self, offer: &Offer, zone: &Zone) -> Option<Card> {
        let t = self.t;
        let price = offer.prices.in_currency(self.currency)?;
        let head = head_unit(offer);
        let mut features: Vec<_> = Unit::ALL
            .into_iter()
            .filter(|unit| *unit != head && offer.allowance.of(*unit) > 0)
            .map(|unit| words::service(t, unit, offer.allowance.of(unit)))
            .collect();
        features.extend(words::dedicated(t, &offer.dedicated));
        features.push(coverage(zone, t));
        if let Some(saving) = best_saving(offer, t) {
            features.push(saving);
        }
        features.push(t.msg(activation_key(&offer.activations)));
        if self.catalogue.identity_rule(&zone.code).is_some() {
            features.push(t.msg("shop-identity"));
        }
        let query = [("currency", self.currency.code().to_owned())];
        let running = Selection::Offer(offer.code.clone());
        Some(Card {
            href: href(&format!("/plans/{}", offer.code), &query),
            name: words::tier(t, offer.tier),
            figure: words::quantity(t, head, offer.allowance.of(head)),
            price: t.money(price),
            period: per_period(t, offer.validity_days),
            features,
            current: self.running == Some(&running),
            marked: false,
        })
    }
}

/// The service a plan is known by: data, if it has any.
fn head_unit(offer: &Offer) -> Unit {
    Unit::ALL
        .into_iter()
        .find(|unit| offer.allowance.of(*unit) > 0)
        .unwrap_or(Unit::Octets)
}

/// `per 30 days`.
pub(super) fn per_period(t: &Text, days: u32) -> String {
    t.with("shop-per-days", "days", days).to_string()
}

/// How a plan may start, said before it is bought.
pub(super) const fn activation_key(ways: &[Activation]) -> &'static str {
    match ways {
        [Activation::Now] => key("shop-starts-now"),
        [Activation::FirstUse] => key("shop-starts-first-use"),
        [Activation::OnDate] => key("shop-starts-on-date"),
        _ => key("shop-starts-choice"),
    }
}

/// How far a zone reaches: its countries counted, or that it is home only.
pub(super) fn coverage(zone: &Zone, t: &Text) -> String {
    let name = zone.name.of(t.locale());
    if zone.roaming {
        let count = zone.countries.len();
        t.with("shop-covers", "count", count).to_string()
    } else {
        t.with("shop-covers-home", "zone", name).to_string()
    }
}

/// What a term saves; empty when it saves nothing.
pub(super) fn saving(term: &Term, t: &Text) -> String {
    if term.discount_basis_points == 0 {
        return String::new();
    }
    let share = t.percent(term.discount_basis_points);
    t.with("shop-save", "percent", share).to_string()
}

fn best_saving(offer: &Offer, t: &Text) -> Option<String> {
    let best = offer
        .terms
        .iter()
        .filter(|term| term.discount_basis_points > 0)
        .max_by_key(|term| term.discount_basis_points)?;
    let days = best.periods.saturating_mul(offer.validity_days);
    let saving = t
        .with("shop-save-up-to", "days", days)
        .and("percent", t.percent(best.discount_basis_points));
    Some(saving.to_string())
}

/// The countries of a zone in one line, in the language's order of the catalogue.
pub(super) fn places(zone: &Zone, t: &Text) -> String {
    let names = zone.countries.iter();
    let names: Vec<_> = names.map(|code| country::name(code, t.locale())).collect();
    names.join(&t.msg("shop-list-comma"))
}

fn chosen_zone<'a>(catalogue: &'a Catalogue, fields: &Fields) -> Result<Option<&'a Zone>, Refusal> {
    let code: Option<ZoneCode> = fields.read("zone", |text| text.parse().ok())?;
    match code {
        None => Ok(None),
        Some(code) => catalogue.zone(&code).map(Some).ok_or(Refusal::NotFound),
    }
}

/// The zone of the running plan, else the first of the catalogue.
fn usual_zone<'a>(catalogue: &'a Catalogue, running: Option<&Selection>) -> Option<&'a Zone> {
    let zone = match running {
        Some(Selection::Offer(code)) => catalogue.offer(code).map(|offer| &offer.zone),
        Some(Selection::Mix(mix)) => Some(&mix.zone),
        Some(Selection::AddOn(_)) | None => None,
    };
    zone.and_then(|code| catalogue.zone(code))
        .or(catalogue.zones.first())
}

/// The zones that hold in a country, the smallest first: it is the cheapest.
fn covering<'a>(catalogue: &'a Catalogue, country: &CountryCode) -> Vec<&'a Zone> {
    let zones = catalogue.zones.iter();
    let mut zones: Vec<_> = zones
        .filter(|zone| zone.countries.contains(country))
        .collect();
    zones.sort_by_key(|zone| zone.countries.len());
    zones
}

fn zone_links(catalogue: &Catalogue, t: &Text, here: Option<&ZoneCode>, path: &str) -> Vec<Link> {
    let link = |zone: &Zone| Link {
        href: href(path, &[("zone", zone.code.to_string())]),
        label: zone.name.of(t.locale()).to_owned(),
        current: here == Some(&zone.code),
    };
    catalogue.zones.iter().map(link).collect()
}

fn destinations(catalogue: &Catalogue, t: &Text) -> Vec<Destination> {
    let mut codes: Vec<_> = catalogue
        .zones
        .iter()
        .flat_map(|zone| &zone.countries)
        .copied()
        .collect();
    codes.sort_by_key(CountryCode::to_string);
    codes.dedup();
    let destination = |code: CountryCode| Destination {
        name: country::name(&code, t.locale()).to_owned(),
        code: code.to_string(),
    };
    let mut destinations: Vec<_> = codes.into_iter().map(destination).collect();
    if t.locale() == simurgh_vocab::Locale::En {
        destinations.sort_by(|one, other| one.name.cmp(&other.name));
    }
    destinations
}

/// Promotions in force. A code is printed only when it welcomes newcomers: others may be meant for
/// few.
fn deals(catalogue: &Catalogue, page: &Page) -> Vec<Deal> {
    let t = &page.t;
    catalogue
        .promotions
        .iter()
        .filter(|promotion| promotion.window.contains(page.now))
        .filter(|promotion| promotion.automatic || promotion.first_purchase_only)
        .map(|promotion| {
            let off = match &promotion.reduction {
                Reduction::Share(basis_points) => t.percent(*basis_points),
                Reduction::Amount(prices) => {
                    let amounts: Vec<_> = prices.all().iter().map(|off| t.money(off)).collect();
                    amounts.join(" / ")
                }
            };
            let key = if promotion.automatic {
                key("shop-deal-automatic")
            } else {
                key("shop-deal-first")
            };
            Deal {
                name: promotion.name.of(t.locale()).to_owned(),
                code: if promotion.automatic {
                    String::new()
                } else {
                    promotion.code.to_uppercase()
                },
                condition: t.with(key, "off", off).to_string(),
                until: promotion.window.end,
            }
        })
        .collect()
}
