//! The suite that every kind of store passes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};

use simurgh_app::ports::{Store, StoreFault, Verdict};
use simurgh_vocab::{Currency, Money, OrderId};

use super::*;
use crate::migrate::{MigrateError, Migration};
use crate::params;
use crate::testing::{Folder, NOW, Schema, Subject, block_on, each_store, each_store_with};
use crate::tx::in_list;

const SCHEMA: &[Migration] = &[Migration {
    name: "0001_item",
    sql: "CREATE TABLE item (id BIGINT PRIMARY KEY, label TEXT, body BLOB, amount BIGINT);
          CREATE TABLE fact (id BIGINT PRIMARY KEY) CLUSTERED; APPEND ONLY fact;",
}];

fn each(test: impl Fn(&Subject)) {
    each_store_with(&|| None, SCHEMA, test);
}

fn insert(tx: &mut StoreTx<'_>, id: i64) -> Result<u64, StoreFault> {
    tx.execute("INSERT INTO item (id) VALUES (?1)", &params![id])
}

#[test]
fn the_released_schema_is_applied_and_usable() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.execute(
                    "INSERT INTO ledger_balance (account, unit, amount) VALUES (?1, ?2, ?3)",
                    &params!["cash", Currency::Cny, 3_900],
                )
                .unwrap();
            })
            .unwrap();
        let sql = "SELECT amount FROM ledger_balance WHERE account = 'cash'";
        assert_eq!(subject.number(sql), 3_900, "{}", subject.name);
    });
}

#[test]
fn values_come_back_as_they_went() {
    let id = OrderId::from_parts(1_790_000_000_000, &[7; 10]);
    each(|subject| {
        let written = subject.write(move |tx| {
            let sql = "INSERT INTO item (id, label, body, amount) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, &params![1, "CNY", id, i64::MIN]).unwrap();
            let sql = "INSERT INTO item (id, label, body, amount) VALUES (?4, ?3, ?3, ?3)";
            let none: Option<&str> = None;
            assert!(
                tx.execute(sql, &params![2, 2, none, 2]).is_err(),
                "unused parameters"
            );
        });
        assert!(
            written.is_err(),
            "{}: a swallowed fault still rolls back",
            subject.name
        );
        subject
            .write(move |tx| {
                let sql = "INSERT INTO item (id, label, body, amount) VALUES (?1, ?2, ?3, ?4)";
                tx.execute(sql, &params![1, "CNY", id, i64::MIN]).unwrap();
                let none: Option<&str> = None;
                tx.execute(sql, &params![2, none, Value::Null, true])
                    .unwrap();
                tx.execute(sql, &params![3, "?1 '套餐' $2", [0u8, 255], NOW])
                    .unwrap();
            })
            .unwrap();
        subject
            .read(move |tx| {
                let sql = format!(
                    "SELECT amount, label, body, id, '?1' FROM item WHERE id IN {} ORDER BY id",
                    in_list(1, 3)
                );
                let mut rows = tx.query(&sql, &params![1, 2, 3]).unwrap();
                let [one, two, three] = rows.as_mut_slice() else {
                    panic!("three rows");
                };
                assert_eq!(one.money(), Ok(Money::new(i64::MIN, Currency::Cny)));
                assert_eq!(one.id::<OrderId>(), Ok(id));
                assert_eq!(one.at(4).text().as_deref(), Ok("?1"));
                assert!(matches!(one.value(), Err(StoreFault::Corrupt(_))));
                assert_eq!(two.boolean(), Ok(true));
                assert_eq!(two.opt_text(), Ok(None));
                assert_eq!(two.opt_id::<OrderId>(), Ok(None));
                assert_eq!(three.timestamp(), Ok(NOW));
                assert_eq!(three.text().as_deref(), Ok("?1 '套餐' $2"));
                assert_eq!(three.bytes(), Ok([0u8, 255]));
                assert!(matches!(three.at(1).int(), Err(StoreFault::Corrupt(_))));
                assert!(matches!(
                    three.at(2).id::<OrderId>(),
                    Err(StoreFault::Corrupt(_))
                ));
                assert!(matches!(two.at(1).text(), Err(StoreFault::Corrupt(_))));
            })
            .unwrap();
        let sql = "SELECT SUM(amount) FROM item WHERE id = 2";
        assert_eq!(subject.number(sql), 1, "{}", subject.name);
        let sql = "SELECT EXISTS (SELECT 1 FROM item)";
        assert_eq!(subject.number(sql), 1, "{}", subject.name);
    });
}

