//! Every step of a flow twice, and every step failing once.
//!
//! A flow is what somebody does to the program, step by step, with ids made beforehand. Played
//! with every step done twice, and with every commit failing once, before and after it happened,
//! it must end as it ends when nothing goes wrong.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::App;
use simurgh_app::esim::Rules;
use simurgh_app::ports::{
    Clock, DownloadProgress, Entropy, LineState, ProgressListener, ProgressPoint, Store, StoreExt,
    StoreFault, Telling, Tx,
};
use simurgh_charging::SubscriptionState;
use simurgh_commerce::{OrderState, PaymentState, RefundState};
use simurgh_connectors::Secret;
use simurgh_connectors::payment::sandbox::Sandbox;
use simurgh_connectors::payment::{DirectSandbox, SandboxSettings};
use simurgh_store::{CommitAction, CommitHook, CommitPoint, SqliteOptions, SqliteStore};
use simurgh_vocab::identity::Eid;
use simurgh_vocab::{CustomerId, Duration, ProgressId};

use crate::world::{BEGIN, Silent, around, catalogue_file, program};
use crate::{OPERATOR, SeededEntropy, TestClock, differences, node};

/// Lines that the stock of a play is enough for.
const LINES: u32 = 10;

/// The chip whose events are a part of how things stand.
pub const EID: &str = "89049032123451234512345678901235";

/// A store whose commit number `n` fails.
#[derive(Default)]
struct OneFault {
    /// Commits begun so far.
    begun: AtomicU32,
    /// Where the fault is, counted from 1, and 0 for nowhere; negative when the commit happens and
    /// its answer is lost.
    at: AtomicI64,
}

impl CommitHook for OneFault {
    fn at(&self, point: CommitPoint) -> CommitAction {
        if point == CommitPoint::AfterCommit {
            return CommitAction::Proceed;
        }
        let number = i64::from(self.begun.fetch_add(1, Ordering::SeqCst)) + 1;
        match self.at.load(Ordering::SeqCst) {
            at if at == number => CommitAction::Fail,
            at if at == -number => CommitAction::FailAfter,
            _ => CommitAction::Proceed,
        }
    }
}

/// What the operator who orders profiles was told of their downloads: the same news again is no other.
#[derive(Default)]
struct Told(Mutex<BTreeMap<ProgressId, ProgressPoint>>);

impl Told {
    /// What was told, a line each. A phone that tries again is admitted again; it installs once.
    fn lines(&self) -> Vec<String> {
        let news = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let points: Vec<_> = news.values().copied().collect();
        let lines = ProgressPoint::ALL.into_iter().filter_map(|point| {
            let count = points.iter().filter(|one| **one == point).count();
            match (count, point) {
                (0, _) => None,
                (_, ProgressPoint::Installation) => Some(format!("told {count} {point:?}")),
                (_, _) => Some(format!("told {point:?}")),
            }
        });
        lines.collect()
    }
}

impl ProgressListener for Told {
    fn listens(&self, operator: &str) -> bool {
        operator == OPERATOR
    }

