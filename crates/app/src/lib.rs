//! Use cases: one file each, one transaction each.
//!
//! [`App`] holds what they stand on (the [`ports`]); a use case is a method on it, written in the
//! folder of its subject: [`sales`], [`mod@line`], [`subscriber`], `desk`. What follows a commit is a row
//! of the outbox, done by [`jobs`].

pub mod audit;
pub mod catalogue;
pub mod charge;
pub mod crypto;
pub mod desk;
pub mod esim;
pub mod jobs;
pub mod line;
pub mod message;
pub mod ports;
pub mod retention;
pub mod sales;
pub mod subscriber;
pub mod text;
pub mod vitals;

mod fault;

pub use fault::Fault;

use std::ops::Deref;
use std::sync::{Arc, RwLock};

use simurgh_commerce::Catalogue;
use simurgh_vocab::{JobId, TimeZoneName, Timestamp};

use ports::{Clock, Entropy, Job, Messenger, PaymentProvider, Store, StoreFault, Task, Tx};

/// What the operator may set about the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name customers know.
    pub brand: String,
    /// The address of the portal without a trailing slash, e.g. `https://example.com`.
    pub portal_url: String,
    /// The short name of the legal entity in document numbers, e.g. `SIM`.
    pub document_series: String,
    /// The time zone in which the legal entity's years begin.
    pub entity_time_zone: TimeZoneName,
}

/// What use cases stand on.
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// E-mail and SMS.
    pub messenger: Arc<dyn Messenger>,
    /// The keys.
    pub keyring: crypto::Keyring,
    /// The payment providers.
    pub providers: Vec<Arc<dyn PaymentProvider>>,
    /// What the operator set.
    pub settings: Settings,
}

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The insides of [`App`].
pub struct Inner {
    world: World,
    subscribers: subscriber::Rules,
    esim: esim::Rules,
    charging: charge::Rules,
    catalogues: RwLock<catalogue::Cache>,
    wake: tokio::sync::Notify,
}

impl Deref for App {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0.world
    }
}

impl App {
    /// The use cases over `world`, with the usual rules for subscribers.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self::with_rules(world, subscriber::Rules::default())
    }

    /// The use cases over `world`, with the operator's own rules for subscribers.
    #[must_use]
    pub fn with_rules(world: World, subscribers: subscriber::Rules) -> Self {
        Self::with_esim(world, subscribers, esim::Rules::default())
    }

    /// The use cases over `world`, with the operator's own rules for subscribers and eSIM.
    #[must_use]
    pub fn with_esim(world: World, subscribers: subscriber::Rules, esim: esim::Rules) -> Self {
        Self::with_charging(world, subscribers, esim, charge::Rules::default())
    }

    /// The use cases over `world`, with all of the operator's own rules.
    #[must_use]
    pub fn with_charging(
        world: World,
        subscribers: subscriber::Rules,
        esim: esim::Rules,
        charging: charge::Rules,
    ) -> Self {
        Self(Arc::new(Inner {
            world,
            subscribers,
            esim,
            charging,
            catalogues: RwLock::default(),
            wake: tokio::sync::Notify::new(),
        }))
    }

    /// What the operator decides about eSIM.
    #[must_use]
    pub fn esim(&self) -> &esim::Rules {
        &self.0.esim
    }

    /// What the operator decides about charging.
    #[must_use]
    pub fn charging(&self) -> &charge::Rules {
        &self.0.charging
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes an id, e.g. `app.make(OrderId::from_parts, now)`.
    pub fn make<T>(&self, from_parts: fn(u64, &[u8; 10]) -> T, now: Timestamp) -> T {
        let mut entropy = [0; 10];
        self.entropy.fill(&mut entropy);
        from_parts(now.as_unix_millis(), &entropy)
    }

    /// The provider with this code.
    #[must_use]
    pub fn provider(&self, code: &str) -> Option<Arc<dyn PaymentProvider>> {
        self.providers
            .iter()
            .find(|provider| provider.code() == code)
            .cloned()
    }

    /// Adds a job to the outbox of this transaction. Jobs of one `key` are one job.
    pub(crate) fn enqueue(
        &self,
        tx: &mut dyn Tx,
        task: Task,
        key: String,
        due_at: Timestamp,
    ) -> Result<(), StoreFault> {
        let id = self.make(JobId::from_parts, due_at);
        let job = Job {
            id,
            task,
            key,
            due_at,
            attempts: 0,
            last_error: None,
            done_at: None,
        };
        tx.enqueue(&job)
    }

    /// Wakes the outbox runner of this process: something is due now.
    pub(crate) fn wake_runner(&self) {
        self.0.wake.notify_one();
    }

    /// A catalogue by version, from memory if it was read before.
    pub(crate) fn catalogue_in(
        &self,
        tx: &mut dyn Tx,
        version: u32,
    ) -> Result<Arc<Catalogue>, Fault> {
        catalogue::load(&self.0.catalogues, tx, version)
    }

    /// The catalogue in force.
    pub(crate) fn current_catalogue(&self, tx: &mut dyn Tx) -> Result<Arc<Catalogue>, Fault> {
        let version = tx.newest_catalogue_version()?.ok_or(Fault::NoCatalogue)?;
        self.catalogue_in(tx, version)
    }
}
