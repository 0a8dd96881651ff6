//! The phones' pages over HTTP, against a server in memory that is made of the same messages.

mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use simurgh_vocab::Msisdn;
use tower::ServiceExt as _;

use self::server::{CODE, Entry, Smdp, certificates};
use super::*;
use crate::sandbox::testing::{HandClock, START};

/// Octets that repeat from run to run, and differ within one.
pub(super) struct Counting(std::sync::Mutex<u64>);

impl simurgh_app::ports::Entropy for Counting {
    fn fill(&self, octets: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for octet in octets {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(*state >> 56).unwrap();
        }
    }
}

struct Post;

impl ShortMessages for Post {
    fn sent_to(&self, number: &Msisdn) -> Vec<ShortMessage> {
        let text = format!("Welcome, {} <3", number.as_str());
        vec![ShortMessage { text, at: START }]
    }
}

/// Phones in a folder of their own, and the server they reach.
struct World {
    folder: PathBuf,
    smdp: Arc<Smdp>,
    pages: Router,
}

impl World {
    fn new(name: &str, orders: &[(&str, Entry)]) -> Self {
        let folder = std::env::temp_dir().join(format!("simurgh-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        let smdp = Arc::new(Smdp::new(orders));
        let pages = pages(&folder, &smdp);
        Self {
            folder,
            smdp,
            pages,
        }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String, String) {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let location = response.headers().get(header::LOCATION);
        let location = location.map_or("", |one| one.to_str().unwrap()).to_owned();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, location, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn look(&self, path: &str) -> String {
        let path = format!("{path}?lang=en");
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (status, _, body) = self.send(request).await;
        assert_eq!(status, StatusCode::OK);
        body
    }

    async fn press(&self, path: &str, form: &str) -> (StatusCode, String, String) {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(format!("lang=en&{form}")));
        self.send(request.unwrap()).await
    }

    /// Looks at the download of a phone until it shows what is not under way any more, or a question.
    async fn await_download(&self, phone: &str) -> String {
        loop {
            let page = self.look(&format!("/phones/{phone}/download")).await;
            if !page.contains("data-follow") {
                return page;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Scans a code and says yes.
    async fn scan(&self, phone: &str, confirmation_code: &str) -> String {
        let form = format!("code={}", html::percent(CODE));
        let (status, location, _) = self
            .press(&format!("/phones/{phone}/download"), &form)
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(location, format!("/phones/{phone}/download?lang=en"));
        let asked = self.await_download(phone).await;
        if !asked.contains("Install this eSIM?") {
            return asked;
        }
        let form = format!("value=yes&confirmation_code={confirmation_code}");
        self.press(&format!("/phones/{phone}/answer"), &form).await;
        self.await_download(phone).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn pages(folder: &std::path::Path, smdp: &Arc<Smdp>) -> Router {
    let settings = HandsetSettings {
        folder: folder.to_owned(),
        credentials: certificates(),
        issuer: "89049032".to_owned(),
        smds_address: String::new(),
        default_smdp_address: Some(server::ADDRESS.to_owned()),
        pace: Duration::ZERO,
    };
    let radio: Arc<dyn Radio> = smdp.clone();
    let entropy = Arc::new(Counting(std::sync::Mutex::new(7)));
    let shelf = Shelf::open(
        settings,
        (HandClock::new(), entropy),
        (radio, Arc::new(Post)),
    );
    HandsetServer::new(shelf.unwrap()).router()
}

/// The number of the only profile on a page.
fn iccid(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"esim-").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_code_is_scanned_switched_on_and_deleted() {
    let world = World::new("handset", &[("TOKEN-1", Entry::default())]);
    assert!(world.look("/").await.contains("Old phone"));
    assert!(
        world
            .scan("old", "")
            .await
            .contains("The eSIM is installed.")
    );
    let page = world.look("/phones/old").await;
    assert!(page.contains("No service") && page.contains("Switch on"));
    let esim = format!("/phones/old/esims/{}", iccid(&page));
    world.press(&format!("{esim}/enable"), "").await;
    let page = world.look("/phones/old").await;
    for shown in [
        "Switch off",
        "460001234567895",
        "+8613912345678",
        "Welcome, +8613912345678 &lt;3",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    world
        .press(&format!("{esim}/rename"), "value=Travel%20%3Cb%3E")
        .await;
    assert!(
        world
            .look("/phones/old")
            .await
            .contains("<h3>Travel &lt;b&gt;</h3>")
    );
    world.press(&format!("{esim}/delete"), "").await;
    assert!(world.look("/phones/old").await.contains("No eSIM yet."));
    assert_eq!(
        *world.smdp.heard.lock().unwrap(),
        ["Install", "Enable", "Disable", "Delete"]
    );
}

#[tokio::test]
async fn wrong_codes_are_told_apart() {
    let entry = Entry {
        confirmation: Some("0815"),
    };
    let world = World::new("handset-codes", &[("TOKEN-1", entry)]);
    let wrong = world.scan("new", "0000").await;
    assert!(wrong.contains("The confirmation code is wrong.") && wrong.contains("Try again"));
    assert!(world.scan("new", "0815").await.contains("is installed"));
    let second = world.scan("old", "0815").await;
    assert!(second.contains("This code belongs to another phone"));
    assert!(!second.contains("Try again"));
    let (status, _, page) = world.press("/phones/old/download", "code=hello").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("This is no activation code."));
}

#[tokio::test]
async fn a_transfer_that_breaks_anywhere_succeeds_when_repeated() {
    for at in ["package", "1", "2", "4", "8"] {
        let world = World::new(
            &format!("handset-break-{at}"),
            &[("TOKEN-1", Entry::default())],
        );
        world
            .press("/phones/old/break", &format!("value={at}"))
            .await;
        let broken = world.scan("old", "").await;
        assert!(broken.contains("Try again"), "{at}: {broken}");
        assert!(
            world.look("/phones/old").await.contains("No eSIM yet."),
            "{at}"
        );
        assert!(world.scan("old", "").await.contains("is installed"), "{at}");
    }
}

#[tokio::test]
async fn in_airplane_mode_notifications_wait_and_nothing_comes() {
    let world = World::new("handset-airplane", &[("TOKEN-1", Entry::default())]);
    world.press("/phones/old/airplane", "value=on").await;
    assert!(world.scan("old", "").await.contains("cannot be reached"));
    world.press("/phones/old/airplane", "value=off").await;
    assert!(world.scan("old", "").await.contains("is installed"));
    world.press("/phones/old/airplane", "value=on").await;
    let esim = format!(
        "/phones/old/esims/{}",
        iccid(&world.look("/phones/old").await)
    );
    world.press(&format!("{esim}/enable"), "").await;
    assert!(
        world
            .look("/phones/old")
            .await
            .contains("waiting for the network: 1")
    );
    assert_eq!(*world.smdp.heard.lock().unwrap(), ["Install"]);
    world.press("/phones/old/airplane", "value=off").await;
    assert_eq!(*world.smdp.heard.lock().unwrap(), ["Install", "Enable"]);
}

#[tokio::test]
async fn phones_keep_what_they_have_and_more_can_be_had() {
    let world = World::new("handset-kept", &[("", Entry::default())]);
    world.press("/phones/new/find", "").await;
    assert!(
        world
            .await_download("new")
            .await
            .contains("Install this eSIM?")
    );
    world.press("/phones/new/answer", "value=later").await;
    assert!(world.await_download("new").await.contains("cancelled"));
    world.press("/phones/new/find", "").await;
    world.await_download("new").await;
    world.press("/phones/new/answer", "value=yes").await;
    assert!(world.await_download("new").await.contains("is installed"));
    let (_, location, _) = world.press("/phones", "value=Tablet").await;
    assert_eq!(location, "/phones/phone-3?lang=en");
    let before = world.look("/phones/new").await;
    let again = World {
        folder: world.folder.clone(),
        smdp: Arc::clone(&world.smdp),
        pages: pages(&world.folder, &world.smdp),
    };
    assert_eq!(iccid(&again.look("/phones/new").await), iccid(&before));
    assert!(again.look("/").await.contains("Tablet"));
}

#[tokio::test]
async fn a_form_of_another_page_does_nothing() {
    let world = World::new("handset-origin", &[]);
    let request = Request::post("/phones/old/airplane")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("value=on"));
    let (status, _, _) = world.send(request.unwrap()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(!world.look("/phones/old").await.contains("✈"));
    let scanned = Request::get("/scan?lang=en&carddata=LPA%3A1%24a%24%22%3E%3Cb%3E");
    let (_, _, page) = world.send(scanned.body(Body::empty()).unwrap()).await;
    assert!(page.contains("Which phone shall install it?") && !page.contains("<b>"));
}
