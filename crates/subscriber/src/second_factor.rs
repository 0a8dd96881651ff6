//! The second factor: codes of an authenticator app (TOTP), and recovery codes for a lost phone.
//!
//! Source: RFC 6238, with 6 digits, steps of 30 seconds and SHA-1, which every app knows.

use simurgh_vocab::Timestamp;

/// The length of a step in seconds (RFC 6238 §4.1).
pub const TOTP_STEP_SECONDS: u64 = 30;

/// The digits of a code.
pub const TOTP_DIGITS: u8 = 6;

/// How many recovery codes are made.
pub const RECOVERY_CODES: usize = 10;

/// The steps whose code is taken at `now`: this one and its neighbours, for phones whose clock is
/// off by up to 30 seconds (RFC 6238 §5.2).
#[must_use]
pub fn candidate_steps(now: Timestamp) -> [u64; 3] {
    let seconds = u64::try_from(now.as_unix_seconds()).unwrap_or(0);
    let step = seconds / TOTP_STEP_SECONDS;
    [step.saturating_sub(1), step, step.saturating_add(1)]
}

/// Where a customer's second factor stands. The secret is sealed: only the keyring opens it.
#[derive(Clone, PartialEq, Eq)]
pub enum SecondFactor {
    /// There is none.
    Off,
    /// A secret was shown; no code of it was typed yet, so it asks for nothing.
    Enrolling {
        /// The sealed secret.
        sealed_secret: Vec<u8>,
        /// When it was shown.
        since: Timestamp,
    },
    /// It is asked for.
    On {
        /// The sealed secret.
        sealed_secret: Vec<u8>,
        /// Since when.
        since: Timestamp,
        /// The step whose code was taken last: no code is taken twice (RFC 6238 §5.2).
        last_step: u64,
        /// The digests of the recovery codes that are left.
        recovery: Vec<[u8; 32]>,
    },
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a second factor is not taken or not changed. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorRefusal {
    /// It is on already.
    #[error("the second factor is on already")]
    AlreadyOn,
    /// It is off, or no secret was shown.
    #[error("there is no second factor")]
    NotOn,
    /// The code is of none of the candidate steps, or no recovery code.
    #[error("the code is wrong")]
    Wrong,
    /// The code is right, but it or a later one was taken before.
    #[error("this code was used already")]
    Replayed,
}

impl SecondFactor {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Enrolling { .. } => "enrolling",
            Self::On { .. } => "on",
        }
    }

    /// Whether it is asked for.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// The sealed secret, once there is one.
    #[must_use]
    pub fn sealed_secret(&self) -> Option<&[u8]> {
        match self {
            Self::Off => None,
            Self::Enrolling { sealed_secret, .. } | Self::On { sealed_secret, .. } => {
                Some(sealed_secret)
            }
        }
    }

    /// Shows a new secret; an earlier one that was never used is forgotten.
    ///
    /// # Errors
    /// [`SecondFactorRefusal::AlreadyOn`].
    pub fn enrol(
        self,
        sealed_secret: Vec<u8>,
        now: Timestamp,
    ) -> Result<Self, SecondFactorRefusal> {
        match self {
            Self::Off | Self::Enrolling { .. } => Ok(Self::Enrolling {
                sealed_secret,
                since: now,
            }),
            Self::On { .. } => Err(SecondFactorRefusal::AlreadyOn),
        }
    }

    /// Turns it on: a code of the shown secret was typed, of `matched` if it was right.
    ///
    /// # Errors
    /// [`SecondFactorRefusal::AlreadyOn`], [`SecondFactorRefusal::NotOn`] or
    /// [`SecondFactorRefusal::Wrong`].
    pub fn turn_on(
        self,
        matched: Option<u64>,
        recovery: Vec<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Self, SecondFactorRefusal> {
        match self {
            Self::Off => Err(SecondFactorRefusal::NotOn),
            Self::On { .. } => Err(SecondFactorRefusal::AlreadyOn),
            Self::Enrolling { sealed_secret, .. } => {
                let last_step = matched.ok_or(SecondFactorRefusal::Wrong)?;
                Ok(Self::On {
                    sealed_secret,
                    since: now,
                    last_step,
                    recovery,
                })
            }
        }
    }

    /// Takes a code of the app, of step `matched` if it is of one of the candidates.
    ///
    /// # Errors
    /// [`SecondFactorRefusal::NotOn`], [`SecondFactorRefusal::Wrong`] or
    /// [`SecondFactorRefusal::Replayed`].
    pub fn take_code(mut self, matched: Option<u64>) -> Result<Self, SecondFactorRefusal> {
        let Self::On { last_step, .. } = &mut self else {
            return Err(SecondFactorRefusal::NotOn);
        };
        let step = matched.ok_or(SecondFactorRefusal::Wrong)?;
        if step <= *last_step {
            return Err(SecondFactorRefusal::Replayed);
        }
        *last_step = step;
        Ok(self)
    }

    /// Takes a recovery code by its digest; it is gone afterwards.
    ///
    /// # Errors
    /// [`SecondFactorRefusal::NotOn`] or [`SecondFactorRefusal::Wrong`].
    pub fn take_recovery_code(mut self, digest: &[u8; 32]) -> Result<Self, SecondFactorRefusal> {
        let Self::On { recovery, .. } = &mut self else {
            return Err(SecondFactorRefusal::NotOn);
        };
        let position = recovery.iter().position(|left| left == digest);
        recovery.remove(position.ok_or(SecondFactorRefusal::Wrong)?);
        Ok(self)
    }

    /// Replaces the recovery codes.
    ///
    /// # Errors
    /// [`SecondFactorRefusal::NotOn`].
    pub fn renew_recovery_codes(mut self, new: Vec<[u8; 32]>) -> Result<Self, SecondFactorRefusal> {
        let Self::On { recovery, .. } = &mut self else {
            return Err(SecondFactorRefusal::NotOn);
        };
        *recovery = new;
        Ok(self)
    }

    /// How many recovery codes are left.
    #[must_use]
    pub fn recovery_codes_left(&self) -> usize {
        match self {
            Self::Off | Self::Enrolling { .. } => 0,
            Self::On { recovery, .. } => recovery.len(),
        }
    }
}

