//! What the tests of every sandbox need.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use simurgh_app::ports::{Clock, Entropy};
use simurgh_vocab::{Duration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::SandboxSettings;
use crate::Secret;

/// Where nobody listens.
pub(crate) const NOBODY: &str = "http://127.0.0.1:9/n";

pub(crate) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
pub(crate) const KEY: &str = "a merchant key for tests";

/// A clock that is set by hand.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(START)))
    }

    pub(crate) fn pass(&self, length: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(length);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Bytes that count up: unpredictability is not what is tested here.
pub(crate) struct CountingEntropy(Mutex<u8>);

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.0.lock().unwrap();
        for byte in bytes {
            *next = next.wrapping_add(1);
            *byte = *next;
        }
    }
}

pub(crate) fn entropy() -> Arc<CountingEntropy> {
    Arc::new(CountingEntropy(Mutex::new(0)))
}

pub(crate) fn settings(notify_url: &str, public_url: &str) -> SandboxSettings {
    SandboxSettings::new("simurgh", Secret::new(KEY), notify_url, public_url).unwrap()
}

/// The operator's web server: keeps what it is told, and answers as `answer` says.
pub(crate) async fn merchant(answer: StatusCode) -> (String, mpsc::UnboundedReceiver<Received>) {
    let (told, hears) = mpsc::unbounded_channel();
    let app = Router::new()
        .route("/n", post(hear))
        .with_state((told, answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/n", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, hears)
}

pub(crate) type Received = (Vec<(String, String)>, Vec<u8>);
type Told = (mpsc::UnboundedSender<Received>, StatusCode);

async fn hear(State((told, answer)): State<Told>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    told.send((headers, body.to_vec())).unwrap();
    answer
}
