-- Orders, payment attempts, refunds, stored methods, invoices. Ids are pseudonymous: no personal
-- data but how a payer recognises a stored method.
-- `number` is the id as the outside sees it: the ledger's sources hold that text.

CREATE TABLE sales_order (
    id BLOB PRIMARY KEY,
    number TEXT NOT NULL,
    customer_id BLOB NOT NULL,
    line_id BLOB,
    -- The form of commerce::Selection.
    selection TEXT NOT NULL,
    periods BIGINT NOT NULL,
    -- The form of commerce::Start.
    start_wish TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    zone TEXT NOT NULL,
    -- Minor units; every amount of the order is in this currency.
    total BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tax BIGINT NOT NULL,
    tax_rate_basis_points BIGINT NOT NULL,
    placed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    quoted_end BIGINT,
    automatic BIGINT NOT NULL,
    -- 'awaiting-payment'; 'fulfilled', 'refunded' with state_at; 'closed' with both.
    state TEXT NOT NULL,
    state_at BIGINT,
    close_reason TEXT
);

CREATE INDEX sales_order_by_customer ON sales_order (customer_id, placed_at);
CREATE INDEX sales_order_by_time ON sales_order (placed_at);

CREATE TABLE order_line (
    order_id BLOB NOT NULL REFERENCES sales_order (id),
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    label_zh TEXT NOT NULL,
    label_en TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (order_id, position)
) CLUSTERED;

CREATE TABLE order_promotion (
    order_id BLOB NOT NULL REFERENCES sales_order (id),
    position BIGINT NOT NULL,
    code TEXT NOT NULL,
    customer_id BLOB NOT NULL,
    -- 1 while the order awaits payment or is paid, then 0.
    counts BIGINT NOT NULL,
    PRIMARY KEY (order_id, position)
) CLUSTERED;

CREATE INDEX order_promotion_by_customer ON order_promotion (customer_id, code);

-- The sum of `counts` per promotion, kept so that a limit is one row to read.
CREATE TABLE promotion_tally (
    code TEXT PRIMARY KEY,
    uses BIGINT NOT NULL
) CLUSTERED;

CREATE TABLE payment (
    id BLOB PRIMARY KEY,
    number TEXT NOT NULL,
    order_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    mandate_id BLOB,
    store_method BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    queries BIGINT NOT NULL,
    -- 'created', 'processing', 'unknown'; 'action-required' with redirect_url; 'captured',
    -- 'closed' with state_at; 'failed' with state_at and failure.
    state TEXT NOT NULL,
    redirect_url TEXT,
    state_at BIGINT,
    failure TEXT
);

CREATE INDEX payment_by_order ON payment (order_id);

-- Notifications, each remembered once.
CREATE TABLE payment_event (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    payment_id BLOB NOT NULL,
    effect TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (provider, event_id)
) CLUSTERED;

CREATE INDEX payment_event_by_payment ON payment_event (payment_id, seen_at);

CREATE TABLE refund (
    id BLOB PRIMARY KEY,
    number TEXT NOT NULL,
    order_id BLOB NOT NULL,
    payment_id BLOB NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 'requested'; 'succeeded', 'needs-staff' with state_at.
    state TEXT NOT NULL,
    state_at BIGINT
);

CREATE INDEX refund_by_order ON refund (order_id);

CREATE TABLE mandate (
    id BLOB PRIMARY KEY,
    customer_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    -- Sealed by the keyring.
    sealed_token BLOB NOT NULL,
    display TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX mandate_by_customer ON mandate (customer_id);

-- Invoices and credit notes.
CREATE TABLE document (
    id BLOB PRIMARY KEY,
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    -- 'invoice'; 'credit-note' with invoice_id.
    kind TEXT NOT NULL,
    invoice_id BLOB,
    customer_id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    issued_at BIGINT NOT NULL,
    total BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tax BIGINT NOT NULL,
    tax_rate_basis_points BIGINT NOT NULL,
    UNIQUE (series, year, credit, sequence)
);

CREATE INDEX document_by_customer ON document (customer_id, issued_at);
CREATE INDEX document_by_order ON document (order_id);

CREATE TABLE document_line (
    document_id BLOB NOT NULL REFERENCES document (id),
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    label_zh TEXT NOT NULL,
    label_en TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (document_id, position)
) CLUSTERED;

-- The number that was given out last.
CREATE TABLE document_counter (
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (series, year, credit)
) CLUSTERED;

APPEND ONLY order_line;
APPEND ONLY payment_event;
APPEND ONLY document;
APPEND ONLY document_line;
