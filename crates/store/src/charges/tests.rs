//! What the writer remembers is what the tables and the journal say, whatever happens in between.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::Duration;

use simurgh_app::ports::{ChargeChanges, Charges, DayUsage, LineState, Lines, Verdict};
use simurgh_charging::{BucketWindow, Record, RecordCause, Session, SessionStanding};
use simurgh_ledger::{BucketRole, Holding};
use simurgh_vocab::{BucketId, LineId, Period, RecordId, SubscriptionId, Unit};

use crate::db::{SqliteOptions, SqliteStore, Task};
use crate::lines::buckets;
use crate::suite::make;
use crate::testing::{Folder, NOW, block_on};
use crate::tx::StoreTx;

/// What must be found.
#[derive(Clone, Default, Debug)]
struct Model {
    lines: BTreeMap<LineId, LineModel>,
}

#[derive(Clone, Default, Debug)]
struct LineModel {
    holding: Holding,
    live: BTreeMap<String, Session>,
    used: i64,
    records: i64,
}

/// One thing that happens to one line.
#[derive(Clone, Copy, Debug)]
struct Deed {
    number: u64,
    line: u8,
    /// It locks the line as the shop does, and grants more.
    grants: bool,
    /// It charges.
    charges: bool,
    /// The session it charges ends.
    ends: bool,
    /// It is undone.
    fails: bool,
}

const LINES: u8 = 3;

fn line_id(line: u8) -> LineId {
    make::id(LineId::from_parts, line)
}

fn bucket_id(line: u8) -> BucketId {
    make::id(BucketId::from_parts, line)
}

fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn deed(seed: &mut u64, number: u64, line: u8) -> Deed {
    let grants = next(seed).is_multiple_of(4);
    Deed {
        number,
        line,
        grants,
        charges: !grants || next(seed).is_multiple_of(2),
        ends: next(seed).is_multiple_of(3),
        fails: next(seed).is_multiple_of(7),
    }
}

fn session_of(deed: Deed) -> (String, Session) {
    let name = format!("{}-{}", deed.line, deed.number % 2);
    let session = Session {
        line: line_id(deed.line),
        unit: Unit::Octets,
        standing: if deed.ends {
            SessionStanding::Over
        } else {
            SessionStanding::Live
        },
        client: "pgw".into(),
        realm: "example".into(),
        opened_at: NOW,
        heard_at: make::second(u32::try_from(deed.number).unwrap()),
        due_at: make::second(5),
        services: Vec::new(),
        answered: Vec::new(),
        records: 0,
    };
    (name, session)
}

/// What a deed does to the model; the same is asked of the store.
fn apply(model: &mut LineModel, deed: Deed) {
    if deed.grants {
        model.holding.granted += 1_000;
        model.holding.left += 1_000;
    }
    if deed.charges {
        let (name, session) = session_of(deed);
        model.holding.left -= 10;
        model.holding.used += 7;
        model.holding.reserved += 3;
        model.used += 7;
        model.live.remove(&name);
        if deed.ends {
            model.records += 1;
        } else {
            model.live.insert(name, session);
        }
    }
}

/// Does it, and compares what is found on the way.
fn run(tx: &mut StoreTx<'_>, deed: Deed, model: &LineModel) -> Verdict {
    let line = line_id(deed.line);
    let bucket = bucket_id(deed.line);
    let mut expected = model.holding;
    if deed.grants {
        tx.line(line).unwrap().unwrap();
        let open = tx.open_buckets(line).unwrap();
        assert_eq!(open[0].holding, expected, "{deed:?}: the tables");
        let live = tx.live_sessions(line).unwrap();
        assert_eq!(live, live_of(model), "{deed:?}: sessions in the tables");
        expected.granted += 1_000;
        expected.left += 1_000;
        let roles = vec![
            (BucketRole::Granted, expected.granted),
            (BucketRole::Left, expected.left),
        ];
        buckets::set_amounts(tx, &BTreeMap::from([(bucket, roles)])).unwrap();
    }
    if deed.charges {
        let books = tx.charge_lines(&[line]).unwrap();
        let book = &books[&line].book;
        assert_eq!(book.buckets[0].holding, expected, "{deed:?}: the book");
        assert_eq!(book.sessions as usize, model.live.len(), "{deed:?}");
        assert_eq!(tx.live_sessions(line).unwrap(), live_of(model), "{deed:?}");
        tx.save_charges(changes(deed, expected)).unwrap();
    }
    if deed.fails {
        Verdict::RollBack
    } else {
        Verdict::Commit
    }
}