#[test]
fn a_refused_work_leaves_nothing_and_its_neighbours_stand() {
    each(|subject| {
        let works = (0..40).map(|id| {
            let task = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
                insert(tx, id).unwrap();
                match id % 4 {
                    0 => Verdict::Commit,
                    1 => Verdict::RollBack,
                    // A fault: the table does not exist. The verdict does not matter.
                    2 => {
                        let fault = tx.query("SELECT * FROM missing", &[]);
                        assert!(matches!(fault, Err(StoreFault::Corrupt(_))));
                        assert!(insert(tx, id + 100).is_err(), "the transaction has ended");
                        Verdict::Commit
                    }
                    _ => panic!("on purpose"),
                }
            }));
            subject.store.write_task(task)
        });
        for (id, answer) in join(works).into_iter().enumerate() {
            let name = subject.name;
            match id % 4 {
                0 | 1 => assert_eq!(answer, Ok(()), "{name} {id}"),
                2 => assert!(matches!(answer, Err(StoreFault::Corrupt(_))), "{name} {id}"),
                _ => assert!(
                    matches!(answer, Err(StoreFault::Unavailable(_))),
                    "{name} {id}"
                ),
            }
        }
        assert_eq!(
            subject.number("SELECT COUNT(*) FROM item"),
            10,
            "{}",
            subject.name
        );
        assert_eq!(
            subject.number("SELECT COUNT(*) FROM item WHERE id % 4 <> 0"),
            0
        );
    });
}

#[test]
fn a_taken_key_is_a_conflict_and_other_broken_constraints_are_defects() {
    each(|subject| {
        subject.write(|tx| drop(insert(tx, 1))).unwrap();
        let answer = subject.write_as(|tx| match insert(tx, 1) {
            Ok(_) => Verdict::Commit,
            Err(_) => Verdict::RollBack,
        });
        assert!(
            matches!(answer, Err(StoreFault::Conflict(_))),
            "{}: {answer:?}",
            subject.name
        );
        let answer = subject.write(|tx| {
            tx.execute("INSERT INTO fact (id) VALUES (1)", &[]).unwrap();
        });
        assert_eq!(answer, Ok(()), "{}", subject.name);
        for sql in ["UPDATE fact SET id = 2", "DELETE FROM fact"] {
            let answer = subject.write(move |tx| drop(tx.execute(sql, &[])));
            assert!(
                matches!(answer, Err(StoreFault::Corrupt(_))),
                "{}: {answer:?}",
                subject.name
            );
        }
    });
}

#[test]
fn a_nul_character_is_refused_on_both_engines() {
    each(|subject| {
        let answer = subject.write(|tx| {
            let sql = "INSERT INTO item (id, label) VALUES (?1, ?2)";
            drop(tx.execute(sql, &params![1, "a\0b"]));
        });
        let Err(StoreFault::Corrupt(why)) = answer else {
            panic!("{}: {answer:?}", subject.name);
        };
        assert_eq!(why, "parameter ?2 holds a NUL character");
    });
}

