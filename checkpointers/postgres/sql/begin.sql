-- Commits the first checkpoint of a thread in a namespace. No row comes back if there is such a thread.
--
-- $1 thread_id, $2 namespace, $3 id, $4 version, $5 step, $6 source, $7 next, $8 ran, $9 metadata; $10 to $15
-- channels as in commit.sql, except that frames are whole
WITH new AS (
    INSERT INTO {schema}.threads (thread_id, namespace, head, seq, channels)
    VALUES ($1, $2, $3, 1, $10::text[])
    ON CONFLICT (thread_id, namespace) DO NOTHING
    RETURNING chain
), checkpoint AS (
    INSERT INTO {schema}.checkpoints (chain, seq, start, id, version, step, source, next, ran, metadata)
    SELECT
        new.chain, 1, 1, $3, nullif($4::bigint, 1), nullif($5::bigint, $4 - 2), $6::text::"char", $7, $8,
        $9::text::json
    FROM new
), segment AS (
    INSERT INTO {schema}.segments (chain, seq, channel, data, parts)
    SELECT
        new.chain, 1, u.number,
        CASE WHEN u.size::integer >= 0 THEN substr($15::bytea, u.start::integer, u.size::integer) END,
        CASE
            WHEN u.part_size::integer >= 0 THEN substr($15::bytea, u.part_start::integer, u.part_size::integer)
        END
    FROM new
    CROSS JOIN unnest($11::oid[], $12::oid[], $13::oid[], $14::oid[])
        WITH ORDINALITY AS u (start, size, part_start, part_size, number)
)
SELECT new.chain FROM new
