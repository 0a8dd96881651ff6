-- When a part arrived: a message has arrived when each of its parts has.
ALTER TABLE message_reference ADD COLUMN delivered_at BIGINT;
