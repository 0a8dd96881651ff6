//! The settings as a whole: against their documentation, and with everything wrong at once.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn checked(file: &str, environment: &[(&str, &str)]) -> (Vec<Known>, Result<Config, Vec<Fault>>) {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    check(Reader::new(file.parse().unwrap(), environment))
}

fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let refused = checked(file, environment).1.unwrap_err();
    refused.iter().map(ToString::to_string).collect()
}

fn guide(name: &str) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
    fs::read_to_string(guide.join(name)).unwrap()
}

fn scratch(name: &str, text: &str) -> PathBuf {
    let name = format!("simurgh-config-{}-{name}", std::process::id());
    let file = std::env::temp_dir().join(name);
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_guide_explains_every_setting_with_its_default_and_no_other() {
    let guide = guide("settings.md");
    let rows = guide.lines().filter(|line| line.starts_with("| `"));
    let documented: Vec<(String, String)> = rows
        .map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let [path, default] = [cells.next(), cells.next()].map(|cell| cell.unwrap_or(""));
            assert!(cells.next().is_some_and(|text| text.len() > 10), "{row}");
            (
                path.trim_matches('`').to_owned(),
                default.trim_matches('`').to_owned(),
            )
        })
        .collect();
    let (known, _) = checked("", &[]);
    let known: Vec<(String, String)> = known
        .into_iter()
        // A secret may stand in a file of its own; the guide says so once.
        .filter(|known| !known.path.ends_with("_file") || known.path.ends_with("ca_file"))
        .map(|known| (known.path, known.default))
        .collect();
    let mut wanted = known.clone();
    wanted.sort();
    let mut found = documented;
    found.sort();
    assert_eq!(found, wanted);
}

#[test]
fn the_examples_of_the_guide_can_work() {
    let text = guide("settings.md");
    let examples: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        let key = [
            ("SIMURGH_MASTER_KEY", KEY),
            ("SIMURGH_STORE__PASSWORD", "x"),
        ];
        let refused = checked(example, &key).1.err();
        assert_eq!(refused, None, "{example}");
    }
}

/// A mistake in every section.
const EVERYTHING_WRONG: &str = "
        master_key = 'short'
        [store]
        url = 'mysql://x'
        pasword = 'x'
        [portal]
        listen = 'here'
        url = 'mobile.example.com'
        trusted_proxies = ['10.0.0.0/99']
        [console]
        listen = '127.0.0.1:9000'
        [admin]
        listen = '127.0.0.1:9000'
        [brand]
        logo_svg = '/no/such/file'
        accent_light = '#ffffff'
        [documents]
        series = 'lower'
        time_zone = 'Moon/Base'
        [smtp]
        host = ''
        from = 'nobody'
        tls = 'maybe'
        user = 'x'
        connections_max = 0
        [smpp]
        host = 'smsc.example'
        system_id = 'an id that is too long'
        source = 'A name that is too long'
        window = 0
        receipts = 'sometimes'
        [sandbox_payments]
        url = 'ftp://x'
        merchant = ''
        key = 'short'
        [charging]
        tls_key = 'key.pem'
        failure_handling = 'hope'
        store_down = 'panic'
        at_the_end = 'restrict'
        quota_holding_seconds = 100000
        [log]
        format = 'xml'
        filter = 'a=b=c'
        [limits]
        connections = 'many'
    ";

#[test]
fn every_error_is_reported_at_once_with_its_setting() {
    let faults = faults(EVERYTHING_WRONG, &[("SIMURGH_SMPP__PORT", "99999")]);
    for path in [
        "master_key",
        "store.url",
        "store.pasword",
        "portal.listen",
        "portal.url",
        "portal.trusted_proxies",
        "admin.listen",
        "brand.logo_svg",
        "brand.accent_light",
        "documents.series",
        "documents.time_zone",
        "charging.tls_certificate",
        "charging.failure_handling",
        "charging.store_down",
        "charging.restricted_filters",
        "charging.quota_holding_seconds",
        "smtp.host",
        "smtp.from",
        "smtp.tls",
        "smtp.user",
        "smtp.connections_max",
        "smpp.system_id",
        "smpp.source",
        "smpp.window",
        "smpp.receipts",
        "smpp.password",
        "smpp.port (from SIMURGH_SMPP__PORT)",
        "sandbox_payments.url",
        "sandbox_payments.merchant",
        "sandbox_payments.key",
        "log.format",
        "log.filter",
        "limits.connections",
    ] {
        let start = format!("{path}: ");
        assert!(
            faults.iter().any(|fault| fault.starts_with(&start)),
            "{path}: {faults:#?}"
        );
    }
    assert!(faults.contains(
        &"store.pasword: there is no such setting; did you mean store.password?".to_owned()
    ));
}

