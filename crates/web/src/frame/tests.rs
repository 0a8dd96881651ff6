//! The frame through a router, as a browser meets it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use simurgh_app::ports::Clock;
use simurgh_vocab::Timestamp;
use tower::ServiceExt;

use super::{Flash, Frames, Page, Policy, Reference, Refusal, Tone, Transport, Visitor, dress};
use crate::brand::Brand;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_787_380_200_000_000)
    }
}

fn router(transport: Transport) -> Router {
    let policy = Policy::new(
        transport,
        &[
            "https://pay.example".to_owned(),
            "x; script-src *".to_owned(),
        ],
    );
    let frames = Frames::new(Brand::default(), policy, Arc::new(Still)).unwrap();
    crate::routes()
        .merge(crate::styleguide::routes())
        .route(
            "/refused",
            get(async || Refusal::TooMany {
                retry_after_seconds: 61,
            }),
        )
        .route("/broken", get(async || Refusal::Internal))
        .route("/panics", get(panics))
        .route(
            "/form",
            post(async |_: axum::Form<Vec<(String, String)>>| "taken"),
        )
        .route(
            "/own",
            get(async || (StatusCode::CONFLICT, axum::Json("own answer"))),
        )
        .route(
            "/name",
            get(async |page: Page| page.name.unwrap_or_default()),
        )
        .layer(from_fn_with_state(frames.clone(), dress))
        .with_state(frames)
}

