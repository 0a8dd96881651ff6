//! The settings of the link to a message centre, and what they become once checked.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use rusmpp::pdus::{BindTransceiver, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use simurgh_app::ports::ReceiptSink;
use simurgh_vocab::{Duration, Msisdn};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::super::{SettingFault, std_duration, tls};
use super::Smpp;
use super::segment::{Alphabet, Segments};
use crate::Secret;

/// The User Data Header Indicator of `esm_class` (SMPP v3.4 §5.2.12).
const ESM_CLASS_UDHI: u8 = 0x40;

/// Asks for a receipt whatever the outcome (SMPP v3.4 §5.2.17).
const RECEIPT_ON_ANY_OUTCOME: u8 = 0x01;

/// How the connection is protected. SMPP has no STARTTLS; operators that offer no TLS are reached
/// through a private line or a VPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmppTls {
    /// TLS from the first byte.
    Implicit,
    /// No protection of its own.
    Plain,
}

/// Whether the message centre is asked what became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipts {
    /// A receipt for every part, whatever the outcome.
    Wanted,
    /// None.
    NotWanted,
}

/// How the ids in receipts relate to those in `submit_sm_resp`: message centres disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageIds {
    /// They are the same text.
    Same,
    /// The answer gives a hexadecimal number, the receipt the same number in decimal.
    HexThenDecimal,
    /// The answer gives a decimal number, the receipt the same number in hexadecimal.
    DecimalThenHex,
}

impl MessageIds {
    /// The reference for the id in an answer. Numbers are kept in decimal without leading zeros.
    pub(super) fn of_answer(self, id: String) -> String {
        match self {
            Self::Same => id,
            Self::HexThenDecimal => decimal(id, 16),
            Self::DecimalThenHex => decimal(id, 10),
        }
    }

    /// The same reference for the id in a receipt.
    pub(super) fn of_receipt(self, id: String) -> String {
        match self {
            Self::Same => id,
            Self::HexThenDecimal => decimal(id, 10),
            Self::DecimalThenHex => decimal(id, 16),
        }
    }
}

fn decimal(id: String, radix: u32) -> String {
    u128::from_str_radix(&id, radix).map_or(id, |number| number.to_string())
}

/// How short messages leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmppSettings {
    /// Name or address of the message centre; with TLS its certificate must bear it.
    pub host: String,
    /// Port of the message centre.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmppTls,
    /// A file of PEM certificates to trust beside the public authorities.
    pub extra_ca_file: Option<PathBuf>,
    /// The account: `system_id`, at most 15 ASCII characters.
    pub system_id: String,
    /// Its password, at most 8 ASCII characters.
    pub password: Secret,
    /// `system_type`, at most 12 ASCII characters; empty unless the message centre asks for one.
    pub system_type: String,
    /// Whom messages come from: `+8613800138000`, a short code such as `10690000`, or a name of at
    /// most 11 ASCII characters such as `Simurgh`.
    pub source: String,
    /// Whether receipts are asked for.
    pub receipts: Receipts,
    /// How ids in receipts are written.
    pub message_ids: MessageIds,
    /// The most parts sent per second.
    pub parts_per_second_max: u32,
    /// The most parts sent and not yet answered.
    pub window: u16,
    /// The most messages that wait to be sent; more are turned away as `Temporary`.
    pub queue_max: u16,
    /// The time a message may take from waiting to the answer for its last part.
    pub send_timeout: Duration,
    /// The time the message centre has to connect, and to answer each request.
    pub response_timeout: Duration,
    /// After so much silence the link is probed by `enquire_link`.
    pub enquire_link_interval: Duration,
    /// The pause before the first new attempt to connect; it doubles with each failure.
    pub reconnect_first: Duration,
    /// The longest pause between attempts to connect.
    pub reconnect_max: Duration,
    /// The pause when the message centre says it is busy; it doubles until a part is taken.
    pub throttle_first: Duration,
    /// The longest such pause.
    pub throttle_max: Duration,
}

impl SmppSettings {
    /// Settings for an account at a message centre, with the usual limits and no TLS.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        system_id: impl Into<String>,
        password: Secret,
        source: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port: 2775,
            tls: SmppTls::Plain,
            extra_ca_file: None,
            system_id: system_id.into(),
            password,
            system_type: String::new(),
            source: source.into(),
            receipts: Receipts::Wanted,
            message_ids: MessageIds::Same,
            parts_per_second_max: 20,
            window: 10,
            queue_max: 1_000,
            send_timeout: Duration::seconds(20),
            response_timeout: Duration::seconds(10),
            enquire_link_interval: Duration::seconds(30),
            reconnect_first: Duration::seconds(1),
            reconnect_max: Duration::seconds(60),
            throttle_first: Duration::seconds(1),
            throttle_max: Duration::seconds(30),
        }
    }
}

