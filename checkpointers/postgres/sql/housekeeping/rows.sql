-- Rows of some channels, newest first. $1 chain; $2 channels, $3 commit that each one's rows are before; $4 at most so
-- many of each
SELECT w.channel, s.seq, s.data IS NOT NULL OR s.parts IS NULL AS whole, s.data IS NULL AND s.parts IS NULL AS empty
FROM unnest($2::integer[], $3::integer[]) AS w (channel, below)
CROSS JOIN LATERAL (
    SELECT r.seq, r.data, r.parts
    FROM {schema}.segments AS r
    WHERE r.chain = $1 AND r.channel = w.channel AND r.seq < w.below
    ORDER BY r.seq DESC
    LIMIT $4
) AS s
ORDER BY w.channel, s.seq DESC
