//! The way in and the settings, where a browser does not show it: what leads where, what looks the
//! same, what is asked first.

use axum::http::{StatusCode, header};
use simurgh_app::ports::Clock;
use simurgh_app::subscriber::Profile;
use simurgh_subscriber::Marketing;
use simurgh_vocab::Duration;

use super::routes::Site;
use super::world::{Answer, Browser, Stage, code_of};

const PHONE: &str = "+8613800138000";
/// Nobody's, and looks the same where the middle is hidden.
const OTHER: &str = "+8613900138000";
const PASSWORD: &str = "correct horse battery";

fn location(answer: &Answer) -> &str {
    answer.header(header::LOCATION)
}

/// A page without what differs each time.
fn plain(answer: &Answer) -> String {
    let mut text = answer.body.clone();
    for name in ["csrf", "challenge"] {
        if text.contains(&format!("name=\"{name}\" value=\"")) {
            text = text.replace(&answer.field(name), "");
        }
    }
    text
}

async fn log_in(browser: &mut Browser<'_>, who: &str, password: &str, next: &str) -> Answer {
    browser.visit("/login").await;
    let fields = [
        ("who", who),
        ("password", password),
        ("next", next),
        ("zone", "Europe/Berlin"),
    ];
    browser.send("/login", &fields).await
}

/// Types the code that arrived at an address into the page that waits for it.
async fn type_code(browser: &mut Browser<'_>, path: &str, to: &str) -> Answer {
    let challenge = browser.visit(path).await.field("challenge");
    let code = browser.stage.code(to).await;
    let fields = [("challenge", challenge.as_str()), ("code", &code)];
    browser.send(path, &fields).await
}

async fn profile(stage: &Stage, who: &str) -> Profile {
    let mut browser = Browser::at(stage, Site::Portal);
    let answer = log_in(&mut browser, who, PASSWORD, "").await;
    assert_eq!(location(&answer), "/line", "{}", answer.body);
    let token = &browser.cookies["__Host-simurgh"];
    let token = simurgh_app::subscriber::SessionToken::shown(token).unwrap();
    let session = stage.app.resume(&token).await.unwrap().unwrap().session;
    let profile = stage.app.profile(session.customer).await.unwrap();
    profile.unwrap()
}

#[tokio::test]
async fn a_log_in_leads_to_pages_of_this_site_only() {
    let stage = Stage::new().await;
    stage.registered(PHONE).await;
    for (next, led) in [
        (
            "/checkout?item=add-on%3Ax&currency=CNY",
            "/checkout?item=add-on%3Ax&currency=CNY",
        ),
        ("//evil.example/", "/line"),
        ("https://evil.example/", "/line"),
        ("/\\evil.example", "/line"),
        ("javascript:alert(1)", "/line"),
    ] {
        let mut browser = Browser::at(&stage, Site::Portal);
        let answer = log_in(&mut browser, PHONE, PASSWORD, next).await;
        assert_eq!(
            (answer.status, location(&answer)),
            (StatusCode::SEE_OTHER, led)
        );
    }
}

