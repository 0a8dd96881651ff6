//! Customers for tests.

use simurgh_app::App;
use simurgh_app::ports::{StoreExt, StoreFault};
use simurgh_subscriber::{Customer, CustomerState, DisplayName, Marketing, Person};
use simurgh_vocab::{CustomerId, Locale};

use crate::world::zone;

/// A person with a number of their own. None if `number` is beyond the numbers there are.
#[must_use]
pub fn person(number: u32) -> Option<Person> {
    Some(Person {
        name: "Wei".parse::<DisplayName>().ok()?,
        phone: format!("+86138{number:08}").parse().ok()?,
        email: None,
        user_name: None,
        locale: if number.is_multiple_of(2) {
            Locale::ZhCn
        } else {
            Locale::En
        },
        time_zone: zone("Asia/Shanghai"),
        marketing: Marketing::NeverAsked,
    })
}

/// Adds a customer whose number is confirmed, as registration leaves one.
///
/// # Errors
/// The store's fault.
pub async fn add_customer(app: &App, number: u32) -> Result<CustomerId, StoreFault> {
    let now = app.now();
    let id = app.make(CustomerId::from_parts, now);
    let person = person(number).ok_or(StoreFault::Corrupt("no such number".to_owned()))?;
    let state = CustomerState::Active { person, since: now };
    let customer = Customer {
        id,
        registered_at: now,
        state,
    };
    app.store
        .transact(move |tx| -> Result<(), StoreFault> { tx.insert_customer(&customer) })
        .await?;
    Ok(id)
}
