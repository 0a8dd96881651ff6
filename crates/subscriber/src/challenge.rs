//! One-time codes.

use simurgh_vocab::{ChallengeId, CustomerId, Duration, Timestamp};

use crate::Contact;
use crate::code::coded;

coded! {
    /// What a one-time code is good for. A code for one purpose is never good for another.
    pub enum Purpose {
        /// To confirm the number of a new account.
        ConfirmPhone = "confirm_phone",
        /// To confirm the mailbox on an account.
        ConfirmEmail = "confirm_email",
        /// To log in.
        LogIn = "log_in",
        /// To choose a new password without the old one.
        RecoverPassword = "recover_password",
        /// To do something risky while logged in.
        ReAuthenticate = "re_authenticate",
        /// To make another number the account's.
        ChangePhone = "change_phone",
        /// To make another mailbox the account's.
        ChangeEmail = "change_email",
    }
}

/// A code that was sent, or (without a customer) one that only seems to have been, so that nobody
/// learns which numbers have an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its id: the code is bound to it, and it to the browser that asked (V6.6.2).
    pub id: ChallengeId,
    /// What it is good for.
    pub purpose: Purpose,
    /// Where the code went.
    pub to: Contact,
    /// Whose code it is; nobody can answer one without.
    pub customer: Option<CustomerId>,
    /// The keyed digest of the code; the code itself is not kept (V6.5.2).
    pub code_digest: [u8; 32],
    /// When it was made.
    pub issued_at: Timestamp,
    /// Wrong answers so far.
    pub tries: u32,
    /// Where it stands.
    pub state: ChallengeState,
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("tries", &self.tries)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Where a challenge stands. That its time is over is no state: the clock tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeState {
    /// It can be answered.
    Live,
    /// It was answered; a code is good once (V6.5.1).
    Consumed {
        /// When.
        at: Timestamp,
    },
    /// A newer one for the same purpose and address took its place.
    Replaced {
        /// When.
        at: Timestamp,
    },
}

impl ChallengeState {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Consumed { .. } => "consumed",
            Self::Replaced { .. } => "replaced",
        }
    }

    /// When it ended.
    #[must_use]
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Live => None,
            Self::Consumed { at } | Self::Replaced { at } => Some(at),
        }
    }

    /// Reads what [`code`](Self::code) and [`at`](Self::at) gave.
    #[must_use]
    pub fn from_stored(code: &str, at: Option<Timestamp>) -> Option<Self> {
        match (code, at) {
            ("live", None) => Some(Self::Live),
            ("consumed", Some(at)) => Some(Self::Consumed { at }),
            ("replaced", Some(at)) => Some(Self::Replaced { at }),
            _ => None,
        }
    }
}

coded! {
    /// Why no answer is taken, whatever it says. Checked in this order.
    pub enum AnswerRefusal {
        /// It was answered before.
        Consumed = "consumed",
        /// A newer code was sent.
        Replaced = "replaced",
        /// Too many wrong answers.
        NoTriesLeft = "no_tries_left",
        /// Its time is over.
        Expired = "expired",
    }
}

/// What came of an answer. The challenge must be stored again after `Right` and `Wrong`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The code is right, and used up.
    Right {
        /// The challenge after it.
        challenge: Challenge,
        /// Whose code it was.
        customer: CustomerId,
    },
    /// The code is wrong.
    Wrong {
        /// The challenge after it.
        challenge: Challenge,
        /// How many answers are left.
        tries_left: u32,
    },
    /// No answer is taken.
    Refused(AnswerRefusal),
}

impl Challenge {
    /// How long a code can be answered (V6.5.5).
    pub const LIFETIME: Duration = Duration::minutes(5);
    /// How many wrong answers end it (V6.6.3).
    pub const TRIES_MAX: u32 = 5;
    /// How many digits a code has: 20 bits (V6.5.4).
    pub const CODE_DIGITS: u32 = 6;

