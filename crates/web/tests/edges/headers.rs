//! What protects an answer, on every one.

use axum::http::{Method, StatusCode, header};

use super::routes::{self, Route, Site};
use super::world::{Answer, Browser, Stage};

/// What everybody may keep: it is the same for everybody.
const PUBLIC: [&str; 4] = [
    "/assets/{hash}/{name}",
    "/manifest.webmanifest",
    "/sw.js",
    "/favicon.ico",
];

fn is_protected(answer: &Answer, route: &Route) {
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    for directive in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(directive), "{route:?}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'));
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(answer.header(header::REFERRER_POLICY), "same-origin");
    assert!(answer.header("permissions-policy").contains("camera=()"));
    assert!(
        answer
            .header(header::STRICT_TRANSPORT_SECURITY)
            .starts_with("max-age=63072000")
    );
    if !PUBLIC.contains(&route.template.as_str()) {
        let kept = answer.header(header::CACHE_CONTROL);
        assert!(
            kept.contains("no-store") || kept.contains("private"),
            "{route:?}: {kept}"
        );
    }
    for line in answer.headers.get_all(header::SET_COOKIE) {
        let line = line.to_str().unwrap();
        let language = line.starts_with("lang=");
        let bound = line.starts_with("__Host-") && line.contains("; Path=/; Secure; HttpOnly");
        assert!(language || bound, "{route:?}: {line}");
        assert!(line.contains("; SameSite=") && !line.contains("Domain"));
    }
    let kind = answer.header(header::CONTENT_TYPE);
    if kind.starts_with("text/html") {
        let page = &answer.body;
        assert!(
            !page.contains("<style") && !page.contains(" style="),
            "{route:?}"
        );
        assert!(!page.contains(" onclick=") && !page.contains("javascript:"));
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" type=\"module\" src=\"/assets/"),
                "{route:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_answer_of_every_route_is_protected() {
    let stage = Stage::new().await;
    for site in [Site::Portal, Site::Console] {
        let mut known = stage.signed_in(site).await;
        let mut stranger = Browser::at(&stage, site);
        for route in routes::all().iter().filter(|route| route.site == site) {
            for browser in [&mut known, &mut stranger] {
                for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
                    let request = browser.request(method, &route.path());
                    let answer = browser.ask(request, "").await;
                    assert!(!answer.status.is_server_error(), "{route:?}");
                    is_protected(&answer, route);
                }
            }
        }
        let nowhere = Route {
            site,
            template: "/no/such/page".to_owned(),
        };
        let answer = known.visit("/no/such/page").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        is_protected(&answer, &nowhere);
    }
}

#[tokio::test]
async fn nothing_of_a_customer_is_in_an_address() {
    let stage = Stage::new().await;
    let mut browser = stage.registered("+8613800138999").await;
    for route in routes::all()
        .iter()
        .filter(|route| route.site == Site::Portal)
    {
        let answer = browser.visit(&route.path()).await;
        for link in answer.body.split("href=\"").skip(1) {
            let address = link.split('"').next().unwrap();
            assert!(!address.contains("138001389"), "{route:?}: {address}");
        }
    }
}
