-- Lines and what they may use. What belongs to a line stands together under the line's id, so
-- that the account page reads neighbours.

CREATE TABLE line (
    id BLOB PRIMARY KEY,
    customer_id BLOB NOT NULL,
    opened_at BIGINT NOT NULL,
    -- 'active'; 'grace' (until), 'suspended' (since), 'closed' (when) with state_at.
    state TEXT NOT NULL,
    state_at BIGINT
);

CREATE INDEX line_by_customer ON line (customer_id);

CREATE TABLE subscription (
    line_id BLOB NOT NULL,
    id BLOB NOT NULL,
    order_id BLOB NOT NULL,
    selection TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    zone TEXT NOT NULL,
    add_on BIGINT NOT NULL,
    -- 'awaiting-first-use' with activate_by, validity_micros and periods; 'scheduled' with
    -- starts_at and ends_at; 'ended', 'revoked' with state_at.
    state TEXT NOT NULL,
    starts_at BIGINT,
    ends_at BIGINT,
    activate_by BIGINT,
    validity_micros BIGINT,
    periods BIGINT,
    state_at BIGINT,
    PRIMARY KEY (line_id, id),
    UNIQUE (id),
    -- What was paid once is granted once.
    UNIQUE (order_id)
) CLUSTERED;

CREATE TABLE bucket (
    line_id BLOB NOT NULL,
    subscription_id BLOB NOT NULL,
    id BLOB NOT NULL,
    -- The beginning of its accounts' names in the ledger, up to the role.
    account_prefix TEXT NOT NULL,
    unit TEXT NOT NULL,
    zone TEXT NOT NULL,
    granted BIGINT NOT NULL,
    -- Both, or first_use_position while the bucket waits for first use.
    starts_at BIGINT,
    ends_at BIGINT,
    first_use_position BIGINT,
    closed BIGINT NOT NULL,
    PRIMARY KEY (line_id, subscription_id, id),
    UNIQUE (id)
) CLUSTERED;

CREATE TABLE line_usage (
    line_id BLOB NOT NULL,
    -- Days since 1970-01-01 UTC.
    day BIGINT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (line_id, day, unit)
) CLUSTERED;

CREATE TABLE auto_renewal (
    line_id BLOB PRIMARY KEY,
    mandate_id BLOB NOT NULL,
    selection TEXT NOT NULL,
    periods BIGINT NOT NULL,
    currency TEXT NOT NULL,
    announced_for BIGINT,
    failures BIGINT NOT NULL
) CLUSTERED;