    /// The last moment at which it can be answered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.issued_at.plus(Self::LIFETIME)
    }

    /// The code for a random number. The remainder favours low codes by less than one in 10^13.
    #[must_use]
    pub fn code_from(random: u64) -> String {
        let digits = Self::CODE_DIGITS;
        let code = random % 10u64.pow(digits);
        format!(
            "{code:0width$}",
            width = usize::try_from(digits).unwrap_or(0)
        )
    }

    /// Whether it can be answered at `now`.
    ///
    /// # Errors
    /// See [`AnswerRefusal`] for the precedence.
    pub fn live(&self, now: Timestamp) -> Result<(), AnswerRefusal> {
        match self.state {
            ChallengeState::Consumed { .. } => Err(AnswerRefusal::Consumed),
            ChallengeState::Replaced { .. } => Err(AnswerRefusal::Replaced),
            ChallengeState::Live if self.tries >= Self::TRIES_MAX => {
                Err(AnswerRefusal::NoTriesLeft)
            }
            ChallengeState::Live if now > self.expires_at() => Err(AnswerRefusal::Expired),
            ChallengeState::Live => Ok(()),
        }
    }

    /// Takes the digest of a typed code.
    #[must_use]
    pub fn answer(mut self, digest: &[u8; 32], now: Timestamp) -> Answered {
        if let Err(refusal) = self.live(now) {
            return Answered::Refused(refusal);
        }
        match self.customer {
            Some(customer) if same_digest(&self.code_digest, digest) => {
                self.state = ChallengeState::Consumed { at: now };
                Answered::Right {
                    challenge: self,
                    customer,
                }
            }
            Some(_) | None => {
                self.tries = self.tries.saturating_add(1);
                let tries_left = Self::TRIES_MAX.saturating_sub(self.tries);
                Answered::Wrong {
                    challenge: self,
                    tries_left,
                }
            }
        }
    }

    /// A newer code takes this one's place: there is one live code per purpose and address.
    #[must_use]
    pub fn replaced(mut self, at: Timestamp) -> Self {
        match self.state {
            ChallengeState::Live => self.state = ChallengeState::Replaced { at },
            ChallengeState::Consumed { .. } | ChallengeState::Replaced { .. } => {}
        }
        self
    }
}

/// Compares without stopping at the first difference.
fn same_digest(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.iter()
        .zip(right)
        .fold(0, |differing, (a, b)| differing | (a ^ b))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
    const RIGHT: [u8; 32] = [7; 32];
    const WRONG: [u8; 32] = [8; 32];

    fn challenge() -> Challenge {
        Challenge {
            id: ChallengeId::from_parts(1, &[1; 10]),
            purpose: Purpose::LogIn,
            to: Contact::Phone("+8613800138000".parse().unwrap()),
            customer: Some(CustomerId::from_parts(1, &[2; 10])),
            code_digest: RIGHT,
            issued_at: NOW,
            tries: 0,
            state: ChallengeState::Live,
        }
    }

    #[test]
    fn a_code_is_good_once_in_time_and_for_five_tries() {
        let last = NOW.plus(Challenge::LIFETIME);
        let late = last.plus(Duration::seconds(1));
        let used = Challenge {
            state: ChallengeState::Consumed { at: NOW },
            ..challenge()
        };
        let worn = Challenge {
            tries: 5,
            ..challenge()
        };
        let cases = [
            (challenge(), RIGHT, NOW, "right"),
            (challenge(), RIGHT, last, "right"),
            (challenge(), WRONG, NOW, "wrong, 4 left"),
            (
                Challenge {
                    tries: 4,
                    ..challenge()
                },
                RIGHT,
                NOW,
                "right",
            ),
            (
                Challenge {
                    tries: 4,
                    ..challenge()
                },
                WRONG,
                NOW,
                "wrong, 0 left",
            ),
            (
                Challenge {
                    customer: None,
                    ..challenge()
                },
                RIGHT,
                NOW,
                "wrong, 4 left",
            ),
            (challenge(), RIGHT, late, "expired"),
            (worn.clone(), RIGHT, NOW, "no_tries_left"),
            (worn, RIGHT, late, "no_tries_left"),
            (challenge().replaced(NOW), RIGHT, late, "replaced"),
            (used.clone(), RIGHT, late, "consumed"),
            (used.replaced(NOW), RIGHT, NOW, "consumed"),
        ];
        for (index, (challenge, digest, at, expected)) in cases.into_iter().enumerate() {
            let answered = match challenge.answer(&digest, at) {
                Answered::Right { challenge, .. } => {
                    assert_eq!(challenge.state, ChallengeState::Consumed { at });
                    "right".to_owned()
                }
                Answered::Wrong { tries_left, .. } => format!("wrong, {tries_left} left"),
                Answered::Refused(refusal) => refusal.code().to_owned(),
            };
            assert_eq!(answered, expected, "case {index}");
        }
    }

    #[test]
    fn codes_have_six_digits() {
        assert_eq!(Challenge::code_from(7), "000007");
        assert_eq!(Challenge::code_from(u64::MAX), "551615");
    }

    #[test]
    fn states_read_back() {
        let at = NOW;
        for state in [
            ChallengeState::Live,
            ChallengeState::Consumed { at },
            ChallengeState::Replaced { at },
        ] {
            let read = ChallengeState::from_stored(state.code(), state.at());
            assert_eq!(read, Some(state));
        }
        assert_eq!(ChallengeState::from_stored("live", Some(at)), None);
    }
}