#[test]
fn a_read_sees_one_snapshot_and_cannot_write() {
    each(|subject| {
        subject.write(|tx| drop(insert(tx, 1))).unwrap();
        assert!(
            subject.read(|tx| drop(insert(tx, 2))).is_err(),
            "{}",
            subject.name
        );
        assert_eq!(
            subject.number("SELECT COUNT(*) FROM item"),
            1,
            "{}",
            subject.name
        );
        if subject.name == "inline" {
            // One connection: nothing else can happen meanwhile.
            return;
        }
        let (reading, may_write) = mpsc::channel();
        let (written, may_read) = mpsc::channel();
        let may_read = Mutex::new(may_read);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                may_write.recv().unwrap();
                subject.write(|tx| drop(insert(tx, 2))).unwrap();
                written.send(()).unwrap();
            });
            subject
                .read(move |tx| {
                    let sql = "SELECT COUNT(*) FROM item";
                    assert_eq!(tx.query_one(sql, &[]).unwrap().int(), Ok(1));
                    reading.send(()).unwrap();
                    may_read.lock().unwrap().recv().unwrap();
                    assert_eq!(tx.query_one(sql, &[]).unwrap().int(), Ok(1));
                })
                .unwrap();
        });
        assert_eq!(
            subject.number("SELECT COUNT(*) FROM item"),
            2,
            "{}",
            subject.name
        );
    });
}

struct Script(Mutex<Vec<(CommitPoint, CommitAction)>>);

impl CommitHook for Script {
    fn at(&self, point: CommitPoint) -> CommitAction {
        let mut script = self.0.lock().unwrap();
        match script.first() {
            Some((expected, action)) if *expected == point => {
                let action = *action;
                script.remove(0);
                action
            }
            Some(_) | None => CommitAction::Proceed,
        }
    }
}

#[test]
fn the_hook_fails_commits_before_and_after() {
    let hook = || -> Option<Arc<dyn CommitHook>> {
        Some(Arc::new(Script(Mutex::new(vec![
            (CommitPoint::BeforeCommit, CommitAction::Fail),
            (CommitPoint::BeforeCommit, CommitAction::FailAfter),
            (CommitPoint::AfterCommit, CommitAction::Fail),
        ]))))
    };
    each_store_with(&hook, SCHEMA, |subject| {
        for id in 1..=3 {
            let answer = subject.write(move |tx| drop(insert(tx, id)));
            assert!(
                matches!(answer, Err(StoreFault::Unavailable(_))),
                "{} {id}",
                subject.name
            );
        }
        assert_eq!(subject.write(|tx| drop(insert(tx, 4))), Ok(()));
        let sql = "SELECT SUM(id) FROM item";
        assert_eq!(subject.number(sql), 2 + 3 + 4, "{}", subject.name);
    });
}

#[test]
fn migrations_run_once_and_refuse_what_they_do_not_know() {
    let second = Migration {
        name: "0002_more",
        sql: "CREATE TABLE more (id BIGINT PRIMARY KEY);",
    };
    let broken = Migration {
        name: "0003_broken",
        sql: "CREATE TABLE half (id BIGINT PRIMARY KEY); CREATE TABLE more (id BIGINT);",
    };
    let changed = Migration {
        name: "0001_item",
        sql: "CREATE TABLE item (id TEXT)",
    };
    each(|subject| {
        let migrate = |list: &[Migration]| subject.store.migrate_to(list, NOW);
        assert_eq!(migrate(SCHEMA), Ok(vec![]), "{}", subject.name);
        let two = [SCHEMA[0], second];
        assert_eq!(migrate(&two), Ok(vec!["0002_more"]));
        assert_eq!(migrate(&two), Ok(vec![]));
        let name = "0002_more".to_owned();
        assert_eq!(migrate(SCHEMA), Err(MigrateError::Unknown { name }));
        let name = "0001_item";
        assert_eq!(
            migrate(&[changed, second]),
            Err(MigrateError::Changed { name })
        );
        let three = [SCHEMA[0], second, broken];
        assert!(matches!(migrate(&three), Err(MigrateError::Store(_))));
        assert_eq!(subject.number("SELECT COUNT(*) FROM schema_migration"), 2);
        let half = subject.read(|tx| drop(tx.query("SELECT * FROM half", &[])));
        assert!(half.is_err(), "{}: half a migration stayed", subject.name);
    });
}

