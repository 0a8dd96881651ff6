//! An operator with one line, and its listener.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use simurgh_app::charge::{ChargeDesk, DeskOptions, Rules};
use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy, Line, LineState, StoreExt, StoreFault};
use simurgh_app::{App, Settings as AppSettings, World};
use simurgh_charging::{GrantRequest, Issue, Slice, Subscription, Tariff, grant};
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::peer::Local;
use simurgh_gy::{AtTheEnd, Peers, Server, Settings};
use simurgh_ledger::post;
use simurgh_sim::{SeededEntropy, Silent, TestClock, add_customer, catalogue_file};
use simurgh_store::db::{CommitHook, SqliteOptions, SqliteStore};
use simurgh_vocab::{
    Allowance, BucketId, Duration, EntryId, LineId, Messages, Octets, OrderId, Period, Seconds,
    SubscriptionId, Timestamp, Unit,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) const NUMBER: &str = "8613800000001";
pub(crate) const REALM: &str = "example.com";
pub(crate) const CLIENTS: [&str; 2] = ["pgw.example.com", "other.example.com"];
const BEGIN: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// How an operator does it.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) settings: Settings,
    pub(crate) desk: DeskOptions,
    pub(crate) tariff: Tariff,
    /// What happens to the store's commits.
    pub(crate) hook: Option<Arc<dyn CommitHook>>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            settings: settings(),
            desk: DeskOptions::default(),
            tariff: tariff(),
            hook: None,
        }
    }
}

