//! `simurgh serve`, and the commands beside it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::process::{Folder, From, KEY, Serving, get, program, request, run, text};

/// A phone number that must not be in the log, as it is entered and without its sign.
const PHONE: &str = "+8613800138777";

fn config(folder: &Folder) -> PathBuf {
    let text = format!(
        "master_key_file = '{key}'
[store]
url = 'sqlite:{store}'
[portal]
listen = '127.0.0.1:0'
url = 'http://localhost:8080'
[console]
listen = '127.0.0.1:0'
[admin]
listen = '127.0.0.1:0'
",
        key = folder.file("key", &format!("{KEY}\n")).display(),
        store = folder.0.join("store/simurgh.db").display(),
    );
    folder.file("simurgh.toml", &text)
}

struct Operator {
    process: Serving,
    portal: String,
    admin: String,
}

fn served(config: &Path) -> Operator {
    let mut command = program(&["serve", "--config"]);
    command.arg(config);
    let mut process = Serving::start(command, From::Error);
    let line = process.wait_for("\"serving\"");
    let field = |name: &str| {
        let rest = line.split(&format!("\"{name}\":\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    Operator {
        portal: field("portal"),
        admin: field("admin"),
        process,
    }
}

/// A form that has not come to its end: a request under way.
fn half_a_form(host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST /login HTTP/1.1\r\nhost: a\r\naccept-language: en\r\ncontent-length: 9\r\n\
         content-type: application/x-www-form-urlencoded\r\nexpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    // The server asks for the body once it reads it: then the request is under way.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100"));
    stream
}

#[test]
fn a_stop_is_told_to_machines_and_finishes_what_is_under_way() {
    let folder = Folder::new();
    let mut operator = served(&config(&folder));
    assert!(get(&operator.admin, "/readyz").starts_with("HTTP/1.1 200"));
    let mut form = half_a_form(&operator.portal);
    operator.process.signal("TERM");
    while !get(&operator.admin, "/readyz").starts_with("HTTP/1.1 503") {}
    form.write_all(b"name=x&a=").unwrap();
    let mut answer = Vec::new();
    form.read_to_end(&mut answer).unwrap();
    assert!(text(&answer).starts_with("HTTP/1.1 403"));
    assert_eq!(operator.process.ended().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new();
    let mut operator = served(&config(&folder));
    let form = half_a_form(&operator.portal);
    operator.process.signal("TERM");
    operator.process.wait_for("\"stopping\"");
    operator.process.signal("TERM");
    assert_eq!(operator.process.ended().code(), Some(1));
    drop(form);
}

/// Asks for the page with the form, sends it, and gives the answer.
fn register(host: &str, phone: &str) -> String {
    let page = get(host, "/register");
    let after = |mark: &str| -> String {
        let rest = page.split(mark).nth(1).unwrap();
        rest.split(['"', ';']).next().unwrap().to_owned()
    };
    let cookie = after("__Host-simurgh-visit=");
    let csrf = after("name=\"csrf\" value=\"");
    let phone = phone.replace('+', "%2B");
    let body = format!("csrf={csrf}&name=Xenophilia&phone={phone}&password=correct+horse+battery");
    let headers = format!(
        "cookie: __Host-simurgh-visit={cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\n"
    );
    request(host, "POST /register HTTP/1.1", &headers, &body)
}

#[test]
fn a_registration_leaves_nothing_personal_in_the_log() {
    let folder = Folder::new();
    let mut operator = served(&config(&folder));
    let answer = register(&operator.portal, PHONE);
    assert!(answer.contains("location: /register/confirm"), "{answer}");
    operator.process.signal("TERM");
    assert_eq!(operator.process.ended().code(), Some(0));
    let log = operator.process.said.join("\n");
    assert!(log.contains("\"route\":\"/register\""), "{log}");
    let digits = PHONE.trim_start_matches('+');
    for secret in [
        digits,
        "13800138777",
        "Xenophilia",
        "battery",
        KEY,
        "__Host-",
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let six_digits = |word: &str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    // Parts of a second in a time stamp end with Z.
    let mut words = log.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(words.find(|word| six_digits(word)), None, "{log}");
}

#[test]
fn a_backup_taken_while_customers_come_is_sound() {
    let folder = Folder::new();
    let config = config(&folder);
    let mut operator = served(&config);
    let stop = Arc::new(AtomicBool::new(false));
    let customers = {
        let (portal, stop) = (operator.portal.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut came = 0;
            while !stop.load(Ordering::Relaxed) || came < 3 {
                let answer = register(&portal, &format!("+8613900{came:06}"));
                assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
                came += 1;
            }
        })
    };
    for number in 0..3 {
        let copy = folder.0.join(format!("copy-{number}.db"));
        let copied = run(&config, &["backup", copy.to_str().unwrap()]);
        assert!(copied.status.success(), "{}", text(&copied.stderr));
        let mut audit = program(&["audit"]);
        let url = format!("sqlite:{}", copy.display());
        audit
            .env("SIMURGH_CONFIG", &config)
            .env("SIMURGH_STORE__URL", url);
        let found = audit.output().unwrap();
        assert_eq!(found.status.code(), Some(0), "{}", text(&found.stdout));
    }
    stop.store(true, Ordering::Relaxed);
    customers.join().unwrap();
    operator.process.signal("TERM");
    assert_eq!(operator.process.ended().code(), Some(0));
    let over = folder.0.join("copy-0.db");
    let again = run(&config, &["backup", over.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1), "a copy is never overwritten");
}

#[test]
fn a_catalogue_is_shown_before_it_is_applied() {
    let folder = Folder::new();
    let config = config(&folder);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/catalogue.toml");
    let demo = demo.to_str().unwrap();
    let apply = |arguments: &[&str]| {
        let mut all = vec!["catalogue", "apply"];
        all.extend(arguments);
        let applied = run(&config, &all);
        (
            applied.status.code(),
            text(&applied.stdout),
            text(&applied.stderr),
        )
    };
    let (status, shown, _) = apply(&[demo, "--dry-run"]);
    assert_eq!(status, Some(0));
    assert!(shown.contains("this would become version 1"), "{shown}");
    let (_, shown, _) = apply(&[demo]);
    assert!(shown.contains("version 1 is in force"), "{shown}");
    let (_, shown, _) = apply(&[demo]);
    assert!(shown.contains("nothing differs from version 1"), "{shown}");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/catalogue.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let example = guide.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let example = folder.file("example.toml", example);
    let (status, shown, error) = apply(&[example.to_str().unwrap(), "--dry-run"]);
    assert_eq!(status, Some(0), "{error}");
    assert!(shown.contains("this would become version 2"), "{shown}");
    let broken = folder.file("broken.toml", "[[offer]]\nid = 7\n");
    let (status, _, error) = apply(&[broken.to_str().unwrap()]);
    assert_eq!(status, Some(1));
    assert!(
        error.starts_with("simurgh: ") && error.len() > 20,
        "{error}"
    );
    let audit = run(&config, &["audit"]);
    assert_eq!(audit.status.code(), Some(0));
    assert!(text(&audit.stdout).contains("0 findings"));
}
