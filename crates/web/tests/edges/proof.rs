//! Staff prove again who they are before money goes back or an eSIM changes.

use axum::http::StatusCode;
use simurgh_app::ports::Clock as _;
use simurgh_vocab::Duration;

use super::routes::Site;
use super::world::{Browser, STAFF_PASSWORD, Stage, code_of};

/// Well-formed, and nobody's.
const REFUND: &str = "/orders/01BX5ZZKBKACTAV9WEVGEMMVRZ/refund";
const TO_PROOF: &str = "/proof?next=%2Forders%2F01BX5ZZKBKACTAV9WEVGEMMVRZ%2Frefund";

const RISKY: [&str; 4] = [
    REFUND,
    "/refunds/01BX5ZZKBKACTAV9WEVGEMMVRZ/settle",
    "/esim/01BX5ZZKBKACTAV9WEVGEMMVRZ/withdraw",
    "/esim/01BX5ZZKBKACTAV9WEVGEMMVRZ/reissue",
];

async fn prove(desk: &mut Browser<'_>, code: &str) -> super::world::Answer {
    desk.visit(TO_PROOF).await;
    let next = ("next", REFUND);
    desk.send(
        "/proof",
        &[next, ("password", STAFF_PASSWORD), ("code", code)],
    )
    .await
}

#[tokio::test]
async fn what_is_risky_asks_staff_again_after_ten_minutes() {
    let stage = Stage::new().await;
    let new = stage
        .app
        .create_staff("chen", STAFF_PASSWORD)
        .await
        .unwrap();
    let code = || code_of(&new.totp_secret, stage.clock.now().as_unix_seconds());
    let mut desk = Browser::at(&stage, Site::Console);
    desk.visit("/login").await;
    let fields = [("name", "chen"), ("password", STAFF_PASSWORD)];
    let log_in = code();
    let fields = [fields[0], fields[1], ("code", log_in.as_str())];
    assert!(desk.send("/login", &fields).await.status.is_redirection());
    desk.visit("/").await;

    // A log-in is a proof.
    for path in RISKY {
        let page = desk.visit(path).await;
        assert!(!page.status.is_redirection(), "{path}");
    }
    stage.wait(Duration::minutes(10));
    for path in RISKY {
        let asked = desk.visit(path).await;
        assert!(
            asked.header("location").starts_with("/proof?next="),
            "{path}"
        );
        let sent = desk.send(path, &[("reason", "The customer asked.")]).await;
        assert!(
            sent.header("location").starts_with("/proof?next="),
            "{path}"
        );
    }
    assert_eq!(desk.visit(REFUND).await.header("location"), TO_PROOF);
    assert_eq!(desk.visit("/orders").await.status, StatusCode::OK);

    // What is wrong ends nothing.
    let wrong = prove(&mut desk, "000000").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.explains_itself());
    assert_eq!(desk.visit("/orders").await.status, StatusCode::OK);

    let before = desk.cookies.clone();
    let right = prove(&mut desk, &code()).await;
    assert_eq!(right.header("location"), REFUND);
    assert_eq!(desk.visit(REFUND).await.status, StatusCode::NOT_FOUND);
    // The session goes on under another token.
    let mut old = Browser::at(&stage, Site::Console);
    old.cookies = before;
    assert!(
        old.visit("/orders")
            .await
            .header("location")
            .starts_with("/login")
    );
}
