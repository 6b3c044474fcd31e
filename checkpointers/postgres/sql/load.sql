-- A checkpoint with all that can be seen from it, in one statement and so from one moment. Rows have a kind:
--   0  the checkpoint itself
--   1  results appended to it: data
--   2  results that came with a commit made from it: seq and id of that commit, data
--   3  a row of a channel: name, seq, data, parts
--
-- $1 thread_id, $2 namespace, $3 id, NULL for the newest (place.sql says how an id is found)
WITH RECURSIVE thread AS (
    SELECT t.chain, t.seq, t.head, t.channels
    FROM {schema}.threads AS t
    WHERE t.thread_id = $1 AND t.namespace = $2
), hunt (low, high, seq) AS (
    SELECT 1, t.seq, NULL::integer FROM thread AS t WHERE $3::bytea IS NOT NULL
    UNION ALL
    SELECT
        CASE WHEN m.id < $3 THEN m.seq + 1 ELSE h.low END,
        CASE WHEN m.id < $3 THEN h.high ELSE (h.low + h.high) / 2 - 1 END,
        CASE WHEN m.id = $3 THEN m.seq END
    FROM hunt AS h
    CROSS JOIN thread AS t
    LEFT JOIN LATERAL (
        SELECT c.seq, c.id
        FROM {schema}.checkpoints AS c
        WHERE c.chain = t.chain AND c.seq BETWEEN (h.low + h.high) / 2 AND h.high
        ORDER BY c.seq
        LIMIT 1
    ) AS m ON true
    WHERE h.low <= h.high AND h.seq IS NULL
), place AS (
    SELECT CASE
        WHEN $3 IS NULL THEN (
            SELECT c.seq FROM {schema}.checkpoints AS c WHERE c.chain = t.chain ORDER BY c.seq DESC LIMIT 1
        )
        ELSE coalesce(
            (SELECT h.seq FROM hunt AS h WHERE h.seq IS NOT NULL),
            (SELECT c.seq FROM {schema}.checkpoints AS c WHERE c.chain = t.chain AND c.id = $3 LIMIT 1)
        )
    END AS seq
    FROM thread AS t
), found AS MATERIALIZED (
    SELECT c.*, t.head, t.channels
    FROM thread AS t
    CROSS JOIN place AS p
    JOIN {schema}.checkpoints AS c ON c.chain = t.chain AND c.seq = p.seq
), line (number, low, high) AS MATERIALIZED (
    SELECT 0, f.start, f.seq FROM found AS f
    UNION ALL
    SELECT (e.place + 1) / 2, min(e.bound), max(e.bound)
    FROM found AS f CROSS JOIN unnest(f.earlier) WITH ORDINALITY AS e (bound, place)
    GROUP BY (e.place + 1) / 2
), base AS MATERIALIZED (
    SELECT f.chain, u.name, u.channel, b.number, b.seq
    FROM found AS f
    CROSS JOIN unnest(f.channels) WITH ORDINALITY AS u (name, channel)
    CROSS JOIN LATERAL (
        SELECT l.number, w.seq
        FROM line AS l
        CROSS JOIN LATERAL (
            SELECT s.seq
            FROM {schema}.segments AS s
            WHERE
                s.chain = f.chain AND s.channel = u.channel AND s.seq BETWEEN l.low AND l.high
                AND (s.data IS NOT NULL OR s.parts IS NULL)
            ORDER BY s.seq DESC
            LIMIT 1
        ) AS w
        ORDER BY l.number
        LIMIT 1
    ) AS b
)
SELECT
    0 AS kind, f.seq, NULL::integer AS made_from, f.id, NULL::text AS name, NULL::bytea AS data, NULL::bytea AS parts,
    f.chain, f.head, p.id AS parent, coalesce(f.version, f.seq) AS version,
    coalesce(f.step, f.version - 2, f.seq - 2) AS step, f.source::text AS source, f.next, f.ran,
    f.metadata::text AS metadata, f.start, f.earlier::oid[] AS earlier
FROM found AS f
LEFT JOIN {schema}.checkpoints AS p ON p.chain = f.chain AND p.seq = coalesce(f.parent, f.seq - 1)
UNION ALL
SELECT 1, r.seq, NULL, NULL, NULL, r.data, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM found AS f JOIN {schema}.results AS r ON r.chain = f.chain AND r.seq = f.seq
UNION ALL
SELECT 2, c.seq, f.seq, c.id, NULL, c.results, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM found AS f JOIN {schema}.checkpoints AS c ON c.chain = f.chain AND c.seq = f.seq + 1 AND c.parent IS NULL
WHERE c.results IS NOT NULL
UNION ALL
SELECT 2, c.seq, f.seq, c.id, NULL, c.results, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM found AS f JOIN {schema}.checkpoints AS c ON c.chain = f.chain AND c.parent = f.seq
WHERE c.results IS NOT NULL
UNION ALL
SELECT 3, s.seq, NULL, NULL, b.name, s.data, s.parts, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM base AS b
JOIN line AS l ON l.number <= b.number
CROSS JOIN LATERAL (
    SELECT s.seq, s.data, s.parts
    FROM {schema}.segments AS s
    WHERE s.chain = b.chain AND s.channel = b.channel AND s.seq BETWEEN greatest(l.low, b.seq) AND l.high
    OFFSET 0 -- a fence: else all rows of the channel may be looked at
) AS s
