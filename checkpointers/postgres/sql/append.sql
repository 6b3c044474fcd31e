-- Keeps results of tasks of the step that starts from the head. Appending needs the head to stay where it is, but not
-- to be alone: several tasks may append at once. No row comes back if the head is elsewhere.
--
-- $1 thread_id, $2 namespace, $3 head; of each result, in the order of the digests: $4 1 if it is an error, else 0,
-- $5 start and $6 size in the bytes of $7, where 16 bytes of digest stand before the data
WITH now AS MATERIALIZED (
    SELECT t.chain, t.seq
    FROM {schema}.threads AS t
    WHERE t.thread_id = $1 AND t.namespace = $2 AND t.head = $3
    FOR SHARE
), kept AS (
    INSERT INTO {schema}.results AS r (chain, seq, task, failed, data)
    SELECT
        c.chain, c.seq, substr($7::bytea, n.start::integer, 16), n.failed <> 0,
        substr($7::bytea, n.start::integer + 16, n.size::integer - 16)
    FROM (
        SELECT c.chain, c.seq
        FROM now JOIN {schema}.checkpoints AS c ON c.chain = now.chain AND c.seq <= now.seq
        ORDER BY c.seq DESC
        LIMIT 1
    ) AS c
    CROSS JOIN unnest($4::oid[], $5::oid[], $6::oid[]) AS n (failed, start, size)
    ON CONFLICT (chain, seq, task) DO UPDATE SET failed = excluded.failed, data = excluded.data WHERE r.failed
)
SELECT now.chain FROM now
