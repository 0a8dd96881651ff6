//! ES2+ and ES12: what operators order, and what other servers tell our SM-DS.
//!
//! Source: SGP.22 v2.5 §5.3 and §5.9

use serde_json::Map;
use simurgh_app::esim::{OrderCall, OrderConfirmation};
use simurgh_app::ports::ChipEventRecord;
use simurgh_rsp::message::download::hash_confirmation_code;
use simurgh_rsp::message::es2::{
    CancelOrder, ConfirmOrder, DownloadOrder, FinalStatus, OrderConfirmed, RequestHeader,
    read_release,
};
use simurgh_rsp::message::es12::{DeleteEvent, RegisterEvent};
use simurgh_rsp::message::json::{Body, BodyError};
use simurgh_rsp::message::status::Status;

use crate::answer::{Executed, Unexecuted};
use crate::caller::Caller;
use crate::refusal::operator;
use crate::smdp::Smdp;

impl Smdp {
    pub(crate) async fn download_order(&self, caller: &Caller, body: &Body) -> Executed {
        let call = call(caller, body)?;
        let order = DownloadOrder::read(body).map_err(mandatory)?;
        if !caller.may_order(order.profile_type.as_deref()) {
            return Err(match order.profile_type {
                Some(_) => Status::ProfileTypeNotAllowed,
                None => Status::IccidNotAllowed,
            }
            .into());
        }
        let iccid = self
            .app()
            .download_order(call, order.eid, order.iccid, order.profile_type)
            .await
            .map_err(|fault| operator(fault, Status::IccidAlreadyInUse))?;
        Ok(DownloadOrder::answer(&iccid))
    }

    pub(crate) async fn confirm_order(&self, caller: &Caller, body: &Body) -> Executed {
        let call = call(caller, body)?;
        let order = ConfirmOrder::read(body).map_err(mandatory)?;
        let settings = self.settings();
        let smds = match order.smds_address {
            None => None,
            Some(wanted) => match settings.smds_address.as_deref() {
                Some(own) if own.eq_ignore_ascii_case(&wanted) => {
                    Some((own.to_owned(), settings.address.clone()))
                }
                Some(_) | None if self.app().reaches(&wanted) => {
                    Some((wanted, settings.address.clone()))
                }
                Some(_) | None => return Err(Status::SmdsInaccessible.into()),
            },
        };
        let with = OrderConfirmation {
            iccid: order.iccid,
            eid: order.eid,
            matching_id: order.matching_id,
            confirmation: order
                .confirmation_code
                .as_deref()
                .map(hash_confirmation_code),
            smds,
            expires_at: settings
                .order_lasts
                .map(|length| self.app().now().plus(length)),
            release: order.release,
        };
        let confirmed = self
            .app()
            .confirm_order(call, with)
            .await
            .map_err(|fault| operator(fault, Status::IccidInvalidTransition))?;
        let answer = OrderConfirmed {
            eid: confirmed.eid,
            matching_id: confirmed.matching_id,
            smdp_address: Some(settings.address.clone()),
        };
        Ok(answer.answer())
    }

    pub(crate) async fn cancel_order(&self, caller: &Caller, body: &Body) -> Executed {
        let call = call(caller, body)?;
        let order = CancelOrder::read(body).map_err(mandatory)?;
        let reusable = match order.final_status {
            FinalStatus::Available => true,
            FinalStatus::Unavailable => false,
        };
        let matching_id = order.matching_id.filter(|id| !id.is_empty());
        self.app()
            .cancel_download_order(call, order.iccid, matching_id, reusable)
            .await
            .map_err(|fault| operator(fault, Status::IccidInvalidTransition))?;
        Ok(Map::new())
    }

    pub(crate) async fn release_profile(&self, caller: &Caller, body: &Body) -> Executed {
        let call = call(caller, body)?;
        let iccid = read_release(body).map_err(mandatory)?;
        self.app()
            .release_profile(call, iccid)
            .await
            .map_err(|fault| operator(fault, Status::IccidInvalidTransition))?;
        Ok(Map::new())
    }

    pub(crate) async fn register_event(&self, caller: &Caller, body: &Body) -> Executed {
        call(caller, body)?;
        let request = RegisterEvent::read(body).map_err(mandatory)?;
        let event = ChipEventRecord {
            eid: request.eid,
            event_id: request.event_id,
            server_address: request.server_address,
            registered_by: caller.identifier().to_owned(),
            registered_at: self.app().now(),
        };
        match self.app().register_event(event).await? {
            true => Ok(Map::new()),
            false => Err(Status::EventRecordAlreadyInUse.into()),
        }
    }

    pub(crate) async fn delete_event(&self, caller: &Caller, body: &Body) -> Executed {
        call(caller, body)?;
        let request = DeleteEvent::read(body).map_err(mandatory)?;
        match self
            .app()
            .delete_event(
                caller.identifier().to_owned(),
                request.eid,
                request.event_id,
            )
            .await?
        {
            true => Ok(Map::new()),
            false => Err(Status::EventRecordUnknown.into()),
        }
    }
}

/// The call, by somebody who calls in its own name.
fn call(caller: &Caller, body: &Body) -> Result<OrderCall, Unexecuted> {
    let header = RequestHeader::read(body).map_err(|error| match error {
        BodyError::Missing(_) => {
            Unexecuted::because(Status::FunctionRequesterMissing, error.to_string())
        }
        BodyError::NotAnObject | BodyError::Invalid(_) | BodyError::Structure { .. } => {
            error.into()
        }
    })?;
    if header.requester != caller.identifier() {
        return Err(Status::FunctionRequesterNotAllowed.into());
    }
    Ok(OrderCall {
        requester: header.requester,
        call: header.call,
        request: body.clone().into_value().to_string().into_bytes(),
    })
}

/// A parameter of the function that is missing, or is not what it should be.
fn mandatory(error: BodyError) -> Unexecuted {
    match error {
        BodyError::Missing(_) => {
            Unexecuted::because(Status::FunctionMandatoryElementMissing, error.to_string())
        }
        BodyError::Invalid(_) | BodyError::NotAnObject | BodyError::Structure { .. } => {
            Unexecuted::because(Status::FunctionInvalid, error.to_string())
        }
    }
}
