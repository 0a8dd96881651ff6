-- What is free to be ordered, by its type. An index of every profile's state was written twice for every download.

DROP INDEX profile_by_type;
CREATE INDEX profile_by_type ON profile (profile_type);
CREATE INDEX profile_in_stock ON profile (profile_type, id) WHERE state = 'available' AND line_id IS NULL;
