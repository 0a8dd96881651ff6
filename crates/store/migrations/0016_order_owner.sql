-- Whose order a profile is: nobody else confirms, releases or cancels it.

ALTER TABLE profile ADD COLUMN ordered_by TEXT;

UPDATE profile SET ordered_by =
    (SELECT MIN(c.requester) FROM answered_call c WHERE c.profile_id = profile.id)
WHERE line_id IS NULL AND state <> 'available';
