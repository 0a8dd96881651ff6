-- Staff finds profiles by their chip, and those that were given up.

CREATE INDEX profile_by_eid ON profile (eid) WHERE eid IS NOT NULL;
CREATE INDEX profile_given_up ON profile (id) WHERE state = 'error';
