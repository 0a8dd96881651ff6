//! The outermost layer: ids of requests, whose word about them counts, what the log holds.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use simurgh_app::ports::Entropy;
use simurgh_subscriber::GuardRule;
use simurgh_web::frame::observe::{Observer, Proxies, observe};
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

use super::routes::Site;
use super::world::{Browser, Stage, encoded};

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, octets: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed);
        let next = next.to_be_bytes();
        for (octet, value) in octets.iter_mut().rev().zip(next.iter().rev()) {
            *octet = *value;
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn router() -> Router {
    let proxies = Proxies {
        address_header: Some("x-forwarded-for".parse().unwrap()),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
    };
    let observer = Observer {
        site: "portal",
        entropy: Arc::new(Counting(AtomicU64::new(0))),
        proxies: Arc::new(proxies),
    };
    let seen = get(async |headers: HeaderMap| {
        tracing::info!("inside");
        headers
            .get("x-forwarded-for")
            .map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    });
    Router::new()
        .route("/lines/{number}", seen)
        .layer(from_fn_with_state(observer, observe))
}

async fn ask(peer: &str, id: &str) -> (String, String) {
    let peer: SocketAddr = peer.parse().unwrap();
    let request = Request::get("/lines/13800138000?name=wei")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-request-id", id)
        .extension(ConnectInfo(peer))
        .body(Body::empty())
        .unwrap();
    let response = router().oneshot(request).await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    let id = id.to_owned();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await;
    (id, String::from_utf8(body.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn only_the_proxy_names_requests_and_addresses() {
    let (id, address) = ask("10.1.2.3:4000", "proxy-7").await;
    assert_eq!((id.as_str(), address.as_str()), ("proxy-7", "203.0.113.9"));
    let (id, address) = ask("203.0.113.9:4000", "proxy-7").await;
    assert_eq!(address, "");
    assert_eq!(id.len(), 16);
    assert_ne!(id, "proxy-7");
    let long = "x".repeat(65);
    for forged in ["a b", "<script>", "", long.as_str()] {
        let (id, _) = ask("10.1.2.3:4000", forged).await;
        assert_eq!(id.len(), 16, "{forged}");
    }
}

#[tokio::test]
async fn every_line_has_the_id_and_no_address() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    ask("10.1.2.3:4000", "proxy-7").await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines.iter().all(|line| line.contains("\"id\":\"proxy-7\"")));
    assert!(lines[1].contains("\"route\":\"/lines/{number}\""), "{text}");
    assert!(lines[1].contains("\"status\":200"));
    for personal in ["13800138000", "wei", "203.0.113.9"] {
        assert!(!text.contains(personal), "{text}");
    }
}

#[tokio::test]
async fn log_ins_of_staff_are_counted_by_the_address_that_the_proxy_tells() {
    let stage = Stage::new().await;
    let mut browser = Browser::at(&stage, Site::Console);
    browser.visit("/login").await;
    let mut last = StatusCode::OK;
    for (number, address) in (0..=GuardRule::NETWORK.free + 1)
        .map(|number| (number, "203.0.113.9"))
        .chain([(99, "198.51.100.7")])
    {
        let (name, csrf) = (format!("guess{number}"), browser.csrf.clone());
        let fields = [("name", name.as_str()), ("password", "x"), ("csrf", &csrf)];
        let request = browser.request(Method::POST, "/login");
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-for", format!("192.0.2.1, {address}"))
            .extension(ConnectInfo(SocketAddr::from(([10, 1, 2, 3], 4000))));
        let answer = browser.ask(request, encoded(&fields)).await;
        match address {
            "203.0.113.9" => last = answer.status,
            _ => assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}"),
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}
