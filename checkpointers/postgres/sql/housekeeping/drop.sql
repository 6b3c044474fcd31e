-- $1 chain; $2 channel and $3 seq of each row
WITH gone AS (
    DELETE FROM {schema}.segments AS s
    USING unnest($2::integer[], $3::integer[]) AS w (channel, seq)
    WHERE s.chain = $1 AND s.channel = w.channel AND s.seq = w.seq
    RETURNING coalesce(octet_length(s.data), 0) + coalesce(octet_length(s.parts), 0) AS size
)
SELECT coalesce(sum(g.size), 0) AS bytes FROM gone AS g