    fn tell<'a>(&'a self, progress: &'a DownloadProgress) -> Telling<'a> {
        let mut news = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        news.insert(progress.id, progress.point);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// How a flow is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Once,
    Twice,
    /// The commit of this number fails.
    Failing {
        commit: i64,
        happens: bool,
    },
}

/// A program under a clock of its own, with a provider in the same process, while a flow is played.
pub struct Play {
    /// The program.
    pub app: App,
    /// The clock of everybody.
    pub clock: Arc<TestClock>,
    /// The provider.
    pub provider: Arc<DirectSandbox>,
    told: Arc<Told>,
    commits: Arc<OneFault>,
    mode: Mode,
}

impl Play {
    async fn begin(folder: &Path, mode: Mode) -> Result<Self, String> {
        let clock = Arc::new(TestClock::at(BEGIN));
        let entropy = Arc::new(SeededEntropy::new(1));
        let settings = SandboxSettings::new(
            "merchant",
            Secret::new("a key for tests only, no secret"),
            "http://localhost/notify/sandbox",
            "http://localhost:1",
        )
        .map_err(|faults| format!("{faults:?}"))?;
        let outside_clock: Arc<dyn Clock> = clock.clone();
        let chance: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(2));
        let outside = Sandbox::in_memory(Arc::clone(&outside_clock), chance);
        let provider = Arc::new(DirectSandbox::new(outside, settings, outside_clock));
        let commits = Arc::new(OneFault::default());
        let options = SqliteOptions {
            hook: Some(Arc::<OneFault>::clone(&commits)),
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open_inline(&folder.join("simurgh.db"), options)
            .map_err(|fault| fault.to_string())?;
        store.migrate(BEGIN).map_err(|error| error.to_string())?;
        let store: Arc<dyn Store> = Arc::new(store);
        let messenger = Arc::new(Silent::default());
        let outside = around(&clock, &entropy, &provider, &messenger, store);
        let told = Arc::new(Told::default());
        let esim = Rules {
            listener: Some(Arc::<Told>::clone(&told)),
            ..node::rules()
        };
        let app = program(outside, esim, &Arc::default());
        let body = catalogue_file().to_owned();
        app.apply_catalogue(body, "steps".to_owned(), false)
            .await
            .map_err(|error| error.to_string())?;
        node::fill(&app, LINES).await?;
        Ok(Self {
            app,
            clock,
            provider,
            told,
            commits,
            mode,
        })
    }

    /// From here on commits are counted, and fail: what came before was the set-up.
    pub fn set_up(&self) {
        let at = match self.mode {
            Mode::Once | Mode::Twice => 0,
            Mode::Failing { commit, happens } => {
                if happens {
                    -commit
                } else {
                    commit
                }
            }
        };
        self.commits.begun.store(0, Ordering::SeqCst);
        self.commits.at.store(at, Ordering::SeqCst);
    }

    /// Does a step: once, twice with the same answer, or again after the store has failed.
    ///
    /// # Errors
    /// What the step says although nothing failed, or that it says something else the second time.
    pub async fn step<T: Debug + PartialEq>(
        &self,
        name: &str,
        work: impl AsyncFn(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let named = |error: String| format!("{name}: {error}");
        match self.mode {
            Mode::Once => work(self).await.map_err(named),
            Mode::Twice => {
                let first = work(self).await.map_err(named)?;
                let second = work(self).await.map_err(named)?;
                if first == second {
                    Ok(second)
                } else {
                    Err(format!("{name}: first {first:?}, then {second:?}"))
                }
            }
            Mode::Failing { .. } => match work(self).await {
                Ok(answer) => Ok(answer),
                // Whoever asked asks again.
                Err(_) => work(self).await.map_err(named),
            },
        }
    }

    /// Lets the provider's words come, each twice when every step is done twice, and does what is
    /// due, until nothing is: a job that failed is taken again after its hold.
    ///
    /// # Errors
    /// What the program says although nothing failed.
    pub async fn settle(&self) -> Result<(), String> {
        for _ in 0..3 {
            for word in self.provider.pop_notifications() {
                self.step("notification", async |play| {
                    let told = play.app.notify_payment("sandbox", word.as_notification());
                    told.await.map_err(|refusal| refusal.to_string())
                })
                .await?;
            }
            loop {
                match self.app.run_due_jobs().await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(_) if matches!(self.mode, Mode::Failing { .. }) => {}
                    Err(fault) => return Err(format!("jobs: {fault}")),
                }
            }
            self.clock.advance(Duration::minutes(3));
        }
        Ok(())
    }

    /// Lets time pass, and does what is due every twelve hours.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub async fn pass_days(&self, days: u32) -> Result<(), String> {
        for _ in 0..days * 2 {
            self.settle().await?;
            self.clock.advance(Duration::minutes(12 * 60 - 9));
        }
        self.settle().await
    }

