//! One PostgreSQL connection: its statements and its errors.

use std::collections::HashMap;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, Error, NoTls, Statement};
use simurgh_app::ports::StoreFault;

use super::Address;
use crate::db::{Cause, EachRow, Failure, Row, Value, dialect};

/// How many prepared statements a connection keeps. Beyond that it starts anew: lists of `IN`
/// have as many texts as lengths.
const STATEMENTS_MAX: usize = 1_024;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection with its settings made.
pub(crate) struct Connection {
    client: Client,
    /// By the text as the queries write it.
    statements: HashMap<Box<str>, Statement>,
    /// Whether the transaction under way only reads: then there is nothing to lock, and PostgreSQL
    /// refuses to.
    reading: bool,
}

/// Whether a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// By TLS, to a server that is who it says it is.
    Tls,
    /// By nothing: a socket, this machine, or a network that is trusted expressly.
    Plain,
}

/// Reads an address; the fault does not repeat it, because it holds a password.
///
/// `sslmode` is read here: the driver knows no `verify-full`, and to it `require` means a server
/// that anybody may be. Here `require`, `verify-ca` and `verify-full` all mean TLS with a certificate that
/// was checked, and nothing else crosses a network unless the address says `disable`.
pub(super) fn configuration(url: &str) -> Result<(Config, Protection), StoreFault> {
    let (url, mode) = without_mode(url);
    let mut config: Config = url.parse().map_err(|error: Error| {
        StoreFault::Unavailable(format!("the address of the database is malformed: {error}"))
    })?;
    let protection = protection(mode, all_here(&config))?;
    config.ssl_mode(match protection {
        Protection::Tls => SslMode::Require,
        Protection::Plain => SslMode::Disable,
    });
    if config.get_application_name().is_none() {
        config.application_name("simurgh");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    Ok((config, protection))
}

/// The address without its `sslmode`, and that.
fn without_mode(url: &str) -> (String, Option<&str>) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut mode = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(_) | None => kept.push(pair),
        }
    }
    (format!("{base}?{}", kept.join("&")), mode)
}

fn protection(mode: Option<&str>, is_here: bool) -> Result<Protection, StoreFault> {
    match (mode, is_here) {
        (Some("require" | "verify-ca" | "verify-full"), _) | (None, false) => Ok(Protection::Tls),
        (Some("disable"), _) | (None | Some("prefer" | "allow"), true) => Ok(Protection::Plain),
        (Some("prefer" | "allow"), false) => Err(StoreFault::Unavailable(
            "the database is on another machine, and sslmode=prefer would do without TLS at its \
             word: say verify-full, or disable if the network between is trusted"
                .to_owned(),
        )),
        (Some(_), _) => Err(StoreFault::Unavailable(
            "sslmode is disable, require or verify-full".to_owned(),
        )),
    }
}

