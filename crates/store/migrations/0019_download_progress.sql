-- News of a download that the operator who ordered it is yet to be told (SGP.22 §5.3.5).
CREATE TABLE download_progress (
    id BLOB PRIMARY KEY,
    operator TEXT NOT NULL,
    iccid BLOB NOT NULL,
    profile_type TEXT NOT NULL,
    eid BLOB,
    point BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    -- Both, when it did not go well.
    failure_subject TEXT,
    failure_reason TEXT,
    result BLOB
) CLUSTERED;
