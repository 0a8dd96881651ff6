//! `simurgh.toml` and the environment, read into settings that can work.
//!
//! Every setting can be given as `SIMURGH_SECTION__NAME` too, e.g. `SIMURGH_STORE__URL`. The
//! environment wins. [`docs/guide/settings.md`] explains each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use simurgh_connectors::message::smtp::{SmtpLogin, SmtpTls};
use simurgh_connectors::message::{SmppSettings, SmtpSettings};
use simurgh_connectors::{SandboxSettings, Secret};
use simurgh_store::DatabaseUrl;
use simurgh_subscriber::Retention;
use simurgh_vocab::{Duration, TimeZoneName};

/// The file as it is written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    master_key: String,
    store: StoreSection,
    portal: PortalSection,
    console: ConsoleSection,
    admin: AdminSection,
    brand: BrandSection,
    documents: DocumentsSection,
    smtp: Option<SmtpSection>,
    smpp: Option<SmppSection>,
    sandbox_payments: Option<SandboxSection>,
    identity: IdentitySection,
    sandbox_identity: Option<SandboxSection>,
    log: LogSection,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct StoreSection {
    url: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct PortalSection {
    listen: String,
    url: String,
    trusted_proxy_header: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct ConsoleSection {
    listen: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct AdminSection {
    listen: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct BrandSection {
    name: String,
    legal_entity: String,
    support_email: String,
    support_phone: String,
    logo_svg: Option<PathBuf>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct DocumentsSection {
    series: String,
    time_zone: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SmtpSection {
    host: String,
    port: Option<u16>,
    /// `implicit`, `starttls` or `plain` (loopback only).
    tls: Option<String>,
    user: Option<String>,
    password: Option<String>,
    from: String,
    extra_ca_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SmppSection {
    host: String,
    port: Option<u16>,
    system_id: String,
    password: String,
    source: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SandboxSection {
    url: String,
    merchant: String,
    key: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct IdentitySection {
    keep_days_after_decision: u32,
    keep_days_undecided: u32,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct LogSection {
    format: String,
    filter: String,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            url: "sqlite:data/simurgh.db".to_owned(),
        }
    }
}

impl Default for PortalSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            url: String::new(),
            trusted_proxy_header: None,
        }
    }
}

impl Default for ConsoleSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8081".to_owned(),
        }
    }
}

impl Default for AdminSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8082".to_owned(),
        }
    }
}

impl Default for BrandSection {
    fn default() -> Self {
        let brand = simurgh_web::brand::Brand::default();
        Self {
            name: brand.name,
            legal_entity: brand.legal_entity,
            support_email: brand.support.email,
            support_phone: brand.support.phone,
            logo_svg: None,
        }
    }
}

impl Default for DocumentsSection {
    fn default() -> Self {
        Self {
            series: "SIM".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
        }
    }
}

impl Default for IdentitySection {
    fn default() -> Self {
        Self {
            keep_days_after_decision: 30,
            keep_days_undecided: 90,
        }
    }
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            format: "text".to_owned(),
            filter: "info".to_owned(),
        }
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings that can work.
pub(crate) struct Config {
    pub(crate) master_key: [u8; 32],
    pub(crate) store: DatabaseUrl,
    pub(crate) portal: SocketAddr,
    pub(crate) portal_url: String,
    pub(crate) trusted_proxy_header: Option<axum::http::HeaderName>,
    pub(crate) console: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) brand: simurgh_web::brand::Brand,
    pub(crate) series: String,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) smtp: Option<SmtpSettings>,
    pub(crate) smpp: Option<SmppSettings>,
    pub(crate) sandbox_payments: Option<SandboxSettings>,
    pub(crate) sandbox_identity: Option<SandboxSettings>,
    pub(crate) retention: Retention,
    pub(crate) log: (LogFormat, String),
}

/// Reads the settings. On failure every error is given, not only the first.
pub(crate) fn read(path: &Path) -> Result<Config, Vec<String>> {
    let figment = Figment::from(Serialized::defaults(File::default()))
        .merge(Toml::file_exact(path))
        .merge(Env::prefixed("SIMURGH_").split("__"));
    let file: File = figment.extract().map_err(|errors| {
        errors
            .into_iter()
            .map(|error| error.to_string())
            .collect::<Vec<_>>()
    })?;
    check(file)
}

fn check(file: File) -> Result<Config, Vec<String>> {
    let mut errors = Errors(Vec::new());
    let brand = brand(&file.brand, &mut errors);
    let portal_url = errors
        .take("portal.url", url(&file.portal.url))
        .unwrap_or_default();
    let config = Config {
        master_key: errors
            .take("master_key", key(&file.master_key))
            .unwrap_or_default(),
        store: errors
            .take("store.url", file.store.url.parse())
            .unwrap_or(DatabaseUrl::Sqlite(PathBuf::new())),
        portal: errors.address("portal.listen", &file.portal.listen),
        trusted_proxy_header: file
            .portal
            .trusted_proxy_header
            .and_then(|name| errors.take("portal.trusted_proxy_header", name.parse())),
        console: errors.address("console.listen", &file.console.listen),
        admin: errors.address("admin.listen", &file.admin.listen),
        brand,
        time_zone: errors
            .take("documents.time_zone", file.documents.time_zone.parse())
            .or_else(|| "UTC".parse().ok())
            .ok_or_else(|| vec!["the time zone database is missing".to_owned()])?,
        series: errors
            .take("documents.series", series(&file.documents.series))
            .unwrap_or_default(),
        smtp: file.smtp.and_then(|section| smtp(section, &mut errors)),
        smpp: file.smpp.map(smpp),
        sandbox_payments: file.sandbox_payments.and_then(|section| {
            let place = ("sandbox_payments", "/notify/sandbox");
            sandbox(section, place, &portal_url, &mut errors)
        }),
        sandbox_identity: file.sandbox_identity.and_then(|section| {
            let place = ("sandbox_identity", "/notify/identity/sandbox");
            sandbox(section, place, &portal_url, &mut errors)
        }),
        retention: retention(&file.identity, &mut errors),
        portal_url,
        log: (
            errors
                .take("log.format", log_format(&file.log.format))
                .unwrap_or(LogFormat::Text),
            file.log.filter,
        ),
    };
    if errors.0.is_empty() {
        Ok(config)
    } else {
        Err(errors.0)
    }
}

