//! Who may connect.

use std::net::IpAddr;

use crate::base::CapabilitiesExchangeRequest;
use crate::fault::{Fault, ResultCode};
use crate::frame::Frame;
use crate::message::decode;

/// A peer that may connect, or is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPeer {
    /// Its Origin-Host; the case of letters does not matter.
    pub host: String,
    /// Its Origin-Realm; the case of letters does not matter.
    pub realm: String,
    /// The addresses it may come from; none means any.
    pub addresses: Vec<IpAddr>,
}

/// The table of those who may connect. Empty, it admits nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedPeers {
    peers: Vec<AllowedPeer>,
}

impl AllowedPeers {
    /// These and no others.
    #[must_use]
    pub const fn new(peers: Vec<AllowedPeer>) -> Self {
        Self { peers }
    }

    /// Whether any of them may come from there.
    #[must_use]
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        self.peers.iter().any(|peer| peer.may_come_from(address))
    }

    /// Whose CER this is.
    ///
    /// # Errors
    /// `DIAMETER_UNKNOWN_PEER` for a name or address that is not in the table; a fault of the message, or
    /// `DIAMETER_UNABLE_TO_COMPLY` when it is no CER. Answer, and close.
    ///
    /// Source: RFC 6733 §5.3, §5.6.1
    pub fn admit<'a>(&self, first: &Frame<'a>, from: IpAddr) -> Result<&AllowedPeer, Fault<'a>> {
        let request = decode::<CapabilitiesExchangeRequest<'a>>(first).map_err(|fault| {
            if fault.result_code() == ResultCode::COMMAND_UNSUPPORTED {
                Fault::bare(ResultCode::UNABLE_TO_COMPLY)
            } else {
                fault
            }
        })?;
        let mut peers = self.peers.iter();
        peers
            .find(|peer| {
                peer.is(request.origin_host, request.origin_realm) && peer.may_come_from(from)
            })
            .ok_or(Fault::bare(ResultCode::UNKNOWN_PEER))
    }
}

impl AllowedPeer {
    /// Whether it may come from there.
    #[must_use]
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        self.addresses.is_empty() || self.addresses.contains(&address.to_canonical())
    }

    /// Whether these are its names.
    #[must_use]
    pub fn is(&self, host: &str, realm: &str) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.realm.eq_ignore_ascii_case(realm)
    }
}