/// Settings that were checked; [`start`](Self::start) opens the link.
pub struct PreparedSmpp(pub(super) Arc<Plan>);

impl PreparedSmpp {
    /// Starts the task that keeps the connection, inside the current tokio runtime. Receipts go to
    /// `sink`.
    #[must_use]
    pub fn start(self, sink: Arc<dyn ReceiptSink>) -> Smpp {
        Smpp::start(self.0, sink)
    }
}

impl std::fmt::Debug for PreparedSmpp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedSmpp")
            .field("host", &self.0.host)
            .field("port", &self.0.port)
            .finish_non_exhaustive()
    }
}

/// The settings in the form the session uses.
pub(super) struct Plan {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(super) bind: BindTransceiver,
    pub(super) message_ids: MessageIds,
    pub(super) part_interval: StdDuration,
    pub(super) window: usize,
    pub(super) queue_max: usize,
    pub(super) send_timeout: StdDuration,
    pub(super) response_timeout: StdDuration,
    pub(super) enquire_link_interval: StdDuration,
    pub(super) reconnect_first: StdDuration,
    pub(super) reconnect_max: StdDuration,
    pub(super) throttle_first: StdDuration,
    pub(super) throttle_max: StdDuration,
    source: Source,
    receipts: Receipts,
}

#[derive(Clone)]
struct Source {
    ton: Ton,
    npi: Npi,
    address: COctetString<1, 21>,
}

impl Plan {
    pub(super) fn new(settings: SmppSettings) -> Result<Self, Vec<SettingFault>> {
        let mut faults = Vec::new();
        let source = keep(Source::parse(&settings.source), &mut faults);
        let bind = keep(bind(&settings), &mut faults);
        let tls = keep(protection(&settings), &mut faults);
        let one_or_more = [
            ("parts_per_second_max", settings.parts_per_second_max > 0),
            ("window", settings.window > 0),
            ("queue_max", settings.queue_max > 0),
        ];
        for (setting, holds) in one_or_more {
            if !holds {
                faults.push(SettingFault::new(setting, "at least 1"));
            }
        }
        let (Some(source), Some(bind), Some(tls), true) = (source, bind, tls, faults.is_empty())
        else {
            return Err(faults);
        };
        Ok(Self {
            tls,
            bind,
            source,
            receipts: settings.receipts,
            message_ids: settings.message_ids,
            part_interval: StdDuration::from_secs(1) / settings.parts_per_second_max,
            window: usize::from(settings.window),
            queue_max: usize::from(settings.queue_max),
            send_timeout: std_duration(settings.send_timeout),
            response_timeout: std_duration(settings.response_timeout),
            enquire_link_interval: std_duration(settings.enquire_link_interval),
            reconnect_first: std_duration(settings.reconnect_first),
            reconnect_max: std_duration(settings.reconnect_max),
            throttle_first: std_duration(settings.throttle_first),
            throttle_max: std_duration(settings.throttle_max),
            host: settings.host,
            port: settings.port,
        })
    }

