-- What is over counts as not there. In one order, so that two batches do not wait for each other.
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::double precision[], $5::bigint[])
        AS g (namespace, key, value, ttl, ends)
), put AS (
    INSERT INTO {schema}.store AS s (namespace, key, value, created, updated, ttl, ends)
    SELECT g.namespace, g.key, g.value::json, $6, $6, g.ttl, g.ends
    FROM given AS g ORDER BY g.namespace COLLATE "C", g.key COLLATE "C"
    ON CONFLICT (namespace, key) DO UPDATE SET
        created = CASE WHEN s.ends <= excluded.updated THEN excluded.created ELSE s.created END,
        value = excluded.value, updated = excluded.updated, ttl = excluded.ttl, ends = excluded.ends
    RETURNING s.id, s.namespace, s.key
), forgotten AS (
    DELETE FROM {schema}.store_vectors AS v USING put WHERE v.item = put.id
)
SELECT id, namespace, key FROM put
