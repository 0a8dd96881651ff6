-- What lines are made of: subscriptions with their keys, and numbers.

CREATE TABLE sim_stock (
    iccid BLOB PRIMARY KEY,
    imsi TEXT NOT NULL,
    home BLOB NOT NULL,
    -- Keys and codes, sealed.
    secrets BLOB NOT NULL,
    profile_id BLOB,
    added_at BIGINT NOT NULL,
    UNIQUE (imsi)
);

CREATE INDEX sim_stock_by_profile ON sim_stock (profile_id, iccid);

CREATE TABLE number_stock (
    msisdn TEXT PRIMARY KEY,
    line_id BLOB,
    added_at BIGINT NOT NULL
);

CREATE INDEX number_stock_by_line ON number_stock (line_id, msisdn);
