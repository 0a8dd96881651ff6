//! The second factor: shown, turned on and off.

use simurgh_subscriber::{
    Customer, EndReason, Network, RECOVERY_CODES, RecoveryCode, RiskyAction, SecondFactor,
    SecondFactorRefusal, TOTP_DIGITS, TOTP_STEP_SECONDS,
};
use simurgh_vocab::{CustomerId, SessionId, Timestamp};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::crypto::Purpose;
use crate::ports::{AccountEventKind, Digest, Tx};
use crate::subscriber::guard::Locked;
use crate::subscriber::tell::Change;
use crate::subscriber::{RiskyRefusal, refusals, risky};
use crate::{App, Fault};

/// A secret for an authenticator app, shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub otpauth_url: String,
}

/// Why the second factor is not changed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorChangeRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// It does not go with what is there, or the code is wrong.
    #[error(transparent)]
    Factor(#[from] SecondFactorRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(SecondFactorChangeRefusal);
risky!(SecondFactorChangeRefusal);

/// Why a shown second factor is not taken.
pub(super) enum FactorRefusal {
    Locked(Locked),
    Wrong,
    Fault(Fault),
}

impl From<Fault> for FactorRefusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::ports::StoreFault> for FactorRefusal {
    fn from(fault: crate::ports::StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// 160 bits, as RFC 4226 §4 (R6) recommends.
const SECRET_OCTETS: usize = 20;

impl App {
    /// Makes a secret for an authenticator app. It asks for nothing until a code of it is typed:
    /// [`turn_second_factor_on`](Self::turn_second_factor_on).
    ///
    /// # Errors
    /// [`SecondFactorChangeRefusal`].
    pub async fn enrol_second_factor(
        &self,
        session: SessionId,
    ) -> Result<Enrolment, SecondFactorChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<Enrolment, SecondFactorChangeRefusal> {
            let customer = app.may_change_factor(tx, session, now)?;
            let account = account_name(tx.customer(customer)?.as_ref());
            let mut secret = [0; SECRET_OCTETS];
            app.entropy.fill(&mut secret);
            let sealed = app.keyring.seal(
                Purpose::TotpSecret,
                customer.as_bytes(),
                &secret,
                app.entropy.as_ref(),
            );
            let sealed = sealed.map_err(|e| Fault::Invariant(e.to_string()))?;
            let mut credentials = tx.credentials(customer)?;
            credentials.second_factor = credentials.second_factor.enrol(sealed, now)?;
            tx.put_credentials(&credentials)?;
            Ok(enrolment(&secret, &app.settings.brand, &account))
        })
        .await
    }

    /// The secret that waits for its first code, for the page that shows it. Nothing when none
    /// waits.
    ///
    /// # Errors
    /// [`SecondFactorChangeRefusal`].
    pub async fn waiting_enrolment(
        &self,
        session: SessionId,
    ) -> Result<Option<Enrolment>, SecondFactorChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<_, SecondFactorChangeRefusal> {
            let customer = app.may_change_factor(tx, session, now)?;
            let factor = tx.credentials(customer)?.second_factor;
            let sealed = match &factor {
                SecondFactor::Enrolling { sealed_secret, .. } => sealed_secret,
                SecondFactor::Off | SecondFactor::On { .. } => return Ok(None),
            };
            let account = account_name(tx.customer(customer)?.as_ref());
            let purpose = Purpose::TotpSecret;
            let secret = app.keyring.open(purpose, customer.as_bytes(), sealed);
            let secret = secret.map_err(|e| Fault::Invariant(e.to_string()))?;
            Ok(Some(enrolment(&secret, &app.settings.brand, &account)))
        })
        .await
    }

    /// Turns the second factor on with a code of the shown secret. Gives back the recovery codes,
    /// which are shown this once; every other session ends (V7.4.3).
    ///
    /// # Errors
    /// [`SecondFactorChangeRefusal`].
    pub async fn turn_second_factor_on(
        &self,
        session: SessionId,
        typed: String,
    ) -> Result<Vec<RecoveryCode>, SecondFactorChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        let codes = self
            .decide(move |tx| -> Result<_, SecondFactorChangeRefusal> {
                let customer = app.may_change_factor(tx, session, now)?;
                let mut credentials = tx.credentials(customer)?;
                let matched = app.matched_step(customer, &credentials.second_factor, &typed, now);
                let (codes, digests) = app.recovery_codes(customer);
                let factor = credentials.second_factor;
                credentials.second_factor = factor.turn_on(matched?, digests, now)?;
                tx.put_credentials(&credentials)?;
                app.factor_changed(tx, (customer, session), Change::SecondFactorOn, now)?;
                Ok(codes)
            })
            .await?;
        self.wake_runner();
        Ok(codes)
    }

    /// Turns the second factor off; every other session ends.
    ///
    /// # Errors
    /// [`SecondFactorChangeRefusal`].
    pub async fn turn_second_factor_off(
        &self,
        session: SessionId,
    ) -> Result<(), SecondFactorChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), SecondFactorChangeRefusal> {
            let customer = app.may_change_factor(tx, session, now)?;
            let mut credentials = tx.credentials(customer)?;
            if !credentials.second_factor.is_on() {
                return Err(SecondFactorRefusal::NotOn.into());
            }
            credentials.second_factor = SecondFactor::Off;
            tx.put_credentials(&credentials)?;
            app.factor_changed(tx, (customer, session), Change::SecondFactorOff, now)?;
            Ok(())
        })
        .await?;
        self.wake_runner();
        Ok(())
    }

    /// Makes new recovery codes; the old ones are no longer good.
    ///
    /// # Errors
    /// [`SecondFactorChangeRefusal`].
    pub async fn renew_recovery_codes(
        &self,
        session: SessionId,
    ) -> Result<Vec<RecoveryCode>, SecondFactorChangeRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<_, SecondFactorChangeRefusal> {
            let customer = app.may_change_factor(tx, session, now)?;
            let (codes, digests) = app.recovery_codes(customer);
            let mut credentials = tx.credentials(customer)?;
            let factor = credentials.second_factor;
            credentials.second_factor = factor.renew_recovery_codes(digests)?;
            tx.put_credentials(&credentials)?;
            app.note(tx, customer, AccountEventKind::RecoveryCodesRenewed, now)?;
            Ok(codes)
        })
        .await
    }

    /// Takes a code of the app or a recovery code. Wrong ones are counted for the customer.
    pub(super) fn take_second_factor(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        typed: &str,
        network: Network,
        now: Timestamp,
    ) -> Result<(), FactorRefusal> {
        let guarded = self.guarded(&format!("second-factor\n{customer}"), network);
        guarded.begin(tx, now)?.map_err(FactorRefusal::Locked)?;
        let mut credentials = tx.credentials(customer)?;
        let recovery = RecoveryCode::typed(typed);
        let factor = credentials.second_factor;
        let taken = match &recovery {
            Some(code) => factor.take_recovery_code(&self.recovery_digest(customer, code)),
            None => {
                let matched = self.matched_step(customer, &factor, typed, now)?;
                factor.take_code(matched)
            }
        };
        let Ok(factor) = taken else {
            self.note(tx, customer, AccountEventKind::WrongSecondFactor, now)?;
            return Err(FactorRefusal::Wrong);
        };
        credentials.second_factor = factor;
        tx.put_credentials(&credentials)?;
        guarded.succeeded(tx)?;
        if recovery.is_some() {
            self.note(tx, customer, AccountEventKind::RecoveryCodeUsed, now)?;
            if let Some(person) = tx.active_person(customer)? {
                let whom = (customer, &person);
                self.tell_change(tx, whom, Change::RecoveryCodeUsed, None, now)?;
            }
        }
        Ok(())
    }

    fn may_change_factor(
        &self,
        tx: &mut dyn Tx,
        session: SessionId,
        now: Timestamp,
    ) -> Result<CustomerId, RiskyRefusal> {
        let action = RiskyAction::ChangeSecondFactor;
        self.require_fresh::<RiskyRefusal>(tx, session, action, now)
            .map(|session| session.customer)
    }

    fn factor_changed(
        &self,
        tx: &mut dyn Tx,
        (customer, session): (CustomerId, SessionId),
        change: Change,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let kind = if change == Change::SecondFactorOn {
            AccountEventKind::SecondFactorOn
        } else {
            AccountEventKind::SecondFactorOff
        };
        self.note(tx, customer, kind, now)?;
        let reason = EndReason::SecondFactorChanged;
        self.end_sessions(tx, customer, Some(session), reason, now)?;
        if let Some(person) = tx.active_person(customer)? {
            self.tell_change(tx, (customer, &person), change, None, now)?;
        }
        Ok(())
    }

    /// The step whose code was typed, among those that are taken now.
    fn matched_step(
        &self,
        customer: CustomerId,
        factor: &SecondFactor,
        typed: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Fault> {
        let Some(sealed) = factor.sealed_secret() else {
            return Ok(None);
        };
        let purpose = Purpose::TotpSecret;
        let secret = self.keyring.open(purpose, customer.as_bytes(), sealed);
        let secret = secret.map_err(|e| Fault::Invariant(e.to_string()))?;
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != usize::from(TOTP_DIGITS) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(None);
        }
        let seconds = u64::try_from(now.as_unix_seconds()).unwrap_or(0);
        Ok(totp(secret)?.check(&digits, seconds))
    }

    fn recovery_codes(&self, customer: CustomerId) -> (Vec<RecoveryCode>, Vec<Digest>) {
        let codes: Vec<RecoveryCode> = (0..RECOVERY_CODES)
            .map(|_| {
                let mut random = [0; 10];
                self.entropy.fill(&mut random);
                RecoveryCode::from_random(&random)
            })
            .collect();
        let digest = |code| self.recovery_digest(customer, code);
        let digests = codes.iter().map(digest).collect();
        (codes, digests)
    }

    fn recovery_digest(&self, customer: CustomerId, code: &RecoveryCode) -> Digest {
        let data = [customer.as_bytes().as_slice(), code.as_str().as_bytes()].concat();
        self.keyring.digest(Purpose::RecoveryDigest, &data)
    }
}

