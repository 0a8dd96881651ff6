//! Values as they travel to and from the database, and rows as they are read.

use std::str::FromStr;
use std::sync::Arc;

use simurgh_app::ports::StoreFault;
use simurgh_vocab::{
    BucketId, CaseId, ChallengeId, CountryCode, Currency, CustomerId, EmailAddress, EntryId,
    InvoiceId, JobId, LineId, Locale, MandateId, MessageId, Messages, Money, Msisdn, Octets,
    OrderId, PaymentId, ProfileId, ProgressId, RecordId, RefundId, Seconds, SessionId, StaffId,
    SubscriptionId, TicketId, TimeZoneName, Timestamp, Unit,
};

/// One value of a column or a parameter. There are no floating point numbers.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`.
    Text(String),
    /// `BLOB`.
    Blob(Vec<u8>),
}

impl Value {
    /// What kind of value this is, without the value: it may be personal data.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "TEXT",
            Self::Blob(_) => "BLOB",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// The parameters of a statement: `params![order, now, "open"]` is an array of [`Value`]s, to be
/// passed by reference.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::db::Value::from($value)),*] };
}

/// Declares how a type becomes a value.
macro_rules! values {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        }
    )*};
}

values! {
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(i64::from(value)),
    u32 => |value| Self::Int(i64::from(value)),
    u16 => |value| Self::Int(i64::from(value)),
    u8 => |value| Self::Int(i64::from(value)),
    bool => |value| Self::Int(i64::from(value)),
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    &String => |value| Self::Text(value.clone()),
    &[u8] => |value| Self::Blob(value.to_vec()),
    Vec<u8> => |value| Self::Blob(value),
    &Vec<u8> => |value| Self::Blob(value.clone()),
    Timestamp => |value| Self::Int(value.as_micros()),
    Octets => |value| Self::Int(value.count()),
    Seconds => |value| Self::Int(value.count()),
    Messages => |value| Self::Int(value.count()),
    Unit => |value| Self::Text(value.code().to_owned()),
    Currency => |value| Self::Text(value.code().to_owned()),
    Locale => |value| Self::Text(value.tag().to_owned()),
    CountryCode => |value| Self::Text(value.as_str().to_owned()),
    &CountryCode => |value| Self::Text(value.as_str().to_owned()),
    &Msisdn => |value| Self::Text(value.as_str().to_owned()),
    &EmailAddress => |value| Self::Text(value.as_str().to_owned()),
    &TimeZoneName => |value| Self::Text(value.as_str().to_owned()),
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An identifier that is stored as its sixteen bytes.
pub trait StoredId: Sized {
    /// Takes an id from its sixteen bytes.
    fn from_stored(bytes: [u8; 16]) -> Self;
}

macro_rules! stored_ids {
    ($($id:ident),* $(,)?) => {$(
        impl StoredId for $id {
            fn from_stored(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        }

        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Blob(id.as_bytes().to_vec())
            }
        }

        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Self::Blob(id.as_bytes().to_vec())
            }
        }
    )*};
}

stored_ids! {
    BucketId, CaseId, ChallengeId, CustomerId, EntryId, InvoiceId, JobId, LineId, MandateId,
    MessageId, OrderId, PaymentId, ProfileId, ProgressId, RecordId, RefundId, SessionId, StaffId, SubscriptionId, TicketId,
}

/// One row of an answer. Every accessor reads the next column, so that reading follows the order
/// of the select list; [`at`](Self::at) moves to a column by its number.
///
/// Every accessor answers [`StoreFault::Corrupt`], with the statement and the column, when the
/// column is missing or holds something else.
pub struct Row {
    values: Vec<Value>,
    next: usize,
    sql: Arc<str>,
}

/// How much of a statement an error message quotes.
const QUOTED_SQL_CHARS_MAX: usize = 160;

impl Row {
    pub(super) fn new(values: Vec<Value>, sql: &Arc<str>) -> Self {
        Self {
            values,
            next: 0,
            sql: Arc::clone(sql),
        }
    }

    /// Moves to a column, counted from zero: `row.at(3).int()?`.
    pub fn at(&mut self, column: usize) -> &mut Self {
        self.next = column;
        self
    }

    /// The next column as it is.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`] when there is no further column.
    pub fn value(&mut self) -> Result<Value, StoreFault> {
        self.advance()?;
        Ok(self.current().clone())
    }

