-- Commits a step whose place in the chain was decided while the thread's row was locked: one that does not follow the
-- last commit.
--
-- $1 chain, $2 seq, $3 start, $4 earlier, $5 parent, $6 id, $7 version, $8 step, $9 source, $10 next, $11 ran,
-- $12 metadata, $13 results; $14 to $19 channels as in commit.sql, except that frames are whole
WITH new AS (
    UPDATE {schema}.threads AS t
    SET head = $6,
        seq = $2,
        channels = t.channels || ARRAY(
            SELECT n.name FROM unnest($14::text[]) AS n (name) WHERE n.name <> ALL (t.channels)
        )
    WHERE t.chain = $1
    RETURNING t.chain, t.channels
), checkpoint AS (
    INSERT INTO {schema}.checkpoints
        (chain, seq, start, earlier, parent, id, version, step, source, next, ran, metadata, results)
    SELECT
        new.chain, $2, $3, $4::oid[]::integer[], nullif($5::integer, $2 - 1), $6, nullif($7::bigint, $2),
        nullif($8::bigint, $7 - 2), $9::text::"char", $10, $11, $12::text::json, $13
    FROM new
)
INSERT INTO {schema}.segments (chain, seq, channel, data, parts)
SELECT
    new.chain, $2, array_position(new.channels, u.name),
    CASE WHEN u.size::integer >= 0 THEN substr($19::bytea, u.start::integer, u.size::integer) END,
    CASE WHEN u.part_size::integer >= 0 THEN substr($19::bytea, u.part_start::integer, u.part_size::integer) END
FROM new
CROSS JOIN unnest($14::text[], $15::oid[], $16::oid[], $17::oid[], $18::oid[])
    AS u (name, start, size, part_start, part_size)
