//! The program behind its pages, a browser in front of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy};
use simurgh_app::subscriber::Rules;
use simurgh_app::{App, Settings, World};
use simurgh_store::{Database, SqliteOptions, SqliteStore};
use simurgh_vocab::{Duration, Timestamp};
use simurgh_web::brand::Brand;
use simurgh_web::frame::{Frames, Policy, Transport};
use simurgh_web::inbox::{self, Inbox};
use simurgh_web::state::WebState;
use simurgh_web::{console, site};
use tower::ServiceExt as _;

use super::routes::{Route, Site};

const CATALOGUE: &str = include_str!("../../../simurgh/demo/catalogue.toml");
/// 2026-09-21 in China, about one o'clock.
const NOON: i64 = 1_789_970_000_000_000;
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const STAFF_PASSWORD: &str = "a password of the operator";

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers that differ: splitmix64.
pub(crate) struct TestEntropy(pub(crate) AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let octets = (z ^ (z >> 31)).to_be_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
    }
}

/// Portal and console over a store of their own.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) inbox: Arc<Inbox>,
    portal: Router,
    console: Router,
    folder: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The folder is in the system's own for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with_rules(Rules::default()).await
    }

    pub(crate) async fn with_rules(rules: Rules) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-edges-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("test.db");
        let sqlite = SqliteStore::open_inline(&file, SqliteOptions::default()).unwrap();
        let store = Database::Sqlite(sqlite);
        let clock = Arc::new(TestClock(AtomicI64::new(NOON)));
        store.migrate(clock.now()).unwrap();
        let inbox = Arc::new(Inbox::new(clock.clone()));
        let world = World {
            store: Arc::new(store),
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy(AtomicU64::new(number))),
            messenger: inbox.clone(),
            keyring: Keyring::new(&[7; 32]),
            providers: Vec::new(),
            settings: Settings {
                brand: "Simurgh".to_owned(),
                portal_url: "https://example.com".to_owned(),
                document_series: "SIM".to_owned(),
                entity_time_zone: "Asia/Shanghai".parse().unwrap(),
            },
        };
        let app = App::with_rules(world, rules);
        let applied = app.apply_catalogue(CATALOGUE.to_owned(), "test".to_owned(), false);
        applied.await.unwrap();
        let policy = Policy::new(Transport::Https, &[]);
        let state = WebState {
            app: app.clone(),
            frames: Frames::new(Brand::default(), policy, clock.clone()).unwrap(),
            proxy_header: Some(header::HeaderName::from_static("x-forwarded-for")),
        };
        let extra = site::demo_routes().merge(inbox::routes(inbox.clone()));
        Self {
            app,
            clock,
            inbox,
            portal: site::portal(state.clone(), extra),
            console: console::router(state),
            folder,
        }
    }

    pub(crate) fn wait(&self, length: Duration) {
        self.clock.0.fetch_add(length.as_micros(), Ordering::SeqCst);
    }

    pub(crate) async fn ask(&self, site: Site, request: Request<Body>) -> Answer {
        let router = match site {
            Site::Portal => &self.portal,
            Site::Console => &self.console,
            Site::Admin => panic!("the admin address has its own test"),
        };
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// What arrived last at an address, and the six digits in it.
    pub(crate) async fn code(&self, to: &str) -> String {
        while self.app.run_due_jobs().await.unwrap() > 0 {}
        let received = self.inbox.received();
        let last = received.iter().find(|message| message.to == to).unwrap();
        let runs = last.text.split(|c: char| !c.is_ascii_digit());
        runs.into_iter()
            .find(|run| run.len() == 6)
            .unwrap()
            .to_owned()
    }

    /// A browser in which a new customer is signed in, through the pages.
    pub(crate) async fn customer(&self) -> Browser<'_> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        self.registered(&format!("+86138{:08}", 138_000 + number))
            .await
    }

    pub(crate) async fn registered(&self, phone: &str) -> Browser<'_> {
        let mut browser = Browser::at(self, Site::Portal);
        browser.visit("/register").await;
        let fields = [
            ("name", "Wei"),
            ("phone", phone),
            ("password", "correct horse battery"),
        ];
        let page = browser.send("/register", &fields).await;
        assert!(page.status.is_redirection(), "{}", page.body);
        let challenge = browser.visit("/register/confirm").await.field("challenge");
        let code = self.code(phone).await;
        let fields = [("challenge", challenge.as_str()), ("code", &code)];
        let page = browser.send("/register/confirm", &fields).await;
        assert!(page.status.is_redirection(), "{}", page.body);
        self.wait(Duration::minutes(2));
        browser.visit("/line").await;
        browser
    }

    /// A browser in which a member of staff is on duty.
    pub(crate) async fn staff(&self) -> Browser<'_> {
        self.staff_called("li").await
    }

    pub(crate) async fn staff_called(&self, name: &str) -> Browser<'_> {
        let mut browser = Browser::at(self, Site::Console);
        let new = self.app.create_staff(name, STAFF_PASSWORD).await.unwrap();
        browser.visit("/login").await;
        let code = code_of(&new.totp_secret, self.clock.now().as_unix_seconds());
        let fields = [
            ("name", name),
            ("password", STAFF_PASSWORD),
            ("code", &code),
        ];
        let page = browser.send("/login", &fields).await;
        assert!(page.status.is_redirection(), "{}", page.body);
        browser.visit("/").await;
        browser
    }

    pub(crate) async fn signed_in(&self, site: Site) -> Browser<'_> {
        match site {
            Site::Portal => self.customer().await,
            Site::Console => self.staff().await,
            Site::Admin => panic!("nobody signs in there"),
        }
    }
}

