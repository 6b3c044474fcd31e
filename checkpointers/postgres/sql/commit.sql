-- Commits a step that follows the last commit. No row comes back if the head is not where the writer thinks it is, or
-- if the newest checkpoint is not the last commit (then `apart` does it): nothing is stored.
--
-- $1 thread_id, $2 namespace, $3 head = parent, $4 id, $5 version, $6 step, $7 source, $8 next, $9 ran, $10 metadata,
-- $11 results; of each channel that changes $12 the name, $13 start and $14 size of its whole value in the bytes of
-- $17, $15 start and $16 size of a frame of parts, without the seq that it begins with; sizes of -1 stand for NULL
WITH new AS (
    UPDATE {schema}.threads AS t
    SET head = $4,
        seq = t.seq + 1,
        channels = CASE
            WHEN t.channels @> $12 THEN t.channels
            ELSE t.channels || ARRAY(SELECT n.name FROM unnest($12) AS n (name) WHERE n.name <> ALL (t.channels))
        END
    FROM {schema}.checkpoints AS c
    WHERE
        t.thread_id = $1 AND t.namespace = $2 AND t.head = $3
        AND c.chain = t.chain AND c.seq = t.seq AND c.id = $3
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
        new.chain, new.seq, array_position(new.channels, u.name),
        CASE WHEN u.size::integer >= 0 THEN substr($17::bytea, u.start::integer, u.size::integer) END,
        CASE
            WHEN u.part_size::integer >= 0
            THEN int4send(new.seq) || substr($17::bytea, u.part_start::integer, u.part_size::integer)
        END
    FROM new
    CROSS JOIN unnest($12::text[], $13::oid[], $14::oid[], $15::oid[], $16::oid[])
        AS u (name, start, size, part_start, part_size)
)
SELECT new.seq FROM new
