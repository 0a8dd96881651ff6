-- What is old is found without reading what is not.
CREATE INDEX job_done ON job (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX session_by_time ON session (seen_at);
CREATE INDEX message_reference_by_message ON message_reference (message_id);
