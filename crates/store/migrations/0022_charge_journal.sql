-- What was charged on the embedded store and does not stand in the tables yet: one row a commit. The
-- tables follow within a second (`charges/memory.rs`). On PostgreSQL the table stays empty.

CREATE TABLE charge_journal (
    seq BIGINT PRIMARY KEY,
    -- Changes of lines, one after another: `charges/journal.rs`.
    body BLOB NOT NULL
);

-- Ended sessions are many and looked for by name and by time only.
DROP INDEX charge_session_by_line;
CREATE INDEX charge_session_by_line ON charge_session (line_id) WHERE is_live = 1;