    /// How things stand about a customer, without ids and times: a line for each thing. A finding
    /// of the audit or a difference from the provider's book is a line too.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn standing(&self, customer: CustomerId) -> Result<Vec<String>, String> {
        let fault = |fault: StoreFault| fault.to_string();
        let mut lines = self
            .app
            .store
            .snapshot(move |tx| standing_in(tx, customer))
            .await
            .map_err(fault)?;
        lines.extend(self.told.lines());
        let report = self.app.audit().await.map_err(|fault| fault.to_string())?;
        lines.extend(report.findings.iter().map(|line| format!("audit: {line}")));
        let book = self.provider.sandbox().book();
        let taken = book.payments.len();
        lines.push(format!("the provider knows {taken} payments"));
        let found = differences(&self.app, book).await.map_err(fault)?;
        lines.extend(found.iter().map(|line| format!("book: {line}")));
        Ok(lines)
    }
}

fn standing_in(tx: &mut dyn Tx, customer: CustomerId) -> Result<Vec<String>, StoreFault> {
    let mut lines = orders_in(tx, customer)?;
    lines.extend(lines_in(tx, customer)?);
    lines.extend(profiles_in(tx)?);
    lines.push(format!(
        "{} stored methods",
        tx.mandates_of(customer)?.len()
    ));
    let messages = tx.recent_messages(200)?.into_iter();
    let mut messages: Vec<_> = messages
        .map(|m| format!("message {}", m.template))
        .collect();
    messages.sort();
    lines.extend(messages);
    Ok(lines)
}

fn orders_in(tx: &mut dyn Tx, customer: CustomerId) -> Result<Vec<String>, StoreFault> {
    let mut lines = Vec::new();
    for order in tx.orders_of(customer, 100)? {
        let state = match order.state {
            OrderState::AwaitingPayment => "awaits payment",
            OrderState::Fulfilled { .. } => "fulfilled",
            OrderState::Closed { .. } => "closed",
            OrderState::Refunded { .. } => "refunded",
        };
        lines.push(format!(
            "order {} {}: {state}",
            order.selection, order.total
        ));
        for payment in tx.payments_of(order.id)? {
            let state = match payment.state {
                PaymentState::Created => "created",
                PaymentState::ActionRequired { .. } => "action required",
                PaymentState::Processing => "processing",
                PaymentState::Unknown => "unknown",
                PaymentState::Captured { .. } => "captured",
                PaymentState::Failed { .. } => "failed",
                PaymentState::Closed { .. } => "closed",
            };
            lines.push(format!("  payment {}: {state}", payment.amount));
        }
        for refund in tx.refunds_of(order.id)? {
            let state = match refund.state {
                RefundState::Requested => "requested",
                RefundState::Succeeded { .. } => "succeeded",
                RefundState::NeedsStaff { .. } => "needs staff",
            };
            lines.push(format!("  refund {}: {state}", refund.amount));
        }
        for document in tx.documents_of_order(order.id)? {
            lines.push(format!("  {} {}", document.number, document.total));
        }
    }
    Ok(lines)
}

fn lines_in(tx: &mut dyn Tx, customer: CustomerId) -> Result<Vec<String>, StoreFault> {
    let mut lines = Vec::new();
    for line in tx.lines_of(customer)? {
        let state = match line.state {
            LineState::Active => "active",
            LineState::Grace { .. } => "in grace",
            LineState::Suspended { .. } => "suspended",
            LineState::Closed { .. } => "closed",
        };
        let failures = tx.auto_renewal(line.id)?.map(|renewal| renewal.failures);
        lines.push(format!("line: {state}, automatic renewal {failures:?}"));
        for plan in tx.subscriptions_of(line.id)? {
            let state = match plan.state {
                SubscriptionState::AwaitingFirstUse { .. } => "awaits first use",
                SubscriptionState::Scheduled { .. } => "scheduled",
                SubscriptionState::Ended { .. } => "ended",
                SubscriptionState::Revoked { .. } => "revoked",
            };
            lines.push(format!("  plan {}: {state}", plan.selection));
            let mut buckets: Vec<_> = tx
                .buckets_of(plan.id)?
                .into_iter()
                .map(|b| {
                    let (bucket, left, used) = (b.bucket, b.holding.left, b.holding.used);
                    format!(
                        "  {} {}: {left} left, {used} used",
                        bucket.asset.code(),
                        bucket.granted
                    )
                })
                .collect();
            buckets.sort();
            lines.extend(buckets);
        }
    }
    Ok(lines)
}