fn totp(secret: Vec<u8>) -> Result<Totp, Fault> {
    let built = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(TOTP_DIGITS)
        // One step before and after: see `candidate_steps`.
        .with_skew(1)
        .with_step_duration(TOTP_STEP_SECONDS)
        .with_secret(secret)
        .build();
    built.map_err(|error| Fault::Invariant(error.to_string()))
}

/// What the app shows beside its codes: the number, so that its owner tells accounts apart.
fn account_name(customer: Option<&Customer>) -> String {
    let person = customer.and_then(Customer::active);
    person.map_or_else(String::new, |person| person.phone.as_str().to_owned())
}

/// The address that authenticator apps read (Google Authenticator, "Key Uri Format").
fn enrolment(secret: &[u8], brand: &str, account: &str) -> Enrolment {
    let secret = Secret::from(secret.to_vec()).to_base32();
    let (brand, account) = (percent_encoded(brand), percent_encoded(account));
    let otpauth_url = format!(
        "otpauth://totp/{brand}:{account}?secret={secret}&issuer={brand}\
         &algorithm=SHA1&digits={TOTP_DIGITS}&period={TOTP_STEP_SECONDS}"
    );
    Enrolment {
        secret,
        otpauth_url,
    }
}

/// RFC 3986 §2.1: everything but unreserved characters.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
