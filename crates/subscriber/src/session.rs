//! Signed-in devices.

use simurgh_vocab::{CustomerId, Duration, SessionId, Timestamp};

use crate::Proof;
use crate::code::coded;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// It ends when it was not used for so long (V7.3.1).
    pub inactivity: Duration,
    /// It ends so long after it began, however much it was used (V7.3.2).
    pub absolute: Duration,
    /// So long after its holder proved who they are, they may do risky things (V7.5.1).
    pub fresh: Duration,
    /// Its use is written down at most this often, so that looking at a page is no write.
    pub touch_every: Duration,
}

impl SessionRules {
    /// For customers: 30 days unused, 90 days in all, 10 minutes for risky actions.
    pub const CUSTOMER: Self = Self {
        inactivity: Duration::days(30),
        absolute: Duration::days(90),
        fresh: Duration::minutes(10),
        touch_every: Duration::minutes(5),
    };

    /// For staff: 30 minutes unused, 12 hours in all.
    pub const STAFF: Self = Self {
        inactivity: Duration::minutes(30),
        absolute: Duration::hours(12),
        fresh: Duration::minutes(10),
        touch_every: Duration::minutes(1),
    };
}

coded! {
    /// Why a session is over. When several are true, the first counts.
    pub enum EndReason {
        /// Its holder logged out.
        LoggedOut = "logged_out",
        /// The customer ended it from another device.
        EndedElsewhere = "ended_elsewhere",
        /// The password was changed or recovered.
        PasswordChanged = "password_changed",
        /// The second factor was turned on or off.
        SecondFactorChanged = "second_factor_changed",
        /// The number or the mailbox that the account is entered by was changed.
        ContactChanged = "contact_changed",
        /// The account was closed.
        AccountClosed = "account_closed",
        /// The same browser logged in anew (V7.2.4).
        LoggedInAnew = "logged_in_anew",
        /// It reached its greatest age.
        TooOld = "too_old",
        /// It was not used for too long.
        Inactive = "inactive",
    }
}

coded! {
    /// What needs a fresh proof of who is asking (V7.5.1, V7.5.2): what a thief of a device would
    /// do first.
    pub enum RiskyAction {
        /// To change the number.
        ChangePhone = "change_phone",
        /// To change the mailbox.
        ChangeEmail = "change_email",
        /// To change the name to log in with.
        ChangeUserName = "change_user_name",
        /// To set or change the password.
        ChangePassword = "change_password",
        /// To turn the second factor on or off, or to see new recovery codes.
        ChangeSecondFactor = "change_second_factor",
        /// To take a copy of everything.
        ExportData = "export_data",
        /// To close the account.
        CloseAccount = "close_account",
        /// To store a payment method.
        StoreMethod = "store_method",
        /// To ask for money back.
        AskRefund = "ask_refund",
        /// To get a profile issued again.
        ReissueProfile = "reissue_profile",
    }
}

/// Whether a session can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It can, unless its time is over.
    Open,
    /// It was ended.
    Ended {
        /// When.
        at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

/// A signed-in device. Its bearer holds a token of which the digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who is signed in.
    pub customer: CustomerId,
    /// How they proved it.
    pub proof: Proof,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used, to within [`SessionRules::touch_every`].
    pub seen_at: Timestamp,
    /// When its holder last proved who they are.
    pub proved_at: Timestamp,
    /// The device as its holder may recognise it, e.g. `Firefox on Android`.
    pub device: String,
    /// Whether it can be used.
    pub state: SessionState,
}

/// Why a session cannot do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionTransition {
    /// It is over.
    #[error("the session is over ({})", .0.code())]
    Over(EndReason),
    /// Its holder must prove again who they are.
    #[error("a fresh proof of identity is needed")]
    NotFresh,
}

impl Session {
    /// The most characters kept of a device's name.
    pub const DEVICE_CHARS_MAX: usize = 60;