#[test]
fn a_closed_store_has_done_what_waited_and_takes_no_more() {
    each(|subject| {
        let works = (0..100).map(|id| {
            let task = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
                insert(tx, id).unwrap();
                Verdict::Commit
            }));
            subject.store.write_task(task)
        });
        assert!(join(works).iter().all(Result::is_ok));
        assert_eq!(block_on(subject.store.ping()), Ok(()), "{}", subject.name);
        subject.store.close().unwrap();
        assert!(block_on(subject.store.ping()).is_err(), "{}", subject.name);
        assert!(subject.write(|_| ()).is_err(), "{}", subject.name);
    });
}

/// What a work of a caller that went away still holds: dropped in this order.
struct LastOwner {
    _store: Arc<Database>,
    _gone: Gone,
}

/// Tells, when it is dropped, whether what went before it panicked.
struct Gone(mpsc::Sender<bool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.send(std::thread::panicking()).unwrap();
    }
}

/// Leaves `store` to a work that waits behind another, of callers that went away: the thread that
/// ends it is the store's own.
fn leave_to_its_own_thread(store: Database) {
    let store = Arc::new(store);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut abandon = |task: Task| {
        let mut work = Box::pin(store.write_task(task));
        assert!(work.as_mut().poll(&mut context).is_pending());
    };
    let (release, gate) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel::<()>();
    abandon(Task::Own(Box::new(move |_| {
        started.send(()).unwrap();
        gate.recv().unwrap();
        Verdict::RollBack
    })));
    running.recv().unwrap();
    let (gone, is_gone) = mpsc::channel();
    let owner = LastOwner {
        _store: Arc::clone(&store),
        _gone: Gone(gone),
    };
    abandon(Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
        let _held = &owner;
        insert(tx, 7).unwrap();
        Verdict::Commit
    })));
    drop(store);
    release.send(()).unwrap();
    let panicked = is_gone.recv_timeout(std::time::Duration::from_secs(30));
    assert_eq!(panicked, Ok(false), "it ends");
}

#[test]
fn a_store_whose_last_owner_is_a_work_ends_on_its_own_thread() {
    let count = Task::Own(Box::new(|tx: &mut StoreTx<'_>| {
        let count = tx.query_one("SELECT COUNT(*) FROM item WHERE id = 7", &[]);
        assert_eq!(count.unwrap().int(), Ok(1), "the work was done");
        Verdict::RollBack
    }));
    let folder = Folder::new();
    let open = || SqliteStore::open(&folder.0.join("s.db"), SqliteOptions::default()).unwrap();
    let store = open();
    store.migrate_to(SCHEMA, NOW).unwrap();
    leave_to_its_own_thread(Database::Sqlite(store));
    open().read_task(count).unwrap();

    let Some(schema) = Schema::new() else { return };
    let options = PostgresOptions {
        connections: 1,
        ..PostgresOptions::default()
    };
    let store = PostgresStore::connect(&schema.url, options).unwrap();
    store.migrate_to(SCHEMA, NOW).unwrap();
    leave_to_its_own_thread(Database::Postgres(store));
}

#[test]
fn sqlite_only_a_full_queue_refuses_at_once() {
    let folder = Folder::new();
    let options = SqliteOptions {
        queue_length_max: 2,
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&folder.0.join("s.db"), options).unwrap();
    let (release, gate) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel::<()>();
    let blocker = Task::Own(Box::new(move |_| {
        started.send(()).unwrap();
        gate.recv().unwrap();
        Verdict::RollBack
    }));
    std::thread::scope(|scope| {
        scope.spawn(|| block_on(store.write_task(blocker)).unwrap());
        running.recv().unwrap();
        let works = (0..5).map(|_| store.write(Box::new(|_| Verdict::RollBack)));
        let mut works: Vec<_> = works.collect();
        let refused = poll_each(&mut works);
        assert_eq!(refused, 3, "two wait, three are refused");
        release.send(()).unwrap();
        works.into_iter().for_each(|work| block_on(work).unwrap());
    });
}

