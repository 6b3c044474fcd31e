-- Where a checkpoint stands in its chain. Ids sort by time, so halving the chain finds it; one that does not sort so is
-- found by looking at them all. $1 chain, $2 seq of the last commit, $3 id
WITH RECURSIVE hunt (low, high, seq) AS (
    SELECT 1, $2::integer, NULL::integer
    UNION ALL
    SELECT
        CASE WHEN m.id < $3 THEN m.seq + 1 ELSE h.low END,
        CASE WHEN m.id < $3 THEN h.high ELSE (h.low + h.high) / 2 - 1 END,
        CASE WHEN m.id = $3 THEN m.seq END
    FROM hunt AS h
    LEFT JOIN LATERAL (
        SELECT c.seq, c.id
        FROM {schema}.checkpoints AS c
        WHERE c.chain = $1 AND c.seq BETWEEN (h.low + h.high) / 2 AND h.high
        ORDER BY c.seq
        LIMIT 1
    ) AS m ON true
    WHERE h.low <= h.high AND h.seq IS NULL
)
SELECT c.seq, c.start, c.earlier::oid[] AS earlier
FROM {schema}.checkpoints AS c
WHERE c.chain = $1 AND c.seq = coalesce(
    (SELECT h.seq FROM hunt AS h WHERE h.seq IS NOT NULL),
    (SELECT s.seq FROM {schema}.checkpoints AS s WHERE s.chain = $1 AND s.id = $3 LIMIT 1)
)
