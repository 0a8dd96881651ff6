//! Downloading a profile.

use std::fmt;

use simurgh_rsp::activation_code::ActivationCode;
use simurgh_rsp::bpp::{bpp_commands, bpp_metadata};
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::authentication::{AuthenticateServerRequest, AuthenticateServerResponse};
use simurgh_rsp::message::cancel::{CancelReason, CancelSessionRequest, CancelSessionResponse};
use simurgh_rsp::message::download::{
    PrepareDownloadRequest, PrepareDownloadResponse, hash_confirmation_code, hash_for_session,
};
use simurgh_rsp::message::es9::{
    self, AuthenticateClient, CancelSession, EventEntry, GetBoundProfilePackage,
    InitiateAuthentication, ProfileOffer, ServerAuthentication,
};
use simurgh_rsp::message::es10::{self, Command};
use simurgh_rsp::message::info::{CtxParams1, DeviceInfo, EuiccInfo1};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::{ProfileMetadata, rule};
use simurgh_rsp::message::notification::{FinalResult, PendingNotification};
use simurgh_rsp::message::{TransactionId, Wire};
use simurgh_rsp::tlv::{DecodeError, NamedBits, Oid};

use super::{Lpa, LpaError, Servers, call};

/// What is to be downloaded, and for which device.
#[derive(Clone)]
pub struct Order {
    /// The host name of the server.
    pub address: String,
    /// The token; `None` to ask for what waits for this chip.
    pub matching_id: Option<String>,
    /// The object identifier that the server must have, when the activation code names one.
    pub smdp_oid: Option<Oid>,
    /// The device.
    pub device: DeviceInfo,
}

impl fmt::Debug for Order {
    /// Without the token: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order(at {})", self.address)
    }
}

impl Order {
    /// What waits at a server for this chip.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            matching_id: None,
            smdp_oid: None,
            device: DeviceInfo::default(),
        }
    }

    /// What an activation code names.
    #[must_use]
    pub fn of(code: &ActivationCode, device: DeviceInfo) -> Self {
        Self {
            address: code.smdp_address().to_owned(),
            matching_id: Some(code.matching_id().to_owned()),
            smdp_oid: code.smdp_oid().cloned(),
            device,
        }
    }

    /// What a discovery server told of.
    #[must_use]
    pub fn event(event: &EventEntry, device: DeviceInfo) -> Self {
        Self {
            address: event.server_address.clone(),
            matching_id: Some(event.event_id.clone()),
            smdp_oid: None,
            device,
        }
    }
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Server and chip authenticate each other.
    Authenticating,
    /// The user is asked.
    Asking,
    /// The package is fetched.
    Fetching,
    /// So many commands of a package of so many are in the chip.
    Installing {
        /// Those that are in.
        done: usize,
        /// All.
        of: usize,
    },
}

/// What the user says to an offer.
#[derive(Clone, PartialEq, Eq)]
pub enum Consent {
    /// Yes; with the confirmation code when one is needed.
    Yes {
        /// What the user typed.
        confirmation_code: Option<String>,
    },
    /// No.
    No,
    /// Not now.
    Later,
}

impl fmt::Debug for Consent {
    /// Without the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes { .. } => "yes",
            Self::No => "no",
            Self::Later => "later",
        })
    }
}

/// The user, as the LPA sees it.
pub trait User {
    /// Asks whether to download this profile, and for the confirmation code if one is needed.
    fn consent(&mut self, profile: &ProfileMetadata, code_needed: bool) -> Consent;

    /// Shows how far it has come.
    fn progress(&mut self, progress: Progress);
}

/// A downloaded profile. It is not in use yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// What it is called.
    pub metadata: ProfileMetadata,
    /// The identifier of its security domain.
    pub aid: Vec<u8>,
}

impl Downloaded {
    /// Its number.
    #[must_use]
    pub const fn iccid(&self) -> &Iccid {
        &self.metadata.iccid
    }
}

