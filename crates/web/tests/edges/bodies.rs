//! What no form of ours sends: wrong methods, kinds, lengths and encodings.

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode, header};

use super::routes::{self, Route, Site};
use super::world::{Browser, FORM, Stage};

/// A body without an announced length.
fn unannounced(octets: usize) -> Body {
    struct Pieces(usize);
    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            let this = self.get_mut();
            let piece = this.0.min(8_192);
            this.0 -= piece;
            let frame =
                (piece > 0).then(|| Ok(http_body::Frame::data(Bytes::from(vec![b'a'; piece]))));
            std::task::Poll::Ready(frame)
        }
    }
    Body::new(Pieces(octets))
}

async fn posted(browser: &mut Browser<'_>, route: &Route, body: impl Into<Body>) -> StatusCode {
    let request = browser.request(Method::POST, &route.path());
    let answer = browser
        .ask(request.header(header::CONTENT_TYPE, FORM), body)
        .await;
    assert!(answer.explains_itself(), "{route:?} {}", answer.body);
    answer.status
}

async fn every_form_of(site: Site) {
    let stage = Stage::new().await;
    let mut browser = stage.signed_in(site).await;
    let mut forms = 0;
    for route in routes::all().iter().filter(|route| route.site == site) {
        if route.is_for_programs() {
            continue;
        }
        if !browser.methods(route).await.contains(&Method::POST) {
            continue;
        }
        forms += 1;
        let large = "a=".to_owned() + &"x".repeat(1 << 20);
        let status = posted(&mut browser, route, large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{route:?}");
        let status = posted(&mut browser, route, unannounced(1 << 20)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{route:?}");
        let many = "a=1&".repeat(3_000);
        let broken: [&[u8]; 6] = [
            b"a=%zz",
            b"a=%",
            b"a=%FF",
            b"a=\xFF",
            b"%00=1",
            many.as_bytes(),
        ];
        for body in broken {
            let status = posted(&mut browser, route, body.to_vec()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{route:?} {body:?}");
        }
        for kind in ["text/csv", "application/json", "image/png", ""] {
            let request = browser.request(Method::POST, &route.path());
            let request = request.header(header::CONTENT_TYPE, kind);
            let answer = browser.ask(request, "a=1").await;
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            assert_eq!(answer.status, status, "{route:?} {kind}");
            assert!(answer.explains_itself(), "{route:?}");
        }
    }
    assert!(forms > 8, "{forms}");
}

#[tokio::test]
async fn forms_of_the_portal_take_nothing_but_forms() {
    every_form_of(Site::Portal).await;
}

#[tokio::test]
async fn forms_of_the_console_take_nothing_but_forms() {
    every_form_of(Site::Console).await;
}

#[tokio::test]
async fn addresses_are_short_and_well_encoded() {
    let stage = Stage::new().await;
    for site in [Site::Portal, Site::Console] {
        let mut browser = stage.signed_in(site).await;
        let long = "x".repeat(8_192);
        let routes = routes::all();
        let pages = routes.iter().filter(|route| !route.is_for_programs());
        for route in pages.filter(|route| route.site == site) {
            for query in ["%FF", "a=%zz", "a=%", "a=%00", &"a&".repeat(1_000)] {
                let path = format!("{}?{query}", route.path());
                let answer = browser.visit(&path).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
                assert!(answer.explains_itself(), "{path}");
            }
            let answer = browser.visit(&format!("{}?a={long}", route.path())).await;
            assert_eq!(answer.status, StatusCode::URI_TOO_LONG, "{route:?}");
            if route.template.contains('{') {
                let path = route.path().replace("01JAZ8Q6T3WB5M2N9R4X7C0DKE", "%FF");
                let answer = browser.visit(&path).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{route:?}");
            }
        }
    }
}
