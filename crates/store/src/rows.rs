//! Shapes that the queries of several aggregates share.

use std::collections::HashMap;
use std::hash::Hash;

use simurgh_app::ports::StoreFault;

use crate::db::{Row, StoredId, Value};
use crate::tx::{StoreTx, in_list, push_list};

/// How many rows one `INSERT` carries at most: the count of parameters has a limit on both
/// engines, and each length is a statement to prepare.
const INSERTED_ROWS_MAX: usize = 100;

/// How many ids one `IN` names. Shorter lists are filled up, so that there are few statements.
const LISTED_IDS_MAX: usize = 64;

/// Runs `insert`, which ends with `VALUES`, for all `rows` in as few statements as possible.
/// `tail` follows the rows: an `ON CONFLICT`, or nothing.
pub(crate) fn insert_rows<const N: usize>(
    tx: &mut StoreTx<'_>,
    insert: &str,
    rows: &[[Value; N]],
    tail: &str,
) -> Result<(), StoreFault> {
    for chunk in rows.chunks(INSERTED_ROWS_MAX) {
        let mut sql = String::with_capacity(insert.len() + tail.len() + chunk.len() * N * 6);
        sql.push_str(insert);
        for row in 0..chunk.len() {
            sql.push_str(if row == 0 { " " } else { ", " });
            push_list(&mut sql, row * N + 1, N);
        }
        sql.push(' ');
        sql.push_str(tail);
        tx.execute(&sql, chunk.as_flattened())?;
    }
    Ok(())
}

/// Runs `sql` with a list of `ids` behind it and adds up how many rows it touched.
pub(crate) fn execute_for_ids<I>(
    tx: &mut StoreTx<'_>,
    sql: &str,
    ids: &[I],
) -> Result<u64, StoreFault>
where
    I: Copy,
    Value: From<I>,
{
    let mut touched = 0;
    for chunk in ids.chunks(LISTED_IDS_MAX) {
        let (list, params) = listed(chunk);
        touched += tx.execute(&format!("{sql} {list}"), &params)?;
    }
    Ok(touched)
}

/// Reads the rows that belong to each of `parents`. `select` ends with `IN`; its first column is
/// the parent, which `read` does not see. `order` puts the rows of one parent in order.
pub(crate) fn children<P, T>(
    tx: &mut StoreTx<'_>,
    (select, order): (&str, &str),
    parents: &[P],
    read: impl Fn(&mut Row) -> Result<T, StoreFault>,
) -> Result<HashMap<P, Vec<T>>, StoreFault>
where
    P: StoredId + Copy + Eq + Hash,
    Value: From<P>,
{
    let mut found: HashMap<P, Vec<T>> = HashMap::new();
    for chunk in parents.chunks(LISTED_IDS_MAX) {
        let (list, params) = listed(chunk);
        for mut row in tx.query(&format!("{select} {list} ORDER BY {order}"), &params)? {
            let parent = row.id()?;
            found.entry(parent).or_default().push(read(&mut row)?);
        }
    }
    Ok(found)
}

/// The list behind `IN` and its parameters: one, or as many as a list can hold. NULL fills it up
/// and matches nothing.
fn listed<I>(ids: &[I]) -> (String, Vec<Value>)
where
    I: Copy,
    Value: From<I>,
{
    let length = if ids.len() == 1 { 1 } else { LISTED_IDS_MAX };
    let filled = ids.iter().map(|id| Value::from(*id));
    let params = filled
        .chain(std::iter::repeat(Value::Null))
        .take(length)
        .collect();
    (in_list(1, length), params)
}

/// What an update of one row must have touched.
pub(crate) fn exactly_one(touched: u64, what: &str) -> Result<(), StoreFault> {
    match touched {
        1 => Ok(()),
        _ => Err(StoreFault::Corrupt(format!("{what}: no such row"))),
    }
}

/// Reads every row of an answer.
pub(crate) fn read_all<T>(
    rows: Vec<Row>,
    read: impl Fn(&mut Row) -> Result<T, StoreFault>,
) -> Result<Vec<T>, StoreFault> {
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Reads the row of an answer that has one or none.
pub(crate) fn read_one<T>(
    row: Option<Row>,
    read: impl FnOnce(&mut Row) -> Result<T, StoreFault>,
) -> Result<Option<T>, StoreFault> {
    row.map(|mut row| read(&mut row)).transpose()
}
