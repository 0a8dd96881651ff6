//! The world of one run: the program over a store on disk, and the provider outside.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::crypto::Keyring;
use simurgh_app::esim::Rules;
use simurgh_app::ports::{
    Asked, ClientAnswer, Clock, Delivery, Entropy, Envelope, Messenger, Reauthorizer, Sending,
    SessionAddress, Store, StoreFault,
};
use simurgh_app::{App, Settings, charge, subscriber};
use simurgh_connectors::Secret;
use simurgh_connectors::payment::sandbox::Sandbox;
use simurgh_connectors::payment::{DirectSandbox, SandboxSettings};
use simurgh_store::{
    CommitAction, CommitHook, CommitPoint, Database, DatabaseUrl, PostgresOptions, PostgresStore,
    SqliteOptions, SqliteStore,
};
use simurgh_vocab::{MessageId, Timestamp};

use crate::{Chance, SeededEntropy, TestClock};

/// The demo's catalogue, which tests share.
#[must_use]
pub const fn catalogue_file() -> &'static str {
    include_str!("../../simurgh/demo/catalogue.toml")
}

/// A messenger that takes everything and remembers only how much came, by id.
#[derive(Default)]
pub struct Silent(Mutex<std::collections::BTreeMap<MessageId, u32>>);

impl Silent {
    /// How many different messages came.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Messenger for Silent {
    fn send(&self, id: MessageId, _: Envelope) -> Sending<'_> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.entry(id).or_default() += 1;
        Box::pin(std::future::ready(Ok(Delivery::Accepted {
            reference: id.number(),
        })))
    }
}

/// The network's clients: they do what they are asked, and remember it.
#[derive(Default)]
pub struct Network(Mutex<Vec<Ask>>);

/// What a client was asked to do with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To report and to ask anew.
    Reauthorize(String),
    /// To end it.
    Abort(String),
}

impl Network {
    /// What was asked since the last look.
    #[must_use]
    pub fn asked(&self) -> Vec<Ask> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, ask: Ask) -> Asked<'_> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(ask);
        Box::pin(std::future::ready(Ok(ClientAnswer::Taken)))
    }
}

impl Reauthorizer for Network {
    fn reauthorize<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a> {
        self.take(Ask::Reauthorize(session.session.clone()))
    }

    fn abort<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a> {
        self.take(Ask::Abort(session.session.clone()))
    }
}

/// Makes commits fail by chance while it is on.
pub struct Commits {
    chance: Mutex<Chance>,
    percent: usize,
    on: AtomicBool,
}

impl Commits {
    /// Commits of which `percent` fail, half of them after they happened.
    #[must_use]
    pub const fn failing(seed: u64, percent: usize) -> Self {
        Self {
            chance: Mutex::new(Chance::new(seed)),
            percent,
            on: AtomicBool::new(false),
        }
    }

    /// Turns the faults on or off.
    pub fn turn(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }
}

impl CommitHook for Commits {
    fn at(&self, point: CommitPoint) -> CommitAction {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.on.load(Ordering::SeqCst) || !chance.percent(self.percent) {
            return CommitAction::Proceed;
        }
        match point {
            CommitPoint::BeforeCommit => CommitAction::Fail,
            CommitPoint::AfterCommit => CommitAction::FailAfter,
        }
    }
}

/// The program and everything around it.
pub struct World {
    /// The clock of everybody.
    pub clock: Arc<TestClock>,
    /// Our side's chance.
    pub entropy: Arc<SeededEntropy>,
    /// The provider.
    pub provider: Arc<DirectSandbox>,
    /// The messenger.
    pub messenger: Arc<Silent>,
    /// The clients of live sessions.
    pub network: Arc<Network>,
    /// The faults of the store.
    pub commits: Arc<Commits>,
    /// The program. Replaced by [`restart`](Self::restart).
    pub app: App,
    place: DatabaseUrl,
    esim: Rules,
}

/// When worlds begin: 2026-11-23T08:00:00Z.
pub(crate) const BEGIN: Timestamp = Timestamp::from_micros(1_795_420_800_000_000);

impl World {
    /// A new world in `folder`, which must be empty, with the demo's catalogue.
    ///
    /// # Errors
    /// What the store or the provider says.
    pub async fn new(
        folder: &Path,
        seed: u64,
        commit_faults_percent: usize,
    ) -> Result<Self, String> {
        let place = DatabaseUrl::Sqlite(folder.join("simurgh.db"));
        Self::at(place, seed, commit_faults_percent).await
    }

    /// As [`new`](Self::new), with the store at a place of its own, which must be empty. On
    /// PostgreSQL one connection does one thing after another, so that a seed says what happens
    /// there too.
    ///
    /// # Errors
    /// What the store or the provider says.
    pub async fn at(
        place: DatabaseUrl,
        seed: u64,
        commit_faults_percent: usize,
    ) -> Result<Self, String> {
        Self::with_esim(place, seed, commit_faults_percent, Rules::default()).await
    }

