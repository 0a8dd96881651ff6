//! The section `[charging]`: what the network asks by Diameter.

use std::net::SocketAddr;
use std::path::PathBuf;

use simurgh_app::charge::Rules;
use simurgh_charging::{Slice, Tariff, UnknownSessions};
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::credit_control::CreditControlFailureHandling as Handling;
use simurgh_gy::{AtTheEnd, LimitTold, StoreDown};
use simurgh_vocab::Duration;

use super::reader::Reader;
use super::{address, needed};

/// How the network is charged.
#[derive(Debug, Clone)]
pub(crate) struct ChargingSettings {
    pub(crate) listen: SocketAddr,
    /// Our name.
    pub(crate) host: String,
    /// Our realm.
    pub(crate) realm: String,
    /// Who may connect.
    pub(crate) peers: Vec<AllowedPeer>,
    pub(crate) at_the_end: AtTheEnd,
    pub(crate) store_down: StoreDown,
    pub(crate) failure_handling: Handling,
    pub(crate) limit_told: LimitTold,
    pub(crate) quota_holding_seconds: u32,
    /// TLS, if it is wanted.
    pub(crate) tls: Option<TlsFiles>,
    /// Slices, times, free services, the home country.
    pub(crate) rules: Rules,
}

/// What TLS with gateways needs.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// Our certificate and those between it and its authority.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Those who certify gateways.
    pub(crate) authorities: PathBuf,
}

/// What is done when the last units are used up.
#[derive(Clone, Copy)]
enum End {
    Redirect,
    Restrict,
    Terminate,
}

pub(super) fn charging(r: &mut Reader, portal_url: Option<&str>) -> Option<ChargingSettings> {
    let is_wanted = r.has_section("charging");
    let listen = address(r, "charging.listen", "127.0.0.1:3868");
    let host = r.text("charging.host", "");
    let realm = r.text("charging.realm", "");
    let named = r.list("charging.peers", &[]);
    let home = r.optional_text("charging.home_country", "");
    let at_the_end = at_the_end(r, portal_url);
    let quota_holding_seconds = r.number("charging.quota_holding_seconds", 0, (0, 86_400));
    let down = [
        ("refuse", StoreDown::Refuse),
        ("busy", StoreDown::Busy),
        ("let-through", StoreDown::LetThrough),
    ];
    let store_down = r.choice("charging.store_down", &down);
    let handlings = [
        ("terminate", Handling::Terminate),
        ("continue", Handling::Continue),
        ("retry-and-terminate", Handling::RetryAndTerminate),
    ];
    let failure_handling = r.choice("charging.failure_handling", &handlings);
    let limit_told = limit_told(r);
    let tls = tls(r);
    let tariff = tariff(r);
    if !is_wanted {
        return None;
    }
    needed(r, "charging.host", &host);
    needed(r, "charging.realm", &realm);
    let peers: Vec<_> = named
        .iter()
        .filter_map(|name| peer(r, name, &realm))
        .collect();
    if peers.is_empty() {
        let expected = "it is needed: the Diameter names of the gateways that may connect";
        r.fault("charging.peers", expected);
    }
    let home = match home.as_deref().map(str::parse) {
        Some(Ok(country)) => Some(country),
        Some(Err(_)) => {
            r.fault("charging.home_country", "two letters are expected, e.g. CN");
            None
        }
        None => None,
    };
    Some(ChargingSettings {
        listen: listen?,
        host,
        realm,
        peers,
        at_the_end: at_the_end?,
        store_down: store_down?,
        failure_handling: failure_handling?,
        limit_told: limit_told?,
        quota_holding_seconds,
        tls,
        rules: Rules {
            tariff,
            home,
            reauthorizer: None,
        },
    })
}

