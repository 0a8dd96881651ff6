//! Customers, their credentials and the history of their accounts.

mod identity;
mod log_ins;
#[cfg(test)]
mod tests;

use simurgh_app::ports::{
    AccountEvent, AccountEventKind, Contact, Contacts, Credentials, CustomerSearch, Customers,
    LoginName, StoreFault, StoredPassword,
};
use simurgh_subscriber::{
    Customer, CustomerState, EmailContact, Marketing, Person, SecondFactor, UserName,
};
use simurgh_vocab::{CustomerId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::StoreTx;

const PERSON: &str = "p.name, p.phone, p.email, p.email_confirmed_at, p.user_name, p.locale,
                      p.time_zone, p.marketing, p.marketing_at";

impl Customers for StoreTx<'_> {
    fn insert_customer(&mut self, customer: &Customer) -> Result<(), StoreFault> {
        let sql = "INSERT INTO customer (id, registered_at, state, state_at)
                   VALUES (?1, ?2, ?3, ?4)";
        let Customer {
            id,
            registered_at,
            state,
        } = customer;
        self.execute(
            sql,
            &params![id, *registered_at, state.code(), state_at(state)],
        )?;
        if let Some(person) = customer.person() {
            put_person(self, *id, person)?;
            take_names(self, *id, person)?;
        }
        Ok(())
    }

    fn update_customer(&mut self, customer: &Customer) -> Result<(), StoreFault> {
        let sql = "UPDATE customer SET state = ?2, state_at = ?3 WHERE id = ?1";
        let Customer { id, state, .. } = customer;
        let touched = self.execute(sql, &params![id, state.code(), state_at(state)])?;
        exactly_one(touched, "customer")?;
        // Charging counts days in the customer's time zone, and remembers which that is.
        self.settles_lines_of(*id)?;
        match customer.person() {
            Some(person) => {
                put_person(self, *id, person)?;
                self.execute(
                    "DELETE FROM login_name WHERE customer_id = ?1",
                    &params![id],
                )?;
                take_names(self, *id, person)
            }
            None => erase(self, *id),
        }
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        let sql = "SELECT id, registered_at, state, state_at FROM customer WHERE id = ?1";
        let Some(mut row) = self.query_one_or_none_locked(sql, &params![id])? else {
            return Ok(None);
        };
        let sql = format!("SELECT {PERSON} FROM person p WHERE p.customer_id = ?1");
        let person = read_one(self.query_one_or_none(&sql, &params![id])?, read_person)?;
        read_customer(&mut row, person).map(Some)
    }

    fn active_person(&mut self, id: CustomerId) -> Result<Option<Person>, StoreFault> {
        let sql = format!(
            "SELECT {PERSON} FROM customer c JOIN person p ON p.customer_id = c.id
             WHERE c.id = ?1 AND c.state = 'active'"
        );
        read_one(self.query_one_or_none(&sql, &params![id])?, read_person)
    }

    fn customer_named(&mut self, name: &LoginName) -> Result<Option<CustomerId>, StoreFault> {
        let sql = "SELECT customer_id FROM login_name WHERE kind = ?1 AND name = ?2";
        let found = self.query_one_or_none(sql, &params![name.kind(), name.as_str()])?;
        read_one(found, Row::id)
    }

    fn search_customers(&mut self, search: &CustomerSearch) -> Result<Vec<Customer>, StoreFault> {
        let text = search.text.trim().to_lowercase();
        let id = CustomerId::from_number(&text);
        let typed = text.replace([' ', '-'], "");
        let sql = format!(
            "SELECT c.id, c.registered_at, c.state, c.state_at, {PERSON}
             FROM customer c JOIN person p ON p.customer_id = c.id
             WHERE c.id = ?1 OR p.phone LIKE ?2 ESCAPE '!' OR p.email LIKE ?3 ESCAPE '!'
                OR p.user_name LIKE ?3 ESCAPE '!' OR lower(p.name) LIKE ?4 ESCAPE '!'
             ORDER BY c.registered_at DESC LIMIT ?5"
        );
        let digits = typed.trim_start_matches('+');
        let is_number = digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit());
        // Without a number the pattern is the empty one, which no phone number matches.
        let phone = if is_number {
            format!("%{}%", escaped(digits))
        } else {
            String::new()
        };
        let start = format!("{}%", escaped(&text));
        let part = format!("%{}%", escaped(&text));
        let rows = self.query(&sql, &params![id, phone, start, part, search.limit])?;
        read_all(rows, |row| {
            let person = read_person(row.at(4))?;
            read_customer(row.at(0), Some(person))
        })
    }

    fn credentials(&mut self, customer: CustomerId) -> Result<Credentials, StoreFault> {
        let sql = "SELECT password_digest, password_since, totp, totp_secret, totp_since,
                          totp_last_step, recovery_digests
                   FROM credential WHERE customer_id = ?1";
        let stored = read_one(self.query_one_or_none(sql, &params![customer])?, |row| {
            read_credentials(row, customer)
        })?;
        Ok(stored.unwrap_or(Credentials {
            customer,
            password: None,
            second_factor: SecondFactor::Off,
        }))
    }

    fn put_credentials(&mut self, credentials: &Credentials) -> Result<(), StoreFault> {
        let sql = "INSERT INTO credential (customer_id, password_digest, password_since, totp,
                                           totp_secret, totp_since, totp_last_step,
                                           recovery_digests)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (customer_id) DO UPDATE SET
                       password_digest = excluded.password_digest,
                       password_since = excluded.password_since,
                       totp = excluded.totp,
                       totp_secret = excluded.totp_secret,
                       totp_since = excluded.totp_since,
                       totp_last_step = excluded.totp_last_step,
                       recovery_digests = excluded.recovery_digests";
        let password = credentials.password.as_ref();
        let factor = &credentials.second_factor;
        let (since, last_step, recovery) = match factor {
            SecondFactor::Off => (None, None, None),
            SecondFactor::Enrolling { since, .. } => (Some(*since), None, None),
            SecondFactor::On {
                since,
                last_step,
                recovery,
                ..
            } => (
                Some(*since),
                Some(i64::try_from(*last_step).unwrap_or(i64::MAX)),
                Some(recovery.concat()),
            ),
        };
        self.execute(
            sql,
            &params![
                credentials.customer,
                password.map(|password| &password.digest),
                password.map(|password| password.since),
                factor.code(),
                factor.sealed_secret(),
                since,
                last_step,
                recovery
            ],
        )?;
        Ok(())
    }

    fn note(&mut self, event: &AccountEvent) -> Result<(), StoreFault> {
        let sql = "INSERT INTO account_event (customer_id, happened_at, position, kind)
                   SELECT ?1, ?2, COUNT(*), ?3 FROM account_event
                   WHERE customer_id = ?1 AND happened_at = ?2";
        let AccountEvent { customer, at, kind } = event;
        self.execute(sql, &params![customer, *at, kind.code()])?;
        Ok(())
    }

    fn events_of_kind(
        &mut self,
        customer: CustomerId,
        kind: AccountEventKind,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreFault> {
        let sql = "SELECT happened_at FROM account_event WHERE customer_id = ?1 AND kind = ?2
                   ORDER BY happened_at DESC, position DESC LIMIT ?3";
        let rows = self.query(sql, &params![customer, kind.code(), limit])?;
        read_all(rows, |row| row.timestamp())
    }

    fn account_events(
        &mut self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<AccountEvent>, StoreFault> {
        let sql = "SELECT happened_at, kind FROM account_event WHERE customer_id = ?1
                   ORDER BY happened_at DESC, position DESC LIMIT ?2";
        read_all(self.query(sql, &params![customer, limit])?, |row| {
            Ok(AccountEvent {
                customer,
                at: row.timestamp()?,
                kind: row.code(AccountEventKind::from_code)?,
            })
        })
    }
}

impl Contacts for StoreTx<'_> {
    fn contact_of(&mut self, customer: CustomerId) -> Result<Option<Contact>, StoreFault> {
        let sql = "SELECT c.state, p.phone, p.email, p.email_confirmed_at, p.locale, p.time_zone
                   FROM customer c JOIN person p ON p.customer_id = c.id WHERE c.id = ?1";
        read_one(self.query_one_or_none(sql, &params![customer])?, |row| {
            let active = row.text()? == "active";
            let phone = row.parsed()?;
            let email = row.opt_parsed()?;
            let confirmed = row.opt_timestamp()?.is_some();
            Ok(Contact {
                phone: active.then_some(phone),
                email: email.filter(|_| confirmed),
                locale: row.parsed()?,
                time_zone: row.parsed()?,
            })
        })
    }
}

