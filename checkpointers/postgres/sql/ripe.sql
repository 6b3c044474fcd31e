-- Rows of parts on the head's own line that came after the last whole row of their channel, oldest first. $1 chain
WITH head AS MATERIALIZED (
    SELECT c.start, c.seq
    FROM {schema}.checkpoints AS c
    WHERE c.chain = $1
    ORDER BY c.seq DESC
    LIMIT 1
)
SELECT s.channel, s.seq, octet_length(s.parts) AS size
FROM head AS h
CROSS JOIN {schema}.threads AS t
CROSS JOIN unnest(t.channels) WITH ORDINALITY AS c (name, channel)
LEFT JOIN LATERAL (
    SELECT w.seq
    FROM {schema}.segments AS w
    WHERE
        w.chain = $1 AND w.channel = c.channel AND w.seq BETWEEN h.start AND h.seq
        AND (w.data IS NOT NULL OR w.parts IS NULL)
    ORDER BY w.seq DESC
    LIMIT 1
) AS b ON true
CROSS JOIN LATERAL (
    SELECT s.channel, s.seq, s.parts
    FROM {schema}.segments AS s
    WHERE s.chain = $1 AND s.channel = c.channel AND s.seq BETWEEN greatest(h.start, b.seq + 1) AND h.seq
    OFFSET 0 -- a fence: else all rows of the channel may be looked at
) AS s
WHERE t.chain = $1
ORDER BY s.channel, s.seq
