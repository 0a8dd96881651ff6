-- What a bucket holds stands in its row: a line's book is one stretch of one table, and a charged
-- request changes one row a bucket.
ALTER TABLE bucket ADD COLUMN amount_granted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN amount_left BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN amount_reserved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN amount_used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN amount_expired BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bucket ADD COLUMN amount_reversed BIGINT NOT NULL DEFAULT 0;

UPDATE bucket SET
    amount_granted = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'granted' AND l.unit = bucket.unit), 0),
    amount_left = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'left' AND l.unit = bucket.unit), 0),
    amount_reserved = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'reserved' AND l.unit = bucket.unit), 0),
    amount_used = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'used' AND l.unit = bucket.unit), 0),
    amount_expired = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'expired' AND l.unit = bucket.unit), 0),
    amount_reversed = COALESCE((SELECT l.amount FROM ledger_balance l
        WHERE l.account = bucket.account_prefix || 'reversed' AND l.unit = bucket.unit), 0);

DELETE FROM ledger_balance WHERE account LIKE 'bucket:%';

ALTER TABLE bucket DROP COLUMN account_prefix;
