//! An LPA: it carries messages between a chip and servers, asks the user, and delivers notifications.
//!
//! It drives any chip that takes APDUs ([`Card`]) and reaches servers through what it is given ([`Servers`]);
//! it opens no connection itself.

mod channel;
mod download;
mod lines;
mod text;

pub use channel::{Card, CardError};
pub use download::{Consent, Downloaded, Order, Progress, User};
pub use lines::LineCard;

use std::collections::BTreeSet;

use channel::Channel;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::message::Wire;
use simurgh_rsp::message::authentication::AuthenticateError;
use simurgh_rsp::message::download::DownloadError;
use simurgh_rsp::message::es9::{self, EventEntry};
use simurgh_rsp::message::es10::{
    self, Addresses, Command, NotificationFilter, ProfileId, ProfileInfo, ProfileOutcome,
    ResetOptions, Search,
};
use simurgh_rsp::message::info::{DeviceInfo, EuiccInfo2};
use simurgh_rsp::message::json::{Body, BodyError};
use simurgh_rsp::message::notification::{FinalResult, NotificationMetadata, PendingNotification};
use simurgh_rsp::message::status::{Outcome, outcome};
use simurgh_rsp::tlv::DecodeError;

/// The answer of a server: HTTP status and body.
pub type HttpAnswer = (u16, Vec<u8>);

/// Reaches servers: HTTPS with the chip's roots as the only trusted ones.
pub trait Servers {
    /// Posts a JSON body to `https://{address}{path}` with the header
    /// [`PROTOCOL_HEADER`](es9::PROTOCOL_HEADER).
    ///
    /// # Errors
    /// [`LpaError::Unreachable`] with a word for the user.
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError>;
}

/// Why something could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LpaError {
    /// The card does not answer as a card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The server cannot be reached.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered with another HTTP status.
    #[error("the server answered with HTTP status {0}")]
    HttpStatus(u16),
    /// The server said no, and why.
    #[error("{}", text::refusal(.0))]
    Refused(Outcome),
    /// The server's answer cannot be understood.
    #[error("the server's answer: {0}")]
    Body(#[from] BodyError),
    /// The chip's answer cannot be understood.
    #[error("the chip's answer: {0}")]
    Chip(#[from] DecodeError),
    /// The package cannot be understood.
    #[error("the profile package: {0}")]
    Package(DecodeError),
    /// The server is not the one that the activation code names.
    #[error("the server is not the one that the activation code names")]
    OtherServer,
    /// The profile sets rules that the chip does not allow its operator.
    #[error("the profile sets rules that this device does not allow its operator")]
    RulesNotAllowed,
    /// The package is of another profile than the one that the user was shown.
    #[error("the server sent another profile than it offered")]
    OtherProfile,
    /// The chip does not believe the server.
    #[error("the chip does not trust this server: {}", text::authentication(*.0))]
    ServerNotTrusted(AuthenticateError),
    /// The chip does not accept the offer.
    #[error("the chip does not accept the offer: {}", text::offer(*.0))]
    OfferNotAccepted(DownloadError),
    /// The package could not be installed.
    #[error("the profile could not be installed: {}", text::installation(.0))]
    NotInstalled(Box<FinalResult>),
    /// A confirmation code is needed.
    #[error("a confirmation code is needed")]
    ConfirmationCodeNeeded,
    /// The user does not want the profile, or not now.
    #[error("the download was given up")]
    GivenUp,
    /// The chip did not do it.
    #[error("the chip did not do it: {}", text::change(*.0))]
    NotDone(ProfileOutcome),
}

/// An LPA with a channel to the ISD-R of a chip.
#[derive(Debug)]
pub struct Lpa<'a> {
    channel: Channel<'a>,
}

impl<'a> Lpa<'a> {
    /// Opens a channel and selects the ISD-R.
    ///
    /// # Errors
    /// [`LpaError::Card`].
    pub fn open(card: &'a mut dyn Card) -> Result<Self, LpaError> {
        Ok(Self {
            channel: Channel::open(card)?,
        })
    }

    /// Closes the channel.
    ///
    /// # Errors
    /// [`LpaError::Card`].
    pub fn close(mut self) -> Result<(), LpaError> {
        Ok(self.channel.close()?)
    }

    fn ask(&mut self, command: &Command) -> Result<Vec<u8>, LpaError> {
        Ok(self.channel.store_data(&command.encode())?)
    }

