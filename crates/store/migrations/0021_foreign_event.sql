-- What SM-DS elsewhere were told waits for a chip (SGP.22 §5.9), until it is taken back.
CREATE TABLE foreign_event (
    profile_id BLOB NOT NULL,
    event_id TEXT NOT NULL,
    smds_address TEXT NOT NULL,
    eid BLOB NOT NULL,
    server_address TEXT NOT NULL,
    PRIMARY KEY (profile_id, event_id)
) CLUSTERED;