    /// The parts of a message as they go to the message centre.
    pub(super) fn submissions(
        &self,
        to: &Msisdn,
        segments: Segments,
    ) -> Result<Vec<SubmitSm>, String> {
        let digits = to.as_str().trim_start_matches('+');
        let destination = COctetString::from_str(digits)
            .map_err(|_| "the number is too long for SMPP".to_owned())?;
        // Never `EsmClass::default()`: in this crate it is 0x08, a delivery acknowledgement.
        let esm_class = EsmClass::from(if segments.parts.len() > 1 {
            ESM_CLASS_UDHI
        } else {
            0
        });
        let data_coding = match segments.alphabet {
            Alphabet::Gsm => DataCoding::McSpecific,
            Alphabet::Ucs2 => DataCoding::Ucs2,
        };
        let registered_delivery = RegisteredDelivery::from(match self.receipts {
            Receipts::Wanted => RECEIPT_ON_ANY_OUTCOME,
            Receipts::NotWanted => 0,
        });
        let submission = |part: Vec<u8>| {
            let short_message = OctetString::from_vec(part).map_err(|error| error.to_string())?;
            Ok(SubmitSm::builder()
                .source_addr_ton(self.source.ton)
                .source_addr_npi(self.source.npi)
                .source_addr(self.source.address.clone())
                .dest_addr_ton(Ton::International)
                .dest_addr_npi(Npi::Isdn)
                .destination_addr(destination.clone())
                .esm_class(esm_class)
                .registered_delivery(registered_delivery)
                .data_coding(data_coding)
                .short_message(short_message)
                .build())
        };
        segments.parts.into_iter().map(submission).collect()
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, SettingFault> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let fault = || {
            SettingFault::new(
                "source",
                "a number such as +8613800138000, a short code such as 10690000 or a name of at \
                 most 11 letters such as Simurgh is expected",
            )
        };
        let (ton, npi, address, length_max) = match text.strip_prefix('+') {
            Some(number) if digits(number) => (Ton::International, Npi::Isdn, number, 15),
            None if digits(text) => (Ton::NetworkSpecific, Npi::Unknown, text, 20),
            None if text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') => {
                (Ton::Alphanumeric, Npi::Unknown, text, 11)
            }
            Some(_) | None => return Err(fault()),
        };
        if address.is_empty() || address.len() > length_max {
            return Err(fault());
        }
        let address = COctetString::from_str(address).map_err(|_| fault())?;
        Ok(Self { ton, npi, address })
    }
}

fn keep<T>(checked: Result<T, SettingFault>, faults: &mut Vec<SettingFault>) -> Option<T> {
    checked.map_err(|fault| faults.push(fault)).ok()
}

fn bind(settings: &SmppSettings) -> Result<BindTransceiver, SettingFault> {
    let system_id = ascii("system_id", &settings.system_id, 15)?;
    let password = ascii("password", settings.password.reveal(), 8)?;
    let system_type = ascii("system_type", &settings.system_type, 12)?;
    Ok(BindTransceiver::builder()
        .system_id(system_id)
        .password(password)
        .system_type(system_type)
        .interface_version(InterfaceVersion::Smpp3_4)
        .build())
}

fn ascii<const MAX: usize>(
    setting: &'static str,
    text: &str,
    length_max: usize,
) -> Result<COctetString<1, MAX>, SettingFault> {
    COctetString::from_str(text)
        .map_err(|_| SettingFault::new(setting, format!("at most {length_max} ASCII characters")))
}

type Protection = Option<(Arc<ClientConfig>, ServerName<'static>)>;

fn protection(settings: &SmppSettings) -> Result<Protection, SettingFault> {
    match settings.tls {
        SmppTls::Plain => Ok(None),
        SmppTls::Implicit => {
            let name = ServerName::try_from(settings.host.clone())
                .map_err(|error| SettingFault::new("host", error.to_string()))?;
            let config = tls::client(settings.extra_ca_file.as_deref())?;
            Ok(Some((config, name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_that_cannot_work_is_named_at_once() {
        let mut settings = SmppSettings::new(
            "smsc.example",
            "an id that is too long",
            Secret::new("x"),
            "A name that is too long",
        );
        settings.window = 0;
        let faults = Smpp::prepare(settings).unwrap_err();
        let names: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
        assert_eq!(names, ["source", "system_id", "window"]);
    }

    #[test]
    fn passwords_stay_out_of_debug_and_faults() {
        let secret = Secret::new("hunter2hunter2");
        let settings = SmppSettings::new("smsc.example", "id", secret, "Simurgh");
        assert!(!format!("{settings:?}").contains("hunter2"));
        let faults = Smpp::prepare(settings).unwrap_err();
        assert_eq!(faults[0].setting, "password");
        assert!(!format!("{faults:?}").contains("hunter2"));
    }

    #[test]
    fn smpp_3_4_5_2_5_the_source_decides_its_type() {
        let kind = |text: &str| Source::parse(text).ok().map(|s| (s.ton, s.npi));
        assert_eq!(
            kind("+8613800138000"),
            Some((Ton::International, Npi::Isdn))
        );
        assert_eq!(kind("10690000"), Some((Ton::NetworkSpecific, Npi::Unknown)));
        assert_eq!(kind("Simurgh"), Some((Ton::Alphanumeric, Npi::Unknown)));
        for text in ["", "+", "+86 138", "神鸟", "TwelveLetter", "a\0b"] {
            assert!(kind(text).is_none(), "{text:?}");
        }
    }
}
