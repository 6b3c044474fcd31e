-- Checkpoints of a thread, newest first, without what they hold.
--
-- $1 thread_id, $2 namespace, $3 only before this commit, $4 only ids below this one, which is no text (NULL: all),
-- $5 only metadata that contains this (NULL: all), $6 at most so many, $7 only of this chain (NULL: any)
SELECT
    c.chain, c.seq, c.id, t.head, p.id AS parent, coalesce(c.version, c.seq) AS version,
    coalesce(c.step, c.version - 2, c.seq - 2) AS step, c.source::text AS source, c.next, c.ran,
    c.metadata::text AS metadata, c.start, c.earlier::oid[] AS earlier
FROM {schema}.threads AS t
JOIN {schema}.checkpoints AS c ON c.chain = t.chain
LEFT JOIN {schema}.checkpoints AS p ON p.chain = c.chain AND p.seq = coalesce(c.parent, c.seq - 1)
WHERE
    t.thread_id = $1 AND t.namespace = $2 AND c.seq < $3
    AND ($7::bigint IS NULL OR c.chain = $7)
    AND ($4::bytea IS NULL OR octet_length(c.id) <> 16 OR c.id < $4)
    AND ($5::text IS NULL OR c.metadata::jsonb @> $5::jsonb)
ORDER BY c.seq DESC
LIMIT $6
