//! `simurgh.toml` and the environment, read into settings that can work.
//!
//! Every setting can be given as `SIMURGH_SECTION__NAME` too, e.g. `SIMURGH_STORE__URL`. The
//! environment wins. `docs/guide/settings.md` explains each; a test holds it to this file.

mod charging;
mod esim;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration as StdDuration;

use simurgh_app::retention::Retention as Kept;
use simurgh_connectors::message::smpp::{MessageIds, Receipts, SmppTls};
use simurgh_connectors::message::smtp::{SmtpLogin, SmtpTls};
use simurgh_connectors::message::{SettingFault, Smpp, SmppSettings, Smtp, SmtpSettings};
use simurgh_connectors::{SandboxSettings, Secret};
use simurgh_store::{DatabaseOptions, DatabaseUrl, PostgresOptions, PostgresTrust};
use simurgh_subscriber::Retention;
use simurgh_vocab::{Duration, TimeZoneName};
use simurgh_web::brand::{Accent, Brand, LegalText, Localised};
use simurgh_web::frame::observe::Proxies;
use simurgh_web::server::Limits;

use crate::wire;
pub(crate) use charging::{ChargingSettings, TlsFiles};
pub(crate) use esim::{EsimSettings, EsimTransport};
use reader::Reader;
pub(crate) use reader::{Fault, Known};

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings that can work.
pub(crate) struct Config {
    pub(crate) master_key: [u8; 32],
    pub(crate) store: DatabaseUrl,
    pub(crate) store_options: DatabaseOptions,
    pub(crate) portal: SocketAddr,
    pub(crate) portal_url: String,
    pub(crate) proxies: Proxies,
    pub(crate) console: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) brand: Brand,
    pub(crate) series: String,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) smtp: Option<SmtpSettings>,
    pub(crate) smpp: Option<SmppSettings>,
    pub(crate) sandbox_payments: Option<SandboxSettings>,
    pub(crate) retention: Retention,
    pub(crate) kept: Kept,
    pub(crate) sandbox_identity: Option<SandboxSettings>,
    pub(crate) esim: Option<EsimSettings>,
    pub(crate) charging: Option<ChargingSettings>,
    pub(crate) log: (LogFormat, String),
}

impl fmt::Debug for Config {
    /// Only what is no secret and no address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("store", &self.store)
            .field("portal", &self.portal)
            .field("console", &self.console)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// Reads the settings. On failure every error is given, not only the first.
pub(crate) fn read(path: &Path) -> Result<Config, Vec<Fault>> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let file = table(path);
    let mut reader = Reader::new(file.clone().unwrap_or_default(), environment);
    if let Err(reason) = file {
        reader.fault("the file", &reason);
    }
    check(reader).1
}

/// The file's table; without the program's own default file the environment says everything.
fn table(path: &Path) -> Result<toml::Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("{error}; write it (docs/guide/settings.md) or name another with --config")
    })?;
    text.parse()
        .map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())
}

/// Reads everything; gives what can be set and either settings that can work or what is wrong.
fn check(mut reader: Reader) -> (Vec<Known>, Result<Config, Vec<Fault>>) {
    let r = &mut reader;
    let master_key = master_key(r);
    let (store, store_options) = store(r);
    let (portal, portal_url, proxies) = portal_section(r);
    let console = address(r, "console.listen", "127.0.0.1:8081");
    let admin = address(r, "admin.listen", "127.0.0.1:8082");
    one_address_each(r, [portal, console, admin]);
    let limits = limits(r);
    let brand = brand(r);
    let series = r.parsed("documents.series", "SIM", series);
    let time_zone = r.parsed("documents.time_zone", "Asia/Shanghai", str::parse);
    let smtp = smtp(r);
    let smpp = smpp(r);
    let told_at = |path: &str| {
        // Without the portal's address there is an error already; the others are looked for still.
        let portal = portal_url.as_deref().unwrap_or("https://unknown.invalid");
        format!("{portal}{path}")
    };
    let sandbox_payments = sandbox(r, "sandbox_payments", &told_at("/notify/sandbox"));
    let retention = retention(r);
    let kept = kept(r);
    let told_at = told_at("/notify/identity/sandbox");
    let sandbox_identity = sandbox(r, "sandbox_identity", &told_at);
    let esim = esim::esim(r);
    let charging = charging::charging(r, portal_url.as_deref());
    let log = log(r);
    let (known, faults) = reader.finish();
    let complete = (|| {
        Some(Config {
            master_key: master_key?,
            store: store?,
            store_options,
            portal: portal?,
            portal_url: portal_url?,
            proxies,
            console: console?,
            admin: admin?,
            limits,
            brand,
            series: series?,
            time_zone: time_zone?,
            smtp,
            smpp,
            sandbox_payments,
            retention,
            kept,
            sandbox_identity,
            esim,
            charging,
            log: log?,
        })
    })();
    match complete {
        Some(config) if faults.is_empty() => (known, Ok(config)),
        Some(_) | None => (known, Err(faults)),
    }
}

