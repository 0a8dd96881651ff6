//! What the store can commit, with nothing to decide.

use std::time::{Duration, Instant};

use simurgh_store::db::Written;

use super::{Case, Kind, open, said};

/// What a request of one rating group writes into the journal of charging, in octets: its session with
/// the last answers, its bucket, what was used; and what each further group adds.
const RECORD_OCTETS: u32 = 420;
const GROUP_OCTETS: u32 = 230;
const MEASURED: Duration = Duration::from_secs(4);

/// Commits what as many requests as are under way at once would write, one commit after the other, and says
/// how many requests that would be in a second.
pub(crate) async fn measure(url: &str, case: &Case) -> Result<(), String> {
    let store = open(url)?;
    let requests = case.in_flight();
    let octets = requests * (RECORD_OCTETS + (case.groups - 1) * GROUP_OCTETS);
    let (table, insert) = match case.store {
        Kind::Sqlite => (
            "CREATE TABLE raw (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)",
            format!("INSERT INTO raw (body) VALUES (zeroblob({octets}))"),
        ),
        Kind::Postgres => (
            "CREATE TABLE raw (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body BYTEA NOT NULL)",
            format!("INSERT INTO raw (body) VALUES (decode(repeat('a5', {octets}), 'hex'))"),
        ),
    };
    let written = store.write_again(vec![Written::plain(table)]).await;
    written.map_err(said)?;
    let began = Instant::now();
    let mut commits = 0u64;
    while began.elapsed() < MEASURED {
        let written = store.write_again(vec![Written::plain(&insert)]).await;
        written.map_err(said)?;
        commits += 1;
    }
    let micros = began.elapsed().as_micros().max(1);
    let done = u128::from(commits) * u128::from(requests);
    println!("{}", done * 1_000_000 / micros);
    std::future::pending().await
}
