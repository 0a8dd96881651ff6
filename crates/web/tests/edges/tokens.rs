//! Forms that are not ours: without a token, with an invented one, with somebody else's, again
//! after the log-out.

use axum::http::{Method, StatusCode, header};

use super::routes::{self, Site};
use super::world::{Browser, Stage, encoded};

/// The route whose form changes nothing and carries no token.
const WITHOUT_TOKEN: &str = "/design";

async fn every_form_of(site: Site) {
    let stage = Stage::new().await;
    let mut stranger = Browser::at(&stage, site);
    stranger.visit("/login").await;
    let foreign = stranger.csrf.clone();
    assert!(!foreign.is_empty());
    let mut browser = stage.signed_in(site).await;
    let own = browser.csrf.clone();
    assert_ne!(own, foreign);
    for route in routes::all().iter().filter(|route| route.site == site) {
        if route.template == WITHOUT_TOKEN
            || route.is_for_programs()
            || !browser.methods(route).await.contains(&Method::POST)
        {
            continue;
        }
        let cut = &own[1..];
        for token in [
            None,
            Some(""),
            Some("forged"),
            Some(foreign.as_str()),
            Some(cut),
        ] {
            let fields: Vec<_> = token.map(|token| ("csrf", token)).into_iter().collect();
            let answer = browser.post(&route.path(), &encoded(&fields)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} {token:?}");
            assert!(answer.explains_itself(), "{route:?}");
        }
    }
    // The log-out is the last form that the token is good for.
    let kept = browser.cookies.clone();
    let answer = browser.send("/logout", &[]).await;
    assert!(answer.status.is_redirection(), "{}", answer.body);
    browser.cookies = kept;
    for path in ["/logout", "/"] {
        let answer = browser.post(path, &encoded(&[("csrf", &own)])).await;
        assert!(
            !answer.status.is_success() && !answer.status.is_server_error(),
            "{path} {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn the_portal_takes_forms_of_its_own_pages_only() {
    every_form_of(Site::Portal).await;
}

#[tokio::test]
async fn the_console_takes_forms_of_its_own_pages_only() {
    every_form_of(Site::Console).await;
}

#[tokio::test]
async fn a_refused_form_is_explained_in_the_language_of_the_account() {
    let stage = Stage::new().await;
    let mut browser = stage.customer().await;
    let request = browser.request(Method::POST, "/logout");
    let mut request = request.header(header::CONTENT_TYPE, super::world::FORM);
    // A browser that prefers another language than the account, which is in English.
    let languages = request.headers_mut().unwrap();
    languages.insert(header::ACCEPT_LANGUAGE, "zh-CN".parse().unwrap());
    let answer = browser.ask(request, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.explains_itself());
    let said = ["This page has expired", "log in again"];
    assert!(said.iter().all(|text| answer.body.contains(text)));
}
