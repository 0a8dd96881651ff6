//! The program over a real store and the machine's clock, with the provider in the same process:
//! for benchmarks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy, Store};
use simurgh_app::{App, Settings, charge, esim, subscriber};
use simurgh_connectors::Secret;
use simurgh_connectors::payment::sandbox::Sandbox;
use simurgh_connectors::payment::{DirectSandbox, SandboxSettings};
use simurgh_store::Database;
use simurgh_vocab::Timestamp;

use crate::SeededEntropy;
use crate::world::{Silent, catalogue_file, zone};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
        let now = std::time::SystemTime::now();
        let since = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The program over a real store.
#[derive(Clone)]
pub struct RealWorld {
    /// The program.
    pub app: App,
    /// The provider.
    pub provider: Arc<DirectSandbox>,
}

impl RealWorld {
    /// The program over `store`, with the demo's catalogue.
    ///
    /// # Errors
    /// What the store says.
    pub async fn new(store: Arc<Database>) -> Result<Self, String> {
        store
            .migrate(MachineClock.now())
            .map_err(|error| error.to_string())?;
        Self::over(store).await
    }

    /// As [`new`](Self::new), over any store with an up-to-date schema.
    ///
    /// # Errors
    /// What the store says.
    pub async fn over(store: Arc<dyn Store>) -> Result<Self, String> {
        Self::charging(store, charge::Rules::default()).await
    }

    /// As [`over`](Self::over), with rules of charging.
    ///
    /// # Errors
    /// What the store says.
    pub async fn charging(store: Arc<dyn Store>, rules: charge::Rules) -> Result<Self, String> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let seed = MachineClock.now().as_unix_millis() ^ RUNS.fetch_add(1, Ordering::SeqCst);
        let clock: Arc<dyn Clock> = Arc::new(MachineClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let settings = SandboxSettings::new(
            "merchant",
            Secret::new("a key for benchmarks only, no secret"),
            "http://localhost/notify/sandbox",
            "http://localhost:1",
        )
        .map_err(|faults| format!("{faults:?}"))?;
        let outside = Sandbox::in_memory(Arc::clone(&clock), Arc::clone(&entropy));
        let provider = Arc::new(DirectSandbox::new(outside, settings, Arc::clone(&clock)));
        let world = simurgh_app::World {
            store,
            clock,
            entropy,
            keyring: Keyring::new(&[7; 32]),
            messenger: Arc::new(Silent::default()),
            providers: vec![Arc::<DirectSandbox>::clone(&provider)],
            settings: Settings {
                brand: "Simurgh".to_owned(),
                portal_url: "http://localhost".to_owned(),
                document_series: "SIM".to_owned(),
                entity_time_zone: zone("Asia/Shanghai"),
            },
        };
        let app = App::with_charging(
            world,
            subscriber::Rules::default(),
            esim::Rules::default(),
            rules,
        );
        let body = catalogue_file().to_owned();
        app.apply_catalogue(body, "bench".to_owned(), false)
            .await
            .map_err(|e| e.to_string())?;
        Ok(Self { app, provider })
    }
}