#[tokio::test]
async fn known_and_unknown_numbers_look_the_same() {
    let stage = Stage::new().await;
    stage.registered(PHONE).await;
    let registering = [("name", "Li"), ("password", "another good phrase")];
    for (path, field, more) in [
        ("/recover", "who", [].as_slice()),
        ("/login/send-code", "who", &[]),
        ("/register", "phone", &registering),
    ] {
        let mut seen = Vec::new();
        for number in [PHONE, OTHER] {
            let mut browser = Browser::at(&stage, Site::Portal);
            browser.visit(path).await;
            let mut fields = vec![(field, number)];
            fields.extend_from_slice(more);
            let answer = browser.send(path, &fields).await;
            let page = browser.visit(location(&answer)).await;
            let challenge = page.field("challenge");
            let wrong = [("challenge", challenge.as_str()), ("code", "000000")];
            let refused = browser.send(location(&answer), &wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            seen.push((location(&answer).to_owned(), plain(&page), plain(&refused)));
        }
        assert_eq!(seen[0], seen[1], "{path}");
        stage.wait(Duration::minutes(2));
    }
}

#[tokio::test]
async fn a_lock_says_until_when_on_the_readers_clock_and_not_who_exists() {
    let stage = Stage::new().await;
    stage.registered(PHONE).await;
    let mut told = Vec::new();
    for number in [PHONE, OTHER] {
        let mut browser = Browser::at(&stage, Site::Portal);
        let mut last = log_in(&mut browser, number, "wrong", "").await;
        assert!(last.body.contains("wrong. Check both"), "{}", last.body);
        while !last.body.contains("Too many wrong attempts") {
            last = log_in(&mut browser, number, "wrong", "").await;
        }
        // What was typed stays, but for the password.
        assert!(last.body.contains(&format!("value=\"{number}\"")));
        assert!(!last.body.contains("value=\"wrong\""));
        told.push(plain(&last).replace(number, ""));
    }
    assert_eq!(told[0], told[1]);
    // In Berlin it is six hours earlier than in the test's noon of China.
    assert!(told[0].contains("You can try again at 07:"), "{}", told[0]);
}

#[tokio::test]
async fn codes_expire_are_replaced_and_can_be_asked_for_again() {
    let stage = Stage::new().await;
    stage.registered(PHONE).await;
    let mut browser = Browser::at(&stage, Site::Portal);
    let lost = browser.visit("/login/code").await;
    assert_eq!(location(&lost), "/login/send-code");
    let told = browser.visit("/login/send-code").await;
    assert!(told.body.contains("Please start again"), "{}", told.body);
    assert!(
        !browser
            .visit("/login/send-code")
            .await
            .body
            .contains("Please start again")
    );

    browser.send("/login/send-code", &[("who", PHONE)]).await;
    let page = browser.visit("/login/code").await;
    let (first, code) = (page.field("challenge"), stage.code(PHONE).await);
    let early = browser.send("/code/again", &[("challenge", &first)]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.body.contains("Too many codes were asked for"));
    stage.wait(Duration::minutes(1));
    let sent = browser.send("/code/again", &[("challenge", &first)]).await;
    assert_eq!(location(&sent), "/login/code");
    let old = [("challenge", first.as_str()), ("code", &code)];
    let replaced = browser.send("/login/code", &old).await;
    assert_eq!(
        location(&replaced),
        "/login/code",
        "a page of an older code"
    );
    let page = browser.visit("/login/code").await;
    assert!(page.body.contains("A newer code was asked for"));
    let (second, code) = (page.field("challenge"), stage.code(PHONE).await);
    let no_code = [("challenge", second.as_str()), ("code", "12 34")];
    let refused = browser.send("/login/code", &no_code).await;
    assert!(refused.body.contains("Enter the six digits"));
    stage.wait(Duration::minutes(6));
    let late = [("challenge", second.as_str()), ("code", &code)];
    let refused = browser.send("/login/code", &late).await;
    assert!(
        refused.body.contains("This code has expired"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn who_registers_is_asked_no_more_than_needed_and_believed_no_more_than_possible() {
    let stage = Stage::new().await;
    for (phone, zone, marketing, expected) in [
        (PHONE, "", "", "Asia/Shanghai"),
        ("+447400123456", "", "yes", "Europe/London"),
        ("+14155552671", "Mars/Base", "", "America/New_York"),
        ("+4915123456789", "Pacific/Auckland", "", "Pacific/Auckland"),
    ] {
        let mut browser = Browser::at(&stage, Site::Portal);
        let page = browser.visit("/register").await;
        assert!(
            !page.body.contains("checked"),
            "nothing is ticked for anybody"
        );
        let fields = [
            ("name", "Wei"),
            ("phone", phone),
            ("password", PASSWORD),
            ("zone", zone),
            ("marketing", marketing),
        ];
        browser.send("/register", &fields).await;
        type_code(&mut browser, "/register/confirm", phone).await;
        let person = profile(&stage, phone).await.person;
        assert_eq!(person.time_zone.as_str(), expected);
        assert_eq!(person.locale.tag(), "en");
        let wants = matches!(person.marketing, Marketing::Given { .. });
        assert_eq!(wants, marketing == "yes");
    }
}

#[tokio::test]
async fn risky_pages_ask_again_who_it_is_and_come_back() {
    let stage = Stage::new().await;
    let mut browser = stage.registered(PHONE).await;
    assert_eq!(browser.visit("/account/email").await.status, StatusCode::OK);
    stage.wait(Duration::minutes(10));
    for path in [
        "/account/phone",
        "/account/email",
        "/account/user-name",
        "/account/password",
        "/account/export",
        "/account/close",
    ] {
        let asked = browser.visit(path).await;
        let proof = format!("/account/proof?next={}", path.replace('/', "%2F"));
        assert_eq!(location(&asked), proof);
    }
    for (path, fields) in [
        ("/account/email", [("email", "wei@example.com")].as_slice()),
        ("/account/export", &[]),
        ("/account/close", &[("word", "CLOSE")]),
        ("/account/two-step/set-up", &[]),
    ] {
        let asked = browser.send(path, fields).await;
        assert!(
            location(&asked).starts_with("/account/proof?next="),
            "{path}"
        );
    }
    let elsewhere = browser.visit("/account/proof?next=//evil.example").await;
    assert_eq!(elsewhere.field("next"), "/account");
    let next = ("next", "/account/email");
    let wrong = browser
        .send("/account/proof", &[next, ("password", "no")])
        .await;
    assert!(
        wrong.body.contains("This is not your password"),
        "{}",
        wrong.body
    );
    let right = browser
        .send("/account/proof", &[next, ("password", PASSWORD)])
        .await;
    assert_eq!(location(&right), "/account/email");
    assert_eq!(browser.visit("/account/email").await.status, StatusCode::OK);

    stage.wait(Duration::minutes(10));
    browser.visit("/account/proof").await;
    browser
        .send("/account/proof/send", &[next, ("channel", "sms")])
        .await;
    let right = type_code(&mut browser, "/account/proof/code", PHONE).await;
    assert_eq!(location(&right), "/account/email");
}

/// What stands in the element with an id, up to its first tag.
fn element(page: &Answer, id: &str) -> String {
    let rest = page.body.split(&format!("id=\"{id}\">")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no {id} in {}", page.body));
    rest.split('<').next().unwrap().to_owned()
}

/// Sets up the second factor: its secret, the code that was used, the recovery codes.
async fn set_up(stage: &Stage, browser: &mut Browser<'_>) -> (String, String, Vec<String>) {
    browser.send("/account/two-step/set-up", &[]).await;
    let page = browser.visit("/account/two-step/set-up").await;
    assert!(page.body.contains("<svg class=\"qr\""));
    let secret = element(&page, "secret").replace(' ', "");
    let on = "/account/two-step/on";
    let wrong = browser.send(on, &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(element(&wrong, "secret").replace(' ', ""), secret);
    let code = code_of(&secret, stage.clock.now().as_unix_seconds());
    let codes = browser.send(on, &[("code", &code)]).await;
    let recovery = element(&codes, "codes");
    let recovery = recovery.split_whitespace().map(str::to_owned).collect();
    (secret, code, recovery)
}

#[tokio::test]
async fn a_second_factor_is_asked_for_at_the_log_in() {
    let stage = Stage::new().await;
    let mut browser = stage.registered(PHONE).await;
    let (_, code, recovery) = set_up(&stage, &mut browser).await;
    assert_eq!(recovery.len(), 10);
    let gone = browser.visit("/account/two-step/set-up").await;
    assert_eq!(location(&gone), "/account/two-step", "it is shown no more");

    let mut other = Browser::at(&stage, Site::Portal);
    let half = log_in(&mut other, PHONE, PASSWORD, "/bills").await;
    assert_eq!(location(&half), "/login/second");
    let not_yet = other.visit("/bills").await;
    assert_eq!(not_yet.status, StatusCode::SEE_OTHER);
    other.visit("/login/second").await;
    for (typed, taken) in [(&code, false), (&recovery[0], true)] {
        let answer = other.send("/login/second", &[("code", typed)]).await;
        if taken {
            assert_eq!(location(&answer), "/bills");
        } else {
            assert!(answer.body.contains("wrong or was used already"));
        }
    }
    let mut third = Browser::at(&stage, Site::Portal);
    log_in(&mut third, PHONE, PASSWORD, "").await;
    third.visit("/login/second").await;
    let again = third.send("/login/second", &[("code", &recovery[0])]).await;
    assert!(again.body.contains("wrong or was used already"));
}

#[tokio::test]
async fn a_recovery_wants_the_second_factor_too_and_logs_out_everybody_else() {
    let stage = Stage::new().await;
    let mut holder = stage.registered(PHONE).await;
    let (secret, _, _) = set_up(&stage, &mut holder).await;
    stage.wait(Duration::minutes(2));
    let mut browser = Browser::at(&stage, Site::Portal);
    browser.visit("/recover").await;
    browser.send("/recover", &[("who", PHONE)]).await;
    let step = type_code(&mut browser, "/recover/code", PHONE).await;
    assert_eq!(location(&step), "/recover/password");
    browser.visit("/recover/password").await;
    let new = ("password", "a wholly new phrase");
    let missing = browser.send("/recover/password", &[new]).await;
    assert!(missing.body.contains("id=\"e-code\""), "{}", missing.body);
    let code = code_of(&secret, stage.clock.now().as_unix_seconds());
    let fields = [new, ("code", &code)];
    let done = browser.send("/recover/password", &fields).await;
    assert_eq!(location(&done), "/line");
    let told = browser.visit("/line").await;
    assert!(
        told.body
            .contains("On all other devices you were logged out")
    );
    let ended = holder.visit("/account").await;
    assert!(location(&ended).starts_with("/login"));
}

#[tokio::test]
async fn a_copy_of_the_data_holds_the_person_and_is_no_page() {
    let stage = Stage::new().await;
    let mut browser = stage.registered(PHONE).await;
    browser.visit("/account/export").await;
    let file = browser.send("/account/export", &[]).await;
    assert_eq!(file.header(header::CONTENT_TYPE), "application/json");
    assert!(
        file.header(header::CONTENT_DISPOSITION)
            .starts_with("attachment")
    );
    assert_eq!(file.header(header::CACHE_CONTROL), "no-store");
    let data: serde_json::Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(data["person"]["phone"], PHONE);
    assert_eq!(data["orders"], serde_json::json!([]));
    assert!(!file.body.contains("digest") && !file.body.contains(PASSWORD));
}

#[tokio::test]
async fn an_account_is_closed_by_its_word_only_and_then_gone() {
    let stage = Stage::new().await;
    let mut browser = stage.registered(PHONE).await;
    browser.visit("/account/close").await;
    let not = browser.send("/account/close", &[("word", "yes")]).await;
    assert_eq!(not.status, StatusCode::UNPROCESSABLE_ENTITY);
    let forged = browser
        .post("/account/close", "word=CLOSE&csrf=forged")
        .await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let closed = browser.send("/account/close", &[("word", "close")]).await;
    assert_eq!(location(&closed), "/");
    assert!(
        browser
            .visit("/")
            .await
            .body
            .contains("Your account is closed")
    );
    let mut again = Browser::at(&stage, Site::Portal);
    let refused = log_in(&mut again, PHONE, PASSWORD, "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}
