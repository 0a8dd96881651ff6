//! Identity checks, where a country asks for one before a plan is activated.

use simurgh_vocab::{CaseId, CustomerId, Duration, StaffId, Timestamp};

use crate::Limit;
use crate::code::coded;

coded! {
    /// Why an identity was not accepted. The customer is told, and may try again.
    pub enum IdentityRefusal {
        /// The document cannot be read.
        Unreadable = "unreadable",
        /// The document is no longer valid.
        DocumentExpired = "document_expired",
        /// This kind of document is not accepted.
        DocumentNotAccepted = "document_not_accepted",
        /// The name or the face is not the one on the document.
        Mismatch = "mismatch",
        /// The person is too young.
        TooYoung = "too_young",
        /// The person has as many numbers as one may have.
        TooManyNumbers = "too_many_numbers",
        /// The document looks false.
        NotGenuine = "not_genuine",
        /// The check was called off before its end.
        Abandoned = "abandoned",
    }
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reviewer {
    /// An outside check.
    Outside,
    /// A member of staff.
    Staff(StaffId),
}

/// Where a check stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityState {
    /// The customer has yet to show who they are.
    Wanted {
        /// Since when.
        since: Timestamp,
    },
    /// It is being looked at.
    InReview {
        /// Since when.
        since: Timestamp,
        /// The outside check's reference, if it looks at it; else staff does.
        reference: Option<String>,
    },
    /// They are who they say.
    Approved {
        /// When it was decided.
        at: Timestamp,
        /// By whom.
        by: Reviewer,
    },
    /// Not accepted; they may try again.
    Refused {
        /// When it was decided.
        at: Timestamp,
        /// By whom.
        by: Reviewer,
        /// Why.
        reason: IdentityRefusal,
    },
}

impl IdentityState {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wanted { .. } => "wanted",
            Self::InReview { .. } => "in_review",
            Self::Approved { .. } => "approved",
            Self::Refused { .. } => "refused",
        }
    }

    /// When it was reached.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Wanted { since } | Self::InReview { since, .. } => *since,
            Self::Approved { at, .. } | Self::Refused { at, .. } => *at,
        }
    }
}

/// A check of one customer under one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityCase {
    /// Its id.
    pub id: CaseId,
    /// Who is checked.
    pub customer: CustomerId,
    /// The code of the rule that asks for it: the zone of the plan.
    pub rule: String,
    /// Where it stands.
    pub state: IdentityState,
    /// What its customer was about to do when it was asked for, as the path of a page, so that
    /// they go on from there. It holds no personal data.
    pub back_to: Option<String>,
}

/// How long documents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// After a decision.
    pub after_decision: Duration,
    /// While none is made.
    pub undecided: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            after_decision: Duration::days(30),
            undecided: Duration::days(90),
        }
    }
}

/// A change a check refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityTransition {
    /// It is approved: nothing more is needed.
    #[error("the identity is approved already")]
    AlreadyApproved,
    /// It is being looked at.
    #[error("the identity is in review already")]
    AlreadyInReview,
    /// Nothing was handed in yet.
    #[error("nothing was handed in")]
    NotInReview,
    /// Somebody else looks at it: an outside check whose reference is another, or staff.
    #[error("the result belongs to another review")]
    OtherReview,
}

/// Whether a customer may activate a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// No rule asks for a check.
    NotNeeded,
    /// A check is passed.
    Met,
    /// A check must be passed first.
    Missing,
}

impl Requirement {
    /// Whether a plan may be activated.
    #[must_use]
    pub const fn allows_activation(self) -> bool {
        match self {
            Self::NotNeeded | Self::Met => true,
            Self::Missing => false,
        }
    }
}

/// What a rule, if any, asks of a customer with this check, if any.
#[must_use]
pub fn requirement(rule: Option<&str>, case: Option<&IdentityCase>) -> Requirement {
    match (rule, case.map(|case| &case.state)) {
        (None, _) => Requirement::NotNeeded,
        (Some(_), Some(IdentityState::Approved { .. })) => Requirement::Met,
        (
            Some(_),
            None
            | Some(
                IdentityState::Wanted { .. }
                | IdentityState::InReview { .. }
                | IdentityState::Refused { .. },
            ),
        ) => Requirement::Missing,
    }
}