fn live_of(model: &LineModel) -> Vec<(String, Session)> {
    model.live.clone().into_iter().collect()
}

fn changes(deed: Deed, mut holding: Holding) -> ChargeChanges {
    let line = line_id(deed.line);
    holding.left -= 10;
    holding.used += 7;
    holding.reserved += 3;
    let mut changes = ChargeChanges::default();
    changes
        .holdings
        .insert((line, bucket_id(deed.line)), holding);
    let (name, session) = session_of(deed);
    changes.sessions.insert(name.into(), session);
    let usage = DayUsage {
        day: 20_000,
        unit: Unit::Octets,
        amount: 7,
    };
    changes.usage.push((line, usage));
    if deed.ends {
        let id = RecordId::from_parts(deed.number, &[deed.line; 10]);
        let record = Record {
            line,
            unit: Unit::Octets,
            opened_at: NOW,
            closed_at: NOW,
            part: 0,
            cause: RecordCause::Terminated,
            uses: Vec::new(),
        };
        changes.records.push((id, record));
    }
    changes
}

fn open(path: &Path, seed: &mut u64) -> SqliteStore {
    let after = [
        Duration::ZERO,
        Duration::from_millis(1),
        Duration::from_secs(3_600),
    ];
    let options = SqliteOptions {
        fold_after: after[usize::try_from(next(seed) % 3).unwrap()],
        ..SqliteOptions::default()
    };
    SqliteStore::open(path, options).unwrap()
}

fn fill(tx: &mut StoreTx<'_>, line: u8) {
    let state = LineState::Active;
    tx.insert_line(&make::line(line, state)).unwrap();
    let period = Period {
        start: NOW,
        end: make::second(1_000_000),
    };
    let mut subscription = make::subscription(
        line,
        simurgh_charging::SubscriptionState::Scheduled { period },
    );
    subscription.line = line_id(line);
    tx.insert_subscription(&subscription).unwrap();
    let mut bucket = make::bucket(line, line, BucketWindow::Fixed(period));
    bucket.line = line_id(line);
    bucket.subscription = make::id(SubscriptionId::from_parts, line);
    tx.insert_bucket(&bucket).unwrap();
}

