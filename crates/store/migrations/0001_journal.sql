-- The double-entry journal, for money and for allowances. Ids are pseudonymous: no personal data.

CREATE TABLE ledger_entry (
    id BLOB PRIMARY KEY,
    -- What was posted: 'payment', 'grant', 'usage', ... and its id. The pair makes posting idempotent.
    source_kind TEXT NOT NULL,
    source_id TEXT NOT NULL,
    posted_at BIGINT NOT NULL,
    UNIQUE (source_kind, source_id)
);

CREATE TABLE ledger_posting (
    entry_id BLOB NOT NULL REFERENCES ledger_entry (id),
    position BIGINT NOT NULL,
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (entry_id, position)
) CLUSTERED;

CREATE INDEX ledger_posting_by_account ON ledger_posting (account, unit);

-- The sum of the postings, kept so that a balance is one row to read.
CREATE TABLE ledger_balance (
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (account, unit)
) CLUSTERED;

APPEND ONLY ledger_entry;
APPEND ONLY ledger_posting;