    /// Whether it can be used.
    ///
    /// # Errors
    /// Why it is over: what was recorded first, then its age, then how long it was not used.
    pub fn open(&self, rules: &SessionRules, now: Timestamp) -> Result<(), EndReason> {
        match self.state {
            SessionState::Ended { reason, .. } => Err(reason),
            SessionState::Open if now.since(self.begun_at) >= rules.absolute => {
                Err(EndReason::TooOld)
            }
            SessionState::Open if now.since(self.seen_at) >= rules.inactivity => {
                Err(EndReason::Inactive)
            }
            SessionState::Open => Ok(()),
        }
    }

    /// Whether its use at `now` should be written down.
    #[must_use]
    pub fn touch_due(&self, rules: &SessionRules, now: Timestamp) -> bool {
        now.since(self.seen_at) >= rules.touch_every
    }

    /// Whether it may do something risky.
    ///
    /// # Errors
    /// [`SessionTransition::Over`], then [`SessionTransition::NotFresh`].
    pub fn may_do(
        &self,
        action: RiskyAction,
        rules: &SessionRules,
        now: Timestamp,
    ) -> Result<RiskyAction, SessionTransition> {
        self.open(rules, now).map_err(SessionTransition::Over)?;
        if now.since(self.proved_at) < rules.fresh {
            Ok(action)
        } else {
            Err(SessionTransition::NotFresh)
        }
    }

    /// Ends it; the first reason stays.
    #[must_use]
    pub fn end(mut self, reason: EndReason, at: Timestamp) -> Self {
        match self.state {
            SessionState::Open => self.state = SessionState::Ended { at, reason },
            SessionState::Ended { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn session() -> Session {
        Session {
            id: SessionId::from_parts(1, &[1; 10]),
            customer: CustomerId::from_parts(1, &[2; 10]),
            proof: Proof::Password,
            begun_at: NOW,
            seen_at: NOW,
            proved_at: NOW,
            device: "Firefox on Android".to_owned(),
            state: SessionState::Open,
        }
    }

    #[test]
    fn sessions_end_by_word_age_and_idleness() {
        let rules = SessionRules::CUSTOMER;
        let day = |n| NOW.plus(Duration::days(n));
        let used = |n| Session {
            seen_at: day(n),
            ..session()
        };
        let out = session()
            .end(EndReason::LoggedOut, NOW)
            .end(EndReason::AccountClosed, NOW);
        let cases = [
            (session(), NOW, Ok(())),
            (session(), day(29), Ok(())),
            (session(), day(30), Err(EndReason::Inactive)),
            (used(89), day(89), Ok(())),
            (used(89), day(90), Err(EndReason::TooOld)),
            (used(1), day(90), Err(EndReason::TooOld)),
            (out, day(99), Err(EndReason::LoggedOut)),
        ];
        for (index, (session, at, expected)) in cases.into_iter().enumerate() {
            assert_eq!(session.open(&rules, at), expected, "case {index}");
        }
    }

    #[test]
    fn risky_actions_need_a_fresh_proof() {
        let rules = SessionRules::CUSTOMER;
        let may = |at| session().may_do(RiskyAction::ChangePhone, &rules, at);
        assert_eq!(
            may(NOW.plus(Duration::seconds(599))),
            Ok(RiskyAction::ChangePhone)
        );
        assert_eq!(
            may(NOW.plus(Duration::minutes(10))),
            Err(SessionTransition::NotFresh)
        );
        let over = SessionTransition::Over(EndReason::Inactive);
        assert_eq!(may(NOW.plus(Duration::days(40))), Err(over));
    }

    #[test]
    fn use_is_written_down_now_and_then() {
        let rules = SessionRules::CUSTOMER;
        assert!(!session().touch_due(&rules, NOW.plus(Duration::minutes(4))));
        assert!(session().touch_due(&rules, NOW.plus(Duration::minutes(5))));
    }
}
