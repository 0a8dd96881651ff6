//! The program as a process that can be killed: it is told over its standard input what customers
//! and the provider do, and says on its standard output what became of it.
//!
//! A command is a line `ID MICROS VERB ARGUMENTS...`: a number to answer under, the time, and what is
//! to be done; commands run side by side. An answer is a line `ID ok WORDS...` or `ID no REASON`. A
//! line that begins with `!` says that the process has come to where it was told to die, and waits
//! for that.

use std::fmt::Display;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy, Notification, PaymentProvider, Store};
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_app::subscriber::Rules;
use simurgh_app::{App, Settings};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::Secret;
use simurgh_connectors::payment::{SandboxProvider, SandboxSettings};
use simurgh_store::{
    CommitAction, CommitHook, CommitPoint, Database, DatabaseOptions, DatabaseUrl, PostgresOptions,
    SqliteOptions,
};
use simurgh_vocab::{Currency, Locale, Timestamp};

use crate::world::{BEGIN, Silent, catalogue_file, zone};
use crate::{SeededEntropy, TestClock, add_customer, node};

/// Lines that the stock is enough for.
const LINES_MAX: u32 = 500;

/// What is said of a command that cannot be understood.
const ARGUMENT: &str = "an argument is missing or wrong";

/// Where, around its commits, a process is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Every statement has run, the commit has not been asked for.
    Before,
    /// The commit is durable, nobody has been answered.
    After,
    /// Anywhere after that: the process goes on until it is killed.
    Past,
}

impl Death {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Past];

    /// The word for it in a command.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Past => "past",
        }
    }

    const fn point(self) -> CommitPoint {
        match self {
            Self::Before => CommitPoint::BeforeCommit,
            Self::After | Self::Past => CommitPoint::AfterCommit,
        }
    }
}

/// Counts commits; at the one it was told, says so and waits to be killed.
#[derive(Default)]
struct Fuse(Mutex<Option<(Death, u32)>>);

impl Fuse {
    fn set(&self, death: Death, commits: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((death, commits));
    }

    /// The place to die, if this is it.
    fn burn(&self, point: CommitPoint) -> Option<Death> {
        let mut fuse = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (death, left) = (*fuse)?;
        if death.point() != point {
            return None;
        }
        *fuse = (left > 1).then_some((death, left.saturating_sub(1)));
        fuse.is_none().then_some(death)
    }
}

impl CommitHook for Fuse {
    fn at(&self, point: CommitPoint) -> CommitAction {
        let Some(death) = self.burn(point) else {
            return CommitAction::Proceed;
        };
        say(format_args!("! {}", death.word()));
        loop {
            match death {
                Death::Past => return CommitAction::Proceed,
                Death::Before | Death::After => std::thread::park(),
            }
        }
    }
}

fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    // Whoever reads may be gone: then so are we, soon.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What the provider and the program agree on.
///
/// # Errors
/// What is wrong with `public_url`.
pub fn agreed_settings(public_url: &str) -> Result<SandboxSettings, String> {
    SandboxSettings::new(
        "merchant",
        Secret::new("a key for tests only, no secret"),
        "http://localhost/notify/sandbox",
        public_url,
    )
    .map_err(|faults| format!("{faults:?}"))
}

/// The program over `store`, with the provider elsewhere.
///
/// # Errors
/// What the provider's settings or the HTTP client say.
pub fn program_over(
    store: Arc<dyn Store>,
    clock: &Arc<TestClock>,
    seed: u64,
    public_url: &str,
) -> Result<App, String> {
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
    let provider = SandboxProvider::new(agreed_settings(public_url)?, Arc::clone(&clock))
        .map_err(|fault| fault.to_string())?;
    let world = simurgh_app::World {
        store,
        clock,
        entropy: Arc::new(SeededEntropy::new(seed)) as Arc<dyn Entropy>,
        keyring: Keyring::new(&[7; 32]),
        messenger: Arc::new(Silent::default()),
        providers: vec![Arc::new(provider) as Arc<dyn PaymentProvider>],
        settings: Settings {
            brand: "Simurgh".to_owned(),
            portal_url: "http://localhost".to_owned(),
            document_series: "SIM".to_owned(),
            entity_time_zone: zone("Asia/Shanghai"),
        },
    };
    Ok(App::with_esim(world, Rules::default(), node::rules()))
}

/// Runs the process until its input ends: `STORE PROVIDER SEED`.
///
/// # Errors
/// What the store or the provider says at the start, and input that is no text.
pub fn run_renewer(arguments: &[String]) -> Result<(), String> {
    let [store, public_url, seed] = arguments else {
        return Err("expected: STORE PROVIDER SEED".to_owned());
    };
    let fuse = Arc::new(Fuse::default());
    let hook = || Some(Arc::<Fuse>::clone(&fuse) as Arc<dyn CommitHook>);
    let url: DatabaseUrl = store.parse().map_err(|_| "STORE".to_owned())?;
    let options = DatabaseOptions {
        sqlite: SqliteOptions {
            hook: hook(),
            ..SqliteOptions::default()
        },
        postgres: PostgresOptions {
            connections: 4,
            hook: hook(),
            ..PostgresOptions::default()
        },
    };
    let store = Database::open(&url, options).map_err(|fault| fault.to_string())?;
    store.migrate(BEGIN).map_err(|error| error.to_string())?;
    let clock = Arc::new(TestClock::at(BEGIN));
    let seed = seed.parse().map_err(|_| "SEED".to_owned())?;
    let app = program_over(Arc::new(store), &clock, seed, public_url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let Some((id, now, words)) = taken_apart(&line) else {
            return Err(format!("no command: {line}"));
        };
        clock.move_to(now);
        let (app, fuse) = (app.clone(), Arc::clone(&fuse));
        runtime.spawn(async move {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match obey(&app, &fuse, &words).await {
                Ok(answer) => say(format_args!("{id} ok {answer}")),
                Err(reason) => say(format_args!("{id} no {}", reason.replace('\n', " "))),
            }
        });
    }
    Ok(())
}