const fn state_at(state: &CustomerState) -> Option<Timestamp> {
    match state {
        CustomerState::Unconfirmed { .. } => None,
        CustomerState::Active { since, .. } => Some(*since),
        CustomerState::Closed { at } => Some(*at),
    }
}

fn put_person(tx: &mut StoreTx<'_>, id: CustomerId, person: &Person) -> Result<(), StoreFault> {
    let sql = "INSERT INTO person (customer_id, name, phone, email, email_confirmed_at, user_name,
                                   locale, time_zone, marketing, marketing_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (customer_id) DO UPDATE SET
                   name = excluded.name,
                   phone = excluded.phone,
                   email = excluded.email,
                   email_confirmed_at = excluded.email_confirmed_at,
                   user_name = excluded.user_name,
                   locale = excluded.locale,
                   time_zone = excluded.time_zone,
                   marketing = excluded.marketing,
                   marketing_at = excluded.marketing_at";
    let email = person.email.as_ref();
    let params = params![
        id,
        person.name.as_str(),
        &person.phone,
        email.map(|email| &email.address),
        email.and_then(|email| email.confirmed_at),
        person.user_name.as_ref().map(UserName::as_str),
        person.locale,
        &person.time_zone,
        person.marketing.code(),
        person.marketing.at()
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Takes the names a person is found by.
fn take_names(tx: &mut StoreTx<'_>, id: CustomerId, person: &Person) -> Result<(), StoreFault> {
    let phone = Some(LoginName::Phone(person.phone.clone()));
    let email = person.confirmed_email().cloned().map(LoginName::Email);
    let user_name = person.user_name.clone().map(LoginName::UserName);
    for name in [phone, email, user_name].into_iter().flatten() {
        let sql = "INSERT INTO login_name (kind, name, customer_id) VALUES (?1, ?2, ?3)";
        tx.execute(sql, &params![name.kind(), name.as_str(), id])?;
    }
    Ok(())
}

/// Everything that says who a customer was. What happened to the account stays: it names nobody.
const ERASED: [&str; 8] = [
    "DELETE FROM person WHERE customer_id = ?1",
    "DELETE FROM login_name WHERE customer_id = ?1",
    "DELETE FROM credential WHERE customer_id = ?1",
    "DELETE FROM login_step WHERE customer_id = ?1",
    "DELETE FROM session WHERE customer_id = ?1",
    "DELETE FROM challenge WHERE customer_id = ?1",
    "DELETE FROM message_reference WHERE message_id IN
        (SELECT id FROM message WHERE customer_id = ?1)",
    "DELETE FROM message WHERE customer_id = ?1",
];

fn erase(tx: &mut StoreTx<'_>, id: CustomerId) -> Result<(), StoreFault> {
    for sql in ERASED {
        tx.execute(sql, &params![id])?;
    }
    let sql = "DELETE FROM identity_document WHERE case_id IN
                   (SELECT id FROM identity_case WHERE customer_id = ?1)";
    tx.execute(sql, &params![id])?;
    Ok(())
}

/// The text as a literal part of a `LIKE` pattern with `!` before what is meant literally.
fn escaped(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

fn read_customer(row: &mut Row, person: Option<Person>) -> Result<Customer, StoreFault> {
    let (id, registered_at) = (row.id()?, row.timestamp()?);
    let (state, at) = (row.text()?, row.opt_timestamp()?);
    let state = match (state.as_str(), person, at) {
        ("unconfirmed", Some(person), None) => CustomerState::Unconfirmed { person },
        ("active", Some(person), Some(since)) => CustomerState::Active { person, since },
        ("closed", None, Some(at)) => CustomerState::Closed { at },
        _ => return Err(row.behind("a state that does not go with the person")),
    };
    Ok(Customer {
        id,
        registered_at,
        state,
    })
}

fn read_person(row: &mut Row) -> Result<Person, StoreFault> {
    let (name, phone) = (row.parsed()?, row.parsed()?);
    let (address, confirmed_at) = (row.opt_parsed()?, row.opt_timestamp()?);
    let user_name = row.opt_parsed()?;
    let (locale, time_zone) = (row.parsed()?, row.parsed()?);
    let (marketing, marketing_at) = (row.text()?, row.opt_timestamp()?);
    let marketing = Marketing::from_stored(&marketing, marketing_at)
        .ok_or_else(|| row.behind("an unknown consent"))?;
    Ok(Person {
        name,
        phone,
        email: address.map(|address| EmailContact {
            address,
            confirmed_at,
        }),
        user_name,
        locale,
        time_zone,
        marketing,
    })
}

fn read_credentials(row: &mut Row, customer: CustomerId) -> Result<Credentials, StoreFault> {
    let password = match (row.opt_text()?, row.opt_timestamp()?) {
        (Some(digest), Some(since)) => Some(StoredPassword { digest, since }),
        (None, None) => None,
        _ => return Err(row.behind("a password without its time")),
    };
    let (state, secret, since) = (row.text()?, row.opt_blob()?, row.opt_timestamp()?);
    let (last_step, recovery) = (row.opt_int()?, row.opt_blob()?);
    let second_factor = match (state.as_str(), secret, since, last_step, recovery) {
        ("off", None, None, None, None) => SecondFactor::Off,
        ("enrolling", Some(sealed_secret), Some(since), None, None) => SecondFactor::Enrolling {
            sealed_secret,
            since,
        },
        ("on", Some(sealed_secret), Some(since), Some(last_step), Some(recovery)) => {
            let (digests, []) = recovery.as_chunks() else {
                return Err(row.behind("recovery digests of another length"));
            };
            SecondFactor::On {
                sealed_secret,
                since,
                last_step: u64::try_from(last_step)
                    .map_err(|_| row.at(6).behind("a negative step"))?,
                recovery: digests.to_vec(),
            }
        }
        _ => return Err(row.behind("a second factor with parts missing")),
    };
    Ok(Credentials {
        customer,
        password,
        second_factor,
    })
}
