-- Commits the first checkpoint of a thread in a namespace. No row comes back if there is such a thread.
--
-- $1 thread_id, $2 namespace, $3 id, $4 version, $5 step, $6 source, $7 next, $8 ran, $9 metadata; $10 to $14 what
-- happens to channels, as in commit.sql
WITH new AS (
    INSERT INTO {schema}.threads (thread_id, namespace, head, seq, channels)
    SELECT $1, $2, $3, 1, ARRAY(SELECT DISTINCT n.name FROM unnest($10::text[]) AS n (name))
    ON CONFLICT (thread_id, namespace) DO NOTHING
    RETURNING chain, seq, channels
), checkpoint AS (
    INSERT INTO {schema}.checkpoints (chain, seq, start, id, version, step, source, next, ran, metadata)
    SELECT
        new.chain, 1, 1, $3, nullif($4::bigint, 1), nullif($5::bigint, $4 - 2), $6::text::"char", $7, $8,
        $9::text::json
    FROM new
), segment AS (
    INSERT INTO {schema}.segments (chain, seq, channel, data, parts)
    SELECT
        new.chain, 1, array_position(new.channels, p.name),
        string_agg(p.data, ''::bytea) FILTER (WHERE p.number <= $14),
        string_agg(int4send(1) || int4send(p.size) || p.data, ''::bytea ORDER BY p.number)
            FILTER (WHERE p.number > $14)
    FROM new
    CROSS JOIN (
        SELECT
            u.name, u.number, u.size::integer AS size,
            CASE WHEN u.size::integer >= 0 THEN substr($13::bytea, u.start::integer, u.size::integer) END AS data
        FROM unnest($10::text[], $11::oid[], $12::oid[]) WITH ORDINALITY AS u (name, start, size, number)
    ) AS p
    GROUP BY new.chain, new.channels, p.name
)
SELECT new.chain FROM new