impl IdentityCase {
    /// The most documents of one check.
    pub const DOCUMENTS_MAX: usize = 4;
    /// How often a customer hands something in before no outside check begins any more. Each
    /// costs the operator money and shows a person's papers to others; five are enough for
    /// whoever is interrupted, or mends what was refused. Documents for staff can be handed in
    /// all the same.
    pub const OUTSIDE_LIMIT: Limit = Limit::new(5, Duration::days(1));
    /// The most octets of one document: a photograph by a phone.
    pub const DOCUMENT_OCTETS_MAX: usize = 8 * 1024 * 1024;

    /// A check that is asked for.
    #[must_use]
    pub const fn wanted(id: CaseId, customer: CustomerId, rule: String, now: Timestamp) -> Self {
        Self {
            id,
            customer,
            rule,
            state: IdentityState::Wanted { since: now },
            back_to: None,
        }
    }

    /// Something is handed in: documents for staff (no `reference`), or the person to an outside
    /// check. Documents may also take the place of an outside check that was left half done or
    /// never answers.
    ///
    /// # Errors
    /// [`IdentityTransition::AlreadyApproved`] or [`IdentityTransition::AlreadyInReview`].
    pub fn submit(
        mut self,
        reference: Option<String>,
        now: Timestamp,
    ) -> Result<Self, IdentityTransition> {
        match self.state {
            IdentityState::Approved { .. } => Err(IdentityTransition::AlreadyApproved),
            IdentityState::InReview {
                reference: None, ..
            } => Err(IdentityTransition::AlreadyInReview),
            IdentityState::InReview { .. } if reference.is_some() => {
                Err(IdentityTransition::AlreadyInReview)
            }
            IdentityState::InReview { .. }
            | IdentityState::Wanted { .. }
            | IdentityState::Refused { .. } => {
                self.state = IdentityState::InReview {
                    since: now,
                    reference,
                };
                Ok(self)
            }
        }
    }

    /// A person goes through an outside check once more, which has not decided yet: they left it
    /// half done. What the earlier review says no longer counts.
    ///
    /// # Errors
    /// [`IdentityTransition::AlreadyApproved`], [`IdentityTransition::NotInReview`], or
    /// [`IdentityTransition::OtherReview`] when staff looks at it.
    pub fn restart(
        mut self,
        reference: String,
        now: Timestamp,
    ) -> Result<Self, IdentityTransition> {
        match self.state {
            IdentityState::InReview {
                reference: Some(_), ..
            } => {
                self.state = IdentityState::InReview {
                    since: now,
                    reference: Some(reference),
                };
                Ok(self)
            }
            IdentityState::InReview {
                reference: None, ..
            } => Err(IdentityTransition::OtherReview),
            IdentityState::Approved { .. } => Err(IdentityTransition::AlreadyApproved),
            IdentityState::Wanted { .. } | IdentityState::Refused { .. } => {
                Err(IdentityTransition::NotInReview)
            }
        }
    }

    /// The outside check with `reference` has decided.
    ///
    /// # Errors
    /// [`IdentityTransition::AlreadyApproved`], [`IdentityTransition::NotInReview`] or
    /// [`IdentityTransition::OtherReview`].
    pub fn decide_outside(
        self,
        reference: &str,
        verdict: Result<(), IdentityRefusal>,
        now: Timestamp,
    ) -> Result<Self, IdentityTransition> {
        match &self.state {
            IdentityState::InReview {
                reference: Some(own),
                ..
            } if own == reference => Ok(self.decided(Reviewer::Outside, verdict, now)),
            IdentityState::InReview { .. } => Err(IdentityTransition::OtherReview),
            IdentityState::Approved { .. } => Err(IdentityTransition::AlreadyApproved),
            IdentityState::Wanted { .. } | IdentityState::Refused { .. } => {
                Err(IdentityTransition::NotInReview)
            }
        }
    }

    /// Staff has decided. They may also end an outside check that never answers.
    ///
    /// # Errors
    /// [`IdentityTransition::AlreadyApproved`] or [`IdentityTransition::NotInReview`].
    pub fn decide_staff(
        self,
        staff: StaffId,
        verdict: Result<(), IdentityRefusal>,
        now: Timestamp,
    ) -> Result<Self, IdentityTransition> {
        match self.state {
            IdentityState::InReview { .. } => {
                Ok(self.decided(Reviewer::Staff(staff), verdict, now))
            }
            IdentityState::Approved { .. } => Err(IdentityTransition::AlreadyApproved),
            IdentityState::Wanted { .. } | IdentityState::Refused { .. } => {
                Err(IdentityTransition::NotInReview)
            }
        }
    }