    /// The chip's number.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn eid(&mut self) -> Result<Eid, LpaError> {
        Ok(es10::read_eid(&self.ask(&Command::GetEid)?)?)
    }

    /// What the chip can do.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn info(&mut self) -> Result<EuiccInfo2, LpaError> {
        Ok(EuiccInfo2::from_bytes(&self.ask(&Command::GetInfo2)?)?)
    }

    /// The addresses the chip keeps.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn addresses(&mut self) -> Result<Addresses, LpaError> {
        Ok(Addresses::from_bytes(&self.ask(&Command::GetAddresses)?)?)
    }

    /// The profiles on the chip.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn profiles(&mut self) -> Result<Vec<ProfileInfo>, LpaError> {
        let answer = self.ask(&Command::GetProfiles(Search::default()))?;
        Ok(es10::read_profiles(&answer)?)
    }

    fn change(&mut self, command: &Command) -> Result<(), LpaError> {
        match es10::read_outcome(&self.ask(command)?)? {
            ProfileOutcome::Ok => Ok(()),
            other => Err(LpaError::NotDone(other)),
        }
    }

    /// Takes a profile in use, in place of the one that was.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn enable(&mut self, iccid: &Iccid) -> Result<(), LpaError> {
        let profile = ProfileId::Iccid(*iccid);
        self.change(&Command::Enable {
            profile,
            refresh: true,
        })
    }

    /// Takes a profile out of use.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn disable(&mut self, iccid: &Iccid) -> Result<(), LpaError> {
        let profile = ProfileId::Iccid(*iccid);
        self.change(&Command::Disable {
            profile,
            refresh: true,
        })
    }

    /// Deletes a profile that is not in use.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn delete(&mut self, iccid: &Iccid) -> Result<(), LpaError> {
        self.change(&Command::Delete(ProfileId::Iccid(*iccid)))
    }

    /// Gives a profile the user's own name.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn rename(&mut self, iccid: &Iccid, nickname: &str) -> Result<(), LpaError> {
        self.change(&Command::SetNickname {
            iccid: *iccid,
            nickname: nickname.to_owned(),
        })
    }

    /// Sets the server to ask when there is no activation code.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn set_default_address(&mut self, address: &str) -> Result<(), LpaError> {
        self.change(&Command::SetDefaultAddress(address.to_owned()))
    }

    /// Forgets profiles and the default address, whatever their rules and states are.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn reset_memory(&mut self, options: ResetOptions) -> Result<(), LpaError> {
        self.change(&Command::MemoryReset(options))
    }

    /// What the chip has to tell.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn notifications(&mut self) -> Result<Vec<NotificationMetadata>, LpaError> {
        let answer = self.ask(&Command::ListNotifications(NotificationFilter::All))?;
        Ok(es10::read_notification_list(&answer)?)
    }

    /// Delivers what the chip has to tell, in its order, and removes what was received. Gives how many were
    /// delivered. What cannot be delivered now stays for the next time; a server that does not answer once is
    /// left alone until then.
    ///
    /// # Errors
    /// [`LpaError`] of the card.
    pub fn deliver_notifications(&mut self, servers: &mut dyn Servers) -> Result<usize, LpaError> {
        let command = Command::RetrieveNotifications(NotificationFilter::All);
        let answer = self.ask(&command)?;
        let mut silent = BTreeSet::new();
        let mut delivered = 0;
        for octets in es10::raw_notifications(&answer)? {
            // One that this LPA does not understand must not hold up the others.
            let Ok(notification) = PendingNotification::from_bytes(&octets) else {
                continue;
            };
            let says = notification.unverified();
            if silent.contains(&says.address) {
                continue;
            }
            let body = es9::notification_body(&octets).to_string();
            let path = es9::path::HANDLE_NOTIFICATION;
            match servers.post(&says.address, path, body.as_bytes()) {
                Ok((200..=299, _)) => {
                    self.change(&Command::RemoveNotification(says.sequence_number))?;
                    delivered += 1;
                }
                Ok(_) | Err(_) => {
                    silent.insert(says.address.clone());
                }
            }
        }
        Ok(delivered)
    }

    /// What waits for this chip at its discovery server.
    ///
    /// # Errors
    /// [`LpaError`].
    pub fn discover(&mut self, servers: &mut dyn Servers) -> Result<Vec<EventEntry>, LpaError> {
        let address = self.addresses()?.root_smds;
        let order = Order::at(&address);
        let (_, body) = self.authenticate(&order, servers)?;
        Ok(es9::read_events(&body)?)
    }

    /// What can be downloaded without an activation code: what discovery tells of, and else what may wait at the
    /// default server. Empty when the chip knows neither.
    ///
    /// Source: SGP.22 v2.5 §3.1.3 (three ways to the address of the SM-DP+)
    ///
    /// # Errors
    /// [`LpaError`] of the discovery server when there is no default server to ask instead.
    pub fn find_orders(
        &mut self,
        device: &DeviceInfo,
        servers: &mut dyn Servers,
    ) -> Result<Vec<Order>, LpaError> {
        let addresses = self.addresses()?;
        let discovered = if addresses.root_smds.is_empty() {
            Ok(Vec::new())
        } else {
            self.discover(servers)
        };
        let default = addresses.default_smdp.map(|address| Order {
            device: device.clone(),
            ..Order::at(&address)
        });
        match (discovered, default) {
            (Ok(events), _) if !events.is_empty() => Ok(events
                .iter()
                .map(|event| Order::event(event, device.clone()))
                .collect()),
            (_, Some(order)) => Ok(vec![order]),
            (Ok(_), None) => Ok(Vec::new()),
            (Err(error), None) => Err(error),
        }
    }
}

/// Posts a request and reads the answer's fields.
fn call(
    servers: &mut dyn Servers,
    address: &str,
    path: &str,
    body: &serde_json::Value,
) -> Result<Body, LpaError> {
    let (status, octets) = servers.post(address, path, body.to_string().as_bytes())?;
    if !(200..300).contains(&status) {
        return Err(LpaError::HttpStatus(status));
    }
    let body = Body::parse(&octets)?;
    let value = body.clone().into_value();
    match outcome(&value) {
        Some(Outcome::Executed) => Ok(body),
        Some(failed) => Err(LpaError::Refused(failed)),
        None => Err(LpaError::Body(BodyError::Missing("header"))),
    }
}
