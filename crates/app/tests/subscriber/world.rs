//! A program over a store of its own, with a clock that is set and a messenger that remembers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{
    Clock, Delivery, Entropy, Envelope, Messenger, Sending, Store, StoreExt, Tx,
};
use simurgh_app::subscriber::{
    Claim, CodeSent, LogIn, LogInRefusal, NewSession, Origin, Registration, Rules, SessionToken,
    Typed, Wish,
};
use simurgh_app::{App, Settings, World};
use simurgh_store::{Database, SqliteOptions, SqliteStore};
use simurgh_subscriber::Network;
use simurgh_vocab::{Duration, Locale, MessageId, Timestamp};

pub(crate) const PHONE: &str = "+8613800138000";
/// 2026-09-21 in China, about one o'clock: no message waits for the morning.
const NOON: i64 = 1_789_970_000_000_000;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers that differ: splitmix64.
struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let octets = (z ^ (z >> 31)).to_be_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
    }
}

#[derive(Default)]
struct Inbox(Mutex<Vec<(String, String)>>);

impl Messenger for Inbox {
    fn send(&self, _: MessageId, envelope: Envelope) -> Sending<'_> {
        let (to, text) = match envelope {
            Envelope::Sms { to, text } => (to.as_str().to_owned(), text),
            Envelope::Email { to, text, .. } => (to.as_str().to_owned(), text),
        };
        self.0.lock().unwrap().push((to, text));
        let reference = "accepted".to_owned();
        Box::pin(async move { Ok(Delivery::Accepted { reference }) })
    }
}

/// The program, and what stands around it.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<TestClock>,
    inbox: Arc<Inbox>,
    folder: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The folder is in the system's own for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with_rules(Rules::default())
    }

    pub(crate) fn with_rules(rules: Rules) -> Self {
        Self::with_esim(rules, simurgh_app::esim::Rules::default())
    }

    pub(crate) fn with_esim(rules: Rules, esim: simurgh_app::esim::Rules) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-app-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let options = SqliteOptions::default();
        let sqlite = SqliteStore::open_inline(&folder.join("test.db"), options).unwrap();
        let database = Database::Sqlite(sqlite);
        let clock = Arc::new(TestClock(AtomicI64::new(NOON)));
        database.migrate(clock.now()).unwrap();
        let store: Arc<dyn Store> = Arc::new(database);
        let inbox = Arc::new(Inbox::default());
        let world = World {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy(AtomicU64::new(1))),
            messenger: inbox.clone(),
            keyring: Keyring::new(&[7; 32]),
            providers: Vec::new(),
            settings: Settings {
                brand: "Simurgh".to_owned(),
                portal_url: "https://example.com".to_owned(),
                document_series: "SIM".to_owned(),
                entity_time_zone: "Asia/Shanghai".parse().unwrap(),
            },
        };
        Self {
            app: App::with_esim(world, rules, esim),
            store,
            clock,
            inbox,
            folder,
        }
    }

    pub(crate) fn wait(&self, length: Duration) {
        self.clock.0.fetch_add(length.as_micros(), Ordering::SeqCst);
    }

    /// Sends what waits and gives back what arrived since the last time: address and text.
    pub(crate) async fn delivered(&self) -> Vec<(String, String)> {
        while self.app.run_due_jobs().await.unwrap() > 0 {}
        std::mem::take(&mut self.inbox.0.lock().unwrap())
    }

    /// The only code that arrived at an address since the last time.
    pub(crate) async fn code(&self, to: &str) -> String {
        let arrived = self.delivered().await;
        let codes: Vec<String> = arrived
            .iter()
            .filter(|(address, _)| address == to)
            .filter_map(|(_, text)| six_digits(text))
            .collect();
        let [code] = codes.as_slice() else {
            panic!("one code was expected at {to}: {arrived:?}");
        };
        code.clone()
    }

    /// Registers and confirms, and ends with nothing left to be delivered but a mailbox's code.
    pub(crate) async fn registered(&self, registration: Registration) -> NewSession {
        let phone = registration.phone.as_str().to_owned();
        let sent = self.app.register(registration, origin()).await.unwrap();
        let code = self.code(&phone).await;
        let confirmed = self.app.confirm_phone(sent.challenge, code, origin()).await;
        confirmed.unwrap().session
    }

    pub(crate) async fn password_log_in(
        &self,
        name: &str,
        password: &str,
    ) -> Result<LogIn, LogInRefusal> {
        let claim = Claim::typed(name, "CN".parse().ok());
        let typed = Typed::new(password.to_owned());
        self.app.log_in_with_password(claim, typed, origin()).await
    }

    pub(crate) async fn is_open(&self, token: &SessionToken) -> bool {
        self.app.resume(token).await.unwrap().is_some()
    }

    /// What a read of the store says.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut dyn Tx) -> T + Send + 'static,
    ) -> T {
        let read = self
            .store
            .snapshot(move |tx| -> Result<T, simurgh_app::Fault> { Ok(work(tx)) });
        read.await.unwrap()
    }
}

pub(crate) fn six_digits(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| run.len() == 6).map(str::to_owned).next()
}

pub(crate) fn origin() -> Origin {
    from("203.0.113.9")
}

pub(crate) fn from(address: &str) -> Origin {
    Origin {
        network: Network::of(address.parse().unwrap()),
        device: "Firefox on Android".to_owned(),
        previous: None,
    }
}

pub(crate) fn registration(phone: &str) -> Registration {
    Registration {
        phone: phone.parse().unwrap(),
        name: "张伟".parse().unwrap(),
        email: None,
        password: Some(Typed::new(PASSWORD.to_owned())),
        locale: Locale::En,
        time_zone: "Asia/Shanghai".parse().unwrap(),
        marketing: Wish::No,
    }
}

/// What a page shows of a code that was sent, without what differs each time.
pub(crate) fn outward(sent: &CodeSent) -> (String, i64, i64) {
    let lasts = sent.expires_at.as_micros() - sent.again_at.as_micros();
    (sent.to.clone(), lasts, sent.expires_at.as_micros())
}