/// A recovery code: ten letters and digits (50 bits) that cannot be taken for one another.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl RecoveryCode {
    /// The letters and digits of a code.
    const LEN: usize = 10;

    /// The code for ten random bytes, of which five bits each are used.
    #[must_use]
    pub fn from_random(random: &[u8; Self::LEN]) -> Self {
        let letter = |byte: &u8| {
            ALPHABET
                .get(usize::from(byte & 31))
                .copied()
                .map(char::from)
        };
        Self(random.iter().filter_map(letter).collect())
    }

    /// Reads a code as somebody typed it: either case, with or without the hyphen, `O` for `0`,
    /// `I` and `L` for `1`. Nothing when it cannot be one.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let code: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = code.bytes().all(|byte| ALPHABET.contains(&byte));
        (known && code.len() == Self::LEN).then_some(Self(code))
    }

    /// The code as its digest is made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code as it is shown: `ABCDE-FGHJK`.
    #[must_use]
    pub fn shown(&self) -> String {
        let (head, tail) = self.0.split_at(Self::LEN / 2);
        format!("{head}-{tail}")
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn on(last_step: u64) -> SecondFactor {
        let off = SecondFactor::Off.enrol(vec![1], NOW).unwrap();
        off.turn_on(Some(last_step), vec![[1; 32], [2; 32]], NOW)
            .unwrap()
    }

    #[test]
    fn neighbouring_steps_are_candidates() {
        assert_eq!(
            candidate_steps(Timestamp::from_micros(59_000_000)),
            [0, 1, 2]
        );
        assert_eq!(candidate_steps(Timestamp::from_micros(0)), [0, 0, 1]);
    }

    #[test]
    fn rfc_6238_5_2_no_code_is_taken_twice() {
        use SecondFactorRefusal::{NotOn, Replayed, Wrong};
        let cases = [
            (on(10), Some(11), None),
            (on(10), Some(12), None),
            (on(10), Some(10), Some(Replayed)),
            (on(10), Some(9), Some(Replayed)),
            (on(10), None, Some(Wrong)),
            (SecondFactor::Off, Some(11), Some(NotOn)),
            (
                SecondFactor::Off.enrol(vec![1], NOW).unwrap(),
                Some(11),
                Some(NotOn),
            ),
        ];
        for (index, (factor, matched, refusal)) in cases.into_iter().enumerate() {
            assert_eq!(factor.take_code(matched).err(), refusal, "case {index}");
        }
        let used = on(10).take_code(Some(11)).unwrap();
        assert_eq!(used.take_code(Some(11)), Err(Replayed));
    }

    #[test]
    fn enrolment_ends_with_a_right_code() {
        use SecondFactorRefusal::{AlreadyOn, NotOn, Wrong};
        let enrolling = SecondFactor::Off.enrol(vec![1], NOW).unwrap();
        assert!(!enrolling.is_on());
        assert_eq!(enrolling.clone().turn_on(None, vec![], NOW), Err(Wrong));
        let again = enrolling.enrol(vec![2], NOW).unwrap();
        assert_eq!(again.sealed_secret(), Some(&[2][..]));
        assert_eq!(SecondFactor::Off.turn_on(Some(1), vec![], NOW), Err(NotOn));
        assert_eq!(on(1).enrol(vec![3], NOW), Err(AlreadyOn));
        assert_eq!(on(1).turn_on(Some(2), vec![], NOW), Err(AlreadyOn));
    }

    #[test]
    fn recovery_codes_are_good_once() {
        let used = on(1).take_recovery_code(&[2; 32]).unwrap();
        assert_eq!(used.recovery_codes_left(), 1);
        assert_eq!(
            used.take_recovery_code(&[2; 32]),
            Err(SecondFactorRefusal::Wrong)
        );
    }

    #[test]
    fn recovery_codes_are_read_as_typed() {
        let code = RecoveryCode::from_random(&[0, 1, 10, 20, 31, 32, 63, 255, 9, 18]);
        assert_eq!(code.shown(), "01AMZ-0ZZ9J");
        for typed in ["01AMZ-0ZZ9J", "o1amz ozz9j", "OLAMZ0ZZ9J"] {
            assert_eq!(RecoveryCode::typed(typed), Some(code.clone()), "{typed}");
        }
        for typed in ["", "01AMZ-0ZZ9", "01AMZ-0ZZ9U", "码码码码码码码码码码"] {
            assert_eq!(RecoveryCode::typed(typed), None, "{typed}");
        }
    }
}