/// An operator.
pub(crate) struct Operator {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) line: LineId,
    pub(crate) address: SocketAddr,
    peers: Arc<Peers>,
    terms: Terms,
    folder: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Operator {
    /// With a line that has 1,000 octets, 100 seconds and 3 messages for a day.
    pub(crate) async fn new(name: &str) -> Self {
        Self::on(name, Terms::default()).await
    }

    /// The same, with terms of its own.
    pub(crate) async fn on(name: &str, terms: Terms) -> Self {
        let folder = simurgh_sim::scratch_folder(name);
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Arc::new(TestClock::at(BEGIN));
        let (app, peers) = open(&folder, &clock, &terms);
        let file = catalogue_file().to_owned();
        app.apply_catalogue(file, "test".to_owned(), false)
            .await
            .unwrap();
        let line = add_line(&app).await;
        let (address, stop, served) = serve(&app, &peers, &terms).await;
        let mut operator = Self {
            app,
            clock,
            line,
            address,
            peers,
            terms,
            folder,
            stop: Some(stop),
            served,
        };
        operator.buy(1_000).await;
        operator
    }

    /// The program ends and starts again over the same file.
    pub(crate) async fn restart(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.served).await.unwrap();
        let (app, peers) = open(&self.folder, &self.clock, &self.terms);
        let (address, stop, served) = serve(&app, &peers, &self.terms).await;
        (self.app, self.peers, self.address) = (app, peers, address);
        (self.stop, self.served) = (Some(stop), served);
    }

    /// Gives the line a plan of a day.
    pub(crate) async fn buy(&mut self, data: i64) {
        let now = self.app.now();
        let period = Period {
            start: now,
            end: now.plus(Duration::days(1)),
        };
        let (app, line) = (self.app.clone(), self.line);
        let subscription = app.make(SubscriptionId::from_parts, now);
        let request = GrantRequest {
            subscription,
            line,
            order: app.make(OrderId::from_parts, now),
            zone: "china".parse().unwrap(),
            allowance: Allowance {
                data: Octets::new(data).unwrap(),
                voice: Seconds::new(100).unwrap(),
                sms: Messages::new(3).unwrap(),
            },
            dedicated: Vec::new(),
            credit: None,
            sets: 1,
            issue: Issue::Periods(vec![period]),
        };
        let store = Arc::clone(&app.store);
        let granted = store.transact(move |tx| -> Result<(), StoreFault> {
            let granted = grant(&request, || app.make(BucketId::from_parts, now)).unwrap();
            tx.insert_subscription(&Subscription {
                id: subscription,
                line,
                order: request.order,
                selection: "plan".to_owned(),
                catalogue_version: 1,
                zone: request.zone.clone(),
                add_on: false,
                state: granted.state,
            })?;
            for bucket in &granted.buckets {
                tx.insert_bucket(bucket)?;
            }
            post(tx, app.make(EntryId::from_parts, now), now, granted.entry).unwrap();
            Ok(())
        });
        granted.await.unwrap();
    }

    /// What is left, held and used of a unit.
    pub(crate) async fn amounts(&self, unit: Unit) -> (i64, i64, i64) {
        let line = self.line;
        let buckets = self
            .app
            .store
            .snapshot(move |tx| tx.open_buckets(line))
            .await;
        let buckets = buckets
            .unwrap()
            .into_iter()
            .filter(|it| it.bucket.counts(unit));
        buckets.fold((0, 0, 0), |(left, reserved, used), it| {
            let holding = it.holding;
            (
                left + holding.left,
                reserved + holding.reserved,
                used + holding.used,
            )
        })
    }

    /// The books agree; the line of a test was not paid for, which two rules say.
    pub(crate) async fn audit(&self) {
        let report = self.app.audit().await.unwrap();
        let unpaid = |it: &String| it.starts_with("subscriptions without a paid order");
        let findings: Vec<_> = report
            .findings
            .into_iter()
            .filter(|it| !unpaid(it))
            .collect();
        let grants = |it: &String| it.starts_with("grant entries without a paid order");
        assert!(findings.iter().all(grants), "{findings:?}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.served.abort();
        // The folder is in the system's own for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn tariff() -> Tariff {
    Tariff {
        data: Slice {
            least: 10,
            most: 100,
        },
        free_rating_groups: vec![900],
        ..Tariff::default()
    }
}

fn settings() -> Settings {
    let peer = |host: &&str| AllowedPeer {
        host: (*host).to_owned(),
        realm: REALM.to_owned(),
        addresses: Vec::new(),
    };
    Settings {
        peers: CLIENTS.iter().map(peer).collect(),
        at_the_end: AtTheEnd::Redirect("https://example.com/plans".to_owned()),
        ..Settings::of(Local {
            host: "ocs.example.com".to_owned(),
            realm: REALM.to_owned(),
            addresses: vec![[127, 0, 0, 1].into()],
            vendor_id: 0,
            product_name: "Simurgh".to_owned(),
            origin_state_id: None,
            applications: vec![4],
            vendors: vec![10_415],
        })
    }
}

fn open(folder: &std::path::Path, clock: &Arc<TestClock>, terms: &Terms) -> (App, Arc<Peers>) {
    let options = SqliteOptions {
        // The tests read what was charged at once.
        fold_after: std::time::Duration::ZERO,
        hook: terms.hook.clone(),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&folder.join("test.db"), options).unwrap();
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
    store.migrate(clock.now()).unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
    let peers = Peers::new(&terms.settings, Arc::clone(&clock), entropy.as_ref());
    let world = World {
        store: Arc::new(store),
        clock,
        entropy,
        messenger: Arc::new(Silent::default()),
        keyring: Keyring::new(&[7; 32]),
        providers: Vec::new(),
        settings: AppSettings {
            brand: "Simurgh".to_owned(),
            portal_url: "http://localhost".to_owned(),
            document_series: "SIM".to_owned(),
            entity_time_zone: "Asia/Shanghai".parse().unwrap(),
        },
    };
    let rules = Rules {
        tariff: terms.tariff.clone(),
        home: "CN".parse().ok(),
        reauthorizer: Some(Arc::<Peers>::clone(&peers)),
    };
    let (subscribers, esim) = (Default::default(), Default::default());
    (App::with_charging(world, subscribers, esim, rules), peers)
}

async fn serve(
    app: &App,
    peers: &Arc<Peers>,
    terms: &Terms,
) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let desk = ChargeDesk::open(app, terms.desk);
    let server = Server::new(app.clone(), desk, Arc::clone(peers), terms.settings.clone());
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.serve(listener, async move {
        drop(stopped.await);
    }));
    (address, stop, served)
}

async fn add_line(app: &App) -> LineId {
    let customer = add_customer(app, 1).await.unwrap();
    let now = app.now();
    let line = Line {
        id: app.make(LineId::from_parts, now),
        customer,
        state: LineState::Active,
        opened_at: now,
    };
    let id = line.id;
    let number = format!("+{NUMBER}").parse().unwrap();
    let store = Arc::clone(&app.store);
    let added = store.transact(move |tx| -> Result<(), StoreFault> {
        tx.insert_line(&line)?;
        tx.insert_number(&number, now)?;
        assert_eq!(tx.take_number(line.id)?.as_ref(), Some(&number));
        Ok(())
    });
    added.await.unwrap();
    id
}
