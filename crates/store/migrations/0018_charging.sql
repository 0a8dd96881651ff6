-- Charging: sessions of the network's clients, and what they used.

CREATE TABLE charge_session (
    -- The name its client gave it (RFC 6733 §8.8).
    id TEXT PRIMARY KEY,
    line_id BLOB NOT NULL,
    is_live BIGINT NOT NULL,
    -- When a live one is given up, and an ended one forgotten.
    due_at BIGINT NOT NULL,
    -- What it holds, counted and answered: `charges/row.rs`.
    body BLOB NOT NULL
) CLUSTERED;

CREATE INDEX charge_session_by_line ON charge_session (line_id, is_live);
CREATE INDEX charge_session_by_due ON charge_session (is_live, due_at);

CREATE TABLE charge_record (
    id BLOB PRIMARY KEY,
    line_id BLOB NOT NULL,
    closed_at BIGINT NOT NULL,
    body BLOB NOT NULL
) CLUSTERED;

CREATE INDEX charge_record_by_line ON charge_record (line_id, closed_at);