/// What an authenticator app shows at a time.
pub(crate) fn code_of(secret: &str, unix_seconds: i64) -> String {
    let totp = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    totp.generate(u64::try_from(unix_seconds).unwrap())
        .to_string()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field in the page.
    pub(crate) fn field(&self, name: &str) -> String {
        let rest = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// Whether it is a page in English that says what to do.
    pub(crate) fn explains_itself(&self) -> bool {
        self.header(header::CONTENT_TYPE) == "text/html; charset=utf-8"
            && self.body.contains("<html lang=\"en\"")
            && self.body.contains("<h1")
    }
}

/// A browser: keeps cookies, reads English.
pub(crate) struct Browser<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) site: Site,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The token of the last page with a form.
    pub(crate) csrf: String,
}

impl<'s> Browser<'s> {
    pub(crate) fn at(stage: &'s Stage, site: Site) -> Self {
        Self {
            stage,
            site,
            cookies: BTreeMap::new(),
            csrf: String::new(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Builder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::COOKIE, cookies.join("; "))
    }

    pub(crate) async fn ask(&mut self, request: Builder, body: impl Into<Body>) -> Answer {
        let request = request.body(body.into()).unwrap();
        let answer = self.stage.ask(self.site, request).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if answer.body.contains("name=\"csrf\" value=\"") {
            self.csrf = answer.field("csrf");
        }
        answer
    }

    pub(crate) async fn visit(&mut self, path: &str) -> Answer {
        self.ask(self.request(Method::GET, path), "").await
    }

    /// Sends a form with this browser's token.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        let body = encoded(&fields);
        self.post(path, &body).await
    }

    /// Sends a form as it is.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Answer {
        let request = self.request(Method::POST, path);
        let request = request.header(header::CONTENT_TYPE, FORM);
        self.ask(request, body.to_owned()).await
    }

    /// The methods that a route takes.
    pub(crate) async fn methods(&mut self, route: &Route) -> Vec<Method> {
        let wrong = Method::from_bytes(b"PROPFIND").unwrap();
        let request = self.request(wrong, &route.path());
        let answer = self.ask(request, "").await;
        assert_eq!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{route:?} is not mounted"
        );
        assert!(
            answer.explains_itself() || route.is_for_programs(),
            "{route:?}"
        );
        let allowed = answer.header(header::ALLOW).to_owned();
        allowed
            .split(',')
            .map(|name| name.trim().parse().unwrap())
            .collect()
    }
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|octet| {
                if octet.is_ascii_alphanumeric() {
                    char::from(octet).to_string()
                } else {
                    format!("%{octet:02X}")
                }
            })
            .collect()
    };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