struct Errors(Vec<String>);

impl Errors {
    fn take<T, E: ToString>(&mut self, setting: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(format!("{setting}: {}", error.to_string()));
                None
            }
        }
    }

    fn address(&mut self, setting: &str, text: &str) -> SocketAddr {
        let parsed = text
            .parse()
            .map_err(|_| "an address such as 127.0.0.1:8080 is expected");
        self.take(setting, parsed)
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// A key of 32 bytes written as 64 hexadecimal digits.
pub(crate) fn key(text: &str) -> Result<[u8; 32], &'static str> {
    const EXPECTED: &str = "64 hexadecimal digits are expected, e.g. from `openssl rand -hex 32`";
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return Err(EXPECTED);
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| EXPECTED)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| EXPECTED)?;
    }
    Ok(key)
}

fn url(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('/');
    let secure = text.starts_with("https://");
    let local = text.starts_with("http://127.0.0.1") || text.starts_with("http://localhost");
    if secure || local {
        Ok(text.to_owned())
    } else {
        Err("the portal's public address is expected, e.g. https://mobile.example.com")
    }
}

fn series(text: &str) -> Result<String, &'static str> {
    let sound = (1..=8).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("1 to 8 capital letters or digits are expected")
    }
}

fn log_format(text: &str) -> Result<LogFormat, &'static str> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json is expected"),
    }
}

fn brand(section: &BrandSection, errors: &mut Errors) -> simurgh_web::brand::Brand {
    let logo_svg = section
        .logo_svg
        .as_ref()
        .and_then(|path| errors.take("brand.logo_svg", std::fs::read_to_string(path)));
    let base = simurgh_web::brand::Brand::default();
    simurgh_web::brand::Brand {
        name: section.name.clone(),
        legal_entity: section.legal_entity.clone(),
        logo_svg,
        support: simurgh_web::brand::Support {
            email: section.support_email.clone(),
            phone: section.support_phone.clone(),
            ..base.support
        },
        ..base
    }
}

fn smtp(section: SmtpSection, errors: &mut Errors) -> Option<SmtpSettings> {
    let tls = match section.tls.as_deref() {
        None | Some("implicit") => Ok(SmtpTls::Implicit),
        Some("starttls") => Ok(SmtpTls::StartTls),
        Some("plain") => Ok(SmtpTls::Plain),
        Some(_) => Err("implicit, starttls or plain is expected"),
    };
    let tls = errors.take("smtp.tls", tls)?;
    let login = section
        .user
        .zip(section.password)
        .map(|(user, password)| SmtpLogin {
            user,
            password: Secret::new(password),
        });
    let base = SmtpSettings::new(section.host, section.from);
    let port = section.port.unwrap_or(tls.default_port());
    Some(SmtpSettings {
        tls,
        port,
        login,
        extra_ca_file: section.extra_ca_file,
        ..base
    })
}

fn smpp(section: SmppSection) -> SmppSettings {
    let password = Secret::new(section.password);
    let base = SmppSettings::new(section.host, section.system_id, password, section.source);
    SmppSettings {
        port: section.port.unwrap_or(base.port),
        ..base
    }
}

/// The account at a sandbox, which tells what happened at `path` of the portal.
fn sandbox(
    section: SandboxSection,
    (name, path): (&str, &str),
    portal_url: &str,
    errors: &mut Errors,
) -> Option<SandboxSettings> {
    // An address that is no good is an error of its own already.
    let portal_url = if portal_url.is_empty() {
        "http://localhost"
    } else {
        portal_url
    };
    let notify_url = format!("{portal_url}{path}");
    let key = Secret::new(section.key);
    match SandboxSettings::new(&section.merchant, key, &notify_url, &section.url) {
        Ok(settings) => Some(settings),
        Err(faults) => {
            for fault in faults {
                let setting = match fault.setting {
                    "public_url" => "url",
                    other => other,
                };
                errors.0.push(format!("{name}.{setting}: {}", fault.reason));
            }
            None
        }
    }
}

/// The longest that documents may be kept: longer than any law asks for is a slip of the pen.
const KEEP_DAYS_MAX: u32 = 3_650;

fn retention(section: &IdentitySection, errors: &mut Errors) -> Retention {
    let mut days = |setting: &str, days: u32| {
        let sound = (1..=KEEP_DAYS_MAX).contains(&days).then_some(days);
        let sound = sound.ok_or("1 to 3650 days are expected");
        Duration::days(errors.take(setting, sound).unwrap_or(1))
    };
    Retention {
        after_decision: days(
            "identity.keep_days_after_decision",
            section.keep_days_after_decision,
        ),
        undecided: days("identity.keep_days_undecided", section.keep_days_undecided),
    }
}