async fn panics() -> Refusal {
    panic!("a defect");
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
    let request = request.body(body.into()).unwrap();
    let response = router(Transport::Http).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

async fn visit(path: &str) -> Answer {
    ask(Request::get(path), "").await
}

#[tokio::test]
async fn every_page_of_the_frame_is_protected_and_speaks_both_languages() {
    for path in [
        "/help",
        "/help/login",
        "/legal/terms",
        "/offline",
        "/design",
        "/design/console",
    ] {
        for (language, tag) in [
            ("zh-CN", "<html lang=\"zh-CN\""),
            ("en-GB", "<html lang=\"en\""),
        ] {
            let request = Request::get(path).header(header::ACCEPT_LANGUAGE, language);
            let page = ask(request, "").await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(page.body.contains(tag), "{path} {language}");
            assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
            assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = page.header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none';"));
            assert!(policy.contains("form-action 'self' https://pay.example;"));
            assert!(!policy.contains('*') && !policy.contains("unsafe"));
            assert!(!page.body.contains("<style") && !page.body.contains(" style="));
            for rest in page.body.split("<script").skip(1) {
                assert!(
                    rest.starts_with(" type=\"module\" src=\"/assets/"),
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_language_switch_remembers_and_returns() {
    let page = visit("/help?q=esim&lang=en").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.header(header::LOCATION), "/help?q=esim");
    let cookie = page.header(header::SET_COOKIE);
    assert!(cookie.starts_with("lang=en; Path=/"), "{cookie}");
    let request = Request::get("/help?q=esim").header(header::COOKIE, "lang=en");
    let page = ask(request, "").await;
    assert!(page.body.contains("lang=\"en\""));
    assert!(page.body.contains("href=\"/help?q=esim&#38;lang=zh-CN\""));
}

#[tokio::test]
async fn errors_explain_themselves_in_the_visitors_language() {
    let form = "application/x-www-form-urlencoded";
    let long = "a=".to_owned() + &"x".repeat(3_000_000);
    let cases = [
        (Request::get("/nowhere"), "", 404, "/help"),
        (Request::get("/help/nothing"), "", 404, "/help"),
        (Request::post("/help"), "", 405, "/help"),
        (
            Request::post("/form").header(header::CONTENT_TYPE, form),
            long.as_str(),
            413,
            "/help",
        ),
        (
            Request::post("/form").header(header::CONTENT_TYPE, "text/csv"),
            "a",
            415,
            "/help",
        ),
        (Request::get("/help?q=%FF%zz&q=1"), "", 400, "/help"),
        (Request::get("/refused"), "", 429, "2 分钟"),
        (Request::get("/broken"), "", 500, "R-17"),
    ];
    for (request, body, status, says) in cases {
        let request = request.extension(Reference("R-17".to_owned()));
        let page = ask(request, body.to_owned()).await;
        assert_eq!(page.status.as_u16(), status);
        assert_eq!(
            page.header(header::CONTENT_TYPE),
            "text/html; charset=utf-8",
            "{status}"
        );
        assert!(
            page.body.contains("<html lang=\"zh-CN\"") && page.body.contains(says),
            "{status}"
        );
    }
}

#[test]
fn a_page_that_panics_is_answered_and_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let page = metrics::with_local_recorder(&recorder, || {
        let request = Request::get("/panics").extension(Reference("R-17".to_owned()));
        runtime.block_on(ask(request, ""))
    });
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("<html lang=\"zh-CN\"") && page.body.contains("R-17"));
    assert!(!page.body.contains("a defect"));
    let counted = recorder.handle().render();
    assert!(counted.contains("simurgh_panics_total 1"), "{counted}");
}

#[tokio::test]
async fn programs_get_problem_json_and_own_answers_stay() {
    let request = Request::get("/refused")
        .header(header::ACCEPT, "application/json, text/html;q=0.5")
        .header(header::ACCEPT_LANGUAGE, "en");
    let problem = ask(request, "").await;
    assert_eq!(
        problem.header(header::CONTENT_TYPE),
        "application/problem+json"
    );
    assert_eq!(problem.header(header::RETRY_AFTER), "61");
    let json: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
    assert_eq!(json["status"], 429);
    assert_eq!(json["title"], "Too many attempts");
    let own = visit("/own").await;
    assert_eq!(
        (own.status.as_u16(), own.body.as_str()),
        (409, "\"own answer\"")
    );
}

#[tokio::test]
async fn what_a_visitor_carries_reaches_the_page_escaped() {
    let visitor = Visitor {
        name: Some("<b>魏</b>".to_owned()),
        flash: Some(Flash {
            tone: Tone::Success,
            text: "done <i>".to_owned(),
        }),
        csrf: "token".to_owned(),
        ..Visitor::default()
    };
    let page = ask(Request::get("/help").extension(visitor), "").await;
    assert!(page.body.contains("&#60;b&#62;魏") && !page.body.contains("<b>魏"));
    assert!(page.body.contains("done &#60;i&#62;"));
    assert!(page.body.contains("name=\"csrf\" value=\"token\""));
    assert!(page.body.contains("aria-current=\"page\""));
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_their_hash_only() {
    let page = visit("/help").await;
    let url = page
        .body
        .split("href=\"")
        .find(|rest| rest.contains("app.css"))
        .unwrap();
    let url = url.split('"').next().unwrap();
    let file = visit(url).await;
    assert_eq!(file.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(
        file.header(header::CACHE_CONTROL),
        "public, max-age=31536000, immutable"
    );
    let old = visit("/assets/0000000000000000/app.css").await;
    assert_eq!(old.header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(
        visit("/assets/x/secret.css").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_worker_and_the_manifest_name_files_that_exist() {
    let worker = visit("/sw.js").await;
    assert!(!worker.body.contains("__"), "a placeholder is left");
    let manifest = visit("/manifest.webmanifest").await;
    for text in [&worker.body, &manifest.body] {
        let urls: Vec<&str> = text
            .split('"')
            .filter(|piece| piece.starts_with("/assets/") && piece.len() > 8)
            .collect();
        assert!(urls.len() >= 3);
        for url in urls {
            assert_eq!(visit(url).await.status, StatusCode::OK, "{url}");
        }
    }
}

#[tokio::test]
async fn a_strangers_first_page_weighs_little() {
    let mut octets = 0;
    let page = visit("/help").await;
    octets += page.body.len();
    for piece in page
        .body
        .split('"')
        .filter(|piece| piece.starts_with("/assets/"))
    {
        octets += visit(piece).await.body.len();
    }
    for path in ["/manifest.webmanifest", "/sw.js"] {
        octets += visit(path).await.body.len();
    }
    assert!(
        octets < 50_000,
        "{octets} octets leave too little for the start page"
    );
}

#[tokio::test]
async fn transport_security_is_asked_for_behind_tls_only() {
    for (transport, sent) in [(Transport::Http, false), (Transport::Https, true)] {
        let request = Request::get("/help").body(Body::empty()).unwrap();
        let response = router(transport).oneshot(request).await.unwrap();
        let headers = response.headers();
        assert_eq!(
            headers.contains_key(header::STRICT_TRANSPORT_SECURITY),
            sent
        );
    }
}
