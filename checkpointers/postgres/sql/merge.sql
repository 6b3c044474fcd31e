-- Puts the parts of a channel's rows into the first of them. $1 chain; $2 channels, $3 first and $4 last rows
WITH heap AS MATERIALIZED (
    SELECT w.channel::integer AS channel, w.first::integer AS first, w.last::integer AS last
    FROM unnest($2::oid[], $3::oid[], $4::oid[]) AS w (channel, first, last)
), gone AS (
    DELETE FROM {schema}.segments AS s
    USING heap AS w
    WHERE s.chain = $1 AND s.channel = w.channel AND s.seq > w.first AND s.seq <= w.last
    RETURNING s.channel, s.seq, s.parts
), rest AS (
    SELECT g.channel, string_agg(g.parts, ''::bytea ORDER BY g.seq) AS parts FROM gone AS g GROUP BY g.channel
)
UPDATE {schema}.segments AS s
SET parts = s.parts || r.parts
FROM heap AS w JOIN rest AS r ON r.channel = w.channel
WHERE s.chain = $1 AND s.channel = w.channel AND s.seq = w.first
