//! What the fuzz targets call; nothing else does.

use simurgh_vocab::Currency;

use super::choice::Choice;
use super::fields::Fields;
use super::{local, phone};

/// Reads a form as the pages of the shop and of the way in do.
pub(crate) fn fields(fields: &Fields) {
    for currency in [Currency::Cny, Currency::Eur, Currency::Usd] {
        let _ = Choice::with_item(currency, fields);
    }
    let _ = local::browser_zone(fields);
    let _ = local::local(fields.text("next"));
    numbers(fields.text("phone_country"), fields.text("phone"));
}

/// Reads a phone number from its two fields.
pub(crate) fn numbers(calling_code: &str, number: &str) {
    let _ = phone::read(calling_code, number);
}
