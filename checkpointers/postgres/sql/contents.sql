-- What some checkpoints of a chain hold: rows of kinds 1, 2 and 3 as in load.sql.
--
-- $1 chain, $2 seqs of the checkpoints. They stand on lines, which are ranges of commits, newest first:
-- $3 line, $4 number of the range, $5 its first commit, $6 its last one that the oldest of the line's checkpoints sees,
-- $7 and the last one that any of them sees
WITH range AS MATERIALIZED (
    SELECT
        r.line::integer AS line, r.number::integer AS number, r.low::integer AS low, r.high::integer AS high,
        r.top::integer AS top
    FROM unnest($3::oid[], $4::oid[], $5::oid[], $6::oid[], $7::oid[]) AS r (line, number, low, high, top)
), channel AS MATERIALIZED (
    SELECT u.name, u.number
    FROM {schema}.threads AS t CROSS JOIN unnest(t.channels) WITH ORDINALITY AS u (name, number)
    WHERE t.chain = $1
), base AS MATERIALIZED (
    SELECT r.line, c.number AS channel, b.number, b.seq
    FROM range AS r
    CROSS JOIN channel AS c
    LEFT JOIN LATERAL (
        SELECT l.number, w.seq
        FROM range AS l
        CROSS JOIN LATERAL (
            SELECT s.seq
            FROM {schema}.segments AS s
            WHERE
                s.chain = $1 AND s.channel = c.number AND s.seq BETWEEN l.low AND l.high
                AND (s.data IS NOT NULL OR s.parts IS NULL)
            ORDER BY s.seq DESC
            LIMIT 1
        ) AS w
        WHERE l.line = r.line
        ORDER BY l.number
        LIMIT 1
    ) AS b ON true
    WHERE r.number = 0
), seen AS MATERIALIZED (
    SELECT DISTINCT b.channel, s.seq
    FROM base AS b
    JOIN range AS l ON l.line = b.line AND (b.number IS NULL OR l.number <= b.number)
    CROSS JOIN LATERAL (
        SELECT s.seq
        FROM {schema}.segments AS s
        WHERE s.chain = $1 AND s.channel = b.channel AND s.seq BETWEEN greatest(l.low, b.seq) AND l.top
        OFFSET 0 -- a fence: else all rows of the channel may be looked at
    ) AS s
)
SELECT 3 AS kind, s.seq, NULL::integer AS made_from, NULL::bytea AS id, c.name, s.data, s.parts
FROM seen
JOIN channel AS c ON c.number = seen.channel
JOIN {schema}.segments AS s ON s.chain = $1 AND s.channel = seen.channel AND s.seq = seen.seq
UNION ALL
SELECT 1, r.seq, NULL, NULL, NULL, r.data, NULL
FROM {schema}.results AS r
WHERE r.chain = $1 AND r.seq = ANY ($2::oid[]::integer[])
UNION ALL
SELECT 2, c.seq, c.seq - 1, c.id, NULL, c.results, NULL
FROM unnest($2::oid[]::integer[]) AS p (seq)
JOIN {schema}.checkpoints AS c ON c.chain = $1 AND c.seq = p.seq + 1 AND c.parent IS NULL
WHERE c.results IS NOT NULL
UNION ALL
SELECT 2, c.seq, c.parent, c.id, NULL, c.results, NULL
FROM {schema}.checkpoints AS c
WHERE c.chain = $1 AND c.parent = ANY ($2::oid[]::integer[]) AND c.results IS NOT NULL
