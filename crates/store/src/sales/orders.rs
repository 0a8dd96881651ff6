//! Orders with their lines and promotions.

use std::collections::BTreeSet;

use simurgh_app::ports::StoreFault;
use simurgh_commerce::{CloseReason, Order, OrderState, PromotionUse, QuoteLine};
use simurgh_vocab::{CustomerId, Money, OrderId, Timestamp};

use super::{LineRow, one_currency};
use crate::db::Row;
use crate::params;
use crate::rows::{children, exactly_one, insert_rows, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_orders {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, line_id, selection, periods, start_wish, catalogue_version,
             zone, total, currency, tax, tax_rate_basis_points, placed_at, expires_at, quoted_end,
             automatic, state, state_at, close_reason FROM sales_order ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, order: &Order) -> Result<(), StoreFault> {
    let amounts = order.lines.iter().map(|line| &line.amount);
    one_currency(order.total.currency, amounts.chain([&order.tax]))?;
    let (state, state_at, close_reason) = state_columns(&order.state);
    let sql = "INSERT INTO sales_order (id, number, customer_id, line_id, selection, periods,
               start_wish, catalogue_version, zone, total, currency, tax, tax_rate_basis_points,
               placed_at, expires_at, quoted_end, automatic, state, state_at, close_reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
               ?18, ?19, ?20)";
    let params = params![
        order.id,
        order.id.number(),
        order.customer,
        order.line,
        order.selection.to_string(),
        order.periods,
        order.start.to_string(),
        order.catalogue_version,
        order.zone.as_str(),
        order.total.minor,
        order.total.currency,
        order.tax.minor,
        order.tax_rate_basis_points,
        order.placed_at,
        order.expires_at,
        order.quoted_end,
        order.automatic,
        state,
        state_at,
        close_reason,
    ];
    tx.execute(sql, &params)?;
    insert_lines(tx, order)?;
    insert_promotions(tx, order)
}

fn insert_lines(tx: &mut StoreTx<'_>, order: &Order) -> Result<(), StoreFault> {
    let lines: Vec<_> = (0i64..)
        .zip(&order.lines)
        .map(|(position, line)| {
            let (zh, en) = (&line.label.zh_cn, &line.label.en);
            let kind = line.kind.code();
            let amount = line.amount.minor;
            params![order.id, position, kind, zh, en, line.quantity, amount]
        })
        .collect();
    let sql = "INSERT INTO order_line
               (order_id, position, kind, label_zh, label_en, quantity, amount) VALUES";
    insert_rows(tx, sql, &lines, "")
}

fn insert_promotions(tx: &mut StoreTx<'_>, order: &Order) -> Result<(), StoreFault> {
    let counts = counts_as_use(&order.state);
    let promotions: Vec<_> = (0i64..)
        .zip(&order.promotions)
        .map(|(position, code)| params![order.id, position, code, order.customer, counts])
        .collect();
    let sql = "INSERT INTO order_promotion (order_id, position, code, customer_id, counts) VALUES";
    insert_rows(tx, sql, &promotions, "")?;
    if counts {
        count_uses(tx, order.promotions.clone(), 1)?;
    }
    Ok(())
}

pub(super) fn update(tx: &mut StoreTx<'_>, order: &Order) -> Result<(), StoreFault> {
    tx.locks(Lock::Order, order.id.as_bytes())?;
    let (state, state_at, close_reason) = state_columns(&order.state);
    let touched = tx.execute(
        "UPDATE sales_order SET line_id = ?2, state = ?3, state_at = ?4, close_reason = ?5
         WHERE id = ?1",
        &params![order.id, order.line, state, state_at, close_reason],
    )?;
    exactly_one(touched, "order")?;
    if counts_as_use(&order.state) || order.promotions.is_empty() {
        return Ok(());
    }
    let released = tx.query(
        "UPDATE order_promotion SET counts = 0 WHERE order_id = ?1 AND counts = 1 RETURNING code",
        &params![order.id],
    )?;
    count_uses(tx, read_all(released, Row::text)?, -1)
}

/// Changes the tallies of promotions, always in the order of their codes: the rows stay locked.
fn count_uses(tx: &mut StoreTx<'_>, mut codes: Vec<String>, by: i64) -> Result<(), StoreFault> {
    codes.sort_unstable();
    if !codes.is_empty() {
        tx.locks(Lock::PromotionTally, &[])?;
    }
    for code in codes {
        let sql = "INSERT INTO promotion_tally (code, uses) VALUES (?1, ?2)
                   ON CONFLICT (code) DO UPDATE SET uses = promotion_tally.uses + excluded.uses";
        tx.execute(sql, &params![code, by])?;
    }
    Ok(())
}

/// Locks the tallies of promotions, in the order of their codes.
pub(super) fn hold_promotions(tx: &mut StoreTx<'_>, codes: &[String]) -> Result<(), StoreFault> {
    tx.locks(Lock::PromotionTally, &[])?;
    for code in codes.iter().collect::<BTreeSet<_>>() {
        // A row must exist to be locked.
        let sql = "INSERT INTO promotion_tally (code, uses) VALUES (?1, 0)
                   ON CONFLICT (code) DO NOTHING";
        tx.execute(sql, &params![code])?;
        let sql = "SELECT uses FROM promotion_tally WHERE code = ?1";
        tx.query_locked(sql, &params![code])?;
    }
    Ok(())
}

/// Whether an order in this state uses its promotions up.
const fn counts_as_use(state: &OrderState) -> bool {
    match state {
        OrderState::AwaitingPayment | OrderState::Fulfilled { .. } => true,
        OrderState::Closed { .. } | OrderState::Refunded { .. } => false,
    }
}

