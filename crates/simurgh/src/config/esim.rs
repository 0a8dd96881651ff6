//! The section `[esim]`: the SM-DP+ of this program.

use std::net::SocketAddr;
use std::path::PathBuf;

use simurgh_connectors::Secret;
use simurgh_rsp::activation_code::ActivationCode;
use simurgh_smdp::Caller;
use simurgh_vocab::Duration;

use super::reader::Reader;
use super::{address, needed};

/// How the SM-DP+ is run.
#[derive(Debug, Clone)]
pub(crate) struct EsimSettings {
    /// The name under which phones find it.
    pub(crate) address: String,
    /// The name of the SM-DS beside it.
    pub(crate) smds_address: Option<String>,
    /// The folder of its certificates and keys.
    pub(crate) certificates: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) transport: EsimTransport,
    /// Who may call ES2+ and ES12.
    pub(crate) callers: Vec<Caller>,
    /// Where the caller wants to be told how its downloads go.
    pub(crate) listener: Option<Listening>,
    /// The SM-DS elsewhere that may be told of what waits for a chip, and what they know us by.
    pub(crate) discovery: (Vec<String>, Option<Secret>),
    /// How long an order of a caller can be downloaded.
    pub(crate) order_lasts: Option<Duration>,
    /// A file of authorities whose certificates callers may show.
    pub(crate) authorities: Option<PathBuf>,
    /// Counts up when what profiles are made of changed.
    pub(crate) profile_version: u32,
}

/// An operator that listens.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    /// The name it orders under.
    pub(crate) operator: String,
    /// The host name of its server.
    pub(crate) address: String,
    /// What it knows us by.
    pub(crate) token: Option<Secret>,
}

/// How phones reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EsimTransport {
    /// TLS here, with CERT.DPtls.
    Tls,
    /// Without: something before it does TLS with CERT.DPtls.
    Plain,
}

pub(super) fn esim(r: &mut Reader) -> Option<EsimSettings> {
    let is_wanted = r.has_section("esim");
    let name = r.text("esim.address", "");
    let smds_address = r.optional_text("esim.smds_address", "");
    let certificates = r.file("esim.certificates");
    let listen = address(r, "esim.listen", "127.0.0.1:8443");
    let words = [
        ("certificate", EsimTransport::Tls),
        ("plain", EsimTransport::Plain),
    ];
    let transport = r.choice("esim.tls", &words);
    let caller = caller(r);
    let listener = listener(r, caller.as_ref());
    let discovery = r.list("esim.discovery", &[]);
    let discovery_token = r.secret("esim.discovery_token");
    let order_days = r.number("esim.order_days", 0, (0, 3_650));
    let authorities = r.file("esim.caller_authorities");
    let profile_version = r.number("esim.profile_version", 0, (0, 1_000_000));
    if !is_wanted {
        return None;
    }
    needed(r, "esim.address", &name);
    let own = Some(&name).filter(|name| !name.is_empty());
    let named = own.map(|name| ("esim.address", name)).into_iter();
    let named = named.chain(
        smds_address
            .as_ref()
            .map(|name| ("esim.smds_address", name)),
    );
    for (path, host) in named.chain(discovery.iter().map(|name| ("esim.discovery", name))) {
        host_name(r, path, host);
    }
    if certificates.is_none() {
        r.fault(
            "esim.certificates",
            "it is needed: the folder with CERT.DPauth, CERT.DPpb, CERT.DPtls, their keys and CERT.CI",
        );
    }
    if let Some(folder) = &certificates
        && !folder.is_dir()
    {
        r.fault(
            "esim.certificates",
            &format!("{}: there is no such folder", folder.display()),
        );
    }
    Some(EsimSettings {
        address: name,
        smds_address,
        certificates: certificates?,
        listen: listen?,
        transport: transport?,
        callers: caller.into_iter().collect(),
        listener,
        discovery: (discovery, discovery_token),
        order_lasts: (order_days > 0).then(|| Duration::days(order_days)),
        authorities,
        profile_version,
    })
}

/// Where that operator wants to be told how the downloads of its orders go.
fn listener(r: &mut Reader, caller: Option<&Caller>) -> Option<Listening> {
    let address = r.optional_text("esim.caller_listener", "");
    let token = r.secret("esim.caller_listener_token");
    let (Some(address), Some(caller)) = (address.clone(), caller) else {
        if address.is_some() || token.is_some() {
            let expected = "it belongs to esim.caller, and a token to an address";
            r.fault("esim.caller_listener", expected);
        }
        return None;
    };
    host_name(r, "esim.caller_listener", &address);
    Some(Listening {
        operator: caller.identifier().to_owned(),
        address,
        token,
    })
}

fn host_name(r: &mut Reader, path: &str, host: &str) {
    if ActivationCode::new(host, "").is_err() {
        r.fault(path, "a host name is expected, e.g. rsp.example.com");
    }
}

/// The one operator beside us who may call, by a token or by its certificate.
fn caller(r: &mut Reader) -> Option<Caller> {
    let name = r.optional_text("esim.caller", "");
    let token = r.secret("esim.caller_token");
    let fingerprint = r.optional_text("esim.caller_certificate", "");
    match (name, token, fingerprint) {
        (None, None, None) => None,
        (Some(name), Some(token), None) => {
            if token.reveal().len() < 16 {
                r.fault("esim.caller_token", "16 characters at least are expected");
            }
            Some(Caller::with_token(name, Secret::reveal(&token)))
        }
        (Some(name), None, Some(fingerprint)) => {
            let caller = Caller::with_certificate(name, &fingerprint);
            if caller.is_none() {
                let expected = "the SHA-256 of a certificate is expected: 64 hexadecimal digits";
                r.fault("esim.caller_certificate", expected);
            }
            caller
        }
        (_, _, _) => {
            let expected = "a name and either caller_token or caller_certificate belong together";
            r.fault("esim.caller", expected);
            None
        }
    }
}
