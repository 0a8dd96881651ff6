//! Identity checks: what a plan asks for, an outside check by redirect, its word.

use std::sync::Arc;

use simurgh_commerce::LocalText;
use simurgh_subscriber::{
    IdentityCase, IdentityRefusal, IdentityState, IdentityTransition, Requirement, requirement,
};
use simurgh_vocab::{CaseId, CustomerId, Timestamp, ZoneCode};

use crate::message::{Notice, Template};
use crate::ports::{
    AccountEventKind, Contact, IdentityChecker, IdentityReport, IdentityStart, Notification,
    NotificationRefusal, StoreExt, Task, Tx,
};
use crate::subscriber::refusals;
use crate::{App, Fault};

/// A rule, and where a customer stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityOverview {
    /// The zone whose plans ask for a check.
    pub zone: ZoneCode,
    /// Why, for the customer.
    pub reason: LocalText,
    /// Their check, if they began one.
    pub case: Option<IdentityCase>,
}

/// What a person does next to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityNext {
    /// Go to the outside check.
    Redirect(String),
    /// Hand documents in: [`App::submit_documents`].
    Documents(CaseId),
}

/// Why no check begins. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityStartRefusal {
    /// The account is not in use, or no rule of this name asks for a check.
    #[error("no identity check is asked for")]
    NotNeeded,
    /// The check stands elsewhere: approved, or in review by staff.
    #[error(transparent)]
    Case(#[from] IdentityTransition),
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
                let overview = catalogue.identity_rules.iter().map(|rule| {
                    let own = cases.iter().find(|case| case.rule == rule.zone.as_str());
                    IdentityOverview {
                        zone: rule.zone.clone(),
                        reason: rule.reason.clone(),
                        case: own.cloned(),
                    }
                });
                Ok(overview.collect())
            })
            .await
    }

    /// Begins a check, or goes on with one that was left half done at an outside check.
    ///
    /// # Errors
    /// [`IdentityStartRefusal`].
    pub async fn start_identity_check(
        &self,
        customer: CustomerId,
        zone: ZoneCode,
    ) -> Result<IdentityNext, IdentityStartRefusal> {
        let app = self.clone();
        let now = self.now();
        let case = self
            .decide(move |tx| app.wanted_case(tx, customer, &zone, now))
            .await?;
        let Some(checker) = self.rules().identity_checker.clone() else {
            return match case.state {
                IdentityState::InReview { .. } => Err(IdentityTransition::AlreadyInReview.into()),
                IdentityState::Approved { .. } => Err(IdentityTransition::AlreadyApproved.into()),
                IdentityState::Wanted { .. } | IdentityState::Refused { .. } => {
                    Ok(IdentityNext::Documents(case.id))
                }
            };
        };
        self.redirect(checker, case).await
    }

    async fn redirect(
        &self,
        checker: Arc<dyn IdentityChecker>,
        case: IdentityCase,
    ) -> Result<IdentityNext, IdentityStartRefusal> {
        let now = self.now();
        // Asks only whether it may be submitted; the reference is not known yet.
        let _ = submitted(case.clone(), String::new(), now)?;
        let customer = case.customer;
        let locale = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.active_person(customer)?) })
            .await?
            .ok_or(IdentityStartRefusal::NotNeeded)?
            .locale;
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
            let kind = AccountEventKind::IdentitySubmitted;
            Ok(app.note(tx, stored.customer, kind, now)?)
        })
        .await?;
        Ok(IdentityNext::Redirect(started.redirect_url))
    }

    /// The customer's check for a zone, made if there is none.
    pub(super) fn wanted_case(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        zone: &ZoneCode,
        now: Timestamp,
    ) -> Result<IdentityCase, IdentityStartRefusal> {
        let catalogue = self.current_catalogue(tx)?;
        let rule = catalogue.identity_rule(zone);
        let rule = rule.ok_or(IdentityStartRefusal::NotNeeded)?.zone.as_str();
        if tx.active_person(customer)?.is_none() {
            return Err(IdentityStartRefusal::NotNeeded);
        }
        if let Some(case) = tx.case_of(customer, rule)? {
            return Ok(case);
        }
        let id = self.make(CaseId::from_parts, now);
        let case = IdentityCase::wanted(id, customer, rule.to_owned(), now);
        tx.put_case(&case)?;
        Ok(case)
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

    /// Asks the outside check about a review that is not decided: the browser came back, or staff
    /// wants to know.
    ///
    /// # Errors
    /// [`Fault`] of the store. That the outside check does not answer changes nothing.
    pub async fn ask_identity(&self, customer: CustomerId, zone: ZoneCode) -> Result<(), Fault> {
        let Some(checker) = self.rules().identity_checker.clone() else {
            return Ok(());
        };
        let case = self
            .store
            .snapshot(move |tx| own_case(tx, customer, zone.as_str()))
            .await?;
        let Some(IdentityState::InReview {
            reference: Some(reference),
            ..
        }) = case.map(|case| case.state)
        else {
            return Ok(());
        };
        match checker.status(reference).await {
            Ok(report) => self.believe_identity(report).await,
            Err(fault) => {
                tracing::warn!(%fault, "an identity check does not answer");
                Ok(())
            }
        }
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
