//! CancelSession: the phone or its user gives up.

use simurgh_app::ports::{CancelWhy, SessionStep};
use simurgh_rsp::message::cancel::{CancelReason, CancelSessionResponse};
use simurgh_rsp::message::es9::CancelSession;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::status::Status;

use super::chip_key;
use crate::answer::{Executed, Unexecuted};
use crate::smdp::Smdp;

impl Smdp {
    /// Ends a session as the chip signed it.
    ///
    /// Source: SGP.22 v2.5 §5.6.5 and §3.1.3.3
    pub(crate) async fn cancel_session(&self, body: &Body) -> Executed {
        let request = CancelSession::read(body)?;
        let session = self.session(&request.transaction_id).await?;
        let key = match &session.step {
            SessionStep::Authenticated { chip_key, .. }
            | SessionStep::Known { chip_key, .. }
            | SessionStep::Delivered { chip_key, .. } => chip_key,
            // Nobody was authenticated: nobody can be believed. It ends by itself.
            SessionStep::Opened { .. } | SessionStep::Over => {
                return Err(Status::TransactionIdUnknown.into());
            }
        };
        let CancelSessionResponse::Ok(signed) = request.response else {
            return Err(Unexecuted::because(
                Status::EuiccVerificationFailed,
                "the eUICC did not cancel the session",
            ));
        };
        let says = signed
            .verify(&chip_key(key)?, None)
            .map_err(|_| Status::EuiccVerificationFailed)?;
        if says.transaction_id != request.transaction_id {
            return Err(Status::EuiccVerificationFailed.into());
        }
        if self.identity_in(&session)?.identifier != says.smdp_oid {
            return Err(Status::SmdpInvalidAssociation.into());
        }
        self.app()
            .cancel_session(session.transaction, why(says.reason))
            .await?;
        Ok(serde_json::Map::new())
    }
}

const fn why(reason: CancelReason) -> CancelWhy {
    match reason {
        CancelReason::EndUserRejection => CancelWhy::UserRejected,
        CancelReason::Postponed => CancelWhy::Postponed,
        CancelReason::Timeout => CancelWhy::Timeout,
        CancelReason::PprNotAllowed => CancelWhy::RulesNotAllowed,
        CancelReason::MetadataMismatch => CancelWhy::MetadataMismatch,
        CancelReason::LoadBppExecutionError => CancelWhy::LoadFailed,
        CancelReason::Undefined | CancelReason::Other(_) => CancelWhy::Undefined,
    }
}