#[test]
fn a_secret_stands_here_or_in_a_file_and_in_no_error_or_debug() {
    let file = scratch("key", &format!("{KEY}\n"));
    let by_file = format!("master_key_file = '{}'", file.display());
    let rest = "[portal]\nurl = 'https://mobile.example.com'\n[store]\nurl = \
                'postgres://simurgh:hunter2@db.example.net/simurgh'";
    let config = checked(&format!("{by_file}\n{rest}"), &[]).1.unwrap();
    assert_eq!(config.master_key[31], 0x1f);
    let shown = format!("{config:?} {:?}", config.store_options);
    assert!(
        !shown.contains("hunter2") && !shown.contains("0x1f"),
        "{shown}"
    );
    let both = faults(&by_file, &[("SIMURGH_MASTER_KEY", KEY)]);
    assert!(
        both.iter().any(|fault| fault.contains("not both")),
        "{both:?}"
    );
    let wrong = "master_key = 'hunter2'\n[store]\nurl = 'postgres://u:hunter2@[/x'\n\
                 [sandbox_payments]\nkey = 'hunter2'\n[smpp]\npassword = 'hunter2hunter2'";
    let told = faults(wrong, &[("SIMURGH_SMTP__PASSWORD", "hunter2")]).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    let missing = faults("master_key_file = '/no/such/key'", &[]);
    assert!(missing[0].starts_with("master_key_file: /no/such/key"));
    fs::remove_file(file).unwrap();
}

#[test]
fn every_setting_of_the_connectors_can_be_set() {
    let file = format!(
        "master_key = '{KEY}'
        [portal]
        url = 'https://mobile.example.com'
        [smtp]
        host = 'mail.example.net'
        port = 2525
        tls = 'starttls'
        user = 'u'
        password = 'p'
        from = 'Simurgh <no-reply@example.net>'
        hello_name = 'node1.example.net'
        connections_max = 2
        send_timeout_seconds = 9
        [smpp]
        host = 'smsc.example.net'
        tls = 'implicit'
        system_id = 'simurgh'
        password = 'secret'
        system_type = 'SMPP'
        source = '+8613800138000'
        receipts = false
        message_ids = 'hex-then-decimal'
        parts_per_second_max = 7
        window = 3
        queue_max = 50
        enquire_link_interval_seconds = 12
        throttle_max_seconds = 99"
    );
    let config = checked(&file, &[]).1.unwrap();
    let smtp = config.smtp.unwrap();
    assert_eq!(
        (smtp.port, smtp.tls, smtp.connections_max),
        (2525, SmtpTls::StartTls, 2)
    );
    assert_eq!(smtp.hello_name.as_deref(), Some("node1.example.net"));
    assert_eq!(smtp.send_timeout, Duration::seconds(9));
    assert!(smtp.login.is_some());
    let smpp = config.smpp.unwrap();
    assert_eq!(
        (smpp.tls, smpp.receipts),
        (SmppTls::Implicit, Receipts::NotWanted)
    );
    assert_eq!(smpp.message_ids, MessageIds::HexThenDecimal);
    assert_eq!(
        (smpp.parts_per_second_max, smpp.window, smpp.queue_max),
        (7, 3, 50)
    );
    assert_eq!(smpp.enquire_link_interval, Duration::seconds(12));
    assert_eq!(smpp.throttle_max, Duration::seconds(99));
    assert_eq!(smpp.system_type, "SMPP");
}
