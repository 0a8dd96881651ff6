//! Tells operators how the downloads of their orders go: `ES2+.HandleDownloadProgressInfo`.
//!
//! Source: SGP.22 v2.5 §5.3.5 and §6.5.2

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, Url};
use simurgh_app::ports::{
    DownloadProgress, ProgressListener, ProgressPoint as Point, Telling, Untold,
};
use simurgh_rsp::message::es2::{ProgressInfo, ProgressPoint, RequestHeader, path};
use simurgh_rsp::message::status::Status;

use crate::Secret;

/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where an operator listens.
#[derive(Debug, Clone)]
pub struct Listener {
    address: Url,
    token: Option<Secret>,
}

impl Listener {
    /// A listener at `address`, without the path of the function: `https://es2.example.com`. What it knows us
    /// by is sent as `Authorization: Bearer`. None: it is no such address, or one without TLS on another machine.
    #[must_use]
    pub fn at(address: &str, token: Option<Secret>) -> Option<Self> {
        let address: Url = address.parse().ok()?;
        let host = address.host_str()?;
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let is_safe = address.scheme() == "https" || (address.scheme() == "http" && is_here);
        is_safe.then_some(Self { address, token })
    }
}

/// Operators that listen.
pub struct ProgressTeller {
    requester: String,
    listeners: BTreeMap<String, Listener>,
    http: Client,
}

impl std::fmt::Debug for ProgressTeller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.listeners.keys()).finish()
    }
}

impl ProgressTeller {
    /// Tells `listeners`, by the name each orders under. `requester` is our own
    /// `functionRequesterIdentifier`.
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn new(
        requester: String,
        listeners: BTreeMap<String, Listener>,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(CALL_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            requester,
            listeners,
            http,
        })
    }

    async fn post(&self, to: &Listener, progress: &DownloadProgress) -> Result<(), Untold> {
        let untold = |why: String| Untold(why);
        let url = to.address.join(path::PROGRESS_INFO);
        let url = url.map_err(|error| untold(error.to_string()))?;
        let header = RequestHeader {
            requester: self.requester.clone(),
            call: progress.id.number(),
        };
        let body = info(progress).body(&header).to_string();
        let mut call = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("x-admin-protocol", "gsma/rsp/v2.5.0")
            .body(body);
        if let Some(token) = &to.token {
            call = call.bearer_auth(token.reveal());
        }
        let answer = call.send().await;
        let answer = answer.map_err(|error| untold(error.without_url().to_string()))?;
        // 204 by SGP.22 §6.3; some servers say 200.
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(untold(format!("status {status}"))),
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