    /// When its documents, if it has any, must be gone.
    #[must_use]
    pub const fn documents_until(&self, retention: &Retention) -> Timestamp {
        match self.state {
            IdentityState::Wanted { since } | IdentityState::InReview { since, .. } => {
                since.plus(retention.undecided)
            }
            IdentityState::Approved { at, .. } | IdentityState::Refused { at, .. } => {
                at.plus(retention.after_decision)
            }
        }
    }

    fn decided(
        mut self,
        by: Reviewer,
        verdict: Result<(), IdentityRefusal>,
        at: Timestamp,
    ) -> Self {
        self.state = match verdict {
            Ok(()) => IdentityState::Approved { at, by },
            Err(reason) => IdentityState::Refused { at, by, reason },
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn wanted() -> IdentityCase {
        let (id, customer) = (
            CaseId::from_parts(1, &[1; 10]),
            CustomerId::from_parts(1, &[2; 10]),
        );
        IdentityCase::wanted(id, customer, "mainland".to_owned(), NOW)
    }

    fn outside(reference: &str) -> IdentityCase {
        wanted().submit(Some(reference.to_owned()), NOW).unwrap()
    }

    #[test]
    fn only_an_approved_check_meets_a_rule() {
        let staff = StaffId::from_parts(1, &[3; 10]);
        let approved = outside("r1").decide_outside("r1", Ok(()), NOW).unwrap();
        let refused = wanted().submit(None, NOW).unwrap();
        let refused = refused
            .decide_staff(staff, Err(IdentityRefusal::Mismatch), NOW)
            .unwrap();
        let cases = [
            (None, None, Requirement::NotNeeded),
            (None, Some(wanted()), Requirement::NotNeeded),
            (Some("mainland"), None, Requirement::Missing),
            (Some("mainland"), Some(wanted()), Requirement::Missing),
            (Some("mainland"), Some(outside("r1")), Requirement::Missing),
            (Some("mainland"), Some(refused), Requirement::Missing),
            (Some("mainland"), Some(approved), Requirement::Met),
        ];
        for (index, (rule, case, expected)) in cases.into_iter().enumerate() {
            assert_eq!(requirement(rule, case.as_ref()), expected, "case {index}");
        }
    }

    #[test]
    fn a_result_counts_for_its_own_review_only() {
        use IdentityTransition::{AlreadyApproved, AlreadyInReview, NotInReview, OtherReview};
        let staff = StaffId::from_parts(1, &[3; 10]);
        let approved = outside("r1").decide_outside("r1", Ok(()), NOW).unwrap();
        assert_eq!(wanted().decide_outside("r1", Ok(()), NOW), Err(NotInReview));
        assert_eq!(wanted().decide_staff(staff, Ok(()), NOW), Err(NotInReview));
        assert_eq!(
            outside("r1").decide_outside("r2", Ok(()), NOW),
            Err(OtherReview)
        );
        let by_staff = wanted().submit(None, NOW).unwrap();
        assert_eq!(
            by_staff.clone().decide_outside("", Ok(()), NOW),
            Err(OtherReview)
        );
        assert_eq!(by_staff.submit(None, NOW), Err(AlreadyInReview));
        assert_eq!(approved.clone().submit(None, NOW), Err(AlreadyApproved));
        let late = Err(IdentityRefusal::NotGenuine);
        assert_eq!(
            approved.decide_outside("r1", late, NOW),
            Err(AlreadyApproved)
        );
        let again = outside("r1").restart("r2".to_owned(), NOW).unwrap();
        assert_eq!(
            again.clone().decide_outside("r1", Ok(()), NOW),
            Err(OtherReview)
        );
        assert!(again.decide_outside("r2", Ok(()), NOW).is_ok());
        let instead = outside("r1").submit(None, NOW).unwrap();
        assert_eq!(
            instead.decide_outside("r1", Ok(()), NOW),
            Err(OtherReview),
            "staff looks at documents instead"
        );
        let second = outside("r1").submit(Some("r2".to_owned()), NOW);
        assert_eq!(second, Err(AlreadyInReview));
        assert_eq!(wanted().restart("r1".to_owned(), NOW), Err(NotInReview));
        let refused = outside("r1").decide_outside("r1", Err(IdentityRefusal::TooYoung), NOW);
        assert!(refused.unwrap().submit(Some("r2".to_owned()), NOW).is_ok());
    }

    #[test]
    fn documents_go_in_time() {
        let retention = Retention::default();
        let day = |n| NOW.plus(Duration::days(n));
        assert_eq!(wanted().documents_until(&retention), day(90));
        let approved = outside("r1").decide_outside("r1", Ok(()), day(3)).unwrap();
        assert_eq!(approved.documents_until(&retention), day(33));
    }
}