    /// A `BIGINT`.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn int(&mut self) -> Result<i64, StoreFault> {
        self.opt_int().and_then(|value| self.present(value))
    }

    /// A `BIGINT` or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_int(&mut self) -> Result<Option<i64>, StoreFault> {
        self.advance()?;
        match self.current() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            other @ (Value::Text(_) | Value::Blob(_)) => Err(self.unexpected("BIGINT", other)),
        }
    }

    /// A `BIGINT` that must fit a smaller type, such as `u32`.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T, StoreFault> {
        let number = self.int()?;
        T::try_from(number).map_err(|_| self.behind("a number out of range"))
    }

    /// A truth value, stored as 0 or 1.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn boolean(&mut self) -> Result<bool, StoreFault> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.behind("neither 0 nor 1")),
        }
    }

    /// A `TEXT`.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn text(&mut self) -> Result<String, StoreFault> {
        self.opt_text().and_then(|value| self.present(value))
    }

    /// A `TEXT` or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_text(&mut self) -> Result<Option<String>, StoreFault> {
        Ok(self.opt_str()?.map(str::to_owned))
    }

    /// A `TEXT` read as one of the shared words: `row.parsed::<Msisdn>()`.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn parsed<T: FromStr>(&mut self) -> Result<T, StoreFault> {
        self.opt_parsed().and_then(|value| self.present(value))
    }

    /// As [`parsed`](Self::parsed), or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_parsed<T: FromStr>(&mut self) -> Result<Option<T>, StoreFault> {
        let Some(text) = self.opt_str()? else {
            return Ok(None);
        };
        let parsed = text.parse().ok();
        let parsed = parsed.ok_or_else(|| self.behind("a text that does not parse"))?;
        Ok(Some(parsed))
    }

    /// A `TEXT` that stands for one case of an enum; `decode` knows the cases.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn code<T>(&mut self, decode: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreFault> {
        let Some(text) = self.opt_str()? else {
            return Err(self.behind("NULL"));
        };
        let decoded = decode(text);
        decoded.ok_or_else(|| self.behind("an unknown code"))
    }

    /// A `BLOB`.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn blob(&mut self) -> Result<Vec<u8>, StoreFault> {
        self.opt_blob().and_then(|value| self.present(value))
    }

    /// A `BLOB` or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_blob(&mut self) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.opt_slice()?.map(<[u8]>::to_vec))
    }

    /// A `BLOB` of exactly `N` bytes, such as a hash.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreFault> {
        self.opt_bytes().and_then(|value| self.present(value))
    }

    /// An identifier.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn id<T: StoredId>(&mut self) -> Result<T, StoreFault> {
        self.bytes().map(T::from_stored)
    }

    /// An identifier or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_id<T: StoredId>(&mut self) -> Result<Option<T>, StoreFault> {
        Ok(self.opt_bytes()?.map(T::from_stored))
    }

    /// A point in time, stored in microseconds.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn timestamp(&mut self) -> Result<Timestamp, StoreFault> {
        self.int().map(Timestamp::from_micros)
    }

    /// A point in time or NULL.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn opt_timestamp(&mut self) -> Result<Option<Timestamp>, StoreFault> {
        Ok(self.opt_int()?.map(Timestamp::from_micros))
    }

    /// An amount of money from two columns: minor units, then the currency.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], as for every accessor.
    pub fn money(&mut self) -> Result<Money, StoreFault> {
        let minor = self.int()?;
        Ok(Money::new(minor, self.parsed()?))
    }

    /// A defect in what the column before the cursor holds, for checks that the accessors here do
    /// not know.
    #[must_use]
    pub fn behind(&self, what: &str) -> StoreFault {
        self.fault(self.next.saturating_sub(1), what)
    }

    fn advance(&mut self) -> Result<(), StoreFault> {
        if self.next >= self.values.len() {
            return Err(self.unreadable("no such column"));
        }
        self.next += 1;
        Ok(())
    }

    /// The column before the cursor.
    fn current(&self) -> &Value {
        let index = self.next.checked_sub(1);
        let value = index.and_then(|index| self.values.get(index));
        value.unwrap_or(&Value::Null)
    }

    fn opt_str(&mut self) -> Result<Option<&str>, StoreFault> {
        self.advance()?;
        match self.current() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other @ (Value::Int(_) | Value::Blob(_)) => Err(self.unexpected("TEXT", other)),
        }
    }

    fn opt_slice(&mut self) -> Result<Option<&[u8]>, StoreFault> {
        self.advance()?;
        match self.current() {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            other @ (Value::Int(_) | Value::Text(_)) => Err(self.unexpected("BLOB", other)),
        }
    }

    fn opt_bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreFault> {
        let Some(bytes) = self.opt_slice()? else {
            return Ok(None);
        };
        let bytes = <[u8; N]>::try_from(bytes).ok();
        let bytes = bytes.ok_or_else(|| self.behind("a BLOB of another length"))?;
        Ok(Some(bytes))
    }

    fn present<T>(&self, value: Option<T>) -> Result<T, StoreFault> {
        value.ok_or_else(|| self.behind("NULL"))
    }

    fn unexpected(&self, expected: &str, found: &Value) -> StoreFault {
        self.behind(&format!("{} where {expected} is expected", found.kind()))
    }

    fn unreadable(&self, what: &str) -> StoreFault {
        self.fault(self.next, what)
    }

    fn fault(&self, column: usize, what: &str) -> StoreFault {
        let sql: String = self.sql.chars().take(QUOTED_SQL_CHARS_MAX).collect();
        StoreFault::Corrupt(format!("column {column} of `{sql}`: {what}"))
    }
}