fn master_key(r: &mut Reader) -> Option<[u8; 32]> {
    let told = r.secret("master_key");
    let told = told.as_ref().map_or("", Secret::reveal);
    key(told).map_err(|why| r.fault("master_key", why)).ok()
}

/// A key of 32 bytes written as 64 hexadecimal digits.
fn key(text: &str) -> Result<[u8; 32], &'static str> {
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

fn store(r: &mut Reader) -> (Option<DatabaseUrl>, DatabaseOptions) {
    let url: Option<DatabaseUrl> = r.parsed("store.url", "sqlite:data/simurgh.db", str::parse);
    let password = r.secret("store.password");
    let extra_ca_file = r.file("store.extra_ca_file");
    let connections = r.number("store.connections", 8, (1, 1_000));
    let trust = match PostgresTrust::new(extra_ca_file.as_deref()) {
        Ok(trust) => trust,
        Err(why) => {
            r.fault("store.extra_ca_file", &why.to_string());
            PostgresTrust::default()
        }
    };
    let options = DatabaseOptions {
        postgres: PostgresOptions {
            connections: usize::try_from(connections).unwrap_or(8),
            password: password.map(|password| password.reveal().to_owned()),
            trust,
            ..PostgresOptions::default()
        },
        ..DatabaseOptions::default()
    };
    if let Some(Err(why)) = url.as_ref().map(DatabaseUrl::check) {
        r.fault("store.url", &why.to_string());
    }
    (url, options)
}

fn portal_section(r: &mut Reader) -> (Option<SocketAddr>, Option<String>, Proxies) {
    let listen = address(r, "portal.listen", "127.0.0.1:8080");
    let url = r.parsed("portal.url", "", url);
    let header = r.optional_text("portal.trusted_proxy_header", "");
    let address_header = header.and_then(|name| {
        name.parse()
            .map_err(|_| r.fault("portal.trusted_proxy_header", "a header's name is expected"))
            .ok()
    });
    let path = "portal.trusted_proxies";
    let mut networks = Vec::new();
    for text in r.list(path, &["127.0.0.1", "::1"]) {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(why) => r.fault(path, &format!("{text}: {why}")),
        }
    }
    let proxies = Proxies {
        address_header,
        networks,
    };
    (listen, url, proxies)
}

fn address(r: &mut Reader, path: &str, default: &str) -> Option<SocketAddr> {
    r.parsed(path, default, |text| {
        text.parse()
            .map_err(|_| "an address such as 127.0.0.1:8080 or [::]:8080 is expected")
    })
}

/// The three listeners need an address each; port 0 asks the system for a free one.
fn one_address_each(r: &mut Reader, [portal, console, admin]: [Option<SocketAddr>; 3]) {
    let same = |one: Option<SocketAddr>, other: Option<SocketAddr>| {
        one.is_some_and(|address| address.port() != 0) && one == other
    };
    if same(portal, console) {
        r.fault("console.listen", "portal.listen has this address");
    }
    if same(portal, admin) {
        r.fault("admin.listen", "portal.listen has this address");
    }
    if same(console, admin) {
        r.fault("admin.listen", "console.listen has this address");
    }
}

