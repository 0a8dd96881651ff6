-- Work that follows a commit, and the messages in it.

CREATE TABLE job (
    id BLOB PRIMARY KEY,
    job_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    due_at BIGINT NOT NULL,
    -- When somebody may take it: due_at, or the end of the hold of whoever has it.
    next_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    done_at BIGINT
);

-- As long as the work that is left, however much was done.
CREATE INDEX job_open ON job (next_at) WHERE done_at IS NULL;

CREATE TABLE message (
    id BLOB PRIMARY KEY,
    message_key TEXT NOT NULL UNIQUE,
    customer_id BLOB,
    -- 'sms' or 'email'.
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    template TEXT NOT NULL,
    locale TEXT NOT NULL,
    -- JSON: [["name", "value"], ...].
    arguments TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 'queued'; 'delivered' with state_at; 'sent' with reference as well; 'failed' with reason.
    state TEXT NOT NULL,
    state_at BIGINT,
    reference TEXT,
    reason TEXT
);

CREATE INDEX message_by_customer ON message (customer_id, created_at);
CREATE INDEX message_by_time ON message (created_at);

-- What a short message centre calls a message, one row for each part of it. Centres use a
-- reference again after some time: the newest message counts.
CREATE TABLE message_reference (
    reference TEXT NOT NULL,
    message_id BLOB NOT NULL REFERENCES message (id),
    PRIMARY KEY (reference, message_id)
) CLUSTERED;