/// Polls every future once; answers how many were busy and leaves only the others.
fn poll_each(works: &mut Vec<simurgh_app::ports::Pending<'_>>) -> usize {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let before = works.len();
    works.retain_mut(|work| match work.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => {
            assert!(matches!(answer, Err(StoreFault::Conflict(_))));
            false
        }
        std::task::Poll::Pending => true,
    });
    before - works.len()
}

#[test]
fn sqlite_only_waiting_works_share_a_commit() {
    struct Count(Arc<AtomicU32>);
    impl CommitHook for Count {
        fn at(&self, point: CommitPoint) -> CommitAction {
            if point == CommitPoint::AfterCommit {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            CommitAction::Proceed
        }
    }
    let (folder, commits) = (Folder::new(), Arc::new(AtomicU32::new(0)));
    let options = SqliteOptions {
        hook: Some(Arc::new(Count(Arc::clone(&commits)))),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&folder.0.join("s.db"), options).unwrap();
    store.migrate_to(SCHEMA, NOW).unwrap();
    let (release, gate) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel::<()>();
    let blocker = Task::Own(Box::new(move |_| {
        started.send(()).unwrap();
        gate.recv().unwrap();
        Verdict::RollBack
    }));
    std::thread::scope(|scope| {
        scope.spawn(|| block_on(store.write_task(blocker)).unwrap());
        running.recv().unwrap();
        let mut works: Vec<simurgh_app::ports::Pending<'_>> = Vec::new();
        for id in 0..64 {
            works.push(Box::pin(store.write_task(Task::Own(Box::new(move |tx| {
                insert(tx, id).unwrap();
                Verdict::Commit
            })))));
        }
        assert_eq!(poll_each(&mut works), 0);
        release.send(()).unwrap();
        works.into_iter().for_each(|work| block_on(work).unwrap());
    });
    assert_eq!(commits.load(Ordering::Relaxed), 1);
}

#[test]
fn sqlite_only_a_backup_while_others_write_is_one_state() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0.join("s.db"), SqliteOptions::default()).unwrap();
    store.migrate_to(SCHEMA, NOW).unwrap();
    let pair = |id: i64| {
        Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
            // Two rows that only make sense together, and enough pages for several steps.
            let sql = "INSERT INTO item (id, amount, body) VALUES (?1, ?2, ?3)";
            tx.execute(sql, &params![2 * id, id, vec![1u8; 3_000]])
                .unwrap();
            tx.execute(sql, &params![2 * id + 1, -id, vec![2u8; 3_000]])
                .unwrap();
            Verdict::Commit
        }))
    };
    let filled = join((0..1_000).map(|id| store.write_task(pair(id))));
    assert!(filled.iter().all(Result::is_ok));
    let copy = folder.0.join("copy.db");
    let (done, mut steps) = (AtomicBool::new(false), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for id in 1_000.. {
                block_on(store.write_task(pair(id))).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let copied = store.backup(&copy, |at| {
            steps += 1;
            assert!(at.pages_done <= at.pages_total);
        });
        done.store(true, Ordering::Relaxed);
        copied.unwrap();
    });
    assert!(steps > 1, "the copy was made in {steps} steps");
    assert!(matches!(
        store.backup(&copy, |_| ()),
        Err(BackupError::Exists { .. })
    ));
    let copy = SqliteStore::open(&copy, SqliteOptions::default()).unwrap();
    let checked = copy.read_task(Task::Own(Box::new(|tx| {
        let row = tx.query_one("SELECT COUNT(*), SUM(amount), COUNT(*) % 2 FROM item", &[]);
        let mut row = row.unwrap();
        assert!(row.int().unwrap() >= 2_000);
        assert_eq!((row.int(), row.int()), (Ok(0), Ok(0)));
        let mut row = tx.query_one("PRAGMA integrity_check", &[]).unwrap();
        assert_eq!(row.text().as_deref(), Ok("ok"));
        Verdict::RollBack
    })));
    checked.unwrap();
}

