//! Documents of identity checks: sealed, looked at by staff, deleted in time.

use simurgh_subscriber::{IdentityCase, IdentityRefusal, IdentityTransition};
use simurgh_vocab::{CaseId, CustomerId, StaffId, Timestamp};

use crate::crypto::Purpose;
use crate::ports::{AccountEventKind, SealedDocument, StoreExt, Task, Tx};
use crate::subscriber::{IdentityStartRefusal, IdentityWish, refusals};
use crate::{App, Fault};

/// A document as somebody hands it in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// The file's octets.
    pub octets: Vec<u8>,
}

/// A document as staff sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedDocument {
    /// What it is, e.g. `image/jpeg`.
    pub media_type: String,
    /// The file's octets.
    pub octets: Vec<u8>,
}

/// Why documents are not taken. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentRefusal {
    /// None, or more than [`IdentityCase::DOCUMENTS_MAX`].
    #[error("one to four documents are expected")]
    Count,
    /// One is larger than [`IdentityCase::DOCUMENT_OCTETS_MAX`].
    #[error("a document is larger than 8 MiB")]
    TooLarge,
    /// One is neither JPEG nor PNG nor PDF.
    #[error("a document is neither a JPEG nor a PNG nor a PDF file")]
    Format,
    /// The account is not in use, or no rule of this name asks for a check.
    #[error("no identity check is asked for")]
    NotNeeded,
    /// The check takes no documents now.
    #[error(transparent)]
    Case(#[from] IdentityTransition),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why staff cannot look at or decide a check. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewRefusal {
    /// There is no such check or document (any more).
    #[error("no such identity check or document")]
    NotFound,
    /// It is not in review.
    #[error(transparent)]
    Case(#[from] IdentityTransition),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(DocumentRefusal, ReviewRefusal);

/// What a file is by its first octets, whatever its name says.
const FORMATS: [(&[u8], &str); 3] = [
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
];

impl App {
    /// Hands documents in for staff to look at. Those handed in before are deleted.
    ///
    /// # Errors
    /// [`DocumentRefusal`].
    pub async fn submit_documents(
        &self,
        customer: CustomerId,
        wish: IdentityWish,
        documents: Vec<NewDocument>,
    ) -> Result<(), DocumentRefusal> {
        let formats = formats(&documents)?;
        let case = self.wanted_case(customer, &wish).await?.id;
        let now = self.now();
        let sealed = self.sealed_documents(case, documents.iter().zip(formats), now)?;
        let app = self.clone();
        self.decide(move |tx| -> Result<(), DocumentRefusal> {
            let stored = tx.case(case)?.ok_or(DocumentRefusal::NotNeeded)?;
            let stored = stored.submit(None, now)?;
            tx.put_case(&stored)?;
            tx.delete_documents_of_case(case)?;
            for document in &sealed {
                tx.insert_document_of_case(document)?;
            }
            app.note(tx, customer, AccountEventKind::IdentitySubmitted, now)?;
            Ok(app.plan_deletion(tx, &stored)?)
        })
        .await
    }

    fn sealed_documents<'d>(
        &self,
        case: CaseId,
        documents: impl Iterator<Item = (&'d NewDocument, &'static str)>,
        now: Timestamp,
    ) -> Result<Vec<SealedDocument>, Fault> {
        let sealed = (0u32..)
            .zip(documents)
            .map(|(position, (document, media_type))| {
                let sealed = self.keyring.seal(
                    Purpose::IdentityDocument,
                    &context(case, position),
                    &document.octets,
                    self.entropy.as_ref(),
                );
                Ok(SealedDocument {
                    case,
                    position,
                    media_type: media_type.to_owned(),
                    sealed: sealed.map_err(|e| Fault::Invariant(e.to_string()))?,
                    stored_at: now,
                })
            });
        sealed.collect()
    }

    /// Checks in review, those that wait longest first, with the positions and formats of their
    /// documents.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn identity_cases_in_review(
        &self,
        limit: u32,
    ) -> Result<Vec<(IdentityCase, Vec<(u32, String)>)>, Fault> {
        self.store
            .snapshot(move |tx| -> Result<_, Fault> {
                let mut found = Vec::new();
                for case in tx.cases_in_review(limit)? {
                    let documents = tx.documents_of_case(case.id)?;
                    found.push((case, documents));
                }
                Ok(found)
            })
            .await
    }

    /// Opens a document for a member of staff; who looked, and when, is written down.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub async fn open_identity_document(
        &self,
        staff: StaffId,
        case: CaseId,
        position: u32,
    ) -> Result<OpenedDocument, ReviewRefusal> {
        let app = self.clone();
        let now = self.now();
        let document = self
            .decide(move |tx| -> Result<SealedDocument, ReviewRefusal> {
                let stored = tx.case(case)?.ok_or(ReviewRefusal::NotFound)?;
                let document = tx.document_of_case(case, position)?;
                let document = document.ok_or(ReviewRefusal::NotFound)?;
                tx.note_document_opened(case, staff, now)?;
                let kind = AccountEventKind::DocumentOpened;
                app.note(tx, stored.customer, kind, now)?;
                Ok(document)
            })
            .await?;
        let context = context(case, position);
        let purpose = Purpose::IdentityDocument;
        let octets = self.keyring.open(purpose, &context, &document.sealed);
        Ok(OpenedDocument {
            media_type: document.media_type,
            octets: octets.map_err(|e| Fault::Invariant(e.to_string()))?,
        })
    }

    /// Decides a check for staff.
    ///
    /// # Errors
    /// [`ReviewRefusal`].
    pub async fn review_identity(
        &self,
        staff: StaffId,
        case: CaseId,
        verdict: Result<(), IdentityRefusal>,
    ) -> Result<(), ReviewRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), ReviewRefusal> {
            let stored = tx.case(case)?.ok_or(ReviewRefusal::NotFound)?;
            let decided = stored.decide_staff(staff, verdict, now)?;
            Ok(app.identity_decided(tx, &decided, now)?)
        })
        .await?;
        self.wake_runner();
        Ok(())
    }

    /// Deletes the documents of a check if their time is over, else comes back later.
    pub(crate) async fn delete_documents(&self, id: CaseId) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                let Some(case) = tx.case(id)? else {
                    return Ok(());
                };
                if case.documents_until(&app.rules().retention) <= now {
                    tx.delete_documents_of_case(id)?;
                    return Ok(());
                }
                app.plan_deletion(tx, &case)
            })
            .await
    }

    /// Plans the deletion for when it is due as the check stands now.
    pub(super) fn plan_deletion(&self, tx: &mut dyn Tx, case: &IdentityCase) -> Result<(), Fault> {
        let due_at = case.documents_until(&self.rules().retention);
        let key = format!("documents:{}:{}", case.id, due_at.as_micros());
        Ok(self.enqueue(tx, Task::DeleteDocuments(case.id), key, due_at)?)
    }
}