fn taken_apart(line: &str) -> Option<(u64, Timestamp, Vec<String>)> {
    let mut words = line.split_whitespace();
    let id = words.next()?.parse().ok()?;
    let now = Timestamp::from_micros(words.next()?.parse().ok()?);
    Some((id, now, words.map(str::to_owned).collect()))
}

async fn obey(app: &App, fuse: &Fuse, words: &[&str]) -> Result<String, String> {
    match words {
        ["prepare"] => prepare(app).await.map(|()| String::new()),
        ["customer", number] => add_customer(app, read(number)?)
            .await
            .map(|id| id.number())
            .map_err(said),
        ["die", place, commits] => {
            let death = Death::ALL.into_iter().find(|death| death.word() == *place);
            fuse.set(death.ok_or(ARGUMENT)?, read(commits)?);
            Ok(String::new())
        }
        ["serve"] => node::serve(app).await,
        ["stock", iccid] => node::stock(app, read(iccid)?).await.map(|()| String::new()),
        ["token", customer] => node::token(app, read(customer)?).await,
        ["order", customer, order] => place(app, customer, order).await,
        ["pay", customer, order, payment] => pay(app, customer, order, payment).await,
        ["notify", notification] => notify(app, notification).await,
        ["give-back", customer, order] => app
            .refund_order(Some(read(customer)?), read(order)?)
            .await
            .map(|()| String::new())
            .map_err(said),
        ["jobs"] => app
            .run_due_jobs()
            .await
            .map(|jobs| jobs.to_string())
            .map_err(said),
        _ => Err(format!("unknown command {words:?}")),
    }
}

/// The catalogue, and what lines are made of.
async fn prepare(app: &App) -> Result<(), String> {
    let body = catalogue_file().to_owned();
    app.apply_catalogue(body, "sim".to_owned(), false)
        .await
        .map_err(said)?;
    node::fill(app, LINES_MAX).await
}

/// What the page of a plan and its form do: one more term of the customer's first line, or a line.
async fn place(app: &App, customer: &str, order: &str) -> Result<String, String> {
    let customer = read(customer)?;
    let views = app.line_views(customer).await.map_err(said)?;
    let line = views.first().map(|view| view.line.id);
    let runs = views.first().is_some_and(|view| view.running.is_some());
    let purchase = QuoteRequest {
        selection: read("offer:basic-europe")?,
        periods: 1,
        currency: Currency::Cny,
        start: if runs { Start::Add } else { Start::Now },
        promotion_code: None,
    };
    let quote = app.quote(Some(customer), line, purchase.clone()).await;
    let request = OrderRequest {
        id: read(order)?,
        line,
        purchase,
        seen_total: quote.map_err(said)?.total,
    };
    let order = app.place_order(customer, request).await.map_err(said)?;
    Ok(order.id.number())
}

async fn pay(app: &App, customer: &str, order: &str, payment: &str) -> Result<String, String> {
    let request = PayRequest {
        id: read(payment)?,
        order: read(order)?,
        with: PayWith::New {
            method: MethodKind::Alipay,
            store: false,
        },
        locale: Locale::En,
    };
    let started = app.pay(read(customer)?, request).await;
    started.map(|_| String::new()).map_err(said)
}

async fn notify(app: &App, written: &str) -> Result<String, String> {
    let (headers, body) = read_notification(written).ok_or(ARGUMENT)?;
    let notification = Notification {
        headers: &headers,
        body: &body,
    };
    let answer = app.notify_payment("sandbox", notification).await;
    answer.map(str::to_owned).map_err(said)
}

fn read<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{ARGUMENT}: {word}"))
}

fn said(error: impl Display) -> String {
    error.to_string()
}

/// A notification as one word: names, values and body in hexadecimal digits.
#[must_use]
pub fn written_notification(headers: &[(String, String)], body: &[u8]) -> String {
    let mut parts = vec![hex(body)];
    for (name, value) in headers {
        parts.push(hex(name.as_bytes()));
        parts.push(hex(value.as_bytes()));
    }
    parts.join(".")
}

/// Names and values of headers.
type Headers = Vec<(String, String)>;

fn read_notification(word: &str) -> Option<(Headers, Vec<u8>)> {
    let mut parts = word.split('.').map(unhex);
    let body = parts.next()??;
    let mut headers = Vec::new();
    while let Some(name) = parts.next() {
        let value = parts.next()??;
        headers.push((
            String::from_utf8(name?).ok()?,
            String::from_utf8(value).ok()?,
        ));
    }
    Some((headers, body))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}
