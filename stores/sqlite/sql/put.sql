-- What is over counts as not there.
INSERT INTO graphrt_store (namespace, key, value, created, updated, ttl, ends)
VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
ON CONFLICT (namespace, key) DO UPDATE SET
    created = CASE WHEN ends <= excluded.updated THEN excluded.created ELSE created END,
    value = excluded.value, updated = excluded.updated, ttl = excluded.ttl, ends = excluded.ends
