//! Forms and addresses with our fields and somebody else's ideas of what is in them.

use axum::http::{Method, StatusCode, header};

use super::routes::{self, Route, Site};
use super::world::{Answer, Browser, Stage, encoded};

/// Values that have broken programs: lengths, signs, encodings, markup, numbers at the edge.
fn values() -> Vec<String> {
    let fixed = [
        "-1",
        "-9223372036854775808",
        "9223372036854775808",
        "1e309",
        "0.1",
        "QQQ",
        "usd",
        "ZZZ",
        "+86",
        "1970-01-01",
        "9999-99-99",
        "'; DROP TABLE customer; --",
        "<script>alert(1)</script>",
        "../../../../etc/passwd",
        "//evil.example",
        "\u{202e}\u{1f9ff}\u{0}".trim_end_matches('\u{0}'),
        "\r\nSet-Cookie: a=b",
        "\u{7f}\u{1b}[31m",
        "offer:basic-europe",
        "mix:europe:-1:0:0:1",
        "01JAZ8Q6T3WB5M2N9R4X7C0DKE",
    ];
    let mut values: Vec<String> = fixed.map(str::to_owned).to_vec();
    values.push("字".repeat(100));
    values.push("9".repeat(600));
    values
}

/// As many fields as fit under the smallest limit for a form.
fn forms(value: &str, csrf: &str) -> Vec<String> {
    let names = routes::field_names();
    let each = encoded(&[("", value)]).len() + 24;
    let per_form = (14_000 / each).clamp(1, 60);
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value)).collect();
    fields
        .chunks(per_form)
        .map(|chunk| {
            let mut chunk = chunk.to_vec();
            chunk.push(("csrf", csrf));
            encoded(&chunk)
        })
        .collect()
}

/// Routes that end the session they are asked with: they come last, by a stranger.
const ENDS_SESSIONS: [&str; 2] = ["/login", "/logout"];

async fn every_route_of(site: Site) {
    let stage = Stage::new().await;
    let routes: Vec<Route> = routes::all()
        .into_iter()
        .filter(|route| route.site == site)
        .collect();
    let (ends, pages): (Vec<_>, Vec<_>) = routes
        .iter()
        .partition(|route| ENDS_SESSIONS.contains(&route.template.as_str()));
    let mut browser = stage.signed_in(site).await;
    for route in pages {
        withstands(&mut browser, route).await;
    }
    let mut stranger = Browser::at(&stage, site);
    stranger.visit("/login").await;
    for route in ends {
        withstands(&mut stranger, route).await;
    }
}

async fn withstands(browser: &mut Browser<'_>, route: &Route) {
    let session = (browser.cookies.clone(), browser.csrf.clone());
    let methods = browser.methods(route).await;
    for value in values() {
        for form in forms(&value, &session.1) {
            if methods.contains(&Method::POST) {
                let answer = browser.post(&route.path(), &form).await;
                is_sound(&answer, &format!("POST {} {value:?}", route.template));
                browser.cookies.clone_from(&session.0);
            }
            let query = form.split("&csrf=").next().unwrap();
            if methods.contains(&Method::GET) && query.len() < 4_000 {
                let answer = browser.visit(&format!("{}?{query}", route.path())).await;
                is_sound(&answer, &format!("GET {} {value:?}", route.template));
                browser.cookies.clone_from(&session.0);
            }
        }
    }
    browser.csrf = session.1;
}

fn is_sound(answer: &Answer, place: &str) {
    // 503 is what a bounded pool of password checks says when it is full.
    let broken = answer.status.is_server_error() && answer.status.as_u16() != 503;
    assert!(!broken, "{place}: {}", answer.status);
    assert!(!answer.body.contains("<script>alert"), "{place}");
    for line in answer.headers.get_all(header::SET_COOKIE) {
        assert!(!line.to_str().unwrap().starts_with("a=b"), "{place}");
    }
    assert!(
        !answer.header(header::LOCATION).starts_with("//"),
        "{place}"
    );
}

#[tokio::test]
async fn no_value_breaks_a_page_of_the_portal() {
    every_route_of(Site::Portal).await;
}

#[tokio::test]
async fn no_value_breaks_a_page_of_the_console() {
    every_route_of(Site::Console).await;
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_with_a_reason() {
    let stage = Stage::new().await;
    let mut browser = stage.customer().await;
    for query in [
        "item=offer:basic-europe&currency=QQQ",
        "item=offer:basic-europe&periods=-1",
        "item=offer:basic-europe&periods=0",
        "item=mix:europe:-5:0:0:1",
        "item=offer:no-such-plan",
    ] {
        let mut answer = browser.visit(&format!("/checkout?{query}")).await;
        if answer.status.is_redirection() {
            let to = answer.header("location").to_owned();
            answer = browser.visit(&to).await;
        }
        assert!(
            answer.status.is_client_error() && answer.explains_itself(),
            "{query}: {}",
            answer.status
        );
    }
    let long = "x".repeat(2_000);
    let answer = browser
        .send("/login", &[("name", &long), ("password", &long)])
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.explains_itself());
}
