-- eSIM: profiles, their packages, sessions with chips, what chips reported, orders by others.

CREATE TABLE profile (
    id BLOB PRIMARY KEY,
    iccid BLOB NOT NULL,
    profile_type TEXT NOT NULL,
    line_id BLOB,
    version BIGINT NOT NULL,
    rules BIGINT NOT NULL,
    -- 'available', 'allocated', 'linked', 'confirmed', 'released', 'downloaded', 'installed',
    -- 'unavailable'; 'error' with its cause.
    state TEXT NOT NULL,
    error TEXT,
    linked_eid BLOB,
    matching_id TEXT,
    -- Sealed.
    confirmation BLOB,
    smds_address TEXT,
    expires_at BIGINT,
    code_failures BIGINT NOT NULL,
    downloads BIGINT NOT NULL,
    rejections BIGINT NOT NULL,
    -- The chip it is bound to.
    eid BLOB,
    chip_curve TEXT,
    chip_point BLOB,
    one_time_key BLOB,
    -- 'disabled', 'enabled', 'deleted': what the chip said last.
    on_chip TEXT,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (iccid),
    UNIQUE (matching_id)
);

CREATE INDEX profile_by_line ON profile (line_id);
CREATE INDEX profile_by_linked_eid ON profile (linked_eid);
CREATE INDEX profile_by_type ON profile (profile_type, state);

CREATE TABLE profile_package (
    profile_id BLOB NOT NULL,
    variant TEXT NOT NULL,
    least_version BLOB NOT NULL,
    size_octets BIGINT NOT NULL,
    metadata BLOB NOT NULL,
    -- Sealed, with its keys.
    package BLOB NOT NULL,
    PRIMARY KEY (profile_id, variant)
);

CREATE TABLE rsp_session (
    id BLOB PRIMARY KEY,
    opened_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- 'opened' (server, challenge, root_key_id), 'authenticated' (chip, profile and what follows), 'known' (chip),
    -- 'delivered' (chip, profile), 'over'.
    step TEXT NOT NULL,
    server TEXT,
    challenge BLOB,
    root_key_id BLOB,
    eid BLOB,
    chip_curve TEXT,
    chip_point BLOB,
    profile_id BLOB,
    variant TEXT,
    server_signature BLOB,
    code_required BIGINT,
    bound_key BLOB
) CLUSTERED;

CREATE INDEX rsp_session_by_end ON rsp_session (expires_at);

CREATE TABLE chip_notification (
    eid BLOB NOT NULL,
    sequence BIGINT NOT NULL,
    profile_id BLOB,
    iccid BLOB,
    event TEXT NOT NULL,
    -- 'installed'; 'failed' with command, reason and response.
    outcome TEXT,
    command BIGINT,
    reason BIGINT,
    response BLOB,
    rsp_session_id BLOB,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (eid, sequence)
) CLUSTERED;

CREATE INDEX chip_notification_by_profile ON chip_notification (profile_id);

CREATE TABLE answered_call (
    requester TEXT NOT NULL,
    call TEXT NOT NULL,
    digest BLOB NOT NULL,
    profile_id BLOB NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (requester, call)
) CLUSTERED;

CREATE INDEX answered_call_by_time ON answered_call (answered_at);

CREATE TABLE chip_event (
    eid BLOB NOT NULL,
    event_id TEXT NOT NULL,
    server_address TEXT NOT NULL,
    registered_by TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (eid, event_id)
) CLUSTERED;
