//! Accounts of staff. They are made and renewed by commands on the server: no page makes one.

use simurgh_subscriber::{Password, PasswordContext, PasswordRefusal, SecondFactor};
use simurgh_vocab::{Msisdn, StaffId, Timestamp};

use super::authenticator::{SECRET_LEN, otpauth_url, typed_secret};
use super::log::Deed;
use crate::crypto::Purpose;
use crate::crypto::password::{self, PasswordFault};
use crate::ports::{StaffAccount, StaffAction, StaffSubject, StoreExt, StoreFault, Tx};
use crate::{App, Fault};

/// The fewest characters of a password of staff: more than a customer's, because more depends on it.
const PASSWORD_CHARS_MIN: usize = 12;
/// The most characters of a name.
const NAME_LEN_MAX: usize = 32;

/// What the new member of staff must be given. It is shown once; `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct NewStaff {
    /// The account.
    pub id: StaffId,
    /// The secret of the second factor, to be typed into an authenticator app.
    pub totp_secret: String,
    /// The same as an address, to be shown as a QR code.
    pub otpauth_url: String,
}

impl std::fmt::Debug for NewStaff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewStaff({})", self.id)
    }
}

/// Why an account is not made, renewed or closed. Checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaffRefusal {
    /// The name cannot be one.
    #[error("a name has 2 to 32 letters of a to z, digits, and . _ -, and starts with a letter")]
    BadName,
    /// The password is too short for staff.
    #[error("a password of staff has at least 12 characters")]
    ShortPassword,
    /// The password is too long, common, or made of the name.
    #[error(transparent)]
    BadPassword(#[from] PasswordRefusal),
    /// Somebody has the name.
    #[error("there is a member of staff of this name already")]
    NameTaken,
    /// Nobody has the name, or the account is closed.
    #[error("there is no member of staff of this name")]
    NoSuchStaff,
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for StaffRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Makes an account that logs in with `name`, `password` and the codes of a new secret.
    ///
    /// # Errors
    /// [`StaffRefusal`].
    pub async fn create_staff(&self, name: &str, password: &str) -> Result<NewStaff, StaffRefusal> {
        let now = self.now();
        let name = parse_name(name)?;
        let id = self.make(StaffId::from_parts, now);
        let (proof, new) = self.proofs(id, &name, password, now).await?;
        let account = StaffAccount {
            id,
            name,
            password_digest: proof.password_digest,
            second_factor: proof.second_factor,
            created_at: now,
            closed_at: None,
        };
        let app = self.clone();
        self.store
            .transact(move |tx| {
                if tx.staff_named(&account.name)?.is_some() {
                    return Err(StaffRefusal::NameTaken);
                }
                tx.insert_staff(&account)?;
                Ok(app.log_command(tx, StaffAction::AccountCreated, id, now)?)
            })
            .await?;
        Ok(new)
    }

    /// Gives an account a new password and a new secret, for a lost phone or a leak. Every session
    /// of it ends. A closed account opens again.
    ///
    /// # Errors
    /// [`StaffRefusal`].
    pub async fn renew_staff(&self, name: &str, password: &str) -> Result<NewStaff, StaffRefusal> {
        let now = self.now();
        let name = parse_name(name)?;
        let named = name.clone();
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.staff_named(&named)?) })
            .await?;
        let id = found.ok_or(StaffRefusal::NoSuchStaff)?.id;
        let (proof, new) = self.proofs(id, &name, password, now).await?;
        let app = self.clone();
        self.store
            .transact(move |tx| {
                let mut account = tx.staff(id)?.ok_or(StaffRefusal::NoSuchStaff)?;
                account.password_digest.clone_from(&proof.password_digest);
                account.second_factor = proof.second_factor.clone();
                account.closed_at = None;
                tx.update_staff(&account)?;
                tx.end_staff_sessions(id, now)?;
                Ok::<_, StaffRefusal>(app.log_command(tx, StaffAction::AccountRenewed, id, now)?)
            })
            .await?;
        Ok(new)
    }

    /// Closes an account and ends its sessions. Its name stays taken: the log names it.
    ///
    /// # Errors
    /// [`StaffRefusal`].
    pub async fn close_staff(&self, name: &str) -> Result<(), StaffRefusal> {
        let now = self.now();
        let name = parse_name(name)?;
        let app = self.clone();
        self.store
            .transact(move |tx| {
                let account = tx.staff_named(&name)?;
                let account = account.filter(|account| account.closed_at.is_none());
                let mut account = account.ok_or(StaffRefusal::NoSuchStaff)?;
                account.closed_at = Some(now);
                tx.update_staff(&account)?;
                tx.end_staff_sessions(account.id, now)?;
                Ok(app.log_command(tx, StaffAction::AccountClosed, account.id, now)?)
            })
            .await
    }

    async fn proofs(
        &self,
        id: StaffId,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<(Proofs, NewStaff), StaffRefusal> {
        let password = choose(name, password, &self.settings.brand)?;
        let mut secret = [0; SECRET_LEN];
        self.entropy.fill(&mut secret);
        let entropy = self.entropy.as_ref();
        let sealed_secret = self
            .keyring
            .seal(Purpose::TotpSecret, id.as_bytes(), &secret, entropy)
            .map_err(|error| Fault::Invariant(error.to_string()))?;
        let proofs = Proofs {
            password_digest: password::hash(password.reveal().to_owned(), entropy).await?,
            second_factor: SecondFactor::On {
                sealed_secret,
                since: now,
                last_step: 0,
                recovery: Vec::new(),
            },
        };
        let new = NewStaff {
            id,
            totp_secret: typed_secret(&secret),
            otpauth_url: otpauth_url(&secret, &self.settings.brand, name),
        };
        Ok((proofs, new))
    }

    fn log_command(
        &self,
        tx: &mut dyn Tx,
        action: StaffAction,
        about: StaffId,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let deed = Deed {
            staff: None,
            action,
            subject: StaffSubject::Staff(about),
            detail: String::new(),
        };
        self.log_deed(tx, deed, now)
    }
}