fn url(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('/');
    let secure = text
        .strip_prefix("https://")
        .is_some_and(|host| !host.is_empty());
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .into_iter()
        .filter_map(|start| text.strip_prefix(start))
        .any(|rest| rest.is_empty() || rest.starts_with(':'));
    if secure || local {
        Ok(text.to_owned())
    } else {
        Err("the portal's public address is expected, e.g. https://mobile.example.com")
    }
}

fn limits(r: &mut Reader) -> Limits {
    let usual = Limits::default();
    let mut seconds = |path: &str, default: StdDuration| {
        let default = u32::try_from(default.as_secs()).unwrap_or(u32::MAX);
        StdDuration::from_secs(u64::from(r.number(path, default, (1, 600))))
    };
    Limits {
        head_timeout: seconds("limits.head_seconds", usual.head_timeout),
        body_timeout: seconds("limits.body_seconds", usual.body_timeout),
        write_timeout: seconds("limits.write_seconds", usual.write_timeout),
        stop_timeout: seconds("limits.stop_seconds", usual.stop_timeout),
        connections_max: {
            let default = u32::try_from(usual.connections_max).unwrap_or(u32::MAX);
            let connections = r.number("limits.connections", default, (1, 1_000_000));
            usize::try_from(connections).unwrap_or(usual.connections_max)
        },
    }
}

fn brand(r: &mut Reader) -> Brand {
    let usual = Brand::default();
    let mut brand = Brand {
        name: r.text("brand.name", &usual.name),
        legal_entity: r.text("brand.legal_entity", &usual.legal_entity),
        ..usual
    };
    let colours = [
        r.optional_text("brand.accent_light", ""),
        r.optional_text("brand.accent_dark", ""),
    ];
    match colours {
        [None, None] => {}
        [Some(light), Some(dark)] => match accent(&light, &dark) {
            Ok(accent) => brand.accent = accent,
            Err(why) => r.fault("brand.accent_light", &why),
        },
        [_, _] => r.fault(
            "brand.accent_light",
            "accent_light and accent_dark belong together",
        ),
    }
    brand.logo_svg = contents(r, "brand.logo_svg");
    let support = &mut brand.support;
    support.email = r.text("brand.support_email", &support.email);
    support.phone = r.text("brand.support_phone", &support.phone);
    support.hours = Localised {
        zh_cn: r.text("brand.support_hours_zh", &support.hours.zh_cn),
        en: r.text("brand.support_hours_en", &support.hours.en),
    };
    if let Some(text) = legal(r, "terms") {
        brand.terms = text;
    }
    if let Some(text) = legal(r, "privacy") {
        brand.privacy = text;
    }
    brand
}

fn accent(light: &str, dark: &str) -> Result<Accent, String> {
    let colour = |text: &str| text.parse().map_err(|why| format!("{text}: {why}"));
    Accent::new(colour(light)?, colour(dark)?).map_err(|why| why.to_string())
}

/// A legal text in both languages: addresses on another site, or files of plain text with a
/// paragraph a line.
fn legal(r: &mut Reader, name: &str) -> Option<LegalText> {
    let links = [
        r.optional_text(&format!("brand.{name}_url_zh"), ""),
        r.optional_text(&format!("brand.{name}_url_en"), ""),
    ];
    let files = [
        contents(r, &format!("brand.{name}_file_zh")),
        contents(r, &format!("brand.{name}_file_en")),
    ];
    let paragraphs = |text: String| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    match (links, files) {
        ([None, None], [None, None]) => None,
        ([Some(zh_cn), Some(en)], [None, None])
            if [&zh_cn, &en].iter().all(|url| url.starts_with("https://")) =>
        {
            Some(LegalText::Link(Localised { zh_cn, en }))
        }
        ([None, None], [Some(zh_cn), Some(en)]) => Some(LegalText::Paragraphs(Localised {
            zh_cn: paragraphs(zh_cn),
            en: paragraphs(en),
        })),
        (_, _) => {
            let what = "two addresses (https://) or two files are expected, for zh and en";
            r.fault(&format!("brand.{name}_url_zh"), what);
            None
        }
    }
}

