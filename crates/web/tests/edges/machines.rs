//! The addresses that programs talk to.

use axum::http::{Method, StatusCode, header};

use super::routes::{self, Site};
use super::world::{Answer, Browser, Stage};

fn is_a_problem(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let kind = answer.header(header::CONTENT_TYPE);
    assert_eq!(kind, "application/problem+json", "{}", answer.body);
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    for member in ["type", "title", "detail"] {
        assert!(problem[member].is_string(), "{member}: {}", answer.body);
    }
}

#[tokio::test]
async fn rfc_9457_notifications_are_refused_with_a_problem() {
    let stage = Stage::new().await;
    let mut browser = Browser::at(&stage, Site::Portal);
    let path = "/notify/sandbox";
    let json = "application/json";
    let large = "x".repeat(1 << 20);
    for (kind, body, status) in [
        (json, "{}", StatusCode::NOT_FOUND),
        (json, large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        ("text/plain", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            "application/x-www-form-urlencoded",
            "a=%FF",
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let request = browser.request(Method::POST, path);
        let request = request.header(header::CONTENT_TYPE, kind);
        let answer = browser.ask(request, body.to_owned()).await;
        is_a_problem(&answer, status);
    }
    let answer = browser.visit(path).await;
    is_a_problem(&answer, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn rfc_9457_programs_get_problems_from_pages_too() {
    let stage = Stage::new().await;
    for (site, path) in [
        (Site::Portal, "/no/such/page"),
        (Site::Console, "/audit/check"),
    ] {
        let mut browser = Browser::at(&stage, site);
        let request = browser.request(Method::POST, path);
        let request = request.header(header::ACCEPT, "application/json");
        let answer = browser.ask(request, "").await;
        let status = answer.status;
        assert!(status.is_client_error());
        is_a_problem(&answer, status);
    }
}

#[tokio::test]
async fn the_description_lists_every_route_for_programs_and_no_other() {
    let stage = Stage::new().await;
    let mut browser = Browser::at(&stage, Site::Portal);
    let answer = browser.visit("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    let described: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(described["openapi"], "3.1.0");
    let mut listed = Vec::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{path}");
            listed.push(format!("{} {path}", method.to_ascii_uppercase()));
        }
    }
    let mut mounted = Vec::new();
    let routes = routes::all();
    for route in routes.iter().filter(|route| route.is_for_programs()) {
        for method in browser.methods(route).await {
            if method != Method::HEAD {
                mounted.push(format!("{method} {}", route.template));
            }
        }
    }
    listed.sort();
    mounted.sort();
    assert_eq!(listed, mounted);
    let text = &answer.body;
    for reference in text.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(described.pointer(pointer).is_some(), "{pointer}");
    }
}
