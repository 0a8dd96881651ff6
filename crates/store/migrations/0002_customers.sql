-- Customers, how they prove who they are, and their identity checks.

-- What is kept for good: an id that orders, invoices and the journals name.
CREATE TABLE customer (
    id BLOB PRIMARY KEY,
    registered_at BIGINT NOT NULL,
    -- 'unconfirmed'; 'active' or 'closed' with state_at.
    state TEXT NOT NULL,
    state_at BIGINT
);

CREATE INDEX customer_by_time ON customer (registered_at);

-- The person behind it: deleted when the account is closed.
CREATE TABLE person (
    customer_id BLOB PRIMARY KEY REFERENCES customer (id),
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT,
    email_confirmed_at BIGINT,
    user_name TEXT,
    locale TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- 'never_asked'; 'given' or 'withdrawn' with marketing_at.
    marketing TEXT NOT NULL,
    marketing_at BIGINT
);

-- What a customer is found by; a table of its own because a key that must be unique everywhere
-- leads with nothing else.
CREATE TABLE login_name (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    customer_id BLOB NOT NULL REFERENCES customer (id),
    PRIMARY KEY (kind, name)
) CLUSTERED;

CREATE INDEX login_name_by_customer ON login_name (customer_id);

CREATE TABLE credential (
    customer_id BLOB PRIMARY KEY REFERENCES customer (id),
    password_digest TEXT,
    password_since BIGINT,
    -- 'off'; 'enrolling' with totp_secret and totp_since; 'on' with totp_last_step as well.
    totp TEXT NOT NULL,
    totp_secret BLOB,
    totp_since BIGINT,
    totp_last_step BIGINT,
    -- The digests of the recovery codes that are left, one after another.
    recovery_digests BLOB
);

-- One-time codes: their keyed digests.
CREATE TABLE challenge (
    id BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    -- NULL when no account has the address: nobody can answer it.
    customer_id BLOB,
    code_digest BLOB NOT NULL,
    network TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- 'live'; 'consumed' or 'replaced' with state_at.
    state TEXT NOT NULL,
    state_at BIGINT
);

CREATE INDEX challenge_by_address ON challenge (channel, address, issued_at);
CREATE INDEX challenge_by_network ON challenge (network, issued_at);
CREATE INDEX challenge_by_time ON challenge (issued_at);

-- Failures in a row, under the digest of what was typed or where it came from.
CREATE TABLE login_failure (
    guard_key BLOB PRIMARY KEY,
    failure_count BIGINT NOT NULL,
    last_at BIGINT NOT NULL
) CLUSTERED;

CREATE INDEX login_failure_by_time ON login_failure (last_at);

CREATE TABLE login_step (
    id BLOB PRIMARY KEY,
    token_digest BLOB NOT NULL UNIQUE,
    customer_id BLOB NOT NULL REFERENCES customer (id),
    stage TEXT NOT NULL,
    proof TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX login_step_by_customer ON login_step (customer_id);
CREATE INDEX login_step_by_time ON login_step (begun_at);

CREATE TABLE session (
    id BLOB PRIMARY KEY,
    token_digest BLOB NOT NULL UNIQUE,
    customer_id BLOB NOT NULL REFERENCES customer (id),
    proof TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    proved_at BIGINT NOT NULL,
    device TEXT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT
);

CREATE INDEX session_by_customer ON session (customer_id, seen_at);
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;

-- What happened to an account. Kept when it is closed: it names nobody.
CREATE TABLE account_event (
    customer_id BLOB NOT NULL REFERENCES customer (id),
    happened_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (customer_id, happened_at, position)
) CLUSTERED;

APPEND ONLY account_event;

CREATE TABLE identity_case (
    id BLOB PRIMARY KEY,
    customer_id BLOB NOT NULL REFERENCES customer (id),
    rule TEXT NOT NULL,
    -- 'wanted', 'in_review', 'approved' or 'refused', since state_at.
    state TEXT NOT NULL,
    state_at BIGINT NOT NULL,
    -- In review by an outside check: its reference.
    reference TEXT,
    -- Decided: NULL by an outside check, else by this member of staff.
    staff_id BLOB,
    refusal TEXT,
    UNIQUE (customer_id, rule)
);

CREATE INDEX identity_case_by_state ON identity_case (state, state_at);
CREATE INDEX identity_case_by_reference ON identity_case (reference) WHERE reference IS NOT NULL;

-- Sealed, and deleted in time.
CREATE TABLE identity_document (
    case_id BLOB NOT NULL REFERENCES identity_case (id),
    position BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    sealed BLOB NOT NULL,
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (case_id, position)
);

CREATE TABLE identity_document_view (
    case_id BLOB NOT NULL REFERENCES identity_case (id),
    viewed_at BIGINT NOT NULL,
    staff_id BLOB NOT NULL,
    PRIMARY KEY (case_id, viewed_at, staff_id)
) CLUSTERED;

APPEND ONLY identity_document_view;
