-- Commits a step that follows the last commit. No row comes back if the head is not where the writer thinks it is, or
-- if the newest checkpoint is not the last commit (then `apart` does it): nothing is stored.
--
-- $1 thread_id, $2 namespace, $3 head = parent, $4 id, $5 version, $6 step, $7 source, $8 next, $9 ran, $10 metadata,
-- $11 results; what happens to channels, in pieces: $12 names, $13 starts and $14 sizes (-1 for NULL) in the bytes of
-- $15; of which the first $16 are whole values, the others parts to append
WITH old AS MATERIALIZED (
    SELECT t.chain, t.seq, t.channels
    FROM {schema}.threads AS t
    WHERE t.thread_id = $1 AND t.namespace = $2 AND t.head = $3
    FOR NO KEY UPDATE
), new AS (
    UPDATE {schema}.threads AS t
    SET head = $4,
        seq = old.seq + 1,
        channels = old.channels || ARRAY(
            SELECT DISTINCT n.name FROM unnest($12::text[]) AS n (name) WHERE n.name <> ALL (old.channels)
        )
    FROM old
    JOIN {schema}.checkpoints AS c ON c.chain = old.chain AND c.seq = old.seq AND c.id = $3
    WHERE t.chain = old.chain
    RETURNING t.chain, t.seq, t.channels, c.start, c.earlier
), checkpoint AS (
    INSERT INTO {schema}.checkpoints
        (chain, seq, start, earlier, id, version, step, source, next, ran, metadata, results)
    SELECT
        new.chain, new.seq, new.start, new.earlier, $4, nullif($5::bigint, new.seq), nullif($6::bigint, $5 - 2),
        $7::text::"char", $8, $9, $10::text::json, $11
    FROM new
), segment AS (
    INSERT INTO {schema}.segments (chain, seq, channel, data, parts)
    SELECT
        new.chain, new.seq, array_position(new.channels, p.name),
        string_agg(p.data, ''::bytea) FILTER (WHERE p.number <= $16),
        string_agg(int4send(new.seq) || int4send(p.size) || p.data, ''::bytea ORDER BY p.number)
            FILTER (WHERE p.number > $16)
    FROM new
    CROSS JOIN (
        SELECT
            u.name, u.number, u.size::integer AS size,
            CASE WHEN u.size::integer >= 0 THEN substr($15::bytea, u.start::integer, u.size::integer) END AS data
        FROM unnest($12::text[], $13::oid[], $14::oid[]) WITH ORDINALITY AS u (name, start, size, number)
    ) AS p
    GROUP BY new.chain, new.seq, new.channels, p.name
)
SELECT new.seq FROM new
