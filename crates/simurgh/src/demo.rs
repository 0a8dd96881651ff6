//! `simurgh demo`: everything on this machine, with nothing to set up.

mod phones;
mod stock;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use simurgh_app::App;
use simurgh_app::ports::{Clock, Entropy, Store};
use simurgh_app::subscriber::Rules;
use simurgh_connectors::handset::HandsetServer;
use simurgh_connectors::payment::sandbox::Sandbox;
use simurgh_connectors::payment::{SandboxProvider, SandboxServer};
use simurgh_connectors::{SandboxSettings, Secret, identity};
use simurgh_rsp::pki::{Credentials, TestNames};
use simurgh_smdp::SmdpSettings;
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::Timestamp;
use simurgh_web::brand::Brand;
use simurgh_web::frame::observe::Proxies;
use simurgh_web::inbox::{self, Inbox};
use simurgh_web::server::Limits;
use simurgh_web::state::WebState;
use tokio::net::TcpListener;

use crate::config::EsimTransport;
use crate::crew::{Crew, listen};
use crate::euicc_files;
use crate::seed::{self, PastClock};
use crate::serve::{as_store, esim};
use crate::telemetry;
use crate::wire::{self, Operator};

/// What may be said after `simurgh demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the demo keeps its data.
    #[arg(long, default_value = "data/demo")]
    data_dir: PathBuf,
    /// The portal's port; console, admin, sandbox payments, identity checks, the SM-DP+ and the phones take
    /// the six that follow. 0 takes free ones.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The folder of the SM-DP+'s certificates and keys; test certificates are made in the demo's folder
    /// when none is named.
    #[arg(long, value_name = "DIR")]
    esim_certificates: Option<PathBuf>,
    /// Throw the demo's data away first.
    #[arg(long)]
    reset: bool,
}

/// The name of the demo's account on the console.
const STAFF: &str = "demo";
const CATALOGUE: &str = include_str!("../demo/catalogue.toml");

/// Runs until a signal says stop.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let folder = made_folder(&options)?;
    // Early, so that it counts what follows.
    let metrics = telemetry::metrics()?;
    let (clock, entropy) = wire::nature();
    let store = open(folder)?;

    let [portal, console, admin, sandbox, identity, esim, phones] = listeners(options.port).await?;
    let portal_url = address(&portal)?;
    let identity_url = address(&identity)?;
    let identity_account = account(&portal_url, "/notify/identity/sandbox", &identity_url)?;
    let esim_address = format!("localhost:{}", esim.local_addr()?.port());
    let certificates = certificates(&options, clock.now())?;
    let smdp = smdp(certificates.clone(), &esim_address, clock.now())?;
    let operator = Operator {
        rules: rules(&identity_account, Arc::clone(&clock))?,
        esim: esim::rules(&esim_address, 0),
        charging: simurgh_app::charge::Rules::default(),
        ..operator(master_key(folder, entropy.as_ref())?, portal_url)?
    };
    let sandbox_url = address(&sandbox)?;
    let account = account(&operator.portal_url, "/notify/sandbox", &sandbox_url)?;
    let inbox = Arc::new(Inbox::new(Arc::clone(&clock)));
    let provider = Arc::new(SandboxProvider::new(account.clone(), Arc::clone(&clock))?);
    let app = wire::app(
        &operator,
        as_store(&store),
        inbox.clone(),
        vec![provider.clone()],
    );
    let people = people(folder, identity_account, &clock, &entropy)?;
    let at = (esim_address.as_str(), esim.local_addr()?);
    let handsets = handsets(folder, certificates, at, &inbox)?;
    let book = Sandbox::with_journal(&folder.join("sandbox.jsonl"), Arc::clone(&clock), entropy)?;
    let server = SandboxServer::new(book.clone(), account)?;
    let form_origins = [sandbox_url.clone(), identity_url.clone()];
    let state = wire::web(&app, &operator, &form_origins)?;

    let mut crew = Crew::new(Limits::default(), Proxies::default())?;
    crew.serve_outside(("payments", sandbox), server.router(), server.courier());
    crew.serve_outside(("identity", identity), people.router(), people.courier());
    let phones_url = address(&phones)?;
    crew.serve_outside(("phone", phones), handsets.router(), handsets.power());
    let parts = (as_store(&store), inbox.clone(), provider);
    seed(&app, &operator, parts, &book).await?;
    let staff = staff(&app, folder).await?;
    greet(
        &operator.portal_url,
        [
            ("console", address(&console)?),
            ("sandbox", sandbox_url),
            ("identity", identity_url),
            ("admin", address(&admin)?),
            ("esim", format!("https://{esim_address}")),
            ("phone", phones_url.clone()),
        ],
        &staff,
    );

    crew.serve("portal", portal, pages(state.clone(), inbox, phones_url));
    smdp.serve(&mut crew, esim, &app);
    crew.serve("console", console, simurgh_web::console::router(state));
    let probes = telemetry::probes(&store, &app, metrics, crew.stopping());
    crew.serve_admin(admin, simurgh_web::admin::router(probes));
    crew.run_app(app, simurgh_app::retention::Retention::default());
    let outcome = crew.work().await;
    tokio::task::block_in_place(|| store.close())?;
    outcome
}

