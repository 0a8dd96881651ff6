//! Identity checks and their documents.

use simurgh_app::ports::{IdentityChecks, SealedDocument, StoreFault};
use simurgh_subscriber::{IdentityCase, IdentityRefusal, IdentityState, Reviewer};
use simurgh_vocab::{CaseId, CustomerId, StaffId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

const CASE: &str =
    "SELECT id, customer_id, rule, state, state_at, reference, staff_id, refusal, back_to
                    FROM identity_case";

impl IdentityChecks for StoreTx<'_> {
    fn put_case(&mut self, case: &IdentityCase) -> Result<(), StoreFault> {
        let sql = "INSERT INTO identity_case (id, customer_id, rule, state, state_at, reference,
                                              staff_id, refusal, back_to)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                   ON CONFLICT (id) DO UPDATE SET
                       state = excluded.state,
                       state_at = excluded.state_at,
                       reference = excluded.reference,
                       staff_id = excluded.staff_id,
                       refusal = excluded.refusal,
                       back_to = excluded.back_to";
        let (reference, by, refusal) = match &case.state {
            IdentityState::Wanted { .. } => (None, None, None),
            IdentityState::InReview { reference, .. } => (reference.as_ref(), None, None),
            IdentityState::Approved { by, .. } => (None, Some(*by), None),
            IdentityState::Refused { by, reason, .. } => (None, Some(*by), Some(reason.code())),
        };
        let staff = by.and_then(|by| match by {
            Reviewer::Outside => None,
            Reviewer::Staff(id) => Some(id),
        });
        self.execute(
            sql,
            &params![
                case.id,
                case.customer,
                &case.rule,
                case.state.code(),
                case.state.since(),
                reference,
                staff,
                refusal,
                case.back_to.as_deref()
            ],
        )?;
        Ok(())
    }

    fn case(&mut self, id: CaseId) -> Result<Option<IdentityCase>, StoreFault> {
        let sql = format!("{CASE} WHERE id = ?1");
        read_one(
            self.query_one_or_none_locked(&sql, &params![id])?,
            read_case,
        )
    }

    fn case_of(
        &mut self,
        customer: CustomerId,
        rule: &str,
    ) -> Result<Option<IdentityCase>, StoreFault> {
        let sql = format!("{CASE} WHERE customer_id = ?1 AND rule = ?2");
        read_one(
            self.query_one_or_none_locked(&sql, &params![customer, rule])?,
            read_case,
        )
    }

    fn cases_of(&mut self, customer: CustomerId) -> Result<Vec<IdentityCase>, StoreFault> {
        let sql = format!("{CASE} WHERE customer_id = ?1 ORDER BY rule");
        read_all(self.query(&sql, &params![customer])?, read_case)
    }

    fn cases_in_review(&mut self, limit: u32) -> Result<Vec<IdentityCase>, StoreFault> {
        let sql = format!("{CASE} WHERE state = 'in_review' ORDER BY state_at, id LIMIT ?1");
        read_all(self.query(&sql, &params![limit])?, read_case)
    }

    fn case_with_reference(&mut self, reference: &str) -> Result<Option<IdentityCase>, StoreFault> {
        let sql = format!("{CASE} WHERE reference = ?1");
        read_one(
            self.query_one_or_none_locked(&sql, &params![reference])?,
            read_case,
        )
    }

    fn insert_document_of_case(&mut self, document: &SealedDocument) -> Result<(), StoreFault> {
        let sql = "INSERT INTO identity_document (case_id, position, media_type, sealed, stored_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let SealedDocument {
            case,
            position,
            media_type,
            sealed,
            stored_at,
        } = document;
        self.execute(
            sql,
            &params![case, *position, media_type, sealed, *stored_at],
        )?;
        Ok(())
    }

    fn documents_of_case(&mut self, case: CaseId) -> Result<Vec<(u32, String)>, StoreFault> {
        let sql = "SELECT position, media_type FROM identity_document WHERE case_id = ?1
                   ORDER BY position";
        read_all(self.query(sql, &params![case])?, |row| {
            Ok((row.number()?, row.text()?))
        })
    }

    fn document_of_case(
        &mut self,
        case: CaseId,
        position: u32,
    ) -> Result<Option<SealedDocument>, StoreFault> {
        let sql = "SELECT media_type, sealed, stored_at FROM identity_document
                   WHERE case_id = ?1 AND position = ?2";
        read_one(
            self.query_one_or_none(sql, &params![case, position])?,
            |row| {
                Ok(SealedDocument {
                    case,
                    position,
                    media_type: row.text()?,
                    sealed: row.blob()?,
                    stored_at: row.timestamp()?,
                })
            },
        )
    }

    fn delete_documents_of_case(&mut self, case: CaseId) -> Result<(), StoreFault> {
        let sql = "DELETE FROM identity_document WHERE case_id = ?1";
        self.execute(sql, &params![case])?;
        Ok(())
    }

    fn note_document_opened(
        &mut self,
        case: CaseId,
        staff: StaffId,
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO identity_document_view (case_id, viewed_at, staff_id)
                   VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.execute(sql, &params![case, at, staff])?;
        Ok(())
    }
}

fn read_case(row: &mut Row) -> Result<IdentityCase, StoreFault> {
    let (id, customer, rule) = (row.id()?, row.id()?, row.text()?);
    let (state, at) = (row.text()?, row.timestamp()?);
    let (reference, staff, refusal) = (row.opt_text()?, row.opt_id()?, row.opt_text()?);
    let back_to = row.opt_text()?;
    let by = staff.map_or(Reviewer::Outside, Reviewer::Staff);
    let state = match (state.as_str(), refusal) {
        ("wanted", None) => IdentityState::Wanted { since: at },
        ("in_review", None) => IdentityState::InReview {
            since: at,
            reference,
        },
        ("approved", None) => IdentityState::Approved { at, by },
        ("refused", Some(code)) => IdentityState::Refused {
            at,
            by,
            reason: IdentityRefusal::from_code(&code)
                .ok_or_else(|| row.behind("an unknown refusal"))?,
        },
        _ => return Err(row.behind("a state with parts missing")),
    };
    Ok(IdentityCase {
        id,
        customer,
        rule,
        state,
        back_to,
    })
}
