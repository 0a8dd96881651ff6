//! InitiateAuthentication: a session begins.

use simurgh_app::ports::{RspSession, ServerKind, SessionStep};
use simurgh_rsp::message::authentication::ServerSigned1;
use simurgh_rsp::message::es9::{InitiateAuthentication, ServerAuthentication};
use simurgh_rsp::message::info::Version;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::status::Status;
use simurgh_rsp::message::{Signed, TransactionId};

use crate::answer::{Executed, Unexecuted};
use crate::credentials::{Server, session_name};
use crate::smdp::Smdp;

/// The version of the specification that we and the chip must share, by its first number.
const MAJOR_VERSION: u8 = 2;

impl Smdp {
    /// Signs the chip's challenge and opens a session.
    ///
    /// Source: SGP.22 v2.5 §5.6.1 and §5.8.1
    pub(crate) async fn initiate_authentication(&self, body: &Body) -> Executed {
        let request = InitiateAuthentication::read(body)?;
        let (server, address) = self.server_at(&request.address)?;
        let Version([major, ..]) = request.info.svn;
        if major != MAJOR_VERSION {
            return Err(match server {
                Server::SmDp => Status::SmdpVersionUnsupported,
                Server::SmDs => Status::SmdsVersionUnsupported,
            }
            .into());
        }
        let credentials = self.credentials();
        let roots = credentials.common_roots(server, &request.info.roots)?;
        let auth = match server {
            Server::SmDp => credentials.smdp(&roots.ours).map(|one| &one.auth),
            Server::SmDs => credentials.smds(&roots.ours).map(|one| &one.auth),
        }
        .ok_or(Status::SmdpCertificateUnavailable)?;
        let now = self.app().now();
        let transaction = session_name(now, self.random_octets(), &roots.ours);
        let server_challenge = self.random_octets();
        let says = ServerSigned1 {
            transaction_id: TransactionId::from_octets(&transaction)
                .ok_or_else(|| Unexecuted::broken("sixteen octets are no session"))?,
            euicc_challenge: request.challenge,
            server_address: address.to_owned(),
            server_challenge,
        };
        let answer = ServerAuthentication {
            server: Signed::sign(says, None, auth.signer())?,
            root_key_id: roots.chips.clone(),
            certificate: auth.certificate().clone(),
        };
        let session = RspSession {
            transaction,
            opened_at: now,
            expires_at: now.plus(self.settings().session),
            step: SessionStep::Opened {
                server_challenge,
                root_key_id: roots.chips,
                server: match server {
                    Server::SmDp => ServerKind::SmDp,
                    Server::SmDs => ServerKind::SmDs,
                },
            },
        };
        self.app().open_session(session.clone()).await?;
        self.recent().remember(session);
        Ok(answer.body())
    }

    /// Which of our servers goes by this name. Names of hosts have no case (RFC 4343).
    fn server_at(&self, address: &str) -> Result<(Server, &str), Status> {
        let settings = self.settings();
        let is = |own: &str| own.eq_ignore_ascii_case(address);
        if is(&settings.address) {
            return Ok((Server::SmDp, &settings.address));
        }
        match settings.smds_address.as_deref() {
            Some(smds) if is(smds) => Ok((Server::SmDs, smds)),
            Some(_) | None => Err(Status::SmdpAddressRefused),
        }
    }
}