/// Every profile, and what is left of the stock. How often a package left is not told: a phone that tries again gets
/// another.
fn profiles_in(tx: &mut dyn Tx) -> Result<Vec<String>, StoreFault> {
    let mut lines = Vec::new();
    for profile in tx.profiles_after(None, 100)? {
        let reports = tx.chip_notifications_of(profile.id)?.len();
        let packages = tx.package_list(profile.id)?.len();
        let (state, on_chip) = (profile.state, profile.on_chip);
        lines.push(format!(
            "eSIM {state:?}, on chip {on_chip:?}, {reports} reports, {packages} packages"
        ));
    }
    let stock = tx.stock_counts()?;
    let (sims, numbers) = (stock.sims_taken, stock.numbers_taken);
    lines.push(format!("taken: {sims} subscriptions, {numbers} numbers"));
    if let Ok(eid) = EID.parse::<Eid>() {
        let events = tx.chip_events_of(eid)?.len();
        lines.push(format!("{events} events for the chip"));
    }
    Ok(lines)
}

/// A folder that goes away with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = crate::scratch_folder(&format!("steps-{number}"));
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in the system's own folder for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn play<F>(flow: &F, mode: Mode) -> Result<(Vec<String>, u32), String>
where
    F: AsyncFn(&Play) -> Result<CustomerId, String>,
{
    let folder = Folder::new()?;
    let play = Play::begin(&folder.0, mode).await?;
    let ended = async {
        let customer = flow(&play).await?;
        let commits = play.commits.begun.load(Ordering::SeqCst);
        play.commits.at.store(0, Ordering::SeqCst);
        // What the last fault left is done once its hold is over.
        play.settle().await?;
        Ok((play.standing(customer).await?, commits))
    };
    ended
        .await
        .map_err(|error: String| format!("{mode:?}: {error}"))
}

/// The end of a flow in which nothing goes wrong.
///
/// # Errors
/// What the flow says, or what the audit found.
pub async fn once<F>(flow: F) -> Result<Vec<String>, String>
where
    F: AsyncFn(&Play) -> Result<CustomerId, String>,
{
    let (standing, _) = play(&flow, Mode::Once).await?;
    let wrong: Vec<_> = standing
        .iter()
        .filter(|line| line.starts_with("audit: ") || line.starts_with("book: "))
        .collect();
    if wrong.is_empty() {
        Ok(standing)
    } else {
        Err(format!("{wrong:?}"))
    }
}

/// Plays a flow with every step done twice: it must end as it does when each is done once.
///
/// # Errors
/// What differs.
pub async fn every_step_twice<F>(flow: F) -> Result<(), String>
where
    F: AsyncFn(&Play) -> Result<CustomerId, String>,
{
    let clean = once(&flow).await?;
    let (twice, _) = play(&flow, Mode::Twice).await?;
    same(&clean, &twice).map_err(|difference| format!("every step twice: {difference}"))
}

/// Plays a flow once for each of its commits and each way in which it can fail: before it
/// happened, and after, when only the answer is lost. Gives back how often.
///
/// # Errors
/// What differs from the flow in which nothing fails.
pub async fn every_step_fails_once<F>(flow: F) -> Result<u32, String>
where
    F: AsyncFn(&Play) -> Result<CustomerId, String>,
{
    let clean = once(&flow).await?;
    let (_, commits) = play(&flow, Mode::Once).await?;
    for commit in 1..=i64::from(commits) {
        for happens in [false, true] {
            let mode = Mode::Failing { commit, happens };
            let (standing, _) = play(&flow, mode).await?;
            same(&clean, &standing).map_err(|difference| format!("{mode:?}: {difference}"))?;
        }
    }
    Ok(commits * 2)
}

fn same(clean: &[String], other: &[String]) -> Result<(), String> {
    if clean == other {
        return Ok(());
    }
    Err(format!(
        "expected\n{}\nfound\n{}",
        clean.join("\n"),
        other.join("\n")
    ))
}
