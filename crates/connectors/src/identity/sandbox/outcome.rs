//! What a person, or a test, can make of a check.

use simurgh_subscriber::IdentityRefusal;

/// How a check goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The person is who they say.
    Approve,
    /// They are not accepted.
    Refuse(IdentityRefusal),
    /// Somebody looks at it for a while, then it is approved.
    Delayed,
    /// Approved, and the notification comes three times.
    Duplicated,
    /// Approved; after the notification comes another one that says refused.
    Contradicted,
    /// Approved, and no notification comes. A query tells the truth.
    Unannounced,
    /// No notification comes and queries get no answer, until somebody decides otherwise.
    NoAnswer,
}

impl Outcome {
    /// Every outcome.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.into_iter().chain(
            IdentityRefusal::ALL
                .iter()
                .map(|refusal| Self::Refuse(*refusal)),
        )
    }

    const PLAIN: [Self; 6] = [
        Self::Approve,
        Self::Delayed,
        Self::Duplicated,
        Self::Contradicted,
        Self::Unannounced,
        Self::NoAnswer,
    ];

    /// The name it has in forms, in the API and in the journal. A refusal has its own code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse(refusal) => refusal.code(),
            Self::Delayed => "delayed",
            Self::Duplicated => "duplicated",
            Self::Contradicted => "contradicted",
            Self::Unannounced => "unannounced",
            Self::NoAnswer => "no-answer",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|outcome| outcome.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for outcome in Outcome::all() {
            assert_eq!(Outcome::from_code(outcome.code()), Some(outcome));
        }
        assert_eq!(Outcome::from_code("Approve"), None);
    }
}