/// Whether every server of the address is on this machine.
fn all_here(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

impl Connection {
    pub(super) fn open(address: &Address) -> Result<Self, Failure> {
        let client = match &address.tls {
            Some(tls) => address.config.connect(tls.clone()),
            None => address.config.connect(NoTls),
        };
        let client = client.map_err(unreachable)?;
        let mut connection = Self {
            client,
            statements: HashMap::new(),
            reading: false,
        };
        connection.batch(&format!(
            "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = '60s'",
            address.lock_timeout.as_millis()
        ))?;
        Ok(connection)
    }

    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        let statement = self.prepared(sql, params.len())?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        let count = self.client.execute(&statement, &params);
        count.map_err(|error| self.failed(error))
    }

    pub(crate) fn query_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failure> {
        let statement = self.prepared(sql, params.len())?;
        let result = self.rows(&statement, sql, params, each);
        result.map_err(|failed| match failed {
            Failed::Query(error) => self.failed(error),
            Failed::Row(fault) => fault.into(),
        })
    }

    pub(crate) fn query_each_locked(
        &mut self,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failure> {
        if self.reading {
            return self.query_each(sql, params, each);
        }
        self.query_each(&format!("{sql} FOR UPDATE"), params, each)
    }

    /// Begins a transaction that may write.
    pub(super) fn begin_write(&mut self) -> Result<(), Failure> {
        self.reading = false;
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    }

    /// Begins a transaction that reads one snapshot.
    pub(super) fn begin_read(&mut self) -> Result<(), Failure> {
        self.reading = true;
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        let result = self.client.batch_execute(sql);
        result.map_err(|error| self.failed(error))
    }

    fn rows(
        &mut self,
        statement: &Statement,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failed> {
        let origin: Arc<str> = Arc::from(sql);
        let mut rows = self.client.query_raw(statement, params)?;
        while let Some(row) = rows.next()? {
            let values: Result<Vec<Value>, Error> =
                (0..row.len()).map(|column| row.try_get(column)).collect();
            each(Row::new(values?, &origin)).map_err(Failed::Row)?;
        }
        Ok(())
    }

    fn prepared(&mut self, sql: &str, params: usize) -> Result<Statement, Failure> {
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let prepared = self.client.prepare(&dialect::postgres_query(sql));
                let statement = prepared.map_err(|error| self.failed(error))?;
                if self.statements.len() >= STATEMENTS_MAX {
                    self.statements.clear();
                }
                self.statements.insert(sql.into(), statement.clone());
                statement
            }
        };
        let expected = statement.params().len();
        if expected == params {
            return Ok(statement);
        }
        let why = format!("{params} parameters where `{sql}` takes {expected}");
        Err(StoreFault::Corrupt(why).into())
    }

    /// Translates the error of a statement. The texts name constraints, never values: those are
    /// in the details, which are left out.
    fn failed(&mut self, error: Error) -> Failure {
        let Some(refusal) = error.as_db_error() else {
            return no_answer(&error);
        };
        let code = refusal.code();
        let text = format!("{}: {}", code.code(), refusal.message());
        if *code == SqlState::FEATURE_NOT_SUPPORTED || *code == SqlState::INVALID_SQL_STATEMENT_NAME
        {
            // A migration has changed a table below a prepared statement.
            self.statements.clear();
            return with_cause(Cause::Conflict, StoreFault::Conflict(text));
        }
        if *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::T_R_DEADLOCK_DETECTED
            || *code == SqlState::LOCK_NOT_AVAILABLE
        {
            return with_cause(Cause::Conflict, StoreFault::Conflict(text));
        }
        if *code == SqlState::UNIQUE_VIOLATION {
            return with_cause(Cause::UniqueKey, StoreFault::Conflict(text));
        }
        match class(code.code()) {
            // The connection failed; the server stops, or has timed the session out.
            Class::Gone => with_cause(Cause::Disconnected, StoreFault::Unavailable(text)),
            Class::Unable => StoreFault::Unavailable(text).into(),
            Class::Defect => StoreFault::Corrupt(text).into(),
        }
    }
}

/// Whose business an SQLSTATE is.
enum Class {
    Gone,
    Unable,
    Defect,
}

/// Source: PostgreSQL 15 documentation, appendix A.
fn class(code: &str) -> Class {
    match code {
        // Admin shutdown, crash shutdown, cannot connect now, database dropped, idle too long.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" => Class::Gone,
        // Cancelled; read-only, as on a standby.
        "57014" | "25006" => Class::Unable,
        code if code.starts_with("08") => Class::Gone,
        // Resources ran out; the system failed.
        code if code.starts_with("53") || code.starts_with("58") => Class::Unable,
        _ => Class::Defect,
    }
}

enum Failed {
    Query(Error),
    Row(StoreFault),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Query(error)
    }
}

const fn with_cause(cause: Cause, fault: StoreFault) -> Failure {
    Failure { cause, fault }
}

/// An error that is no answer of the server: the connection broke, or a value did not fit.
fn no_answer(error: &Error) -> Failure {
    let broken = error
        .source()
        .is_some_and(|source| source.is::<std::io::Error>());
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    if error.is_closed() || broken {
        with_cause(Cause::Disconnected, StoreFault::Unavailable(text))
    } else {
        StoreFault::Corrupt(text).into()
    }
}

/// An error before there was a connection.
fn unreachable(error: Error) -> Failure {
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    with_cause(Cause::Disconnected, StoreFault::Unavailable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_reached_without_tls_only_when_asked_for() {
        for (url, protection) in [
            ("postgres://u:p@localhost/d", Protection::Plain),
            ("postgres://u:p@127.0.0.1:5433,[::1]/d", Protection::Plain),
            (
                "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
                Protection::Plain,
            ),
            (
                "postgres://u:p@localhost/d?sslmode=require",
                Protection::Tls,
            ),
            ("postgres://u:p@db.example.net/d", Protection::Tls),
            ("postgres://u:p@localhost,192.0.2.1/d", Protection::Tls),
            (
                "postgres://u:p@db.example.net/d?sslmode=disable",
                Protection::Plain,
            ),
            (
                "postgres://u:p@db.example.net/d?connect_timeout=3&sslmode=verify-full",
                Protection::Tls,
            ),
        ] {
            let (_, chosen) = configuration(url).unwrap();
            assert_eq!(chosen, protection, "{url}");
        }
        for url in [
            "postgres://u:secret@db.example.net/d?sslmode=prefer",
            "postgres://u:secret@db.example.net/d?sslmode=secret",
            "postgres://u:secret@[/d",
        ] {
            let refused = configuration(url).err().unwrap().to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