fn contents(r: &mut Reader, path: &str) -> Option<String> {
    let file = r.file(path)?;
    std::fs::read_to_string(&file)
        .map_err(|error| r.fault(path, &format!("{}: {error}", file.display())))
        .ok()
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

fn smtp(r: &mut Reader) -> Option<SmtpSettings> {
    let is_wanted = r.has_section("smtp");
    let usual = SmtpSettings::new(r.text("smtp.host", ""), r.text("smtp.from", ""));
    let tls = [
        ("implicit", SmtpTls::Implicit),
        ("starttls", SmtpTls::StartTls),
        ("plain", SmtpTls::Plain),
    ];
    let tls = r.choice("smtp.tls", &tls).unwrap_or(usual.tls);
    let port = r.number("smtp.port", u32::from(tls.default_port()), (1, 65_535));
    let (user, password) = (r.optional_text("smtp.user", ""), r.secret("smtp.password"));
    let login = match (user, password) {
        (Some(user), Some(password)) => Some(SmtpLogin { user, password }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            r.fault("smtp.user", "user and password belong together");
            None
        }
    };
    let settings = SmtpSettings {
        tls,
        port: u16::try_from(port).unwrap_or(usual.port),
        login,
        extra_ca_file: r.file("smtp.extra_ca_file"),
        hello_name: r.optional_text("smtp.hello_name", ""),
        connections_max: small(r, "smtp.connections_max", usual.connections_max, 1_000),
        send_timeout: seconds(r, "smtp.send_timeout_seconds", usual.send_timeout),
        ..usual
    };
    if !is_wanted {
        return None;
    }
    needed(r, "smtp.host", &settings.host);
    refused(
        r,
        "smtp",
        Smtp::new(settings.clone(), wire::nature().0).err(),
    );
    Some(settings)
}

fn smpp(r: &mut Reader) -> Option<SmppSettings> {
    let is_wanted = r.has_section("smpp");
    let (host, system_id) = (r.text("smpp.host", ""), r.text("smpp.system_id", ""));
    let password = r.secret("smpp.password");
    let source = r.text("smpp.source", "");
    let has_password = password.is_some();
    let password = password.unwrap_or_else(|| Secret::new(""));
    let usual = SmppSettings::new(host, system_id, password, source);
    let tls = [("plain", SmppTls::Plain), ("implicit", SmppTls::Implicit)];
    let message_ids = [
        ("same", MessageIds::Same),
        ("hex-then-decimal", MessageIds::HexThenDecimal),
        ("decimal-then-hex", MessageIds::DecimalThenHex),
    ];
    let settings = SmppSettings {
        port: small(r, "smpp.port", usual.port, u16::MAX),
        tls: r.choice("smpp.tls", &tls).unwrap_or(usual.tls),
        extra_ca_file: r.file("smpp.extra_ca_file"),
        system_type: r.text("smpp.system_type", ""),
        receipts: if r.flag("smpp.receipts", true) {
            Receipts::Wanted
        } else {
            Receipts::NotWanted
        },
        message_ids: r
            .choice("smpp.message_ids", &message_ids)
            .unwrap_or(usual.message_ids),
        ..smpp_pace(r, usual)
    };
    if !is_wanted {
        return None;
    }
    needed(r, "smpp.host", &settings.host);
    needed(r, "smpp.system_id", &settings.system_id);
    if !has_password {
        r.fault("smpp.password", "it is needed");
    }
    refused(r, "smpp", Smpp::prepare(settings.clone()).err());
    Some(settings)
}

/// Windows, rates and times of the link to the message centre.
fn smpp_pace(r: &mut Reader, usual: SmppSettings) -> SmppSettings {
    SmppSettings {
        parts_per_second_max: r.number(
            "smpp.parts_per_second_max",
            usual.parts_per_second_max,
            (1, 100_000),
        ),
        window: small(r, "smpp.window", usual.window, 10_000),
        queue_max: small(r, "smpp.queue_max", usual.queue_max, u16::MAX),
        send_timeout: seconds(r, "smpp.send_timeout_seconds", usual.send_timeout),
        response_timeout: seconds(r, "smpp.response_timeout_seconds", usual.response_timeout),
        enquire_link_interval: seconds(
            r,
            "smpp.enquire_link_interval_seconds",
            usual.enquire_link_interval,
        ),
        reconnect_first: seconds(r, "smpp.reconnect_first_seconds", usual.reconnect_first),
        reconnect_max: seconds(r, "smpp.reconnect_max_seconds", usual.reconnect_max),
        throttle_first: seconds(r, "smpp.throttle_first_seconds", usual.throttle_first),
        throttle_max: seconds(r, "smpp.throttle_max_seconds", usual.throttle_max),
        ..usual
    }
}

/// The account at a sandbox that tells what happened at `notify_url`.
fn sandbox(r: &mut Reader, section: &str, notify_url: &str) -> Option<SandboxSettings> {
    let is_wanted = r.has_section(section);
    let url = r.text(&format!("{section}.url"), "");
    let merchant = r.text(&format!("{section}.merchant"), "");
    let key = r.secret(&format!("{section}.key"));
    if !is_wanted {
        return None;
    }
    let key = key.unwrap_or_else(|| Secret::new(""));
    match SandboxSettings::new(&merchant, key, notify_url, &url) {
        Ok(settings) => Some(settings),
        Err(faults) => {
            for fault in faults {
                // The connector sees two addresses made from settings of other names.
                let path = match fault.setting {
                    "notify_url" => "portal.url".to_owned(),
                    "public_url" => format!("{section}.url"),
                    setting => format!("{section}.{setting}"),
                };
                r.fault(&path, &fault.reason);
            }
            None
        }
    }
}

/// How long what is over is kept. Messages for a month at least: a warning of use is known to have
/// been sent by its message.
fn kept(r: &mut Reader) -> Kept {
    Kept {
        jobs: Duration::days(r.number("retention.done_jobs_days", 30, (1, 3_650))),
        messages: Duration::days(r.number("retention.messages_days", 400, (31, 3_650))),
    }
}

fn retention(r: &mut Reader) -> Retention {
    Retention {
        after_decision: Duration::days(r.number(
            "identity.keep_days_after_decision",
            30,
            (1, 3_650),
        )),
        undecided: Duration::days(r.number("identity.keep_days_undecided", 90, (1, 3_650))),
    }
}

fn log(r: &mut Reader) -> Option<(LogFormat, String)> {
    let formats = [
        ("auto", LogFormat::Auto),
        ("text", LogFormat::Text),
        ("json", LogFormat::Json),
    ];
    let format = r.choice("log.format", &formats);
    let filter = r.parsed("log.filter", "info", |text| {
        tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned())
    });
    Some((format?, filter?))
}

/// Faults of a connector, under the names of their settings here.
fn refused(r: &mut Reader, section: &str, faults: Option<Vec<SettingFault>>) {
    for fault in faults.into_iter().flatten() {
        r.fault(&format!("{section}.{}", fault.setting), &fault.reason);
    }
}

fn needed(r: &mut Reader, path: &str, text: &str) {
    if text.is_empty() {
        r.fault(path, "it is needed");
    }
}

fn small(r: &mut Reader, path: &str, default: u16, most: u16) -> u16 {
    let number = r.number(path, u32::from(default), (1, u32::from(most)));
    u16::try_from(number).unwrap_or(default)
}

fn seconds(r: &mut Reader, path: &str, default: Duration) -> Duration {
    let default = u32::try_from(default.as_micros() / 1_000_000).unwrap_or(1);
    Duration::seconds(r.number(path, default, (1, 3_600)))
}