impl Lpa<'_> {
    /// Downloads and installs a profile. When it fails after the server was believed, the server is told.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn download(
        &mut self,
        order: &Order,
        servers: &mut dyn Servers,
        user: &mut dyn User,
    ) -> Result<Downloaded, LpaError> {
        user.progress(Progress::Authenticating);
        let (transaction_id, body) = self.authenticate(order, servers)?;
        let offer = match ProfileOffer::read(&body) {
            Ok(offer) => offer,
            Err(error) => {
                self.cancel(order, transaction_id, CancelReason::Undefined, servers);
                return Err(error.into());
            }
        };
        let package = match self.fetch(order, &offer, servers, user) {
            Ok(package) => package,
            Err((error, reason)) => {
                // A server that said no has ended the session itself.
                let told = !matches!(error, LpaError::Refused(_));
                let servers = told.then_some(servers);
                self.leave(order, transaction_id, reason, servers);
                return Err(error);
            }
        };
        let commands = match inspect(&package, &offer.metadata) {
            Ok(commands) => commands,
            Err((error, reason)) => {
                self.cancel(order, transaction_id, reason, servers);
                return Err(error);
            }
        };
        let installed = self.install(&commands, offer.metadata, user);
        if matches!(installed, Err(LpaError::Card(_) | LpaError::Chip(_))) {
            // The chip told no result: it does not know of one, or the server will not hear of it.
            let reason = CancelReason::LoadBppExecutionError;
            self.cancel(order, transaction_id, reason, servers);
        }
        installed
    }

    /// Server and chip authenticate each other; gives the server's answer.
    pub(super) fn authenticate(
        &mut self,
        order: &Order,
        servers: &mut dyn Servers,
    ) -> Result<(TransactionId, Body), LpaError> {
        let challenge = es10::read_challenge(&self.ask(&Command::GetChallenge)?)?;
        let info = EuiccInfo1::from_bytes(&self.ask(&Command::GetInfo1)?)?;
        let request = InitiateAuthentication {
            challenge,
            info,
            address: order.address.clone(),
        };
        let path = es9::path::INITIATE_AUTHENTICATION;
        let body = call(servers, &order.address, path, &request.body())?;
        let answer = ServerAuthentication::read(&body)?;
        let identifier = answer.certificate.registered_id();
        if order.smdp_oid.is_some() && order.smdp_oid.as_ref() != identifier {
            return Err(LpaError::OtherServer);
        }
        let transaction_id = answer.server.unverified().transaction_id;
        let request = AuthenticateServerRequest {
            server: answer.server,
            root_key_id: answer.root_key_id,
            certificate: answer.certificate,
            params: CtxParams1 {
                matching_id: order.matching_id.clone(),
                device: order.device.clone(),
            },
        };
        let octets = self.ask(&Command::AuthenticateServer(Box::new(request)))?;
        if let AuthenticateServerResponse::Error { error, .. } =
            AuthenticateServerResponse::from_bytes(&octets)?
        {
            return Err(LpaError::ServerNotTrusted(error));
        }
        let request = AuthenticateClient::body(&transaction_id, &octets);
        let path = es9::path::AUTHENTICATE_CLIENT;
        let body = call(servers, &order.address, path, &request)?;
        Ok((transaction_id, body))
    }

    /// Asks the user and the chip, and fetches the package; on failure also why the session is cancelled.
    fn fetch(
        &mut self,
        order: &Order,
        offer: &ProfileOffer,
        servers: &mut dyn Servers,
        user: &mut dyn User,
    ) -> Result<Vec<u8>, (LpaError, CancelReason)> {
        // What may succeed later must not end the order.
        let undefined = |error: LpaError| {
            let later = matches!(error, LpaError::Unreachable(_) | LpaError::HttpStatus(_));
            let reason = if later {
                CancelReason::Timeout
            } else {
                CancelReason::Undefined
            };
            (error, reason)
        };
        let says = offer.smdp.unverified();
        if !self.permits(&offer.metadata).map_err(undefined)? {
            return Err((LpaError::RulesNotAllowed, CancelReason::PprNotAllowed));
        }
        user.progress(Progress::Asking);
        let code = match user.consent(&offer.metadata, says.confirmation_code_required) {
            Consent::Yes { confirmation_code } => confirmation_code,
            Consent::No => return Err((LpaError::GivenUp, CancelReason::EndUserRejection)),
            Consent::Later => return Err((LpaError::GivenUp, CancelReason::Postponed)),
        };
        let hashed_code = match (says.confirmation_code_required, code) {
            (false, _) => None,
            (true, Some(code)) => Some(hash_for_session(
                &hash_confirmation_code(&code),
                &says.transaction_id,
            )),
            (true, None) => {
                return Err((LpaError::ConfirmationCodeNeeded, CancelReason::Postponed));
            }
        };
        let request = PrepareDownloadRequest {
            smdp: offer.smdp.clone(),
            hashed_code,
            certificate: offer.certificate.clone(),
        };
        let octets = self
            .ask(&Command::PrepareDownload(Box::new(request)))
            .map_err(undefined)?;
        match PrepareDownloadResponse::from_bytes(&octets).map_err(|e| undefined(e.into()))? {
            PrepareDownloadResponse::Ok(_) => {}
            PrepareDownloadResponse::Error { error, .. } => {
                return Err(undefined(LpaError::OfferNotAccepted(error)));
            }
        }
        user.progress(Progress::Fetching);
        let request = GetBoundProfilePackage::body(&says.transaction_id, &octets);
        let path = es9::path::BOUND_PROFILE_PACKAGE;
        let body = call(servers, &order.address, path, &request).map_err(undefined)?;
        es9::read_package(&body).map_err(|error| undefined(error.into()))
    }

    /// Hands the package to the chip, command by command, until the chip tells the result.
    fn install(
        &mut self,
        commands: &[Vec<u8>],
        metadata: ProfileMetadata,
        user: &mut dyn User,
    ) -> Result<Downloaded, LpaError> {
        let mut answer = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            answer = self.channel.store_data(command)?;
            user.progress(Progress::Installing {
                done: place + 1,
                of: commands.len(),
            });
            // The chip tells the result as soon as it knows it, which may be early.
            if !answer.is_empty() {
                break;
            }
        }
        let result = match PendingNotification::from_bytes(&answer)? {
            PendingNotification::Installation(signed) => signed.unverified().result.clone(),
            PendingNotification::Other(_) => return Err(LpaError::GivenUp),
        };
        match result {
            FinalResult::Success { aid, .. } => Ok(Downloaded { metadata, aid }),
            error @ FinalResult::Error { .. } => Err(LpaError::NotInstalled(Box::new(error))),
        }
    }

    /// Whether the chip's table allows the rules of a profile.
    ///
    /// Source: SGP.22 v2.5 §3.1.3 and §2.9.2
    fn permits(&mut self, profile: &ProfileMetadata) -> Result<bool, LpaError> {
        let Some(rules) = profile.rules.filter(|rules| *rules != NamedBits::NONE) else {
            return Ok(true);
        };
        let table = es10::read_rules(&self.ask(&Command::GetRules)?)?;
        let owner = profile.owner.as_ref();
        Ok([rule::PPR1, rule::PPR2]
            .into_iter()
            .filter(|bit| rules.has(*bit))
            .all(|bit| table.iter().any(|one| one.allows(bit, owner))))
    }

    /// Leaves the session at the chip and at the server; what fails now has no further consequence.
    fn cancel(
        &mut self,
        order: &Order,
        transaction_id: TransactionId,
        reason: CancelReason,
        servers: &mut dyn Servers,
    ) {
        self.leave(order, transaction_id, reason, Some(servers));
    }

    /// Leaves the session at the chip, and at the server when it shall hear of it.
    fn leave(
        &mut self,
        order: &Order,
        transaction_id: TransactionId,
        reason: CancelReason,
        servers: Option<&mut dyn Servers>,
    ) {
        let request = CancelSessionRequest {
            transaction_id,
            reason,
        };
        let Ok(octets) = self.ask(&Command::CancelSession(request)) else {
            return;
        };
        let response = CancelSessionResponse::from_bytes(&octets);
        if let (Ok(CancelSessionResponse::Ok(_)), Some(servers)) = (response, servers) {
            let body = CancelSession::body(&transaction_id, &octets);
            let path = es9::path::CANCEL_SESSION;
            // The server forgets the session by itself in the end.
            drop(call(servers, &order.address, path, &body));
        }
    }
}

/// The commands of a package, when it says the same of the profile as the offer did, to which the user
/// consented.
fn inspect(
    package: &[u8],
    offered: &ProfileMetadata,
) -> Result<Vec<Vec<u8>>, (LpaError, CancelReason)> {
    let unreadable = |error: DecodeError| {
        let reason = CancelReason::LoadBppExecutionError;
        (LpaError::Package(error), reason)
    };
    if bpp_metadata(package).map_err(unreadable)? != *offered {
        return Err((LpaError::OtherProfile, CancelReason::MetadataMismatch));
    }
    bpp_commands(package).map_err(unreadable)
}
