-- Staff, what they did, and the customers' tickets.

CREATE TABLE staff (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password_digest TEXT NOT NULL,
    -- Sealed by the keyring.
    totp_secret BLOB NOT NULL,
    totp_since BIGINT NOT NULL,
    totp_last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT
);

CREATE TABLE staff_session (
    token_digest BLOB PRIMARY KEY,
    staff_id BLOB NOT NULL REFERENCES staff (id),
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX staff_session_by_staff ON staff_session (staff_id);

-- Each digest is the SHA-256 over the one before and the row. No personal data of customers.
CREATE TABLE staff_log (
    position BIGINT PRIMARY KEY,
    logged_at BIGINT NOT NULL,
    -- NULL for commands on the server and log-ins under unknown names.
    staff_id BLOB,
    action TEXT NOT NULL,
    -- What it is about: 'customer', 'order', ... and its number; both empty for nothing.
    subject_kind TEXT NOT NULL,
    subject_number TEXT NOT NULL,
    detail TEXT NOT NULL,
    digest BLOB NOT NULL
);

CREATE INDEX staff_log_by_subject ON staff_log (subject_number, position);
CREATE INDEX staff_log_by_staff ON staff_log (staff_id, position);

APPEND ONLY staff_log;

CREATE TABLE ticket (
    id BLOB PRIMARY KEY,
    customer_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    -- 'open', 'answered' or 'closed', since changed_at.
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    messages BIGINT NOT NULL
);

CREATE INDEX ticket_by_customer ON ticket (customer_id, changed_at);
CREATE INDEX ticket_by_state ON ticket (state, changed_at);

CREATE TABLE ticket_message (
    ticket_id BLOB NOT NULL REFERENCES ticket (id),
    position BIGINT NOT NULL,
    -- NULL when the customer wrote it.
    staff_id BLOB,
    body TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, position)
);

-- What needs somebody's attention is few rows among many.
CREATE INDEX payment_unsettled ON payment (created_at)
    WHERE state IN ('created', 'processing', 'unknown', 'action-required');
CREATE INDEX refund_unsettled ON refund (created_at) WHERE state IN ('requested', 'needs-staff');
CREATE INDEX payment_event_odd ON payment_event (seen_at)
    WHERE effect IN ('mismatch', 'unknown-payment');
