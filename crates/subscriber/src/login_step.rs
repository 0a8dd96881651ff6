//! A log-in or a recovery that is half done.

use simurgh_vocab::{ChallengeId, CustomerId, Duration, Timestamp};

use crate::code::coded;

coded! {
    /// How somebody proved who they are.
    pub enum Proof {
        /// By the password.
        Password = "password",
        /// By a one-time code sent to the phone.
        PhoneCode = "phone_code",
        /// By a one-time code sent to the mailbox.
        EmailCode = "email_code",
        /// By the password and the second factor.
        PasswordAndSecondFactor = "password_and_second_factor",
        /// By a one-time code and the second factor.
        CodeAndSecondFactor = "code_and_second_factor",
    }
}

impl Proof {
    /// The proof after the second factor was shown as well.
    #[must_use]
    pub const fn with_second_factor(self) -> Self {
        match self {
            Self::Password | Self::PasswordAndSecondFactor => Self::PasswordAndSecondFactor,
            Self::PhoneCode | Self::EmailCode | Self::CodeAndSecondFactor => {
                Self::CodeAndSecondFactor
            }
        }
    }
}

coded! {
    /// What is still missing.
    pub enum Stage {
        /// The second factor.
        SecondFactor = "second_factor",
        /// A new password, and the second factor if there is one: a recovery does not go around
        /// it (V6.4.3).
        NewPassword = "new_password",
    }
}

/// A log-in whose first proof was right. Its bearer holds a token of which the digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStep {
    /// Its id.
    pub id: ChallengeId,
    /// Who is logging in.
    pub customer: CustomerId,
    /// What is missing.
    pub stage: Stage,
    /// What was shown already.
    pub proof: Proof,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was finished: it is good once.
    pub finished_at: Option<Timestamp>,
}

/// Why a half-done log-in cannot go on. Checked in this order. The remedy is always to start over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepRefusal {
    /// It was finished before.
    #[error("this step was finished already")]
    Finished,
    /// It took too long.
    #[error("this step took too long")]
    Expired,
    /// It waits for something else.
    #[error("this step waits for something else")]
    OtherStage,
}

impl LoginStep {
    /// How long it may take.
    pub const LIFETIME: Duration = Duration::minutes(10);

    /// Finishes it, for what `stage` asks.
    ///
    /// # Errors
    /// See [`StepRefusal`] for the precedence.
    pub fn finish(mut self, stage: Stage, now: Timestamp) -> Result<Self, StepRefusal> {
        if self.finished_at.is_some() {
            return Err(StepRefusal::Finished);
        }
        if now > self.begun_at.plus(Self::LIFETIME) {
            return Err(StepRefusal::Expired);
        }
        if self.stage != stage {
            return Err(StepRefusal::OtherStage);
        }
        self.finished_at = Some(now);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_good_once_and_in_time() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let step = LoginStep {
            id: ChallengeId::from_parts(1, &[1; 10]),
            customer: CustomerId::from_parts(1, &[2; 10]),
            stage: Stage::SecondFactor,
            proof: Proof::Password,
            begun_at: now,
            finished_at: None,
        };
        let late = now.plus(LoginStep::LIFETIME).plus(Duration::seconds(1));
        let finish = |stage, at| step.clone().finish(stage, at).map(|step| step.finished_at);
        assert_eq!(finish(Stage::SecondFactor, now), Ok(Some(now)));
        assert_eq!(finish(Stage::SecondFactor, late), Err(StepRefusal::Expired));
        assert_eq!(
            finish(Stage::NewPassword, now),
            Err(StepRefusal::OtherStage)
        );
        let done = step.clone().finish(Stage::SecondFactor, now).unwrap();
        assert_eq!(
            done.finish(Stage::SecondFactor, late),
            Err(StepRefusal::Finished)
        );
    }
}
