//! Stored payment methods.

use simurgh_app::ports::{Mandate, StoreFault};
use simurgh_commerce::MethodKind;
use simurgh_vocab::{CustomerId, MandateId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

macro_rules! select_mandates {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, provider, method, sealed_token, display, created_at, ended_at
             FROM mandate ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, mandate: &Mandate) -> Result<(), StoreFault> {
    let sql = "INSERT INTO mandate (id, customer_id, provider, method, sealed_token, display,
               created_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = params![
        mandate.id,
        mandate.customer,
        &mandate.provider,
        mandate.method.code(),
        &mandate.sealed_token,
        &mandate.display,
        mandate.created_at,
        mandate.ended_at,
    ];
    tx.execute(sql, &params).map(drop)
}

/// Ends a method; one that has ended keeps its end.
pub(super) fn end(tx: &mut StoreTx<'_>, id: MandateId, at: Timestamp) -> Result<(), StoreFault> {
    let sql = "UPDATE mandate SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
    tx.execute(sql, &params![id, at]).map(drop)
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: MandateId) -> Result<Option<Mandate>, StoreFault> {
    let sql = select_mandates!("WHERE id = ?1");
    read_one(tx.query_one_or_none(sql, &params![id])?, read)
}

pub(super) fn of_customer(
    tx: &mut StoreTx<'_>,
    customer: CustomerId,
) -> Result<Vec<Mandate>, StoreFault> {
    let sql = select_mandates!(
        "WHERE customer_id = ?1 AND ended_at IS NULL ORDER BY created_at DESC, id DESC"
    );
    read_all(tx.query(sql, &params![customer])?, read)
}

fn read(row: &mut Row) -> Result<Mandate, StoreFault> {
    Ok(Mandate {
        id: row.id()?,
        customer: row.id()?,
        provider: row.text()?,
        method: row.code(MethodKind::from_code)?,
        sealed_token: row.blob()?,
        display: row.text()?,
        created_at: row.timestamp()?,
        ended_at: row.opt_timestamp()?,
    })
}