/// Some deeds at once, each on a line of its own; answers which were kept.
fn at_once(store: &SqliteStore, deeds: &[Deed], model: &Model) {
    let (sender, receiver) = channel();
    let mut waiting: Vec<_> = deeds
        .iter()
        .map(|deed| {
            let (deed, sender) = (*deed, sender.clone());
            let line = model.lines[&line_id(deed.line)].clone();
            let task = Task::Own(Box::new(move |tx| {
                let verdict = run(tx, deed, &line);
                sender.send(()).unwrap();
                verdict
            }));
            Box::pin(store.write_task(task))
        })
        .collect();
    let all = poll_fn(|context| {
        waiting.retain_mut(|it| match it.as_mut().poll(context) {
            Poll::Ready(answer) => {
                answer.unwrap();
                false
            }
            Poll::Pending => true,
        });
        if waiting.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    block_on(all);
    assert!(receiver.try_iter().count() >= deeds.len());
}

/// As a crash leaves it: the files as they are while the store is open.
fn crash(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        if Path::new(&name(from)).exists() {
            std::fs::copy(name(from), name(to)).unwrap();
        }
    }
}

fn tables_say(store: &SqliteStore, model: &Model) {
    let expected: Vec<_> = model
        .lines
        .values()
        .map(|it| (it.holding, live_of(it), it.used, it.records))
        .collect();
    let (sender, receiver) = channel();
    let task = Task::Own(Box::new(move |tx| {
        let mut found = Vec::new();
        for line in 1..=LINES {
            let id = line_id(line);
            let holding = tx.open_buckets(id).unwrap()[0].holding;
            let live = tx.live_sessions(id).unwrap();
            let used = tx.usage_since(id, 0).unwrap();
            let sql = "SELECT COUNT(*) FROM charge_record WHERE line_id = ?1";
            let records = tx.query_one(sql, &crate::params![id]).unwrap().int();
            let used = used.iter().map(|it| it.amount).sum::<i64>();
            found.push((holding, live, used, records.unwrap()));
        }
        sender.send(found).unwrap();
        Verdict::RollBack
    }));
    store.read_task(task).unwrap();
    assert_eq!(receiver.recv().unwrap(), expected);
}

#[test]
fn the_writer_remembers_what_the_store_keeps() {
    for start in 1..=30 {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(start);
        let folder = Folder::new();
        let mut path = folder.0.join("0.db");
        let mut store = open(&path, &mut seed);
        store.migrate(NOW).unwrap();
        let task = Task::Own(Box::new(|tx| {
            (1..=LINES).for_each(|line| fill(tx, line));
            Verdict::Commit
        }));
        block_on(store.write_task(task)).unwrap();
        let mut model = Model::default();
        for line in 1..=LINES {
            model.lines.insert(line_id(line), LineModel::default());
        }
        for number in 0..60 {
            if next(&mut seed).is_multiple_of(9) {
                let copy = folder.0.join(format!("{}.db", number + 1));
                crash(&path, &copy);
                path = copy;
                store = open(&path, &mut seed);
            }
            let lines = (1..=LINES).filter(|_| next(&mut seed).is_multiple_of(2));
            let lines: Vec<u8> = lines.collect();
            let deeds = lines.into_iter();
            let deeds: Vec<Deed> = deeds.map(|line| deed(&mut seed, number, line)).collect();
            at_once(&store, &deeds, &model);
            for deed in deeds.into_iter().filter(|deed| !deed.fails) {
                apply(model.lines.get_mut(&line_id(deed.line)).unwrap(), deed);
            }
        }
        store.close().unwrap();
        let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        tables_say(&store, &model);
    }
}

#[test]
fn readers_find_what_was_charged_before_long() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0.join("a.db"), SqliteOptions::default()).unwrap();
    store.migrate(NOW).unwrap();
    let charge = Deed {
        number: 1,
        line: 1,
        grants: false,
        charges: true,
        ends: true,
        fails: false,
    };
    let task = Task::Own(Box::new(move |tx| {
        fill(tx, 1);
        run(tx, charge, &LineModel::default())
    }));
    block_on(store.write_task(task)).unwrap();
    let mut model = LineModel::default();
    apply(&mut model, charge);
    // Nobody writes any more; the writer brings it there by itself.
    let (sender, receiver) = channel();
    let found = (0..100_000).any(|_| {
        let sender = sender.clone();
        let task = Task::Own(Box::new(move |tx| {
            let open = tx.open_buckets(line_id(1)).unwrap();
            sender.send(open[0].holding).unwrap();
            Verdict::RollBack
        }));
        store.read_task(task).unwrap();
        std::thread::yield_now();
        receiver.recv().unwrap() == model.holding
    });
    assert!(found, "the tables never follow");
}

#[test]
fn a_bucket_is_not_changed_behind_the_back_of_the_writer() {
    let folder = Folder::new();
    let options = SqliteOptions {
        fold_after: Duration::from_secs(3_600),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&folder.0.join("a.db"), options).unwrap();
    store.migrate(NOW).unwrap();
    let charge = Deed {
        number: 1,
        line: 1,
        grants: false,
        charges: true,
        ends: false,
        fails: false,
    };
    let task = Task::Own(Box::new(move |tx| {
        fill(tx, 1);
        run(tx, charge, &LineModel::default())
    }));
    block_on(store.write_task(task)).unwrap();
    let task = Task::Own(Box::new(|tx| {
        let bucket = [bucket_id(1)].into();
        assert!(buckets::holdings(tx, &bucket).is_err(), "without the line");
        Verdict::RollBack
    }));
    block_on(store.write_task(task)).unwrap();
    let task = Task::Own(Box::new(|tx| {
        tx.line(line_id(1)).unwrap().unwrap();
        let bucket = [bucket_id(1)].into();
        let held = buckets::holdings(tx, &bucket).unwrap();
        assert_eq!(held[&bucket_id(1)].reserved, 3);
        Verdict::RollBack
    }));
    block_on(store.write_task(task)).unwrap();
}