pub(super) fn read_one_of(tx: &mut StoreTx<'_>, id: OrderId) -> Result<Option<Order>, StoreFault> {
    let row = tx.query_one_or_none(select_orders!("WHERE id = ?1"), &params![id])?;
    let order = read_one(row, read)?;
    Ok(complete(tx, order.into_iter().collect())?.pop())
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: OrderId) -> Result<Option<Order>, StoreFault> {
    tx.locks(Lock::Order, id.as_bytes())?;
    let row = tx.query_one_or_none_locked(select_orders!("WHERE id = ?1"), &params![id])?;
    let order = read_one(row, read)?;
    Ok(complete(tx, order.into_iter().collect())?.pop())
}

pub(super) fn of_customer(
    tx: &mut StoreTx<'_>,
    customer: CustomerId,
    limit: u32,
) -> Result<Vec<Order>, StoreFault> {
    let sql = select_orders!("WHERE customer_id = ?1 ORDER BY placed_at DESC, id DESC LIMIT ?2");
    let orders = read_all(tx.query(sql, &params![customer, limit])?, read)?;
    complete(tx, orders)
}

pub(super) fn recent(tx: &mut StoreTx<'_>, limit: u32) -> Result<Vec<Order>, StoreFault> {
    let sql = select_orders!("ORDER BY placed_at DESC, id DESC LIMIT ?1");
    let orders = read_all(tx.query(sql, &params![limit])?, read)?;
    complete(tx, orders)
}

/// Adds the lines and the promotions to orders that were read without.
fn complete(tx: &mut StoreTx<'_>, mut orders: Vec<Order>) -> Result<Vec<Order>, StoreFault> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let select = "SELECT order_id, kind, label_zh, label_en, quantity, amount FROM order_line
                  WHERE order_id IN";
    let in_order = "order_id, position";
    let mut lines = children(tx, (select, in_order), &ids, LineRow::read)?;
    let select = "SELECT order_id, code FROM order_promotion WHERE order_id IN";
    let mut promotions = children(tx, (select, in_order), &ids, Row::text)?;
    for order in &mut orders {
        let currency = order.total.currency;
        let rows = lines.remove(&order.id).unwrap_or_default();
        order.lines = rows
            .into_iter()
            .map(|row| QuoteLine {
                kind: row.kind,
                label: row.label,
                quantity: row.quantity,
                amount: Money::new(row.amount, currency),
            })
            .collect();
        order.promotions = promotions.remove(&order.id).unwrap_or_default();
    }
    Ok(orders)
}

fn read(row: &mut Row) -> Result<Order, StoreFault> {
    let (id, customer, line) = (row.id()?, row.id()?, row.opt_id()?);
    let (selection, periods, start) = (row.parsed()?, row.number()?, row.parsed()?);
    let (catalogue_version, zone) = (row.number()?, row.parsed()?);
    let total = row.money()?;
    Ok(Order {
        id,
        customer,
        line,
        selection,
        periods,
        start,
        catalogue_version,
        zone,
        lines: Vec::new(),
        promotions: Vec::new(),
        total,
        tax: Money::new(row.int()?, total.currency),
        tax_rate_basis_points: row.number()?,
        placed_at: row.timestamp()?,
        expires_at: row.timestamp()?,
        quoted_end: row.opt_timestamp()?,
        automatic: row.boolean()?,
        state: read_state(row)?,
    })
}

type StateColumns = (&'static str, Option<Timestamp>, Option<&'static str>);

const fn state_columns(state: &OrderState) -> StateColumns {
    match state {
        OrderState::AwaitingPayment => ("awaiting-payment", None, None),
        OrderState::Fulfilled { at } => ("fulfilled", Some(*at), None),
        OrderState::Closed { at, reason } => ("closed", Some(*at), Some(reason.code())),
        OrderState::Refunded { at } => ("refunded", Some(*at), None),
    }
}

fn read_state(row: &mut Row) -> Result<OrderState, StoreFault> {
    let (state, at, reason) = (row.text()?, row.opt_timestamp()?, row.opt_text()?);
    let reason = reason.as_deref().map(CloseReason::from_code);
    match (state.as_str(), at, reason) {
        ("awaiting-payment", None, None) => Ok(OrderState::AwaitingPayment),
        ("fulfilled", Some(at), None) => Ok(OrderState::Fulfilled { at }),
        ("closed", Some(at), Some(Some(reason))) => Ok(OrderState::Closed { at, reason }),
        ("refunded", Some(at), None) => Ok(OrderState::Refunded { at }),
        _ => Err(row.behind("no state of an order")),
    }
}

pub(super) fn promotion_uses(
    tx: &mut StoreTx<'_>,
    customer: Option<CustomerId>,
    codes: &[String],
) -> Result<Vec<PromotionUse>, StoreFault> {
    let sql = "SELECT (SELECT COUNT(*) FROM order_promotion
                       WHERE customer_id = ?1 AND code = ?2 AND counts = 1),
                      COALESCE((SELECT uses FROM promotion_tally WHERE code = ?2), 0)";
    let of = |code: &String| {
        let mut row = tx.query_one(sql, &params![customer, code])?;
        Ok(PromotionUse {
            code: code.clone(),
            by_customer: row.number()?,
            total: row.number()?,
        })
    };
    codes.iter().map(of).collect()
}

pub(super) fn has_paid(tx: &mut StoreTx<'_>, customer: CustomerId) -> Result<bool, StoreFault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sales_order
               WHERE customer_id = ?1 AND state IN ('fulfilled', 'refunded'))";
    tx.query_one(sql, &params![customer])?.boolean()
}
