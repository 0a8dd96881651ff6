//! A node as a process, and its store when it is gone.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use simurgh_app::App;
use simurgh_app::ports::{StoreExt, StoreFault};
use simurgh_sim::{add_charged_lines, charging_app, line_number};
use simurgh_store::{Database, DatabaseOptions};
use simurgh_vocab::{LineId, Timestamp, Unit};

use super::model::{LINES, LineBooks, capacity};
use crate::place::Place;

/// A node that runs.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Node {
    pub(crate) fn start(place: &Place) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_charger"))
            .arg(place.address())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn at<T>(place: &Place, work: impl AsyncFnOnce(App) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(Database::open(&place.url(), DatabaseOptions::default()).unwrap());
        store.migrate(Timestamp::from_micros(0)).unwrap();
        let app = charging_app(Arc::<Database>::clone(&store)).await.unwrap();
        let done = work(app).await;
        store.close().unwrap();
        done
    })
}

/// Makes the store with its lines.
pub(crate) fn prepare(place: &Place) {
    at(place, async |app| {
        add_charged_lines(&app, LINES, capacity).await.unwrap();
    });
}

/// What the books say.
pub(crate) struct Books {
    pub(crate) findings: Vec<String>,
    pub(crate) lines: Vec<LineBooks>,
}

/// Looks into the books when no node runs any more.
pub(crate) fn books(place: &Place) -> Books {
    at(place, async |app| {
        let mut lines = Vec::new();
        for number in 0..LINES {
            let number = format!("+{}", line_number(number)).parse().unwrap();
            lines.push(line_books(&app, number).await);
        }
        // Whoever locked the lines has brought everything into the tables.
        let recorded = recorded(&app).await;
        for (line, books) in &mut lines {
            let of_line = recorded.iter().filter(|(of, _)| of == line);
            books.recorded = of_line.map(|(_, used)| used).sum();
        }
        let audited = app.audit().await.unwrap().findings.into_iter();
        // The lines of a test were not paid for, which two rules say.
        let bought = |it: &String| {
            !it.starts_with("subscriptions without a paid order")
                && !it.starts_with("grant entries without a paid order")
        };
        Books {
            findings: audited.filter(bought).collect(),
            lines: lines.into_iter().map(|(_, books)| books).collect(),
        }
    })
}

async fn line_books(app: &App, number: simurgh_vocab::Msisdn) -> (LineId, LineBooks) {
    let found = app.store.transact(move |tx| -> Result<_, StoreFault> {
        let line = tx.line_of_number(&number)?.unwrap();
        tx.line(line)?;
        let mut books = LineBooks {
            left: 0,
            reserved: 0,
            used: 0,
            recorded: 0,
            counted_by_day: 0,
        };
        for balance in tx.open_buckets(line)? {
            if balance.bucket.counts(Unit::Octets) {
                books.left += balance.holding.left;
                books.reserved += balance.holding.reserved;
                books.used += balance.holding.used;
            }
        }
        for usage in tx.usage_since(line, 0)? {
            books.counted_by_day += usage.amount;
        }
        Ok((line, books))
    });
    found.await.unwrap()
}

/// What every record says was used.
async fn recorded(app: &App) -> Vec<(LineId, i64)> {
    let mut uses = Vec::new();
    let mut after = None;
    loop {
        let page = app.store.snapshot(move |tx| tx.records_after(after, 500));
        let page = page.await.unwrap();
        let Some(last) = page.last() else {
            return uses;
        };
        after = Some(last.id);
        for stored in page {
            let used = stored.record.uses.iter().map(|it| it.used).sum();
            uses.push((stored.record.line, used));
        }
    }
}
