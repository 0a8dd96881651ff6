//! Facts about sales and lines that the books must agree with.

/// What a rule is called and how the rows that break it are counted.
pub(crate) type Rule = (&'static str, &'static str);

/// A captured payment whose money stays here. `o` is its order.
macro_rules! kept_payments {
    () => {
        "(SELECT COUNT(*) FROM payment p WHERE p.order_id = o.id AND p.state = 'captured'
           AND NOT EXISTS (SELECT 1 FROM refund r
                           WHERE r.order_id = o.id AND r.payment_id = p.id))"
    };
}

/// Whether an entry of this kind stands for the row `$row`.
macro_rules! posted {
    ($kind:literal, $row:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM ledger_entry e WHERE e.source_kind = '",
            $kind,
            "' AND e.source_id = ",
            $row,
            ".number)"
        )
    };
}

/// Counts the entries of a kind whose source `$numbers` does not name. Sets, because SQLite would
/// join by reading one side anew for each row of the other.
macro_rules! unmatched_entries {
    ($kind:literal, $numbers:literal) => {
        concat!(
            "SELECT COUNT(*) FROM (SELECT source_id FROM ledger_entry WHERE source_kind = '",
            $kind,
            "' EXCEPT ",
            $numbers,
            ") e"
        )
    };
}

/// Counts the orders `o` of which `$broken` is true.
macro_rules! orders {
    ($broken:expr) => {
        concat!("SELECT COUNT(*) FROM sales_order o WHERE ", $broken)
    };
}