fn at_the_end(r: &mut Reader, portal_url: Option<&str>) -> Option<AtTheEnd> {
    let ends = [
        ("redirect", End::Redirect),
        ("restrict", End::Restrict),
        ("terminate", End::Terminate),
    ];
    let end = r.choice("charging.at_the_end", &ends);
    let filters = r.list("charging.restricted_filters", &[]);
    Some(match end? {
        End::Redirect => AtTheEnd::Redirect(format!("{}/plans", portal_url.unwrap_or_default())),
        End::Restrict => {
            if filters.is_empty() {
                let expected =
                    "it is needed: the names of the filters that gateways know (Filter-Id)";
                r.fault("charging.restricted_filters", expected);
            }
            AtTheEnd::Restrict(filters)
        }
        End::Terminate => AtTheEnd::Terminate,
    })
}

fn limit_told(r: &mut Reader) -> Option<LimitTold> {
    let told = [
        ("services", LimitTold::InServices),
        ("answer", LimitTold::InAnswer),
    ];
    r.choice("charging.limit_told", &told)
}

/// All three files, or none.
fn tls(r: &mut Reader) -> Option<TlsFiles> {
    let certificate = r.file("charging.tls_certificate");
    let key = r.file("charging.tls_key");
    let authorities = r.file("charging.tls_authorities");
    match (certificate, key, authorities) {
        (Some(certificate), Some(key), Some(authorities)) => Some(TlsFiles {
            certificate,
            key,
            authorities,
        }),
        (None, None, None) => None,
        (Some(_) | None, Some(_) | None, Some(_) | None) => {
            let expected = "tls_certificate, tls_key and tls_authorities belong together";
            r.fault("charging.tls_certificate", expected);
            None
        }
    }
}

/// `pgw.example.com`, of our own realm, or `pgw.visited.com@visited.com`; with `=192.0.2.1` behind it, from
/// that address only.
fn peer(r: &mut Reader, text: &str, realm: &str) -> Option<AllowedPeer> {
    let (name, from) = match text.split_once('=') {
        Some((name, from)) => (name, Some(from)),
        None => (text, None),
    };
    let (host, realm) = name.split_once('@').unwrap_or((name, realm));
    let addresses = match from.map(str::parse) {
        Some(Ok(address)) => vec![address],
        None => Vec::new(),
        Some(Err(_)) => {
            r.fault(
                "charging.peers",
                &format!("{text}: an IP address is expected behind ="),
            );
            return None;
        }
    };
    Some(AllowedPeer {
        host: host.trim().to_owned(),
        realm: realm.trim().to_owned(),
        addresses,
    })
}

fn tariff(r: &mut Reader) -> Tariff {
    let kib = 1_024;
    let data = Slice {
        least: i64::from(r.number("charging.data_least_kib", 256, (1, 1_048_576))) * kib,
        most: i64::from(r.number("charging.data_most_kib", 65_536, (1, 16_777_216))) * kib,
    };
    let voice = Slice {
        least: i64::from(r.number("charging.voice_least_seconds", 10, (1, 3_600))),
        most: i64::from(r.number("charging.voice_most_seconds", 300, (1, 86_400))),
    };
    let slices = [
        ("charging.data_most_kib", data),
        ("charging.voice_most_seconds", voice),
    ];
    for (path, slice) in slices {
        if slice.most < slice.least {
            r.fault(path, "the most is less than the least");
        }
    }
    let validity = r.number("charging.validity_seconds", 1_800, (60, 86_400));
    let free: Vec<Option<u32>> = r
        .list("charging.free_rating_groups", &[])
        .iter()
        .map(|text| text.trim().parse().ok())
        .collect();
    if free.contains(&None) {
        r.fault("charging.free_rating_groups", "numbers are expected");
    }
    let unknown = [
        ("refuse", UnknownSessions::Refused),
        ("take-over", UnknownSessions::TakenOver),
    ];
    let unknown_sessions = r.choice("charging.unknown_sessions", &unknown);
    Tariff {
        data,
        voice,
        validity: Duration::seconds(validity),
        free_rating_groups: free.into_iter().flatten().collect(),
        unknown_sessions: unknown_sessions.unwrap_or(UnknownSessions::Refused),
        ..Tariff::default()
    }
}
