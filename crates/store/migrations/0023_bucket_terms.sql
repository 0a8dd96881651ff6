-- What a bucket pays for, and in which turn: the lowest number pays first. Rating groups are numbers
-- with commas between; none means any.
ALTER TABLE bucket ADD COLUMN priority BIGINT NOT NULL DEFAULT 100;
ALTER TABLE bucket ADD COLUMN rating_groups TEXT NOT NULL DEFAULT '';