/// What a member of staff proves who they are with.
struct Proofs {
    password_digest: String,
    second_factor: SecondFactor,
}

/// The name as it is stored, if it can be one.
pub(super) fn parse_name(text: &str) -> Result<String, StaffRefusal> {
    let name = text.trim().to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let sound = (2..=NAME_LEN_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(allowed);
    if sound {
        Ok(name)
    } else {
        Err(StaffRefusal::BadName)
    }
}

fn choose(name: &str, password: &str, brand: &str) -> Result<Password, StaffRefusal> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(StaffRefusal::ShortPassword);
    }
    if password.to_lowercase().contains(name) {
        return Err(PasswordRefusal::NamesYou.into());
    }
    // The rules ask for a person's number, and staff have none here: this one is nobody's.
    let phone: Msisdn = NOBODYS_NUMBER
        .parse()
        .map_err(|_| Fault::Invariant("nobody's number is none".to_owned()))?;
    let context = PasswordContext {
        phone: &phone,
        email: None,
        user_name: None,
        brand,
    };
    Ok(Password::choose(password, &context)?)
}

/// A country code that ITU-T E.164 assigns to nobody.
const NOBODYS_NUMBER: &str = "+2100000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_of_staff() {
        for (text, name) in [("Li.Na", Some("li.na")), (" ops-2 ", Some("ops-2"))] {
            assert_eq!(parse_name(text).ok().as_deref(), name, "{text}");
        }
        for text in ["", "x", "2ops", "li na", "李娜", &"a".repeat(33), "a\0b"] {
            assert_eq!(parse_name(text), Err(StaffRefusal::BadName), "{text}");
        }
        let cases = [
            ("correct horse", None),
            ("short 12345", Some(StaffRefusal::ShortPassword)),
            ("my name is Li.Na", Some(PasswordRefusal::NamesYou.into())),
            ("Password2026!", Some(PasswordRefusal::Common.into())),
            ("simurgh-2026-", Some(PasswordRefusal::NamesYou.into())),
        ];
        for (text, refusal) in cases {
            assert_eq!(choose("li.na", text, "Simurgh").err(), refusal, "{text}");
        }
    }
}
