//! Requests as octets: written once, then only what differs is put in.

use simurgh_diameter::avp::Avps;
use simurgh_diameter::charging::{PsInformation, ServiceInformation};
use simurgh_diameter::credit_control::{
    CcRequestType, CreditControlRequest, MultipleServicesCreditControl, RequestedServiceUnit,
    SubscriptionId, SubscriptionIdType, UsedServiceUnit,
};
use simurgh_diameter::frame::{Frame, HEADER_OCTETS, Ids};
use simurgh_diameter::message::{application, encode};
use simurgh_diameter::value::Private;
use simurgh_diameter::{Repeated, dictionary};
use simurgh_sim::{CHARGED_REALM, gateway, line_number};

/// A request has at least this many octets, as a gateway's has.
const OCTETS: usize = 500;
/// What each update reports.
const USED_OCTETS: u64 = 300_000;
/// Stands where the number of the session comes.
const SESSION: &str = "#session-number#";
/// Stands where the number of the request comes.
const REQUEST: u32 = 0x5AA5_C33C;
/// Updates of a session.
pub(super) const UPDATES: u32 = 4;

/// The requests of one connection.
pub(super) struct Requests {
    initial: Template,
    update: Template,
    terminate: Template,
}

/// What a request is about.
pub(super) struct About {
    /// Unique in the run.
    pub(super) session: u64,
    pub(super) line: u32,
    /// Which of the session.
    pub(super) number: u32,
    /// Whether it is the last one.
    pub(super) ends: bool,
    /// Which of those under way on the connection.
    pub(super) place: u32,
}

struct Template {
    octets: Vec<u8>,
    session: usize,
    line: usize,
    number: usize,
}

impl Requests {
    /// Those of the `conn`-th connection.
    pub(super) fn new(conn: u32, groups: u32) -> Result<Self, String> {
        let template = |kind| Template::new(conn, groups, kind);
        Ok(Self {
            initial: template(CcRequestType::Initial)?,
            update: template(CcRequestType::Update)?,
            terminate: template(CcRequestType::Termination)?,
        })
    }

    /// Adds a request to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>, about: &About) {
        let template = match about.number {
            0 => &self.initial,
            _ if about.ends => &self.terminate,
            _ => &self.update,
        };
        template.write(out, about);
    }
}

impl Template {
    fn new(conn: u32, groups: u32, kind: CcRequestType) -> Result<Self, String> {
        let short = request(conn, groups, kind, "")?;
        let padding = "-".repeat(OCTETS.saturating_sub(short.len()));
        let octets = request(conn, groups, kind, &padding)?;
        let find = |what: &[u8]| {
            let mut places = octets.windows(what.len());
            places
                .position(|it| it == what)
                .ok_or("a request without its parts")
        };
        let (session, number) = (find(SESSION.as_bytes())?, find(&REQUEST.to_be_bytes())?);
        let line = find(line_number(0).as_bytes())?;
        Ok(Self {
            octets,
            session,
            line,
            number,
        })
    }

    fn write(&self, out: &mut Vec<u8>, about: &About) {
        let start = out.len();
        out.extend_from_slice(&self.octets);
        let Some(message) = out.get_mut(start..) else {
            return;
        };
        put(message, 12, &about.place.to_be_bytes());
        let [.., a, b, c, d] = about.session.to_be_bytes();
        put(message, 16, &[a, b, c, d]);
        put(message, self.number, &about.number.to_be_bytes());
        put_digits(message, self.session, SESSION.len(), about.session);
        put_digits(message, self.line + 5, 8, u64::from(about.line));
    }
}

fn put(message: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(place) = message.get_mut(at..at + octets.len()) {
        place.copy_from_slice(octets);
    }
}

fn put_digits(message: &mut [u8], at: usize, count: usize, mut number: u64) {
    if let Some(place) = message.get_mut(at..at + count) {
        for digit in place.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
    }
}

fn request(conn: u32, groups: u32, kind: CcRequestType, padding: &str) -> Result<Vec<u8>, String> {
    let host = gateway(conn);
    let session = format!("{host};{SESSION}");
    let number = line_number(0);
    let subscriber = [SubscriptionId {
        subscription_id_type: SubscriptionIdType::E164,
        subscription_id_data: Private(&number),
    }];
    let used = [UsedServiceUnit {
        total_octets: Some(USED_OCTETS),
        ..UsedServiceUnit::default()
    }];
    let asks = kind != CcRequestType::Termination;
    let reports = kind != CcRequestType::Initial;
    let service = |group| MultipleServicesCreditControl {
        rating_group: Some(group),
        requested_service_unit: asks.then(RequestedServiceUnit::default),
        used_service_unit: if reports {
            Repeated::from(&used)
        } else {
            Repeated::NONE
        },
        ..MultipleServicesCreditControl::default()
    };
    let services: Vec<_> = (1..=groups).map(service).collect();
    let request = CreditControlRequest {
        session_id: &session,
        origin_host: &host,
        origin_realm: CHARGED_REALM,
        destination_realm: CHARGED_REALM,
        auth_application_id: application::CREDIT_CONTROL,
        service_context_id: "32251@3gpp.org",
        cc_request_type: kind,
        cc_request_number: REQUEST,
        subscription_id: Repeated::from(&subscriber),
        multiple_services_credit_control: Repeated::from(services.as_slice()),
        service_information: Some(ServiceInformation {
            ps_information: Some(PsInformation {
                called_station_id: Some("internet"),
                tgpp_sgsn_mcc_mnc: Some("46000"),
                charging_rule_base_name: Some(padding),
                ..PsInformation::default()
            }),
            ..ServiceInformation::default()
        }),
        ..CreditControlRequest::default()
    };
    let mut out = Vec::new();
    let ids = Ids::default();
    encode(&mut out, ids, &request).map_err(|error| format!("{error:?}"))?;
    Ok(out)
}

/// The codes of an answer and of its services, if all are DIAMETER_SUCCESS.
///
/// # Errors
/// What else it says.
pub(super) fn check(frame: &Frame<'_>) -> Result<(), String> {
    let code = |avp: &simurgh_diameter::avp::Avp<'_>| {
        let octets = <[u8; 4]>::try_from(avp.data);
        octets.map_or(0, u32::from_be_bytes)
    };
    let mut seen = 0;
    for avp in Avps::new(frame.octets.get(HEADER_OCTETS..).unwrap_or_default()) {
        let avp = avp.map_err(|fault| format!("{fault:?}"))?;
        if avp.code == dictionary::RESULT_CODE.code {
            seen = code(&avp);
        } else if avp.code == dictionary::MULTIPLE_SERVICES_CREDIT_CONTROL.code {
            let of_service = avp
                .group()
                .filter_map(Result::ok)
                .find(|it| it.code == dictionary::RESULT_CODE.code);
            if let Some(bad) = of_service.map(|it| code(&it)).filter(|it| *it != SUCCESS) {
                return Err(format!("a service was answered {bad}"));
            }
        }
    }
    if seen == SUCCESS {
        return Ok(());
    }
    Err(format!("a request was answered {seen}"))
}

/// Source: `RFC 6733 §7.1.2`
const SUCCESS: u32 = 2001;