/// What each document is.
fn formats(documents: &[NewDocument]) -> Result<Vec<&'static str>, DocumentRefusal> {
    if !(1..=IdentityCase::DOCUMENTS_MAX).contains(&documents.len()) {
        return Err(DocumentRefusal::Count);
    }
    let max = IdentityCase::DOCUMENT_OCTETS_MAX;
    if documents.iter().any(|document| document.octets.len() > max) {
        return Err(DocumentRefusal::TooLarge);
    }
    let format = |document: &NewDocument| {
        let mut formats = FORMATS.iter();
        let known = formats.find(|(start, _)| document.octets.starts_with(start));
        known
            .map(|(_, media_type)| *media_type)
            .ok_or(DocumentRefusal::Format)
    };
    documents.iter().map(format).collect()
}

impl From<IdentityStartRefusal> for DocumentRefusal {
    fn from(refusal: IdentityStartRefusal) -> Self {
        match refusal {
            // Documents need no outside check, whether there is one, may begin or can be reached.
            IdentityStartRefusal::NotNeeded
            | IdentityStartRefusal::NoOutsideCheck
            | IdentityStartRefusal::TooOften { .. }
            | IdentityStartRefusal::Unreachable => Self::NotNeeded,
            IdentityStartRefusal::Case(transition) => Self::Case(transition),
            IdentityStartRefusal::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Binds a sealed document to its place.
fn context(case: CaseId, position: u32) -> Vec<u8> {
    [case.as_bytes().as_slice(), &position.to_be_bytes()].concat()
}
