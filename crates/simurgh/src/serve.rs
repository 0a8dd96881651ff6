//! `simurgh serve`: an operator in production.

pub(crate) mod charging;
pub(crate) mod esim;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use axum::Router;
use simurgh_app::App;
use simurgh_app::ports::{
    IdentityChecker, NotRecorded, PaymentProvider, Receipt, ReceiptSink, Recording, Store,
};
use simurgh_app::subscriber::Rules;
use simurgh_connectors::identity::SandboxChecker;
use simurgh_connectors::message::{Routes, Smpp, Smtp};
use simurgh_connectors::payment::SandboxProvider;
use simurgh_store::{Database, DatabaseUrl};

use crate::config::Config;
use crate::crew::{Crew, listen};
use crate::telemetry;
use crate::wire::{self, Operator};

/// Runs until a signal says stop.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    // First, so that it counts what follows.
    let metrics = telemetry::metrics()?;
    let store =
        tokio::task::block_in_place(|| wire::open_store(&config.store, &config.store_options))?;
    let receipts = Arc::new(Receipts::default());
    let routes = Arc::new(routes(&config, &receipts)?);
    let network = config.charging.as_ref();
    let network = network.map(|settings| charging::Node::of(settings, &config.store));
    let network = network.transpose()?;
    let mut operator = operator(&config)?;
    operator.charging.reauthorizer = network.as_ref().map(charging::Node::reauthorizer);
    let providers = providers(&config)?;
    let app = wire::app(&operator, as_store(&store), routes.clone(), providers);
    receipts.lead_to(&app);
    let sandboxes = [&config.sandbox_payments, &config.sandbox_identity];
    let form_origins: Vec<_> = sandboxes
        .into_iter()
        .flatten()
        .map(|sandbox| sandbox.public_url().to_owned())
        .collect();
    let mut state = wire::web(&app, &operator, &form_origins)?;
    state.proxy_header = config.proxies.address_header.clone();

    let phones = match &config.esim {
        Some(settings) => {
            let server = esim::Server::of(settings, app.now())?;
            Some((server, listen("esim.listen", settings.listen).await?))
        }
        None => None,
    };

    let gateways = match &config.charging {
        Some(settings) => Some(listen("charging.listen", settings.listen).await?),
        None => None,
    };

    let mut crew = Crew::new(config.limits, config.proxies)?;
    let portal = listen("portal.listen", config.portal).await?;
    let console = listen("console.listen", config.console).await?;
    let admin = listen("admin.listen", config.admin).await?;
    let [at_portal, at_console, at_admin] = [&portal, &console, &admin].map(|l| l.local_addr());
    let pages = simurgh_web::site::portal(state.clone(), Router::new());
    crew.serve("portal", portal, pages);
    crew.serve("console", console, simurgh_web::console::router(state));
    if let Some((server, listener)) = phones {
        server.serve(&mut crew, listener, &app);
    }
    if let (Some(node), Some(listener)) = (network, gateways) {
        node.serve(&mut crew, listener, &app);
    }
    let probes = telemetry::probes(&store, &app, metrics, crew.stopping());
    crew.serve_admin(admin, simurgh_web::admin::router(probes));
    crew.run_app(app, config.kept);
    let (portal, console, admin) = (at_portal?, at_console?, at_admin?);
    tracing::info!(%portal, %console, %admin, "serving");
    let outcome = crew.work().await;
    routes.stop().await;
    tokio::task::block_in_place(|| store.close())?;
    outcome
}

/// Leads delivery receipts to the use cases, which are made after the link that brings them.
#[derive(Default)]
struct Receipts(OnceLock<App>);

impl Receipts {
    fn lead_to(&self, app: &App) {
        self.0.get_or_init(|| app.clone());
    }
}

impl ReceiptSink for Receipts {
    fn record(&self, receipt: Receipt) -> Recording<'_> {
        match self.0.get() {
            Some(app) => app.record(receipt),
            None => Box::pin(async { Err(NotRecorded("starting".to_owned())) }),
        }
    }
}

/// The use cases for a command that sends nothing and charges nobody.
pub(crate) fn app_for_commands(config: &Config) -> anyhow::Result<App> {
    let store = wire::open_store(&config.store, &config.store_options)?;
    Ok(wire::app(
        &operator(config)?,
        as_store(&store),
        Arc::new(Routes::default()),
        Vec::new(),
    ))
}

/// Copies an SQLite store while it is in use.
pub(crate) fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    let DatabaseUrl::Sqlite(_) = config.store else {
        anyhow::bail!(
            "`backup` copies an SQLite store; for PostgreSQL use pg_dump or pg_basebackup \
             (docs/guide/operations.md)"
        );
    };
    let store = wire::open_store(&config.store, &config.store_options)?;
    match store.as_ref() {
        Database::Sqlite(sqlite) => {
            sqlite.backup(file, |_| {}).context("copying the store")?;
            println!("copied to {}", file.display());
            Ok(())
        }
        Database::Postgres(_) => anyhow::bail!("the store is not SQLite"),
    }
}

/// A store as the use cases see it.
pub(crate) fn as_store(store: &Arc<Database>) -> Arc<dyn Store> {
    Arc::<Database>::clone(store)
}

fn operator(config: &Config) -> anyhow::Result<Operator> {
    let identity_checker = match &config.sandbox_identity {
        Some(settings) => {
            let checker = SandboxChecker::new(settings, wire::nature().0)?;
            Some(Arc::new(checker) as Arc<dyn IdentityChecker>)
        }
        None => None,
    };
    Ok(Operator {
        master_key: config.master_key,
        brand: config.brand.clone(),
        portal_url: config.portal_url.clone(),
        series: config.series.clone(),
        time_zone: config.time_zone.clone(),
        rules: Rules {
            retention: config.retention,
            identity_checker,
            ..Rules::default()
        },
        esim: match &config.esim {
            Some(settings) => esim::rules_of(settings)?,
            None => simurgh_app::esim::Rules::default(),
        },
        charging: match &config.charging {
            Some(settings) => settings.rules.clone(),
            None => simurgh_app::charge::Rules::default(),
        },
    })
}

fn routes(config: &Config, receipts: &Arc<Receipts>) -> anyhow::Result<Routes> {
    let faults = |faults: Vec<simurgh_connectors::message::SettingFault>| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("; "))
    };
    let email = config
        .smtp
        .clone()
        .map(|settings| Smtp::new(settings, wire::nature().0));
    let sms = config.smpp.clone().map(Smpp::prepare);
    Ok(Routes {
        email: email.transpose().map_err(faults).context("smtp")?,
        sms: sms
            .transpose()
            .map_err(faults)
            .context("smpp")?
            .map(|prepared| prepared.start(Arc::<Receipts>::clone(receipts))),
    })
}

fn providers(config: &Config) -> anyhow::Result<Vec<Arc<dyn PaymentProvider>>> {
    let Some(settings) = &config.sandbox_payments else {
        return Ok(Vec::new());
    };
    let provider = SandboxProvider::new(settings.clone(), wire::nature().0)?;
    Ok(vec![Arc::new(provider)])
}
