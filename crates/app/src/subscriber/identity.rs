//! Identity checks: what a plan asks for, an outside check by redirect, its word.

use std::sync::Arc;

use simurgh_commerce::LocalText;
use simurgh_subscriber::{
    IdentityCase, IdentityRefusal, IdentityState, IdentityTransition, Requirement, Retention,
    requirement,
};
use simurgh_vocab::{CaseId, CustomerId, Duration, Locale, Timestamp, ZoneCode};

use crate::message::{Notice, Template};
use crate::ports::{
    AccountEventKind, Contact, IdentityChecker, IdentityReport, IdentityStart, Notification,
    NotificationRefusal, StoreExt, Task, Tx,
};
use crate::subscriber::refusals;
use crate::{App, Fault};

/// How soon an outside check is asked whether it has decided, if it has not said so by itself.
const ASK_AFTER: Duration = Duration::seconds(10);
/// How long it is asked. After that only its own word, the customer or staff end the review.
const ASK_FOR: Duration = Duration::days(30);

/// How checks are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityTerms {
    /// Whether there is an outside check; staff looks at documents in any case.
    pub has_outside_check: bool,
    /// How long documents are kept.
    pub retention: Retention,
}

/// A rule, and where a customer stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityOverview {
    /// The zone whose plans ask for a check.
    pub zone: ZoneCode,
    /// Why, for the customer.
    pub reason: LocalText,
    /// Their check, if they began one.
    pub case: Option<IdentityCase>,
    /// When the documents they handed in are deleted; none if there are none (any more).
    pub documents_until: Option<Timestamp>,
}

/// What a person wants to be checked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityWish {
    /// The zone whose plans ask for it.
    pub zone: ZoneCode,
    /// What they were about to do, as the path of a page without personal data; none if they
    /// come by themselves, which leaves what is known.
    pub back_to: Option<String>,
}