/// The portal with what only the demo has: style guide, inbox, and the way to its phones.
fn pages(state: WebState, inbox: Arc<Inbox>, phones_url: String) -> axum::Router {
    let extra = simurgh_web::site::demo_routes().merge(inbox::routes(inbox));
    let phones = axum::Extension(simurgh_web::site::DemoPhones(phones_url));
    simurgh_web::site::portal(state, extra).layer(phones)
}

/// The folder of the demo's data, emptied first if that is wished.
fn made_folder(options: &Options) -> anyhow::Result<&Path> {
    let folder = options.data_dir.as_path();
    if options.reset && folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("removing {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

fn open(folder: &Path) -> anyhow::Result<Arc<Database>> {
    let url = DatabaseUrl::Sqlite(folder.join("simurgh.db"));
    tokio::task::block_in_place(|| wire::open_store(&url, &DatabaseOptions::default()))
}

fn operator(master_key: [u8; 32], portal_url: String) -> anyhow::Result<Operator> {
    Ok(Operator {
        master_key,
        brand: Brand::default(),
        portal_url,
        series: "SIM".to_owned(),
        time_zone: "Asia/Shanghai".parse()?,
        rules: Rules::default(),
        esim: simurgh_app::esim::Rules::default(),
        charging: simurgh_app::charge::Rules::default(),
    })
}

/// The certificates of eSIM: for tests, made at the demo's first start, unless others are named.
fn certificates(options: &Options, now: Timestamp) -> anyhow::Result<Credentials> {
    match &options.esim_certificates {
        Some(folder) => euicc_files::load(folder),
        None => {
            let folder = options.data_dir.join("certificates");
            let names = TestNames {
                smds_address: "smds.localhost".to_owned(),
                ..euicc_files::local_names()?
            };
            euicc_files::load_or_generate(&folder, &names, now)
        }
    }
}

/// The chips of the demo ask for the SM-DS by a name of its own at the same port.
fn smds_address(address: &str) -> String {
    format!("smds.{address}")
}

/// The phones of the demo, which reach its SM-DP+ by name and place.
fn handsets(
    folder: &Path,
    certificates: Credentials,
    (smdp_address, place): (&str, SocketAddr),
    inbox: &Arc<Inbox>,
) -> anyhow::Result<HandsetServer> {
    let network = phones::Network {
        smds_address: smds_address(smdp_address),
        smdp_address: smdp_address.to_owned(),
        place,
        inbox: Arc::clone(inbox),
    };
    phones::open(folder, certificates, network, wire::nature())
}

/// The SM-DP+ of the demo.
fn smdp(loaded: Credentials, address: &str, now: Timestamp) -> anyhow::Result<esim::Server> {
    let settings = SmdpSettings {
        smds_address: Some(smds_address(address)),
        ..SmdpSettings::new(address.to_owned())
    };
    esim::Server::new(loaded, settings, (EsimTransport::Tls, &[]), now)
}

/// The usual rules, with the sandbox as the outside identity check.
fn rules(account: &SandboxSettings, clock: Arc<dyn Clock>) -> anyhow::Result<Rules> {
    let checker = identity::SandboxChecker::new(account, clock)?;
    Ok(Rules {
        identity_checker: Some(Arc::new(checker)),
        ..Rules::default()
    })
}

/// The sandbox identity check, which goes on where its journal ends.
fn people(
    folder: &Path,
    account: SandboxSettings,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<identity::SandboxServer> {
    let journal = folder.join("identity.jsonl");
    let book = identity::Sandbox::with_journal(&journal, Arc::clone(clock), Arc::clone(entropy))?;
    Ok(identity::SandboxServer::new(book, account)?)
}

/// The demo's account at a sandbox, which tells what happened at `path` of the portal.
fn account(portal_url: &str, path: &str, sandbox_url: &str) -> anyhow::Result<SandboxSettings> {
    SandboxSettings::new(
        "simurgh-demo",
        Secret::new("sandboxes move no money and know nobody, so their key is no secret"),
        &format!("{portal_url}{path}"),
        sandbox_url,
    )
    .map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

/// Gives a new demo its catalogue, and customers with a past.
async fn seed(
    app: &App,
    operator: &Operator,
    (store, inbox, provider): (Arc<dyn Store>, Arc<Inbox>, Arc<SandboxProvider>),
    bank: &Sandbox,
) -> anyhow::Result<()> {
    stock::fill(app).await?;
    let past = PastClock::at(app.now());
    let then = wire::app_at(operator, past.clone(), store, inbox, vec![provider]);
    app.apply_catalogue(CATALOGUE.to_owned(), "demo".to_owned(), false)
        .await?;
    seed::customers(&then, &past, bank, app.now()).await
}

/// The demo's account on the console, made at its first start and kept beside its data.
async fn staff(app: &App, folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("staff.txt");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    let password = app.visitor_cookie();
    let new = app.create_staff(STAFF, &password).await?;
    let text = format!(
        "name {STAFF}, password {password}, authenticator secret {}",
        new.totp_secret
    );
    std::fs::write(&path, &text).with_context(|| format!("writing {}", path.display()))?;
    Ok(text)
}

fn greet(portal: &str, beside: [(&str, String); 6], staff: &str) {
    println!("Simurgh demo. Everything stays on this machine; no real money, no real messages.");
    println!();
    println!("portal   {portal}");
    println!("inbox    {portal}/inbox");
    println!("design   {portal}/design");
    for (name, address) in beside {
        println!("{name:<8} {address}");
    }
    println!();
    println!(
        "Try: register with any phone number, take the code from the inbox, choose a plan and"
    );
    println!(
        "pay; the sandbox page lets you decide how the payment goes. Then put the eSIM on one of the"
    );
    println!(
        "demo's phones. Or log in as a customer with a past, password \"{}\":",
        seed::PASSWORD
    );
    for (phone, name, _, _) in seed::CUSTOMERS {
        println!("  {phone}  {name}");
    }
    println!("Console: {staff}");
    println!("Stop with Ctrl-C.");
}

async fn listeners(port: u16) -> anyhow::Result<[TcpListener; 7]> {
    let at = |offset: u16| {
        let port = if port == 0 {
            0
        } else {
            port.saturating_add(offset)
        };
        listen("--port", SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    Ok([
        at(0).await?,
        at(1).await?,
        at(2).await?,
        at(3).await?,
        at(4).await?,
        at(5).await?,
        at(6).await?,
    ])
}

/// The address of a listener, by the name under which browsers treat it as secure.
fn address(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!(
        "http://localhost:{}",
        listener.local_addr()?.port()
    ))
}

/// The demo's master key, made at its first start and kept beside its data.
fn master_key(folder: &Path, entropy: &dyn Entropy) -> anyhow::Result<[u8; 32]> {
    let path = folder.join("master.key");
    match std::fs::read(&path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| anyhow::anyhow!("{} is damaged; use --reset", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            std::fs::write(&path, key).with_context(|| format!("writing {}", path.display()))?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