    /// As [`at`](Self::at), with rules of eSIM.
    ///
    /// # Errors
    /// What the store or the provider says.
    pub async fn with_esim(
        place: DatabaseUrl,
        seed: u64,
        commit_faults_percent: usize,
        esim: Rules,
    ) -> Result<Self, String> {
        let clock = Arc::new(TestClock::at(BEGIN));
        let entropy = Arc::new(SeededEntropy::new(seed));
        let settings = SandboxSettings::new(
            "merchant",
            Secret::new("a key for tests only, no secret"),
            "http://localhost/notify/sandbox",
            "http://localhost:1",
        )
        .map_err(|faults| format!("{faults:?}"))?;
        let outside_clock: Arc<dyn Clock> = clock.clone();
        let outside = Sandbox::in_memory(
            Arc::clone(&outside_clock),
            Arc::new(SeededEntropy::new(seed ^ 0x5eed)) as Arc<dyn Entropy>,
        );
        let provider = Arc::new(DirectSandbox::new(outside, settings, outside_clock));
        let messenger = Arc::new(Silent::default());
        let commits = Arc::new(Commits::failing(seed ^ 0xfa11, commit_faults_percent));
        let store = open(&place, &commits).map_err(|fault| fault.to_string())?;
        let outside = around(&clock, &entropy, &provider, &messenger, store);
        let network = Arc::<Network>::default();
        let mut world = Self {
            app: program(outside, esim.clone(), &network),
            clock,
            entropy,
            provider,
            messenger,
            network,
            commits,
            place,
            esim,
        };
        world.apply_catalogue().await?;
        Ok(world)
    }

    async fn apply_catalogue(&mut self) -> Result<(), String> {
        let body = catalogue_file().to_owned();
        let applied = self
            .app
            .apply_catalogue(body, "sim".to_owned(), false)
            .await;
        applied.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Ends the program without a farewell and starts it again on the same data.
    ///
    /// # Errors
    /// What the store says.
    pub fn restart(&mut self) -> Result<(), String> {
        let store = open(&self.place, &self.commits).map_err(|fault| fault.to_string())?;
        let outside = around(
            &self.clock,
            &self.entropy,
            &self.provider,
            &self.messenger,
            store,
        );
        self.app = program(outside, self.esim.clone(), &self.network);
        Ok(())
    }
}

fn open(place: &DatabaseUrl, commits: &Arc<Commits>) -> Result<Arc<dyn Store>, StoreFault> {
    let hook: Arc<dyn CommitHook> = Arc::<Commits>::clone(commits);
    let store = match place {
        DatabaseUrl::Sqlite(path) => Database::Sqlite(SqliteStore::open_inline(
            path,
            SqliteOptions {
                hook: Some(hook),
                ..SqliteOptions::default()
            },
        )?),
        DatabaseUrl::Postgres(url) => Database::Postgres(PostgresStore::connect(
            url,
            PostgresOptions {
                connections: 1,
                hook: Some(hook),
                ..PostgresOptions::default()
            },
        )?),
    };
    store
        .migrate(BEGIN)
        .map_err(|error| StoreFault::Unavailable(error.to_string()))?;
    Ok(Arc::new(store))
}

/// The program in its surroundings.
pub(crate) fn program(outside: simurgh_app::World, esim: Rules, network: &Arc<Network>) -> App {
    let charging = charge::Rules {
        reauthorizer: Some(Arc::<Network>::clone(network)),
        ..charge::Rules::default()
    };
    App::with_charging(outside, subscriber::Rules::default(), esim, charging)
}

/// What stands around a program.
pub(crate) fn around(
    clock: &Arc<TestClock>,
    entropy: &Arc<SeededEntropy>,
    provider: &Arc<DirectSandbox>,
    messenger: &Arc<Silent>,
    store: Arc<dyn Store>,
) -> simurgh_app::World {
    simurgh_app::World {
        store,
        clock: Arc::<TestClock>::clone(clock),
        entropy: Arc::<SeededEntropy>::clone(entropy),
        keyring: Keyring::new(&[7; 32]),
        messenger: Arc::<Silent>::clone(messenger),
        providers: vec![Arc::<DirectSandbox>::clone(provider)],
        settings: Settings {
            brand: "Simurgh".to_owned(),
            portal_url: "http://localhost".to_owned(),
            document_series: "SIM".to_owned(),
            entity_time_zone: zone("Asia/Shanghai"),
        },
    }
}

pub(crate) fn zone(name: &str) -> simurgh_vocab::TimeZoneName {
    match name.parse() {
        Ok(zone) => zone,
        Err(error) => unreachable!("{name}: {error}"),
    }
}
