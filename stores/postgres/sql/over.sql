-- Those that somebody else is deleting at the moment are theirs.
DELETE FROM {schema}.store WHERE id IN (
    SELECT id FROM {schema}.store WHERE ends <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
)
