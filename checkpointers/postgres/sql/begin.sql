-- Commits the first checkpoint of a thread in a namespace. No row comes back if there is such a thread.
--
-- $1 thread_id, $2 namespace, $3 id, $4 version, $5 step, $6 source, $7 next, $8 ran, $9 metadata,
-- $10 names, $11 data and $12 parts of the channels
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
    SELECT new.chain, 1, s.channel, s.data, s.parts
    FROM new CROSS JOIN unnest($11::bytea[], $12::bytea[]) WITH ORDINALITY AS s (data, parts, channel)
)
SELECT new.chain FROM new
