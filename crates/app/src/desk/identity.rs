//! Identity checks that staff decides: who waits, their documents, the decision.

use simurgh_subscriber::{Customer, IdentityCase, IdentityRefusal};
use simurgh_vocab::{CaseId, CustomerId, StaffId};

use super::log::Deed;
use crate::ports::{StaffAction, StaffSubject, StoreExt};
use crate::subscriber::{OpenedDocument, ReviewRefusal};
use crate::{App, Fault};

/// The most checks on one page.
const WAITING: u32 = 50;

/// A check that waits for staff, and whose name the documents must show.
#[derive(Clone)]
pub struct CaseInReview {
    /// The check.
    pub case: IdentityCase,
    /// The name on the account.
    pub name: String,
    /// Its documents: position and format.
    pub documents: Vec<(u32, String)>,
}

impl App {
    /// Checks that wait for staff, the longest waiting first; that a customer is looked at is
    /// recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn cases_for_staff(&self, staff: StaffId) -> Result<Vec<CaseInReview>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let mut waiting = Vec::new();
                for case in tx.cases_in_review(WAITING)? {
                    let id: CustomerId = case.customer;
                    let customer = tx.customer(id)?;
                    // An account that was closed meanwhile has nobody to be checked.
                    let Some(person) = customer.as_ref().and_then(Customer::person) else {
                        continue;
                    };
                    let name = person.name.as_str().to_owned();
                    let subject = StaffSubject::Customer(id);
                    app.log_deed(
                        tx,
                        Deed::of(staff, StaffAction::CustomerViewed, subject),
                        now,
                    )?;
                    waiting.push(CaseInReview {
                        documents: tx.documents_of_case(case.id)?,
                        name,
                        case,
                    });
                }
                Ok(waiting)
            })
            .await
    }

    /// A document of a check; recorded before it is opened.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub async fn document_for_staff(
        &self,
        staff: StaffId,
        case: CaseId,
        position: u32,
    ) -> Result<OpenedDocument, ReviewRefusal> {
        let deed = Deed::of(staff, StaffAction::DocumentOpened, StaffSubject::Case(case));
        self.log_alone(deed).await?;
        self.open_identity_document(staff, case, position).await
    }

    /// Decides a check; recorded before it is tried.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub async fn decide_identity(
        &self,
        staff: StaffId,
        case: CaseId,
        verdict: Result<(), IdentityRefusal>,
    ) -> Result<(), ReviewRefusal> {
        let word = match verdict {
            Ok(()) => "approved",
            Err(refusal) => refusal.code(),
        };
        let deed = Deed::of(
            staff,
            StaffAction::IdentityDecided,
            StaffSubject::Case(case),
        );
        self.log_alone(deed.because(word)).await?;
        self.review_identity(staff, case, verdict).await
    }
}
