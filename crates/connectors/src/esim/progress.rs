//! Tells operators how the downloads of their orders go: `ES2+.HandleDownloadProgressInfo`.
//!
//! Source: SGP.22 v2.5 §5.3.5 and §6.5.2

use std::collections::BTreeMap;

use simurgh_app::ports::{
    DownloadProgress, ProgressListener, ProgressPoint as Point, Telling, Untold,
};
use simurgh_rsp::message::es2::{ProgressInfo, ProgressPoint, RequestHeader, path};
use simurgh_rsp::message::es9::PROTOCOL_HEADER;
use simurgh_rsp::message::status::Status;

use super::{LpaTransport, LpaTransportSettings, TransportFault};

/// Where an operator listens.
#[derive(Debug)]
pub struct Listener {
    address: String,
    transport: LpaTransport,
}

impl Listener {
    /// A listener at `address`, a host name with its port when that is not 443.
    ///
    /// # Errors
    /// [`TransportFault`] of the settings.
    pub fn at(address: String, reach: &LpaTransportSettings) -> Result<Self, TransportFault> {
        let transport = LpaTransport::new(reach)?;
        Ok(Self { address, transport })
    }
}

/// Operators that listen.
pub struct ProgressTeller {
    requester: String,
    listeners: BTreeMap<String, Listener>,
}

impl std::fmt::Debug for ProgressTeller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.listeners.keys()).finish()
    }
}

impl ProgressTeller {
    /// Tells `listeners`, by the name each orders under. `requester` is our own
    /// `functionRequesterIdentifier`.
    #[must_use]
    pub const fn new(requester: String, listeners: BTreeMap<String, Listener>) -> Self {
        Self {
            requester,
            listeners,
        }
    }

    async fn post(&self, to: &Listener, progress: &DownloadProgress) -> Result<(), Untold> {
        let header = RequestHeader {
            requester: self.requester.clone(),
            call: progress.id.number(),
        };
        let body = info(progress).body(&header).to_string().into_bytes();
        let answer = to
            .transport
            .post(&to.address, path::PROGRESS_INFO, PROTOCOL_HEADER, body);
        match answer.await {
            // 204 by SGP.22 v2.5 §6.3; some servers say 200.
            Ok((200..300, _)) => Ok(()),
            Ok((status, _)) => Err(Untold(format!("status {status}"))),
            Err(fault) => Err(Untold(fault.to_string())),
        }
    }
}

impl ProgressListener for ProgressTeller {
    fn listens(&self, operator: &str) -> bool {
        self.listeners.contains_key(operator)
    }

    fn tell<'a>(&'a self, progress: &'a DownloadProgress) -> Telling<'a> {
        Box::pin(async move {
            match self.listeners.get(&progress.operator) {
                Some(listener) => self.post(listener, progress).await,
                // It stopped listening in between.
                None => Ok(()),
            }
        })
    }
}

fn info(progress: &DownloadProgress) -> ProgressInfo {
    ProgressInfo {
        eid: progress.eid,
        iccid: progress.iccid,
        profile_type: progress.profile_type.clone(),
        timestamp: time(progress.at),
        point: match progress.point {
            Point::Eligibility => ProgressPoint::Eligibility,
            Point::ConfirmationFailure => ProgressPoint::ConfirmationFailure,
            Point::Download => ProgressPoint::Download,
            Point::Installation => ProgressPoint::Installation,
        },
        failure: progress.failure.as_ref().map(|failure| {
            let known = Status::of(&failure.subject, &failure.reason);
            known.unwrap_or(Status::FunctionExecutionError)
        }),
        result_data: progress.result.clone(),
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`
fn time(at: simurgh_vocab::Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.as_unix_seconds()).unwrap_or_default();
    at.to_string()
}