/// Why no check begins. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityStartRefusal {
    /// The account is not in use, or no rule of this name asks for a check.
    #[error("no identity check is asked for")]
    NotNeeded,
    /// There is no outside check: staff looks at documents.
    #[error("there is no outside identity check")]
    NoOutsideCheck,
    /// The check stands elsewhere: approved, or in review by staff.
    #[error(transparent)]
    Case(#[from] IdentityTransition),
    /// It was begun as often as [`IdentityCase::OUTSIDE_LIMIT`] says.
    #[error("the check was begun too often; it can be begun again at {retry_at}")]
    TooOften {
        /// When it can be begun again.
        retry_at: Timestamp,
    },
    /// The outside check does not answer; a moment later it may.
    #[error("the identity check cannot be reached")]
    Unreachable,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a notification is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityNotifyRefusal {
    /// No outside check of this name is configured.
    #[error("no such identity check")]
    NoSuchChecker,
    /// It is not believed.
    #[error(transparent)]
    Notification(#[from] NotificationRefusal),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(IdentityStartRefusal, IdentityNotifyRefusal);

impl App {
    /// How checks are made here, for the customer to know beforehand.
    #[must_use]
    pub fn identity_terms(&self) -> IdentityTerms {
        IdentityTerms {
            has_outside_check: self.rules().identity_checker.is_some(),
            retention: self.rules().retention,
        }
    }

    /// What the plans of a zone ask of a customer, or of a visitor, before they are activated.
    /// Shown before payment.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn identity_requirement(
        &self,
        customer: Option<CustomerId>,
        zone: ZoneCode,
    ) -> Result<Requirement, Fault> {
        let app = self.clone();
        self.store
            .snapshot(move |tx| app.identity_requirement_in(tx, customer, &zone))
            .await
    }

    /// As [`identity_requirement`](Self::identity_requirement), inside a transaction.
    pub(crate) fn identity_requirement_in(
        &self,
        tx: &mut dyn Tx,
        customer: Option<CustomerId>,
        zone: &ZoneCode,
    ) -> Result<Requirement, Fault> {
        let catalogue = self.current_catalogue(tx)?;
        let rule = catalogue.identity_rule(zone).map(|rule| rule.zone.as_str());
        let case = match (rule, customer) {
            (Some(rule), Some(customer)) => own_case(tx, customer, rule)?,
            (Some(_), None) | (None, _) => None,
        };
        Ok(requirement(rule, case.as_ref()))
    }

    /// Every rule, and where a customer stands with it.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn identity_overview(
        &self,
        customer: CustomerId,
    ) -> Result<Vec<IdentityOverview>, Fault> {
        let app = self.clone();
        self.store
            .snapshot(move |tx| -> Result<Vec<IdentityOverview>, Fault> {
                let catalogue = app.current_catalogue(tx)?;
                let cases = tx.cases_of(customer)?;
                let mut overview = Vec::new();
                for rule in &catalogue.identity_rules {
                    let own = cases.iter().find(|case| case.rule == rule.zone.as_str());
                    overview.push(IdentityOverview {
                        zone: rule.zone.clone(),
                        reason: rule.reason.clone(),
                        documents_until: match own {
                            Some(case) => app.documents_until(tx, case)?,
                            None => None,
                        },
                        case: own.cloned(),
                    });
                }
                Ok(overview)
            })
            .await
    }

    /// Begins an outside check, or goes on with one that was left half done; gives the address of
    /// its page for the person.
    ///
    /// # Errors
    /// [`IdentityStartRefusal`].
    pub async fn start_identity_check(
        &self,
        customer: CustomerId,
        wish: IdentityWish,
    ) -> Result<String, IdentityStartRefusal> {
        let case = self.wanted_case(customer, &wish).await?;
        let checker = self.rules().identity_checker.clone();
        let checker = checker.ok_or(IdentityStartRefusal::NoOutsideCheck)?;
        // What is decided by now counts: a new attempt would make the earlier one void.
        self.ask_identity(case.id).await?;
        let case = self.wanted_case(customer, &wish).await?;
        self.redirect(checker, case).await
    }

    async fn redirect(
        &self,
        checker: Arc<dyn IdentityChecker>,
        case: IdentityCase,
    ) -> Result<String, IdentityStartRefusal> {
        let now = self.now();
        // Asks only whether it may be submitted; the reference is not known yet.
        let _ = submitted(case.clone(), String::new(), now)?;
        let locale = self.may_begin(case.customer, now).await?;
        let started = checker
            .start(IdentityStart {
                case: case.id,
                attempt_at: case.state.since(),
                rule: case.rule.clone(),
                return_url: self.portal_page(&format!("/identity/{}", case.rule)),
                locale,
            })
            .await
            .map_err(|fault| {
                tracing::warn!(case = %case.id, %fault, "an identity check cannot be started");
                IdentityStartRefusal::Unreachable
            })?;
        let app = self.clone();
        self.decide(move |tx| -> Result<(), IdentityStartRefusal> {
            let stored = tx.case(case.id)?.ok_or(IdentityStartRefusal::NotNeeded)?;
            let stored = submitted(stored, started.reference.clone(), now)?;
            tx.put_case(&stored)?;
            // Staff looks at them no more, so nothing is kept.
            tx.delete_documents_of_case(stored.id)?;
            let key = format!("ask-identity:{}:{}", stored.id, started.reference);
            let task = Task::AskIdentity(stored.id);
            app.enqueue(tx, task, key, now.plus(ASK_AFTER))?;
            let kind = AccountEventKind::IdentitySubmitted;
            Ok(app.note(tx, stored.customer, kind, now)?)
        })
        .await?;
        Ok(started.redirect_url)
    }

    /// The language to begin an outside check in, if one may begin now.
    async fn may_begin(
        &self,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<Locale, IdentityStartRefusal> {
        let limit = IdentityCase::OUTSIDE_LIMIT;
        let kind = AccountEventKind::IdentitySubmitted;
        self.store
            .snapshot(move |tx| {
                let person = tx.active_person(customer)?;
                let person = person.ok_or(IdentityStartRefusal::NotNeeded)?;
                let submitted = tx.events_of_kind(customer, kind, limit.count)?;
                match limit.retry_at(&submitted, now) {
                    Some(retry_at) => Err(IdentityStartRefusal::TooOften { retry_at }),
                    None => Ok(person.locale),
                }
            })
            .await
    }

    /// The customer's check for a zone, made if there is none.
    pub(super) async fn wanted_case(
        &self,
        customer: CustomerId,
        wish: &IdentityWish,
    ) -> Result<IdentityCase, IdentityStartRefusal> {
        let (app, wish) = (self.clone(), wish.clone());
        let now = self.now();
        self.decide(move |tx| app.wanted_case_in(tx, customer, &wish, now))
            .await
    }

    fn wanted_case_in(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        wish: &IdentityWish,
        now: Timestamp,
    ) -> Result<IdentityCase, IdentityStartRefusal> {
        let catalogue = self.current_catalogue(tx)?;
        let rule = catalogue.identity_rule(&wish.zone);
        let rule = rule.ok_or(IdentityStartRefusal::NotNeeded)?.zone.as_str();
        if tx.active_person(customer)?.is_none() {
            return Err(IdentityStartRefusal::NotNeeded);
        }
        let known = tx.case_of(customer, rule)?;
        let is_known = known.is_some();
        let mut case = known.unwrap_or_else(|| {
            let id = self.make(CaseId::from_parts, now);
            IdentityCase::wanted(id, customer, rule.to_owned(), now)
        });
        let moved = wish.back_to.is_some() && wish.back_to != case.back_to;
        if moved {
            case.back_to.clone_from(&wish.back_to);
        }
        if moved || !is_known {
            tx.put_case(&case)?;
        }
        Ok(case)
    }

    /// When the documents of a check are deleted, if it has any.
    fn documents_until(
        &self,
        tx: &mut dyn Tx,
        case: &IdentityCase,
    ) -> Result<Option<Timestamp>, Fault> {
        let has_some = !tx.documents_of_case(case.id)?.is_empty();
        Ok(has_some.then(|| case.documents_until(&self.rules().retention)))
    }

    /// Takes a notification of the outside check. One that is repeated or belongs to a review
    /// that no longer counts changes nothing.
    ///
    /// # Errors
    /// [`IdentityNotifyRefusal`].
    pub async fn notify_identity(
        &self,
        checker: &str,
        notification: Notification<'_>,
    ) -> Result<(), IdentityNotifyRefusal> {
        let known = self.rules().identity_checker.as_ref();
        let known = known.filter(|known| known.code() == checker);
        let known = known.ok_or(IdentityNotifyRefusal::NoSuchChecker)?;
        let report = known.verify(notification)?;
        Ok(self.believe_identity(report).await?)
    }

    /// Asks the outside check about a review that is not decided. False if it is to be asked again
    /// later. That it does not answer changes nothing.
    pub(crate) async fn ask_identity(&self, id: CaseId) -> Result<bool, Fault> {
        let Some(checker) = self.rules().identity_checker.clone() else {
            return Ok(true);
        };
        let case = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.case(id)?) })
            .await?;
        let Some(IdentityState::InReview {
            since,
            reference: Some(reference),
        }) = case.map(|case| case.state)
        else {
            return Ok(true);
        };
        match checker.status(reference).await {
            Ok(report) if report.verdict.is_some() => {
                self.believe_identity(report).await?;
                return Ok(true);
            }
            Ok(_) => {}
            Err(fault) => tracing::warn!(case = %id, %fault, "an identity check does not answer"),
        }
        Ok(since.plus(ASK_FOR) <= self.now())
    }

    async fn believe_identity(&self, report: IdentityReport) -> Result<(), Fault> {
        let Some(verdict) = report.verdict else {
            return Ok(());
        };
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                let Some(case) = tx.case_with_reference(&report.reference)? else {
                    return Ok(());
                };
                match case.decide_outside(&report.reference, verdict, now) {
                    Ok(decided) => app.identity_decided(tx, &decided, now),
                    Err(refusal) => {
                        tracing::info!(%refusal, "an identity report changes nothing");
                        Ok(())
                    }
                }
            })
            .await?;
        self.wake_runner();
        Ok(())
    }

    /// Stores a decision and does what follows: the customer is told, their lines look again, the
    /// documents get their last day.
    pub(super) fn identity_decided(
        &self,
        tx: &mut dyn Tx,
        case: &IdentityCase,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (kind, outcome) = match &case.state {
            IdentityState::Approved { .. } => (AccountEventKind::IdentityApproved, "approved"),
            IdentityState::Refused { reason, .. } => (
                AccountEventKind::IdentityRefused,
                IdentityRefusal::code(*reason),
            ),
            IdentityState::Wanted { .. } | IdentityState::InReview { .. } => return Ok(()),
        };
        tx.put_case(case)?;
        self.note(tx, case.customer, kind, now)?;
        self.plan_deletion(tx, case)?;
        for line in tx.lines_of(case.customer)? {
            let key = format!("advance:{}:identity:{}", line.id, now.as_micros());
            self.enqueue(tx, Task::AdvanceLine(line.id), key, now)?;
        }
        let key = format!("identity:{}:{}", case.id, now.as_micros());
        let url = self.portal_page("/identity");
        let arguments = |_: &Contact| vec![("outcome", outcome.to_owned()), ("url", url)];
        let template = Template::IdentityDecided;
        self.tell_customer(
            tx,
            Notice {
                customer: case.customer,
                template,
                key,
            },
            arguments,
            now,
        )
    }
}

/// A case with an outside review: a new one, or the next attempt at one.
fn submitted(
    case: IdentityCase,
    reference: String,
    now: Timestamp,
) -> Result<IdentityCase, IdentityTransition> {
    match case.state {
        IdentityState::InReview {
            reference: Some(_), ..
        } => case.restart(reference, now),
        IdentityState::InReview {
            reference: None, ..
        }
        | IdentityState::Wanted { .. }
        | IdentityState::Approved { .. }
        | IdentityState::Refused { .. } => case.submit(Some(reference), now),
    }
}

/// A customer's check under a rule; a plain read.
fn own_case(
    tx: &mut dyn Tx,
    customer: CustomerId,
    rule: &str,
) -> Result<Option<IdentityCase>, Fault> {
    let cases = tx.cases_of(customer)?;
    Ok(cases.into_iter().find(|case| case.rule == rule))
}
