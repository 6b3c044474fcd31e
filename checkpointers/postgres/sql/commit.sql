-- Commits a step that follows the newest checkpoint. No row comes back if the head is not where the writer thinks it
-- is, or if the newest checkpoint is not the last commit (then `apart` does it): nothing is stored.
--
-- $1 thread_id, $2 namespace, $3 head = parent, $4 id, $5 version, $6 step, $7 source, $8 next, $9 ran, $10 metadata,
-- $11 results, $12 names and $13 data of the channels stored whole, $14 names and $15 data of parts
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
            SELECT DISTINCT n.name FROM unnest($12::text[] || $14::text[]) AS n (name)
            WHERE n.name <> ALL (old.channels)
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
    SELECT new.chain, new.seq, array_position(new.channels, s.name), s.data, s.parts
    FROM new
    CROSS JOIN LATERAL (
        SELECT coalesce(w.name, a.name) AS name, w.data, a.parts
        FROM unnest($12::text[], $13::bytea[]) AS w (name, data)
        FULL JOIN (
            SELECT
                p.name,
                string_agg(
                    int4send(new.seq) || int4send(octet_length(p.part)) || p.part, ''::bytea ORDER BY p.number
                ) AS parts
            FROM unnest($14::text[], $15::bytea[]) WITH ORDINALITY AS p (name, part, number)
            GROUP BY p.name
        ) AS a ON a.name = w.name
    ) AS s
)
SELECT new.seq FROM new