#[test]
fn sqlite_only_an_inline_store_can_be_dropped_and_reopened() {
    let folder = Folder::new();
    let path = folder.0.join("s.db");
    for round in 0..3 {
        let store = SqliteStore::open_inline(&path, SqliteOptions::default()).unwrap();
        store.migrate_to(SCHEMA, NOW).unwrap();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let task = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
            let count = tx
                .query_one("SELECT COUNT(*) FROM item", &[])
                .unwrap()
                .int();
            assert_eq!(count, Ok(round));
            insert(tx, round).unwrap();
            Verdict::Commit
        }));
        let mut write: simurgh_app::ports::Pending<'_> = Box::pin(store.write_task(task));
        let answer = write.as_mut().poll(&mut context);
        assert_eq!(answer, std::task::Poll::Ready(Ok(())), "ready at once");
    }
}

/// Two transactions that each ran up to here go on together; a repeated one does not wait.
fn meet_once(barrier: &Barrier, met: &AtomicBool) {
    if !met.swap(true, Ordering::Relaxed) {
        barrier.wait();
    }
}

/// A PostgreSQL store with an item 1 and an item 2, if there is a server.
fn postgres_with_items() -> Option<(Schema, PostgresStore)> {
    let schema = Schema::new()?;
    let store = PostgresStore::connect(&schema.url, PostgresOptions::default()).unwrap();
    store.migrate_to(SCHEMA, NOW).unwrap();
    let filled = block_on(store.write_task(Task::Own(Box::new(|tx| {
        let sql = "INSERT INTO item (id, amount) VALUES (1, 0), (2, 0)";
        assert_eq!(tx.execute(sql, &[]), Ok(2));
        Verdict::Commit
    }))));
    filled.unwrap();
    Some((schema, store))
}

#[test]
fn postgres_only_a_deadlock_repeats_the_whole_work() {
    let Some((_schema, store)) = postgres_with_items() else {
        return;
    };
    let (barrier, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let locking = |first: i64, second: i64| {
        let (barrier, runs) = (Arc::clone(&barrier), Arc::clone(&runs));
        let met = AtomicBool::new(false);
        Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
            runs.fetch_add(1, Ordering::Relaxed);
            let sql = "UPDATE item SET amount = amount + 1 WHERE id = ?1";
            let first = tx.execute(sql, &params![first]);
            meet_once(&barrier, &met);
            match first.and_then(|_| tx.execute(sql, &params![second])) {
                Ok(_) => Verdict::Commit,
                // As a use case does: it turns the fault into its own error and gives up.
                Err(_) => Verdict::RollBack,
            }
        }))
    };
    let works = [
        store.write_task(locking(1, 2)),
        store.write_task(locking(2, 1)),
    ];
    assert_eq!(join(works.into_iter()), [Ok(()), Ok(())]);
    assert!(runs.load(Ordering::Relaxed) > 2, "one of them ran again");
    let sums = store.read_task(Task::Own(Box::new(|tx| {
        let rows = tx.query("SELECT amount FROM item", &[]).unwrap();
        for mut row in rows {
            assert_eq!(row.int(), Ok(2), "each ran through once");
        }
        Verdict::RollBack
    })));
    block_on(sums).unwrap();
}

