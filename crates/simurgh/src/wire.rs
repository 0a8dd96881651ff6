//! Wiring: settings in, a program out.

use std::sync::Arc;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy, Messenger, PaymentProvider, Store};
use simurgh_app::subscriber::Rules;
use simurgh_app::{App, Settings, World};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::TimeZoneName;
use simurgh_web::brand::Brand;
use simurgh_web::frame::{Frames, Policy, Transport};
use simurgh_web::state::WebState;

use crate::system::{SystemClock, SystemEntropy};

/// Time and chance of this machine.
pub(crate) fn nature() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    (
        Arc::new(SystemClock),
        Arc::new(SystemEntropy(SystemRandom::new())),
    )
}

/// Opens the store and brings its schema up to date.
pub(crate) fn open_store(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
) -> anyhow::Result<Arc<Database>> {
    if let DatabaseUrl::Sqlite(path) = url
        && let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let store = Database::open(url, options.clone()).with_context(|| {
        format!(
            "opening the store at {url:?}: does it run, and are store.url and its password right?"
        )
    })?;
    let applied = store
        .migrate(SystemClock.now())
        .context("migrating the store")?;
    if !applied.is_empty() {
        tracing::info!(
            migrations = applied.len(),
            "the store's schema was brought up to date"
        );
    }
    Ok(Arc::new(store))
}

/// What differs between one operator and another.
pub(crate) struct Operator {
    pub(crate) master_key: [u8; 32],
    pub(crate) brand: Brand,
    pub(crate) portal_url: String,
    pub(crate) series: String,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) rules: Rules,
    pub(crate) esim: simurgh_app::esim::Rules,
    pub(crate) charging: simurgh_app::charge::Rules,
}

/// The use cases over a store, a messenger and providers.
pub(crate) fn app(
    operator: &Operator,
    store: Arc<dyn Store>,
    messenger: Arc<dyn Messenger>,
    providers: Vec<Arc<dyn PaymentProvider>>,
) -> App {
    let (clock, _) = nature();
    app_at(operator, clock, store, messenger, providers)
}

/// As [`app`], under a clock of its own.
pub(crate) fn app_at(
    operator: &Operator,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    messenger: Arc<dyn Messenger>,
    providers: Vec<Arc<dyn PaymentProvider>>,
) -> App {
    let (_, entropy) = nature();
    let world = World {
        store,
        clock,
        entropy,
        keyring: Keyring::new(&operator.master_key),
        messenger,
        providers,
        settings: Settings {
            brand: operator.brand.name.clone(),
            portal_url: operator.portal_url.clone(),
            document_series: operator.series.clone(),
            entity_time_zone: operator.time_zone.clone(),
        },
    };
    App::with_charging(
        world,
        operator.rules.clone(),
        operator.esim.clone(),
        operator.charging.clone(),
    )
}

/// What the pages stand on. `form_origins` are the origins of payment and identity pages a form may
/// lead to.
pub(crate) fn web(
    app: &App,
    operator: &Operator,
    form_origins: &[String],
) -> anyhow::Result<WebState> {
    let transport = if operator.portal_url.starts_with("https://") {
        Transport::Https
    } else {
        Transport::Http
    };
    let policy = Policy::new(transport, form_origins);
    let frames =
        Frames::new(operator.brand.clone(), policy, nature().0).context("loading the texts")?;
    Ok(WebState {
        app: app.clone(),
        frames,
        proxy_header: None,
    })
}