/// Every rule. The names are part of the audit's output.
pub(super) const RULES: &[Rule] = &[
    (
        "paid orders without a subscription",
        orders!(
            "o.state IN ('fulfilled', 'refunded')
             AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.order_id = o.id)"
        ),
    ),
    (
        "subscriptions without a paid order",
        "SELECT COUNT(*) FROM subscription s WHERE NOT EXISTS (
             SELECT 1 FROM sales_order o WHERE o.id = s.order_id
             AND o.state IN ('fulfilled', 'refunded'))",
    ),
    (
        "fulfilled orders without a payment",
        orders!(concat!(
            "o.state = 'fulfilled' AND ",
            kept_payments!(),
            " = 0"
        )),
    ),
    (
        "fulfilled orders with two payments",
        orders!(concat!(
            "o.state = 'fulfilled' AND ",
            kept_payments!(),
            " > 1"
        )),
    ),
    (
        "payments kept without a fulfilled order",
        orders!(concat!(
            "o.state <> 'fulfilled' AND ",
            kept_payments!(),
            " > 0"
        )),
    ),
    (
        "payments without an order",
        "SELECT COUNT(*) FROM payment p
         WHERE NOT EXISTS (SELECT 1 FROM sales_order o WHERE o.id = p.order_id)",
    ),
    (
        "refunded orders without a refund",
        orders!(
            "o.state = 'refunded' AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.order_id = o.id)"
        ),
    ),
    (
        "refunds that differ from their payment",
        "SELECT COUNT(*) FROM refund r WHERE NOT EXISTS (
             SELECT 1 FROM payment p WHERE p.id = r.payment_id AND p.order_id = r.order_id
             AND p.state = 'captured' AND p.amount >= r.amount AND p.currency = r.currency)",
    ),
    (
        "paid orders without exactly one invoice",
        orders!(
            "o.state IN ('fulfilled', 'refunded') AND (SELECT COUNT(*) FROM document d
             WHERE d.order_id = o.id AND d.kind = 'invoice' AND d.total = o.total
             AND d.currency = o.currency) <> 1"
        ),
    ),
    (
        "refunded orders without exactly one credit note",
        orders!(
            "o.state = 'refunded' AND (SELECT COUNT(*) FROM document d
             WHERE d.order_id = o.id AND d.kind = 'credit-note' AND d.total = -o.total
             AND d.currency = o.currency) <> 1"
        ),
    ),
    (
        "documents without a paid order",
        "SELECT COUNT(*) FROM document d WHERE NOT EXISTS (
             SELECT 1 FROM sales_order o WHERE o.id = d.order_id
             AND (o.state = 'refunded' OR (o.state = 'fulfilled' AND d.kind = 'invoice')))",
    ),
    (
        "document series with gaps",
        "SELECT COUNT(*) FROM (
             SELECT series, year, credit, MAX(sequence) AS highest, COUNT(*) AS documents
             FROM document GROUP BY series, year, credit) d
         WHERE d.highest <> d.documents OR NOT EXISTS (
             SELECT 1 FROM document_counter c WHERE c.series = d.series AND c.year = d.year
             AND c.credit = d.credit AND c.last = d.documents)",
    ),
    (
        "document counters without documents",
        "SELECT COUNT(*) FROM document_counter c WHERE NOT EXISTS (
             SELECT 1 FROM document d WHERE d.series = c.series AND d.year = c.year
             AND d.credit = c.credit AND d.sequence = c.last)",
    ),
    (
        "documents whose lines differ from the total",
        "SELECT COUNT(*) FROM document d WHERE d.total <> COALESCE(
             (SELECT SUM(l.amount) FROM document_line l WHERE l.document_id = d.id), 0)",
    ),
    (
        "captured payments without an entry",
        concat!(
            "SELECT COUNT(*) FROM payment p WHERE p.state = 'captured' AND NOT ",
            posted!("capture", "p")
        ),
    ),
    (
        "capture entries without a captured payment",
        unmatched_entries!(
            "capture",
            "SELECT number FROM payment WHERE state = 'captured'"
        ),
    ),
    (
        "paid orders without a grant entry",
        orders!(concat!(
            "o.state IN ('fulfilled', 'refunded') AND NOT ",
            posted!("grant", "o")
        )),
    ),
    (
        "grant entries without a paid order",
        unmatched_entries!(
            "grant",
            "SELECT number FROM sales_order WHERE state IN ('fulfilled', 'refunded')"
        ),
    ),
    (
        "refunded orders without a revoke entry",
        orders!(concat!(
            "o.state = 'refunded' AND NOT ",
            posted!("revoke", "o")
        )),
    ),
    (
        "refunded orders without a refund entry",
        orders!(concat!(
            "o.state = 'refunded' AND NOT ",
            posted!("refund", "o")
        )),
    ),
    (
        "refunds sent without an entry",
        concat!(
            "SELECT COUNT(*) FROM refund r WHERE r.state = 'succeeded' AND NOT ",
            posted!("refund-sent", "r")
        ),
    ),
    (
        "refund entries without a refund sent",
        unmatched_entries!(
            "refund-sent",
            "SELECT number FROM refund WHERE state = 'succeeded'"
        ),
    ),
    (
        "currencies whose money at providers differs from payments and refunds",
        "SELECT COUNT(*) FROM (
             SELECT unit FROM (
                 SELECT unit, amount FROM ledger_posting WHERE account = 'clearing'
                 UNION ALL
                 SELECT currency, -amount FROM payment WHERE state = 'captured'
                 UNION ALL
                 SELECT currency, amount FROM refund WHERE state = 'succeeded') m
             GROUP BY unit HAVING SUM(amount) <> 0) w",
    ),
    (
        "currencies whose tax differs from the documents",
        "SELECT COUNT(*) FROM (
             SELECT unit FROM (
                 SELECT unit, amount FROM ledger_posting WHERE account = 'tax_payable'
                 UNION ALL
                 SELECT currency, tax FROM document) m
             GROUP BY unit HAVING SUM(amount) <> 0) w",
    ),
    (
        "buckets whose grant differs from the ledger",
        "SELECT COUNT(*) FROM bucket b WHERE b.granted <> -b.amount_granted",
    ),
    (
        "closed buckets with something left",
        "SELECT COUNT(*) FROM bucket b WHERE b.closed = 1 AND b.amount_left <> 0",
    ),
    (
        "open buckets of revoked subscriptions",
        "SELECT COUNT(*) FROM bucket b JOIN subscription s
             ON s.line_id = b.line_id AND s.id = b.subscription_id
         WHERE b.closed = 0 AND s.state = 'revoked'",
    ),
    (
        "promotions whose uses are miscounted",
        "SELECT COUNT(*) FROM (
             SELECT code FROM (
                 SELECT code, uses FROM promotion_tally
                 UNION ALL
                 SELECT code, -counts FROM order_promotion) u
             GROUP BY code HAVING SUM(uses) <> 0) w",
    ),
    (
        "promotions counted for the wrong orders",
        "SELECT COUNT(*) FROM order_promotion u JOIN sales_order o ON o.id = u.order_id
         WHERE u.counts <> CASE WHEN o.state IN ('awaiting-payment', 'fulfilled')
                           THEN 1 ELSE 0 END",
    ),
];