#[test]
fn postgres_only_who_finds_a_key_taken_runs_again_and_sees_the_row() {
    let Some((_schema, store)) = postgres_with_items() else {
        return;
    };
    let (barrier, found) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let placing = || {
        let (barrier, found) = (Arc::clone(&barrier), Arc::clone(&found));
        let met = AtomicBool::new(false);
        Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
            let there = tx.query_one_or_none("SELECT id FROM item WHERE id = 7", &[]);
            meet_once(&barrier, &met);
            if there.unwrap().is_some() {
                found.fetch_add(1, Ordering::Relaxed);
                return Verdict::Commit;
            }
            match insert(tx, 7) {
                Ok(_) => Verdict::Commit,
                Err(_) => Verdict::RollBack,
            }
        }))
    };
    let works = [store.write_task(placing()), store.write_task(placing())];
    assert_eq!(join(works.into_iter()), [Ok(()), Ok(())]);
    assert_eq!(found.load(Ordering::Relaxed), 1);
}

/// Ends the connections whose last query carries `mark` as a comment.
fn kill(schema: &Schema, mark: &str) {
    schema.admin(&format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE application_name = 'simurgh' AND query LIKE '%/* {mark} */%'"
    ));
}

#[test]
fn postgres_only_a_connection_lost_in_the_commit_leaves_the_end_unknown() {
    struct Kill(Arc<Schema>);
    impl CommitHook for Kill {
        fn at(&self, point: CommitPoint) -> CommitAction {
            if point == CommitPoint::BeforeCommit {
                kill(&self.0, "commit");
            }
            CommitAction::Proceed
        }
    }
    let Some(schema) = Schema::new().map(Arc::new) else {
        return;
    };
    let options = PostgresOptions {
        hook: Some(Arc::new(Kill(Arc::clone(&schema)))),
        ..PostgresOptions::default()
    };
    let store = PostgresStore::connect(&schema.url, options).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let work = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert!(tx.query("SELECT 1 /* commit */", &[]).is_ok());
        Verdict::Commit
    }));
    let answer = block_on(store.write_task(work));
    assert!(
        matches!(answer, Err(StoreFault::Unavailable(_))),
        "{answer:?}"
    );
    assert_eq!(
        runs.load(Ordering::Relaxed),
        1,
        "who knows whether it is done repeats nothing"
    );
    assert_eq!(block_on(store.ping()), Ok(()));
}

#[test]
fn postgres_only_a_lost_connection_is_made_anew() {
    let Some((schema, store)) = postgres_with_items() else {
        return;
    };
    let schema = Arc::new(schema);
    let (killer, runs) = (Arc::clone(&schema), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&runs);
    let work = Task::Own(Box::new(move |tx: &mut StoreTx<'_>| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        if insert(tx, 9).is_ok() && first {
            assert!(tx.query("SELECT 1 /* statement */", &[]).is_ok());
            kill(&killer, "statement");
        }
        match tx.query("SELECT 1", &[]) {
            Ok(_) => Verdict::Commit,
            Err(_) => Verdict::RollBack,
        }
    }));
    assert_eq!(block_on(store.write_task(work)), Ok(()));
    assert_eq!(
        runs.load(Ordering::Relaxed),
        2,
        "nothing had remained of the first run"
    );
}

#[test]
fn postgres_only_two_nodes_may_migrate_at_once() {
    let Some(schema) = Schema::new() else { return };
    let options = || PostgresOptions {
        connections: 1,
        ..PostgresOptions::default()
    };
    let nodes = [0; 4].map(|_| PostgresStore::connect(&schema.url, options()).unwrap());
    let applied: usize = std::thread::scope(|scope| {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|node| scope.spawn(|| node.migrate_to(SCHEMA, NOW).unwrap().len()))
            .collect();
        nodes.into_iter().map(|node| node.join().unwrap()).sum()
    });
    assert_eq!(applied, 1);
}

/// Starts every future before it waits for the first.
fn join<F: Future<Output = Result<(), StoreFault>> + Send>(
    futures: impl Iterator<Item = F>,
) -> Vec<Result<(), StoreFault>> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let started = futures
        .iter_mut()
        .map(|future| future.as_mut().poll(&mut context));
    let started: Vec<_> = started.collect();
    let pairs = started.into_iter().zip(futures);
    pairs
        .map(|(started, future)| match started {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => block_on(future),
        })
        .collect()
}
